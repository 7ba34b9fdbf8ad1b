"""Failed instances, their rescues and suggested causes: failures.csv, rescues.csv and counts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import GROUP, interval
from smallsight.analysis.ladder import SCENE_RUNG, arrange_rungs, name_steps
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.terms import NOT_EXPLAINED
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import RUNGS
from smallsight.runtime.tables import Table, flag, identifier, number, text, whole
from smallsight.vocabulary import (
    ALL_AND_GROUPS,
    ANN_ID,
    CATEGORY_NAME,
    CONDITION,
    IMAGE_ID,
    INSTANCE,
    REGIME,
    SCENE,
    SIZE_GROUP,
    TASK,
    headline_task,
)

PERMUTATIONS = 300
"""How often true labels are dealt out again, to see what chance alone gives."""

SEPARATOR = "; "
"""Stands between the names of rungs and of conditions."""

_CAUSE = text(
    "cause",
    "suggested cause: the step to the first rung from which on it is right, or not_explained",
)

FAILURES = Table(
    "failures",
    "objects that most seeds get wrong on the rung scene: a row per object",
    (
        IMAGE_ID,
        ANN_ID,
        CATEGORY_NAME,
        SIZE_GROUP,
        number("side", "the object's side in the untouched whole picture, in input pixels"),
        text("predicted", "the category that most wrong seeds predict"),
        text("neighbour", "the same where another object of the picture has it; else empty"),
        identifier("neighbour_ann_id", "the largest such object"),
        number("neighbour_side", "its side, in input pixels"),
        text("rungs", "rungs on which most seeds are right, separated by '; '"),
        text("rescued_by", "conditions of the headline task under which they are, likewise"),
        _CAUSE,
        flag("stable", "whether most seeds are right under every shift, in the headline task"),
    ),
)

CAUSE_COUNTS = Table(
    "failure_causes",
    "number of failures by suggested cause, and what chance would give",
    (
        GROUP,
        _CAUSE,
        whole("n", "number of failed objects with this cause"),
        whole("failed", "number of failed objects"),
        number("share", "n over failed"),
        number("chance", "the share if true labels are dealt out again among them"),
    ),
)

RESCUES = Table(
    "rescues",
    "positive and negative flips under every condition, compared with untouched pictures",
    (
        TASK,
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


def find_failures(
    rung_predictions: pd.DataFrame,
    outcomes: Mapping[str, Outcomes],
    named: pd.DataFrame,
    stable: np.ndarray,
) -> pd.DataFrame:
    """Find what turns each failed instance right, and the cause that this suggests.

    Parameters
    ----------
    rung_predictions
        The columns of `RUNG_PREDICTIONS`.
    outcomes
        By task, with the same instances in each.
    named
        `neighbours.NAMED_COLUMNS`, of the instances that failed in the scene task.
    stable
        (n,), bool: the instances that are right under every shift.

    Returns
    -------
    DataFrame
        The columns of `FAILURES`, a row per instance that at most half of the seeds recognise on
        the rung `scene`, in the order of the outcomes; none without that rung. `side` and
        `neighbour_side` are in input pixels.
    """
    if not (rung_predictions["rung"] == SCENE_RUNG).any():
        return FAILURES.empty()
    scene, headline = outcomes[SCENE], outcomes[headline_task(outcomes)]
    rungs = arrange_rungs(rung_predictions, scene)
    is_right = np.stack([rungs.majority_correct(name) for name in rungs.names])
    regime = headline.regimes[0]
    changed = headline.changed_conditions(regime)
    rows = np.array([headline.row[regime, name] for name in changed], int)
    table = scene.instances.assign(
        side=scene.side,
        rungs=_joined(rungs.names, is_right),
        rescued_by=_joined(changed, headline.hit_rates[rows] > 0.5),
        cause=_causes(rungs.names, is_right),
        stable=stable,
    )[~is_right[0]]
    on_scene = rung_predictions[rung_predictions["rung"] == SCENE_RUNG]
    table = table.merge(_wrong_names(on_scene, named), on=INSTANCE, validate="one_to_one")
    # Heads of the scene task may read another feature than those of the rung.
    table = table.merge(named, on=INSTANCE, how="left", validate="one_to_one")
    is_named = table["neighbour"] == table["predicted"]
    return table.assign(
        neighbour=table["neighbour"].where(is_named, ""),
        neighbour_ann_id=table["neighbour_ann_id"].where(is_named),
        neighbour_side=table["neighbour_side"].where(is_named),
    )[FAILURES.names]


def _wrong_names(on_scene: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    """Return the name that most wrong seeds give each instance; a neighbour's, of several such."""
    wrong = on_scene[~on_scene["correct"]].groupby([*INSTANCE, "predicted"]).size()
    counts = wrong.reset_index(name="seeds").merge(
        named[[*INSTANCE, "neighbour"]], on=INSTANCE, how="left"
    )
    counts["elsewhere"] = counts["predicted"] != counts["neighbour"]
    order = counts.sort_values(
        [*INSTANCE, "seeds", "elsewhere", "predicted"], ascending=[True, True, False, True, True]
    )
    return order.drop_duplicates(INSTANCE)[[*INSTANCE, "predicted"]]


