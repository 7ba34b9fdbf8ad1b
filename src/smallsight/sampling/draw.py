"""The balanced sample: which instances are eligible, and how many of each size are drawn."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.datasets import coco
from smallsight.runtime.errors import SampleError
from smallsight.runtime.randomness import derive
from smallsight.sampling.sample import SAMPLE, size_groups
from smallsight.vocabulary import SIZE_GROUPS

PERSON = "person"
"""The category that is capped; it would fill the sample otherwise."""

EXCLUSIONS = {
    "crowd": "annotated as a crowd, not as one object",
    "degenerate": "box less than one pixel wide or high",
    "outside": "box reaches more than one pixel beyond the picture",
}
"""Why an instance is left out; the first reason that holds is the one counted."""


@dataclass(frozen=True)
class Draw:
    """A balanced sample and how it came about.

    Attributes
    ----------
    sample
        One row per instance, sorted by image_id and ann_id; the columns of `SAMPLE`.
    summary
        Counts, ready for JSON: requested_per_group, person_cap, drawn[group],
        eligible[group][category], excluded[reason], and side_counts: of eligible objects by their
        side, in whole pixels of the picture rounded down.
    """

    sample: pd.DataFrame
    summary: dict[str, Any]

    @property
    def shortfalls(self) -> dict[str, int]:
        """Size groups with fewer instances than were requested, and how many they have."""
        requested = self.summary["requested_per_group"]
        return {group: n for group, n in self.summary["drawn"].items() if n < requested}


def draw_sample(
    dataset: coco.Dataset, settings: params.Sample, *, picture_folder: str, seed: int
) -> Draw:
    """Draw up to `per_group` eligible instances of each size group.

    The eligible instances of a group are shuffled and taken in turn; persons beyond the cap are
    passed over. The random stream depends on the seed and the group alone.

    Parameters
    ----------
    picture_folder
        The folder that will hold the pictures, for the column `image_path`.

    Raises
    ------
    SampleError
        Where no instance can be drawn.

    Examples
    --------
    Four squares in a picture of 100 x 100 pixels:

    >>> sides = {1: 8, 2: 9, 3: 15, 4: 40}
    >>> tree = {
    ...     "images": [{"id": 7, "file_name": "a.jpg", "width": 100, "height": 100}],
    ...     "annotations": [
    ...         {"id": n, "image_id": 7, "category_id": 3, "bbox": [5, 5, side, side]}
    ...         for n, side in sides.items()
    ...     ],
    ...     "categories": [{"id": 3, "name": "car"}],
    ... }
    >>> dataset = coco.parse(tree, ("car",), where="example")
    >>> settings = params.Sample(per_group=1, person_cap=0)
    >>> draw = draw_sample(dataset, settings, picture_folder="pictures", seed=0)
    >>> draw.sample[["ann_id", "image_path", "area_ratio", "size_group"]]
       ann_id      image_path  area_ratio size_group
    0       1  pictures/a.jpg      0.0064      small
    1       3  pictures/a.jpg      0.0225     medium
    2       4  pictures/a.jpg      0.1600      large
    """
    instances = _instances(dataset, picture_folder)
    reasons = _exclusions(instances)
    eligible = instances[reasons == ""]
    drawn = [
        _draw_group(
            eligible[eligible["size_group"] == group],
            settings,
            rng=derive(seed, "sample", group),
        )
        for group in SIZE_GROUPS
    ]
    sample = pd.concat(drawn).sort_values(["image_id", "ann_id"], ignore_index=True)
    excluded = {reason: int((reasons == reason).sum()) for reason in EXCLUSIONS}
    if sample.empty:
        counts = ", ".join(f"{n} {reason}" for reason, n in excluded.items())
        raise SampleError(
            dataset.where,
            f"none of {len(instances)} annotations can be drawn (left out: {counts}; "
            f"{len(eligible)} eligible, of persons at most {settings.person_cap} per group)",
            f"an instance of {', '.join(dataset.categories)}",
        )
    table = pd.crosstab(eligible["size_group"], eligible["category_name"]).reindex(
        index=list(SIZE_GROUPS), columns=list(dataset.categories), fill_value=0
    )
    summary = {
        "requested_per_group": settings.per_group,
        "person_cap": settings.person_cap,
        "drawn": {group: len(part) for group, part in zip(SIZE_GROUPS, drawn, strict=True)},
        "eligible": {
            group: {category: int(n) for category, n in row.items()}
            for group, row in table.iterrows()
        },
        "excluded": excluded,
        "side_counts": _count_sides(eligible),
    }
    return Draw(sample=sample[SAMPLE.names], summary=summary)


def _instances(dataset: coco.Dataset, picture_folder: str) -> pd.DataFrame:
    instances = dataset.annotations.merge(dataset.images, on="image_id", validate="m:1")
    bbox_area = instances["bbox_w"] * instances["bbox_h"]
    img_area = instances["width"] * instances["height"]
    area_ratio = bbox_area / img_area
    return instances.assign(
        image_path=picture_folder.rstrip("/") + "/" + instances["file_name"],
        bbox_area=bbox_area,
        img_area=img_area,
        area_ratio=area_ratio,
        size_group=size_groups(area_ratio.to_numpy()),
    ).sort_values(["image_id", "ann_id"], ignore_index=True)


def _exclusions(instances: pd.DataFrame) -> np.ndarray:
    """Return the reason to leave each instance out; empty text where there is none."""
    x, y, w, h = (instances[name] for name in coco.BOX_COLUMNS)
    holds = {
        "crowd": instances["iscrowd"] == 1,
        "degenerate": (w < 1) | (h < 1),
        "outside": (x < -1)
        | (y < -1)
        | (x + w > instances["width"] + 1)
        | (y + h > instances["height"] + 1),
    }
    return np.select([holds[reason] for reason in EXCLUSIONS], list(EXCLUSIONS), default="")


def _count_sides(eligible: pd.DataFrame) -> dict[str, int]:
    """Count objects by side in pixels, rounded down; keys are texts, as JSON has them."""
    sides = np.floor(np.sqrt(eligible["bbox_area"])).astype(int)
    return {str(side): int(n) for side, n in sides.value_counts().sort_index().items()}


def _draw_group(
    group: pd.DataFrame, settings: params.Sample, *, rng: np.random.Generator
) -> pd.DataFrame:
    shuffled = group.iloc[rng.permutation(len(group))]
    person = shuffled["category_name"] == PERSON
    return shuffled[~person | (person.cumsum() <= settings.person_cap)].head(settings.per_group)
