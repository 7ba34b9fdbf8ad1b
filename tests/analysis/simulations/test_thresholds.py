"""Thresholds within objects, the test of fit, and what conditions cost."""

import numpy as np
import pytest
from scipy.special import ndtr

from builders.pixel_sweeps import SIDES, rising, swept
from builders.simulated_studies import MORE, SEEDS, study, three_groups, tolerated
from smallsight.analysis.thresholds import compute_thresholds

pytestmark = pytest.mark.simulation

OWN = {"small": (8, 30), "medium": (40, 120), "large": (120, 300)}
"""Least and greatest native side by size group: about 310 of 600 objects have all levels."""

CURVES = {
    "both ends seen": (18, 0.4, 0.35, 0.85),
    "no floor seen": (9, 0.45, 0.2, 0.9),
    "no ceiling seen": (36, 0.4, 0.38, 0.85),
    "steep": (14, 0.1, 0.17, 0.95),
}
"""Threshold, spread, floor and ceiling."""

NO_CURVES = {
    "not monotone": (0.4, 0.5, 0.62, 0.75, 0.75, 0.7, 0.64, 0.6),
    "a bump": (0.38, 0.45, 0.6, 0.72, 0.62, 0.66, 0.78, 0.82),
    "two steps": (0.25, 0.27, 0.5, 0.53, 0.54, 0.56, 0.82, 0.85),
    "two small steps": (0.35, 0.36, 0.5, 0.55, 0.56, 0.58, 0.74, 0.8),
    "falling": (0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45),
}
"""Accuracy at each level."""

COSTS = {"severe": 6.0, "harmful": 3.0, "harmless": 1.0}
"""By how much larger the curve's objects have to be under each condition."""


def answered(rng, image, accuracy):
    """Draw how many of `SEEDS` heads are right, for each of n objects in each of v views.

    Objects of an image share their fate, an object's views resemble each other, neighbouring ones
    most, and heads differ. Whatever they share, each view has the accuracy that is given, (n, v).
    """
    n, views = accuracy.shape
    alike = np.sqrt(0.35) * rng.standard_normal(image.max() + 1)[image]
    alike = alike + np.sqrt(0.25) * rng.standard_normal(n)
    walk = rng.standard_normal((n, views))
    for view in range(1, views):
        walk[:, view] = 0.8 * walk[:, view - 1] + 0.6 * walk[:, view]
    heads = rng.standard_normal((SEEDS, n, 1)) + rng.standard_normal((SEEDS, n, views))
    latent = alike[:, None] + np.sqrt(0.2) * walk + np.sqrt(0.1) * heads
    return (ndtr(latent) < accuracy).mean(axis=0)


def analysed(rng, at_level, at_own, *, draws):
    """Analyse a study of known accuracy at every level, and of all objects under conditions.

    Parameters
    ----------
    at_level
        (levels,).
    at_own
        By condition: maps own sides to accuracies.
    """
    image, group = three_groups(rng, (1, 2, 3, 4, 5))
    low, high = np.log([OWN[name] for name in group]).T
    side = np.exp(rng.uniform(low, high))
    large_enough = side >= SIDES[-1]
    own = np.column_stack([accuracy(side) for accuracy in at_own.values()])
    levels = np.broadcast_to(at_level, (len(side), len(SIDES)))
    rates = answered(rng, image, np.column_stack([levels, own]))
    shares = {("fixed", name): rates[:, len(SIDES) + k] for k, name in enumerate(at_own)}
    outcomes = study(image, group, shares, rng=rng, draws=draws, side=side, seeds=SEEDS)
    reduced = outcomes.instances[large_enough]
    sweep = swept(reduced, {"fixed": rates[large_enough, : len(SIDES)]})
    return compute_thresholds(sweep, outcomes, side, {"20": 1})


