"""What each condition does to accuracy, on the same objects."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from smallsight.conditions.rendered.names import Condition
from smallsight.report.marks import Heading, condition_marks, heading, quoted_label
from smallsight.report.rows import Row, by_direction
from smallsight.report.section import Section
from smallsight.report.study import Study, by_regime
from smallsight.report.text import counted, detectable, listed, p_equals, signed, span
from smallsight.vocabulary import DIFFERENCE, GROUPS, REGIMES

COLUMNS = (*GROUPS, DIFFERENCE)
"""What a table of effects has side by side."""

LEAD = {
    "fixed": "With the head left as it is",
    "retrained": "With a head trained again under each condition",
}
"""Begins a sentence about one regime."""

_QUESTIONS = {
    "fixed": "what a change does to a model that is already there",
    "retrained": "what can still be learnt from pictures changed that way",
}


@dataclass(frozen=True)
class Regime:
    """A regime, and what it answers."""

    name: str
    description: str
    question: str


@dataclass(frozen=True)
class FamilyRow:
    """A family, and its levels with their marks."""

    name: str
    label: str
    description: str
    levels: list[str]


@dataclass(frozen=True)
class EffectCell:
    """A row of the table of effects, and the mark of the condition for this size group."""

    effect: Row | None
    mark: str


@dataclass(frozen=True)
class EffectRow:
    """Effects of one condition, a cell for each of `COLUMNS`."""

    heading: Heading
    cells: list[EffectCell]


@dataclass(frozen=True)
class EffectTable:
    """Effects of one kind of conditions in one regime.

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
    """

    regime: str
    kind: str
    note: str
    counts: list[int | None]
    rows: list[EffectRow]


@dataclass(frozen=True)
class Effects:
    """What the section shows.

    Attributes
    ----------
    regimes
        The regimes that were evaluated.
    families
        The families that were evaluated.
    tables
        Those that have rows.
    is_untouched_alone
        Whether nothing but untouched pictures was evaluated.
    """

    regimes: list[Regime]
    families: list[FamilyRow]
    tables: list[EffectTable]
    is_untouched_alone: bool


def family_rows(study: Study) -> list[FamilyRow]:
    """Return the families that were evaluated, in order."""
    levels: dict[str, list[str]] = {}
    for one in study.conditions:
        level = f"{one.level} {condition_marks(study, one.name)}".strip()
        levels.setdefault(one.family, []).append(level)
    return [
        FamilyRow(name, study.families[name].label, study.families[name].description, names)
        for name, names in levels.items()
    ]


def rows(study: Study, regime: str, conditions: Sequence[Condition]) -> list[EffectRow]:
    """Return one regime's effects, a row per condition that has any."""
    found = []
    for one in conditions:
        cells = [
            EffectCell(study.effect(regime, one.name, column), study.mark(one.name, *groups))
            for column in COLUMNS
            for groups in [column.split("-")]
        ]
        if any(cell.effect is not None for cell in cells):
            found.append(EffectRow(heading(study, one), cells))
    return found


def tables(study: Study) -> list[EffectTable]:
    """Return the tables of effects: corruptions, then interventions, of each regime."""
    kinds = (
        ("corruptions", "", study.corruptions),
        (
            "interventions",
            "which take the object and its surroundings apart",
            study.interventions,
        ),
    )
    return [
        EffectTable(regime, kind, note, _counts(study, regime), found)
        for regime in study.regimes
        for kind, note, conditions in kinds
        if (found := rows(study, regime, conditions))
    ]


def _counts(study: Study, regime: str) -> list[int | None]:
    """Count the objects of each size group that are the same under all conditions."""
    shared: list[int | None] = []
    for group in GROUPS:
        cells = [study.estimate(regime, one.name, group) for one in study.conditions]
        found = {(cell.n, cell.images) for cell in cells if cell is not None}
        shared.append(found.pop()[0] if len(found) == 1 else None)
    return shared


def sentences(study: Study) -> list[str]:
    """Write what conditions do to small objects, and how that compares with large ones."""
    found = [small_sentence(study, regime) for regime in study.regimes]
    start = "Small against large objects, condition by condition"
    return [*found, by_regime(study, start, contrast_clause)]


