"""Whether the object's region matters to the heads more than another one as large."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from smallsight.analysis.saliency import MapMeasures
from smallsight.analysis.statistics import bootstrap, verdicts
from smallsight.conditions.names import UNTOUCHED
from smallsight.vocabulary import ALL_AND_GROUPS, SIZE_GROUPS

DELETION_COLUMNS = (
    *("change", "area", "size_group", "n", "images", "area_share", "overlap", "p_before"),
    *("object", "object_low", "object_high", "random", "random_low", "random_high"),
    *("difference", "ci_low", "ci_high", "p_value", "p_holm", "mde", "verdict"),
    *("rank", "rank_low", "rank_high"),
)


VERDICTS = {1: "higher", -1: "lower", 0: "inconclusive", None: ""}
"""How the change of probability by the object's region compares with that by a random one."""


def compute_deletion(removals: pd.DataFrame, looks: MapMeasures) -> pd.DataFrame:
    """Compare what the object's region and a random one as large do to the true class.

    `p_value` is Wald's on the paired difference, by the bootstrap over images; `p_holm` takes all
    rows as one family; a verdict needs the interval too.

    Parameters
    ----------
    removals
        `removal.REMOVAL_COLUMNS`.
    looks
        Maps of the same instances.

    Returns
    -------
    DataFrame
        `FAITHFULNESS_COLUMNS`, a row per change, area (in areas of the box) and size group.
        `object` and `random`: mean change of the true class's probability, -1 to 1, with
        intervals. `overlap`: mean share of the random region that lies in the object's. `rank`:
        Spearman's partial correlation, within a size group and with the region's area held fixed,
        between the share of the true class's map that lies in the box and how much the object's
        region takes away or brings back: above 0 where maps tell what matters.
    """
    outcomes = looks.outcomes
    confidence = outcomes.settings.confidence
    told = looks.tables["true_class", UNTOUCHED]["energy_in_box"].to_numpy(float)
    rows: list[dict[str, Any]] = []
    for (change, area), part in removals.groupby(["change", "area"], sort=False):
        regions = {name: outcomes.aligned(one) for name, one in part.groupby("region")}
        changed = {
            name: (one["p_after"] - one["p_before"]).to_numpy() for name, one in regions.items()
        }
        matters = changed["object"] * (1 if change == "restored" else -1)
        for group in ALL_AND_GROUPS:
            chosen = outcomes.members[group]
            row = {"change": change, "area": area, "size_group": group} | outcomes.size(group)
            if not row["n"]:
                continue
            about = regions["object"].loc[chosen, ["area_share", "p_before"]].mean()
            about["overlap"] = regions["random"].loc[chosen, "overlap"].mean()
            draws = bootstrap.weighted_means(
                np.stack([changed[name][chosen] for name in ("object", "random")]),
                outcomes.weights[:, chosen],
            ).T
            found = bootstrap.estimate(
                draws[0] - draws[1], confidence=confidence, images=row["images"]
            )
            row |= {**about, **found, "difference": draws[0, 0] - draws[1, 0]}
            row |= _with_interval("object", draws[0], confidence, row["images"])
            row |= _with_interval("random", draws[1], confidence, row["images"])
            if group in SIZE_GROUPS:
                known = chosen & np.isfinite(told)
                extent = regions["object"].loc[known, "area_share"].to_numpy()
                ranks = _partial_rank_correlation(
                    told[known], matters[known], extent, outcomes.weights[:, known]
                )
                row |= _with_interval("rank", ranks, confidence, row["images"])
            rows.append(row)
    table = pd.DataFrame(rows).reindex(columns=list(DELETION_COLUMNS))
    return verdicts.judge(table, VERDICTS, confidence=confidence)


def _with_interval(
    name: str, draws: np.ndarray, confidence: float, images: int
) -> dict[str, float]:
    low, high = bootstrap.percentile_interval(draws[1:], confidence, images=images)
    return {name: draws[0], f"{name}_low": low, f"{name}_high": high}


def _partial_rank_correlation(
    x: np.ndarray, y: np.ndarray, held: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """(draws,): the rank correlation of two, a third held fixed; the plain one where it is flat."""
    both = _rank_correlation(x, y, weights)
    one, other = (np.nan_to_num(_rank_correlation(each, held, weights)) for each in (x, y))
    room = (1 - one**2) * (1 - other**2)
    scatter = np.sqrt(room, out=np.full(len(room), np.nan), where=room > 1e-12)
    return (both - one * other) / scatter


def _rank_correlation(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(draws,): Pearson's correlation of the sample's ranks in each draw; NaN where one is flat."""
    a, b = (rankdata(one) / max(len(one), 1) for one in (x, y))
    mean_a, mean_b, square_a, square_b, product = bootstrap.weighted_means(
        np.stack([a, b, a * a, b * b, a * b]), weights
    ).T
    spread = (square_a - mean_a**2) * (square_b - mean_b**2)
    nowhere = np.full(len(spread), np.nan)
    scatter = np.sqrt(spread, out=nowhere, where=spread > 1e-12)
    return (product - mean_a * mean_b) / scatter
