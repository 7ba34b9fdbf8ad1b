"""Generated street scenes as a COCO dataset."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import Field

from smallsight import phantom
from smallsight.datasets.collecting import USUAL, PictureFacts, Reading
from smallsight.imaging import masks
from smallsight.imaging.decoding import verify_picture
from smallsight.imaging.jpeg import jpeg
from smallsight.params import Count, NotNegative, Section, Share
from smallsight.runtime import files, parallel
from smallsight.runtime.randomness import derive

COCO_IDS = {"person": 1, "bicycle": 2, "car": 3, "motorcycle": 4, "bus": 6, "truck": 8}
"""COCO's ids of the phantom's categories."""


class PhantomData(Section):
    """Generated street scenes; the dials are described in `smallsight.phantom.Dials`."""

    scenes: Count
    width: Annotated[int, Field(ge=160)]
    height: Annotated[int, Field(ge=120)]
    context: Share
    clutter: Share
    neighbours: Share
    class_mix: Share
    small_blur: NotNegative
    haze: Share
    noise: Share


@dataclass(frozen=True)
class Phantom:
    """Scenes 1 to `settings.scenes`.

    Each depends on the settings, the seed and its own number alone.
    """

    settings: PhantomData
    seed: int

    @property
    def where(self) -> str:
        """The generator."""
        return "phantom"

    @property
    def dials(self) -> phantom.Dials:
        """The generator's own settings."""
        return phantom.Dials(**self.settings.model_dump(exclude={"scenes"}))

    @property
    def folder(self) -> None:
        """The pictures are painted when they are fetched."""

    def annotations(self) -> dict[str, Any]:
        """Return the annotations of every scene, with their true masks, without painting any."""
        annotate = partial(_annotate, dials=self.dials, seed=self.seed)
        numbers = range(1, self.settings.scenes + 1)
        scenes = parallel.map_items(annotate, numbers, description="laying out scenes")
        annotations = [annotation for scene in scenes for annotation in scene]
        size = {"width": self.settings.width, "height": self.settings.height}
        return {
            "info": {"description": "smallsight's generated street scenes"},
            "images": [{"id": n, "file_name": file_name(n), **size} for n in numbers],
            "annotations": [{"id": n, **entry} for n, entry in enumerate(annotations, start=1)],
            "categories": [
                {"id": COCO_IDS[name], "name": name}
                for name in sorted(phantom.CATEGORIES, key=COCO_IDS.__getitem__)
            ],
        }

    def fetch(
        self, images: pd.DataFrame, folder: str | Path, reading: Reading = USUAL
    ) -> PictureFacts:
        """Replace a folder by these pictures, painted anew.

        Pictures that are there already are not used: nothing in them tells with which dials or
        which version of the generator they were painted.
        """
        with files.new_folder(folder) as new:
            paint = partial(_paint, dials=self.dials, seed=self.seed, folder=new)
            items = list(images.itertuples(index=False, name=None))
            parallel.map_items(paint, items, description="painting pictures")
        return PictureFacts(self.where)


def file_name(image_id: int) -> str:
    """Return the name of a scene's picture."""
    return f"phantom_{image_id:06d}.jpg"


def _layout(image_id: int, *, dials: phantom.Dials, seed: int) -> phantom.Layout:
    return phantom.layout(derive(seed, "layout", image_id), dials)


def _annotate(image_id: int, *, dials: phantom.Dials, seed: int) -> list[dict[str, Any]]:
    entries = []
    for silhouette in phantom.silhouettes(_layout(image_id, dials=dials, seed=seed)):
        rows, columns = np.nonzero(silhouette.mask)
        if not len(rows):
            continue
        x, y = int(columns.min()), int(rows.min())
        entries.append(
            {
                "image_id": image_id,
                "category_id": COCO_IDS[silhouette.category],
                "bbox": [x, y, int(columns.max()) + 1 - x, int(rows.max()) + 1 - y],
                "area": len(rows),
                "iscrowd": 0,
                "segmentation": masks.encode(silhouette.mask),
            }
        )
    return entries


def _paint(
    image: tuple[int, str, int, int], *, dials: phantom.Dials, seed: int, folder: Path
) -> None:
    image_id, name, width, height = image
    rng = derive(seed, "paint", image_id)
    pixels = phantom.paint(_layout(image_id, dials=dials, seed=seed), rng)
    content = jpeg(Image.fromarray(pixels), quality=95, subsampling="4:4:4")
    (folder / name).write_bytes(content)
    verify_picture(folder / name, width=width, height=height)
