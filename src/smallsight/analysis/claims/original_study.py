"""The original study's sentences, each with the margins that test it."""

import functools

import numpy as np

from smallsight.analysis.claims.registry import Claim, Grounds, Margin, Part
from smallsight.analysis.outcomes import Outcomes
from smallsight.conditions.rendered.names import ORIGINAL, UNTOUCHED
from smallsight.vocabulary import GROUPS

TWO = ("downscale", "motion_blur")
"""The families that are said to hurt small objects most."""

OTHERS = tuple(name for name in ORIGINAL[1:] if name not in TWO)


def rise_with_size(grounds: Grounds, regime: str) -> np.ndarray:
    """Fit a line by least squares to hit rates over the logarithm of the side."""
    outcomes = grounds.outcomes
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


def large_minus_small(grounds: Grounds, regime: str, *, small: str = UNTOUCHED) -> np.ndarray:
    """Compare large objects untouched with small ones, untouched or under a condition."""
    outcomes = grounds.outcomes
    return outcomes.accuracy(regime, UNTOUCHED, "large") - outcomes.accuracy(regime, small, "small")


def hurts_most(condition: str) -> Margin:
    """Compare the loss under a condition with each of the others', and with none."""

    def margin(grounds: Grounds, regime: str) -> np.ndarray:
        outcomes = grounds.outcomes
        lost = functools.partial(_loss_on_small, outcomes, regime)
        others = [lost(name) for name in OTHERS if (regime, name) in outcomes.row]
        return np.stack([lost(condition) - other for other in [0.0, *others]])

    return margin


def look_away(group: str) -> Margin:
    """Compare saliency maps of the predicted class of correct and failed predictions."""

    def margin(grounds: Grounds, _regime: str) -> np.ndarray:
        assert grounds.map_measures is not None
        return grounds.map_measures.superiority("predicted", UNTOUCHED, group) - 0.5

    return margin


def _loss_on_small(outcomes: Outcomes, regime: str, condition: str) -> np.ndarray:
    untouched = outcomes.accuracy(regime, UNTOUCHED, "small")
    return untouched - outcomes.accuracy(regime, condition, "small")


def _most(condition: str, label: str) -> Part:
    """Say that a condition hurts small objects more than all others but the second of the two."""
    return Part(
        f"loss on small objects under {label}, minus the largest loss under the others",
        hurts_most(condition),
        conditions=(condition,),
        beside=OTHERS,
        groups=("small",),
    )


_LIFTS = (
    "chance that a correct prediction's map has the greater lift in the box than a failed one's, "
    "minus one half"
)

_CLAIMS = (
    Claim(
        "rises_with_size",
        "Accuracy rises with the size of the object.",
        "Accuracy falls as the object gets larger.",
        {
            "": Part(
                "change of accuracy with each doubling of the side, on untouched pictures",
                rise_with_size,
                groups=("all",),
                needs_sides=True,
            )
        },
    ),
    Claim(
        "small_worse_untouched",
        "Small objects are recognised less often than large ones, even untouched.",
        "Small objects are recognised more often than large ones, untouched.",
        {
            "": Part(
                "accuracy on large minus on small objects, on untouched pictures",
                large_minus_small,
            )
        },
    ),
    Claim(
        "crop_helps_small",
        "Cropping helps small objects.",
        "Cropping hurts small objects.",
        {
            "": Part(
                "accuracy on small objects, cropped minus untouched",
                effect=("orig_crop", "small"),
                conditions=("orig_crop",),
                groups=("small",),
            )
        },
    ),
    Claim(
        "downscale_and_motion_blur_hurt_small_most",
        "Downscaling and motion blur hurt small objects most.",
        "Downscaling and motion blur are not the two changes that hurt small objects most.",
        {
            "Downscaling hurts small objects most": _most("downscale", "downscaling"),
            "Motion blur hurts small objects most": _most("motion_blur", "motion blur"),
        },
        measure="loss on small objects under the milder of the two, minus the largest other loss",
    ),
    Claim(
        "bg_blur_helps_large_and_does_not_fix_small",
        "Background blur helps large objects and does not fix small ones.",
        "It is not so that background blur helps large objects and does not fix small ones.",
        {
            "Background blur helps large objects": Part(
                "accuracy on large objects, background blurred minus untouched",
                effect=("bg_blur", "large"),
                conditions=("bg_blur",),
                groups=("large",),
            ),
            "Background blur does not fix small objects": Part(
                "accuracy on large objects untouched, minus on small ones, background blurred",
                functools.partial(large_minus_small, small="bg_blur"),
                conditions=("bg_blur",),
            ),
        },
        measure="the smaller of two: what blur adds on large objects, and by how much small "
        "objects under it stay below large ones untouched",
    ),
    Claim(
        "failed_look_away",
        "Failed predictions look away from the object.",
        "Failed predictions look at the object more than correct ones do.",
        {
            f"Failed predictions of {group} objects look away": Part(
                f"{_LIFTS}, {group} objects", look_away(group), groups=(group,)
            )
            for group in GROUPS
        },
        whole=Part(
            f"{_LIFTS}, compared within size groups on untouched pictures",
            look_away("all"),
            groups=("all",),
        ),
        needs_maps=True,
    ),
)

CLAIMS = {claim.name: claim for claim in _CLAIMS}
"""Every claim by name, in the order of the report."""
