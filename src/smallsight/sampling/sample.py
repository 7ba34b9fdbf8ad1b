"""The sample as a table: its columns, its categories, and reading them back."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smallsight.runtime import files
from smallsight.runtime.errors import SampleError
from smallsight.runtime.tables import Table, identifier, number, parse_table, text, whole
from smallsight.vocabulary import ANN_ID, CATEGORY_NAME, IMAGE_ID, SIZE_GROUP

_CATEGORY_ID = identifier("category_id", "the object's category, as the annotations number it")

_BOX = (
    number("bbox_x", "left edge of the object's box, in pixels"),
    number("bbox_y", "upper edge of the box, in pixels"),
    number("bbox_w", "width of the box, in pixels"),
    number("bbox_h", "height of the box, in pixels"),
)

SAMPLE = Table(
    "samples_step1_person_limited",
    "the balanced sample: a row per instance",
    (
        IMAGE_ID,
        text("file_name", "the picture's name in the annotations"),
        text("image_path", "path of the picture"),
        ANN_ID,
        _CATEGORY_ID,
        CATEGORY_NAME,
        *_BOX,
        number("bbox_area", "area of the box, in square pixels"),
        whole("img_area", "area of the picture, in square pixels"),
        number("area_ratio", "bbox_area over img_area"),
        SIZE_GROUP,
    ),
)

OBJECTS = Table(
    "objects",
    "every annotated object of the sampled pictures, crowds and tiny ones too",
    (
        IMAGE_ID,
        ANN_ID,
        _CATEGORY_ID,
        CATEGORY_NAME,
        *_BOX,
        number("area", "area of the object's mask, in square pixels"),
        whole("iscrowd", "1 where the annotation is of a crowd, else 0"),
    ),
)


def write_categories(names: Sequence[str], path: str | Path) -> None:
    """Write the names of the study's categories, in its order, as JSON."""
    files.write_text(json.dumps(list(names), ensure_ascii=False) + "\n", path)


def read_categories(path: str | Path) -> tuple[str, ...]:
    """Read the names that `write_categories` wrote.

    Raises
    ------
    SampleError
        Where the file is missing or holds something else.
    """
    try:
        names = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SampleError(path, str(error), "a readable list of names in JSON") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SampleError(path, "something else", "a list of names in JSON")
    return tuple(names)


def read_sample(path: str | Path) -> pd.DataFrame:
    """Read a sample from a CSV file.

    Returns
    -------
    DataFrame
        The columns of `SAMPLE`, and those that follow them in the file.

    Raises
    ------
    SmallsightError
        Where the file is missing, does not begin with the columns of `SAMPLE`, or one of these
        holds something else than it should.
    """
    sample = parse_table(path, SAMPLE, where=path)
    found = list(sample.columns[: len(SAMPLE.names)])
    if found != SAMPLE.names:
        raise SampleError(path, f"columns {', '.join(found)}", ", ".join(SAMPLE.names))
    return sample
