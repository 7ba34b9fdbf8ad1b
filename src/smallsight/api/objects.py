"""The objects that predictions are about, from a table or from COCO's JSON: boxes and sizes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallsight.api.columns import POSITIVE, as_names, as_numbers, as_whole, identify, read_file
from smallsight.api.options import kind_of
from smallsight.datasets import coco
from smallsight.runtime.errors import SmallsightError
from smallsight.sampling.sizes import size_groups
from smallsight.vocabulary import INSTANCE

ObjectSource = pd.DataFrame | Mapping[str, Any] | str | Path
"""A table, a COCO tree, or the path of either."""


@dataclass(frozen=True)
class Objects:
    """Every annotated object of the pictures.

    Attributes
    ----------
    where
        What errors call them.
    table
        A row per object: image_id, ann_id, category_name, bbox_w and bbox_h (in pixels), bbox_area
        (in square pixels), area_ratio (the box's share of the picture), size_group, iscrowd.
    """

    where: str
    table: pd.DataFrame

    def of_categories(self, categories: Collection[str]) -> pd.DataFrame:
        """Return the objects of these categories: the others are none of the study's."""
        return self.table[self.table["category_name"].isin(categories)]

    @property
    def side_counts(self) -> dict[str, int]:
        """Number of objects that are no crowd, by side in pixels of their picture, rounded down."""
        single = self.table[self.table["iscrowd"] == 0]
        sides = np.floor(np.sqrt(single["bbox_area"])).astype(int)
        return {str(side): int(n) for side, n in sides.value_counts().sort_index().items()}


def read_objects(source: ObjectSource) -> Objects:
    """Read objects from a table or COCO's JSON, and check them.

    Parameters
    ----------
    source
        A DataFrame, or a CSV or Parquet file, with the columns image_id and ann_id (or a single id,
        where each object has a picture of its own), category_name, bbox_w and bbox_h in pixels, and
        img_area or width and height of the picture; or a COCO tree, or the path of its JSON.

    Raises
    ------
    SmallsightError
        For the first thing that is missing, malformed or impossible.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "image_id": [7, 7], "ann_id": [1, 2], "category_name": ["car", "bus"],
    ...     "bbox_w": [8.0, 40.0], "bbox_h": [8.0, 50.0], "width": 100, "height": 100,
    ... })
    >>> read_objects(frame).table[["ann_id", "area_ratio", "size_group"]].values.tolist()
    [[1, 0.0064, 'small'], [2, 0.2, 'large']]
    """
    if isinstance(source, pd.DataFrame):
        return _from_table(source, "objects")
    if isinstance(source, Mapping):
        return _from_coco(dict(source), "objects")
    if not isinstance(source, str | Path):
        expected = "a DataFrame, a COCO tree, or the path of either"
        raise SmallsightError("objects", kind_of(source), expected)
    if Path(source).suffix == ".json":
        return _from_coco(coco.load(source), str(source))
    return _from_table(read_file(source, text=("category_name",)), str(source))


def _from_table(frame: pd.DataFrame, where: str) -> Objects:
    frame = identify(frame, where)
    if frame.duplicated(INSTANCE).any():
        image, number = frame.loc[frame.duplicated(INSTANCE), INSTANCE].iloc[0]
        raise SmallsightError(where, f"image {image}, object {number} twice", "a row per object")
    sides = {
        name: as_numbers(frame, name, where, POSITIVE)
        for name in ("bbox_w", "bbox_h", *_size_columns(frame, where))
    }
    crowd = as_whole(frame, "iscrowd", where) if "iscrowd" in frame else 0
    return _arranged(
        frame[INSTANCE].assign(
            category_name=as_names(frame, "category_name", where),
            bbox_w=sides["bbox_w"],
            bbox_h=sides["bbox_h"],
            iscrowd=crowd,
        ),
        img_area=sides["img_area"] if "img_area" in sides else sides["width"] * sides["height"],
        where=where,
    )


def _size_columns(frame: pd.DataFrame, where: str) -> tuple[str, ...]:
    """Return the columns that tell the picture's size."""
    for names in (("img_area",), ("width", "height")):
        if set(names) <= set(frame):
            return names
    raise SmallsightError(where, "no size of the pictures", "img_area, or width and height")


def _from_coco(tree: dict[str, Any], where: str) -> Objects:
    entries = tree.get("categories")
    names = [
        entry["name"]
        for entry in (entries if coco.is_list(entries) else ())
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    ]
    dataset = coco.parse(tree, names, where=where)
    found = dataset.annotations.merge(dataset.images, on="image_id", validate="m:1")
    columns = [*INSTANCE, "category_name", "bbox_w", "bbox_h", "iscrowd"]
    img_area = (found["width"] * found["height"]).to_numpy(float)
    return _arranged(found[columns], img_area=img_area, where=where)


def _arranged(table: pd.DataFrame, *, img_area: np.ndarray, where: str) -> Objects:
    area = table["bbox_w"] * table["bbox_h"]
    ratio = area / img_area
    groups = size_groups(ratio.to_numpy())
    return Objects(where, table.assign(bbox_area=area, area_ratio=ratio, size_group=groups))
