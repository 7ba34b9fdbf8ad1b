"""Deletion and insertion of the object's region, compared with another region: faithfulness.csv."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from smallsight.analysis.columns import (
    GROUP,
    IMAGES,
    P_HOLM,
    P_VALUE,
    N,
    interval,
    judged,
)
from smallsight.analysis.saliency import MapMeasures
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, number, text
from smallsight.vocabulary import ALL_AND_GROUPS, POWER, SIZE_GROUPS

VERDICTS = verdicts.verdict_words("higher", "lower")
"""The change of probability by the object's region, compared with that by a random one."""

DELETION = Table(
    "faithfulness",
    "what deleting or inserting the object does to the true class in the scene task",
    (
        text("change", "removed: the region has the mean colour; restored: everything else has it"),
        number("area", "area of the regions, in areas of the object's box"),
        GROUP,
        N,
        IMAGES,
        number("area_share", "mean share of the input that the object's region takes, 0 to 1"),
        number("overlap", "mean share of the random region that lies in the object's, 0 to 1"),
        number("p_before", "mean probability of the true class before the change"),
        number("object", "mean change of that probability by the object's region, -1 to 1"),
        *interval("object_low", "object_high", of="object"),
        number("random", "the same by the random region"),
        *interval("random_low", "random_high", of="random"),
        number("difference", "object minus random"),
        *interval(of="difference"),
        P_VALUE,
        P_HOLM,
        number("mde", f"smallest difference that {POWER:.0%} of such studies find, by p_holm"),
        *judged(VERDICTS),
        number("rank", "rank correlation of the map in the box with the effect of the region"),
        *interval("rank_low", "rank_high", of="rank"),
    ),
)


def compute_deletion(removals: pd.DataFrame, map_measures: MapMeasures) -> pd.DataFrame:
    """Compare the effect of the object's region on the true class with that of a random region.

    `p_value` is Wald's on the paired difference, by the bootstrap over images; `p_holm` takes all
    rows as one family; a verdict needs the interval too. `mde` is by the strictest test of that
    family, at 1 - confidence over the number of rows.

    Parameters
    ----------
    removals
        The columns of `saliency.tables.REMOVALS`.
    map_measures
        Of the scene task's maps, whose pictures are those that were changed.

    Returns
    -------
    DataFrame
        The columns of `DELETION`, a row per change, area (in areas of the box) and size group.
        `object` and `random`: mean change of the true class's probability, -1 to 1, with
        intervals. `overlap`: mean share of the random region that lies in the object's. `rank`:
        Spearman's partial correlation, within a size group and given the region's area, between
        the share of the true class's map in the box and the probability that the object's region
        takes away or brings back. It is above 0 where maps show what matters to the head, and
        empty without maps.
    """
    outcomes = map_measures.outcomes
    confidence = outcomes.settings.confidence
    energy = np.full(len(outcomes.instances), np.nan)
    if ("true_class", UNTOUCHED) in map_measures.tables:
        energy = map_measures.tables["true_class", UNTOUCHED]["energy_in_box"].to_numpy(float)
    rows: list[dict[str, Any]] = []
    errors = []
    for (change, area), part in removals.groupby(["change", "area"], sort=False):
        regions = {name: outcomes.align(one) for name, one in part.groupby("region")}
        changed = {
            name: (one["p_after"] - one["p_before"]).to_numpy() for name, one in regions.items()
        }
        effect = changed["object"] * (1 if change == "restored" else -1)
        for group in ALL_AND_GROUPS:
            chosen = outcomes.members[group]
            row: dict[str, Any] = {"change": change, "area": area, "size_group": group}
            row |= outcomes.size(group)
            if not row["n"]:
                continue
            row |= regions["object"].loc[chosen, ["area_share", "p_before"]].mean()
            row["overlap"] = regions["random"].loc[chosen, "overlap"].mean()
            draws = bootstrap.weighted_means(
                np.stack([changed[name][chosen] for name in ("object", "random")]),
                outcomes.weights[:, chosen],
            ).T
            difference = draws[0] - draws[1]
            row |= bootstrap.estimate(difference, confidence=confidence, images=row["images"])
            row |= {"difference": difference[0]}
            errors.append(bootstrap.standard_error(difference[1:], images=row["images"]))
            row |= _with_interval("object", draws[0], confidence, row["images"])
            row |= _with_interval("random", draws[1], confidence, row["images"])
            if group in SIZE_GROUPS:
                known = chosen & np.isfinite(energy)
                extent = regions["object"].loc[known, "area_share"].to_numpy()
                ranks = _partial_rank_correlation(
                    energy[known], effect[known], extent, outcomes.weights[:, known]
                )
                row |= _with_interval("rank", ranks, confidence, row["images"])
            rows.append(row)
    for row, error in zip(rows, errors, strict=True):
        row["mde"] = tests.minimum_detectable(
            error, confidence=1 - (1 - confidence) / len(rows), images=row["images"]
        )
    table = pd.DataFrame(rows).reindex(columns=DELETION.names)
    return verdicts.judge(table, VERDICTS, confidence=confidence)


def _with_interval(
    name: str, draws: np.ndarray, confidence: float, images: int
) -> dict[str, float]:
    """Return an estimate with its interval, under names that begin with `name`."""
    low, high = bootstrap.percentile_interval(draws[1:], confidence, images=images)
    return {name: draws[0], f"{name}_low": low, f"{name}_high": high}


def _partial_rank_correlation(
    x: np.ndarray, y: np.ndarray, held: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Spearman's partial correlation of x and y given `held`.

    Returns
    -------
    ndarray
        (draws,). Where `held` is the same for all, this is the plain rank correlation.
    """
    both = _rank_correlation(x, y, weights)
    one, other = (np.nan_to_num(_rank_correlation(each, held, weights)) for each in (x, y))
    room = (1 - one**2) * (1 - other**2)
    scatter = np.sqrt(room, out=np.full(len(room), np.nan), where=room > 1e-12)
    return (both - one * other) / scatter


def _rank_correlation(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson's correlation of the sample's ranks in each draw: (draws,), NaN where one is flat."""
    a, b = (rankdata(one) / max(len(one), 1) for one in (x, y))
    mean_a, mean_b, square_a, square_b, product = bootstrap.weighted_means(
        np.stack([a, b, a * a, b * b, a * b]), weights
    ).T
    spread = (square_a - mean_a**2) * (square_b - mean_b**2)
    nowhere = np.full(len(spread), np.nan)
    scatter = np.sqrt(spread, out=nowhere, where=spread > 1e-12)
    return (product - mean_a * mean_b) / scatter
