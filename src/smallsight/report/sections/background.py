"""What an object's surroundings do, and what they predict alone."""

import math
from dataclasses import dataclass

from smallsight.report.rows import Row, keyed
from smallsight.report.section import Part
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES, points
from smallsight.vocabulary import ALL_AND_GROUPS


@dataclass(frozen=True)
class BackgroundRow:
    """Accuracy in other surroundings, of one size group.

    Attributes
    ----------
    group
        The size group, or "all".
    n
        Objects of the first regime; None where it has no such row.
    cells
        Rows of the table of the background, one place for each regime.
    """

    group: str
    n: int | None
    cells: list[Row | None]


@dataclass(frozen=True)
class Background:
    """What the part shows.

    Attributes
    ----------
    task
        What the task is called.
    rows
        The numbers.
    sentence
        What they say of small objects; may be empty.
    has_surroundings_alone
        Whether surroundings were also shown without the object.
    chance
        Accuracy of guessing.
    """

    task: str
    rows: list[BackgroundRow]
    sentence: str
    has_surroundings_alone: bool
    chance: float


def rows(study: Study) -> list[BackgroundRow]:
    """Return what surroundings do, a row per size group with any."""
    by_key = keyed(study.tables["background"], "regime", "size_group")
    found = []
    for group in ALL_AND_GROUPS:
        cells = [by_key.get((regime, group)) for regime in study.regimes]
        counts = [max(int(row["n"]), int(row["n_context"])) if row else None for row in cells]
        if any(counts):
            found.append(BackgroundRow(group, counts[0], cells))
    return found


def sentence(study: Study) -> str:
    """Write how far the two kinds of surroundings lie apart for small objects; no verdict."""
    by_key = keyed(study.tables["background"], "regime", "size_group")
    row = by_key.get((study.headline_regime, "small"))
    if row is None or not row["n"] or not math.isfinite(row["gap"]):
        return ""
    return (
        "On small objects, accuracy with surroundings of their own category differs by "
        f"{points(row['gap'], row['ci_low'], row['ci_high'])}, no verdict."
    )


def build(study: Study) -> Background | None:
    """Return what the part shows of a study; None where nothing was evaluated for it."""
    found = rows(study)
    if not found:
        return None
    cells = [cell for row in found for cell in row.cells if cell]
    return Background(
        task=TASK_NAMES[study.headline_task],
        rows=found,
        sentence=sentence(study),
        has_surroundings_alone=any(cell["n_context"] for cell in cells),
        chance=study.chance,
    )


def build_without_ladder(study: Study) -> Background | None:
    """Return the same where there is no ladder that it could stand under."""
    return None if study.has_ladder else build(study)


UNDER_LADDER = Part(name="background", build=build)
UNDER_EFFECTS = Part(name="background", build=build_without_ladder)
