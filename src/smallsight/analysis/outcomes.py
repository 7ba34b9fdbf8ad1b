"""Predictions of a task as arrays: how often each instance is recognised, and its draws."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.analysis.statistics import bootstrap
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.imaging.photographs import groups_of
from smallsight.vocabulary import ALL_AND_GROUPS, INSTANCE, REGIMES, SCENE

CONDITION_KEYS = ["task", "regime", "condition", "family", "level"]


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of n instances under k conditions of one task, and draws of their images.

    An image stands for all pictures of one photograph, where several are the same.

    The draws are the same for every condition, group and task, so that results can be compared draw
    by draw. The first row of `weights` is the sample itself: the first entry of any array over
    draws is the estimate, the others are its bootstrap.

    Attributes
    ----------
    instances
        n rows of image_id, ann_id, category_name and size_group, sorted by the first two.
    conditions
        k rows of `CONDITION_KEYS`: the headline regime first, else in the order of the predictions.
    hit_rates
        (k, n), 0 to 1: the share of seeds that predict an instance correctly.
    n_seeds
        Number of seeds that predict each instance.
    side
        (n,): its side in the untouched whole picture, in input pixels, whatever the task; NaN where
        it is not known.
    weights
        (1 + draws, n): how often it was drawn.
    image
        (n,), 0, 1, ...: which image each instance belongs to.
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
    ...     regime="fixed", family="any", level="default", ann_id=1, side=8.0, p_car=0.5, p_bus=0.5,
    ...     task="scene",
    ... )
    >>> outcomes = arrange_outcomes(
    ...     predictions,
    ...     task="scene",
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
    n_seeds: int
    side: np.ndarray
    weights: np.ndarray
    image: np.ndarray
    chance: float
    settings: params.Analysis

    @property
    def task(self) -> str:
        """The task."""
        return str(self.conditions["task"].iloc[0])

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

    def changes(self, regime: str, before: str, after: str, chosen: np.ndarray) -> np.ndarray:
        """(images,), whole numbers: by how many right answers, of all seeds, each image gains.

        Parameters
        ----------
        chosen
            (n,), bool: the instances that count.
        """
        rates = self.hit_rates[self.row[regime, after]] - self.hit_rates[self.row[regime, before]]
        gained = np.rint(self.n_seeds * rates[chosen])
        return np.bincount(self.image[chosen], gained, len(np.unique(self.image))).astype(int)

    @cached_property
    def members(self) -> dict[str, np.ndarray]:
        """(n,), bool, by size group, `all` first: the instances that belong to it."""
        group = self.instances["size_group"].to_numpy()
        return {name: (group == name) | (name == "all") for name in ALL_AND_GROUPS}

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

    def delta(self, regime: str, condition: str, group: str) -> np.ndarray:
        """(1 + draws,): accuracy of one group under a condition, minus that untouched."""
        untouched = self.accuracy(regime, UNTOUCHED, group)
        return self.accuracy(regime, condition, group) - untouched

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
        return float(self.sample.balanced(self.hit_rates[self.row[regime, condition]], group)[0])

    @cached_property
    def sample(self) -> "Outcomes":
        """The same outcomes without draws, for estimates that need no interval."""
        return replace(self, weights=self.weights[:1])

    def standardised(self, values: np.ndarray, group: str) -> np.ndarray:
        """Compute the mean of (n,) values over a group in every draw, at the shared mix.

        Returns
        -------
        ndarray
            (1 + draws,): the mean of the categories' means, each by its weight in `shared_mix`.
            Categories that the group lacks are left out; NaN where that leaves none.
        """
        known = self._category_counts[group] > 0
        mix = _normalised(self.shared_mix * known)
        return (mix * self._category_means(values, group)).sum(axis=1)

    def balanced(self, values: np.ndarray, group: str) -> np.ndarray:
        """(1 + draws,): the mean over a group's categories of their means of (n,) values."""
        known = self._category_counts[group] > 0
        return (_normalised(1.0 * known) * self._category_means(values, group)).sum(axis=1)

    def _category_means(self, values: np.ndarray, group: str) -> np.ndarray:
        """(1 + draws, categories): mean of (n,) values; 0 for a category that was not drawn."""
        chosen = self.members[group]
        sums = self.weights[:, chosen].astype(np.float64) @ (
            self._is_category[chosen] * values[chosen, None]
        )
        counts = self._category_counts[group]
        return np.divide(sums, counts, out=np.zeros(sums.shape), where=counts > 0)

    @cached_property
    def shared_mix(self) -> np.ndarray:
        """(1 + draws, categories), each row summing to 1: the mix at which groups are compared.

        A category weighs the mean of its shares in small and in large objects; one that either of
        them lacks weighs nothing. NaN where they have none in common.
        """
        small, large = (self._category_counts[group] for group in ("small", "large"))
        both = (small > 0) & (large > 0)
        return _normalised((_normalised(small) + _normalised(large)) * both)

    @cached_property
    def _is_category(self) -> np.ndarray:
        """(n, categories): 1 in the column of each instance's category, else 0."""
        return np.eye(self.category.max() + 1)[self.category]

    @cached_property
    def _category_counts(self) -> dict[str, np.ndarray]:
        """(1 + draws, categories), by size group: how many of its instances were drawn."""
        return {
            name: self.weights[:, chosen].astype(np.float64) @ self._is_category[chosen]
            for name, chosen in self.members.items()
        }

    @cached_property
    def category(self) -> np.ndarray:
        """(n,), 0, 1, ...: each instance's category, in alphabetical order."""
        return np.unique(self.instances["category_name"], return_inverse=True)[1]


