"""Failures: what would rescue each failed instance, and the cause that this suggests."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.terms import BOTH, FAILURE_CAUSES, INTERVENTIONS, MORE_PIXELS, NO_CONTEXT
from smallsight.conditions.names import UNTOUCHED
from smallsight.vocabulary import ALL_AND_GROUPS, INSTANCE

FAILURE_COLUMNS = (
    *("regime", *INSTANCE, "category_name", "size_group", "side", "predicted", "neighbour"),
    *("neighbour_ann_id", "neighbour_side", "rescued_by", "cause"),
)


CAUSE_COLUMNS = ("regime", "size_group", "cause", "n", "failed", "share")


RESCUE_COLUMNS = (
    *("regime", "condition", "size_group", "failed", "rescued", "rescue_rate"),
    *("rescue_low", "rescue_high", "correct", "broken", "break_rate", "break_low", "break_high"),
)


def find_failures(outcomes: Outcomes, answered: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    """Say of every failed instance what rescues it.

    Parameters
    ----------
    answered
        `answers.ANSWER_COLUMNS`, on untouched pictures.
    named
        `neighbours.NAMED_COLUMNS`.

    Returns
    -------
    DataFrame
        `FAILURE_COLUMNS`, a row per regime and failed instance. `side` and `neighbour_side` in
        input pixels; `rescued_by` lists all conditions under which most of the seeds are right;
        `cause` is a key of `FAILURE_CAUSES`, empty where a probe it takes was not evaluated.
    """
    failed = answered["failed"].to_numpy()
    about = answered[failed].merge(named, on=INSTANCE, validate="one_to_one")
    tables = []
    for regime in outcomes.regimes:
        changes = outcomes.changes(regime)
        right = {name: outcomes.right(regime, name)[failed] for name in changes}
        rescued = [
            "; ".join(name for name in changes if right[name][row]) for row in range(len(about))
        ]
        cause = _causes(right, (about["neighbour"] != "").to_numpy())
        tables.append(about.assign(regime=regime, rescued_by=rescued, cause=cause))
    return pd.concat(tables, ignore_index=True)[list(FAILURE_COLUMNS)]


def _causes(right: dict[str, np.ndarray], is_named: np.ndarray) -> np.ndarray:
    """(n,): what the probes that took pixels and surroundings apart suggest."""
    probes = [INTERVENTIONS[taken] for taken in (MORE_PIXELS, NO_CONTEXT, BOTH)]
    if not right.keys() >= set(probes):
        return np.full(len(is_named), "", object)
    pixels, alone, together = (right[name] for name in probes)
    answers = {
        "neighbour": is_named & alone,
        "context": alone & ~pixels,
        "resolution": pixels & ~alone,
        "either": pixels & alone,
        "both": together,
    }
    return np.select(list(answers.values()), list(answers), "unexplained").astype(object)


def count_causes(failed: pd.DataFrame) -> pd.DataFrame:
    """Count suggested causes.

    Returns
    -------
    DataFrame
        `CAUSE_COLUMNS`, a row per regime, size group and cause; `share` is that of the `failed`.
        No rows for a regime whose failures have no causes.
    """
    rows: list[dict[str, Any]] = []
    for regime, part in failed[failed["cause"] != ""].groupby("regime", sort=False):
        for group in ALL_AND_GROUPS:
            found = part.loc[(part["size_group"] == group) | (group == "all"), "cause"]
            for cause in FAILURE_CAUSES:
                n = int((found == cause).sum())
                row = {"regime": regime, "size_group": group, "cause": cause, "n": n}
                row |= {"failed": len(found), "share": n / len(found) if len(found) else np.nan}
                rows.append(row)
    return pd.DataFrame(rows).reindex(columns=list(CAUSE_COLUMNS))


def compute_rescues(outcomes: Outcomes) -> pd.DataFrame:
    """Compare how often a change rescues failed instances with how often it breaks correct ones.

    A change that only shuffles answers rescues as many instances as it breaks; whether it does
    better is what its effect tests. Failed and correct are those of the same regime, untouched.

    Returns
    -------
    DataFrame
        `RESCUE_COLUMNS`, a row per regime, condition and size group; rates with intervals by
        bootstrap over images, empty where there is nothing to rescue or to break.
    """
    rows: list[dict[str, Any]] = []
    for regime in outcomes.regimes:
        for condition in outcomes.changes(regime):
            turned = outcomes.turned(regime, UNTOUCHED, condition)
            before = outcomes.right(regime, UNTOUCHED)
            for group in ALL_AND_GROUPS:
                row = {"regime": regime, "condition": condition, "size_group": group}
                chosen = outcomes.members[group]
                row |= _rate(outcomes, turned > 0, chosen & ~before, "failed rescued rescue")
                rows.append(
                    row | _rate(outcomes, turned < 0, chosen & before, "correct broken break")
                )
    return pd.DataFrame(rows).reindex(columns=list(RESCUE_COLUMNS))


def _rate(outcomes: Outcomes, turned: np.ndarray, chosen: np.ndarray, names: str) -> dict[str, Any]:
    """Count the chosen and those of them that turned; give their rate with its interval."""
    whole, part, rate = names.split()
    found: dict[str, float] = {whole: int(chosen.sum()), part: int((turned & chosen).sum())}
    if chosen.any():
        ends = (f"{rate}_rate", f"{rate}_low", f"{rate}_high")
        found |= zip(ends, outcomes.rate(turned, chosen), strict=True)
    return found
