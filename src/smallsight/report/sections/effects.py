"""What each condition does to accuracy, on the same objects.

Only the primary comparisons have a verdict: small objects, under reference levels of corruptions
that they show, in the headline task and regime. All others have an interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from smallsight.conditions.rendered.names import UNTOUCHED, Condition
from smallsight.report.marks import (
    Heading,
    condition_marks,
    heading,
    no_visible_change,
    quoted_label,
)
from smallsight.report.rows import Row, by_direction
from smallsight.report.section import Section
from smallsight.report.sections import background
from smallsight.report.study import SURROUNDINGS, UNCHANGED, Study
from smallsight.report.text import TASK_NAMES, amount, listed, p_of, would_find
from smallsight.vocabulary import DIFFERENCE, GROUPS

COLUMNS = (*GROUPS, DIFFERENCE)
"""What a table of effects has side by side."""


@dataclass(frozen=True)
class FamilyRow:
    """A family, and the levels with their marks at which it is shown, a cell per task."""

    name: str
    label: str
    description: str
    role: str
    cells: list[str]


@dataclass(frozen=True)
class EffectCell:
    """A row of the table of effects, the mark of the condition for this size group, and p.

    `p` is written where the row has a verdict, and empty elsewhere.
    """

    effect: Row | None
    mark: str
    p: str


@dataclass(frozen=True)
class EffectRow:
    """Effects of one condition, a cell for each of `COLUMNS`."""

    heading: Heading
    cells: list[EffectCell]


@dataclass(frozen=True)
class EffectTable:
    """Effects of one kind of conditions in one regime, in the headline task.

    Attributes
    ----------
    regime, kind
        The regime, and what the conditions are.
    note
        What all of them do; may be empty.
    counts
        Objects of each size group; None where conditions differ in it.
    rows
        A row per condition.
    has_verdicts
        Whether any of its rows has a verdict.
    """

    regime: str
    kind: str
    note: str
    counts: list[int | None]
    rows: list[EffectRow]
    has_verdicts: bool


@dataclass(frozen=True)
class Effects:
    """What the section shows.

    Attributes
    ----------
    task
        What the headline task is called.
    families
        All families.
    n_primary
        Number of comparisons that have a verdict.
    sentences
        What corruptions do to small objects.
    tables
        The headline task's; those that have rows.
    is_untouched_alone
        Whether nothing but untouched pictures was evaluated.
    """

    task: str
    families: list[FamilyRow]
    n_primary: int
    sentences: list[str]
    tables: list[EffectTable]
    is_untouched_alone: bool


def family_rows(study: Study) -> list[FamilyRow]:
    """Return all families, in order, with their levels in each task."""
    found = [
        FamilyRow(
            name=name,
            label=facts.label,
            description=facts.description,
            role="" if name == UNTOUCHED else facts.role,
            cells=[
                "; ".join(
                    f"{one.level} {condition_marks(study, task, one.name)}".strip()
                    for one in facts.in_task(task)
                )
                for task in study.tasks
            ],
        )
        for name, facts in study.families.items()
    ]
    return [row for row in found if any(row.cells)]


def primary_rows(study: Study) -> list[Row]:
    """Return the effects that have a verdict, in order."""
    rows = (
        study.effect(study.headline_task, study.headline_regime, one.name, "small")
        for one in study.corruptions(study.headline_task)
    )
    return [row for row in rows if row is not None and row["primary"]]


def count_primary(study: Study) -> int:
    """Count the comparisons that have a verdict, which Holm's method takes as one family."""
    return int(study.tables["effects"]["primary"].sum())


def _cell(study: Study, regime: str, condition: str, column: str) -> EffectCell:
    effect = study.effect(study.headline_task, regime, condition, column)
    mark = study.mark(study.headline_task, condition, *column.split("-"))
    return EffectCell(effect, mark, p_of(effect) if effect and effect["primary"] else "")


