import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.predictions import (
    CONDITIONS,
    NOTHING_UNCHANGED,
    facts_of,
    outcomes_of,
    predicted,
    vacuous,
)
from builders.simulated_studies import study
from smallsight.analysis.effects import EFFECTS, compare, compute_effects
from smallsight.analysis.statistics import tests

KEYS = ("regime", "condition", "size_group", "vacuous", "primary", "task")
NUMBERS = [name for name in EFFECTS.names if name not in KEYS]
REFERENCES = ["downscale", "motion_blur", "occlusion", "bg_blur"]
"""Corruptions in the object task, where the window is the crop."""
WITHOUT_CROP = {name: chance for name, chance in CONDITIONS.items() if name != "orig_crop"}


def effects_of(predictions, *, severities=NOTHING_UNCHANGED, **options):
    found = outcomes_of(predictions, **options)
    return compute_effects(found, severities, facts_of(predictions["family"].unique()))


@pytest.fixture(scope="module")
def predictions(population):
    return predicted(population(images=60), conditions=WITHOUT_CROP)


@pytest.fixture(scope="module")
def table(predictions):
    return effects_of(predictions)


def answers(predictions, regime, condition):
    """Number of seeds that are right, by instance."""
    part = predictions.query("regime == @regime and condition == @condition")
    return part.groupby(["image_id", "ann_id"])["correct"].sum()


def members(predictions, group):
    ids = predictions.drop_duplicates("ann_id").sort_values(["image_id", "ann_id"])
    return ids[ids["size_group"] == group]


def test_one_row_per_regime_changed_condition_and_group(table):
    assert list(table.columns) == EFFECTS.names
    due = [
        (regime, name, group)
        for regime in ("fixed", "retrained")
        for name in WITHOUT_CROP
        if name != "orig_full"
        for group in ("small", "medium", "large", "small-large")
    ]
    keys = table[["regime", "condition", "size_group"]]
    assert list(keys.itertuples(index=False, name=None)) == due
    assert (table["task"] == "object").all()


def test_effects_are_paired_differences_of_the_predictions(table, predictions):
    for row in table[table["size_group"] != "small-large"].itertuples():
        chosen = members(predictions, row.size_group)
        ids = pd.MultiIndex.from_frame(chosen[["image_id", "ann_id"]])
        before = answers(predictions, row.regime, "orig_full")[ids]
        after = answers(predictions, row.regime, row.condition)[ids]
        assert (row.n, row.images) == (len(ids), chosen["image_id"].nunique())
        assert row.acc_reference == pytest.approx(before.mean() / 3)
        assert row.acc == pytest.approx(after.mean() / 3)
        assert row.delta == pytest.approx((after - before).mean() / 3)
        turned = (after > 1.5).astype(int) - (before > 1.5)
        assert (row.gained, row.lost) == ((turned > 0).sum(), (turned < 0).sum())
        by_image = (after - before).groupby(level="image_id").sum().to_numpy()
        assert row.p_value == pytest.approx(tests.sign_flip_p(by_image))
        assert row.p_least == pytest.approx(min(2.0 ** (1 - (by_image != 0).sum()), 1))
        labels = chosen["category_name"].to_numpy()
        gain = (after - before).groupby(labels).mean().mean() / 3
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
            assert row[["gained", "p_value", "p_least"]].isna().all()
            assert row["mde"] > 0


# The primary family.


def family_of(table):
    rows = table[table["primary"]]
    return list(rows[["regime", "condition", "size_group"]].itertuples(index=False, name=None))


def test_the_primary_family_is_of_small_objects_at_reference_levels_in_the_headline(table):
    assert family_of(table) == [("fixed", name, "small") for name in REFERENCES]


