import numpy as np
import pandas as pd
import pytest

from builders.remedies import confident, sides_of
from builders.rungs import outcomes_of, sampled
from smallsight.analysis.calibration import (
    CALIBRATION,
    RELIABILITY,
    _with_temperatures,
    calibration_error,
    compute_calibration,
    fit_temperature,
)
from smallsight.runtime.tables import conform

SEEDS, FOLDS = 3, 5
CATEGORIES = ["a", "b", "c"]
SIDES = {"small": 8.0, "medium": 24.0, "large": 64.0}
SHARPNESS = {"small": 3.0, "medium": 1.5, "large": 1.0}
"""By how much logits are too large."""


def drawn(*, images=200, groups=tuple(SIDES), seed=0, scale=2.0):
    """Draw instances, and logits, (seeds, n, 3), whose probabilities are those of categories."""
    rng = np.random.default_rng(seed)
    sample = sampled(images=images, groups=groups, seed=seed)
    logits = scale * rng.standard_normal((len(sample), 3))
    # The category with the largest of these has the probabilities of the logits.
    noisy = logits + rng.gumbel(size=logits.shape)
    sample["category_name"] = np.array(CATEGORIES)[noisy.argmax(axis=1)]
    return sample, np.stack([logits] * SEEDS)


def compute(sample, logits, *, sharpness=SHARPNESS, folds=FOLDS, noise=0.2, draws=200):
    outcomes = outcomes_of(sample, draws=draws)
    sharp = sample["size_group"].map(sharpness).to_numpy(float)
    fold = sample["image_id"].to_numpy() % (2 * folds) // 2
    predictions = confident(sample, logits, sharpness=sharp, folds=fold, task="scene")
    side = sample["size_group"].map(SIDES).to_numpy(float)
    sides = sides_of(sample, side, task="scene", seeds=len(logits), noise=noise)
    return compute_calibration(predictions, sides, outcomes, CATEGORIES), predictions, sides


@pytest.fixture(scope="module")
def inputs():
    return drawn(images=500)


@pytest.fixture(scope="module")
def found(inputs):
    return compute(*inputs)


@pytest.fixture(scope="module")
def made(found):
    return found[0]


def test_tables_are_as_declared(made):
    for table in (RELIABILITY, CALIBRATION):
        conform(made[table.name], table)
    keys = made["calibration"][["size_group", "scaling"]]
    due = [(group, scaling) for group in ("all", *SIDES) for scaling in ("none", "temperature")]
    assert list(keys.itertuples(index=False, name=None)) == due


def test_bins_hold_equally_many_answers_in_order_of_confidence(made, inputs):
    sizes = {"all": len(inputs[0]), **inputs[0]["size_group"].value_counts()}
    for (group, _), part in made["reliability"].groupby(["size_group", "scaling"]):
        assert list(part["bin"]) == list(range(10))
        assert part["n"].sum() == SEEDS * sizes[group]
        assert part["n"].max() - part["n"].min() <= 5
        assert part["confidence"].is_monotonic_increasing


def test_bins_are_means_of_their_answers(found):
    made, predictions, _ = found
    plain = made["reliability"].query("scaling == 'none'")
    for group, part in plain.groupby("size_group"):
        chosen = predictions[(predictions["size_group"] == group) | (group == "all")]
        ordered = chosen.sort_values("confidence", kind="stable")
        start = 0
        for row in part.itertuples():
            one = ordered.iloc[start : start + row.n]
            start += row.n
            assert row.confidence == pytest.approx(one["confidence"].mean())
            if len(set(one["confidence"])) == len(one):
                assert row.accuracy == pytest.approx(one["correct"].mean())
            assert 0 <= row.ci_low <= row.accuracy <= row.ci_high <= 1
        assert part["accuracy"] @ part["n"] == pytest.approx(chosen["correct"].sum())


