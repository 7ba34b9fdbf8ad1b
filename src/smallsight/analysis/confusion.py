"""Which kind of object: confusion matrices, and accuracy by category, in every size group."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.outcomes import Outcomes
from smallsight.conditions.names import UNTOUCHED
from smallsight.vocabulary import ALL_AND_GROUPS

CONFUSION_COLUMNS = ("size_group", "category_name", "predicted", "n", "share")


CATEGORY_COLUMNS = (*("size_group", "category_name", "n", "images", "acc", "ci_low", "ci_high"),)


def compute_confusion(
    predictions: pd.DataFrame, outcomes: Outcomes, categories: Sequence[str]
) -> pd.DataFrame:
    """Say what the objects of each category and size are named, untouched, in the headline regime.

    Returns
    -------
    DataFrame
        `CONFUSION_COLUMNS`, a row per size group, true and predicted category: `n` counts the
        instances of the true category, `share` is how many of their predictions, over all seeds,
        have the predicted one; empty where there are none.
    """
    untouched = outcomes.untouched(predictions)
    names = pd.Index(categories)
    rows: list[dict[str, Any]] = []
    for group in ALL_AND_GROUPS:
        part = untouched[(untouched["size_group"] == group) | (group == "all")]
        counts = pd.crosstab(part["category_name"], part["predicted"])
        counts = counts.reindex(index=names, columns=names, fill_value=0)
        members = outcomes.instances.loc[outcomes.members[group], "category_name"].value_counts()
        for category in categories:
            total = counts.loc[category].sum()
            row = {"size_group": group, "category_name": category, "n": members.get(category, 0)}
            for name in categories:
                share = counts.at[category, name] / total if total else np.nan
                rows.append(row | {"predicted": name, "share": share})
    return pd.DataFrame(rows)[list(CONFUSION_COLUMNS)]


def accuracy_by_category(outcomes: Outcomes, categories: Sequence[str]) -> pd.DataFrame:
    """Accuracy of each category in each size group, untouched, in the headline regime.

    Returns
    -------
    DataFrame
        `CATEGORY_COLUMNS`, with intervals by bootstrap over images; a cell without instances has
        n 0 and nothing else.
    """
    right = outcomes.shares[outcomes.row[outcomes.regimes[0], UNTOUCHED]]
    names = outcomes.instances["category_name"].to_numpy()
    rows: list[dict[str, Any]] = []
    for group in ALL_AND_GROUPS:
        for category in categories:
            chosen = outcomes.members[group] & (names == category)
            images = len(np.unique(outcomes.image[chosen]))
            row: dict[str, Any] = {"size_group": group, "category_name": category}
            row |= {"n": int(chosen.sum()), "images": images}
            if chosen.any():
                row |= zip(("acc", "ci_low", "ci_high"), outcomes.rate(right, chosen), strict=True)
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=list(CATEGORY_COLUMNS))