def _joined(names: list[str], chosen: np.ndarray) -> list[str]:
    """Join, for each of n instances, the names that are chosen for it, (names, n), bool."""
    return [
        SEPARATOR.join(name for name, one in zip(names, column, strict=True) if one)
        for column in chosen.T
    ]


def _causes(rungs: list[str], is_right: np.ndarray) -> np.ndarray:
    """Name the step to the first rung from which on an instance is right.

    Parameters
    ----------
    is_right
        (rungs, ...), bool.

    Returns
    -------
    ndarray
        (...), `NOT_EXPLAINED` for what is wrong on the last rung. The first rung is not looked at.
    """
    stays_right = np.logical_and.accumulate(is_right[:0:-1], axis=0)
    names = np.array([NOT_EXPLAINED, *reversed(name_steps(rungs).values())], object)
    return names[stays_right.sum(axis=0)]


def count_causes(
    failed: pd.DataFrame, rung_predictions: pd.DataFrame, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Count the suggested causes, and what chance alone would give.

    Chance deals out the true labels again among the failed instances of one size group, and finds
    failures and causes by the same rule. What an answer that has nothing to do with the object
    turns right now and then, it turns right as often under these labels.

    Parameters
    ----------
    failed
        As `find_failures` returns it.
    rung_predictions
        The columns of `RUNG_PREDICTIONS`.

    Returns
    -------
    DataFrame
        The columns of `CAUSE_COUNTS`, a row per size group and cause, in the order of the ladder;
        share and chance are empty where nothing failed. No rows without a step between two rungs,
        since there is no cause to suggest.
    """
    rungs = [rung.name for rung in RUNGS if (rung_predictions["rung"] == rung.name).any()]
    causes = [*name_steps(rungs).values(), NOT_EXPLAINED]
    if len(causes) == 1:
        return CAUSE_COUNTS.empty()
    votes, names = _majorities(failed, rung_predictions, rungs)
    labels = pd.Index(names).get_indexer(failed["category_name"])
    dealt = np.empty((PERMUTATIONS, len(failed)), int)
    for members in failed.groupby("size_group").indices.values():
        dealt[:, members] = rng.permuted(np.tile(labels[members], (PERMUTATIONS, 1)), axis=1)
    is_right = votes[:, None, :] == dealt
    by_chance = np.where(is_right[0], "", _causes(rungs, is_right))
    rows: list[dict[str, Any]] = []
    for group in ALL_AND_GROUPS:
        chosen = ((failed["size_group"] == group) | (group == "all")).to_numpy()
        found, count = failed.loc[chosen, "cause"], int(chosen.sum())
        still_failed = (by_chance[:, chosen] != "").sum(axis=1)
        for cause in causes:
            n = int((found == cause).sum())
            row: dict[str, Any] = {"size_group": group, "cause": cause, "n": n, "failed": count}
            if count:
                dealt_so = (by_chance[:, chosen] == cause).sum(axis=1)
                shares = dealt_so[still_failed > 0] / still_failed[still_failed > 0]
                row |= {"share": n / count, "chance": shares.mean()}
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=CAUSE_COUNTS.names)


def _majorities(
    failed: pd.DataFrame, rung_predictions: pd.DataFrame, rungs: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Find the class that more than half of the seeds name on each rung.

    Returns
    -------
    votes, names
        (rungs, failed), indices of the names; -1 where there is no such class.
    """
    names = np.union1d(rung_predictions["predicted"], rung_predictions["category_name"])
    counts = (
        rung_predictions.groupby(["rung", *INSTANCE, "predicted"])
        .size()
        .unstack("predicted", fill_value=0)
        .reindex(columns=names, fill_value=0)
    )
    keys = pd.MultiIndex.from_frame(failed[INSTANCE])
    by_rung = np.stack([counts.loc[rung].loc[keys].to_numpy() for rung in rungs])
    most = by_rung.argmax(axis=2)
    return np.where(2 * by_rung.max(axis=2) > by_rung.sum(axis=2), most, -1), names


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
                row = {"task": outcomes.task, "regime": regime, "condition": condition}
                row |= {"size_group": group}
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
