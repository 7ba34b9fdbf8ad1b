"""The original study's sentences, each with the margin that tests it."""

import functools

import numpy as np

from smallsight.analysis.claims.registry import Claim, Evidence, claim
from smallsight.analysis.outcomes import Outcomes
from smallsight.conditions.rendered.names import ORIGINAL, UNTOUCHED

CLAIMS: dict[str, Claim] = {}
"""Every claim by name, in the order of the report."""


@claim(
    CLAIMS,
    sentence="Accuracy rises with the size of the object.",
    contrary="Accuracy falls as the object gets larger.",
    measure="change of accuracy with each doubling of the side, on untouched pictures",
    groups=("all",),
)
def rises_with_size(evidence: Evidence, regime: str) -> np.ndarray:
    """Fit a line by least squares to hit rates over the logarithm of the side."""
    outcomes = evidence.outcomes
    doublings = np.log2(outcomes.side)
    hit_rates = outcomes.hit_rates[outcomes.row[regime, UNTOUCHED]]
    # Moments in double precision: the slope is a difference of large sums.
    weights = outcomes.weights.astype(np.float64)
    total = weights.sum(axis=1)
    mean = weights @ doublings / total
    covariance = weights @ (doublings * hit_rates) / total - mean * (weights @ hit_rates / total)
    variance = weights @ doublings**2 / total - mean**2
    nowhere = np.full(len(total), np.nan)
    return np.divide(covariance, variance, out=nowhere, where=variance > 1e-12)


@claim(
    CLAIMS,
    sentence="Small objects are recognised less often than large ones, even untouched.",
    contrary="Small objects are recognised more often than large ones, untouched.",
    measure="accuracy on large minus on small objects, on untouched pictures",
)
def small_worse_untouched(evidence: Evidence, regime: str) -> np.ndarray:
    """Compare the accuracies of the two groups."""
    accuracy = functools.partial(evidence.outcomes.accuracy, regime, UNTOUCHED)
    return accuracy("large") - accuracy("small")


@claim(
    CLAIMS,
    sentence="Cropping helps small objects.",
    contrary="Cropping hurts small objects.",
    measure="accuracy on small objects, cropped minus untouched",
    conditions=("orig_crop",),
    groups=("small",),
)
def crop_helps_small(evidence: Evidence, regime: str) -> np.ndarray:
    """Compare the accuracies on the same objects."""
    return _delta(evidence.outcomes, regime, "orig_crop", "small")


@claim(
    CLAIMS,
    sentence="Downscaling and motion blur hurt small objects most.",
    contrary="Downscaling and motion blur are not the two changes that hurt small objects most.",
    measure="loss on small objects under the milder of the two, minus the largest other loss",
    conditions=ORIGINAL[1:],
    groups=("small",),
)
def downscale_and_motion_blur_hurt_small_most(evidence: Evidence, regime: str) -> np.ndarray:
    """Compare each of the two losses with each of the others, and with none."""
    losses = {name: -_delta(evidence.outcomes, regime, name, "small") for name in ORIGINAL[1:]}
    two = [losses.pop(name) for name in ("downscale", "motion_blur")]
    others = [np.zeros(len(two[0])), *losses.values()]
    return np.stack([loss - other for loss in two for other in others])


@claim(
    CLAIMS,
    sentence="Background blur helps large objects and does not fix small ones.",
    contrary="It is not so that background blur helps large objects and does not fix small ones.",
    measure="the smaller of two: what blur adds on large objects, and by how much small objects "
    "under it stay below large ones untouched",
    conditions=("bg_blur",),
)
def bg_blur_helps_large_and_does_not_fix_small(evidence: Evidence, regime: str) -> np.ndarray:
    """Return the margins of both parts."""
    helped = _delta(evidence.outcomes, regime, "bg_blur", "large")
    accuracy = functools.partial(evidence.outcomes.accuracy, regime)
    short = accuracy(UNTOUCHED, "large") - accuracy("bg_blur", "small")
    return np.stack([helped, short])


@claim(
    CLAIMS,
    sentence="Failed predictions look away from the object.",
    contrary="Failed predictions look at the object more than correct ones do.",
    measure="chance that a correct prediction's map has the greater lift in the box, compared "
    "within size groups on untouched pictures, minus one half",
    groups=("all",),
    needs_maps=True,
)
def failed_look_away(evidence: Evidence, regime: str) -> np.ndarray:
    """Compare saliency maps of the predicted class."""
    assert evidence.map_measures is not None
    return evidence.map_measures.superiority("predicted", UNTOUCHED, "all") - 0.5


def _delta(outcomes: Outcomes, regime: str, condition: str, group: str) -> np.ndarray:
    changed = outcomes.accuracy(regime, condition, group)
    return changed - outcomes.accuracy(regime, UNTOUCHED, group)
