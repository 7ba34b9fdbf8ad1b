"""Views of a study's instances, with what interventions need besides the picture."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import pandas as pd

from smallsight.conditions.rendering.filters import FilteredPictures
from smallsight.conditions.rendering.views import InterventionInputs, View
from smallsight.imaging import masks
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import InputFormat, read_picture
from smallsight.sampling.instance_masks import Masks


@dataclass(frozen=True)
class InstanceViews:
    """What all instances of a study share.

    Attributes
    ----------
    colour
        Mean colour of the pictures, (red, green, blue), 0 to 255.
    input_format
        What pictures become before the network sees them.
    window_margin
        The share of the box's width and height by which an object's window is larger, on each side.
    """

    colour: tuple[int, int, int]
    input_format: InputFormat
    window_margin: float

    def views(self, instances: pd.DataFrame) -> Iterator[tuple[Any, View]]:
        """Yield every instance of one image, as its row and a view of the untouched picture.

        Parameters
        ----------
        instances
            Rows of one image, as `with_inputs` returns them.
        """
        picture = read_picture(instances["image_path"].iloc[0])
        filtered_pictures = FilteredPictures(picture)
        height, width = picture.shape[:2]
        instance: Any
        for instance in instances.itertuples():
            mask = instance.mask and masks.decode(instance.mask, width=width, height=height)
            donors = {
                kind: partial(self._donor, path, box)
                for kind, (path, box) in instance.donors.items()
            }
            inputs = self._inputs(donors)
            yield instance, View(picture, _box(instance), mask, inputs, filtered_pictures)

    def _donor(self, path: str, box: Box) -> View:
        return View(read_picture(path), box, None, self._inputs({}))

    def _inputs(self, donors: Mapping[str, Callable[[], View]]) -> InterventionInputs:
        return InterventionInputs(self.colour, self.input_format.size, self.window_margin, donors)


def with_inputs(sample: pd.DataFrame, known_masks: Masks, donors: pd.DataFrame) -> pd.DataFrame:
    """Add each instance's mask and donors to its row.

    Parameters
    ----------
    known_masks
        As `instance_masks.collect_masks` returns them.
    donors
        The columns of `donors.DONORS`.

    Returns
    -------
    DataFrame
        The sample and two more columns: `mask`, compressed RLE as COCO has it, or None; `donors`,
        by kind the path of the donor's picture and the donor's box.
    """
    by_ids = sample.set_index(["image_id", "ann_id"])
    given: dict[tuple[int, int], dict[str, tuple[str, Box]]] = {}
    row: Any
    for row in donors.dropna(subset="donor_ann_id").itertuples():
        donor = by_ids.loc[(row.donor_image_id, row.donor_ann_id)]
        place = given.setdefault((row.image_id, row.ann_id), {})
        place[row.donor] = donor["image_path"], _box(donor)
    keys = list(by_ids.index)
    columns = {
        "mask": [known_masks.get(key) for key in keys],
        "donors": [given.get(key, {}) for key in keys],
    }
    return sample.assign(**cast("dict[str, Any]", columns))


def _box(row: Any) -> Box:
    return Box(row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h)
