"""Small tables for DVC's plots, which draw columns as they are: one file for each plot."""

import pandas as pd

from smallsight.analysis.terms import PARTS
from smallsight.conditions.names import UNTOUCHED


def plot_tables(made: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Pick what DVC's plots show, all of the headline regime, by the name of the file.

    Parameters
    ----------
    made
        The tables of the analysis, by name.

    Returns
    -------
    dict
        Numbers rounded to 4 digits. by_side: side (input pixels) and accuracy of groups of
        untouched objects. by_condition: condition, and accuracy on all, small, medium and large
        objects. gap: part, and the points of accuracy that it makes. confusion: category and
        predicted, a row per untouched object. Where a study has nothing of a kind, its table has
        no rows.
    """
    regime = made["accuracy"]["regime"].iloc[0]
    accuracy, bins, ledger = (
        made[name][made[name]["regime"] == regime] for name in ("accuracy", "bins", "ledger")
    )
    bins, answers = (table[table["condition"] == UNTOUCHED] for table in (bins, made["answers"]))
    ledger = ledger[ledger["part"].isin(PARTS)]
    wide = accuracy.pivot(index="condition", columns="size_group", values="acc")
    found = {
        "by_side": bins[["side", "acc"]].rename(columns={"acc": "accuracy"}),
        "by_condition": wide.reindex(accuracy["condition"].unique()).reset_index(),
        "gap": pd.DataFrame(
            {
                "part": [PARTS[part].label for part in ledger["part"]],
                "points": 100 * ledger["value"],
            }
        ),
        "confusion": answers[["category_name", "predicted"]].rename(
            columns={"category_name": "category"}
        ),
    }
    return {name: table.round(4) for name, table in found.items()}
