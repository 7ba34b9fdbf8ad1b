"""What to do: what each remedy does to small objects, what it takes, and what it breaks.

What uses the object's box is never set beside what does not. A direction ("gain shown") is written
only where the test of the row gives one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from smallsight.remedies.facts import NEEDS, Needs, Serves
from smallsight.report.rows import Row, keyed
from smallsight.report.section import Section
from smallsight.report.sections import levers, more_examples
from smallsight.report.study import Study
from smallsight.report.text import (
    TASK_NAMES,
    amount,
    factor,
    listed,
    passes,
    points,
    times,
)
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, SCENE

PRIMARY_GROUP = "small"
"""The size group that remedies are ranked by."""


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
    HEADLINE_TASK, ("box", "box_head"), f"{TASK_NAMES[HEADLINE_TASK]}s, cut by the object’s box"
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
        What helps most without a box and with one, at what price, and what harms.
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


def lines(study: Study) -> list[str]:
    """Write what helps small objects most, a line for each kind of remedies."""
    return [line for kind in KINDS if (line := best_sentence(study, kind))]


def sentences(study: Study) -> list[str]:
    """Write what helps small objects most, kind by kind with its price, and what harms them."""
    found = [
        f"{line} {price_sentence(study, kind)}".strip()
        for kind in KINDS
        if (line := best_sentence(study, kind))
    ]
    return [sentence for sentence in [*found, harm_sentence(study)] if sentence]


def best_sentence(study: Study, kind: Kind) -> str:
    """Write which remedy of a kind helps small objects most.

    Without a gain that is shown, name the most favourable change; empty without such objects.
    """
    tried = _ranked(study, kind)
    if not tried:
        return ""
    best = _best(tried)
    if best is not None:
        row, cell = best
        return (
            f"In {kind.place}, the largest gain that is shown for {PRIMARY_GROUP} objects is by "
            f"“{row.label}”: {amount(cell['delta'], cell['ci_low'], cell['ci_high'])}."
        )
    row, cell = tried[0]
    verdict = "a loss is shown" if cell["direction"] == -1 else "not decided"
    change = points(cell["delta"], cell["ci_low"], cell["ci_high"])
    return (
        f"In {kind.place}, no gain is shown for {PRIMARY_GROUP} objects. The most favourable "
        f"change is by “{row.label}”: {change}, {verdict}."
    )


def _best(tried: Sequence[tuple[RemedyRow, Row]]) -> tuple[RemedyRow, Row] | None:
    """Return the largest gain that is shown; None where none is."""
    return next(((row, cell) for row, cell in tried if cell["direction"] == 1), None)


def _ranked(study: Study, kind: Kind) -> list[tuple[RemedyRow, Row]]:
    """Return the remedies of a kind with their row of small objects, the best first."""
    return [(row, row.primary) for row in rows(study, kind) if row.primary]


def price_sentence(study: Study, kind: Kind) -> str:
    """Write what the best remedy of a kind needs, takes and breaks; empty without a gain."""
    best = _best(_ranked(study, kind))
    if best is None:
        return ""
    row, _ = best
    broken = [
        f"{cell['broken']:.0f} {group}"
        for group, cell in zip(GROUPS, row.cells, strict=True)
        if cell
    ]
    said = [
        f"It needs {needs_words(row.needs)}.",
        _cost(row),
        f"It breaks objects that were right: {listed(broken)}.",
    ]
    if math.isfinite(row.size_factor):
        said.append(f"Objects {factor(row.size_factor)} times as wide would gain as much.")
    return " ".join(said)


def _cost(row: RemedyRow) -> str:
    """Write how many plain passes a remedy takes, and how long, where that is not the same."""
    taken, slower = passes(row.passes), times(row.ratio) if math.isfinite(row.ratio) else ""
    if taken == passes(1):
        said, is_plain = f"It costs one pass per {row.serves}", slower == times(1)
    else:
        said, is_plain = f"It takes {taken} times a plain pass per {row.serves}", False
    return f"{said}, and {slower} times its time." if slower and not is_plain else f"{said}."


def harm_sentence(study: Study) -> str:
    """Name what is shown to harm small objects; empty where nothing is."""
    harmful = (
        f"“{row.label}” in {kind.place}"
        for kind in KINDS
        for row, cell in _ranked(study, kind)
        if cell["direction"] == -1
    )
    names = list(harmful)
    return f"Shown to harm {PRIMARY_GROUP} objects: {listed(names)}." if names else ""


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
    parts=(more_examples.PART, levers.PART),
)
