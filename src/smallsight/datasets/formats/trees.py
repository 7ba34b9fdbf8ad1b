"""Raw COCO trees, made of what a format's files say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from smallsight.datasets.formats.picture_files import Size

DECIMALS = 6
"""Decimals of a coordinate, in pixels: shares of a picture give whole pixels back."""


@dataclass(frozen=True)
class Shape:
    """An annotated object.

    Attributes
    ----------
    category
        The id of its category.
    box
        Left edge, upper edge, width and height, in pixels.
    polygon
        x and y of each corner in turn, in pixels; empty where it has none.
    crowd
        Whether it is a crowd, as the file says it.
    """

    category: int
    box: tuple[float, float, float, float]
    polygon: tuple[float, ...] = ()
    crowd: object = 0

    @classmethod
    def of_polygon(cls, category: int, polygon: Iterable[float]) -> "Shape":
        """Return a polygon with the box around it."""
        polygon = tuple(polygon)
        xs, ys = polygon[::2], polygon[1::2]
        box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
        return cls(category, box, polygon)

    @property
    def area(self) -> float:
        """The area of the polygon, or else of the box, in square pixels."""
        if not self.polygon:
            return self.box[2] * self.box[3]
        xs, ys = np.array(self.polygon[::2]), np.array(self.polygon[1::2])
        return float(abs(xs @ np.roll(ys, -1) - ys @ np.roll(xs, -1)) / 2)


@dataclass(frozen=True)
class Picture:
    """A picture and its objects; `name` is its path in the folder of pictures."""

    name: str
    size: Size
    shapes: tuple[Shape, ...]


def make_tree(pictures: Iterable[Picture], categories: Mapping[int, str]) -> dict[str, Any]:
    """Make a tree of pictures and objects, which are numbered from 1 in their order."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, picture in enumerate(pictures, start=1):
        images.append({"id": number, "file_name": picture.name, **picture.size._asdict()})
        annotations += (_annotation(shape, number) for shape in picture.shapes)
    return {
        "images": images,
        "annotations": [{"id": n, **entry} for n, entry in enumerate(annotations, start=1)],
        "categories": [{"id": key, "name": name} for key, name in sorted(categories.items())],
    }


def _annotation(shape: Shape, image_id: int) -> dict[str, Any]:
    entry = {
        "image_id": image_id,
        "category_id": shape.category,
        "bbox": [round(value, DECIMALS) for value in shape.box],
        "area": round(shape.area, DECIMALS),
        "iscrowd": shape.crowd,
    }
    if shape.polygon:
        entry["segmentation"] = [[round(value, DECIMALS) for value in shape.polygon]]
    return entry
