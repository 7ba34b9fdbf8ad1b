"""Small tables for DVC's plots, which draw columns as they are: one file for each plot."""

from collections.abc import Mapping

import pandas as pd

from smallsight.analysis.terms import PARTS, steps_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, number, text
from smallsight.vocabulary import ALL_AND_GROUPS, CONDITION, headline_task

_ORDER = tuple(sorted(ALL_AND_GROUPS))

BY_PIXELS = Table(
    "by_pixels",
    "accuracy on the same objects at several numbers of pixels, in the headline regime",
    (
        number("side", "side of the object, in native pixels"),
        number("accuracy", "on all objects that have every number of pixels"),
    ),
)

BY_CONDITION = Table(
    "by_condition",
    "accuracy by condition, in the headline task and regime",
    (CONDITION, *(number(group, f"accuracy on {group} objects") for group in _ORDER)),
)

LADDER = Table(
    "ladder",
    "accuracy on the rungs of the ladder",
    (
        text("rung", "name of the rung"),
        number("small", "accuracy on small objects"),
        number("large", "accuracy on large objects"),
    ),
)

GAP = Table(
    "gap",
    "parts of the gap between large and small objects, given the whole picture",
    (
        text("part", "label of the part"),
        number("points", "its share in the difference of accuracies, in points"),
    ),
)

CONFUSION = Table(
    "confusion",
    "majority votes on untouched objects, in the headline task and regime: a row per object",
    (
        text("category", "the object's category"),
        text("predicted", "what most seeds predict"),
    ),
)

PLOTS = (BY_PIXELS, BY_CONDITION, LADDER, GAP, CONFUSION)
"""Tables that DVC's plots show."""


def plot_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Pick the columns that DVC's plots show, by the name of the file.

    Parameters
    ----------
    tables
        The tables of the analysis, by name.

    Returns
    -------
    dict
        The tables of `PLOTS`, numbers rounded to 4 digits. by_pixels: side, accuracy. by_condition:
        condition, and accuracy on all, large, medium and small objects. ladder: rung, and accuracy
        on small and large objects. gap: part, points. confusion: category, predicted. A table has
        no rows where the study has nothing to show.
    """
    regime = tables["accuracy"]["regime"].iloc[0]
    task = headline_task(set(tables["accuracy"]["task"]))
    accuracy, votes = (
        tables[name][tables[name]["task"] == task] for name in ("accuracy", "answers")
    )
    accuracy = accuracy[accuracy["regime"] == regime]
    votes = votes[votes["condition"] == UNTOUCHED]
    pixels, rungs, parts = tables["pixels"], tables["ladder"], tables["gap_parts"]
    pixels = pixels[
        (pixels["regime"] == regime) & (pixels["size_group"] == "all") & ~pixels["native"]
    ]
    parts = parts[parts["part"] != "gap"]
    by_condition = accuracy.pivot(index="condition", columns="size_group", values="acc")
    by_rung = rungs.pivot(index="rung", columns="size_group", values="accuracy")
    by_rung = by_rung.reindex(index=rungs["rung"].unique(), columns=LADDER.names[1:])
    found = {
        BY_PIXELS.name: pixels[["side", "acc"]].rename(columns={"acc": "accuracy"}),
        BY_CONDITION.name: by_condition.reindex(accuracy["condition"].unique()).reset_index(),
        LADDER.name: by_rung.reset_index(),
        GAP.name: pd.DataFrame(
            {
                "part": [_label(part) for part in parts["part"]],
                "points": 100 * parts["value"],
            }
        ),
        CONFUSION.name: votes[["category_name", "predicted"]].rename(
            columns={"category_name": "category"}
        ),
    }
    return {name: table.round(4) for name, table in found.items()}


def _label(part: str) -> str:
    """Return what people call a part of the gap."""
    return ", ".join(step.label for step in steps_of(part)) or PARTS[part].label
