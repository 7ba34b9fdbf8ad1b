import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from builders.predictions import CONDITIONS, outcomes_of, predicted
from smallsight.analysis.effects import EFFECTS, VERDICTS, compute_effects
from smallsight.analysis.statistics import tests

KEYS = ("regime", "condition", "size_group", "vacuous")
NUMBERS = [name for name in EFFECTS.names if name not in KEYS]


@pytest.fixture(scope="module")
def predictions(population):
    return predicted(population(images=60))


@pytest.fixture(scope="module")
def table(predictions):
    return compute_effects(outcomes_of(predictions))


def answers(predictions, regime, condition):
    """Share of seeds that are right, by instance."""
    part = predictions.query("regime == @regime and condition == @condition")
    return part.groupby(["image_id", "ann_id"])["correct"].mean()


def members(predictions, group):
    ids = predictions.drop_duplicates("ann_id").sort_values(["image_id", "ann_id"])
    return ids[ids["size_group"] == group]


def test_one_row_per_regime_changed_condition_and_group(table):
    assert [*table.columns, "vacuous"] == EFFECTS.names
    changed = [name for name in CONDITIONS if name != "orig_full"]
    due = [
        (regime, name, group)
        for regime in ("fixed", "retrained")
        for name in changed
        for group in ("small", "medium", "large", "small-large")
    ]
    keys = table[["regime", "condition", "size_group"]]
    assert list(keys.itertuples(index=False, name=None)) == due


def test_effects_are_paired_differences_of_the_predictions(table, predictions):
    for row in table[table["size_group"] != "small-large"].itertuples():
        chosen = members(predictions, row.size_group)
        ids = pd.MultiIndex.from_frame(chosen[["image_id", "ann_id"]])
        before = answers(predictions, row.regime, "orig_full")[ids]
        after = answers(predictions, row.regime, row.condition)[ids]
        assert (row.n, row.images) == (len(ids), chosen["image_id"].nunique())
        assert row.acc_reference == pytest.approx(before.mean())
        assert row.acc == pytest.approx(after.mean())
        assert row.delta == pytest.approx((after - before).mean())
        turned = (after > 0.5).astype(int) - (before > 0.5)
        assert (row.gained, row.lost) == ((turned > 0).sum(), (turned < 0).sum())
        pairs = int(row.gained + row.lost)
        assert row.p_mcnemar == pytest.approx(binomtest(int(row.gained), pairs).pvalue)
        by_image = turned.groupby(level="image_id").sum().to_numpy()
        assert row.p_value == pytest.approx(tests.clustered_mcnemar_p(by_image))
        labels = chosen["category_name"].to_numpy()
        gain = (after - before).groupby(labels).mean().mean()
        assert row.balanced_delta == pytest.approx(gain)
        assert row.ci_low <= row.delta <= row.ci_high


def test_differences_are_small_minus_large(table):
    keyed = table.set_index(["regime", "condition", "size_group"])
    for (regime, condition, group), row in keyed.iterrows():
        if group == "small-large":
            small, large = (keyed.loc[(regime, condition, key)] for key in ("small", "large"))
            for name in ("acc_reference", "acc", "delta", "balanced", "balanced_delta"):
                assert row[name] == pytest.approx(small[name] - large[name])
            assert row["n"] == small["n"] + large["n"]
            assert row["images"] <= small["images"] + large["images"]
            assert row["ci_low"] <= row["delta"] <= row["ci_high"]
            width = row["ci_high"] - row["ci_low"]
            apart = np.hypot(*(part["ci_high"] - part["ci_low"] for part in (small, large)))
            assert 0.6 * apart < width < 1.5 * apart
            assert np.isnan(row["gained"])


def test_all_tests_of_the_table_are_one_family(table):
    tests = table["p_value"].to_numpy(float)
    assert np.isfinite(tests).all()
    order = np.argsort(tests)
    adjusted = table["p_holm"].to_numpy(float)
    assert adjusted[order[0]] == pytest.approx(min(len(tests) * tests[order[0]], 1))
    assert (np.diff(adjusted[order]) >= 0).all()
    assert (adjusted >= tests).all()


def test_verdicts_need_interval_and_adjusted_test(table):
    assert set(table["verdict"]) <= set(VERDICTS.values())
    sure = table["p_holm"] <= 0.05
    lower, higher = table["verdict"] == "lower", table["verdict"] == "higher"
    assert (lower == (sure & (table["ci_high"] < 0))).all()
    assert (higher == (sure & (table["ci_low"] > 0))).all()
    # From 0.8 to 0.2 is hard to miss, from 0.8 to 0.75 hard to find.
    keyed = table.set_index(["condition", "size_group"])["verdict"]
    assert (keyed.loc["downscale/scale=0.25", ["small", "medium", "large"]] == "lower").all()
    assert (keyed.loc["orig_crop"] == "inconclusive").all()


