"""Objects drawn by seed, recognised beside failed ones; on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import pandas as pd

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.cards import Card, read_card
from smallsight.report.rows import keyed, records
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import counted
from smallsight.vocabulary import GROUPS


@dataclass(frozen=True)
class Mesh:
    """A map's cells and a gallery's largest box, at one scale.

    Attributes
    ----------
    size
        Width and height of the network's input, in pixels.
    edges
        Where cells begin and end, in input pixels.
    width, height
        Of the box, in input pixels.
    """

    size: int
    edges: list[float]
    width: float
    height: float


@dataclass(frozen=True)
class Pair:
    """A recognised object beside a failed one; one of them may be missing."""

    correct: Card | None
    failed: Card | None


@dataclass(frozen=True)
class Gallery:
    """Objects of one size group.

    Attributes
    ----------
    group
        The size group.
    cards
        All objects, in the order of the table.
    pairs
        Recognised beside failed ones.
    n_correct, n_failed
        How many of either are shown.
    of_correct, of_failed
        How many there are, with their noun.
    mesh
        The cells of their maps.
    """

    group: str
    cards: list[Card]
    pairs: list[Pair]
    n_correct: int
    n_failed: int
    of_correct: str
    of_failed: str
    mesh: Mesh


@dataclass(frozen=True)
class Galleries:
    """What the section shows."""

    galleries: list[Gallery]


def rows(study: Study) -> list[Gallery]:
    """Return a gallery per size group that has objects."""
    found = []
    for group in GROUPS:
        part = study.gallery[study.gallery["size_group"] == group]
        if part.empty:
            continue
        cards = [read_card(study, row) for row in records(part)]
        found.append(
            Gallery(
                group=group,
                cards=cards,
                pairs=_pairs(cards),
                n_correct=sum(card.is_correct for card in cards),
                n_failed=sum(not card.is_correct for card in cards),
                of_correct=count_objects(study, group, "correct"),
                of_failed=count_objects(study, group, "failed"),
                mesh=_mesh(study, part),
            )
        )
    return found


def _pairs(cards: Sequence[Card]) -> list[Pair]:
    """Put recognised objects beside failed ones; the shorter side ends in None."""
    correct = [card for card in cards if card.is_correct]
    failed = [card for card in cards if not card.is_correct]
    return [Pair(left, right) for left, right in zip_longest(correct, failed)]


def _mesh(study: Study, gallery: pd.DataFrame) -> Mesh:
    """Measure a map's cells and a gallery's largest box."""
    largest = max(records(gallery), key=lambda row: row["side"])
    size, cell = int(largest["input_size"]), float(study.about["cell"])
    return Mesh(
        size=size,
        edges=[round(number * cell, 2) for number in range(round(size / cell) + 1)],
        width=float(largest["box_w"]),
        height=float(largest["box_h"]),
    )


def count_objects(study: Study, group: str, outcome: str) -> str:
    """Count the objects that a gallery is drawn from, with their noun."""
    by_key = keyed(study.tables["attention"], "map", "condition", "size_group", "outcome")
    row = by_key.get(("predicted", UNTOUCHED, group, outcome))
    return counted(int(row["n"]) if row is not None else 0, "object")


def build(study: Study) -> Galleries:
    """Return what the section shows of a study."""
    return Galleries(rows(study))


SECTION = Section(
    name="galleries",
    build=build,
    anchor="galleries",
    title="Objects, recognised and failed",
    contents="Objects",
    forms=("paper",),
    count_figures=lambda context: len(context.galleries),
)
