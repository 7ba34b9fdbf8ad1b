"""Small tables for DVC's plots, which draw columns as they are: one file for each plot."""

from collections.abc import Mapping

import pandas as pd

from smallsight.analysis.terms import PARTS
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, number, text
from smallsight.vocabulary import ALL_AND_GROUPS, CONDITION

_ORDER = tuple(sorted(ALL_AND_GROUPS))

BY_SIDE = Table(
    "by_side",
    "accuracy in groups of untouched objects by side, in the headline regime",
    (
        number("side", "median side, in input pixels"),
        number("accuracy", "of the group"),
    ),
)

BY_CONDITION = Table(
    "by_condition",
    "accuracy by condition, in the headline regime",
    (CONDITION, *(number(group, f"accuracy on {group} objects") for group in _ORDER)),
)

GAP = Table(
    "gap",
    "parts of the gap between large and small objects, in the headline regime",
    (
        text("part", "label of the part"),
        number("points", "its share in the difference of accuracies, in points"),
    ),
)

CONFUSION = Table(
    "confusion",
    "majority votes on untouched objects, in the headline regime: a row per object",
    (
        text("category", "the object's category"),
        text("predicted", "what most seeds predict"),
    ),
)

PLOTS = (BY_SIDE, BY_CONDITION, GAP, CONFUSION)
"""Tables that DVC's plots show."""


def plot_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Pick the columns that DVC's plots show, all of the headline regime, by the name of the file.

    Parameters
    ----------
    tables
        The tables of the analysis, by name.

    Returns
    -------
    dict
        The tables of `PLOTS`, numbers rounded to 4 digits. by_side: side, accuracy. by_condition:
        condition, and accuracy on all, large, medium and small objects. gap: part, points.
        confusion: category, predicted. A table has no rows where the study has nothing to show.
    """
    regime = tables["accuracy"]["regime"].iloc[0]
    accuracy, bins, ledger = (
        tables[name][tables[name]["regime"] == regime] for name in ("accuracy", "bins", "ledger")
    )
    bins, votes = (table[table["condition"] == UNTOUCHED] for table in (bins, tables["answers"]))
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
        "confusion": votes[["category_name", "predicted"]].rename(
            columns={"category_name": "category"}
        ),
    }
    return {name: table.round(4) for name, table in found.items()}
