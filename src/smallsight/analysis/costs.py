"""What conditions cost, as a shift of the psychometric curve of the same objects: costs.csv."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from smallsight.analysis.columns import IMAGES, N, interval
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.pixel_sweep import Fitted, Sweep
from smallsight.analysis.statistics.bootstrap import percentile_interval, weighted_means
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, number
from smallsight.vocabulary import CONDITION, REGIME

COSTS = Table(
    "costs",
    "the factor by which the same objects would have to be larger under a condition",
    (
        REGIME,
        CONDITION,
        N,
        IMAGES,
        number("acc_reference", "accuracy on the same objects at their own pixels, untouched"),
        number("acc", "accuracy under the condition"),
        number("cost", "the factor, above 1 where the condition hurts; empty where none is known"),
        *interval("cost_low", "cost_high", of="cost"),
    ),
)

STEP = 0.04
"""Between neighbouring sides, and between shifts, in logarithms of the side."""

SHIFTS = 105
"""Shifts of the curve that are tried, each way, in steps: as far as to sides 67 times as large."""

ROUNDING = 1e-9
"""Accuracies that differ by less are equal."""


@dataclass(frozen=True)
class Population:
    """The own sides of a sweep's objects in every draw, on a lattice.

    Attributes
    ----------
    lattice
        (j,): logarithms of sides, `STEP` apart.
    weights
        (1 + draws, j): number of objects at each of them. One between two of them is divided.
    """

    lattice: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, log_side: np.ndarray, weights: np.ndarray) -> "Population":
        """Put n objects, drawn (1 + draws, n) times, on a lattice."""
        lattice = np.arange(log_side.min(), log_side.max() + 2 * STEP, STEP)
        near = 1 - np.abs(log_side[:, None] - lattice) / STEP
        return cls(lattice, weights @ near.clip(0).astype(np.float32))

    def accuracies(self, fitted: Fitted) -> np.ndarray:
        """(d, 2 * SHIFTS + 1): mean accuracy in each known draw if its curve is shifted.

        From `SHIFTS` steps to smaller sides to as many steps to larger ones.
        """
        size = len(self.lattice)
        # All curves are read at the same few sides, because a shift is a whole number of steps.
        sides = self.lattice[0] + STEP * np.arange(-SHIFTS, SHIFTS + size)
        heights = fitted.curves.at(sides)
        weights = self.weights[fitted.known]
        weights = weights / weights.sum(axis=1, keepdims=True)
        return np.stack(
            [
                np.einsum("dj,dj->d", weights, heights[:, start : start + size])
                for start in range(2 * SHIFTS, -1, -1)
            ],
            axis=1,
        )


def compute_costs(
    fitted: Fitted, sweep: Sweep, own_sides: Population, regime: str, outcomes: Outcomes
) -> list[dict[str, Any]]:
    """Compute by how much a sweep's objects would have to be larger, under every condition.

    A cost says how much smaller objects on the curve lose as much accuracy as the same objects, at
    their own pixels, lose under the condition.

    Parameters
    ----------
    fitted
        The curve in this regime.
    own_sides
        Of the sweep's objects.

    Returns
    -------
    list of dict
        Rows of `COSTS`. A cost is missing without a threshold, and where the curve neither loses
        nor gains as much; an end of its interval is NaN where that may be so.
    """
    about = {"n": int(sweep.chosen.sum()), "images": outcomes.images(sweep.chosen)}
    names = [UNTOUCHED, *outcomes.changed_conditions(regime)]
    hit_rates = outcomes.hit_rates[[outcomes.row[regime, name] for name in names]]
    known_weights = outcomes.weights[fitted.known][:, sweep.chosen]
    reference, *changed = weighted_means(hit_rates[:, sweep.chosen], known_weights).T
    on_curve = own_sides.accuracies(fitted) if np.isfinite(fitted.threshold) else None
    rows = []
    for condition, acc in zip(names[1:], changed, strict=True):
        row: dict[str, Any] = {"regime": regime, "condition": condition, **about}
        row |= {"acc_reference": reference[0], "acc": acc[0]}
        if on_curve is not None:
            shifts = _shifts(on_curve, acc - reference)
            if np.isfinite(shifts[0]):
                confidence = outcomes.settings.confidence
                ends = percentile_interval(shifts[1:], confidence, images=about["images"])
                cost = np.exp([end if np.isfinite(end) else np.nan for end in (shifts[0], *ends)])
                row |= dict(zip(("cost", "cost_low", "cost_high"), cost, strict=True))
        rows.append(row)
    return rows


def _shifts(accuracies: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """Find how far each draw's curve is shifted where it changes the accuracy by so much.

    Parameters
    ----------
    accuracies
        As `Population.accuracies` returns them.
    changes
        (d,), below 0 for losses.

    Returns
    -------
    ndarray
        (d,), in logarithms of the side, above 0 for losses; infinite where no shift is so far.
    """
    draws, last = np.arange(len(changes)), 2 * SHIFTS
    due = accuracies[:, SHIFTS] + changes
    above = np.sum(accuracies > due[:, None] + ROUNDING, axis=1)
    left, right = (above - 1).clip(0), above.clip(1, last)
    high, low = accuracies[draws, left], accuracies[draws, right]
    share = np.divide(high - due, high - low, out=np.zeros(len(due)), where=high > low)
    between = STEP * (left - SHIFTS + share.clip(0, 1))
    found = np.select([above == 0, above > last], [-np.inf, np.inf], between)
    return np.where(np.abs(changes) <= ROUNDING, 0.0, found)
