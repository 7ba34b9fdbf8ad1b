import dataclasses

import numpy as np
import pandas as pd
import pytest

from builders.pixel_sweeps import SIDES, rising, swept
from builders.simulated_studies import study
from smallsight.analysis.thresholds import (
    COSTS,
    PIXELS,
    THRESHOLDS,
    arrange_sweep,
    compute_thresholds,
    fit_sweep,
)
from smallsight.runtime.tables import conform

CURVE = (18, 0.4, 0.3, 0.85)
COUNTS = {"5": 10, "15": 20, "16": 10, "40": 50, "90": 10}
"""Eligible objects by side, rounded down."""
TABLES = {table.name: table for table in (THRESHOLDS, PIXELS, COSTS)}


def objects(images=120, seed=0):
    """Images of several objects, their size groups and native sides."""
    rng = np.random.default_rng(seed)
    image = np.repeat(np.arange(images) * 3 + 1, rng.integers(1, 6, images))
    side = np.exp(rng.uniform(np.log(8), np.log(300), len(image)))
    return image, side, np.select([side < 30, side < 100], ["small", "medium"], "large")


def right_above(accuracy, luck):
    """Answers of this accuracy; who is right with few pixels is right with more."""
    return (luck < accuracy).astype(float)


def made(*, curves, costs, images=120, seed=0, draws=200, sides=SIDES):
    """Outcomes, a sweep and native sides: accuracies of a curve by regime, moved by conditions."""
    rng = np.random.default_rng(seed)
    image, side, group = objects(images, seed)
    reduced = side >= sides[-1]
    luck = rng.random(len(side))
    # Evenly spread, so that accuracies at the levels are the curve's.
    luck[reduced] = (rng.permutation(reduced.sum()) + 0.5) / reduced.sum()
    shares, levels = {}, {}
    for regime, curve in curves.items():
        for name, cost in {"orig_full": 1.0, **costs}.items():
            shares[regime, name] = right_above(rising(side / cost, *curve), luck)
        levels[regime] = right_above(rising(sides, *curve), luck[:, None])
    outcomes = study(image, group, shares, rng=rng, draws=draws, side=side)
    levels = {regime: values[reduced] for regime, values in levels.items()}
    return swept(outcomes.instances[reduced], levels, sides=sides), outcomes, side


@pytest.fixture(scope="module")
def inputs():
    return made(curves={"fixed": CURVE, "retrained": (12, 0.3, 0.4, 0.9)}, costs={"x": 6, "y": 1})


@pytest.fixture(scope="module")
def tables(inputs):
    return compute_thresholds(*inputs, COUNTS)


def test_tables_are_as_declared(tables, inputs):
    assert list(tables) == list(TABLES)
    for name, table in tables.items():
        conform(table, TABLES[name])
    assert list(tables["thresholds"]["regime"]) == ["fixed", "retrained"]
    pairs = zip(tables["costs"]["regime"], tables["costs"]["condition"], strict=True)
    assert list(pairs) == [(one, name) for one in ("fixed", "retrained") for name in "xy"]
    keys = tables["pixels"][["regime", "size_group", "side", "native"]]
    assert not keys.duplicated().any()


# Thresholds.


def test_planted_thresholds_are_found_on_the_objects_that_have_all_levels(tables, inputs):
    _, outcomes, side = inputs
    chosen = side >= 64
    for row, threshold in zip(tables["thresholds"].itertuples(), (18, 12), strict=True):
        assert row.fits
        assert 0.05 < row.p_fit <= 1
        assert row.threshold == pytest.approx(threshold, rel=0.15)
        assert row.ci_low < row.threshold < row.ci_high
        assert row.ci_low < threshold < row.ci_high
        assert (row.side_min, row.side_max) == (6, 64)
        assert (row.n, row.images) == (chosen.sum(), outcomes.images(chosen))
        native = outcomes.hit_rates[outcomes.row[row.regime, "orig_full"]]
        assert row.acc_native == pytest.approx(native[chosen].mean())
        # Whole sides are spread evenly over the pixel that they were rounded down to.
        below = sum(COUNTS[side] for side in COUNTS if int(side) + 1 <= row.threshold)
        above = sum(COUNTS[side] for side in COUNTS if int(side) >= row.threshold)
        assert below <= 100 * row.share_below <= 100 - above + 1e-9


