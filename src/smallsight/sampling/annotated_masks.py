"""Masks of the sampled instances, collected from their annotations."""

from typing import Any

import pandas as pd

from smallsight.datasets.coco import Dataset, shortened
from smallsight.imaging.masks import decode, encode
from smallsight.runtime.errors import AnnotationError
from smallsight.sampling.instance_masks import Masks
from smallsight.vocabulary import INSTANCE


def collect_masks(dataset: Dataset, instances: pd.DataFrame) -> Masks:
    """Collect the masks of some instances.

    Parameters
    ----------
    instances
        Columns image_id and ann_id. One without a segmentation has no mask.

    Raises
    ------
    AnnotationError
        Where a segmentation is malformed, or not of its picture's size.
    """
    table = instances[INSTANCE].merge(dataset.annotations, on=INSTANCE)
    masks = {}
    row: Any
    for row in table.merge(dataset.images, on="image_id").itertuples():
        if row.segmentation is None:
            continue
        try:
            mask = decode(row.segmentation, width=int(row.width), height=int(row.height))
        except Exception:  # whatever was met in what it was given
            place = f"{dataset.where}: annotation {row.ann_id}"
            found = f"segmentation {shortened(row.segmentation)}"
            raise AnnotationError(place, found, "polygons or RLE of the picture's size") from None
        masks[int(row.image_id), int(row.ann_id)] = encode(mask)
    return masks
