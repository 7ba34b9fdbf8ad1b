"""Out-of-fold predictions as a table, and accuracies in the original study's columns."""

import pandas as pd

from smallsight.vocabulary import SIZE_GROUPS

PREDICTION_COLUMNS = (
    *("regime", "seed", "fold", "family", "level", "condition", "image_id", "ann_id"),
    *("category_name", "size_group", "side", "predicted", "correct", "confidence"),
)
"""Of the table of predictions, before one `p_<category>` column per category."""


def summarise_results(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by condition and size group, in the columns of the original study and more.

    Accuracies are means over the seeds of the out-of-fold predictions; `n_` columns count
    instances. A group without instances has no accuracy.
    """
    keys = ["regime", "condition", "family", "level"]
    rows = []
    for key, part in table.groupby(keys, sort=False):
        row = dict(zip(keys, key, strict=True))
        for group in ("all", *SIZE_GROUPS):
            members = part if group == "all" else part[part["size_group"] == group]
            row[f"val_acc_{group}"] = members["correct"].mean()
            row[f"n_{group}"] = len(members.drop_duplicates(["image_id", "ann_id"]))
        rows.append(row)
    groups = ("all", *SIZE_GROUPS)
    accuracies, counts = [f"val_acc_{g}" for g in groups], [f"n_{g}" for g in groups]
    return pd.DataFrame(rows)[["condition", *accuracies, "regime", "family", "level", *counts]]
