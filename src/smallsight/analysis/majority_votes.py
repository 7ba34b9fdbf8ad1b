"""Majority votes over the seeds, and whether an instance counts as failed: answers.csv."""

import pandas as pd

from smallsight.analysis.outcomes import Outcomes
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, flag, number, text
from smallsight.vocabulary import (
    ANN_ID,
    CATEGORY_NAME,
    CONDITION,
    IMAGE_ID,
    INSTANCE,
    SIZE_GROUP,
    TASK,
)

VOTES = Table(
    "answers",
    "what most seeds predict of every object under every condition, in the headline regime",
    (
        TASK,
        CONDITION,
        IMAGE_ID,
        ANN_ID,
        CATEGORY_NAME,
        SIZE_GROUP,
        number("side", "the object's side in the untouched whole picture, in input pixels"),
        flag("failed", "whether no more than half of the seeds are correct"),
        text("predicted", "the category, or where it failed what most wrong seeds predict"),
        number("right", "share of the seeds that are correct, 0 to 1"),
    ),
)

VOTE_COLUMNS = VOTES.names[2:-1]
"""Of the votes on untouched pictures."""


def compute_votes(predictions: pd.DataFrame, outcomes: Outcomes) -> pd.DataFrame:
    """Take a majority vote per condition and instance of a task, in the headline regime.

    An instance has failed where no more than half of the seeds are correct. The vote is then the
    name that most of the wrong seeds predict, and of several such names the most confident one.

    Parameters
    ----------
    predictions, outcomes
        Of one task.

    Returns
    -------
    DataFrame
        The columns of `VOTES`: task, condition, image_id, ann_id, category_name, size_group,
        side, failed, predicted, right; conditions and instances in the order of the outcomes.
    """
    regime = outcomes.regimes[0]
    is_wrong = (predictions["regime"] == regime) & ~predictions["correct"].astype(bool)
    keys = ["condition", *INSTANCE]
    wrong = predictions[is_wrong].groupby([*keys, "predicted"], observed=True)["confidence"]
    order = wrong.agg(["size", "sum"]).reset_index()
    order = order.sort_values(
        [*keys, "size", "sum", "predicted"], ascending=[True] * len(keys) + [False, False, True]
    )
    first = order.drop_duplicates(keys)[[*keys, "predicted"]]
    names = [UNTOUCHED, *outcomes.changed_conditions(regime)]
    table = pd.concat(
        [
            outcomes.instances.assign(
                task=outcomes.task,
                condition=name,
                side=outcomes.side,
                right=outcomes.hit_rates[outcomes.row[regime, name]],
                failed=~outcomes.majority_correct(regime, name),
            )
            for name in names
        ],
        ignore_index=True,
    )
    table = table.merge(first, on=keys, how="left", validate="one_to_one")
    named = table["predicted"].where(table["failed"], table["category_name"])
    return table.assign(predicted=named)[VOTES.names]


def untouched_votes(votes: pd.DataFrame) -> pd.DataFrame:
    """Return the votes on untouched pictures, on which all regimes agree.

    Returns
    -------
    DataFrame
        `VOTE_COLUMNS`, a row per instance.
    """
    chosen = votes[votes["condition"] == UNTOUCHED]
    return chosen[VOTE_COLUMNS].reset_index(drop=True)
