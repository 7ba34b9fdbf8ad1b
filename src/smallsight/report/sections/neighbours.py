"""Whether failures of the whole picture are named as another object of it."""

from dataclasses import dataclass

from smallsight.analysis.terms import NEIGHBOURS, Term
from smallsight.report.rows import Row, keyed
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES, amount, counted, percent
from smallsight.vocabulary import ALL_AND_GROUPS, SCENE


@dataclass(frozen=True)
class NeighbourRow:
    """What the failures of one size group are named.

    Attributes
    ----------
    group
        The size group, or "all".
    n_one, n_several
        Failures in pictures of one category, and in pictures of several.
    cells
        Rows of the table of neighbours, one place for each kind of neighbour.
    """

    group: str
    n_one: int
    n_several: int
    cells: list[Row | None]


@dataclass(frozen=True)
class Neighbours:
    """What the section shows.

    Attributes
    ----------
    task
        What the task is called.
    rows
        What failures are named, by size group.
    kinds
        The kinds of neighbours.
    sentence
        What the table says of small objects; may be empty.
    """

    task: str
    rows: list[NeighbourRow]
    kinds: list[Term]
    sentence: str


def rows(study: Study) -> list[NeighbourRow]:
    """Return what failures are named, a row per size group that has failures."""
    by_key = keyed(study.tables["neighbours"], "size_group", "pictures", "neighbour")
    found = []
    for group in ALL_AND_GROUPS:
        several = [by_key.get((group, "several", kind)) for kind in NEIGHBOURS]
        one = by_key.get((group, "one", "any"))
        n_one, n_several = (int(row["failed"]) if row else 0 for row in (one, several[0]))
        if n_one or n_several:
            found.append(NeighbourRow(group, n_one, n_several, several))
    return found


def sentence(study: Study, group: str) -> str:
    """Write how often failures of one size group name a neighbour; empty where there are none."""
    by_key = keyed(study.tables["neighbours"], "size_group", "pictures", "neighbour")
    anyone, larger = (by_key.get((group, "several", kind)) for kind in NEIGHBOURS)
    if anyone is None or larger is None or not anyone["failed"]:
        return ""
    noun = "failed object" if group == "all" else f"failed {group} object"
    failed = counted(int(anyone["failed"]), noun)
    return (
        f"Of {failed} in pictures of several categories, {percent(anyone['share'])} are named as "
        f"another object of the picture. {_against_chance(anyone, 'That')} "
        f"{_against_chance(larger, 'Named as a larger object, it')}"
    )


def _against_chance(row: Row, subject: str) -> str:
    if row["direction"] == -1:
        fewer = amount(-row["excess"], -row["ci_high"], -row["ci_low"])
        return f"{subject} is {fewer} less than by chance: shown."
    more = amount(row["excess"], row["ci_low"], row["ci_high"])
    verdict = "shown" if row["direction"] == 1 else "not decided"
    return f"{subject} is {more} more than by chance: {verdict}."


def build(study: Study) -> Neighbours | None:
    """Return what the section shows of a study; None where no other objects are known."""
    if study.tables["neighbours"].empty:
        return None
    return Neighbours(
        task=TASK_NAMES[SCENE],
        rows=rows(study),
        kinds=list(NEIGHBOURS.values()),
        sentence=sentence(study, "small"),
    )


SECTION = Section(
    name="neighbours",
    build=build,
    anchor="neighbours",
    title="What failures are taken for",
)
