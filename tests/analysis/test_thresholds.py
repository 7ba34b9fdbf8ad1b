import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from builders.predictions import outcomes_of, predicted
from smallsight.analysis.statistics import tests
from smallsight.analysis.statistics.psychometric import SPREADS, Grid, curve
from smallsight.analysis.thresholds import (
    BIN_COUNT,
    THRESHOLDS,
    bin_by_side,
    compute_thresholds,
    fit,
    fit_location,
)

pytestmark = pytest.mark.simulation

FLOOR = 1 / 6


def answers(rng, n=600, *, threshold=15.0, spread=0.5, ceiling=0.9, floor=FLOOR):
    side = np.exp(rng.uniform(np.log(2), np.log(100), n))
    share = curve(
        np.log(side), location=np.log(threshold), spread=spread, ceiling=ceiling, floor=floor
    )
    return side, (rng.random(n) < share).astype(float)


def loss(side, shares, location, spread, ceiling, floor):
    """Mean negative log likelihood, stated once more."""
    right = floor + (ceiling - floor) / (1 + np.exp(-(np.log(side) - location) / spread))
    return -np.mean(shares * np.log(right) + (1 - shares) * np.log(1 - right))


# One curve.


@given(st.floats(0.5, 5), st.floats(0.08, 1.6), st.floats(0.3, 1), st.floats(0, 0.29))
def test_a_curve_rises_from_its_floor_to_its_ceiling_and_is_half_way_at_its_threshold(
    location, spread, ceiling, floor
):
    shape = {"location": location, "spread": spread, "ceiling": ceiling, "floor": floor}
    assert curve(np.array([-1e4]), **shape) == pytest.approx(floor)
    assert curve(np.array([1e4]), **shape) == pytest.approx(ceiling)
    assert curve(np.array([location]), **shape) == pytest.approx((floor + ceiling) / 2)
    assert (np.diff(curve(np.linspace(-3, 9, 50), **shape)) >= 0).all()


