"""Failed instances, their rescues and suggested causes: failures.csv, rescues.csv and counts."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import GROUP, interval
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.terms import BOTH, FAILURE_CAUSES, INTERVENTIONS, MORE_PIXELS, NO_CONTEXT
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, identifier, number, text, whole
from smallsight.vocabulary import (
    ALL_AND_GROUPS,
    ANN_ID,
    CATEGORY_NAME,
    CONDITION,
    IMAGE_ID,
    INSTANCE,
    REGIME,
    SIZE_GROUP,
)

_CAUSE = text("cause", f"suggested cause: {', '.join(FAILURE_CAUSES)}; or empty")

FAILURES = Table(
    "failures",
    "untouched objects that most seeds get wrong: a row per regime and object",
    (
        REGIME,
        IMAGE_ID,
        ANN_ID,
        CATEGORY_NAME,
        SIZE_GROUP,
        number("side", "the object's side in the untouched picture, in input pixels"),
        text("predicted", "the category that most wrong seeds predict"),
        text("neighbour", "the same where another object of the picture has it; else empty"),
        identifier("neighbour_ann_id", "the largest such object"),
        number("neighbour_side", "its side, in input pixels"),
        text("rescued_by", "conditions under which most seeds are correct, separated by '; '"),
        _CAUSE,
    ),
)

CAUSE_COUNTS = Table(
    "failure_causes",
    "number of failures by suggested cause",
    (
        REGIME,
        GROUP,
        _CAUSE,
        whole("n", "number of failed objects with this cause"),
        whole("failed", "number of failed objects"),
        number("share", "n over failed"),
    ),
)

RESCUES = Table(
    "rescues",
    "positive and negative flips under every condition, compared with untouched pictures",
    (
        REGIME,
        CONDITION,
        GROUP,
        whole("failed", "number of objects that most seeds get wrong, untouched"),
        whole("rescued", "number of these that most seeds get right: positive flips"),
        number("rescue_rate", "rescued over failed"),
        *interval("rescue_low", "rescue_high", of="rescue_rate"),
        whole("correct", "number of objects that most seeds get right, untouched"),
        whole("broken", "number of these that most seeds get wrong: negative flips"),
        number("break_rate", "broken over correct"),
        *interval("break_low", "break_high", of="break_rate"),
    ),
)


def find_failures(outcomes: Outcomes, votes: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    """Find the conditions that rescue each failed instance, and the cause that they suggest.

    Parameters
    ----------
    votes
        `majority_votes.VOTE_COLUMNS`, on untouched pictures.
    named
        `neighbours.NAMED_COLUMNS`.

    Returns
    -------
    DataFrame
        The columns of `FAILURES`, a row per regime and failed instance. `side` and
        `neighbour_side` are in input pixels; `rescued_by` lists all conditions under which most of
        the seeds are correct; `cause` is a key of `FAILURE_CAUSES`, empty where one of the
        interventions that it takes was not evaluated.
    """
    failed = votes["failed"].to_numpy()
    about = votes[failed].merge(named, on=INSTANCE, validate="one_to_one")
    tables = []
    for regime in outcomes.regimes:
        names = outcomes.changed_conditions(regime)
        correct = {name: outcomes.majority_correct(regime, name)[failed] for name in names}
        rescued = [
            "; ".join(name for name in names if correct[name][row]) for row in range(len(about))
        ]
        cause = _causes(correct, (about["neighbour"] != "").to_numpy())
        tables.append(about.assign(regime=regime, rescued_by=rescued, cause=cause))
    return pd.concat(tables, ignore_index=True)[FAILURES.names]


def _causes(correct: dict[str, np.ndarray], is_named: np.ndarray) -> np.ndarray:
    """(n,): the causes that the interventions suggest."""
    interventions = [INTERVENTIONS[taken] for taken in (MORE_PIXELS, NO_CONTEXT, BOTH)]
    if not correct.keys() >= set(interventions):
        return np.full(len(is_named), "", object)
    pixels, alone, together = (correct[name] for name in interventions)
    causes = {
        "neighbour": is_named & alone,
        "context": alone & ~pixels,
        "resolution": pixels & ~alone,
        "either": pixels & alone,
        "both": together,
    }
    return np.select(list(causes.values()), list(causes), "unexplained").astype(object)


def count_causes(failed: pd.DataFrame) -> pd.DataFrame:
    """Count the suggested causes.

    Parameters
    ----------
    failed
        As `find_failures` returns it.

    Returns
    -------
    DataFrame
        The columns of `CAUSE_COUNTS`: regime, size_group, cause, n, failed, share. No rows for a
        regime whose failures have no causes.
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
    return pd.DataFrame(rows).reindex(columns=CAUSE_COUNTS.names)


def compute_rescues(outcomes: Outcomes) -> pd.DataFrame:
    """Compute the rates of positive and of negative flips under every condition.

    A condition that only shuffles predictions rescues as many instances as it breaks; its effect
    tests whether it does better. Failed and correct instances are those of the same regime,
    untouched.

    Returns
    -------
    DataFrame
        The columns of `RESCUES`, a row per regime, condition and size group; rates with intervals
        by bootstrap over images, empty where there is nothing to rescue or to break.
    """
    rows: list[dict[str, Any]] = []
    for regime in outcomes.regimes:
        for condition in outcomes.changed_conditions(regime):
            flips = outcomes.flips(regime, UNTOUCHED, condition)
            before = outcomes.majority_correct(regime, UNTOUCHED)
            for group in ALL_AND_GROUPS:
                row = {"regime": regime, "condition": condition, "size_group": group}
                chosen = outcomes.members[group]
                row |= _rate(outcomes, flips > 0, chosen & ~before, "failed rescued rescue")
                rows.append(
                    row | _rate(outcomes, flips < 0, chosen & before, "correct broken break")
                )
    return pd.DataFrame(rows).reindex(columns=RESCUES.names)


def _rate(
    outcomes: Outcomes, flipped: np.ndarray, chosen: np.ndarray, names: str
) -> dict[str, Any]:
    """Count the chosen instances and those of them that flipped; return the rate, with interval."""
    all_of_them, part, rate = names.split()
    found: dict[str, float] = {
        all_of_them: int(chosen.sum()),
        part: int((flipped & chosen).sum()),
    }
    if chosen.any():
        ends = (f"{rate}_rate", f"{rate}_low", f"{rate}_high")
        found |= zip(ends, outcomes.mean_with_interval(flipped, chosen), strict=True)
    return found
