"""The same objects under every condition, in their windows where these were shown; on paper."""

import math
from dataclasses import dataclass

from smallsight.report.cards import Card, read_card
from smallsight.report.rows import Row, records
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import GROUPS, SCENE

_ACROSS = 9
"""Most pictures side by side."""


@dataclass(frozen=True)
class Strip:
    """One object, whole and under every condition.

    Attributes
    ----------
    group
        Its size group.
    first
        The whole picture's row of the table.
    columns
        Pictures side by side.
    cards
        The whole picture's card, then one per condition of the window.
    """

    group: str
    first: Row
    columns: int
    cards: list[Card]


@dataclass(frozen=True)
class Strips:
    """What the section shows.

    Attributes
    ----------
    scene, window
        What the two tasks are called; the latter is empty where no windows were shown.
    strips
        An object of each size group.
    """

    scene: str
    window: str
    strips: list[Strip]


def rows(study: Study) -> list[Strip]:
    """Return a strip per size group that has one."""
    found = []
    for group in GROUPS:
        part = records(study.strips[study.strips["size_group"] == group])
        if part:
            lines = math.ceil(len(part) / _ACROSS)
            cards = [read_card(study, row) for row in part]
            found.append(Strip(group, part[0], math.ceil(len(part) / lines), cards))
    return found


def build(study: Study) -> Strips | None:
    """Return what the section shows of a study; None where no object was drawn."""
    found = rows(study)
    return Strips(TASK_NAMES[SCENE], study.window, found) if found else None


SHEET = Section(
    name="sheets/conditions",
    build=build,
    anchor="strips",
    title="Conditions, on the same objects",
    contents="Conditions",
)
