"""Heads fitted on the other folds, and what they predict for the instances left out."""

from collections.abc import Sequence

import numpy as np

from smallsight import params
from smallsight.backbones.feature_store import Features
from smallsight.evaluation import heads
from smallsight.evaluation.heads import Heads, LinearHeads
from smallsight.evaluation.splits import Splits
from smallsight.runtime.errors import SampleError
from smallsight.runtime.randomness import derive
from smallsight.vocabulary import INSTANCE


def fit_heads(
    splits: Splits,
    features: Features,
    *,
    settings: params.Heads,
    importance: np.ndarray | None = None,
    chosen: np.ndarray | None = None,
    also: Sequence[Features] = (),
) -> LinearHeads:
    """Fit one head per seed and fold, in that order, on the instances of the other folds.

    A head's random stream depends on its seed and fold alone, so that heads of two conditions
    differ by the condition and by nothing else.

    Parameters
    ----------
    importance
        (n,), at least 0: how much each instance counts in training; None: all count alike.
    chosen
        (seeds, folds, n), bool: the instances of the other folds that each head learns from; None:
        all. The others keep their places in the batches, so that heads of two choices take the same
        steps, and differ by the choice and by nothing else.
    also
        Features of other pictures of the same instances, to learn from besides.

    Raises
    ------
    SampleError
        Where the features are not those of the sample, in its order.
    """
    for each in (features, *also):
        check_instances(splits, each)
    times = 1 + len(also)
    if chosen is not None:
        importance = chosen.reshape(-1, len(splits.sample)) * (
            1.0 if importance is None else importance
        )
    return heads.fit(
        np.concatenate([features.plain, *(each.plain for each in also)]),
        np.concatenate([features.mirrored, *(each.mirrored for each in also)]),
        np.tile(splits.labels, times),
        np.tile(training_data(splits).reshape(-1, len(splits.sample)), times),
        [derive(seed, "head", fold) for seed in splits.seeds for fold in range(splits.folds)],
        classes=len(splits.categories),
        settings=settings,
        importance=None if importance is None else np.tile(importance, times),
    )


def training_data(splits: Splits) -> np.ndarray:
    """Mark the instances that each head may learn from: (seeds, folds, n), bool."""
    return splits.fold_of[:, None, :] != np.arange(splits.folds)[None, :, None]


def heads_for_regime(
    splits: Splits,
    regime: str,
    untouched: Heads,
    features: Features,
    *,
    settings: params.Heads,
) -> Heads:
    """Return the heads that a regime tests on one condition: the untouched ones, or its own."""
    if regime == "fixed":
        return untouched
    return fit_heads(splits, features, settings=settings)


def out_of_fold(splits: Splits, fitted: Heads, features: Features) -> np.ndarray:
    """Predict each instance by the head whose test data it is.

    Parameters
    ----------
    fitted
        Seeds x folds heads, as `fit_heads` returns them, or what stands in their place.

    Returns
    -------
    ndarray
        (seeds, n, classes), probabilities; NaN for what is never test data.

    Raises
    ------
    SampleError
        Where the features are not those of the sample, in its order.
    """
    check_instances(splits, features)
    return _of_own_fold(splits, fitted.probabilities(features.plain))


def out_of_fold_logits(splits: Splits, fitted: Heads, plain: np.ndarray) -> np.ndarray:
    """Compute each instance's logits by the head whose test data it is.

    Parameters
    ----------
    fitted
        Seeds x folds heads, as `fit_heads` returns them.
    plain
        (n, dimensions), float32: features of the instances, in the sample's order.

    Returns
    -------
    ndarray
        (seeds, n, classes); NaN for what is never test data.
    """
    return _of_own_fold(splits, fitted.logits(plain))


def _of_own_fold(splits: Splits, every: np.ndarray) -> np.ndarray:
    """Select (seeds, n, classes) from what all heads say, (seeds x folds, n, classes)."""
    every = every.reshape(len(splits.seeds), splits.folds, *every.shape[1:])
    own = np.take_along_axis(every, splits.fold_of[:, None, :, None], axis=1)[:, 0]
    own[splits.fold_of < 0] = np.nan
    return own


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


def check_instances(splits: Splits, features: Features) -> None:
    """Refuse features of other instances, or in another order.

    Raises
    ------
    SampleError
        Where the features are not those of the sample, in its order.
    """
    for name in INSTANCE:
        if not np.array_equal(splits.sample[name].to_numpy(), getattr(features, name)):
            raise SampleError(
                "features", f"another order of {name} than the sample's", "the same instances"
            )
