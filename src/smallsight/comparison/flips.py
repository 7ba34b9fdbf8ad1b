"""Which failures were fixed and which are new: objects that most of the seeds name otherwise."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.majority_votes import compute_votes
from smallsight.comparison.pairs import Pair
from smallsight.conditions.names import UNTOUCHED
from smallsight.vocabulary import INSTANCE, SIZE_GROUPS

WAYS = {"fixed": 1, "broken": -1}
"""What becomes of an object: it failed in A and is right in B, or the reverse."""


FLIP_COLUMNS = (
    *INSTANCE, "category_name", "size_group", "side", "way", "named_a", "named_b", "right_a",
    "right_b", "cause",
)  # fmt: skip


COUNT_COLUMNS = (
    *("size_group", "n", "failed", "fixed", "right", "broken", "net", "p_value", "p_holm"),
    "verdict",
)


def list_flips(pair: Pair) -> pd.DataFrame:
    """List the objects that turned, untouched, in the first common regime.

    Returns
    -------
    DataFrame
        `TURNED_COLUMNS`, a row per object: what each study names it, the share of seeds that are
        right in each, `side` in pixels of A's input, and the cause that the study in which it
        fails suggests, empty where that has none. Those that most seeds changed their mind about
        come first, then by their ids.
    """
    a, b = (
        answered[answered["condition"] == UNTOUCHED].reset_index(drop=True)
        for answered in (
            compute_votes(tables.predictions, outcomes)
            for tables, outcomes in zip(pair.tables, (pair.a, pair.b), strict=True)
        )
    )
    way = np.select([a["failed"] & ~b["failed"], b["failed"] & ~a["failed"]], list(WAYS), "")
    table = a[[*INSTANCE, "category_name", "size_group", "side"]].assign(
        way=way,
        named_a=a["predicted"],
        named_b=b["predicted"],
        right_a=a["right"],
        right_b=b["right"],
        cause=np.where(way == "fixed", _causes(pair, a, 0), _causes(pair, b, 1)),
    )
    swing = (table["right_b"] - table["right_a"]).abs().round(9)
    order = swing.sort_values(ascending=False, kind="stable").index
    return table.loc[order][way[order] != ""].reset_index(drop=True)[list(FLIP_COLUMNS)]


def _causes(pair: Pair, answered: pd.DataFrame, side: int) -> pd.Series:
    """Give the cause that one study suggests for each of its failures; else nothing."""
    known = pair.tables[side].failures
    known = known.loc[known["regime"] == pair.regimes[0], [*INSTANCE, "cause"]]
    found = answered[INSTANCE].merge(known, on=INSTANCE, how="left", validate="one_to_one")
    return found["cause"].fillna("")


def count_flips(pair: Pair, numbers: pd.DataFrame) -> pd.DataFrame:
    """Count what turned, by size group.

    Parameters
    ----------
    numbers
        `comparison.NUMBER_COLUMNS`: the accuracies' tests are those of what turned.

    Returns
    -------
    DataFrame
        `COUNT_COLUMNS`, all objects first: how many failed in A, and how many of them are fixed;
        how many were right in A, and how many of them are broken; fixed minus broken; and the
        test of the accuracy, McNemar's with images in place of pairs.
    """
    was_right = pair.a.right(pair.regimes[0], UNTOUCHED)
    turned = pair.turned(pair.untouched)
    tests = numbers.set_index("number")[["p_value", "p_holm", "verdict"]]
    rows = []
    for group, chosen in pair.a.members.items():
        fixed, broken = (int((turned[chosen] == way).sum()) for way in WAYS.values())
        row: dict[str, Any] = {"size_group": group, "n": int(chosen.sum())}
        row |= {"failed": int((~was_right & chosen).sum()), "fixed": fixed}
        row |= {"right": int((was_right & chosen).sum()), "broken": broken}
        rows.append(row | {"net": fixed - broken} | tests.loc[f"accuracy_{group}"].to_dict())
    return pd.DataFrame(rows)[list(COUNT_COLUMNS)]


def choose_shown(table: pd.DataFrame, *, most: int) -> pd.DataFrame:
    """Choose the objects to show, size groups taking turns.

    Parameters
    ----------
    table
        `TURNED_COLUMNS`, in the order in which each size group shows its own.
    most
        How many, at the most.
    """
    turn = table.groupby("size_group").cumcount()
    rank = table["size_group"].map(list(SIZE_GROUPS).index)
    order = pd.DataFrame({"turn": turn, "rank": rank}).sort_values(["turn", "rank"]).index[:most]
    return table.loc[order].sort_index(kind="stable")
