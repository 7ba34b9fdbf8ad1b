"""Splits of a sample, and the predictions that heads make of what they have not learnt from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from smallsight import params
from smallsight.backbones.feature_store import Features
from smallsight.conditions.registry import Condition
from smallsight.evaluation import heads
from smallsight.evaluation.folds import image_grouped_folds, instance_split, reference_split
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.predictions import PREDICTION_COLUMNS
from smallsight.runtime.errors import SampleError
from smallsight.runtime.randomness import derive


@dataclass(frozen=True)
class Splits:
    """Divisions of a sample into training and test data, several per seed.

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
    folds
        Number of folds.
    reference_test
        (n,), bool: the test data of the reference head.
    """

    sample: pd.DataFrame
    categories: tuple[str, ...]
    seeds: tuple[int, ...]
    fold_of: np.ndarray
    folds: int
    reference_test: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """(n,), each instance's class."""
        return class_indices(self.sample["category_name"], self.categories)

    def fit(
        self, features: Features, *, settings: params.Heads, device: torch.device
    ) -> LinearHeads:
        """Fit one head per seed and fold, in that order, on the instances of the other folds.

        A head's random stream depends on its seed and fold alone, so that heads of two conditions
        differ by the condition and by nothing else.
        """
        self._check(features)
        elsewhere = self.fold_of[:, None, :] != np.arange(self.folds)[None, :, None]
        return heads.fit(
            features.plain[features.row],
            features.flipped[features.row],
            self.labels,
            elsewhere.reshape(-1, len(self.sample)),
            [derive(seed, "head", fold) for seed in self.seeds for fold in range(self.folds)],
            classes=len(self.categories),
            settings=settings,
            device=device,
        )

    def heads_of(
        self,
        regime: str,
        untouched: LinearHeads,
        features: Features,
        *,
        settings: params.Heads,
        device: torch.device,
    ) -> LinearHeads:
        """Give the heads that a regime tests on one condition: the untouched ones, or its own."""
        if regime == "fixed":
            return untouched
        return self.fit(features, settings=settings, device=device)

    def out_of_fold(self, fitted: LinearHeads, features: Features) -> np.ndarray:
        """Predict each instance by the head whose test data it is.

        Returns
        -------
        ndarray
            (seeds, n, classes), probabilities; NaN for what is never test data.
        """
        self._check(features)
        every = fitted.probabilities(features.plain[features.row])
        every = every.reshape(len(self.seeds), self.folds, *every.shape[1:])
        shares = np.take_along_axis(every, self.fold_of[:, None, :, None], axis=1)[:, 0]
        shares[self.fold_of < 0] = np.nan
        return shares

    def _check(self, features: Features) -> None:
        """Refuse features of other instances, or in another order."""
        for name in ("image_id", "ann_id"):
            if not np.array_equal(self.sample[name].to_numpy(), getattr(features, name)):
                raise SampleError(
                    "features", f"another order of {name} than the sample's", "the same instances"
                )

    def predictions(
        self, fitted: LinearHeads, features: Features, condition: Condition, *, regime: str
    ) -> pd.DataFrame:
        """Lay predictions of test data out as `PREDICTION_COLUMNS`, a row per seed and instance."""
        names = np.array(self.categories)
        truth = self.sample["category_name"].to_numpy()
        tables = []
        for seed, fold, shares in zip(
            self.seeds, self.fold_of, self.out_of_fold(fitted, features), strict=True
        ):
            predicted = names[shares.argmax(axis=1)]
            table = self.sample.assign(
                regime=regime,
                seed=seed,
                fold=fold,
                family=condition.family,
                level=condition.level,
                condition=condition.name,
                side=features.side,
                predicted=predicted,
                correct=predicted == truth,
                confidence=shares.max(axis=1),
            )[list(PREDICTION_COLUMNS)]
            columns = [f"p_{name}" for name in self.categories]
            each = pd.DataFrame(shares, columns=columns, index=table.index)
            tables.append(pd.concat([table, each], axis=1)[fold >= 0])
        return pd.concat(tables, ignore_index=True)


def cross_validation(
    sample: pd.DataFrame, categories: Sequence[str], *, settings: params.Evaluation, seed: int
) -> Splits:
    """Divide a sample by image into stratified folds, once per repeat.

    Every instance is test data once per seed, for a head that saw no instance of its image. Equal
    arguments give equal folds.

    Raises
    ------
    SampleError
        Where there are fewer images than folds.
    """
    seeds = tuple(range(seed, seed + settings.repeats))
    fold_of = [
        image_grouped_folds(sample, folds=settings.folds, rng=derive(each, "folds"))
        for each in seeds
    ]
    test = reference_split(
        sample, test_share=settings.test_share, rng=derive(seed, "reference split")
    )
    return Splits(sample, tuple(categories), seeds, np.stack(fold_of), settings.folds, test)


def single_split(
    sample: pd.DataFrame, categories: Sequence[str], *, settings: params.Evaluation, seed: int
) -> Splits:
    """Divide a sample once, by instance: images may lie on both sides.

    Raises
    ------
    SampleError
        Where there are fewer than two instances.
    """
    test = instance_split(
        sample, test_share=settings.test_share, rng=derive(seed, "reference split")
    )
    return Splits(sample, tuple(categories), (seed,), np.where(test, 0, -1)[None], 1, test)


def class_indices(names: pd.Series, categories: Sequence[str]) -> np.ndarray:
    """Turn category names into indices of `categories`."""
    return names.map({name: index for index, name in enumerate(categories)}).to_numpy(np.int64)
