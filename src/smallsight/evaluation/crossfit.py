"""Heads fitted on the other folds, and what they predict for the instances left out."""

import numpy as np
import torch

from smallsight import params
from smallsight.backbones.feature_store import Features
from smallsight.evaluation import heads
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.splits import Splits
from smallsight.runtime.errors import SampleError
from smallsight.runtime.randomness import derive
from smallsight.vocabulary import INSTANCE


def fit_heads(
    splits: Splits, features: Features, *, settings: params.Heads, device: torch.device
) -> LinearHeads:
    """Fit one head per seed and fold, in that order, on the instances of the other folds.

    A head's random stream depends on its seed and fold alone, so that heads of two conditions
    differ by the condition and by nothing else.

    Raises
    ------
    SampleError
        Where the features are not those of the sample, in its order.
    """
    _check(splits, features)
    elsewhere = splits.fold_of[:, None, :] != np.arange(splits.folds)[None, :, None]
    return heads.fit(
        features.plain,
        features.mirrored,
        splits.labels,
        elsewhere.reshape(-1, len(splits.sample)),
        [derive(seed, "head", fold) for seed in splits.seeds for fold in range(splits.folds)],
        classes=len(splits.categories),
        settings=settings,
        device=device,
    )


def heads_for_regime(
    splits: Splits,
    regime: str,
    untouched: LinearHeads,
    features: Features,
    *,
    settings: params.Heads,
    device: torch.device,
) -> LinearHeads:
    """Return the heads that a regime tests on one condition: the untouched ones, or its own."""
    if regime == "fixed":
        return untouched
    return fit_heads(splits, features, settings=settings, device=device)


def out_of_fold(splits: Splits, fitted: LinearHeads, features: Features) -> np.ndarray:
    """Predict each instance by the head whose test data it is.

    Parameters
    ----------
    fitted
        Seeds x folds heads, as `fit_heads` returns them.

    Returns
    -------
    ndarray
        (seeds, n, classes), probabilities; NaN for what is never test data.

    Raises
    ------
    SampleError
        Where the features are not those of the sample, in its order.
    """
    _check(splits, features)
    every = fitted.probabilities(features.plain)
    every = every.reshape(len(splits.seeds), splits.folds, *every.shape[1:])
    probabilities = np.take_along_axis(every, splits.fold_of[:, None, :, None], axis=1)[:, 0]
    probabilities[splits.fold_of < 0] = np.nan
    return probabilities


def out_of_fold_head(
    splits: Splits, fitted: LinearHeads, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Select, for each instance, one class of the head that did not learn from its image.

    Parameters
    ----------
    fitted
        Seeds x folds heads, as `fit_heads` returns them.
    classes
        (n,), one class for each instance that is the first seed's test data.

    Returns
    -------
    weight, bias
        (n, dimensions) and (n,): of the first seed's head.
    """
    fold = splits.fold_of[0]
    fold = fold[fold >= 0]
    return fitted.weight[fold, classes], fitted.bias[fold, classes]


def _check(splits: Splits, features: Features) -> None:
    """Refuse features of other instances, or in another order."""
    for name in INSTANCE:
        if not np.array_equal(splits.sample[name].to_numpy(), getattr(features, name)):
            raise SampleError(
                "features", f"another order of {name} than the sample's", "the same instances"
            )