def test_only_the_primary_family_has_verdicts_and_is_one_family(table):
    rows, rest = table[table["primary"]], table[~table["primary"]]
    assert rows["p_holm"].to_numpy() == pytest.approx(tests.holm(rows["p_value"]))
    sure = rows["p_holm"] <= 0.05
    assert (rows["verdict"].eq("lower") == (sure & (rows["ci_high"] < 0))).all()
    assert (rows["verdict"].eq("higher") == (sure & (rows["ci_low"] > 0))).all()
    assert set(rows["verdict"]) <= {"lower", "higher", "not decided"}
    words = {"lower": -1, "higher": 1, "not decided": 0}
    assert rows["direction"].tolist() == rows["verdict"].map(words).tolist()
    assert rest[["p_holm", "direction"]].isna().to_numpy().all()
    assert (rest["verdict"] == "").all()


def test_the_original_task_has_intervals_and_no_verdict(predictions, table):
    scene = effects_of(predictions.assign(task="scene"))
    assert not scene["primary"].any()
    assert (scene["verdict"] == "").all()
    columns = ["delta", "ci_low", "ci_high", "p_value"]
    pd.testing.assert_frame_equal(scene[columns], table[columns])


def test_a_condition_that_changes_nothing_visible_is_no_primary_one(predictions, table):
    severities = vacuous(("bg_blur", "small"), ("downscale", "large"), ("bg_blur", "large"))
    marked = effects_of(predictions, severities=severities)
    assert family_of(marked) == [("fixed", name, "small") for name in REFERENCES[:-1]]
    pairs = marked[marked["vacuous"]].drop_duplicates(["condition", "size_group"])
    assert list(pairs[["condition", "size_group"]].itertuples(index=False, name=None)) == [
        ("downscale", "large"), ("bg_blur", "small"), ("bg_blur", "large"),
        ("bg_blur", "small-large"),
    ]  # fmt: skip
    # Fewer tests, a smaller family, and effects that are easier to find.
    both = marked["primary"] & table["primary"]
    assert (marked.loc[both, "p_holm"] <= table.loc[both, "p_holm"]).all()
    assert (marked.loc[both, "mde"] < table.loc[both, "mde"]).all()


@pytest.mark.parametrize("family", ["crop_low", "pixels"])
def test_interventions_and_sweeps_are_no_primary_ones(predictions, table, family):
    more = predictions[predictions["condition"] == "occlusion"]
    more = more.assign(condition=family, family=family)
    both = effects_of(pd.concat([predictions, more], ignore_index=True))
    assert family_of(both) == family_of(table)


def test_what_is_detectable_is_at_the_level_that_the_verdict_uses(predictions, table):
    """Four tests: what one test finds at 0.05 / 4 is what the family finds at 0.05."""
    found = outcomes_of(predictions)
    for row in table[table["size_group"] != "small-large"].itertuples():
        level = 0.05 / 4 if row.primary else 0.05
        due = compare(found, row.regime, row.condition, row.size_group, level=level)
        assert row.mde == pytest.approx(due["mde"])
        other = compare(found, row.regime, row.condition, row.size_group, level=0.05 / 8)
        assert row.mde < other["mde"]


def test_what_could_have_been_found_is_less_the_more_there_is(population):
    few, many = (effects_of(predicted(population(images=images))) for images in (40, 400))
    ratio = few["mde"] / many["mde"]
    assert ratio.median() == pytest.approx(np.sqrt(10), rel=0.35)
    assert ((many["mde"] > 0) & (few["mde"] <= 1)).all()


ANSWERS = st.tuples(st.integers(0, 3), st.integers(0, 3))


@given(st.lists(st.lists(ANSWERS, min_size=1, max_size=4), min_size=1, max_size=40), st.booleans())
@settings(deadline=None, max_examples=60)
def test_no_effect_beyond_the_detectable_one_is_left_undecided(images, one_way):
    """Objects of any images, their answers before and after by three seeds."""
    image = np.repeat(np.arange(len(images)), [len(objects) for objects in images])
    before, after = np.array([pair for objects in images for pair in objects]).T / 3
    if one_way:
        before, after = np.maximum(before, after), np.minimum(before, after)
    shares = {("fixed", name): after for name in ("a", "b")} | {("fixed", "orig_full"): before}
    found = study(image, "small", shares, rng=np.random.default_rng(0), draws=300, seeds=3)
    table = compute_effects(found, NOTHING_UNCHANGED, facts_of(["a", "b"]))
    rows = table[table["primary"]]
    assert len(rows) == 2
    beyond = abs(rows["delta"]) > rows["mde"] + 1e-12
    assert (rows.loc[beyond, "direction"] == np.sign(rows.loc[beyond, "delta"])).all()