def small_sentence(study: Study, regime: str) -> str:
    """Compare small objects under each corruption with the same objects untouched."""
    clause, neither = directions_clause(study, regime)
    parts = [f"small objects are recognised {clause}"] if clause else []
    if neither:
        names = listed([quoted_label(study, row["condition"], "small") for row in neither])
        whom = "them" if clause else "small objects"
        parts.append(f"no change on {whom} is shown under {names} ({detectable(neither)})")
    if not parts:
        return ""
    return f"{LEAD[regime]}, {'; '.join(parts)}. {_further_levels(study, regime)}".strip()


def directions_clause(study: Study, regime: str) -> tuple[str, list[Row]]:
    """Write under which reference levels small objects are recognised more or less often.

    Returns
    -------
    clause, undecided
        The words, empty where no effect has a direction, and the effects without one.
    """
    references = [one for one in study.corruptions if one.is_reference]
    clauses, undecided = _clauses(
        _effects(study, regime, "small", references),
        ("less", "more"),
        lambda order, part: f"{order} often under {listed([_numbers(study, row) for row in part])}",
    )
    return " and ".join(clauses), undecided


def _further_levels(study: Study, regime: str) -> str:
    """Sum up the levels beyond the reference ones."""
    further = [one for one in study.corruptions if not one.is_reference]
    found = _effects(study, regime, "small", further)
    if not found:
        return ""
    clauses, undecided = _clauses(
        found,
        ("lower", "higher"),
        lambda order, part: f"{len(part)} {order}, {listed([_brief(study, row) for row in part])}",
    )
    if not clauses:
        levels = counted(len(found), "further level")
        return f"No change is shown under {levels} ({detectable(undecided)})."
    if undecided:
        without = f"{len(undecided)} without a change that is shown ({detectable(undecided)})"
        clauses.append(without)
    return f"Of {counted(len(found), 'further level')}: {'; '.join(clauses)}."


def contrast_clause(study: Study, regime: str) -> str:
    """Compare what corruptions do to small objects with what they do to large ones."""
    found = _effects(study, regime, DIFFERENCE, study.corruptions)
    if not found:
        return ""
    clauses, undecided = _clauses(
        found,
        ("more, or gain less,", "less, or gain more,"),
        lambda order, part: (
            f"small ones lose {order} under "
            f"{listed([_numbers(study, row, 'small', 'large') for row in part])}"
        ),
    )
    if not clauses:
        return f"no difference is shown ({detectable(undecided)})"
    return " and ".join(clauses)


def _effects(study: Study, regime: str, group: str, conditions: Iterable[Condition]) -> list[Row]:
    found = (study.effect(regime, one.name, group) for one in conditions)
    return [row for row in found if row is not None]


def _clauses(
    found: Sequence[Row], orders: tuple[str, str], say: Callable[[str, list[Row]], str]
) -> tuple[list[str], list[Row]]:
    """Write which effects are below 0 and which above, in these words; return the rest too."""
    up, down, undecided = by_direction(found)
    clauses = [say(order, part) for order, part in zip(orders, (down, up), strict=True) if part]
    return clauses, undecided


def _numbers(study: Study, row: Row, *groups: str) -> str:
    label = quoted_label(study, row["condition"], *(groups or (row["size_group"],)))
    return f"{label} ({signed(row['delta'])} points, {span(row)}, {p_equals(row['p_holm'])})"


def _brief(study: Study, row: Row) -> str:
    label = quoted_label(study, row["condition"], row["size_group"])
    return f"{label} ({signed(row['delta'])})"


def build(study: Study) -> Effects:
    """Return what the section shows of a study."""
    return Effects(
        regimes=[Regime(name, REGIMES[name], _QUESTIONS[name]) for name in study.regimes],
        families=family_rows(study),
        tables=tables(study),
        is_untouched_alone=bool(study.regimes) and not study.changed_conditions,
    )


SECTION = Section(
    name="effects",
    build=build,
    anchor="effects",
    title="What each condition does",
    contents="Effects",
)
