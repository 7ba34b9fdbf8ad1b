"""Answers: what the heads say of every instance, and whether that counts as a failure."""

import pandas as pd

from smallsight.analysis.outcomes import Outcomes
from smallsight.conditions.names import UNTOUCHED
from smallsight.vocabulary import INSTANCE

VOTE_COLUMNS = (*INSTANCE, "category_name", "size_group", "side", "failed", "predicted")


CONDITION_VOTE_COLUMNS = ("condition", *VOTE_COLUMNS, "right")


def compute_votes(predictions: pd.DataFrame, outcomes: Outcomes) -> pd.DataFrame:
    """Give one answer per condition and instance, in the headline regime.

    An instance has failed where no more than half of the seeds are right; it was then predicted
    to be what most of the wrong ones say, and of several such names the most confident.

    Returns
    -------
    DataFrame
        `EVERY_COLUMNS`, conditions in the order of the outcomes, instances too. `side` is that in
        the untouched picture, in input pixels; `right` the share of seeds that are right.
    """
    regime = outcomes.regimes[0]
    is_wrong = (predictions["regime"] == regime) & ~predictions["correct"].astype(bool)
    keys = ["condition", *INSTANCE]
    votes = predictions[is_wrong].groupby([*keys, "predicted"], observed=True)["confidence"]
    order = votes.agg(["size", "sum"]).reset_index()
    order = order.sort_values(
        [*keys, "size", "sum", "predicted"], ascending=[True] * len(keys) + [False, False, True]
    )
    first = order.drop_duplicates(keys)[[*keys, "predicted"]]
    names = [UNTOUCHED, *outcomes.changes(regime)]
    table = pd.concat(
        [
            outcomes.instances.assign(
                condition=name,
                side=outcomes.side,
                right=outcomes.shares[outcomes.row[regime, name]],
                failed=~outcomes.right(regime, name),
            )
            for name in names
        ],
        ignore_index=True,
    )
    table = table.merge(first, on=keys, how="left", validate="one_to_one")
    named = table["predicted"].where(table["failed"], table["category_name"])
    return table.assign(predicted=named)[list(CONDITION_VOTE_COLUMNS)]


def untouched_votes(answered: pd.DataFrame) -> pd.DataFrame:
    """Choose the answers on untouched pictures, on which all regimes that test them agree.

    Returns
    -------
    DataFrame
        `ANSWER_COLUMNS`, a row per instance.
    """
    chosen = answered[answered["condition"] == UNTOUCHED]
    return chosen[list(VOTE_COLUMNS)].reset_index(drop=True)