def rows(study: Study, regime: str, conditions: Sequence[Condition]) -> list[EffectRow]:
    """Return one regime's effects in the headline task, a row per condition that has any."""
    found = [
        EffectRow(
            heading(study, one),
            [_cell(study, regime, one.name, column) for column in COLUMNS],
        )
        for one in conditions
    ]
    return [row for row in found if any(cell.effect is not None for cell in row.cells)]


def tables(study: Study) -> list[EffectTable]:
    """Return the headline task's effects: corruptions, then interventions, of each regime."""
    kinds = (
        ("corruptions", "", study.corruptions(study.headline_task)),
        (
            "interventions",
            "which take the object, its pixels and its surroundings apart",
            study.interventions(study.headline_task),
        ),
    )
    return [
        EffectTable(
            regime,
            kind,
            note,
            _counts(study, regime),
            found,
            any(cell.p for row in found for cell in row.cells),
        )
        for regime in study.regimes
        for kind, note, conditions in kinds
        if (found := rows(study, regime, conditions))
    ]


def _counts(study: Study, regime: str) -> list[int | None]:
    """Count the objects of each size group that are the same under all conditions."""
    shared: list[int | None] = []
    for group in GROUPS:
        cells = [
            study.estimate(study.headline_task, regime, one.name, group)
            for one in study.conditions(study.headline_task)
        ]
        found = {(cell.n, cell.images) for cell in cells if cell is not None}
        shared.append(found.pop()[0] if len(found) == 1 else None)
    return shared


def sentences(study: Study) -> list[str]:
    """Write what corruptions do to small objects: what is shown, what is not, what is no change."""
    up, down, undecided = by_direction(primary_rows(study))
    lead = study.words(study.headline_regime).lead if up or down else ""
    found = [_shown(study, row, lead) for row in (*down, *up)]
    if undecided:
        names = listed([_quoted(study, row["condition"]) for row in undecided])
        found.append(f"Not decided for small objects: {names}. {would_find(undecided)}".strip())
    return [*found, *filter(None, [unchanged_sentence(study)])]


def _shown(study: Study, row: Row, lead: str) -> str:
    if row["direction"] == -1:
        order, change = "less", amount(-row["delta"], -row["ci_high"], -row["ci_low"])
    else:
        order, change = "more", amount(row["delta"], row["ci_low"], row["ci_high"])
    label = _quoted(study, row["condition"])
    return f"{lead}, small objects are named rightly {order} often under {label}: {change}, shown."


def _quoted(study: Study, condition: str) -> str:
    return quoted_label(study, study.headline_task, condition, "small")


def unchanged_sentence(study: Study) -> str:
    """Name the conditions that leave small objects as they were; empty where all change them."""
    by_mark: dict[str, list[str]] = {UNCHANGED: [], SURROUNDINGS: []}
    for one in study.corruptions(study.headline_task):
        mark = study.mark(study.headline_task, one.name, "small")
        if one.is_reference and mark:
            by_mark[mark].append(_quoted(study, one.name))
    unchanged = no_visible_change(study).capitalize()
    said = {
        UNCHANGED: f"{unchanged} to small objects, and so no verdict",
        SURROUNDINGS: "What surrounds small objects changes alone, and so no verdict",
    }
    return " ".join(f"{said[mark]}: {listed(names)}." for mark, names in by_mark.items() if names)


def build(study: Study) -> Effects | None:
    """Return what the section shows of a study; None where nothing was evaluated."""
    if not study.regimes:
        return None
    return Effects(
        task=TASK_NAMES[study.headline_task],
        families=family_rows(study),
        n_primary=count_primary(study),
        sentences=sentences(study),
        tables=tables(study),
        is_untouched_alone=not any(study.changed_conditions(task) for task in study.tasks),
    )


SECTION = Section(
    name="effects",
    build=build,
    anchor="effects",
    title="What each condition does",
    parts=(background.UNDER_EFFECTS,),
)
