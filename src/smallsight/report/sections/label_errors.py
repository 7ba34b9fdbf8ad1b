"""Labels that may be wrong: how many are suspected by size, and accuracies without them."""

import math
from dataclasses import dataclass

from smallsight.analysis.suspected_labels import EVIDENCE, PLANTED
from smallsight.report.rows import Row, keyed, records
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES, amount, counted, percent, with_ends
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS

LISTED = 30
"""Suspected labels that are listed, the least probable first."""


@dataclass(frozen=True)
class SuspectedLabel:
    """One suspected label.

    Attributes
    ----------
    row
        A row of the table of labels.
    group_number
        Place of its size group among all, by which a table sorts.
    """

    row: Row
    group_number: int


@dataclass(frozen=True)
class LabelErrors:
    """What the section shows.

    Attributes
    ----------
    task
        What the task is called.
    is_drawn
        Whether pictures are drawn, so that every label is right.
    planted
        What share of the labels is made wrong at a time: "5%".
    scale
        What each word for evidence takes: "strong: 10 or more".
    sentences
        What the tables say.
    rows
        Of the summary, a row per size group that has objects.
    suspects
        Those that are listed.
    n_suspected
        How many are suspected.
    """

    task: str
    is_drawn: bool
    planted: str
    scale: str
    sentences: list[str]
    rows: list[Row]
    suspects: list[SuspectedLabel]
    n_suspected: int


def sentences(study: Study) -> list[str]:
    """Write what the tables say, a result per sentence: failures, the gap, and what it is worth."""
    by_group = _summary(study)
    small, every = (by_group.get(group) for group in ("small", "all"))
    gaps = records(study.tables["label_errors_gap"])
    return [
        *(_of_failures(small) if small else []),
        *(_of_gap(gaps[0]) if gaps else []),
        *(_of_drawn(every) if every and study.params.data.source == "phantom" else []),
    ]


def _summary(study: Study) -> dict[str, Row]:
    """Return the summary by size group, of those that have objects."""
    table = study.tables["label_errors_summary"]
    known = keyed(table[table["n"] > 0], "size_group")
    return {group: known[group,] for group in ALL_AND_GROUPS if (group,) in known}


def _of_failures(row: Row) -> list[str]:
    """Say which failures of small objects may be the annotator's."""
    if not math.isfinite(row["suspected"]):
        return [
            "How many failures on small objects may be the annotator’s cannot be told. Labels made "
            f"wrong on purpose are suspected in {percent(row['recall'])} of all cases, against "
            f"{percent(row['false_positive_rate'])} of right ones."
        ]
    if not row["failed"]:
        return []
    share = with_ends(*(row[f"of_failures{end}"] for end in ("", "_low", "_high")))
    failed = counted(int(row["failed"]), "failed small object")
    return [f"Of {failed}, {share} have a suspected label."]


def _of_gap(row: Row) -> list[str]:
    """Say how the gap differs without suspected labels."""
    if not math.isfinite(row["change"]):
        return []
    gap = "Without suspected labels, the gap between large and small objects"
    if row["direction"] == -1:
        less = amount(-row["change"], -row["ci_high"], -row["ci_low"])
        return [f"{gap} shrinks by {less}: shown."]
    change = amount(row["change"], row["ci_low"], row["ci_high"])
    if row["direction"] == 1:
        return [f"{gap} grows by {change}: shown."]
    return [f"{gap} changes by {change}: not decided."]


def _of_drawn(row: Row) -> list[str]:
    """Say how many right labels are suspected, where all are right."""
    if not math.isfinite(row["suspected"]):
        return []
    share = with_ends(*(row[f"share{end}"] for end in ("", "_low", "_high")))
    return [
        "These scenes are drawn and every label is right: what is suspected is a false alarm. That "
        f"is {share} of {counted(int(row['n']), 'object')}."
    ]


def build(study: Study) -> LabelErrors | None:
    """Return what the section shows of a study; None where labels could not be examined."""
    by_group = _summary(study)
    if not by_group:
        return None
    table = study.tables["label_errors"]
    suspected = table[table["is_suspected"]].sort_values("label_quality", kind="stable")
    words = [f"{word}: {least:g} or more" for least, word in EVIDENCE.items() if least]
    return LabelErrors(
        task=TASK_NAMES[study.headline_task],
        is_drawn=study.params.data.source == "phantom",
        planted=f"{PLANTED:.0%}",
        scale="; ".join([*words, "none: less"]),
        sentences=sentences(study),
        rows=list(by_group.values()),
        suspects=[
            SuspectedLabel(row, GROUPS.index(row["size_group"]))
            for row in records(suspected[:LISTED])
        ],
        n_suspected=len(suspected),
    )


SECTION = Section(
    name="label_errors",
    build=build,
    anchor="label-errors",
    title="Failures that may be the annotator’s",
)