@pytest.mark.parametrize("least", [7, 14, 20, 40])
@pytest.mark.parametrize("below", [0.0, 0.2])
def test_a_classifier_that_reads_objects_from_some_pixels_on_has_that_threshold(least, below):
    """No more can be known of it than between which levels it lies."""
    image, side, group = objects()
    luck = np.random.default_rng(1).random((len(side), 1))
    at_level = np.where(least <= SIDES, luck < 0.95, luck < below)
    halved = np.where(side[:, None] / 2 >= least, luck < 0.95, luck < below)[:, 0]
    own = np.where(side[:, None] >= least, luck < 0.95, luck < below)[:, 0]
    shares = {("fixed", "orig_full"): own, ("fixed", "half"): halved}
    outcomes = study(image, group, shares, rng=np.random.default_rng(0), draws=200, side=side)
    reduced = side >= 64
    sweep = swept(outcomes.instances[reduced], {"fixed": at_level[reduced]})
    tables = compute_thresholds(sweep, outcomes, side, COUNTS)
    row = tables["thresholds"].iloc[0]
    assert row["fits"]
    above = np.searchsorted(SIDES, least)
    assert row["threshold"] == pytest.approx(np.sqrt(SIDES[above - 1] * SIDES[above]), rel=0.1)
    assert row["ci_low"] == pytest.approx(SIDES[above - 1])
    assert row["ci_high"] == pytest.approx(SIDES[above])
    if least == 40:
        # Of objects of 64 pixels and more, those below 80 lose: as a factor of 2 has it.
        assert tables["costs"]["cost"][0] == pytest.approx(2, rel=0.2)


def planted(accuracy, *, seed=2, draws=200, images=120):
    """Analyse answers of these accuracies at the levels, drawn by chance for every level."""
    image, side, group = objects(images)
    rng = np.random.default_rng(seed)
    right = rng.random((len(side), len(accuracy))) < accuracy
    shares = {("fixed", "orig_full"): rng.random(len(side)) < 0.9,
              ("fixed", "x"): rng.random(len(side)) < 0.6}  # fmt: skip
    outcomes = study(image, group, shares, rng=rng, draws=draws, side=side)
    reduced = side >= 64
    return swept(outcomes.instances[reduced], {"fixed": right[reduced]}), outcomes, side


@pytest.mark.parametrize(
    ("accuracy", "fits"),
    [
        ([0.3, 0.4, 0.7, 0.9, 0.9, 0.5, 0.4, 0.3], False),
        (rising(SIDES, 3, 0.3, 0.2, 0.9), True),
        (rising(SIDES, 150, 0.3, 0.3, 0.9), True),
        (np.full(8, 0.6), True),
        (rising(SIDES, 20, 0.1, 0.85, 0.99), False),
    ],
    ids=["up and down", "below all levels", "above all levels", "level", "begins too high"],
)
def test_where_there_is_no_threshold_nothing_is_said_of_one(accuracy, fits):
    tables = compute_thresholds(*planted(accuracy), COUNTS)
    row = tables["thresholds"].iloc[0]
    assert row["fits"] == fits
    assert (row["p_fit"] <= 0.05) != fits
    empty = ["threshold", "ci_low", "ci_high", "share_below"]
    assert row[empty].isna().all()
    assert tables["costs"][["cost", "cost_low", "cost_high"]].isna().to_numpy().all()
    assert tables["costs"][["acc", "acc_reference"]].notna().to_numpy().all()
    assert len(tables["pixels"]) == 3 * 9 + 1


