"""Whether the confidence that is stated is how often answers are right, by size."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.figures import reliability
from smallsight.report.rows import Row, keyed, records
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import (
    TASK_NAMES,
    percent,
    percent_span,
    points,
    tooltip,
    with_ends,
)
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS

SCALINGS = {"none": "as it is", "temperature": "temperature by estimated size"}
"""What is done to probabilities, and what the page calls it."""


@dataclass(frozen=True)
class CalibrationRow:
    """One size group, or all objects, in one task.

    Attributes
    ----------
    group
        The size group, or "all".
    accuracy
        Share of right answers where all are given; not a number where that is not known.
    plain, scaled
        Rows of the table of calibration: without, and with temperature; the latter is None where no
        temperature was fitted.
    """

    group: str
    accuracy: float
    plain: Row
    scaled: Row | None


@dataclass(frozen=True)
class TaskRows:
    """The rows of one task, by what it is called."""

    task: str
    rows: list[CalibrationRow]


@dataclass(frozen=True)
class Confidence:
    """What the section shows.

    Attributes
    ----------
    sentence
        How far confidence is off for small objects.
    panels
        Confidence against accuracy, a panel per task and size group.
    tasks
        The numbers.
    has_temperature
        Whether any temperature was fitted.
    """

    sentence: str
    panels: list[Markup]
    tasks: list[TaskRows]
    has_temperature: bool


def rows(study: Study, task: str) -> list[CalibrationRow]:
    """Return what is known of one task, a row per size group that has objects."""
    table = study.tables["calibration"]
    by_key = keyed(table[(table["task"] == task) & table["ece"].notna()], "size_group", "scaling")
    found = []
    for group in ALL_AND_GROUPS:
        plain, scaled = (by_key.get((group, scaling)) for scaling in SCALINGS)
        if plain is not None:
            tested = study.estimate(task, study.headline_regime, UNTOUCHED, group)
            accuracy = tested.acc if tested is not None else math.nan
            found.append(CalibrationRow(group, accuracy, plain, scaled))
    return found


def sentence(study: Study) -> str:
    """Write how far confidence is off for small objects, and what temperature changes of that."""
    task = study.headline_task
    row = next((one for one in rows(study, task) if one.group == "small"), None)
    if row is None:
        return ""
    plain, scaled = row.plain, row.scaled
    off = with_ends(plain["ece"], plain["ece_low"], plain["ece_high"])
    said = f"For small objects in {TASK_NAMES[task]}s, the two are {off} apart on average."
    if scaled is None or not math.isfinite(scaled["change"]):
        return said
    change = points(scaled["change"], scaled["change_low"], scaled["change_high"])
    return f"{said} A temperature by estimated size changes that by {change}, no verdict."


def panels(study: Study) -> list[Markup]:
    """Draw confidence against accuracy, a panel per task and size group that has any."""
    table = study.tables["reliability"]
    drawn = []
    for task in study.tasks:
        for group in GROUPS:
            chosen = table[(table["task"] == task) & (table["size_group"] == group)]
            chosen = chosen[chosen["accuracy"].notna()]
            if chosen.empty:
                continue
            marked = chosen.assign(tooltip=[_told(row) for row in records(chosen)])
            panel = reliability.reliability(
                marked,
                name=f"reliability-{task}-{group}",
                title=f"{TASK_NAMES[task].capitalize()}, {group}",
                group=group,
            )
            drawn.append(Markup(panel))
    return drawn


def _told(row: Row) -> str:
    return tooltip(
        f"Confidence {percent(row['confidence'])}, {SCALINGS[row['scaling']]}, {row['size_group']}",
        percent(row["accuracy"]),
        percent_span(row["ci_low"], row["ci_high"]),
        row["n"],
    )


def build(study: Study) -> Confidence | None:
    """Return what the section shows of a study; None where nothing was evaluated."""
    tasks = [TaskRows(TASK_NAMES[task].capitalize(), rows(study, task)) for task in study.tasks]
    known = [one for one in tasks if one.rows]
    if not known:
        return None
    return Confidence(
        sentence=sentence(study),
        panels=panels(study),
        tasks=known,
        has_temperature=any(row.scaled is not None for one in known for row in one.rows),
    )


SECTION = Section(
    name="confidence",
    build=build,
    anchor="confidence",
    title="Confidence",
)
