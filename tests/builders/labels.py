"""Labels of objects, right and wrong, and answers that know what the objects are."""

import numpy as np
import pandas as pd

from builders.predictions import outcomes_of
from smallsight.analysis.confident_learning import arrange_labels
from smallsight.vocabulary import GROUPS

NAMES = ["NA", "bus", "car", "van"]
MARGIN = {"small": 2.5, "medium": 3.5, "large": 4.5}
"""By how much the logit of what an object is lies above those of the other categories."""
KEYS = ["image_id", "ann_id"]


def drawn(*, per_group=150, groups=GROUPS, seed=0, names=NAMES):
    """Draw two objects to a picture, far apart, and what each is: `truth`."""
    rng = np.random.default_rng(seed)
    n = per_group * len(groups)
    table = pd.DataFrame(
        {
            "image_id": np.arange(n) // 2,
            "ann_id": np.arange(n) + 100,
            "truth": rng.choice(names, n),
            "size_group": np.repeat(groups, per_group),
        }
    )
    left = 1000.0 * (table["ann_id"] % 2)
    boxes = {"bbox_x": left, "bbox_y": 0.0, "bbox_w": 40.0, "bbox_h": 20.0}
    return table.assign(category_name=table["truth"], **boxes)


def mislabelled(sample, share=0.05, *, seed=1):
    """Give some of the objects the label of another category."""
    rng = np.random.default_rng(seed)
    place = pd.Index(NAMES).get_indexer(sample["truth"])
    other = np.array(NAMES)[(place + rng.integers(1, len(NAMES), len(sample))) % len(NAMES)]
    is_wrong = rng.random(len(sample)) < share
    return sample.assign(category_name=np.where(is_wrong, other, sample["truth"]))


def chances_of(sample, *, seed=2, margin=MARGIN):
    """Probabilities, (n, categories), by what objects are and not by their labels."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1, (len(sample), len(NAMES)))
    truth = pd.Index(NAMES).get_indexer(sample["truth"])
    logits[np.arange(len(sample)), truth] += sample["size_group"].map(margin)
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True)


def predictions_of(sample, chances, *, task="object", rest=None):
    """Two seeds that differ a little; `rest` is the probability of no category."""
    rest = np.zeros(len(sample)) if rest is None else rest
    tables = []
    for seed, off in enumerate((0.9, 1.1)):
        one = chances**off
        one = one / one.sum(axis=1, keepdims=True) * (1 - rest)[:, None]
        named = np.array(NAMES)[one.argmax(axis=1)]
        named = np.where(rest > one.max(axis=1), "other", named)
        about = sample[[*KEYS, "category_name", "size_group"]]
        tables.append(
            about.assign(
                task=task, regime="fixed", condition="orig_full", family="orig_full",
                level="default", seed=seed, side=10.0, predicted=named,
                correct=named == sample["category_name"], confidence=one.max(axis=1),
                **{f"p_{name}": one[:, place] for place, name in enumerate(NAMES)},
            )
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def labels_of(sample, predictions, *, objects=None, margin=0.25, categories=NAMES):
    """Arrange the labels of a sample as the analysis does, in its order."""
    return arrange_labels(
        predictions,
        sample if objects is None else objects,
        outcomes_of(predictions, draws=100),
        categories,
        window_margin=margin,
    )