def test_what_could_have_been_found_is_less_the_more_there_is(population):
    few, many = (
        compute_effects(outcomes_of(predicted(population(images=images)))) for images in (40, 400)
    )
    ratio = few["mde"] / many["mde"]
    assert ratio.median() == pytest.approx(np.sqrt(10), rel=0.25)
    assert ((many["mde"] > 0) & (few["mde"] <= 1)).all()


def test_order_of_the_rows_does_not_matter(predictions, table):
    shuffled = compute_effects(outcomes_of(predictions.sample(frac=1, random_state=1)))
    keys = ["regime", "condition", "size_group"]
    one, other = (part.sort_values(keys, ignore_index=True) for part in (table, shuffled))
    pd.testing.assert_frame_equal(one, other)


# Little to go on.


def test_an_empty_group_has_no_effect_and_no_difference(predictions):
    table = compute_effects(outcomes_of(predictions[predictions["size_group"] != "large"]))
    empty = table["size_group"].isin(["large", "small-large"])
    assert (table.loc[empty, ["n", "images"]] == 0).to_numpy().all()
    rest = [name for name in NUMBERS if name not in ("n", "images", "verdict")]
    assert table.loc[empty, rest].isna().to_numpy().all()
    assert (table.loc[empty, "verdict"] == "").all()
    full = compute_effects(outcomes_of(predictions))
    some = table[~empty]
    due = full.loc[some.index]
    assert some["delta"].to_numpy(float) == pytest.approx(due["delta"].to_numpy(float))
    # Fewer tests, a smaller family.
    assert (some["p_holm"] <= due["p_holm"]).all()


def test_without_any_change_there_is_no_effect(predictions):
    table = compute_effects(outcomes_of(predictions[predictions["condition"] == "orig_full"]))
    assert [*table.columns, "vacuous"] == EFFECTS.names
    assert len(table) == 0


def everything(population, before, after, images=30):
    table = predicted(population(images=images), conditions={"orig_full": 0, "x": 0}, seeds=1)
    return table.assign(correct=np.where(table["condition"] == "x", after, before))


@pytest.mark.parametrize("answer", [True, False])
def test_all_right_or_all_wrong_before_and_after_is_no_effect(population, answer):
    table = compute_effects(outcomes_of(everything(population, answer, answer)))
    assert (table[["delta", "ci_low", "ci_high"]] == 0).to_numpy().all()
    assert (table["p_value"] == 1).all()
    assert (table["verdict"] == "inconclusive").all()
    assert (table["mde"] > 0.05).all()


def test_a_collapse_from_all_right_to_all_wrong_is_found(population):
    table = compute_effects(outcomes_of(everything(population, True, False))).set_index(
        "size_group"
    )
    groups = table.loc[["small", "medium", "large"]]
    assert (groups["delta"] == -1).all()
    assert (groups["verdict"] == "lower").all()
    difference = table.loc["small-large"]
    assert (difference["delta"] == 0).all()
    assert (difference["verdict"] == "inconclusive").all()


def test_a_collapse_of_small_objects_alone_is_found_in_the_difference(population):
    predictions = everything(population, True, False)
    kept = (predictions["size_group"] == "large") & (predictions["condition"] == "x")
    predictions.loc[kept, "correct"] = True
    row = (
        compute_effects(outcomes_of(predictions)).set_index("size_group").loc["small-large"].iloc[0]
    )
    assert (row["delta"], row["verdict"]) == (-1, "lower")


def test_a_single_image_gives_no_verdict(population):
    predictions = everything(population, True, False)
    image = predictions.groupby("image_id").size().idxmax()
    table = compute_effects(outcomes_of(predictions[predictions["image_id"] == image]))
    table = table[table["n"] > 0]
    assert len(table)
    assert (table["p_value"] == 1).all()
    assert (table["verdict"] == "inconclusive").all()


def test_one_instance_per_group_gives_no_verdict():
    sample = pd.DataFrame(
        {"image_id": [1, 2, 3], "ann_id": [1, 2, 3], "category_name": ["a", "b", "c"],
         "size_group": ["small", "medium", "large"]}
    )  # fmt: skip
    predictions = predicted(sample, conditions={"orig_full": 1, "x": 0}, seeds=1)
    table = compute_effects(outcomes_of(predictions))
    assert table.loc[table["size_group"] == "small", "delta"].tolist() == [-1, -1]
    assert (table["p_value"] == 1).all()
    assert (table["verdict"] == "inconclusive").all()
    assert (table["mde"] == 1).all()
