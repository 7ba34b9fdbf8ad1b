"""Shows flips in the headline task as cards: an object's picture, and what each study names it."""

import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from smallsight.analysis.terms import describe_part
from smallsight.comparison.comparison import Comparison
from smallsight.comparison.flips import choose_shown
from smallsight.comparison.inputs import Side, read_views
from smallsight.conditions.rendered.store import picture_name
from smallsight.report.pictures import Shot, shot
from smallsight.report.rows import Row, records
from smallsight.runtime.errors import PictureError
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, SCENE

_END = b"IEND\xaeB`\x82"
"""The last bytes of a whole PNG file."""


@dataclass(frozen=True)
class SeenObject:
    """An object as a network saw it.

    Attributes
    ----------
    studies
        A or B; empty where both networks saw the same.
    picture, window
        The whole picture, and the object's window.
    """

    studies: str
    picture: Shot
    window: Shot


@dataclass(frozen=True)
class Answer:
    """The answer of one study to which category an object has.

    Attributes
    ----------
    study
        A or B.
    named
        The category that it names.
    seeds
        How many of its seeds are right, of how many; empty where there is one seed.
    """

    study: str
    named: str
    is_right: bool
    seeds: str


@dataclass(frozen=True)
class FlipCard:
    """An object that flipped.

    Attributes
    ----------
    name
        `<image_id>_<ann_id>`, the name of its picture.
    side
        In pixels of A's input.
    cause
        What the ladder of the study in which it fails suggests; empty where that study recognises
        it in the whole picture.
    """

    name: str
    category: str
    size_group: str
    side: float
    seen: tuple[SeenObject, ...]
    answers: tuple[Answer, Answer]
    cause: str


@dataclass(frozen=True)
class CardRow:
    """Cards of one size group, and how many of its objects flipped this way."""

    group: str
    number: int
    cards: tuple[FlipCard, ...]


@dataclass(frozen=True)
class FlipGallery:
    """Objects that flipped one way: how many did, and cards of some, by size group."""

    flip: str
    number: int
    rows: tuple[CardRow, ...]

    @property
    def shown(self) -> int:
        """Number of the cards."""
        return sum(len(row.cards) for row in self.rows)


def make_gallery(comparison: Comparison, flip: str, *, most: int) -> FlipGallery:
    """Make the cards of objects that flipped one way in the headline task.

    Parameters
    ----------
    flip
        One of `flips.FLIPS`.
    most
        The largest number of cards.

    Returns
    -------
    FlipGallery
        Its rows leave out the size groups without any card.

    Raises
    ------
    SmallsightError
        If a picture or the table of boxes is missing or malformed.
    """
    flips = comparison.headline.flips
    flips = flips[flips["flip"] == flip]
    shown = choose_shown(flips, most=most)
    # Without any flip, no picture is needed.
    boxes = [read_views(side) for side in comparison.sides] if len(shown) else []
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for group in GROUPS:
            chosen = records(shown[shown["size_group"] == group])
            cards = tuple(_card(comparison, boxes, row, Path(folder)) for row in chosen)
            if cards:
                rows.append(CardRow(group, int((flips["size_group"] == group).sum()), cards))
    return FlipGallery(flip, len(flips), tuple(rows))


def _card(
    comparison: Comparison, boxes: Sequence[Mapping[str, pd.DataFrame]], row: Row, folder: Path
) -> FlipCard:
    a, b = (
        _see(side, by_task, row, folder)
        for side, by_task in zip(comparison.sides, boxes, strict=True)
    )
    return FlipCard(
        name=f"{row['image_id']}_{row['ann_id']}",
        category=row["category_name"],
        size_group=row["size_group"],
        side=row["side"],
        seen=(SeenObject("", *b),) if a == b else (SeenObject("A", *a), SeenObject("B", *b)),
        answers=(_answer(comparison, row, 0), _answer(comparison, row, 1)),
        cause=describe_part(row["cause"]).label if row["cause"] else "",
    )


def _answer(comparison: Comparison, row: Row, number: int) -> Answer:
    study = "AB"[number]
    named, right = row[f"named_{study.lower()}"], row[f"right_{study.lower()}"]
    seeds = comparison.pair.tables[number].predictions["seed"].nunique()
    return Answer(
        study=study,
        named=named,
        is_right=named == row["category_name"],
        seeds=f"{round(right * seeds)}/{seeds}" if seeds > 1 else "",
    )


def _see(
    side: Side, boxes: Mapping[str, pd.DataFrame], row: Row, folder: Path
) -> tuple[Shot, Shot]:
    """Read an object's untouched picture and its window, as one study's network saw them."""
    files = side.files
    picture = _shot(side, files.pictures, boxes[SCENE], row, folder)
    return picture, _shot(side, files.windows, boxes[HEADLINE_TASK], row, folder)


def _shot(side: Side, pictures: str, boxes: pd.DataFrame, row: Row, folder: Path) -> Shot:
    ids = row["image_id"], row["ann_id"]
    name = f"{pictures}/{picture_name(*ids)}"
    content = side.revision.read_picture(pictures, picture_name(*ids))
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            size = picture.width
    except OSError:
        size = 0
    # Once WeasyPrint is loaded, Pillow opens half a picture without an error.
    if not (size and content.endswith(_END)):
        raise PictureError(f"{name} at {side.revision.name}", "no picture", "a whole PNG file")
    if ids not in boxes.index:
        where = f"{side.files.views} at {side.revision.name}"
        raise PictureError(where, f"no row of {picture_name(*ids)}", "one of each object")
    path = folder / picture_name(*ids)
    path.write_bytes(content)
    about: dict[str, Any] = {**dict(boxes.loc[ids]), "input_size": size}
    return shot(str(path), about)
