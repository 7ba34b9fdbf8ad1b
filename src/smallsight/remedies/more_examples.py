"""Whether more small examples would help: heads that learned from a share of them."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.backbones.feature_store import Features
from smallsight.evaluation.crossfit import fit_heads, out_of_fold_logits, training_data
from smallsight.evaluation.predictions import predicted_rows
from smallsight.evaluation.splits import Splits
from smallsight.remedies.tables import MORE_EXAMPLES_PREDICTIONS
from smallsight.runtime.parallel import map_here
from smallsight.runtime.randomness import derive
from smallsight.vocabulary import GROUPS

SHARES = (0.125, 0.25, 0.5, 1.0)
"""Shares of the small training objects that heads learn from; each is a power of two."""

SMALL = GROUPS[0]


def predict_more_examples(
    splits: Splits,
    features: Mapping[str, Features],
    *,
    settings: params.Heads,
    seed: int,
) -> pd.DataFrame:
    """Predict the test data of every seed by heads that learned from some of the small objects.

    Heads learn from all objects of the other size groups, and from a share of the small ones: those
    that come first in an order that is drawn for each seed. So a larger share holds the smaller
    ones, and both tasks have the same. Whatever the share, heads take the same steps and are shown
    all else in the same batches: those with fewer examples learn no shorter.

    Parameters
    ----------
    features
        By task, of the untouched pictures.
    seed
        Of the orders.

    Returns
    -------
    DataFrame
        The columns of `MORE_EXAMPLES_PREDICTIONS`: by task and share, a row per seed and instance
        of test data. A share of small objects is rounded up: it holds one where there is one.
    """
    small = training_data(splits) & (splits.sample["size_group"] == SMALL).to_numpy()
    orders = [derive(seed, "more examples", each) for each in splits.seeds]
    order = np.stack([rng.permutation(len(splits.sample)) for rng in orders])
    chosen = {share: _first(small, order, share) for share in SHARES}

    def predict(pair: tuple[str, float]) -> np.ndarray:
        task, share = pair
        fitted = fit_heads(
            splits,
            features[task],
            settings=settings,
            chosen=chosen[share] | ~small,
        )
        logits = out_of_fold_logits(splits, fitted, features[task].plain)
        return np.nan_to_num(logits).argmax(axis=2)

    pairs = [(task, share) for task in features for share in SHARES]
    found = map_here(predict, pairs, description="more examples")
    tables = [
        predicted_rows(
            splits, one, task=task, share=share, n_train=chosen[share].sum(axis=2).mean()
        )
        for (task, share), one in zip(pairs, found, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)[MORE_EXAMPLES_PREDICTIONS.names]


def _first(small: np.ndarray, order: np.ndarray, share: float) -> np.ndarray:
    """Keep a share of each head's small training objects: those that come first in its order.

    Parameters
    ----------
    small
        (seeds, folds, n), bool.
    order
        (seeds, n), a permutation for each seed.

    Returns
    -------
    ndarray
        (seeds, folds, n), bool.
    """
    kept = np.zeros_like(small)
    for in_seed, of_seed, positions in zip(kept, small, order, strict=True):
        for in_head, of_head in zip(in_seed, of_seed, strict=True):
            members = positions[of_head[positions]]
            in_head[members[: math.ceil(share * len(members))]] = True
    return kept
