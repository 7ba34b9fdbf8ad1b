"""Whether maps of evidence lie on the object: more than controls, and more where it is named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smallsight import statistics
from smallsight.outcomes import GROUPS, Outcomes
from smallsight.terms import CONTROLS
from smallsight.vocabulary import SIZE_GROUPS

MEDIANS = (
    *("energy_in_box", "lift", "box_area_share", "energy_in_mask", "mask_lift", "signed_in_box"),
)
"""Measures of which the summary has medians."""
RATES = ("pointing_hit", "no_evidence")
"""Measures of which it has means."""
SUMMARY_COLUMNS = (
    *("map", "condition", "size_group", "outcome", "n", *MEDIANS, "lift_q1", "lift_q3"),
    *("n_mask", *RATES),
)
CONTROL_COLUMNS = (
    *("control", "condition", "size_group", "n", "images", "energy", "control_energy", "excess"),
    *("ci_low", "ci_high", "p_value", "p_holm", "mde", "verdict"),
)
OUTCOME_COLUMNS = (
    *("map", "condition", "size_group", "n_correct", "n_failed", "images"),
    *("median_correct", "median_failed", "superiority", "ci_low", "ci_high"),
    *("p_value", "p_holm", "mde", "verdict"),
)
AGAINST_CONTROLS = {1: "more", -1: "less", 0: "inconclusive", None: ""}
"""How much of the map lies in the box, compared with a control."""
BY_OUTCOME = {1: "correct", -1: "failed", 0: "inconclusive", None: ""}
"""Whose maps have the greater lift."""


@dataclass(frozen=True)
class Looks:
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
        chance = statistics.superiority(*(lift[side] for side in sides), *drawn)
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


def looks(outcomes: Outcomes, attention: pd.DataFrame, maps: pd.DataFrame) -> Looks:
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
    return Looks(outcomes, tables)


def summary(looks: Looks) -> pd.DataFrame:
    """Describe all maps, by condition, size group and whether the prediction is right.

    Returns
    -------
    DataFrame
        `SUMMARY_COLUMNS`, a row per map, condition, size group and outcome (`all`, `correct`,
        `failed`) that has instances: medians (energies and lifts of maps with evidence alone),
        rates of pointing and of maps without evidence. `n_mask` counts objects whose mask is known.
    """
    sizes = looks.outcomes.instances["size_group"]
    whole = pd.concat(
        [
            table.assign(map=name, condition=condition, size_group=sizes)
            for (name, condition), table in looks.tables.items()
        ],
        ignore_index=True,
    ).dropna(subset="no_evidence")
    correct = whole["correct"].astype(bool)
    parts = [
        whole[(whole["size_group"].eq(group) | (group == "all")) & side].assign(
            size_group=group, outcome=outcome
        )
        for group in GROUPS
        for outcome, side in (("all", True), ("correct", correct), ("failed", ~correct))
    ]
    stacked = pd.concat(parts).astype(dict.fromkeys((*MEDIANS, *RATES), float))
    grouped = stacked.groupby(["size_group", "outcome", "map", "condition"], sort=False)
    lifts = grouped["lift"].quantile([0.25, 0.75]).unstack()
    described = grouped[list(MEDIANS)].median().join(grouped[list(RATES)].mean())
    described = described.assign(
        n=grouped.size(),
        lift_q1=lifts[0.25],
        lift_q3=lifts[0.75],
        n_mask=grouped["energy_in_mask"].count(),
    )
    return described.reset_index()[list(SUMMARY_COLUMNS)]


def against_controls(looks: Looks) -> pd.DataFrame:
    """Ask whether more of a map lies in the box than its controls would have there.

    Controls are the same map with a box of the same size anywhere in the picture, the centre
    prior, and the map of a backbone with random weights. `p_value` is Wald's, by the bootstrap over
    images; `p_holm` takes all rows of one control as a family; a verdict needs the interval too.

    Returns
    -------
    DataFrame
        `CONTROL_COLUMNS`, a row per control, condition and size group that has both maps.
        `energy` and `control_energy` are mean shares of the maps' energy in the box, 0 to 1, of
        the n instances whose maps both have evidence; `excess` is their difference.
    """
    outcomes = looks.outcomes
    confidence = outcomes.settings.confidence
    families = []
    for control in CONTROLS:
        rows: list[dict[str, Any]] = []
        for condition in looks.conditions:
            if (control, condition) not in looks.tables:
                continue
            own, other = (
                looks.tables[name, condition]["energy_in_box"].to_numpy(float)
                for name in ("predicted", control)
            )
            for group in GROUPS:
                chosen = outcomes.members[group] & np.isfinite(own) & np.isfinite(other)
                if not chosen.any():
                    continue
                images = outcomes.images(chosen)
                row: dict[str, Any] = {"control": control, "condition": condition}
                row |= {"size_group": group, "n": int(chosen.sum()), "images": images}
                draws = statistics.weighted_means(
                    np.stack([own[chosen], other[chosen]]), outcomes.weights[:, chosen]
                )
                row |= {"energy": draws[0, 0], "control_energy": draws[0, 1]}
                excess = draws[:, 0] - draws[:, 1]
                row |= statistics.estimate(excess, confidence=confidence, images=images)
                rows.append(row | {"excess": excess[0]})
        table = pd.DataFrame(rows).reindex(columns=list(CONTROL_COLUMNS))
        families.append(statistics.judge(table, AGAINST_CONTROLS, confidence=confidence))
    return pd.concat(families, ignore_index=True)


def by_outcome(looks: Looks) -> pd.DataFrame:
    """Compare the lifts of correct and of failed predictions.

    Of the predicted class's maps, and of the true class's. `p_value` is Wald's against one half,
    by the bootstrap over images; `p_holm` takes all rows of one kind of map as a family; a verdict
    needs the interval too.

    Returns
    -------
    DataFrame
        `OUTCOME_COLUMNS`, a row per map, condition and size group that has both, and `all` for
        the comparison within size groups (`Looks.superiority`). `images` is `Looks.witnesses`, the
        interval Wilson's for as many independent trials as the draws' scatter amounts to. `mde` is
        the least distance from one half that one test would find with 80 % power.
    """
    outcomes = looks.outcomes
    confidence = outcomes.settings.confidence
    families = []
    for name in ("predicted", "true_class"):
        rows: list[dict[str, Any]] = []
        for condition in looks.conditions:
            lift = looks.lift(name, condition)
            parts = {group: looks.within(name, condition, group) for group in SIZE_GROUPS}
            for group in GROUPS:
                draws = stratified([parts[group]] if group in parts else list(parts.values()))
                if np.isnan(draws[0]):
                    continue
                images = looks.witnesses(name, condition, group)
                found = statistics.estimate(draws - 0.5, confidence=confidence, images=images)
                row: dict[str, Any] = {"map": name, "condition": condition}
                row |= {"size_group": group, "images": images}
                sides = looks.compared(name, condition, group)
                for outcome, side in zip(("correct", "failed"), sides, strict=True):
                    row |= {f"n_{outcome}": int(side.sum())}
                    row |= {f"median_{outcome}": float(np.median(lift[side]))}
                low, high = statistics.share_interval(
                    draws[0], draws[1:], confidence, images=images
                )
                ends = {"ci_low": low, "ci_high": high}
                rows.append(row | found | ends | {"superiority": draws[0]})
        table = pd.DataFrame(rows).reindex(columns=list(OUTCOME_COLUMNS))
        families.append(statistics.judge(table, BY_OUTCOME, confidence=confidence, null=0.5))
    return pd.concat(families, ignore_index=True)
