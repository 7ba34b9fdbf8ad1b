"""The balanced sample as a table: its columns, its size groups, and reading it back."""

from pathlib import Path

import numpy as np
import pandas as pd

from smallsight.datasets import coco
from smallsight.runtime.errors import SampleError
from smallsight.vocabulary import SIZE_GROUPS

SAMPLE_COLUMNS = [
    "image_id", "file_name", "image_path", "ann_id", "category_id", "category_name",
    *coco.BOX_COLUMNS, "bbox_area", "img_area", "area_ratio", "size_group",
]  # fmt: skip


def size_groups(area_ratio: np.ndarray) -> np.ndarray:
    """Name the size group of each box by its share of the picture's area."""
    limits = list(SIZE_GROUPS.values())
    return np.array(list(SIZE_GROUPS), dtype=object)[
        np.searchsorted(limits, area_ratio, side="right").clip(max=len(limits) - 1)
    ]


def read_sample(path: str | Path) -> pd.DataFrame:
    """Read a sample back.

    Raises
    ------
    SampleError
        Where the file is missing or does not begin with `SAMPLE_COLUMNS`.
    """
    try:
        # Without the usual NaN names: a category may be called "NA".
        sample = pd.read_csv(path, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise SampleError(path, str(error).strip().splitlines()[0], "a readable CSV") from None
    found = list(sample.columns[: len(SAMPLE_COLUMNS)])
    if found != SAMPLE_COLUMNS:
        raise SampleError(path, f"columns {', '.join(found)}", ", ".join(SAMPLE_COLUMNS))
    return sample
