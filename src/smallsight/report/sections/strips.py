"""The same objects whole, and in their windows under every condition; on paper."""

import math
from dataclasses import dataclass

from smallsight.report.cards import Card, read_card
from smallsight.report.rows import Row, records
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, SCENE

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
        What the two tasks are called.
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


def build(study: Study) -> Strips:
    """Return what the section shows of a study."""
    return Strips(TASK_NAMES[SCENE], TASK_NAMES[HEADLINE_TASK], rows(study))


SECTION = Section(
    name="strips",
    build=build,
    anchor="strips",
    title="The conditions, on the same objects",
    forms=("paper",),
    count_figures=lambda context: len(context.strips),
)
