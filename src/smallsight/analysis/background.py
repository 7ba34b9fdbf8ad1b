"""Surroundings: what another background does to an object, and what it says without the object."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap, verdicts
from smallsight.vocabulary import ALL_AND_GROUPS, INSTANCE

BACKGROUND_COLUMNS = (
    *("regime", "size_group", "n", "images", "acc_same", "acc_other"),
    *("gap", "ci_low", "ci_high", "p_value", "p_holm", "mde", "verdict"),
    *("n_context", "acc_context", "context_low", "context_high", "chance", "commonest"),
)


VERDICTS = {1: "higher", -1: "lower", 0: "inconclusive", None: ""}
"""How accuracy before surroundings of the same category compares with that before others."""


def compute_background(outcomes: Outcomes, donors: pd.DataFrame) -> pd.DataFrame:
    """Measure the background gap, and what surroundings predict alone, by size group.

    The background gap is the accuracy before surroundings of the same category minus that before
    surroundings of another, on the same instances (BG-gap: Xiao et al., Noise or Signal: The Role
    of Image Backgrounds in Object Recognition, ICLR 2021, who swap whole pictures' backgrounds).
    `p_value` is McNemar's exact test with images in place of pairs; `p_holm` takes all rows as one
    family, and a verdict needs both the interval and `p_holm`.

    Parameters
    ----------
    donors
        `donors.DONOR_COLUMNS`; an instance without both kinds of donor has no background gap.

    Returns
    -------
    DataFrame
        `BACKGROUND_COLUMNS`, a row per regime and size group. `acc_context` is the accuracy on
        pictures without the object, of `n_context` instances; beside it `chance` and the share
        of their `commonest` category, which need no picture. What was not evaluated is empty.
    """
    swapped = _swapped(outcomes, donors)
    rows: list[dict[str, Any]] = []
    for regime in outcomes.regimes:
        for group in ALL_AND_GROUPS:
            row = {"regime": regime, "size_group": group}
            row |= _gap(outcomes, regime, outcomes.members[group] & swapped)
            rows.append(row | _context(outcomes, regime, group))
    table = pd.DataFrame(rows).reindex(columns=list(BACKGROUND_COLUMNS))
    return verdicts.judge(table, VERDICTS, confidence=outcomes.settings.confidence)


def _swapped(outcomes: Outcomes, donors: pd.DataFrame) -> np.ndarray:
    """(n,), bool: which instances have a donor of either kind."""
    kinds = donors.dropna(subset="donor_ann_id").groupby(INSTANCE)["donor"].nunique()
    keys = pd.MultiIndex.from_frame(outcomes.instances[INSTANCE])
    return kinds.reindex(keys, fill_value=0).to_numpy() == 2


def _level(outcomes: Outcomes, regime: str, donor: str) -> str | None:
    """Name the first condition that swaps backgrounds with this kind of donor."""
    steps = outcomes.conditions
    steps = steps[(steps["regime"] == regime) & (steps["family"] == "bg_swap")]
    named = [f"donor={donor}" in level.split(",") for level in steps["level"]]
    return next(iter(steps.loc[named, "condition"]), None)


def _gap(outcomes: Outcomes, regime: str, chosen: np.ndarray) -> dict[str, Any]:
    same, other = (_level(outcomes, regime, donor) for donor in ("same", "other"))
    images = outcomes.images(chosen)
    found: dict[str, Any] = {"n": int(chosen.sum()), "images": images}
    if same is None or other is None:
        return {"n": 0, "images": 0}
    if not chosen.any():
        return found
    rows = [outcomes.row[regime, name] for name in (same, other)]
    before, after = bootstrap.weighted_means(
        outcomes.shares[rows][:, chosen], outcomes.weights[:, chosen]
    ).T
    found |= {"acc_same": before[0], "acc_other": after[0], "gap": before[0] - after[0]}
    confidence = outcomes.settings.confidence
    found |= bootstrap.estimate(before - after, confidence=confidence, images=images)
    found["p_value"] = outcomes.turned_p(outcomes.turned(regime, other, same), chosen)
    return found


def _context(outcomes: Outcomes, regime: str, group: str) -> dict[str, Any]:
    size = outcomes.size(group)
    if (regime, "context_only") not in outcomes.row or not size["n"]:
        return {"n_context": 0}
    draws = outcomes.accuracy(regime, "context_only", group)
    low, high = bootstrap.share_interval(
        draws[0], draws[1:], outcomes.settings.confidence, images=size["images"]
    )
    counts = np.bincount(outcomes.category[outcomes.members[group]])
    return {
        "n_context": size["n"],
        "acc_context": draws[0],
        "context_low": low,
        "context_high": high,
        "chance": outcomes.chance,
        "commonest": counts.max() / size["n"],
    }
