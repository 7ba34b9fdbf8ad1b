"""How many pixels an object needs: thresholds.csv, pixels.csv and costs.csv.

The same objects are seen with fewer and fewer pixels, so that their size is no longer mixed with
the kind of object. Their psychometric curve has a threshold. What a condition does to these objects
at their own pixels is a shift of that curve: the factor by which they would have to be larger.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import GROUP, IMAGES, N, interval
from smallsight.analysis.costs import COSTS, Population, compute_costs
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.pixel_sweep import Fitted, Sweep, arrange_sweep, fit_sweep
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, flag, number
from smallsight.vocabulary import GROUPS, REGIME

THRESHOLDS = Table(
    "thresholds",
    "the side at which the same objects are recognised half-way between guessing and the best",
    (
        REGIME,
        N,
        IMAGES,
        number("threshold", "side half-way up the curve, in native pixels; empty without one"),
        *interval(of="threshold"),
        flag("fits", "whether the accuracies at the levels may be those of a curve"),
        number("p_fit", "p-value of the test of fit; empty where levels or images are too few"),
        number("floor", "accuracy that the curve approaches at small sides"),
        number("ceiling", "accuracy that the curve approaches at large sides"),
        number("spread", "scale of the logistic curve over the logarithm of the side"),
        number("side_min", "side at the smallest level, in native pixels"),
        number("side_max", "side at the largest level, in native pixels"),
        number("acc_native", "accuracy on the same objects at their own pixels"),
        number(
            "share_below", "share of all eligible objects whose own side is below the threshold"
        ),
    ),
)

PIXELS = Table(
    "pixels",
    "accuracy on the same objects at every level of pixels, and at their own",
    (
        REGIME,
        GROUP,
        number("side", "side at the level, or median side of their own, in native pixels"),
        flag("native", "whether the objects have all pixels of their own"),
        N,
        IMAGES,
        number("acc", "share of the predictions that are correct, the mean over the seeds"),
        *interval(),
    ),
)


def compute_thresholds(
    sweep: pd.DataFrame,
    outcomes: Outcomes,
    native_side: np.ndarray,
    side_counts: Mapping[str, int],
) -> dict[str, pd.DataFrame]:
    """Compute thresholds, accuracy by pixels, and what conditions cost.

    Parameters
    ----------
    sweep
        As `arrange_sweep` takes it.
    outcomes
        Of the same task.
    native_side
        (n,): the sides of the outcomes' instances in their own pictures, in pixels.
    side_counts
        Number of all eligible objects of the data, by side in their own pictures, rounded down.

    Returns
    -------
    dict
        The tables of `THRESHOLDS`, a row per regime; of `PIXELS`, a row per regime, size group and
        level and one at the objects' own pixels, which alone small objects have; and of `COSTS`, a
        row per regime and condition. All are empty where no object was seen at every level.

        An end of a threshold's interval at the smallest or largest level stands for whatever lies
        beyond. `costs.compute_costs` says what a cost is, and where there is none.
    """
    arranged = arrange_sweep(sweep, outcomes)
    tables = (THRESHOLDS, PIXELS, COSTS)
    if not arranged.chosen.any():
        return {table.name: pd.DataFrame(columns=table.names) for table in tables}
    thresholds, pixels, costs = [], [], []
    chosen = arranged.chosen
    own_sides = Population.of(np.log(native_side[chosen]), outcomes.weights[:, chosen])
    for regime in outcomes.regimes:
        fitted = fit_sweep(arranged, regime, outcomes)
        thresholds.append(_threshold(fitted, arranged, regime, outcomes, side_counts))
        pixels += _pixels(arranged, regime, outcomes, native_side)
        costs += compute_costs(fitted, arranged, own_sides, regime, outcomes)
    rows = dict(zip((table.name for table in tables), (thresholds, pixels, costs), strict=True))
    return {table.name: pd.DataFrame(rows[table.name], columns=table.names) for table in tables}


def _threshold(
    fitted: Fitted,
    sweep: Sweep,
    regime: str,
    outcomes: Outcomes,
    side_counts: Mapping[str, int],
) -> dict[str, Any]:
    native = outcomes.hit_rates[outcomes.row[regime, UNTOUCHED], sweep.chosen]
    curves = fitted.curves
    return {
        "regime": regime,
        "n": int(sweep.chosen.sum()),
        "images": outcomes.images(sweep.chosen),
        "threshold": fitted.threshold,
        **dict(zip(("ci_low", "ci_high"), fitted.ends, strict=True)),
        "fits": fitted.fits,
        "p_fit": fitted.p_fit,
        "floor": curves.floor[0],
        "ceiling": curves.ceiling[0],
        "spread": curves.spread[0],
        "side_min": sweep.sides[0],
        "side_max": sweep.sides[-1],
        "acc_native": native.mean(),
        "share_below": share_below(fitted.threshold, side_counts),
    }


def share_below(threshold: float, side_counts: Mapping[str, int]) -> float:
    """Compute the share of objects below a threshold, from their counts by side, rounded down.

    Objects that share their whole number of pixels with the threshold are spread evenly over it.
    NaN where no objects were counted.

    Examples
    --------
    >>> share_below(12.5, {"9": 3, "12": 4, "20": 3})
    0.5
    """
    if not side_counts:
        return np.nan
    sides = np.array([int(side) for side in side_counts])
    counts = np.array(list(side_counts.values()), float)
    return float((threshold - sides).clip(0, 1) @ counts / counts.sum())


def _pixels(
    sweep: Sweep, regime: str, outcomes: Outcomes, native_side: np.ndarray
) -> list[dict[str, Any]]:
    """Compute accuracy at every level and at the objects' own sides, by size group."""
    at_own = outcomes.hit_rates[outcomes.row[regime, UNTOUCHED]]
    at_level = np.full((len(sweep.sides), len(at_own)), np.nan)
    at_level[:, sweep.chosen] = sweep.hit_rates[regime].T
    small = GROUPS[0]
    rows = []
    for group, members in outcomes.members.items():
        shown = members if group == small else members & sweep.chosen
        if not shown.any():
            continue
        levels = () if group == small else zip(sweep.sides, at_level, strict=True)
        for side, is_own, values in (
            *((side, False, values) for side, values in levels),
            (np.median(native_side[shown]), True, at_own),
        ):
            acc, low, high = outcomes.mean_with_interval(values, shown)
            row = {"regime": regime, "size_group": group, "side": side, "native": is_own}
            row |= {"n": int(shown.sum()), "images": outcomes.images(shown)}
            rows.append(row | {"acc": acc, "ci_low": low, "ci_high": high})
    return rows
