"""Predictions as arrays: how often each instance is recognised, by condition, and its draws."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.analysis.statistics import bootstrap, tests
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.vocabulary import ALL_AND_GROUPS, INSTANCE, REGIMES

CONDITION_KEYS = ["regime", "condition", "family", "level"]


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of n instances under k conditions, and draws of their images.

    The draws are the same for every condition and group, so that results can be compared draw by
    draw. The first row of `weights` is the sample itself: the first entry of any array over draws
    is the estimate, the others are its bootstrap.

    Attributes
    ----------
    instances
        n rows of image_id, ann_id, category_name and size_group, sorted by the first two.
    conditions
        k rows of `CONDITION_KEYS`: the headline regime first, else in the order of the predictions.
    hit_rates
        (k, n), 0 to 1: the share of seeds that predict an instance correctly.
    side
        (n,): its side in the untouched picture, in input pixels.
    weights
        (1 + draws, n): how often it was drawn.
    chance
        Accuracy of guessing: 1 / categories.
    settings
        Of the intervals: their confidence, and the number of draws.

    Examples
    --------
    Two seeds name two objects of two pictures, untouched and downscaled:

    >>> rows = [
    ...     ("orig_full", 1, "car", "small", True), ("orig_full", 2, "bus", "large", True),
    ...     ("orig_full", 1, "car", "small", False), ("orig_full", 2, "bus", "large", True),
    ...     ("downscale", 1, "car", "small", False), ("downscale", 2, "bus", "large", True),
    ...     ("downscale", 1, "car", "small", False), ("downscale", 2, "bus", "large", True),
    ... ]
    >>> columns = ["condition", "image_id", "category_name", "size_group", "correct"]
    >>> predictions = pd.DataFrame(rows, columns=columns).assign(
    ...     regime="fixed", family="any", level="default", ann_id=1, side=8.0, p_car=0.5, p_bus=0.5
    ... )
    >>> outcomes = arrange_outcomes(
    ...     predictions,
    ...     settings=params.Analysis(confidence=0.95, bootstrap_draws=100),
    ...     rng=np.random.default_rng(0),
    ... )
    >>> outcomes.hit_rates.tolist()
    [[0.5, 1.0], [0.0, 1.0]]
    >>> float(outcomes.accuracy("fixed", "orig_full", "all")[0])
    0.75
    """

    instances: pd.DataFrame
    conditions: pd.DataFrame
    hit_rates: np.ndarray
    side: np.ndarray
    weights: np.ndarray
    chance: float
    settings: params.Analysis

    @property
    def regimes(self) -> list[str]:
        """The evaluated regimes, the headline regime first."""
        return list(self.conditions["regime"].unique())

    @cached_property
    def row(self) -> dict[tuple[str, str], int]:
        """Row of each (regime, condition) in `hit_rates`."""
        pairs = zip(self.conditions["regime"], self.conditions["condition"], strict=True)
        return {pair: index for index, pair in enumerate(pairs)}

    def changed_conditions(self, regime: str) -> list[str]:
        """List the conditions of a regime, without the untouched one."""
        named = self.conditions.loc[self.conditions["regime"] == regime, "condition"]
        return [name for name in named if name != UNTOUCHED]

    def majority_correct(self, regime: str, condition: str) -> np.ndarray:
        """(n,), bool: whether more than half of the seeds predict an instance correctly."""
        return self.hit_rates[self.row[regime, condition]] > 0.5

    def flips(self, regime: str, before: str, after: str) -> np.ndarray:
        """(n,): 1 for a positive flip between two conditions, -1 for a negative flip, else 0.

        An instance flips where most seeds are correct under one of the two alone; the flip is
        positive where that is the second (Yan et al., Positive-Congruent Training, CVPR 2021).
        """
        correct_after = self.majority_correct(regime, after)
        return correct_after.astype(int) - self.majority_correct(regime, before)

    def flip_p(self, flips: np.ndarray, chosen: np.ndarray) -> float:
        """Test the flips of chosen instances, by McNemar with images in place of pairs."""
        by_image = np.bincount(self.image[chosen], flips[chosen]).astype(int)
        return tests.clustered_mcnemar_p(by_image)

    @cached_property
    def members(self) -> dict[str, np.ndarray]:
        """(n,), bool, by size group, `all` first: the instances that belong to it."""
        group = self.instances["size_group"].to_numpy()
        return {name: (group == name) | (name == "all") for name in ALL_AND_GROUPS}

    @cached_property
    def image(self) -> np.ndarray:
        """(n,), 0, 1, ...: which image each instance belongs to."""
        return np.unique(self.instances["image_id"], return_inverse=True)[1]

    def size(self, *groups: str) -> dict[str, int]:
        """Count the instances of some groups, and their images."""
        chosen = np.any([self.members[group] for group in groups], axis=0)
        return {"n": int(chosen.sum()), "images": self.images(chosen)}

    def images(self, chosen: np.ndarray) -> int:
        """Count the images of chosen instances, (n,), bool."""
        return len(np.unique(self.image[chosen]))

    def align(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a table in the order of the instances; NaN for those without a row."""
        return self.instances[INSTANCE].merge(table, on=INSTANCE, how="left", validate="1:1")

    @cached_property
    def means(self) -> dict[str, np.ndarray]:
        """(1 + draws, k), by size group: accuracy of every condition in every draw."""
        means = {}
        for name, chosen in self.members.items():
            means[name] = bootstrap.weighted_means(
                self.hit_rates[:, chosen], self.weights[:, chosen]
            )
            # Without rounding errors: equal hit rates give a difference of exactly zero.
            if chosen.any():
                means[name][0] = self.hit_rates[:, chosen].mean(axis=1)
        return means

    def accuracy(self, regime: str, condition: str, group: str) -> np.ndarray:
        """(1 + draws,): accuracy of one group under one condition."""
        return self.means[group][:, self.row[regime, condition]]

    def mean_with_interval(
        self, values: np.ndarray, chosen: np.ndarray
    ) -> tuple[float, float, float]:
        """Return the mean of (n,) values, 0 to 1, over chosen instances, and its interval."""
        draws = bootstrap.weighted_means(values[None, chosen], self.weights[:, chosen])[:, 0]
        images = self.images(chosen)
        confidence = self.settings.confidence
        return draws[0], *bootstrap.share_interval(draws[0], draws[1:], confidence, images=images)

    def untouched_predictions(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """Return the predictions of untouched pictures in the headline regime."""
        is_headline = predictions["regime"] == self.regimes[0]
        return predictions[is_headline & (predictions["condition"] == UNTOUCHED)]

    def balanced_accuracy(self, regime: str, condition: str, group: str) -> float:
        """Compute the mean over a group's categories of their accuracies."""
        chosen = self.members[group]
        category = self.category[chosen]
        hits = np.bincount(category, self.hit_rates[self.row[regime, condition], chosen])
        counts = np.bincount(category)
        return float(np.mean((hits / np.maximum(counts, 1))[counts > 0]))

    @cached_property
    def category(self) -> np.ndarray:
        """(n,), 0, 1, ...: each instance's category, in alphabetical order."""
        return np.unique(self.instances["category_name"], return_inverse=True)[1]


def arrange_outcomes(
    predictions: pd.DataFrame, *, settings: params.Analysis, rng: np.random.Generator
) -> Outcomes:
    """Arrange predictions, and draw images with replacement.

    Parameters
    ----------
    predictions
        The columns of `evaluation.tables.PREDICTIONS`: every instance under every condition, once
        per seed.
    """
    table = predictions.sort_values(INSTANCE, kind="stable")
    conditions = (
        predictions[CONDITION_KEYS]
        .drop_duplicates()
        .sort_values(
            "regime",
            key=lambda names: names.map(list(REGIMES).index),
            kind="stable",
            ignore_index=True,
        )
    )
    instances = table[[*INSTANCE, "category_name", "size_group"]].drop_duplicates(
        INSTANCE, ignore_index=True
    )
    hit_rates = np.stack(
        [
            part["correct"].to_numpy(float).reshape(len(instances), -1).mean(axis=1)
            for part in _parts(table, conditions)
        ]
    )
    untouched = table[table["condition"] == UNTOUCHED].drop_duplicates(INSTANCE)
    drawn = bootstrap.image_weights(
        instances["image_id"].to_numpy(), draws=settings.bootstrap_draws, rng=rng
    )
    return Outcomes(
        instances=instances,
        conditions=conditions,
        hit_rates=hit_rates,
        side=untouched["side"].to_numpy(),
        weights=np.concatenate([np.ones((1, len(instances)), np.float32), drawn]),
        chance=1 / sum(name.startswith("p_") for name in predictions.columns),
        settings=settings,
    )


def _parts(table: pd.DataFrame, conditions: pd.DataFrame) -> list[pd.DataFrame]:
    """Divide sorted predictions into one part per condition."""
    groups = dict(list(table.groupby(CONDITION_KEYS, sort=False)))
    return [groups[tuple(key)] for key in conditions.itertuples(index=False)]
