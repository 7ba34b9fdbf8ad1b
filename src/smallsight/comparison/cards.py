"""Objects that turned, as the page shows them: each with its picture, boxed, and both answers."""

import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from PIL import Image

from smallsight.analysis.terms import FAILURE_CAUSES
from smallsight.comparison.comparison import Comparison
from smallsight.comparison.flips import choose_shown
from smallsight.comparison.inputs import Side, read_views
from smallsight.conditions.store import picture_name
from smallsight.report.pictures import Shot, close_up, shot
from smallsight.runtime.errors import PictureError
from smallsight.vocabulary import GROUPS, INSTANCE

_END = b"IEND\xaeB`\x82"
"""How a whole PNG file ends."""


@dataclass(frozen=True)
class View:
    """What one network saw: the picture, and the object in it enlarged."""

    shot: Shot
    close_up: Shot


@dataclass(frozen=True)
class Card:
    """One object that turned.

    Attributes
    ----------
    row
        `compare_turned.TURNED_COLUMNS`.
    views
        What the networks saw, by A and B; under no name where both saw the same.
    cause
        What the study in which it fails suggests, or nothing.
    """

    row: Mapping[str, Any]
    views: Mapping[str, View]
    cause: str


class Row(NamedTuple):
    """Cards of one size group, and how many of it turned."""

    group: str
    number: int
    cards: list[Card]


class Gallery(NamedTuple):
    """Objects that turned one way: how many did, and some of them, by size group."""

    way: str
    number: int
    rows: list[Row]

    @property
    def shown(self) -> int:
        """How many of them are shown."""
        return sum(len(row.cards) for row in self.rows)


def gallery(found: Comparison, way: str, *, most: int) -> Gallery:
    """Make the cards of objects that turned one way, size groups without any left out.

    Parameters
    ----------
    way
        One of `compare_turned.WAYS`.
    most
        How many, at the most.

    Raises
    ------
    SmallsightError
        Where a picture or the table of boxes is missing or malformed.
    """
    turned = found.turned[found.turned["way"] == way]
    shown = choose_shown(turned, most=most)
    # A comparison in which nothing turned needs no pictures.
    boxes = [read_views(side).set_index(INSTANCE) for side in found.sides] if len(shown) else []
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for group in GROUPS:
            records = shown[shown["size_group"] == group].to_dict("records")
            cards = [_card(found, boxes, row, Path(folder)) for row in records]
            if cards:
                rows.append(Row(group, int((turned["size_group"] == group).sum()), cards))
    return Gallery(way, len(turned), rows)


def _card(
    found: Comparison, boxes: Sequence[pd.DataFrame], row: Mapping[str, Any], folder: Path
) -> Card:
    a, b = (_view(side, table, row, folder) for side, table in zip(found.sides, boxes, strict=True))
    cause = FAILURE_CAUSES.get(row["cause"])
    return Card(
        row=row,
        views={"": b} if a == b else {"A": a, "B": b},
        cause=cause.label if cause else "",
    )


def _view(side: Side, boxes: pd.DataFrame, row: Mapping[str, Any], folder: Path) -> View:
    """Fetch an object's untouched picture, as one study's network saw it."""
    ids = row["image_id"], row["ann_id"]
    name = f"{side.files.pictures}/{picture_name(*ids)}"
    content = side.revision.read(name)
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            size = picture.width
    except OSError:
        size = 0
    # Once WeasyPrint is loaded, Pillow lets half a picture pass.
    if not (size and content.endswith(_END)):
        raise PictureError(f"{name} at {side.revision.name}", "no picture", "a whole PNG file")
    if ids not in boxes.index:
        where = f"{side.files.views} at {side.revision.name}"
        raise PictureError(where, f"no row of {picture_name(*ids)}", "one of each object")
    path = folder / picture_name(*ids)
    path.write_bytes(content)
    about = boxes.loc[ids].to_dict() | {"input_size": size}
    return View(shot(str(path), about), close_up(str(path), about))
