"""What to do: what each remedy does to small objects, what it takes, and what it breaks.

What uses the object's box is never set beside what does not. A direction ("gain shown") is written
only where the test of the row gives one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smallsight.remedies.facts import NEEDS, Needs, Serves
from smallsight.report.rows import Row, has_direction, keyed
from smallsight.report.section import Section
from smallsight.report.sections import levers, more_examples
from smallsight.report.study import Study
from smallsight.report.text import (
    TASK_NAMES,
    factor,
    listed,
    p_equals,
    passes,
    percent,
    signed,
    span,
    times,
)
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, SCENE

PRIMARY_GROUP = "small"
"""The size group that remedies are ranked by."""

_MOST_NAMED = 3
"""Remedies of a kind that the sentence about what does not help can hold."""


@dataclass(frozen=True)
class Kind:
    """Remedies that compare with each other: what one table is about.

    Attributes
    ----------
    task
        The task whose untouched pictures they start from.
    needs
        What they may need, the least first.
    place
        What they start from, and whether they use the box.
    """

    task: str
    needs: tuple[Needs, ...]
    place: str


WITHOUT_BOX = Kind(SCENE, ("nothing", "head"), f"{TASK_NAMES[SCENE]}s without a box")
WITH_BOX = Kind(SCENE, ("box", "box_head"), f"{TASK_NAMES[SCENE]}s with the object’s box")
IN_WINDOWS = Kind(
    HEADLINE_TASK, ("box", "box_head"), f"{TASK_NAMES[HEADLINE_TASK]}s, which take the object’s box"
)
KINDS = (WITHOUT_BOX, WITH_BOX, IN_WINDOWS)
"""All kinds; what can be deployed without a box comes first."""


@dataclass(frozen=True)
class RemedyRow:
    """One remedy in one task.

    Attributes
    ----------
    name, label
        Its name in tables, and what people call it.
    needs
        What it needs.
    cells
        Rows of the table of remedies, one place for each size group; None where it has no objects.
    passes, serves
        Pictures that the network sees, in units of plain ones; and what they are for: a picture
        with all of its objects, or one object.
    ratio
        Measured time, in units of the plain pass; not a number where there is none.
    """

    name: str
    label: str
    needs: Needs
    cells: list[Row | None]
    passes: float
    serves: Serves
    ratio: float

    @property
    def primary(self) -> Row | None:
        """Its row of the size group that remedies are ranked by."""
        return self.cells[GROUPS.index(PRIMARY_GROUP)]

    @property
    def gain(self) -> float:
        """What it changes for that group; less than anything where there are no such objects."""
        return float(self.primary["delta"]) if self.primary else -math.inf

    @property
    def size_factor(self) -> float:
        """The factor on size that this is worth; not a number where that is not known."""
        return float(self.primary["size_factor"]) if self.primary else math.nan


@dataclass(frozen=True)
class NeedGroup:
    """Remedies that need the same, those that help small objects most first."""

    needs: str
    rows: list[RemedyRow]


@dataclass(frozen=True)
class RemedyTable:
    """Remedies that compare with each other, ranked within what they need.

    Attributes
    ----------
    place
        What they start from, and whether they use the box.
    groups
        The remedies, by what they need, the least first.
    counts
        How many objects there are of each size group, in words; empty where there are none.
    number
        How many remedies there are.
    permuted
        For each size group, what the best of them would change under permuted labels; not a number
        where that is not known.
    has_factor
        Whether any of them is worth a known factor on size.
    starts_whole
        Whether they start from whole pictures, so that a pass may serve many objects.
    """

    place: str
    groups: list[NeedGroup]
    counts: str
    number: int
    permuted: list[float]
    has_factor: bool
    starts_whole: bool


@dataclass(frozen=True)
class Remedies:
    """What the section shows.

    Attributes
    ----------
    sentences
        The best lever without a box, the best with one, and what is not shown to help.
    tables
        One for each kind that has remedies.
    n_primary
        Number of comparisons that have a verdict.
    """

    sentences: list[str]
    tables: list[RemedyTable]
    n_primary: int


def rows(study: Study, kind: Kind) -> list[RemedyRow]:
    """Return the remedies of one kind that were tried, the best for small objects first."""
    table = study.tables["remedies"]
    chosen = table[(table["task"] == kind.task) & table["needs"].isin(kind.needs)]
    by_key = keyed(chosen, "remedy", "size_group")
    found = []
    for remedy, needs in dict.fromkeys(zip(chosen["remedy"], chosen["needs"], strict=True)):
        cells = [_known(by_key.get((remedy, group))) for group in GROUPS]
        taken = next((float(cell["passes"]) for cell in cells if cell), math.nan)
        about, ratio = study.remedies[remedy], study.time_ratio(remedy, kind.task)
        serves = about.serves[kind.task]
        found.append(RemedyRow(remedy, about.label, needs, cells, taken, serves, ratio))
    return sorted(found, key=lambda row: -row.gain)


def _known(row: Row | None) -> Row | None:
    return row if row is not None and math.isfinite(row["delta"]) else None


def tables(study: Study) -> list[RemedyTable]:
    """Return what was tried, a table for each kind of remedies."""
    found = [(kind, rows(study, kind)) for kind in KINDS]
    return [_table(kind, tried) for kind, tried in found if tried]


def _table(kind: Kind, tried: Sequence[RemedyRow]) -> RemedyTable:
    groups = [
        NeedGroup(needs_words(needs), [row for row in tried if row.needs == needs])
        for needs in kind.needs
    ]
    # Objects, and what chance would give, are the same in all rows.
    firsts = [
        next(filter(None, cells), None) for cells in zip(*(row.cells for row in tried), strict=True)
    ]
    return RemedyTable(
        place=kind.place,
        groups=[group for group in groups if group.rows],
        counts=listed(
            [f"{row['n']:.0f} {group}" for group, row in zip(GROUPS, firsts, strict=True) if row]
        ),
        number=len(tried),
        permuted=[float(row["permuted"]) if row else math.nan for row in firsts],
        has_factor=any(math.isfinite(row.size_factor) for row in tried),
        starts_whole=kind.task == SCENE,
    )


def needs_words(needs: Needs) -> str:
    """Say what a remedy needs."""
    return NEEDS[needs].replace("'", "’")


def sentences(study: Study) -> list[str]:
    """Write the best lever without a box, the best ones with it, and what is not shown to help."""
    with_box = (best_sentence(study, kind) for kind in (WITH_BOX, IN_WINDOWS))
    found = [
        best_sentence(study, WITHOUT_BOX),
        " ".join(filter(None, with_box)),
        helpless_sentence(study),
    ]
    return [sentence for sentence in found if sentence]


def best_sentence(study: Study, kind: Kind) -> str:
    """Write which remedy of a kind helps small objects most, what it takes and what it breaks.

    Without a gain that is shown, name the largest one; empty without such objects.
    """
    tried = _ranked(study, kind)
    gains = [(row, cell) for row, cell in tried if cell["direction"] == 1]
    if gains:
        row, cell = gains[0]
        change = f"{percent(cell['before'])} to {percent(cell['after'])}, {_change(cell)}"
        return (
            f"In {kind.place}, the largest gain that is shown for {PRIMARY_GROUP} objects is that "
            f"of “{row.label}”: {change}; {_price(row)}."
        )
    if not tried:
        return ""
    row, cell = tried[0]
    return (
        f"In {kind.place}, no gain is shown for {PRIMARY_GROUP} objects; the most favourable "
        f"change is that of “{row.label}”: {_change(cell)}."
    )


def _ranked(study: Study, kind: Kind) -> list[tuple[RemedyRow, Row]]:
    """Return the remedies of a kind with their row of small objects, the best first."""
    return [(row, row.primary) for row in rows(study, kind) if row.primary]


def _change(cell: Row) -> str:
    return f"{signed(cell['delta'])} points ({span(cell)}, adjusted {p_equals(cell['p_holm'])})"


def _price(row: RemedyRow) -> str:
    """Say what a remedy is worth, needs, takes and breaks."""
    said = [f"worth objects {factor(row.size_factor)} times as wide"]
    said = said if math.isfinite(row.size_factor) else []
    slower = f" and {times(row.ratio)} times its time" if math.isfinite(row.ratio) else ""
    broken = [
        f"{cell['broken']:.0f} {group}"
        for group, cell in zip(GROUPS, row.cells, strict=True)
        if cell
    ]
    taken = f"{passes(row.passes)} times a plain pass per {row.serves}{slower}"
    said += [f"it needs {needs_words(row.needs)}, takes {taken}"]
    return f"{'; '.join(said)}, and breaks {listed(broken)} objects that were right"


def helpless_sentence(study: Study) -> str:
    """Name what promises least for small objects, and what is shown to harm them; may be empty.

    Of what is not decided, those come first whose interval leaves room for the least gain. Numbers
    are in points.
    """
    least = _named(study, lambda row: not has_direction(row), "ci_high", "at most ")
    harm = _named(study, lambda row: row["direction"] == -1, "delta", "")
    said = []
    if least:
        said.append(
            f"Not decided for {PRIMARY_GROUP} objects, those that can gain least first, with the "
            f"upper end of the interval in points: {least}."
        )
    if harm:
        said.append(f"Shown to harm {PRIMARY_GROUP} objects, in points: {harm}.")
    return " ".join(said)


def _named(study: Study, is_meant: Callable[[Row], bool], by: str, start: str) -> str:
    """Name the remedies whose row of small objects is meant, the least first, kind by kind."""
    found = []
    for kind in KINDS:
        meant = [(row, cell) for row, cell in _ranked(study, kind) if is_meant(cell)]
        names = [
            f"“{row.label}” ({start}{signed(cell[by])})"
            for row, cell in sorted(meant, key=lambda pair: pair[1][by])
        ]
        if len(names) > _MOST_NAMED:
            names = [*names[:_MOST_NAMED], f"{len(names) - _MOST_NAMED} more"]
        if names:
            found.append(f"in {kind.place}, {listed(names)}")
    return "; ".join(found)


def build(study: Study) -> Remedies | None:
    """Return what the section shows of a study; None where it knows of no remedy."""
    found = tables(study)
    if not found and levers.build(study) is None:
        return None
    return Remedies(
        sentences=sentences(study),
        tables=found,
        n_primary=int(study.tables["remedies"]["primary"].sum()),
    )


SECTION = Section(
    name="remedies",
    build=build,
    anchor="remedies",
    title="What to do",
    contents="What to do",
    parts=(more_examples.PART, levers.PART),
)
