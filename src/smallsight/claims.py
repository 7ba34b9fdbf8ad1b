"""Claims: the original study's sentences, each as a test with a verdict.

A claim is a margin: a number that is above zero where its sentence holds and below where the
contrary does. A sentence of several parts holds only where all of them do, so that its margin is
the smallest of theirs: it is supported where every part is (an intersection-union test: Berger and
Hsu, Statistical Science 1996), and contradicted where one part is by a test that allows for their
number (Bonferroni). The smallest of several noisy margins alone would be below zero by luck.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from smallsight import statistics
from smallsight.conditions import ORIGINAL, UNTOUCHED
from smallsight.looks import Looks
from smallsight.outcomes import Outcomes

CLAIM_COLUMNS = (
    *("claim", "regime", "sentence", "contrary", "measure", "n", "images", "effect"),
    *("ci_low", "ci_high", "p_value", "p_holm", "probability", "mde", "verdict", "vacuous"),
)
VERDICTS = {1: "supported", -1: "contradicted", 0: "inconclusive", None: "inconclusive"}


class Evidence(NamedTuple):
    """What claims are tested on: who was right, and where the maps lie; None without maps."""

    outcomes: Outcomes
    looks: Looks | None


Margin = Callable[[Evidence, str], np.ndarray]
"""Gives (1 + draws,) margins in a regime, the estimate first; or (parts, 1 + draws)."""


@dataclass(frozen=True)
class Claim:
    """One sentence and its test.

    Attributes
    ----------
    name
        Stands in tables.
    sentence
        What is claimed.
    contrary
        What holds where the claim is contradicted.
    measure
        What the effect is, in words.
    conditions
        Families whose reference levels it is about, beside the untouched one.
    groups
        Size groups it needs.
    needs_maps
        Whether it is about maps of evidence, which are of the headline regime.
    margin
        Its test.
    """

    name: str
    sentence: str
    contrary: str
    measure: str
    conditions: tuple[str, ...]
    groups: tuple[str, ...]
    needs_maps: bool
    margin: Margin


CLAIMS: dict[str, Claim] = {}
"""Every claim by name, in the order of the report."""


def claim(
    *,
    sentence: str,
    contrary: str,
    measure: str,
    conditions: tuple[str, ...] = (),
    groups: tuple[str, ...] = ("small", "large"),
    needs_maps: bool = False,
) -> Callable[[Margin], Margin]:
    """Register a margin as the test of a claim of its own name."""

    def register(margin: Margin) -> Margin:
        name = margin.__name__
        CLAIMS[name] = Claim(
            name, sentence, contrary, measure, conditions, groups, needs_maps, margin
        )
        return margin

    return register


@claim(
    sentence="Accuracy rises with the size of the object.",
    contrary="Accuracy falls as the object gets larger.",
    measure="change of accuracy with each doubling of the side, on untouched pictures",
    groups=("all",),
)
def rises_with_size(evidence: Evidence, regime: str) -> np.ndarray:
    """Fit a line by least squares: right answers against the logarithm of the side."""
    outcomes = evidence.outcomes
    doublings = np.log2(outcomes.side)
    shares = outcomes.shares[outcomes.row[regime, UNTOUCHED]]
    # Moments in double precision: the slope is a difference of large sums.
    weights = outcomes.weights.astype(np.float64)
    total = weights.sum(axis=1)
    mean = weights @ doublings / total
    covariance = weights @ (doublings * shares) / total - mean * (weights @ shares / total)
    variance = weights @ doublings**2 / total - mean**2
    nowhere = np.full(len(total), np.nan)
    return np.divide(covariance, variance, out=nowhere, where=variance > 1e-12)


@claim(
    sentence="Small objects are recognised less often than large ones, even untouched.",
    contrary="Small objects are recognised more often than large ones, untouched.",
    measure="accuracy on large minus on small objects, on untouched pictures",
)
def small_worse_untouched(evidence: Evidence, regime: str) -> np.ndarray:
    """Compare the two groups."""
    accuracy = functools.partial(evidence.outcomes.accuracy, regime, UNTOUCHED)
    return accuracy("large") - accuracy("small")


@claim(
    sentence="Cropping helps small objects.",
    contrary="Cropping hurts small objects.",
    measure="accuracy on small objects, cropped minus untouched",
    conditions=("orig_crop",),
    groups=("small",),
)
def crop_helps_small(evidence: Evidence, regime: str) -> np.ndarray:
    """Compare the same objects."""
    return _delta(evidence.outcomes, regime, "orig_crop", "small")


@claim(
    sentence="Downscaling and motion blur hurt small objects most.",
    contrary="Downscaling and motion blur are not the two changes that hurt small objects most.",
    measure="loss on small objects under the milder of the two, minus the largest other loss",
    conditions=ORIGINAL[1:],
    groups=("small",),
)
def downscale_and_motion_blur_hurt_small_most(evidence: Evidence, regime: str) -> np.ndarray:
    """Compare each of the two with each of the others, and with losing nothing."""
    losses = {name: -_delta(evidence.outcomes, regime, name, "small") for name in ORIGINAL[1:]}
    two = [losses.pop(name) for name in ("downscale", "motion_blur")]
    others = [np.zeros(len(two[0])), *losses.values()]
    return np.stack([loss - other for loss in two for other in others])


@claim(
    sentence="Background blur helps large objects and does not fix small ones.",
    contrary="It is not so that background blur helps large objects and does not fix small ones.",
    measure="the smaller of two: what blur adds on large objects, and by how much small objects "
    "under it stay below large ones untouched",
    conditions=("bg_blur",),
)
def bg_blur_helps_large_and_does_not_fix_small(evidence: Evidence, regime: str) -> np.ndarray:
    """Ask for both parts."""
    helped = _delta(evidence.outcomes, regime, "bg_blur", "large")
    accuracy = functools.partial(evidence.outcomes.accuracy, regime)
    short = accuracy(UNTOUCHED, "large") - accuracy("bg_blur", "small")
    return np.stack([helped, short])


@claim(
    sentence="Failed predictions look away from the object.",
    contrary="Failed predictions look at the object more than correct ones do.",
    measure="chance that a correct prediction's map has the greater lift in the box, compared "
    "within size groups on untouched pictures, minus one half",
    groups=("all",),
    needs_maps=True,
)
def failed_look_away(evidence: Evidence, regime: str) -> np.ndarray:
    """Compare the maps of the predicted class."""
    assert evidence.looks is not None
    return evidence.looks.superiority("predicted", UNTOUCHED, "all") - 0.5


def _delta(outcomes: Outcomes, regime: str, condition: str, group: str) -> np.ndarray:
    changed = outcomes.accuracy(regime, condition, group)
    return changed - outcomes.accuracy(regime, UNTOUCHED, group)


def claims(outcomes: Outcomes, vacuous: pd.DataFrame, looks: Looks | None = None) -> pd.DataFrame:
    """Test every claim that the evaluated conditions, the size groups and the maps allow.

    Claims about untouched pictures are tested once, for the regimes agree on them; others in each
    regime. `p_value` is Wald's, by the bootstrap's standard error: of several parts the largest
    where all margins are above zero, else the smallest of those below times the number of parts.
    `p_holm` takes all claims as one family. A verdict needs both the interval and `p_holm`.

    Parameters
    ----------
    vacuous
        condition and size_group of what leaves the object as it was.
    looks
        What maps of evidence measure; without, no claim about them is tested.

    Returns
    -------
    DataFrame
        `CLAIM_COLUMNS`. `effect` is the margin, above 0 where the sentence holds; `probability`
        the share of draws in which it does; `mde` the least margin that one test would find with
        80 % power, empty where nothing scatters; `vacuous` names its conditions that leave the
        objects it is about as they were.
    """
    marked = set(zip(vacuous["condition"], vacuous["size_group"], strict=True))
    rows = []
    for one in CLAIMS.values():
        regimes = outcomes.regimes if one.conditions else outcomes.regimes[:1]
        for regime in regimes:
            known = {UNTOUCHED, *outcomes.changes(regime)}
            if (
                known.issuperset(one.conditions)
                and all(map(_filled(outcomes), one.groups))
                and not (one.needs_maps and looks is None)
            ):
                rows.append(_row(one, Evidence(outcomes, looks), regime, marked))
    table = pd.DataFrame(rows).reindex(columns=list(CLAIM_COLUMNS))
    return statistics.judge(table, VERDICTS, confidence=outcomes.settings.confidence)


def _filled(outcomes: Outcomes) -> Callable[[str], bool]:
    return lambda group: bool(outcomes.members[group].any())


def _row(
    one: Claim, evidence: Evidence, regime: str, vacuous: set[tuple[str, str]]
) -> dict[str, Any]:
    outcomes = evidence.outcomes
    parts = np.atleast_2d(one.margin(evidence, regime))
    confidence = outcomes.settings.confidence
    images = min(outcomes.size(group)["images"] for group in one.groups)
    if one.needs_maps and evidence.looks is not None:
        images = evidence.looks.witnesses("predicted", UNTOUCHED, "all")
    interval = functools.partial(statistics.percentile_interval, images=images)
    allowed = 1 - (1 - confidence) / len(parts)
    errors = [statistics.standard_error(part[1:], images=images) for part in parts]
    p_values = np.array(
        [
            statistics.wald_p(part[0], error, images=images)
            for part, error in zip(parts, errors, strict=True)
        ]
    )
    weakest = parts[:, 0].argmin()
    drawn = parts[:, 1:][:, ~np.isnan(parts[:, 1:]).any(axis=0)]
    effect = parts[weakest, 0]
    against = parts[:, 0] <= 0
    return {
        "claim": one.name,
        "regime": regime,
        "sentence": one.sentence,
        "contrary": one.contrary,
        "measure": one.measure,
        **outcomes.size(*one.groups),
        "effect": effect,
        "ci_low": min(interval(part[1:], confidence)[0] for part in parts),
        "ci_high": min(interval(part[1:], allowed)[1] for part in parts),
        "p_value": p_values.max()
        if not effect <= 0
        else min(p_values[against].min(initial=1) * len(parts), 1.0),
        "probability": float((drawn > 0).all(axis=0).mean()) if drawn.size else np.nan,
        "mde": statistics.minimum_detectable(errors[weakest], confidence=confidence),
        "vacuous": ", ".join(
            name for name in one.conditions if any((name, group) in vacuous for group in one.groups)
        ),
    }
