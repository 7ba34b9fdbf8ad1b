"""How often an answer changes when what is shown is moved by a few pixels."""

from dataclasses import dataclass

from smallsight.report.rows import Row, keyed
from smallsight.report.section import Section
from smallsight.report.study import Study, by_regime
from smallsight.report.text import TASK_NAMES, listed, percent, percent_span
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS

_FAMILY = "shift"
"""The family that moves what is shown."""


@dataclass(frozen=True)
class StabilityRow:
    """One size group, or all objects: a row of the table of stability per regime."""

    group: str
    n: int
    cells: list[Row | None]


@dataclass(frozen=True)
class Stability:
    """What the section shows.

    Attributes
    ----------
    task
        What the task is called.
    reach
        By how many input pixels at most it is moved along each axis.
    draws
        How often every picture is moved.
    sentence
        How often answers change, by size.
    rows
        The numbers.
    """

    task: str
    reach: str
    draws: int
    sentence: str
    rows: list[StabilityRow]


def _by_key(study: Study) -> dict[tuple[object, ...], Row]:
    table = study.tables["stability"]
    known = table[(table["task"] == study.headline_task) & (table["n"] > 0)]
    return keyed(known[known["flip_rate"].notna()], "regime", "size_group")


def rows(study: Study) -> list[StabilityRow]:
    """Return how often answers change, a row per size group that has objects."""
    by_key = _by_key(study)
    found = []
    for group in ALL_AND_GROUPS:
        cells = [by_key.get((regime, group)) for regime in study.regimes]
        counts = [int(cell["n"]) for cell in cells if cell]
        if counts:
            found.append(StabilityRow(group, counts[0], cells))
    return found


def sentence(study: Study) -> str:
    """Write how often answers change, by size; empty where nothing was moved."""
    start = "Answers that change when what is shown is moved, by size of the object"
    return by_regime(study, start, _clause)


def _clause(study: Study, regime: str) -> str:
    by_key = _by_key(study)
    found = [row for group in GROUPS if (row := by_key.get((regime, group)))]
    return listed(
        [
            f"{row['size_group']} {percent(row['flip_rate'])} "
            f"({percent_span(row['ci_low'], row['ci_high'])})"
            for row in found
        ]
    )


def build(study: Study) -> Stability | None:
    """Return what the section shows of a study; None where nothing was moved."""
    found = rows(study)
    if not found:
        return None
    known = next(cell for row in found for cell in row.cells if cell)
    return Stability(
        task=TASK_NAMES[study.headline_task],
        reach=study.families[_FAMILY].conditions[0].options["reach"],
        draws=int(known["draws"]),
        sentence=sentence(study),
        rows=found,
    )


SECTION = Section(
    name="stability",
    build=build,
    anchor="stability",
    title="How stable the answers are",
    contents="Stability",
)
