"""Eligible instances -> balanced sample; image-grouped splits."""

import warnings
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from smallsight import coco, params
from smallsight.errors import SampleError
from smallsight.randomness import derive
from smallsight.vocabulary import SIZE_GROUPS

PERSON = "person"
"""The category that is capped; it would fill the sample otherwise."""
SAMPLE_COLUMNS = [
    "image_id", "file_name", "image_path", "ann_id", "category_id", "category_name",
    *coco.BOX_COLUMNS, "bbox_area", "img_area", "area_ratio", "size_group",
]  # fmt: skip
EXCLUSIONS = {
    "crowd": "annotated as a crowd, not as one object",
    "degenerate": "box less than one pixel wide or high",
    "outside": "box reaches more than one pixel beyond the picture",
}
"""Why an instance is left out; the first reason that holds is the one counted."""
FINEST_SPLIT = 20
"""Into this many parts, at most, the reference split divides the pictures."""


@dataclass(frozen=True)
class Draw:
    """A balanced sample and how it came about.

    Parameters
    ----------
    sample
        One row per instance, sorted by image_id and ann_id; columns `SAMPLE_COLUMNS`.
    summary
        Counts, ready for JSON: requested_per_group, person_cap, drawn[group],
        eligible[group][category], excluded[reason].
    """

    sample: pd.DataFrame
    summary: dict[str, Any]

    @property
    def shortfalls(self) -> dict[str, int]:
        """How many instances the groups that fell short have."""
        requested = self.summary["requested_per_group"]
        return {group: n for group, n in self.summary["drawn"].items() if n < requested}


def size_groups(area_ratio: np.ndarray) -> np.ndarray:
    """Name the size group of each box by its share of the picture's area."""
    limits = list(SIZE_GROUPS.values())
    return np.array(list(SIZE_GROUPS), dtype=object)[
        np.searchsorted(limits, area_ratio, side="right").clip(max=len(limits) - 1)
    ]


def draw(dataset: coco.Dataset, settings: params.Sample, *, picture_folder: str, seed: int) -> Draw:
    """Draw up to `per_group` eligible instances of each size group, few persons among them.

    Within a group the eligible instances stand in a random order, which depends on the seed and
    the group alone, and are taken in turn; persons beyond the cap are passed over.

    Parameters
    ----------
    picture_folder
        Where the pictures will be, for the column `image_path`.

    Raises
    ------
    SampleError
        Where no instance can be drawn.
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
    }
    return Draw(sample=sample[SAMPLE_COLUMNS], summary=summary)


def read(path: str | Path) -> pd.DataFrame:
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


def image_grouped_folds(
    sample: pd.DataFrame, *, folds: int, rng: np.random.Generator
) -> np.ndarray:
    """Assign every instance to a fold, all instances of a picture to the same one.

    Folds resemble each other in category x size group as well as whole pictures allow
    (scikit-learn's StratifiedGroupKFold).

    Returns
    -------
    array of int, shape (instances,)
        Fold of each row, 0 to `folds` - 1; every fold has a row.

    Raises
    ------
    SampleError
        Where there are fewer pictures than folds.
    """
    pictures = sample["image_id"].nunique()
    if pictures < folds:
        raise SampleError("sample", f"{pictures} pictures", f"at least {folds}, one per fold")
    strata = sample.groupby(["category_name", "size_group"]).ngroup().to_numpy()
    if np.bincount(strata).max() < folds:
        # scikit-learn refuses where every stratum is this rare: balance the folds' sizes alone.
        strata = np.zeros_like(strata)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=int(rng.integers(2**32)))
    fold = np.empty(len(sample), dtype=int)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        for number, (_, test) in enumerate(splitter.split(strata, strata, sample["image_id"])):
            fold[test] = number
    return fold


def reference_split(
    sample: pd.DataFrame, *, test_share: float, rng: np.random.Generator
) -> np.ndarray:
    """Mark about `test_share` of the instances as test data, pictures kept whole, stratified.

    Returns
    -------
    array of bool, shape (instances,)
        True for test data; both sides have a row.

    Raises
    ------
    SampleError
        Where there are fewer than two pictures.
    """
    pictures = sample["image_id"].nunique()
    if pictures < 2:
        raise SampleError("sample", f"{pictures} pictures", "at least 2, one per side")
    finest = min(FINEST_SPLIT, pictures)
    share = Fraction(test_share).limit_denominator(finest)
    share = min(max(share, Fraction(1, finest)), 1 - Fraction(1, finest))
    folds = image_grouped_folds(sample, folds=share.denominator, rng=rng)
    return folds < share.numerator


def instance_split(
    sample: pd.DataFrame, *, test_share: float, rng: np.random.Generator
) -> np.ndarray:
    """Mark `test_share` of the instances as test data, whatever their pictures.

    Returns
    -------
    array of bool, shape (instances,)
        True for test data; both sides have a row.

    Raises
    ------
    SampleError
        Where there are fewer than two instances.
    """
    if len(sample) < 2:
        raise SampleError("sample", f"{len(sample)} instances", "at least 2, one per side")
    count = min(max(round(test_share * len(sample)), 1), len(sample) - 1)
    return rng.permutation(len(sample)) < count


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
    """Reason to leave each instance out; empty text where there is none."""
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


def _draw_group(
    group: pd.DataFrame, settings: params.Sample, *, rng: np.random.Generator
) -> pd.DataFrame:
    shuffled = group.iloc[rng.permutation(len(group))]
    person = shuffled["category_name"] == PERSON
    return shuffled[~person | (person.cumsum() <= settings.person_cap)].head(settings.per_group)
