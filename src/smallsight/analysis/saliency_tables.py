"""Saliency maps summarised, and compared with controls and by outcome: attention*.csv."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import (
    GROUP,
    IMAGES,
    P_HOLM,
    P_VALUE,
    N,
    interval,
    judged,
)
from smallsight.analysis.saliency import MapMeasures, combine_groups
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.analysis.terms import CONTROLS
from smallsight.runtime.tables import Table, number, text, whole
from smallsight.vocabulary import ALL_AND_GROUPS, CONDITION, POWER, SIZE_GROUPS, TASK

MEDIANS = (
    number("energy_in_box", "median share of the map's sum that lies in the box, 0 to 1"),
    number("lift", "median of energy_in_box over box_area_share"),
    number("box_area_share", "median share of the input that the box takes, 0 to 1"),
    number("energy_in_mask", "median share of the map's sum that lies in the mask, 0 to 1"),
    number("mask_lift", "median of energy_in_mask over the mask's share of the input"),
    number("signed_in_box", "median of what the box adds to the logit, over all cells' amounts"),
)
"""Measures of which the summary has medians."""

RATES = (
    number("pointing_hit", "share of the maps whose greatest cell touches the box"),
    number("no_evidence", "share of the maps that are 0 everywhere"),
)
"""Measures of which it has means."""

_MAP = text("map", "predicted: maps of the predicted class; true_class; or the name of a control")

MAP_SUMMARY = Table(
    "attention",
    "saliency maps described by task, kind, condition, size group and outcome",
    (
        TASK,
        _MAP,
        CONDITION,
        GROUP,
        text("outcome", "all, or maps of correct or failed predictions of the first seed"),
        N,
        *MEDIANS,
        number("lift_q1", "lower quartile of the lift"),
        number("lift_q3", "upper quartile of the lift"),
        whole("n_mask", "number of objects that have a mask and a map with evidence"),
        *RATES,
    ),
)

AGAINST_CONTROLS = verdicts.verdict_words("more", "less")
"""The share of the map in the box, compared with a control."""

CONTROL_COMPARISON = Table(
    "attention_controls",
    "how much of the predicted class's map lies in the box, compared with controls",
    (
        TASK,
        text("control", f"the control: {', '.join(CONTROLS)}"),
        CONDITION,
        GROUP,
        N,
        IMAGES,
        number("energy", "mean share of the map's sum that lies in the box, 0 to 1"),
        number("control_energy", "the same of the control"),
        number("excess", "energy minus control_energy"),
        *interval(of="excess"),
        P_VALUE,
        P_HOLM,
        number("mde", f"smallest excess that {POWER:.0%} of such studies find, by p_holm"),
        *judged(AGAINST_CONTROLS),
    ),
)

OUTCOME_COMPARISON = Table(
    "attention_outcomes",
    "the lift of maps of correct predictions beside that of failed ones; the verdict is a claim's",
    (
        TASK,
        _MAP,
        CONDITION,
        GROUP,
        whole("n_correct", "number of correct predictions whose map has a lift"),
        whole("n_failed", "number of failed predictions whose map has a lift"),
        whole("images", "number of images on the smaller side: the effective sample size"),
        number("median_correct", "median lift of correct predictions"),
        number("median_failed", "median lift of failed predictions"),
        number("superiority", "chance that a correct prediction's lift exceeds a failed one's"),
        *interval(of="superiority"),
    ),
)


def summarise_maps(map_measures: MapMeasures) -> pd.DataFrame:
    """Describe all maps of a task, by condition, size group and outcome.

    Returns
    -------
    DataFrame
        The columns of `MAP_SUMMARY`, a row per map, condition, size group and outcome (`all`,
        `correct`, `failed`) that has instances: medians (energies and lifts of maps with evidence
        alone), rates of pointing and of maps without evidence. `n_mask` counts objects whose mask
        is known. No rows without maps.
    """
    if not map_measures.tables:
        return MAP_SUMMARY.empty()
    medians, rates = ([column.name for column in part] for part in (MEDIANS, RATES))
    sizes = map_measures.outcomes.instances["size_group"]
    table = pd.concat(
        [
            measures.assign(map=kind, condition=condition, size_group=sizes)
            for (kind, condition), measures in map_measures.tables.items()
        ],
        ignore_index=True,
    ).dropna(subset="no_evidence")
    correct = table["correct"].astype(bool)
    parts = [
        table[(table["size_group"].eq(group) | (group == "all")) & side].assign(
            size_group=group, outcome=outcome
        )
        for group in ALL_AND_GROUPS
        for outcome, side in (("all", True), ("correct", correct), ("failed", ~correct))
    ]
    stacked = pd.concat(parts).astype(dict.fromkeys((*medians, *rates), float))
    grouped = stacked.groupby(["size_group", "outcome", "map", "condition"], sort=False)
    lifts = grouped["lift"].quantile(np.array([0.25, 0.75])).unstack()
    described = grouped[medians].median().join(grouped[rates].mean())
    described = described.assign(
        task=map_measures.outcomes.task,
        n=grouped.size(),
        lift_q1=lifts[0.25],
        lift_q3=lifts[0.75],
        n_mask=grouped["energy_in_mask"].count(),
    )
    return described.reset_index()[MAP_SUMMARY.names]


def compare_with_controls(map_measures: MapMeasures) -> pd.DataFrame:
    """Compare the share of a map that lies in the box with that of its controls, in one task.

    Controls are the same map with a box of the same size anywhere in the picture, the centre
    prior, and the map of a backbone with random weights. `p_value` is Wald's, by the bootstrap over
    images; `p_holm` takes all rows of one control as a family; a verdict needs the interval too.
    `mde` is by the strictest test of that family, at 1 - confidence over the number of rows.

    Returns
    -------
    DataFrame
        The columns of `CONTROL_COMPARISON`, a row per control, condition and size group that has
        both maps. `energy` and `control_energy` are mean shares of the maps' sum in the box, 0 to
        1, of the n instances whose maps both have evidence; `excess` is their difference.
    """
    outcomes = map_measures.outcomes
    confidence = outcomes.settings.confidence
    families = []
    for control in CONTROLS:
        rows: list[dict[str, Any]] = []
        errors = []
        for condition in map_measures.conditions:
            if (control, condition) not in map_measures.tables:
                continue
            own, other = (
                map_measures.tables[kind, condition]["energy_in_box"].to_numpy(float)
                for kind in ("predicted", control)
            )
            for group in ALL_AND_GROUPS:
                chosen = outcomes.members[group] & np.isfinite(own) & np.isfinite(other)
                if not chosen.any():
                    continue
                images = outcomes.images(chosen)
                row: dict[str, Any] = {"task": outcomes.task, "control": control}
                row |= {"condition": condition}
                row |= {"size_group": group, "n": int(chosen.sum()), "images": images}
                draws = bootstrap.weighted_means(
                    np.stack([own[chosen], other[chosen]]), outcomes.weights[:, chosen]
                )
                row |= {"energy": draws[0, 0], "control_energy": draws[0, 1]}
                excess = draws[:, 0] - draws[:, 1]
                row |= bootstrap.estimate(excess, confidence=confidence, images=images)
                rows.append(row | {"excess": excess[0]})
                errors.append(bootstrap.standard_error(excess[1:], images=images))
        for row, error in zip(rows, errors, strict=True):
            row["mde"] = tests.minimum_detectable(
                error, confidence=1 - (1 - confidence) / len(rows), images=row["images"]
            )
        table = pd.DataFrame(rows).reindex(columns=CONTROL_COMPARISON.names)
        families.append(verdicts.judge(table, AGAINST_CONTROLS, confidence=confidence))
    return pd.concat(families, ignore_index=True)


def compare_outcomes(map_measures: MapMeasures) -> pd.DataFrame:
    """Compare the lifts of correct and of failed predictions of a task.

    Maps of the predicted class and of the true class are compared.

    Returns
    -------
    DataFrame
        The columns of `OUTCOME_COMPARISON`, a row per map, condition and size group that has both
        outcomes, and `all` for the comparison within size groups (`MapMeasures.superiority`).
        `images` is `MapMeasures.n_images_effective`. The interval is Wilson's, for the number of
        independent trials that has the draws' variance.
    """
    outcomes = map_measures.outcomes
    confidence = outcomes.settings.confidence
    rows: list[dict[str, Any]] = []
    for kind in ("predicted", "true_class"):
        for condition in map_measures.conditions:
            lift = map_measures.lift(kind, condition)
            parts = {
                group: map_measures.group_superiority(kind, condition, group)
                for group in SIZE_GROUPS
            }
            for group in ALL_AND_GROUPS:
                draws = combine_groups([parts[group]] if group in parts else list(parts.values()))
                if np.isnan(draws[0]):
                    continue
                images = map_measures.n_images_effective(kind, condition, group)
                row: dict[str, Any] = {"task": outcomes.task, "map": kind, "condition": condition}
                row |= {"size_group": group, "images": images, "superiority": draws[0]}
                sides = map_measures.correct_and_failed(kind, condition, group)
                for outcome, side in zip(("correct", "failed"), sides, strict=True):
                    row |= {f"n_{outcome}": int(side.sum())}
                    row |= {f"median_{outcome}": float(np.median(lift[side]))}
                low, high = bootstrap.share_interval(draws[0], draws[1:], confidence, images=images)
                rows.append(row | {"ci_low": low, "ci_high": high})
    return pd.DataFrame(rows).reindex(columns=OUTCOME_COMPARISON.names)
