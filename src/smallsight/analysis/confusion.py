"""Predictions and accuracy by category and size group: confusion.csv, categories.csv."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import GROUP, IMAGES, N, interval
from smallsight.analysis.outcomes import Outcomes
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, number, whole
from smallsight.vocabulary import ALL_AND_GROUPS, CATEGORY_NAME, PREDICTED, TASK

CONFUSION = Table(
    "confusion",
    "what untouched objects of each category are predicted to be, in the headline regime",
    (
        TASK,
        GROUP,
        CATEGORY_NAME,
        PREDICTED,
        whole("n", "number of objects of the true category"),
        number("share", "share of their predictions, over all seeds, that name this category"),
    ),
)

CATEGORIES = Table(
    "categories",
    "accuracy on untouched objects by category, in the headline regime",
    (
        TASK,
        GROUP,
        CATEGORY_NAME,
        N,
        IMAGES,
        number("acc", "share of the predictions that are correct, the mean over the seeds"),
        *interval(),
    ),
)


def compute_confusion(
    predictions: pd.DataFrame, outcomes: Outcomes, categories: Sequence[str]
) -> pd.DataFrame:
    """Count what objects of each category and size are predicted to be.

    Untouched pictures of one task, in the headline regime.

    Returns
    -------
    DataFrame
        The columns of `CONFUSION`: task, size_group, category_name, predicted, n, share; a row per
        size group, true and predicted category, those names last that are no category. `share` is
        empty where there are no objects.
    """
    untouched = outcomes.untouched_predictions(predictions)
    names = pd.Index(categories)
    named = names.append(pd.Index(sorted(set(untouched["predicted"]) - set(categories)), dtype=str))
    rows: list[dict[str, Any]] = []
    for group in ALL_AND_GROUPS:
        part = untouched[(untouched["size_group"] == group) | (group == "all")]
        table = pd.crosstab(part["category_name"], part["predicted"])
        counts = table.reindex(index=names, columns=named, fill_value=0).to_numpy()
        members = outcomes.instances.loc[outcomes.members[group], "category_name"].value_counts()
        for category, given in zip(categories, counts, strict=True):
            total = given.sum()
            row = {"task": outcomes.task, "size_group": group, "category_name": category}
            row["n"] = members.get(category, 0)
            for name, count in zip(named, given, strict=True):
                share = count / total if total else np.nan
                rows.append(row | {"predicted": name, "share": share})
    return pd.DataFrame(rows)[CONFUSION.names]


def accuracy_by_category(outcomes: Outcomes, categories: Sequence[str]) -> pd.DataFrame:
    """Compute the accuracy on each category in each size group, with intervals.

    Untouched pictures of one task, in the headline regime; the bootstrap is over images.

    Returns
    -------
    DataFrame
        The columns of `CATEGORIES`: task, size_group, category_name, n, images, acc, ci_low,
        ci_high. A cell without instances has n 0, images 0 and nothing else.
    """
    hit_rates = outcomes.hit_rates[outcomes.row[outcomes.regimes[0], UNTOUCHED]]
    names = outcomes.instances["category_name"].to_numpy()
    rows: list[dict[str, Any]] = []
    for group in ALL_AND_GROUPS:
        for category in categories:
            chosen = outcomes.members[group] & (names == category)
            images = len(np.unique(outcomes.image[chosen]))
            row: dict[str, Any] = {"task": outcomes.task, "size_group": group}
            row["category_name"] = category
            row |= {"n": int(chosen.sum()), "images": images}
            if chosen.any():
                found = outcomes.mean_with_interval(hit_rates, chosen)
                row |= zip(("acc", "ci_low", "ci_high"), found, strict=True)
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=CATEGORIES.names)
