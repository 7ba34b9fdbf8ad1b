"""How a sample is divided into training and test data: once per study, as its protocol demands."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.evaluation.folds import image_grouped_folds, instance_split, reference_split
from smallsight.evaluation.protocols import EvaluationProtocol
from smallsight.evaluation.splits import Splits
from smallsight.imaging.photographs import groups_of
from smallsight.runtime.randomness import derive


def make_splits(
    protocol: EvaluationProtocol,
    sample: pd.DataFrame,
    categories: Sequence[str],
    *,
    settings: params.Evaluation,
    seed: int,
    duplicates: pd.DataFrame | None = None,
) -> Splits:
    """Divide a sample as a protocol demands.

    Parameters
    ----------
    duplicates
        The columns of `imaging.photographs.DUPLICATES`: pictures that share a fold, where folds
        keep pictures whole.
    """
    if protocol.split == "none":
        fold_of = np.zeros((1, len(sample)), np.int64)
        return Splits(sample, tuple(categories), (seed,), fold_of, fold_of[0] == 0, 1)
    if protocol.is_instance_split:
        return single_split(sample, categories, settings=settings, seed=seed)
    return cross_validation(sample, categories, settings=settings, seed=seed, duplicates=duplicates)


def cross_validation(
    sample: pd.DataFrame,
    categories: Sequence[str],
    *,
    settings: params.Evaluation,
    seed: int,
    duplicates: pd.DataFrame | None = None,
) -> Splits:
    """Divide a sample by photograph into stratified folds, once per repeat.

    Every instance is test data once per seed, for a head that saw no instance of its image, nor of
    a duplicate of it. Equal arguments give equal folds.

    Raises
    ------
    SampleError
        Where there are fewer photographs than folds.
    """
    photographs = None
    if duplicates is not None:
        photographs = groups_of(sample["image_id"], duplicates)
    seeds = tuple(range(seed, seed + settings.repeats))
    fold_of = [
        image_grouped_folds(sample, photographs, folds=settings.folds, rng=derive(each, "folds"))
        for each in seeds
    ]
    test = reference_split(
        sample, photographs, test_share=settings.test_share, rng=derive(seed, "reference split")
    )
    return Splits(sample, tuple(categories), seeds, np.stack(fold_of), test, settings.folds)


def single_split(
    sample: pd.DataFrame, categories: Sequence[str], *, settings: params.Evaluation, seed: int
) -> Splits:
    """Divide a sample once, by instance: instances of one image may lie on both sides.

    Raises
    ------
    SampleError
        Where there are fewer than two instances.
    """
    test = instance_split(
        sample, test_share=settings.test_share, rng=derive(seed, "reference split")
    )
    return Splits(sample, tuple(categories), (seed,), np.where(test, 0, -1)[None], test, 1)