def planted(rng, curve, *, draws):
    """Analyse a study whose accuracies all lie on a curve, moved by the conditions' costs."""
    at_own = {"orig_full": lambda side: rising(side, *curve)}
    for name, cost in COSTS.items():
        at_own[name] = lambda side, cost=cost: rising(side / cost, *curve)
    return analysed(rng, rising(SIDES, *curve), at_own, draws=draws)


def covers(tables, threshold):
    """Say which intervals hold what was planted: the threshold's, and each cost's, if any."""
    row, costs = tables["thresholds"].iloc[0], tables["costs"].set_index("condition")
    due = np.array([threshold, *COSTS.values()])
    low = np.array([row["ci_low"], *costs.loc[list(COSTS), "cost_low"].fillna(0)])
    high = np.array([row["ci_high"], *costs.loc[list(COSTS), "cost_high"].fillna(np.inf)])
    return (low <= due) & (due <= high)


def test_thresholds_and_costs_that_were_planted_are_covered_and_curves_that_fit_are_kept():
    """Where next to nothing is lost, the curve is too level to bound a cost from below."""
    rng = np.random.default_rng(6)
    repetitions, refused, hits = 40 * MORE, 0, []
    for name, curve in CURVES.items():
        found, covered = [], []
        for _ in range(repetitions):
            tables = planted(rng, curve, draws=300)
            row = tables["thresholds"].iloc[0]
            refused += not row["fits"]
            if np.isfinite(row["threshold"]):
                covered.append(covers(tables, curve[0]))
                costs = tables["costs"].set_index("condition").loc[list(COSTS), "cost"]
                found.append([row["threshold"], *costs])
        middle, shares = np.nanmedian(found, axis=0), np.mean(covered, axis=0)
        print(f"{name}: a threshold in {len(found) / repetitions:.3f}")
        for what, median, share in zip(("threshold", *COSTS), middle, shares, strict=True):
            print(f"  {what}: {median:.2f}, covered {share:.3f}")
        assert len(found) >= 0.85 * repetitions
        assert middle[:2] == pytest.approx([curve[0], COSTS["severe"]], rel=0.08)
        hits += covered
    studies, shares = repetitions * len(CURVES), np.mean(hits, axis=0)
    print(f"refused in {refused / studies:.3f}; all covered: {shares.round(3)}")
    assert refused / studies <= tolerated(0.07, studies)
    assert (1 - shares <= tolerated(0.07, len(hits))).all()
    assert (shares[:2] <= tolerated(0.97, len(hits))).all()


@pytest.mark.parametrize("name", NO_CURVES)
def test_accuracies_that_are_on_no_curve_are_refused(name):
    rng = np.random.default_rng(7)
    at_own = {"orig_full": lambda side: np.full(len(side), 0.8), "x": lambda side: 0.5 + 0 * side}
    repetitions, refused = 20 * MORE, 0
    for _ in range(repetitions):
        tables = analysed(rng, np.array(NO_CURVES[name]), at_own, draws=200)
        (row,) = tables["thresholds"].to_dict("records")
        if not row["fits"]:
            refused += 1
            assert np.isnan([row["threshold"], row["ci_low"], row["share_below"]]).all()
            assert tables["costs"]["cost"].isna().all()
    print(f"{name}: refused in {refused / repetitions:.3f}")
    assert refused / repetitions >= 0.8


def test_accuracies_that_do_not_rise_rarely_give_a_threshold():
    rng = np.random.default_rng(8)
    at_own = {"orig_full": lambda side: np.full(len(side), 0.6)}
    repetitions = 40 * MORE
    rows = [
        analysed(rng, np.full(len(SIDES), 0.6), at_own, draws=200)["thresholds"].iloc[0]
        for _ in range(repetitions)
    ]
    found = np.mean([np.isfinite(row["threshold"]) for row in rows])
    refused = np.mean([not row["fits"] for row in rows])
    print(f"no rise: a threshold in {found:.3f}, refused in {refused:.3f}")
    assert found <= tolerated(0.025, repetitions)
    assert refused <= tolerated(0.07, repetitions)
