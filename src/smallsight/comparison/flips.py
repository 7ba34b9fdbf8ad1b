"""Finds the flips: objects that are right in one study and wrong in the other.

A positive flip is wrong in A and right in B, a negative flip right in A and wrong in B (Yan et al.,
Positive-Congruent Training: Towards Regression-Free Model Updates, CVPR 2021). An object is right
where more than half of the seeds are.
"""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.majority_votes import compute_votes
from smallsight.comparison.pairs import Pair
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.vocabulary import INSTANCE, SIZE_GROUPS

FLIPS = {"positive": 1, "negative": -1}
"""Kinds of flips, each with its sign in `Pair.flips`."""

FLIP_COLUMNS = (
    "task", *INSTANCE, "category_name", "size_group", "side", "flip", "named_a", "named_b",
    "right_a", "right_b", "cause",
)  # fmt: skip

COUNT_COLUMNS = (
    *("task", "size_group", "n", "failed", "positive_flips", "right", "negative_flips", "net"),
    *("p_value", "p_holm", "direction", "verdict"),
)


def list_flips(pair: Pair) -> pd.DataFrame:
    """List the flips on untouched pictures of a task, in the first common regime.

    Returns
    -------
    DataFrame
        `FLIP_COLUMNS`, a row per object. `named_a` and `named_b` are what each study names it,
        `right_a` and `right_b` the share of seeds that are right, `side` is in pixels of A's input,
        and `cause` is what the ladder of the study in which the object fails suggests, empty where
        that recognises it in the whole picture. Rows come in the order of the share of seeds that
        changed, largest first, then by their ids.
    """
    a, b = (
        votes[votes["condition"] == UNTOUCHED].reset_index(drop=True)
        for votes in (
            compute_votes(tables.predictions, outcomes)
            for tables, outcomes in zip(pair.tables, (pair.a, pair.b), strict=True)
        )
    )
    flip = np.select([a["failed"] & ~b["failed"], b["failed"] & ~a["failed"]], list(FLIPS), "")
    table = a[[*INSTANCE, "category_name", "size_group", "side"]].assign(
        task=pair.task,
        flip=flip,
        named_a=a["predicted"],
        named_b=b["predicted"],
        right_a=a["right"],
        right_b=b["right"],
        cause=np.where(flip == "positive", _causes(pair, a, 0), _causes(pair, b, 1)),
    )
    swing = (table["right_b"] - table["right_a"]).abs().round(9)
    order = swing.sort_values(ascending=False, kind="stable").index
    return table.loc[order][flip[order] != ""].reset_index(drop=True)[list(FLIP_COLUMNS)]


def _causes(pair: Pair, votes: pd.DataFrame, side: int) -> pd.Series:
    """Return the cause that one study suggests for each of its failures; else nothing."""
    known = pair.tables[side].failures[[*INSTANCE, "cause"]]
    found = votes[INSTANCE].merge(known, on=INSTANCE, how="left", validate="one_to_one")
    return found["cause"].fillna("")


def count_flips(pair: Pair, numbers: pd.DataFrame) -> pd.DataFrame:
    """Count the flips by size group.

    Parameters
    ----------
    numbers
        `numbers.NUMBER_COLUMNS`, of the same task.

    Returns
    -------
    DataFrame
        `COUNT_COLUMNS`, a row per size group, all objects first. `failed` and `right` count the
        objects that are wrong and right in A, `net` is positive minus negative flips, and the last
        four columns are those of the accuracy.
    """
    was_right = pair.a.majority_correct(pair.regimes[0], UNTOUCHED)
    flips = pair.flips(pair.untouched)
    tests = numbers.set_index("number")[["p_value", "p_holm", "direction", "verdict"]]
    rows = []
    for group, chosen in pair.a.members.items():
        positive, negative = (int((flips[chosen] == sign).sum()) for sign in FLIPS.values())
        row: dict[str, Any] = {"task": pair.task, "size_group": group, "n": int(chosen.sum())}
        row |= {"failed": int((~was_right & chosen).sum()), "positive_flips": positive}
        row |= {"right": int((was_right & chosen).sum()), "negative_flips": negative}
        row["net"] = positive - negative
        rows.append(row | dict(tests.loc[f"accuracy_{group}"]))
    return pd.DataFrame(rows)[list(COUNT_COLUMNS)]


def choose_shown(table: pd.DataFrame, *, most: int) -> pd.DataFrame:
    """Choose the flips to show, from each size group in turn.

    Parameters
    ----------
    table
        `FLIP_COLUMNS`. Each size group's rows are chosen in their order.
    most
        The largest number of rows.

    Returns
    -------
    DataFrame
        The chosen rows, in the order of the table.
    """
    turn = table.groupby("size_group").cumcount()
    rank = table["size_group"].map(list(SIZE_GROUPS).index)
    order = pd.DataFrame({"turn": turn, "rank": rank}).sort_values(["turn", "rank"]).index[:most]
    return table.loc[order].sort_index(kind="stable")
