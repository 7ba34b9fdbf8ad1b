"""What each condition does to accuracy, on the same objects.

Only the primary comparisons have a verdict: small objects, under reference levels of corruptions
that they show, in the headline task and regime. All others have an interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from smallsight.conditions.rendered.names import UNTOUCHED, Condition
from smallsight.report.marks import Heading, condition_marks, heading, quoted_label
from smallsight.report.rows import Row, by_direction
from smallsight.report.section import Section
from smallsight.report.sections import background
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES, detectable, listed, p_of, signed, span
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
    tables
        The headline task's; those that have rows.
    is_untouched_alone
        Whether nothing but untouched pictures was evaluated.
    """

    task: str
    families: list[FamilyRow]
    n_primary: int
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
    """Write what corruptions do to small objects, and how that compares with large ones."""
    others = [interval_sentence(study, regime) for regime in study.regimes[1:]]
    return [small_sentence(study), *others, contrast_sentence(study)]


def small_sentence(study: Study) -> str:
    """Write the verdicts: under which conditions small objects are recognised less often, or more.

    Conditions that leave the objects as they were have none, and are named as such.
    """
    clause, undecided = directions_clause(study)
    parts = [f"small objects are recognised {clause}"] if clause else []
    if undecided:
        names = listed([_judged(study, row) for row in undecided])
        whom = "" if clause else " for small objects"
        parts.append(f"not decided{whom}: {names} ({detectable(undecided)})")
    lead = f"{study.words(study.headline_regime).lead}, " if parts else ""
    told = f"{lead}{'; '.join(parts)}." if parts else ""
    return f"{told} {unchanged_sentence(study)}".strip()


def directions_clause(study: Study) -> tuple[str, list[Row]]:
    """Write under which conditions small objects are recognised less or more often.

    Returns
    -------
    clause, undecided
        The words, empty where no verdict has a direction, and the effects that are not decided.
    """
    up, down, undecided = by_direction(primary_rows(study))
    clauses = [
        f"{order} often under {listed([_judged(study, row) for row in part])}"
        for order, part in (("less", down), ("more", up))
        if part
    ]
    return " and ".join(clauses), undecided


def unchanged_sentence(study: Study) -> str:
    """Name the conditions that leave small objects as they were; empty where all change them."""
    names = [
        quoted_label(study, study.headline_task, one.name, "small")
        for one in study.corruptions(study.headline_task)
        if one.is_reference and study.mark(study.headline_task, one.name, "small")
    ]
    if not names:
        return ""
    return f"No visible change to small objects, and so no verdict: {listed(names)}."


def interval_sentence(study: Study, regime: str) -> str:
    """Write what corruptions do to small objects in a regime without verdicts."""
    found = _small_effects(study, regime, "small")
    if not found:
        return ""
    names = listed([_with_interval(study, row, "small") for row in found])
    return (
        f"{study.words(regime).lead}, accuracy on small objects changes by so many points "
        f"(intervals, no verdict): {names}."
    )


def contrast_sentence(study: Study) -> str:
    """Set what corruptions do to small objects beside what they do to large ones."""
    found = _small_effects(study, study.headline_regime, DIFFERENCE)
    if not found:
        return ""
    words = study.words(study.headline_regime)
    names = listed([_with_interval(study, row, "small", "large") for row in found])
    return (
        f"Effect on small minus effect on large objects{words.aside}, in points "
        f"(intervals, no verdict): {names}."
    )


def _small_effects(study: Study, regime: str, group: str) -> list[Row]:
    """Return the effects of visible corruptions at reference levels."""
    found = (
        study.effect(study.headline_task, regime, one.name, group)
        for one in study.corruptions(study.headline_task)
        if one.is_reference
    )
    return [row for row in found if row is not None and not row["vacuous"]]


def _judged(study: Study, row: Row) -> str:
    label = quoted_label(study, study.headline_task, row["condition"], row["size_group"])
    return f"{label} ({signed(row['delta'])} points, {span(row)}, {p_of(row)})"


def _with_interval(study: Study, row: Row, *groups: str) -> str:
    label = quoted_label(study, study.headline_task, row["condition"], *groups)
    return f"{label} {signed(row['delta'])} ({span(row)})"


def build(study: Study) -> Effects | None:
    """Return what the section shows of a study; None where nothing was evaluated."""
    if not study.regimes:
        return None
    return Effects(
        task=TASK_NAMES[study.headline_task],
        families=family_rows(study),
        n_primary=count_primary(study),
        tables=tables(study),
        is_untouched_alone=not any(study.changed_conditions(task) for task in study.tasks),
    )


SECTION = Section(
    name="effects",
    build=build,
    anchor="effects",
    title="What each condition does",
    contents="Effects",
    parts=(background.UNDER_EFFECTS,),
)
