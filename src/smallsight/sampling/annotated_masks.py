"""Masks of the sampled instances, collected from their annotations."""

from typing import Any

import pandas as pd

from smallsight.datasets.coco import Dataset, shortened
from smallsight.datasets.left_out import is_too_many
from smallsight.imaging.masks import decode, encode
from smallsight.runtime.errors import AnnotationError
from smallsight.sampling.instance_masks import Masks
from smallsight.vocabulary import INSTANCE


def collect_masks(
    dataset: Dataset, instances: pd.DataFrame, *, max_bad_share: float
) -> tuple[Masks, int]:
    """Collect the masks of some instances.

    Parameters
    ----------
    instances
        Columns image_id and ann_id. One without a segmentation has no mask.
    max_bad_share
        The share of their segmentations that may be malformed.

    Returns
    -------
    masks
        By image_id and ann_id.
    int
        How many segmentations are malformed, or not of their picture's size: they give no mask.

    Raises
    ------
    AnnotationError
        Where too many are.
    """
    annotations = dataset.annotations[INSTANCE].reset_index(names="row")
    table = instances[INSTANCE].merge(annotations, on=INSTANCE)
    masks, unreadable, told = {}, [], 0
    row: Any
    for row in table.merge(dataset.images, on="image_id").itertuples():
        segmentation = dataset.segmentation(row.row)
        if segmentation is None:
            continue
        told += 1
        try:
            mask = decode(segmentation, width=int(row.width), height=int(row.height))
        except Exception:  # whatever was met in what it was given
            unreadable.append(f"annotation {row.ann_id} ({shortened(segmentation)})")
            continue
        masks[int(row.image_id), int(row.ann_id)] = encode(mask)
    if is_too_many(len(unreadable), told, max_bad_share):
        found = f"{len(unreadable)} of {told} segmentations of the sample are neither polygons nor "
        found += f"RLE of the picture's size, such as that of {unreadable[0]}"
        due = f"at most {100 * max_bad_share:g}% of them (data.max_bad_share)"
        raise AnnotationError(dataset.where, found, due)
    return masks, len(unreadable)
