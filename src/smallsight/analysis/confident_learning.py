"""Labels of a study, and which of them confident learning flags.

Confident learning (Northcutt et al., JAIR 2021) flags a label where another category is as probable
as it is on average for objects that are labelled so. That average is over all sizes: an object that
is hard because it is small reaches no category's, so that a low probability of the given label
alone is no reason. Thresholds of each size group would be lower for small objects.

An answer that names another object in view is explained by that object.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smallsight.analysis.outcomes import Outcomes
from smallsight.vocabulary import INSTANCE, OTHER, SCENE

NEIGHBOUR_SHARE = 0.1
"""Least share of a window that another object takes up whose name an answer may mean."""


@dataclass(frozen=True)
class Labels:
    """Labels of n objects among k categories, and what was answered.

    Attributes
    ----------
    given
        (n,), 0 to k - 1.
    probabilities
        (n, k + 1): of each category, mean over the seeds; the last is of anything else.
    suggested
        (n,), the name of the most probable category, or `OTHER`.
    named
        (n,), bool: whether another object in view has that name.
    """

    given: np.ndarray
    probabilities: np.ndarray
    suggested: np.ndarray
    named: np.ndarray

    @property
    def answer(self) -> np.ndarray:
        """(n,), 0 to k: the most probable."""
        return self.probabilities.argmax(axis=1)

    def flagged(self, labels: np.ndarray) -> np.ndarray:
        """(n,), bool: the labels that confident learning flags, as if these had been given.

        A label is not flagged in favour of what is none of the categories.
        """
        if len(np.unique(labels)) < 2:
            return np.zeros(len(labels), bool)
        # Here, so that what only reads tables does not load the package.
        from cleanlab.filter import find_label_issues

        issues = find_label_issues(
            labels, self.probabilities, filter_by="confident_learning", n_jobs=1
        )
        return issues & (self.answer < self.probabilities.shape[1] - 1)


def arrange_labels(
    predictions: pd.DataFrame,
    objects: pd.DataFrame,
    outcomes: Outcomes,
    categories: Sequence[str],
    *,
    window_margin: float,
) -> Labels | None:
    """Arrange the labels of the outcomes' instances, and what was answered of untouched pictures.

    Parameters
    ----------
    predictions, objects, outcomes, categories, window_margin
        As for `label_errors.compute_label_errors`.

    Returns
    -------
    Labels or None
        In the order of the outcomes; None where probabilities are not known or all objects are of
        one category.
    """
    instances = outcomes.instances
    probabilities = _probabilities(predictions, outcomes, categories)
    if not np.isfinite(probabilities).all() or instances["category_name"].nunique() < 2:
        return None
    suggested = np.array([*categories, OTHER])[probabilities.argmax(axis=1)]
    margin = np.inf if outcomes.task == SCENE else window_margin
    return Labels(
        given=pd.Index(categories).get_indexer(pd.Index(instances["category_name"])),
        probabilities=probabilities,
        suggested=suggested,
        named=_is_in_view(suggested, instances, objects, margin),
    )


def _probabilities(
    predictions: pd.DataFrame, outcomes: Outcomes, categories: Sequence[str]
) -> np.ndarray:
    """Return the probabilities of untouched pictures, mean over the seeds, and of anything else.

    What classes of no category have is kept as a class of its own, which no label names.
    """
    columns = [f"p_{name}" for name in categories]
    untouched = outcomes.untouched_predictions(predictions)
    known = untouched.reindex(columns=[*INSTANCE, *columns])
    means = known.groupby(INSTANCE).mean().to_numpy(float)
    rest = (1 - means.sum(axis=1, keepdims=True)).clip(0, 1)
    return np.concatenate([means, rest], axis=1)


def _is_in_view(
    names: np.ndarray, instances: pd.DataFrame, objects: pd.DataFrame, margin: float
) -> np.ndarray:
    """Tell of each of n instances whether another object of this name is in its window.

    It takes up at least `NEIGHBOUR_SHARE` of that; of a whole picture, any part.
    """
    about = instances[INSTANCE].assign(name=names, place=np.arange(len(instances)))
    others = objects.rename(columns={"ann_id": "other", "category_name": "name"})
    pairs = about.merge(others, on=["image_id", "name"])
    pairs = pairs[pairs["ann_id"] != pairs["other"]]
    if np.isfinite(margin):
        boxes = objects[[*INSTANCE, "bbox_x", "bbox_y", "bbox_w", "bbox_h"]]
        pairs = pairs.merge(boxes, on=INSTANCE, suffixes=("", "_own"))
        share = np.ones(len(pairs))
        for edge, length in (("bbox_x", "bbox_w"), ("bbox_y", "bbox_h")):
            start = pairs[f"{edge}_own"] - margin * pairs[f"{length}_own"]
            span = (1 + 2 * margin) * pairs[f"{length}_own"]
            inside = np.minimum(pairs[edge] + pairs[length], start + span) - pairs[edge].clip(start)
            share *= (inside / span).clip(lower=0).to_numpy()
        pairs = pairs[share >= NEIGHBOUR_SHARE]
    return about["place"].isin(pairs["place"]).to_numpy()