def test_order_of_the_rows_does_not_matter(predictions, table):
    shuffled = effects_of(predictions.sample(frac=1, random_state=1))
    keys = ["regime", "condition", "size_group"]
    one, other = (part.sort_values(keys, ignore_index=True) for part in (table, shuffled))
    pd.testing.assert_frame_equal(one, other)


# Little to go on.


@pytest.mark.parametrize(("group", "primaries"), [("large", 4), ("small", 0)])
def test_an_empty_group_has_no_effect_and_no_difference(predictions, table, group, primaries):
    found = effects_of(predictions[predictions["size_group"] != group])
    empty = found["size_group"].isin([group, "small-large"])
    assert (found.loc[empty, ["n", "images"]] == 0).to_numpy().all()
    rest = [name for name in NUMBERS if name not in ("n", "images", "verdict")]
    assert found.loc[empty, rest].isna().to_numpy().all()
    assert (found.loc[empty, "verdict"] == "").all()
    assert found["primary"].sum() == primaries
    some = found[~empty]
    due = table.loc[some.index]
    assert some["delta"].to_numpy(float) == pytest.approx(due["delta"].to_numpy(float))


def test_without_any_change_there_is_no_effect(predictions):
    table = effects_of(predictions[predictions["condition"] == "orig_full"])
    assert list(table.columns) == EFFECTS.names
    assert len(table) == 0


def everything(population, before, after, images=30):
    table = predicted(population(images=images), conditions={"orig_full": 0, "x": 0}, seeds=1)
    return table.assign(correct=np.where(table["condition"] == "x", after, before))


@pytest.mark.parametrize("answer", [True, False])
def test_all_right_or_all_wrong_before_and_after_is_no_effect(population, answer):
    table = effects_of(everything(population, answer, answer))
    assert (table[["delta", "ci_low", "ci_high"]] == 0).to_numpy().all()
    assert (table[["p_value", "p_least"]].dropna() == 1).to_numpy().all()
    assert set(table["verdict"]) == {"not decided", ""}
    assert (table["mde"] > 0.05).all()


def test_a_collapse_from_all_right_to_all_wrong_is_found(population):
    table = effects_of(everything(population, True, False)).set_index("size_group")
    groups = table.loc[["small", "medium", "large"]]
    assert (groups["delta"] == -1).all()
    assert (groups["p_value"] == groups["p_least"]).all()
    assert (table.loc[table["primary"], "verdict"] == "lower").all()
    assert (table.loc["small-large", "delta"] == 0).all()


def test_a_single_image_gives_no_verdict(population):
    predictions = everything(population, True, False)
    image = predictions.groupby("image_id").size().idxmax()
    table = effects_of(predictions[predictions["image_id"] == image])
    table = table[table["n"] > 0]
    assert len(table)
    assert (table["p_value"].dropna() == 1).all()
    assert set(table["verdict"]) <= {"not decided", ""}


def test_one_instance_per_group_gives_no_verdict():
    sample = pd.DataFrame(
        {"image_id": [1, 2, 3], "ann_id": [1, 2, 3], "category_name": ["a", "b", "c"],
         "size_group": ["small", "medium", "large"]}
    )  # fmt: skip
    table = effects_of(predicted(sample, conditions={"orig_full": 1, "x": 0}, seeds=1))
    small = table[table["size_group"] == "small"]
    assert small["delta"].tolist() == [-1, -1]
    assert small["p_value"].tolist() == small["p_least"].tolist() == [1, 1]
    assert small["verdict"].tolist() == ["not decided", ""]
    assert (table["mde"] == 1).all()
