"""How often an answer changes when what is shown is moved by a few pixels."""

from dataclasses import dataclass

from smallsight.report.rows import Row, keyed
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES, with_ends
from smallsight.vocabulary import ALL_AND_GROUPS

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
    """Write how often answers on small and on large objects change; empty where none is known."""
    by_key = _by_key(study)
    said = [
        f"{with_ends(row['flip_rate'], row['ci_low'], row['ci_high'])} on {group} objects"
        for group in ("small", "large")
        if (row := by_key.get((study.headline_regime, group)))
    ]
    if not said:
        return ""
    return (
        f"Where what is shown is shifted by up to {_reach(study)} input pixels, the share of "
        f"answers that change is {' against '.join(said)}, no verdict."
    )


def _reach(study: Study) -> str:
    """Return by how many input pixels at most pictures are moved along each axis."""
    return study.families[_FAMILY].conditions[0].options["reach"]


def build(study: Study) -> Stability | None:
    """Return what the section shows of a study; None where nothing was moved."""
    found = rows(study)
    if not found:
        return None
    known = next(cell for row in found for cell in row.cells if cell)
    return Stability(
        task=TASK_NAMES[study.headline_task],
        reach=_reach(study),
        draws=int(known["draws"]),
        sentence=sentence(study),
        rows=found,
    )


SECTION = Section(
    name="stability",
    build=build,
    anchor="stability",
    title="How stable the answers are",
)
