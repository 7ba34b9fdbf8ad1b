"""Thumbnails: all pictures of an object side by side in one small file."""

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from smallsight.conditions.rendered.store import picture_name, read_file
from smallsight.runtime.parallel import map_items
from smallsight.vocabulary import INSTANCE

SIDE = 96
"""Width and height of the largest thumbnail, in pixels."""

MOST = 1000
"""Number of objects of which all pictures are kept: a page that shows them still opens at once."""

_QUALITY = 65
"""Of WebP, 0 to 100."""


def write_thumbnails(table: pd.DataFrame, drawn: pd.DataFrame, *, folder: Path, size: int) -> None:
    """Write `<image_id>_<ann_id>.webp` for every instance.

    Parameters
    ----------
    table
        One row per picture, in the order in which those of an instance stand side by side:
        image_id, ann_id, picture (its path).
    drawn
        The instances of which all pictures are kept: image_id, ann_id. Others keep the first.
    folder
        A new folder.
    size
        Width and height of these pictures, in pixels.
    """
    folder.mkdir(parents=True)
    whole = set(zip(drawn["image_id"], drawn["ann_id"], strict=True))
    sheets = []
    groups: Any = table.groupby(INSTANCE)
    for key, part in groups:
        shown = [Path(path) for path in part["picture"]]
        sheets.append((shown if key in whole else shown[:1], folder / _name(*key)))
    map_items(
        partial(_write_sheet, side=min(size, SIDE)),
        sheets,
        description="thumbnails",
        prefer="threads",
    )


def thumbnail_paths(table: pd.DataFrame, folder: Path) -> list[str]:
    """Return the path of each row's thumbnails below a folder."""
    keys = zip(table["image_id"], table["ann_id"], strict=True)
    return [(folder / _name(*key)).as_posix() for key in keys]


def _name(image_id: int, ann_id: int) -> str:
    return Path(picture_name(image_id, ann_id)).with_suffix(".webp").name


def draw_whole(table: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the instances of which all pictures are kept: up to `MOST`, size groups taking turns.

    Parameters
    ----------
    table
        One row per instance: size_group.
    """
    mixed = table.sample(frac=1, random_state=rng)
    turn = mixed.groupby("size_group", sort=False).cumcount()
    return mixed.loc[turn.sort_values(kind="stable").index[:MOST]]


def _write_sheet(sheet: tuple[Sequence[Path], Path], *, side: int) -> None:
    shown, target = sheet
    row = Image.new("RGB", (side * len(shown), side))
    for place, path in enumerate(shown):
        with Image.open(io.BytesIO(read_file(path))) as picture:
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
            row.paste(picture, (side * place, 0))
    row.save(target, quality=_QUALITY, method=4)
