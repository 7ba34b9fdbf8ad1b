"""Answers: what the heads say of every untouched instance, and whether that counts as a failure."""

import pandas as pd

from smallsight.conditions import UNTOUCHED
from smallsight.outcomes import INSTANCE, Outcomes

ANSWER_COLUMNS = (*INSTANCE, "category_name", "size_group", "side", "failed", "predicted")


def answers(predictions: pd.DataFrame, outcomes: Outcomes) -> pd.DataFrame:
    """Give one answer per instance, untouched, in the headline regime.

    The regimes that test untouched pictures agree on them. An instance has failed where no more
    than half of the seeds are right; it was then predicted to be what most of the wrong ones say,
    and of several such names the most confident.

    Returns
    -------
    DataFrame
        `ANSWER_COLUMNS`, a row per instance, in the order of `outcomes.instances`.
    """
    untouched = outcomes.untouched(predictions)
    wrong = untouched[~untouched["correct"].astype(bool)]
    votes = wrong.groupby([*INSTANCE, "predicted"])["confidence"].agg(["size", "sum"])
    votes = votes.reset_index().sort_values(
        [*INSTANCE, "size", "sum", "predicted"], ascending=[True, True, False, False, True]
    )
    first = votes.drop_duplicates(INSTANCE)[[*INSTANCE, "predicted"]]
    right = outcomes.right(outcomes.regimes[0], UNTOUCHED)
    table = outcomes.instances.assign(side=outcomes.side, failed=~right)
    table = table.merge(first, on=INSTANCE, how="left", validate="one_to_one")
    named = table["predicted"].where(table["failed"], table["category_name"])
    return table.assign(predicted=named)[list(ANSWER_COLUMNS)]
