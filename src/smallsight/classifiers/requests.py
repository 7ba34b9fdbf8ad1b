"""Requests: which pictures a program, or whoever makes a table, is asked about."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from smallsight.backbones.features import picture_names
from smallsight.classifiers.answers import Name
from smallsight.conditions.rendered.names import Condition
from smallsight.conditions.rendered.store import archive_of, distinct
from smallsight.conditions.rendered.views import read_views
from smallsight.runtime import files
from smallsight.runtime.tables import Table, text

REQUESTS = Table(
    "requests",
    "what has to be predicted: a row per picture",
    (
        text("image", "the picture: <image_id>_<ann_id>.png, after the object that it is of"),
        text("condition", "<task>/<family>/<level>, or in words what else was done to it"),
        text("path", "where it lies, from the folder of this file"),
    ),
)


def list_requests(folder: Path, conditions: Iterable[Condition], *, unpacked: Path) -> pd.DataFrame:
    """List the different pictures of conditions, as the stage `features` asks about them.

    Parameters
    ----------
    folder
        Holds all families.
    unpacked
        Where `store.unpack` puts the pictures of archives.

    Returns
    -------
    DataFrame
        The columns of `REQUESTS`; equal pictures of a condition are listed once, by the name of
        the first.
    """
    rows = []
    for condition in conditions:
        views = read_views(folder, condition)
        place = folder / condition.folder
        first, _ = distinct(place, views)
        names = picture_names(views.iloc[first], condition.asked)
        there = unpacked / condition.folder if archive_of(place).exists() else place
        rows += [(image, asked, (there / image).as_posix()) for image, asked in names]
    return pd.DataFrame(rows, columns=REQUESTS.names)


def write_requests(pictures: np.ndarray, names: Sequence[Name], folder: Path) -> Path:
    """Write pictures, (n, size, size, 3), uint8, losslessly; return the path of a list of them."""
    paths = [f"pictures/{number:06d}.png" for number in range(len(pictures))]
    (folder / "pictures").mkdir()
    for picture, path in zip(pictures, paths, strict=True):
        Image.fromarray(picture).save(folder / path, compress_level=1)
    rows = [(*name, path) for name, path in zip(names, paths, strict=True)]
    requests = folder / "requests.csv"
    files.write_table(pd.DataFrame(rows, columns=REQUESTS.names), requests)
    return requests
