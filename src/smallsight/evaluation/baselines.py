"""Baselines: predictions that see no pixel of a picture."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from smallsight.evaluation.splits import Splits, class_indices


def commonest_category(splits: Splits) -> np.ndarray:
    """Name the commonest category of the size group in the training folds.

    Returns
    -------
    ndarray
        (seeds, n), the class of each instance; of several that are as common, the first. 0 for
        what is never test data.
    """
    groups = splits.sample["size_group"].to_numpy()
    predicted = np.zeros_like(splits.fold_of)
    for seed, fold in _held_out(splits):
        held_out = splits.fold_of[seed] == fold
        for group in np.unique(groups):
            # A group that all lies in this fold has nothing else to go by than all other objects.
            alike = ~held_out & (groups == group)
            counts = np.bincount(
                splits.labels[alike if alike.any() else ~held_out],
                minlength=len(splits.categories),
            )
            predicted[seed, held_out & (groups == group)] = counts.argmax()
    return predicted


def largest_object(splits: Splits, objects: pd.DataFrame) -> np.ndarray:
    """Name the category of the picture's largest annotated object, crowds left out.

    Parameters
    ----------
    objects
        Every annotated object of the sample's pictures, as `sampling.sample.OBJECTS` has them.

    Returns
    -------
    ndarray
        (seeds, n), the class of each instance, the same for all seeds.
    """
    largest = find_largest(objects)
    named = splits.sample["image_id"].map(largest["category_name"])
    return np.tile(class_indices(named, splits.categories), (len(splits.seeds), 1))


def find_largest(objects: pd.DataFrame) -> pd.DataFrame:
    """Find the annotated object with the largest box of each picture, crowds left out.

    Returns
    -------
    DataFrame
        Rows of `objects`, by image_id.
    """
    single = objects[objects["iscrowd"] == 0]
    order = single.assign(box_area=single["bbox_w"] * single["bbox_h"])
    order = order.sort_values(["image_id", "box_area", "ann_id"], ascending=[True, False, True])
    return order.drop_duplicates("image_id").set_index("image_id")


def box_geometry(splits: Splits) -> np.ndarray:
    """Predict from position, size and aspect of the box alone, out of fold.

    A multinomial logistic regression of the box's centre, the logarithms of its side and of its
    aspect, their squares and products, all relative to the picture's area.

    Returns
    -------
    ndarray
        (seeds, n), the class of each instance; 0 for what is never test data.
    """
    sample = splits.sample
    # The table knows the picture's area alone; a square of that area stands for its sides.
    frame = np.sqrt(sample["img_area"].to_numpy(float))
    x, y, w, h = (sample[name].to_numpy(float) for name in ("bbox_x", "bbox_y", "bbox_w", "bbox_h"))
    geometry = np.stack(
        [(x + w / 2) / frame, (y + h / 2) / frame, np.log(w * h / frame**2), np.log(w / h)], axis=1
    )
    predicted = np.zeros_like(splits.fold_of)
    for seed, fold in _held_out(splits):
        held_out = splits.fold_of[seed] == fold
        labels = splits.labels[~held_out]
        if len(np.unique(labels)) == 1:
            predicted[seed, held_out] = labels[0]
            continue
        model = make_pipeline(
            StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler(),
            LogisticRegression(max_iter=1000),
        )  # fmt: skip
        model.fit(geometry[~held_out], labels)
        predicted[seed, held_out] = model.predict(geometry[held_out])
    return predicted


def _held_out(splits: Splits) -> list[tuple[int, int]]:
    """Return every pair of a repeat, counted from 0, and a fold."""
    return [(seed, fold) for seed in range(len(splits.seeds)) for fold in range(splits.folds)]