def test_an_interval_reaches_no_farther_than_the_levels():
    found = [
        compute_thresholds(
            *made(curves={"fixed": (at, 0.6, 0.2, 0.9)}, costs={}, images=60), COUNTS
        )
        for at in (7, 50)
    ]
    low, high = (tables["thresholds"].iloc[0] for tables in found)
    assert low["ci_low"] == 6
    assert high["ci_high"] == 64


def test_four_levels_cannot_show_that_a_curve_fits():
    few = made(curves={"fixed": CURVE}, costs={"x": 2}, sides=SIDES[1::2])
    row = compute_thresholds(*few, COUNTS)["thresholds"].iloc[0]
    assert np.isnan(row["p_fit"])
    assert not row["fits"]
    assert np.isnan(row["threshold"])


def test_more_objects_know_more():
    widths = []
    for images in (60, 600):
        arguments = made(curves={"fixed": CURVE}, costs={}, images=images)
        row = compute_thresholds(*arguments, COUNTS)["thresholds"].iloc[0]
        widths.append(np.log(row["ci_high"] / row["ci_low"]))
    assert 1.8 < widths[0] / widths[1] < 6


def test_draws_of_the_threshold_are_those_of_the_outcomes(inputs):
    sweep, outcomes, _ = inputs
    arranged = arrange_sweep(sweep, outcomes)
    fitted = fit_sweep(arranged, "fixed", outcomes)
    assert fitted.known.all()
    assert len(fitted.curves.location) == len(outcomes.weights)
    # One draw by hand: its objects, as often as they were drawn, in place of the sample.
    draw = 7
    times = outcomes.weights[draw, arranged.chosen].astype(int)
    again = np.repeat(arranged.hit_rates["fixed"], times, axis=0)
    alone = dataclasses.replace(arranged, hit_rates={"fixed": again})
    means = again.mean(axis=0)
    right = fitted.curves.at(alone.log_sides)[draw]
    due = -np.mean(means * np.log(right) + (1 - means) * np.log(1 - right))
    for parameter, step in np.ndindex(4, 2):
        shape = fitted.curves.parameters[draw].copy()
        shape[parameter] += (-1) ** step * 0.02
        other = rising(SIDES, np.exp(shape[0]), np.exp(shape[1]), *shape[2:]).clip(1e-6, 1 - 1e-6)
        if 0 <= shape[2] <= shape[3] <= 1:
            loss = -np.mean(means * np.log(other) + (1 - means) * np.log(1 - other))
            assert due <= loss + 1e-9


# Accuracy by pixels.


def test_accuracy_at_every_level_is_a_mean_of_the_same_objects(tables, inputs):
    sweep, outcomes, side = inputs
    about = outcomes.instances.assign(own=side)
    joined = sweep.merge(about, on=["image_id", "ann_id"])
    joined["side"] = joined["level"].str.removeprefix("side=").astype(float)
    rows = tables["pixels"]
    for row in rows[~rows["native"]].itertuples():
        part = joined[(joined["regime"] == row.regime) & (joined["side"] == row.side)]
        if row.size_group != "all":
            part = part[part["size_group"] == row.size_group]
        assert row.n == len(part)
        assert row.images == part["image_id"].nunique()
        assert row.acc == pytest.approx(part["correct"].mean())
        assert row.ci_low < row.acc < row.ci_high
        assert part["own"].min() >= 64
    assert set(rows["size_group"]) == {"all", "small", "medium", "large"}


def test_accuracy_at_their_own_sides_is_the_untouched_one(tables, inputs):
    _, outcomes, side = inputs
    rows = tables["pixels"]
    native = rows[rows["native"]]
    assert len(native) == 2 * 4
    for row in native.itertuples():
        chosen = outcomes.members[row.size_group]
        if row.size_group != "small":
            chosen = chosen & (side >= 64)
        values = outcomes.hit_rates[outcomes.row[row.regime, "orig_full"], chosen]
        assert row.n == chosen.sum()
        assert row.side == pytest.approx(np.median(side[chosen]))
        assert row.acc == pytest.approx(values.mean())
    assert (rows.loc[rows["size_group"] == "small", "native"]).all()


# Costs.