def arrange_outcomes(
    predictions: pd.DataFrame,
    *,
    task: str,
    settings: params.Analysis,
    rng: np.random.Generator,
    duplicates: pd.DataFrame | None = None,
) -> Outcomes:
    """Arrange the predictions of a task, and draw images with replacement.

    Parameters
    ----------
    predictions
        The columns of `evaluation.tables.PREDICTIONS`, without sweeps: every instance under every
        condition of a task, once per seed. Sides are those of untouched pictures in the scene task,
        or in the only task.
    rng
        Equal generators give equal draws in all tasks.
    duplicates
        The columns of `imaging.photographs.DUPLICATES`: pictures that are drawn together; None
        where that is not known.
    """
    whole = SCENE if (predictions["task"] == SCENE).any() else task
    shown = predictions[(predictions["task"] == whole) & (predictions["condition"] == UNTOUCHED)]
    about = [*INSTANCE, "category_name", "size_group"]
    # Not all columns: sorting and grouping copy them, and there may be millions of rows.
    of_task = predictions.loc[predictions["task"] == task, [*CONDITION_KEYS, *about, "correct"]]
    table = of_task.sort_values(INSTANCE, kind="stable")
    conditions = (
        of_task[CONDITION_KEYS]
        .drop_duplicates()
        .sort_values(
            "regime",
            key=lambda names: names.map(list(REGIMES).index),
            kind="stable",
            ignore_index=True,
        )
    )
    instances = table[about].drop_duplicates(INSTANCE, ignore_index=True)
    hits = np.stack(
        [
            part["correct"].to_numpy(float).reshape(len(instances), -1)
            for part in _parts(table, conditions)
        ]
    )
    sides = shown.sort_values(INSTANCE, kind="stable").drop_duplicates(INSTANCE)
    photographs = instances["image_id"]
    if duplicates is not None:
        photographs = groups_of(photographs, duplicates)
    drawn = bootstrap.image_weights(photographs.to_numpy(), draws=settings.bootstrap_draws, rng=rng)
    return Outcomes(
        instances=instances,
        conditions=conditions,
        hit_rates=hits.mean(axis=2),
        n_seeds=hits.shape[2],
        side=sides["side"].to_numpy(),
        weights=np.concatenate([np.ones((1, len(instances)), np.float32), drawn]),
        image=np.unique(photographs, return_inverse=True)[1],
        chance=1 / sum(name.startswith("p_") for name in predictions.columns),
        settings=settings,
    )


def _parts(table: pd.DataFrame, conditions: pd.DataFrame) -> list[pd.DataFrame]:
    """Divide sorted predictions into one part per condition."""
    groups = dict(list(table.groupby(CONDITION_KEYS, sort=False)))
    return [groups[tuple(key)] for key in conditions.itertuples(index=False)]


def _normalised(counts: np.ndarray) -> np.ndarray:
    """Divide by the sum of each row; NaN where that is 0."""
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
