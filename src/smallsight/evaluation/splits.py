"""Splits: which instances are test data, in every repeat; made once and kept as a table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.evaluation.folds import image_grouped_folds, instance_split, reference_split
from smallsight.evaluation.protocols import EvaluationProtocol
from smallsight.evaluation.tables import SPLITS
from smallsight.imaging.photographs import groups_of
from smallsight.runtime import files
from smallsight.runtime.errors import SampleError
from smallsight.runtime.randomness import derive
from smallsight.runtime.tables import parse_table
from smallsight.vocabulary import INSTANCE


@dataclass(frozen=True)
class Splits:
    """Divisions of a sample into training and test data, one per seed.

    Attributes
    ----------
    sample
        The n instances.
    categories
        Their possible categories; a class is an index into them.
    seeds
        One per repeat.
    fold_of
        (seeds, n), the fold in which each instance is test data in each repeat; -1 where it is
        training data of every fold.
    reference_test
        (n,), bool: the test data of the reference head.
    folds
        Number of folds of every repeat.
    """

    sample: pd.DataFrame
    categories: tuple[str, ...]
    seeds: tuple[int, ...]
    fold_of: np.ndarray
    reference_test: np.ndarray
    folds: int

    @property
    def labels(self) -> np.ndarray:
        """(n,), each instance's class."""
        return class_indices(self.sample["category_name"], self.categories)

    def of_instances(self, image_id: np.ndarray, ann_id: np.ndarray) -> "Splits":
        """Return the same divisions of some of the instances, in the sample's order."""
        chosen = pd.MultiIndex.from_arrays([image_id, ann_id])
        is_chosen = pd.MultiIndex.from_frame(self.sample[INSTANCE]).isin(chosen)
        return replace(
            self,
            sample=self.sample[is_chosen].reset_index(drop=True),
            fold_of=self.fold_of[:, is_chosen],
            reference_test=self.reference_test[is_chosen],
        )


def class_indices(names: pd.Series, categories: Sequence[str]) -> np.ndarray:
    """Turn category names into indices of `categories`."""
    return names.map({name: index for index, name in enumerate(categories)}).to_numpy(np.int64)


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


def write_splits(splits: Splits, path: str | Path) -> None:
    """Write splits as the table `SPLITS`, a row per seed and instance in the sample's order."""
    table = pd.concat(
        [
            splits.sample[INSTANCE].assign(
                seed=seed, fold=fold, reference_test=splits.reference_test
            )
            for seed, fold in zip(splits.seeds, splits.fold_of, strict=True)
        ]
    )
    files.write_table(table[SPLITS.names], path)


def read_splits(path: str | Path, sample: pd.DataFrame, categories: Sequence[str]) -> Splits:
    """Read the splits of a sample back.

    Raises
    ------
    SmallsightError
        Where the file is missing or malformed, or holds other instances than the sample.
    """
    table = parse_table(path, SPLITS, where=path)
    if list(table.columns) != SPLITS.names:
        raise SampleError(path, f"columns {', '.join(table.columns)}", ", ".join(SPLITS.names))
    seeds = tuple(int(seed) for seed in table["seed"].unique())
    ids = sample[INSTANCE].to_numpy()
    if not np.array_equal(table[INSTANCE].to_numpy(), np.tile(ids, (len(seeds), 1))):
        raise SampleError(path, "other instances than the sample's", "those, once per seed")
    fold_of = table["fold"].to_numpy().reshape(len(seeds), len(sample))
    test = table["reference_test"].to_numpy(bool)[: len(sample)]
    return Splits(sample, tuple(categories), seeds, fold_of, test, int(fold_of.max()) + 1)