@pytest.mark.parametrize("seed", range(6))
def test_location_of_a_curve_from_nothing_to_all_is_logistic_regressions(seed):
    """With floor 0, ceiling 1 and a known spread, only the intercept is free."""
    rng = np.random.default_rng(seed)
    spread = rng.uniform(0.3, 1.2)
    side, right = answers(rng, 300, threshold=rng.uniform(5, 40), spread=spread, ceiling=1, floor=0)
    model = sm.GLM(right, np.ones(300), family=sm.families.Binomial(), offset=np.log(side) / spread)
    due = -model.fit().params[0] * spread
    found = fit_location(side, right, spread=spread, ceiling=1.0, floor=0.0)
    assert found == pytest.approx(due, abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_a_curve_from_nothing_to_all_is_logistic_regression(seed):
    rng = np.random.default_rng(seed)
    side, right = answers(rng, 800, threshold=12, spread=0.5, ceiling=1, floor=0)
    slope = sm.Logit(right, sm.add_constant(np.log(side))).fit(disp=False).params
    due = (-slope[0] / slope[1], 1 / slope[1])
    location, spread, ceiling = fit(side, right, floor=0.0)
    # Its ceiling is free here, and may lie a little below 1.
    assert (
        loss(side, right, location, spread, min(ceiling, 1 - 1e-9), 0)
        <= loss(side, right, *due, 1 - 1e-9, 0) + 1e-6
    )
    if ceiling > 0.999:
        assert (location, spread) == pytest.approx(due, abs=0.02)
    assert ceiling > 0.93


@pytest.mark.parametrize("seed", range(5))
def test_a_curve_is_as_likely_as_the_best_of_many_direct_fits(seed):
    rng = np.random.default_rng(seed)
    side, right = answers(
        rng, 500, threshold=rng.uniform(8, 30), spread=rng.uniform(0.2, 0.8), ceiling=0.9
    )
    location, spread, ceiling = fit(side, right, floor=FLOOR)
    low, high = np.log(side.min() / 2), np.log(side.max() * 2)
    found = loss(side, right, location, spread, ceiling - 1e-9, FLOOR)
    for start in range(6):
        draw = np.random.default_rng(start)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            direct = minimize(
                lambda point: loss(side, right, *point, FLOOR),
                x0=(draw.uniform(low, high), draw.uniform(0.1, 1.5), draw.uniform(0.5, 0.99)),
                bounds=((low, high), (SPREADS[0], SPREADS[-1]), (0.3, 1 - 1e-9)),
            )
        assert found <= direct.fun + 1e-5
    assert location == pytest.approx(np.log(side).mean(), abs=2)


@pytest.mark.parametrize("seed", range(4))
def test_location_is_the_likeliest_one(seed):
    rng = np.random.default_rng(seed)
    side, right = answers(rng, 200)
    shape = {"spread": 0.5, "ceiling": 0.9, "floor": FLOOR}
    found = fit_location(side, right, **shape)
    there = loss(side, right, found, 0.5, 0.9, FLOOR)
    for location in np.linspace(np.log(1), np.log(200), 400):
        assert there <= loss(side, right, location, 0.5, 0.9, FLOOR) + 1e-9


def test_a_planted_curve_is_found_among_many_instances():
    side, right = answers(np.random.default_rng(0), 20_000, threshold=14, spread=0.4, ceiling=0.85)
    location, spread, ceiling = fit(side, right, floor=FLOOR)
    assert np.exp(location) == pytest.approx(14, rel=0.05)
    assert spread == pytest.approx(0.4, rel=0.12)
    assert ceiling == pytest.approx(0.85, abs=0.02)


def test_sides_ten_times_as_large_have_a_threshold_ten_times_as_large():
    side, right = answers(np.random.default_rng(1))
    one, other = fit(side, right, floor=FLOOR), fit(10 * side, right, floor=FLOOR)
    assert other[0] - one[0] == pytest.approx(np.log(10), abs=2e-3)
    assert other[1:] == pytest.approx(one[1:], abs=2e-3)


def test_shares_count_like_as_many_answers():
    side, right = answers(np.random.default_rng(2), 100)
    more = np.random.default_rng(3).random((5, 100)) < 0.5 * right + 0.3
    once = fit(side, more.mean(axis=0), floor=FLOOR)
    each = fit(np.tile(side, 5), more.ravel().astype(float), floor=FLOOR)
    assert once == pytest.approx(each, abs=1e-3)


@pytest.mark.parametrize(("answer", "due"), [(1.0, -np.inf), (0.0, np.inf)])
def test_where_all_are_right_or_all_wrong_the_threshold_is_beyond_all_sides(answer, due):
    side, _ = answers(np.random.default_rng(0), 80)
    shape = {"spread": 0.4, "ceiling": 1.0, "floor": FLOOR}
    assert fit_location(side, np.full(80, answer), **shape) == due


# The bootstrap's grid.


def test_locations_on_the_grid_are_those_of_exact_fits():
    rng = np.random.default_rng(4)
    side, right = answers(rng, 300)
    grid = Grid(np.log(side), FLOOR)
    weights = rng.multinomial(300, np.full(300, 1 / 300), size=12).astype(np.float32)
    shape_of = grid.shape_by_draw(weights, right)
    found = grid.location_by_draw(weights, right, shape_of)
    for draw, location in enumerate(found):
        chosen = np.repeat(np.arange(300), weights[draw].astype(int))
        spread, ceiling = grid.shapes[shape_of[draw]]
        exact = fit_location(side[chosen], right[chosen], spread=spread, ceiling=ceiling,
                             floor=FLOOR)  # fmt: skip
        assert location == pytest.approx(exact, abs=0.01)
        # And its shape is the likeliest of all shapes.
        best = min(
            loss(side[chosen], right[chosen], at, wide, min(high, 1 - 1e-6), FLOOR)
            for wide, high in grid.shapes
            for at in grid.locations[::4]
        )
        there = loss(side[chosen], right[chosen], exact, spread, min(ceiling, 1 - 1e-6), FLOOR)
        assert there <= best + 1e-4


def test_refitting_the_shape_in_each_draw_moves_thresholds_as_a_whole_fit_does():
    rng = np.random.default_rng(5)
    side, right = answers(rng, 400)
    grid = Grid(np.log(side), FLOOR)
    weights = rng.multinomial(400, np.full(400, 1 / 400), size=25).astype(np.float32)
    found = grid.location_by_draw(weights, right, grid.shape_by_draw(weights, right))
    exact = []
    for weight in weights.astype(int):
        chosen = np.repeat(np.arange(400), weight)
        exact.append(fit(side[chosen], right[chosen], floor=FLOOR)[0])
    assert np.corrcoef(found, exact)[0, 1] > 0.9
    assert np.std(found) == pytest.approx(np.std(exact), rel=0.25)
    assert np.mean(found) == pytest.approx(np.mean(exact), abs=0.05)


# The table.


@pytest.fixture(scope="module")
def predictions(population):
    """Answers that depend on the side, and under two conditions on a smaller one."""
    table = predicted(
        population(images=150), conditions={"orig_full": 0, "mild": 0, "strong": 0}, seeds=2
    )
    shift = table["condition"].map({"orig_full": 1.0, "mild": 1.3, "strong": 3.0})
    share = FLOOR + (0.95 - FLOOR) * expit(np.log(table["side"] / shift / 12) / 0.4)
    return table.assign(correct=np.random.default_rng(0).random(len(table)) < share)


@pytest.fixture(scope="module")
def table(predictions):
    return compute_thresholds(outcomes_of(predictions))


def test_one_row_per_regime_and_condition_the_untouched_one_first(table, predictions):
    assert list(table.columns) == THRESHOLDS.names
    due = [(regime, name) for regime in ("fixed", "retrained")
           for name in ("orig_full", "mild", "strong")]  # fmt: skip
    assert list(zip(table["regime"], table["condition"], strict=True)) == due
    assert (table["n"] == predictions["ann_id"].nunique()).all()
    assert table["floor"].to_numpy() == pytest.approx(FLOOR)
    assert (table["side_min"] == predictions["side"].min()).all()
    assert (table["side_max"] == predictions["side"].max()).all()
    assert (table.groupby("regime")[["spread", "ceiling"]].nunique() == 1).to_numpy().all()


def test_thresholds_lie_in_their_intervals_and_rise_with_what_a_condition_costs(table):
    assert ((table["ci_low"] < table["threshold"]) & (table["threshold"] < table["ci_high"])).all()
    for _, part in table.groupby("regime"):
        rows = part.set_index("condition")
        cost = rows["threshold"] / rows.loc["orig_full", "threshold"]
        assert rows.loc[["mild", "strong"], "cost"].tolist() == pytest.approx(
            cost[["mild", "strong"]].tolist()
        )
        assert np.isnan(
            rows.loc["orig_full", ["cost", "cost_low", "cost_high"]].astype(float)
        ).all()
        for name, planted in (("mild", 1.3), ("strong", 3.0)):
            row = rows.loc[name]
            assert row["cost_low"] < row["cost"] < row["cost_high"]
            assert row["cost"] == pytest.approx(planted, rel=0.35)
            assert 1.05 < row["cost_high"] / row["cost_low"] < 2.5
        assert rows.loc["mild", "cost_high"] < rows.loc["strong", "cost_low"]
        assert rows.loc["strong", "verdict"] == "larger"
        assert rows.loc["orig_full", "verdict"] == ""


def test_verdicts_on_costs_need_interval_and_adjusted_test(table):
    costs = table.dropna(subset="cost")
    assert len(costs) == 4
    holm = tests.holm(costs["p_value"].to_numpy(float))
    assert costs["p_holm"].to_numpy(float) == pytest.approx(holm)
    for row in costs.itertuples():
        # Wald's test and the interval are about the same logarithm.
        reach = np.log(row.cost_high / row.cost_low) / 2
        due = 2 * norm.sf(abs(np.log(row.cost)) / (reach / 1.96))
        assert np.log(row.p_value) == pytest.approx(np.log(due), rel=0.5, abs=1)
        above, below = row.cost_low > 1, row.cost_high < 1
        sure = row.p_holm <= 0.05
        due = "larger" if above and sure else "smaller" if below and sure else "inconclusive"
        assert row.verdict == due


def test_a_condition_that_helps_lets_objects_be_smaller(predictions):
    names = {"orig_full": "strong", "strong": "orig_full"}
    turned = predictions.assign(condition=predictions["condition"].replace(names))
    found = compute_thresholds(outcomes_of(turned)).set_index(["regime", "condition"])
    row = found.loc[("fixed", "strong")]
    assert row["cost_high"] < 1
    assert row["verdict"] == "smaller"


def test_order_of_the_rows_does_not_matter(predictions, table):
    shuffled = compute_thresholds(outcomes_of(predictions.sample(frac=1, random_state=0)))
    keys = ["regime", "condition"]
    one, other = (part.sort_values(keys, ignore_index=True) for part in (table, shuffled))
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("answer", [True, False])
def test_all_right_or_all_wrong_has_a_row_but_no_cost(predictions, answer):
    table = compute_thresholds(outcomes_of(predictions.assign(correct=answer), draws=100))
    assert len(table) == 6
    # All right: recognised at any size. All wrong: below chance, and so at no size.
    assert (table["threshold"] == (0 if answer else np.inf)).all()
    assert table["cost"].isna().all()


def test_a_condition_that_nothing_survives_costs_too_much_to_say(predictions):
    lost = predictions.assign(
        correct=predictions["correct"] & (predictions["condition"] != "strong")
    )
    row = compute_thresholds(outcomes_of(lost, draws=100)).set_index(["regime", "condition"])
    strong = row.loc[("fixed", "strong")]
    assert strong["threshold"] == np.inf
    assert np.isnan(strong["cost"])
    assert np.isfinite(row.loc[("fixed", "mild"), "cost"])


@pytest.mark.parametrize("instances", [1, 2, 5])
def test_a_handful_of_instances_still_has_a_table(predictions, instances):
    few = predictions[predictions["ann_id"].isin(predictions["ann_id"].unique()[:instances])]
    found = outcomes_of(few, draws=100)
    assert len(compute_thresholds(found)) == 6
    assert len(bin_by_side(found)) == 6 * instances


# What a figure shows beside the curves.


def test_bins_hold_equally_many_instances_and_their_accuracy(predictions):
    found = outcomes_of(predictions)
    table = bin_by_side(found)
    assert len(table) == 6 * BIN_COUNT
    order = found.side.argsort(kind="stable")
    for (regime, condition), part in table.groupby(["regime", "condition"]):
        assert part["n"].sum() == len(order)
        assert part["n"].max() - part["n"].min() <= 1
        assert part["side"].is_monotonic_increasing
        shares = found.hit_rates[found.row[regime, condition]][order]
        start = 0
        for row in part.itertuples():
            due = shares[start : start + row.n]
            assert row.acc == pytest.approx(due.mean())
            assert row.side == np.median(found.side[order][start : start + row.n])
            assert row.ci_low <= row.acc <= row.ci_high
            start += row.n


def test_bins_of_one_image_know_next_to_nothing(predictions):
    found = outcomes_of(predictions)
    one = dataclasses.replace(
        found, instances=found.instances.assign(image_id=7), weights=np.ones_like(found.weights)
    )
    table = bin_by_side(one)
    assert (table["ci_high"] - table["ci_low"] > 0.8).all()
