"""Surroundings: accuracy by their donor, and without the object: background.csv."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import GROUP, IMAGES, MDE, P_VALUE, interval
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap, tests
from smallsight.runtime.tables import Table, number, whole
from smallsight.vocabulary import ALL_AND_GROUPS, INSTANCE, REGIME, TASK

BACKGROUND = Table(
    "background",
    "how much accuracy depends on the surroundings, and what they predict alone",
    (
        TASK,
        REGIME,
        GROUP,
        whole("n", "number of objects that have donors of both kinds"),
        IMAGES,
        number("acc_same", "accuracy in surroundings of objects of the same category"),
        number("acc_other", "accuracy in surroundings without an object of that category"),
        number("gap", "acc_same minus acc_other"),
        *interval(),
        P_VALUE,
        MDE,
        whole("n_context", "number of objects that acc_context is of"),
        number("acc_context", "accuracy on pictures from which the object was taken away"),
        *interval("context_low", "context_high", of="acc_context"),
        number("chance", "accuracy of guessing"),
        number("commonest", "share of the commonest category among these objects"),
    ),
)

_FAMILIES = _SWAPPED, _ALONE = "bg_swap", "context_only"
"""Families that change an object's surroundings for another's, and that take the object away."""


def compute_background(outcomes: Outcomes, donors: pd.DataFrame) -> pd.DataFrame:
    """Compare two kinds of surroundings, and measure the accuracy from them alone, by size group.

    The same objects stand in surroundings from round an object of their own category and in some
    from round an object of another, so that the two differ in the surroundings alone. The interval
    is Student's by the bootstrap over images, and `p_value`, of the same difference, is
    `tests.sign_flip_p`.

    Parameters
    ----------
    donors
        The columns of `donors.DONORS`; an instance without both kinds of donor is left out of the
        comparison.

    Returns
    -------
    DataFrame
        The columns of `BACKGROUND`, a row per regime and size group of one task. `acc_context` is
        the accuracy on pictures without the object, of `n_context` instances; `chance` and the
        share of their `commonest` category need no picture. Columns of conditions that a regime
        lacks are empty, and their counts 0; no rows where all lack all of them.
    """
    if not outcomes.conditions["family"].isin(_FAMILIES).any():
        return BACKGROUND.empty()
    has_donors = _has_donors(outcomes, donors)
    rows: list[dict[str, Any]] = []
    for regime in outcomes.regimes:
        for group in ALL_AND_GROUPS:
            row = {"task": outcomes.task, "regime": regime, "size_group": group}
            row |= _gap(outcomes, regime, outcomes.members[group] & has_donors)
            rows.append(row | _context(outcomes, regime, group))
    return pd.DataFrame(rows).reindex(columns=BACKGROUND.names)


def _has_donors(outcomes: Outcomes, donors: pd.DataFrame) -> np.ndarray:
    """(n,), bool: which instances have a donor of both kinds."""
    kinds = donors.dropna(subset="donor_ann_id").groupby(INSTANCE)["donor"].nunique()
    keys = pd.MultiIndex.from_frame(outcomes.instances[INSTANCE])
    return kinds.reindex(keys, fill_value=0).to_numpy() == 2


def _swap(outcomes: Outcomes, regime: str, donor: str) -> str | None:
    """Return the first condition that swaps in this kind of surroundings; None without one."""
    table = outcomes.conditions
    table = table[(table["regime"] == regime) & (table["family"] == _SWAPPED)]
    named = [f"donor={donor}" in level.split(",") for level in table["level"]]
    return next(iter(table.loc[named, "condition"]), None)


def _gap(outcomes: Outcomes, regime: str, chosen: np.ndarray) -> dict[str, Any]:
    """Compare the two kinds of donor on the chosen instances."""
    same, other = (_swap(outcomes, regime, donor) for donor in ("same", "other"))
    images = outcomes.images(chosen)
    found: dict[str, Any] = {"n": int(chosen.sum()), "images": images}
    if same is None or other is None:
        return {"n": 0, "images": 0}
    if not chosen.any():
        return found
    rows = [outcomes.row[regime, name] for name in (same, other)]
    before, after = bootstrap.weighted_means(
        outcomes.hit_rates[rows][:, chosen], outcomes.weights[:, chosen]
    ).T
    gap = before - after
    found |= {"acc_same": before[0], "acc_other": after[0], "gap": gap[0]}
    found |= bootstrap.estimate(gap, confidence=outcomes.settings.confidence, images=images)
    return found | {"p_value": tests.sign_flip_p(outcomes.changes(regime, other, same, chosen))}


def _context(outcomes: Outcomes, regime: str, group: str) -> dict[str, Any]:
    """Return the accuracy on pictures without the object, and what needs no picture."""
    size = outcomes.size(group)
    if (regime, _ALONE) not in outcomes.row or not size["n"]:
        return {"n_context": 0}
    draws = outcomes.accuracy(regime, _ALONE, group)
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
