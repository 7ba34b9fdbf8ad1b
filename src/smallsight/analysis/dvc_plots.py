"""Small tables for DVC's plots, which draw columns as they are: one file for each plot."""

from collections.abc import Mapping

import pandas as pd

from smallsight.analysis.columns import interval
from smallsight.analysis.terms import PARTS, steps_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import BASELINES, RUNGS
from smallsight.runtime.tables import Table, number, text
from smallsight.vocabulary import CONDITION, GROUPS, SIZE_GROUP, headline_task

BY_PIXELS = Table(
    "by_pixels",
    "accuracy on the same objects at several numbers of pixels, in the headline regime",
    (
        number("side", "side of the object, in native pixels"),
        number("accuracy", "on all objects that have every number of pixels"),
        *interval(),
    ),
)

BY_CONDITION = Table(
    "by_condition",
    "accuracy by condition and size group, in the headline task and regime",
    (CONDITION, SIZE_GROUP, number("accuracy", "on objects of the group"), *interval()),
)

LADDER = Table(
    "ladder",
    "accuracy on small and large objects on the rungs of the ladder",
    (
        text("rung", "what the head is given"),
        SIZE_GROUP,
        number("accuracy", "on objects of the group"),
        *interval(),
    ),
)

GAP = Table(
    "gap",
    "parts of the gap between large and small objects, given the whole picture",
    (
        text("part", "label of the part"),
        number("points", "its share in the difference of accuracies, in points"),
        *interval(),
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

_RUNG_LABELS = BASELINES | {rung.name: rung.label for rung in RUNGS}


def plot_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Pick the rows and columns that DVC's plots show, by the name of the file.

    Parameters
    ----------
    tables
        The tables of the analysis, by name.

    Returns
    -------
    dict
        The tables of `PLOTS`, numbers rounded to 4 digits. What was not measured has no row, so
        that a table is empty where the study has nothing to show.
    """
    regime = tables["accuracy"]["regime"].iloc[0]
    task = headline_task(set(tables["accuracy"]["task"]))
    accuracy, votes = (
        tables[name][tables[name]["task"] == task] for name in ("accuracy", "answers")
    )
    accuracy = accuracy[accuracy["regime"] == regime].rename(columns={"acc": "accuracy"})
    votes = votes[votes["condition"] == UNTOUCHED]
    pixels, rungs, parts = tables["pixels"], tables["ladder"], tables["gap_parts"]
    pixels = pixels[
        (pixels["regime"] == regime) & (pixels["size_group"] == "all") & ~pixels["native"]
    ]
    rungs = rungs[rungs["size_group"].isin(["small", "large"])]
    parts = parts[parts["part"] != "gap"]
    found = {
        BY_PIXELS: pixels.rename(columns={"acc": "accuracy"}),
        BY_CONDITION: accuracy[accuracy["size_group"].isin(GROUPS)],
        LADDER: rungs.assign(rung=rungs["rung"].map(_RUNG_LABELS)),
        GAP: parts.assign(
            part=[_label(part) for part in parts["part"]],
            points=100 * parts["value"],
            ci_low=100 * parts["ci_low"],
            ci_high=100 * parts["ci_high"],
        ),
        CONFUSION: votes.rename(columns={"category_name": "category"}),
    }
    return {
        table.name: rows[table.names].dropna(subset=_estimates(table)).round(4)
        for table, rows in found.items()
    }


def _estimates(table: Table) -> list[str]:
    """Name the columns whose value a row is there for."""
    return [name for name in ("accuracy", "points") if name in table.names]


def _label(part: str) -> str:
    """Return what people call a part of the gap."""
    return ", ".join(step.label for step in steps_of(part)) or PARTS[part].label