def test_costs_are_of_the_objects_that_the_curve_is_of(tables, inputs):
    _, outcomes, side = inputs
    chosen = side >= 64
    for row in tables["costs"].itertuples():
        assert (row.n, row.images) == (chosen.sum(), outcomes.images(chosen))
        for name, column in ((row.condition, row.acc), ("orig_full", row.acc_reference)):
            values = outcomes.hit_rates[outcomes.row[row.regime, name], chosen]
            assert column == pytest.approx(values.mean())


def test_a_planted_cost_is_found_and_what_changes_nothing_costs_nothing(tables):
    for row in tables["costs"].itertuples():
        if row.condition == "y":
            assert (row.cost, row.cost_low, row.cost_high) == (1, 1, 1)
        else:
            assert row.cost == pytest.approx(6, rel=0.12)
            assert row.cost_low < 6 < row.cost_high
            assert row.cost_high / row.cost_low < 2


def test_a_cost_is_the_shift_at_which_the_curve_loses_as_much(tables, inputs):
    _, _, side = inputs
    own = side[side >= 64]
    costs = tables["costs"].set_index(["regime", "condition"])
    for row in tables["thresholds"].itertuples():
        shape = row.threshold, row.spread, row.floor, row.ceiling
        cost = costs.loc[(row.regime, "x")]
        loss = np.mean(rising(own, *shape) - rising(own / cost["cost"], *shape))
        assert loss == pytest.approx(cost["acc_reference"] - cost["acc"], abs=2e-3)


@pytest.mark.parametrize(("accuracy", "empty"), [(1.0, True), (0.0, True), (0.5, False)])
def test_what_no_shift_of_the_curve_explains_has_no_cost(inputs, accuracy, empty):
    sweep, outcomes, side = inputs
    rates = outcomes.hit_rates.copy()
    luck = np.random.default_rng(3).random(rates.shape[1])
    rates[outcomes.row["fixed", "x"]] = luck < accuracy
    changed = dataclasses.replace(outcomes, hit_rates=rates)
    costs = compute_thresholds(sweep, changed, side, COUNTS)["costs"]
    row = costs.set_index(["regime", "condition"]).loc[("fixed", "x")]
    assert row[["cost", "cost_low", "cost_high"]].isna().all() == empty


# What the tables do not depend on.


def test_order_of_the_rows_does_not_matter(inputs, tables):
    sweep, outcomes, side = inputs
    found = compute_thresholds(sweep.sample(frac=1, random_state=0), outcomes, side, COUNTS)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, found[name])


def test_answers_of_several_seeds_count_as_their_mean(inputs, tables):
    sweep, outcomes, side = inputs
    twice = pd.concat([sweep, sweep.assign(correct=1 - sweep["correct"]), sweep])
    once = sweep.assign(correct=(2 * sweep["correct"] + 1 - sweep["correct"]) / 3)
    found, due = (compute_thresholds(one, outcomes, side, COUNTS) for one in (twice, once))
    for name in tables:
        pd.testing.assert_frame_equal(found[name], due[name])


def test_without_objects_that_have_all_levels_the_tables_are_empty(inputs):
    sweep, outcomes, side = inputs
    for nothing in (sweep[:0], sweep[sweep["level"] == "side=6"].iloc[:0]):
        for name, table in compute_thresholds(nothing, outcomes, side, COUNTS).items():
            assert table.empty
            assert list(table.columns) == TABLES[name].names


@pytest.mark.parametrize("count", [1, 2, 6])
def test_a_handful_of_objects_has_rows_but_no_threshold(inputs, count):
    sweep, outcomes, side = inputs
    ids = outcomes.instances.loc[side >= 64, "ann_id"].iloc[:count]
    tables = compute_thresholds(sweep[sweep["ann_id"].isin(ids)], outcomes, side, COUNTS)
    assert (tables["thresholds"]["n"] == count).all()
    assert tables["pixels"]["acc"].notna().all()
    for name, table in tables.items():
        conform(table, TABLES[name])
