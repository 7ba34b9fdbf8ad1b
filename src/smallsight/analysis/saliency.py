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
    """Measures of maps, their rows those of an `Outcomes`.

    Attributes
    ----------
    outcomes
        The instances, and draws of their images.
    tables
        By map and condition: a table of n rows with the columns of `attention.MAP_COLUMNS`; NaN
        where an instance has no such map.
    """

    outcomes: Outcomes
    tables: Mapping[tuple[str, str], pd.DataFrame]

    @property
    def conditions(self) -> list[str]:
        """Conditions that have maps, in order."""
        return [condition for name, condition in self.tables if name == "predicted"]

    def lift(self, name: str, condition: str) -> np.ndarray:
        """(n,): the lifts of one kind of map."""
        return self.tables[name, condition]["lift"].to_numpy(float)

    def superiority(self, name: str, condition: str, group: str) -> np.ndarray:
        """(1 + draws,): how surely a correct prediction's map has a greater lift than a failed one.

        Of all objects together it is compared within size groups, which differ in lift for reasons
        of their own.
        """
        groups = SIZE_GROUPS if group == "all" else (group,)
        return stratified([self.within(name, condition, one) for one in groups])

    def within(self, name: str, condition: str, group: str) -> tuple[np.ndarray, np.ndarray]:
        """(1 + draws,) twice: the same of one size group, and its weight among others.

        The weight is van Elteren's (1960): pairs over objects plus 1.
        """
        lift = self.lift(name, condition)
        sides = self.compared(name, condition, group)
        drawn = [self.outcomes.weights[:, side] for side in sides]
        chance = bootstrap.superiority(*(lift[side] for side in sides), *drawn)
        one, other = (part.sum(axis=1, dtype=float) for part in drawn)
        return chance, one * other / (one + other + 1)

    def compared(self, name: str, condition: str, group: str) -> list[np.ndarray]:
        """(n,) and (n,), bool: the correct and the failed predictions that have a lift."""
        known = self.outcomes.members[group] & np.isfinite(self.lift(name, condition))
        correct = self.tables[name, condition]["correct"].eq(True).to_numpy()
        return [known & correct, known & ~correct]

    def witnesses(self, name: str, condition: str, group: str) -> int:
        """Count the images that hold a correct or those that hold a failed prediction: the fewer.

        However many there are of the others, so many images tell how much a comparison scatters.
        """
        sides = self.compared(name, condition, group)
        return min(map(self.outcomes.images, sides))


def stratified(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Average what `Looks.within` gives of several size groups; NaN in a draw without a pair."""
    chances, weights = (np.stack(part) for part in zip(*parts, strict=True))
    total = weights.sum(axis=0)
    sums = (weights * np.nan_to_num(chances)).sum(axis=0)
    return np.divide(sums, total, out=np.full(len(total), np.nan), where=total > 0)


def arrange_measures(
    outcomes: Outcomes, attention: pd.DataFrame, maps: pd.DataFrame
) -> MapMeasures:
    """Arrange measures as an `Outcomes` arranges its instances.

    Parameters
    ----------
    attention
        `attention.ATTENTION_COLUMNS`: the predicted class's maps.
    maps
        `attention.MAP_COLUMNS`: all others.
    """
    whole = pd.concat([attention.assign(map="predicted"), maps])
    tables = {
        key: outcomes.aligned(part) for key, part in whole.groupby(["map", "condition"], sort=False)
    }
    return MapMeasures(outcomes, tables)
