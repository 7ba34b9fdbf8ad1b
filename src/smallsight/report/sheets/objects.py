"""Small objects drawn by seed, recognised beside failed ones, in every task."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import pandas as pd

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.cards import Card, read_card
from smallsight.report.rows import keyed, records
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES, counted
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, INSTANCE, SCENE


@dataclass(frozen=True)
class Mesh:
    """A map's cells and the largest box of a gallery's whole pictures, at one scale.

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
class Shown:
    """One object in both tasks: in the whole picture, and in its window where that was shown."""

    whole: Card
    window: Card | None


@dataclass(frozen=True)
class Pair:
    """An object recognised in the whole picture beside a failed one; one may be missing."""

    correct: Shown | None
    failed: Shown | None


@dataclass(frozen=True)
class Gallery:
    """What the sheet shows: objects of one size group.

    Attributes
    ----------
    scene, window
        What the two tasks are called; the latter is empty where no windows were shown.
    group
        The size group.
    objects
        All objects, in the order of the table.
    pairs
        Recognised beside failed ones.
    n_correct, n_failed
        How many of either are shown.
    n_window
        How many of those that are shown are recognised in their windows; None without windows.
    of_correct, of_failed
        How many there are, with their noun.
    mesh
        The cells of their maps.
    """

    scene: str
    window: str
    group: str
    objects: list[Shown]
    pairs: list[Pair]
    n_correct: int
    n_failed: int
    n_window: int | None
    of_correct: str
    of_failed: str
    mesh: Mesh


def gallery(study: Study) -> Gallery | None:
    """Return the smallest objects that were drawn, or None where there are none."""
    group = next((one for one in GROUPS if (study.gallery["size_group"] == one).any()), None)
    if group is None:
        return None
    part = study.gallery[study.gallery["size_group"] == group]
    objects = [_shown(study, one) for _, one in part.groupby(INSTANCE, sort=False)]
    n_correct = sum(one.whole.is_correct for one in objects)
    return Gallery(
        scene=TASK_NAMES[SCENE],
        window=study.window,
        group=group,
        objects=objects,
        pairs=_pairs(objects),
        n_correct=n_correct,
        n_failed=len(objects) - n_correct,
        n_window=_count_windows(objects),
        of_correct=count_objects(study, group, "correct"),
        of_failed=count_objects(study, group, "failed"),
        mesh=_mesh(study, part[part["task"] == SCENE]),
    )


def _shown(study: Study, part: pd.DataFrame) -> Shown:
    """Read the cards of one object, a row of the table for each task."""
    by_task = keyed(part, "task")
    window = by_task.get((HEADLINE_TASK,))
    whole = read_card(study, by_task[SCENE,])
    return Shown(whole, None if window is None else read_card(study, window))


def _count_windows(objects: Sequence[Shown]) -> int | None:
    """Count the objects that are recognised in their windows; None without windows."""
    windows = [one.window for one in objects if one.window is not None]
    return sum(card.is_correct for card in windows) if windows else None


def _pairs(objects: Sequence[Shown]) -> list[Pair]:
    """Put recognised objects beside failed ones; the shorter side ends in None."""
    correct = [one for one in objects if one.whole.is_correct]
    failed = [one for one in objects if not one.whole.is_correct]
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
    table = study.tables["attention"]
    by_key = keyed(table, "task", "map", "condition", "size_group", "outcome")
    row = by_key.get((SCENE, "predicted", UNTOUCHED, group, outcome))
    return counted(int(row["n"]) if row is not None else 0, "object")


SHEET = Section(
    name="sheets/objects",
    build=gallery,
    anchor="galleries",
    title="Small objects, recognised and failed",
    contents="Small objects",
)
