"""Measures of saliency maps, arranged like the outcomes that they are compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap
from smallsight.vocabulary import SIZE_GROUPS


@dataclass(frozen=True)
class MapMeasures:
    """Measures of the saliency maps of one task, their rows those of an `Outcomes`.

    Attributes
    ----------
    outcomes
        The task's instances, and draws of their images.
    tables
        By kind of map and condition: a table of n rows with the measures of
        `saliency.tables.OTHER_MAPS`; NaN where an instance has no such map.
    """

    outcomes: Outcomes
    tables: Mapping[tuple[str, str], pd.DataFrame]

    @property
    def conditions(self) -> list[str]:
        """Conditions that have maps, in order."""
        return [condition for kind, condition in self.tables if kind == "predicted"]

    def lift(self, kind: str, condition: str) -> np.ndarray:
        """(n,): the lifts of one kind of map."""
        return self.tables[kind, condition]["lift"].to_numpy(float)

    def superiority(self, kind: str, condition: str, group: str) -> np.ndarray:
        """(1 + draws,): the chance that a correct prediction's lift exceeds a failed one's.

        All objects together are compared within size groups, since size alone changes the lift.
        """
        groups = SIZE_GROUPS if group == "all" else (group,)
        return combine_groups([self.group_superiority(kind, condition, one) for one in groups])

    def group_superiority(
        self, kind: str, condition: str, group: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """(1 + draws,) twice: the superiority in one size group, and its weight among others.

        The weight is van Elteren's (1960): pairs over objects plus 1.
        """
        lift = self.lift(kind, condition)
        sides = self.correct_and_failed(kind, condition, group)
        drawn = [self.outcomes.weights[:, side] for side in sides]
        chance = bootstrap.superiority(*(lift[side] for side in sides), *drawn)
        one, other = (part.sum(axis=1, dtype=float) for part in drawn)
        return chance, one * other / (one + other + 1)

    def correct_and_failed(self, kind: str, condition: str, group: str) -> list[np.ndarray]:
        """(n,) and (n,), bool: the correct and the failed predictions that have a lift."""
        known = self.outcomes.members[group] & np.isfinite(self.lift(kind, condition))
        correct = self.tables[kind, condition]["correct"].eq(True).to_numpy()
        return [known & correct, known & ~correct]

    def n_images_effective(self, kind: str, condition: str, group: str) -> int:
        """Count the images on the smaller side (correct or failed): the effective sample size."""
        sides = self.correct_and_failed(kind, condition, group)
        return min(map(self.outcomes.images, sides))


def combine_groups(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Average `MapMeasures.group_superiority` over size groups; NaN in a draw without a pair."""
    chances, weights = (np.stack(part) for part in zip(*parts, strict=True))
    total = weights.sum(axis=0)
    sums = (weights * np.nan_to_num(chances)).sum(axis=0)
    return np.divide(sums, total, out=np.full(len(total), np.nan), where=total > 0)


def arrange_measures(
    outcomes: Outcomes, predicted_class: pd.DataFrame, others: pd.DataFrame
) -> MapMeasures:
    """Arrange measures of one task's maps as an `Outcomes` arranges its instances.

    Parameters
    ----------
    outcomes
        Of that task.
    predicted_class
        The columns of `saliency.tables.PREDICTED_CLASS_MAPS`.
    others
        The columns of `saliency.tables.OTHER_MAPS`.
    """
    whole = pd.concat([predicted_class.assign(map="predicted"), others])
    groups = whole.groupby(["map", "condition"], sort=False)
    tables = {(str(kind), str(name)): outcomes.align(part) for (kind, name), part in groups}
    return MapMeasures(outcomes, tables)
