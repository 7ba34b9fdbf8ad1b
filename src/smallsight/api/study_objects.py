"""A study's objects, picture by picture, with what was answered of each under every condition."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from smallsight.analysis.failures import FAILURES
from smallsight.analysis.majority_votes import VOTES
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.errors import PictureError, SmallsightError
from smallsight.runtime.tables import read_table
from smallsight.saliency.tables import MAP_LIST
from smallsight.sampling.sample import read_sample
from smallsight.vocabulary import INSTANCE, REGIMES, SCENE, headline_task


@dataclass(frozen=True)
class Files:
    """Paths of a study's files.

    Attributes
    ----------
    sample, predictions, answers, failures
        Tables of the sampled instances, their out-of-fold predictions, the majority votes, and the
        failures with their suggested causes.
    maps, map_values
        The list of saliency maps, and the maps.
    """

    sample: Path
    predictions: Path
    answers: Path
    failures: Path
    maps: Path
    map_values: Path


@dataclass(frozen=True)
class Answer:
    """What most seeds answer of an object under a condition.

    Attributes
    ----------
    predicted
        The object's category, or where it failed what most wrong seeds predict.
    confidence
        The mean of its probability over the seeds, 0 to 1; None where it has none.
    correct
        Whether more than half of the seeds are correct.
    right
        The share of the seeds that are, 0 to 1.
    """

    predicted: str
    confidence: float | None
    correct: bool
    right: float


@dataclass(frozen=True)
class StudyObject:
    """A sampled object.

    Attributes
    ----------
    ann_id, category, size_group
        As in the sample.
    side
        The object's side in the untouched whole picture, in input pixels.
    box
        Left edge, upper edge, width and height, as shares of the picture.
    cause
        The suggested cause of its failure as a whole picture; empty where it did not fail.
    answers
        By `field_name` of task and condition.
    saliency
        The saliency map of the untouched whole picture, float32 (cells, cells), of the first
        seed's prediction; None where there is none.
    """

    ann_id: int
    category: str
    size_group: str
    side: float
    box: tuple[float, float, float, float]
    cause: str
    answers: Mapping[str, Answer]
    saliency: np.ndarray | None


@dataclass(frozen=True)
class StudyPicture:
    """A picture with sampled objects; `path` is where it lies."""

    image_id: int
    path: Path
    objects: tuple[StudyObject, ...]


@dataclass(frozen=True)
class StudyObjects:
    """All sampled objects.

    Attributes
    ----------
    pictures
        In the order of their image_id.
    fields
        What `answers` may hold, in the order of the study's tasks and conditions.
    headline
        Of them, that of untouched pictures in the headline task.
    """

    pictures: tuple[StudyPicture, ...]
    fields: tuple[str, ...]
    headline: str


def field_name(task: str, condition: str) -> str:
    """Return a name of letters, digits and underscores for a condition of a task.

    Examples
    --------
    >>> field_name("object", "downscale/scale=0.125")
    'object_downscale_scale_0_125'
    """
    return re.sub(r"\W+", "_", f"{task}_{condition}")


def read_study_objects(paths: Files) -> StudyObjects:
    """Read a study's objects.

    Raises
    ------
    SmallsightError
        Where a file is missing or holds something else than a study writes.
    """
    sample = read_sample(paths.sample)
    votes = read_table(paths.answers, VOTES)
    answers, fields = _answers(votes, paths.predictions)
    causes = read_table(paths.failures, FAILURES).set_index(INSTANCE)["cause"].to_dict()
    saliency = _saliency(paths)
    sides = votes.groupby(INSTANCE)["side"].first().to_dict()
    pictures = []
    for _, rows in sample.sort_values(INSTANCE).groupby("image_id"):
        path = Path(rows["image_path"].iloc[0])
        width, height = _size(path)
        objects = []
        for row in rows.to_dict("records"):
            key = (row["image_id"], row["ann_id"])
            objects.append(
                StudyObject(
                    ann_id=int(row["ann_id"]),
                    category=str(row["category_name"]),
                    size_group=row["size_group"],
                    side=float(sides.get(key, np.nan)),
                    box=(
                        row["bbox_x"] / width,
                        row["bbox_y"] / height,
                        row["bbox_w"] / width,
                        row["bbox_h"] / height,
                    ),
                    cause=causes.get(key, ""),
                    answers=answers.get(key, {}),
                    saliency=saliency.get(key),
                )
            )
        pictures.append(StudyPicture(int(rows["image_id"].iloc[0]), path, tuple(objects)))
    headline = field_name(headline_task(set(votes["task"])), UNTOUCHED)
    return StudyObjects(tuple(pictures), fields, headline)


Key = tuple[int, int]
"""image_id and ann_id."""


def _size(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as picture:
            return picture.size
    except (OSError, ValueError) as error:
        raise PictureError(path, str(error), "a picture that `fetch` wrote") from None


def _answers(
    votes: pd.DataFrame, path: Path
) -> tuple[dict[Key, dict[str, Answer]], tuple[str, ...]]:
    """Arrange the votes by object, with the mean probability of what was voted for."""
    try:
        predictions = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise SmallsightError(path, reason, "the predictions of a study") from None
    predictions = predictions[predictions["regime"] == next(iter(REGIMES))]
    keys = ["task", "condition", *INSTANCE]
    shares = [name for name in predictions.columns if name.startswith("p_")]
    means = predictions.groupby(keys, observed=True)[shares].mean()
    votes = votes.merge(means, left_on=keys, right_index=True, how="left", validate="one_to_one")
    found: dict[Key, dict[str, Answer]] = {}
    for row in votes.to_dict("records"):
        share: Any = row.get(f"p_{row['predicted']}")
        known = share is not None and np.isfinite(share)
        found.setdefault((row["image_id"], row["ann_id"]), {})[
            field_name(row["task"], row["condition"])
        ] = Answer(
            row["predicted"], float(share) if known else None, not row["failed"], row["right"]
        )
    names = dict.fromkeys(zip(votes["task"], votes["condition"], strict=True))
    return found, tuple(field_name(*name) for name in names)


def _saliency(paths: Files) -> dict[Key, np.ndarray]:
    """Return the maps of untouched whole pictures that are not 0 everywhere."""
    listed = read_table(paths.maps, MAP_LIST)
    try:
        with np.load(paths.map_values, allow_pickle=False) as arrays:
            values = arrays["cams"]
    except (OSError, ValueError, KeyError) as error:
        raise SmallsightError(paths.map_values, str(error), "the maps of a study") from None
    values = values.reshape(-1, *values.shape[2:])
    if len(values) != len(listed):
        raise SmallsightError(paths.map_values, f"{len(values)} maps", f"{len(listed)} as listed")
    whole = ((listed["task"] == SCENE) & (listed["condition"] == UNTOUCHED)).to_numpy()
    rows = listed.loc[whole, INSTANCE].itertuples(index=False, name=None)
    return {key: one for key, one in zip(rows, values[whole], strict=True) if one.any()}
