"""Whether saliency maps lie on the object: more than controls, and more where it is named."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.saliency import MapMeasures, stratified
from smallsight.analysis.statistics import bootstrap, verdicts
from smallsight.analysis.terms import CONTROLS
from smallsight.vocabulary import ALL_AND_GROUPS, SIZE_GROUPS

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


def summarise_maps(looks: MapMeasures) -> pd.DataFrame:
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
        for group in ALL_AND_GROUPS
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


def compare_with_controls(looks: MapMeasures) -> pd.DataFrame:
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
            for group in ALL_AND_GROUPS:
                chosen = outcomes.members[group] & np.isfinite(own) & np.isfinite(other)
                if not chosen.any():
                    continue
                images = outcomes.images(chosen)
                row: dict[str, Any] = {"control": control, "condition": condition}
                row |= {"size_group": group, "n": int(chosen.sum()), "images": images}
                draws = bootstrap.weighted_means(
                    np.stack([own[chosen], other[chosen]]), outcomes.weights[:, chosen]
                )
                row |= {"energy": draws[0, 0], "control_energy": draws[0, 1]}
                excess = draws[:, 0] - draws[:, 1]
                row |= bootstrap.estimate(excess, confidence=confidence, images=images)
                rows.append(row | {"excess": excess[0]})
        table = pd.DataFrame(rows).reindex(columns=list(CONTROL_COLUMNS))
        families.append(verdicts.judge(table, AGAINST_CONTROLS, confidence=confidence))
    return pd.concat(families, ignore_index=True)


def compare_outcomes(looks: MapMeasures) -> pd.DataFrame:
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
            for group in ALL_AND_GROUPS:
                draws = stratified([parts[group]] if group in parts else list(parts.values()))
                if np.isnan(draws[0]):
                    continue
                images = looks.witnesses(name, condition, group)
                found = bootstrap.estimate(draws - 0.5, confidence=confidence, images=images)
                row: dict[str, Any] = {"map": name, "condition": condition}
                row |= {"size_group": group, "images": images}
                sides = looks.compared(name, condition, group)
                for outcome, side in zip(("correct", "failed"), sides, strict=True):
                    row |= {f"n_{outcome}": int(side.sum())}
                    row |= {f"median_{outcome}": float(np.median(lift[side]))}
                low, high = bootstrap.share_interval(draws[0], draws[1:], confidence, images=images)
                ends = {"ci_low": low, "ci_high": high}
                rows.append(row | found | ends | {"superiority": draws[0]})
        table = pd.DataFrame(rows).reindex(columns=list(OUTCOME_COLUMNS))
        families.append(verdicts.judge(table, BY_OUTCOME, confidence=confidence, null=0.5))
    return pd.concat(families, ignore_index=True)