def test_accuracy_at_coverage_is_that_of_the_most_confident(found):
    made, predictions, _ = found
    for row in made["calibration"].query("scaling == 'none'").itertuples():
        in_group = (predictions["size_group"] == row.size_group) | (row.size_group == "all")
        chosen = predictions[in_group]
        ordered = chosen.sort_values("confidence", ascending=False)["correct"]
        kept = ordered.iloc[: int(0.8 * len(ordered))]
        assert row.accuracy_at_coverage == pytest.approx(kept.mean(), abs=0.01)
        assert row.accuracy_at_coverage > ordered.mean()
        assert row.coverage_low < row.accuracy_at_coverage < row.coverage_high


def test_a_planted_error_is_found_and_a_temperature_takes_it_away(made):
    table = made["calibration"].set_index(["size_group", "scaling"])
    small, large = (table.loc[(group, "none")] for group in ("small", "large"))
    assert small["ece"] > 0.12
    assert small["ece_low"] > 0.08
    assert large["ece"] < 0.03
    assert large["ece_low"] == 0
    for group in ("all", *SIDES):
        plain, scaled = (table.loc[(group, scaling)] for scaling in ("none", "temperature"))
        assert np.isnan(plain[["change", "change_low", "change_high"]].to_numpy(float)).all()
        assert scaled["change"] == pytest.approx(scaled["ece"] - plain["ece"])
        assert scaled["change_low"] <= scaled["change"] <= scaled["change_high"]
        assert scaled["ece"] < 0.05
    assert table.loc[("small", "temperature"), "change_high"] < -0.05
    assert table.loc[("large", "temperature"), "change_high"] > 0


def test_no_temperature_knows_the_answers_that_it_scales(inputs, found):
    """An object's own category does not change how sure its answer is said to be."""
    sample, logits = inputs
    changed = sample.copy()
    fold = sample["image_id"].to_numpy() % (2 * FOLDS) // 2
    others = changed["category_name"].map({"a": "b", "b": "c", "c": "a"})
    changed["category_name"] = changed["category_name"].where(fold != 0, others)
    again, *_ = compute(changed, logits)
    plain = again["reliability"].query("scaling == 'none' and size_group == 'all'")
    before = found[0]["reliability"].query("scaling == 'none' and size_group == 'all'")
    assert not np.allclose(plain["accuracy"], before["accuracy"])
    in_fold = np.tile(fold == 0, SEEDS)
    tables = []
    for one in (sample, changed):
        sharp = one["size_group"].map(SHARPNESS).to_numpy(float)
        table = confident(one, logits, sharpness=sharp, folds=fold, task="scene")
        tables.append(_with_temperatures(table, found[2], CATEGORIES))
    np.testing.assert_array_equal(tables[0][in_fold], tables[1][in_fold])
    assert not np.allclose(tables[0][~in_fold], tables[1][~in_fold])


@pytest.mark.parametrize(("sharpness", "side"), [(2.0, 8.0), (0.5, 8.0), (1.0, 1.0)])
def test_a_planted_temperature_is_found(sharpness, side):
    rng = np.random.default_rng(0)
    logits = 2 * rng.standard_normal((4000, 3))
    label = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    log_side = np.log(side * np.exp(rng.standard_normal(4000)))
    # Smaller objects are the surer, by a power of their side.
    sharp = sharpness * np.exp(-0.3 * (log_side - np.log(side)))
    found = fit_temperature(logits * sharp[:, None], log_side, label)
    assert found.slope == pytest.approx(-0.3, abs=0.08)
    at_middle = found.offset + found.slope * np.log(side)
    assert at_middle == pytest.approx(np.log(sharpness), abs=0.08)


def test_answers_that_are_all_right_have_a_temperature():
    logs = np.log(np.tile([[0.6, 0.3, 0.1]], (50, 1)))
    found = fit_temperature(logs, np.zeros(50), np.zeros(50, int))
    assert 0.99 < found.confidence(logs[:1], np.zeros(1))[0] <= 1


# The error itself.


def test_an_error_without_noise_is_the_plain_one():
    parts = np.tile([0.1, -0.05, 0.0], (20, 1))
    np.testing.assert_allclose(calibration_error(parts), 0.15)


