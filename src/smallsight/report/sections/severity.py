"""How much of a change reaches the network: pictures compared at its input."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.figures import by_condition
from smallsight.report.marks import Heading, heading, long_key
from smallsight.report.rows import Row, tuples
from smallsight.report.section import Section
from smallsight.report.study import SURROUNDINGS, Study
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import GROUPS, NO_VISIBLE_CHANGE, SCENE


@dataclass(frozen=True)
class SeverityCell:
    """A row of the table of severities, and the mark of the condition for this size group."""

    similarity: Row | None
    mark: str


@dataclass(frozen=True)
class SeverityRow:
    """Similarity under one condition, a cell per size group."""

    heading: Heading
    cells: list[SeverityCell]


@dataclass(frozen=True)
class Severity:
    """What the section shows.

    Attributes
    ----------
    task
        What the task is called.
    resizing
        What resizing does to what is shown.
    bound
        Similarity above which no change is visible.
    mark_key, surroundings
        What the marks mean, and where only the surroundings change.
    panels, rows
        Similarity by condition and size group.
    """

    task: str
    resizing: str
    bound: float
    mark_key: str
    surroundings: str
    panels: list[Markup]
    rows: list[SeverityRow]


def resizing_sentence(study: Study) -> str:
    """Write what resizing to the network's input may undo, with the sizes of what is shown."""
    shown, network = TASK_NAMES[study.headline_task], study.subject.network
    cut = "the window is cut and resized" if study.headline_task != SCENE else "it is resized"
    start = (
        f"A condition changes the picture at its own size. Then {cut} to the {network}’s input, "
        "which may undo a change."
    )
    maps = study.maps
    here = (maps["condition"] == UNTOUCHED) & (maps["task"] == study.headline_task)
    widths = maps.loc[here, "view_w"]
    if widths.empty:
        return start
    size = int(study.about["input_size"])
    return (
        f"{start} The median width of a {shown} is {widths.median():g} pixels, the input’s {size}."
    )


def surroundings_sentence(study: Study) -> str:
    """Write how similar all that is shown is where only surroundings change; may be empty."""
    found = [
        row["ssim_picture"]
        for one in study.changed_conditions(study.headline_task)
        for group in GROUPS
        if study.mark(study.headline_task, one.name, group) == SURROUNDINGS
        and (row := study.similarity(study.headline_task, one.name, group))
    ]
    if not found:
        return ""
    ends = " to ".join(sorted({f"{end:.2f}" for end in (min(found), max(found))}))
    shown = "whole windows" if study.headline_task != SCENE else "whole pictures"
    return f"Under {SURROUNDINGS}, the median similarity of {shown} is {ends}."


def panels(study: Study) -> list[Markup]:
    """Draw the similarity of every condition to what is shown untouched, in two columns."""
    table = study.tables["severity"]
    table = table[table["task"] == study.headline_task]
    names = list(dict.fromkeys(table["condition"]))
    columns = {"ssim_box": "value", "ssim_box_q1": "low", "ssim_box_q3": "high"}
    table = table.rename(columns=columns).assign(hollow=table["vacuous"])
    table["tooltip"] = [
        f"{study.label(row.condition)}, {row.size_group}: {row.value:.3f} ({row.low:.3f}–"
        f"{row.high:.3f}), n = {row.n:g}"
        for row in tuples(table)
    ]
    half = math.ceil(len(names) / 2)
    return [
        Markup(
            by_condition.by_condition(
                table,
                name=f"severity-{number}",
                title=TASK_NAMES[study.headline_task].capitalize(),
                labels={name: study.label(name) for name in part},
                lines={f"unchanged above {NO_VISIBLE_CHANGE:g}": NO_VISIBLE_CHANGE},
                measure="similarity in the box (SSIM)",
                in_percent=False,
            )
        )
        for number, part in enumerate((names[:half], names[half:]))
        if part
    ]


def rows(study: Study) -> list[SeverityRow]:
    """Return the similarities, a row per condition that has objects."""
    found = [
        SeverityRow(
            heading=heading(study, one),
            cells=[
                SeverityCell(
                    study.similarity(study.headline_task, one.name, group),
                    study.mark(study.headline_task, one.name, group),
                )
                for group in GROUPS
            ],
        )
        for one in study.changed_conditions(study.headline_task)
    ]
    return [row for row in found if any(cell.similarity for cell in row.cells)]


def build(study: Study) -> Severity | None:
    """Return what the section shows of a study; None where nothing changed was compared."""
    drawn = panels(study)
    if not drawn:
        return None
    return Severity(
        task=TASK_NAMES[study.headline_task],
        resizing=resizing_sentence(study),
        bound=NO_VISIBLE_CHANGE,
        mark_key=long_key(study),
        surroundings=surroundings_sentence(study),
        panels=drawn,
        rows=rows(study),
    )


SECTION = Section(
    name="severity",
    build=build,
    anchor="severity",
    title="How much of a change reaches the network",
)