def test_noise_alone_is_hardly_an_error():
    rng = np.random.default_rng(0)
    scatter = 0.02
    found, plain = [], []
    for _ in range(300):
        observed = scatter * rng.standard_normal(10)
        parts = np.vstack([observed, observed + scatter * rng.standard_normal((200, 10))])
        found.append(calibration_error(parts)[0])
        plain.append(np.abs(observed).sum())
    assert np.mean(plain) > 0.15
    assert np.mean(found) < 0.06


# Studies of other shapes.


def test_with_a_single_fold_nothing_is_scaled(inputs):
    made, *_ = compute(*inputs, folds=1)
    for table in made.values():
        assert set(table["scaling"]) == {"none"}
    assert made["calibration"]["change"].isna().all()
    for table in (RELIABILITY, CALIBRATION):
        conform(made[table.name], table)


def test_without_estimated_sides_nothing_is_scaled(inputs, found):
    sample, _ = inputs
    _, predictions, sides = found
    made = compute_calibration(predictions, sides[:0], outcomes_of(sample), CATEGORIES)
    due = found[0]["calibration"].query("scaling == 'none'").reset_index(drop=True)
    pd.testing.assert_frame_equal(made["calibration"], due)


def test_an_empty_group_has_a_row_without_numbers_and_no_bins():
    made, *_ = compute(*drawn(groups=("small", "large"), images=40))
    empty = made["calibration"].query("size_group == 'medium'")
    assert len(empty) == 2
    assert (empty["n"] == 0).all()
    assert empty[CALIBRATION.names[4:]].isna().to_numpy().all()
    assert "medium" not in set(made["reliability"]["size_group"])
    for table in (RELIABILITY, CALIBRATION):
        conform(made[table.name], table)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_handful_of_answers_is_enough(count):
    sample, logits = drawn(images=6)
    made, *_ = compute(sample[:count], logits[:1, :count], folds=2)
    for table in (RELIABILITY, CALIBRATION):
        conform(made[table.name], table)
    everything = made["reliability"].query("size_group == 'all'")
    assert (everything.groupby("scaling")["n"].sum() == count).all()
    assert made["calibration"].query("n > 0")["ece"].between(0, 1).all()


def test_a_single_category_is_always_right():
    sample, _ = drawn(images=30)
    sample["category_name"] = "a"
    outcomes = outcomes_of(sample)
    predictions = confident(
        sample, np.zeros((2, len(sample), 3)), sharpness=np.ones(len(sample)),
        folds=sample["image_id"].to_numpy() % 4 // 2, task="scene",
    )  # fmt: skip
    predictions = predictions.drop(columns=["p_b", "p_c"]).assign(p_a=1.0, confidence=1.0)
    sides = sides_of(sample, np.full(len(sample), 9.0), task="scene", seeds=2)
    made = compute_calibration(predictions, sides, outcomes, ["a"])
    assert (made["calibration"]["ece"] == 0).all()
    assert (made["calibration"]["accuracy_at_coverage"] == 1).all()


def test_probabilities_of_zero_and_one_are_scaled(inputs):
    sample, logits = inputs
    made, *_ = compute(sample, 1e4 * logits)
    assert made["calibration"]["ece"].notna().all()


def test_order_of_the_rows_does_not_matter(inputs, found):
    made, predictions, sides = found
    again = compute_calibration(
        predictions.sample(frac=1, random_state=0),
        sides.sample(frac=1, random_state=1),
        outcomes_of(inputs[0]),
        CATEGORIES,
    )
    for name, table in made.items():
        pd.testing.assert_frame_equal(again[name], table)


def test_other_conditions_and_regimes_do_not_count(inputs, found):
    made, predictions, sides = found
    wrong = predictions.assign(correct=False)
    both = pd.concat([predictions, wrong.assign(condition="blur"), wrong.assign(regime="other")])
    again = compute_calibration(both, sides, outcomes_of(inputs[0]), CATEGORIES)
    for name, table in made.items():
        pd.testing.assert_frame_equal(again[name], table)
