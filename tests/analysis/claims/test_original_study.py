import math

import numpy as np
import pandas as pd
import pytest

from builders import map_measures
from builders.predictions import NOTHING_UNCHANGED, outcomes_of, predicted
from smallsight.analysis.claims.table import compute_claims
from smallsight.analysis.saliency import arrange_measures
from smallsight.analysis.statistics import bootstrap
from smallsight.conditions.rendered.names import ORIGINAL

pytestmark = pytest.mark.simulation

HURT_MOST = "downscale_and_motion_blur_hurt_small_most"
BLUR = "bg_blur_helps_large_and_does_not_fix_small"
ABOUT_MAPS = "failed_look_away"


def every_row(found, looking=None):
    """Test all claims in one task, the parts of sentences too."""
    measures = {} if looking is None else {found.task: looking}
    return compute_claims({found.task: found}, {found.task: NOTHING_UNCHANGED}, measures)


def whole_sentences(found, looking=None):
    table = every_row(found, looking)
    return table[table["part"] == ""]


def claimed(predictions, **options):
    return whole_sentences(outcomes_of(predictions, **options))


def answered(population, chances, *, images=250, seed=0):
    """Predict with a probability by condition and size group; `otherwise` for all else."""
    predictions = predicted(
        population(images=images, seed=seed), conditions=dict.fromkeys(ORIGINAL, 0), seeds=1
    )
    keys = zip(predictions["condition"], predictions["size_group"], strict=True)
    chance = np.array([chances.get(key, chances["otherwise"]) for key in keys])
    rank = np.random.default_rng(seed).random(len(predictions))
    return predictions.assign(correct=rank < chance)


def verdicts(population, chances, **options):
    table = claimed(answered(population, chances, **options))
    return table[table["regime"] == "fixed"].set_index("claim")["verdict"]


@pytest.fixture(scope="module")
def predictions(population):
    return predicted(population(images=80))


@pytest.fixture(scope="module")
def table(predictions):
    return claimed(predictions)


def test_margins_are_those_of_the_predictions(table, predictions):
    def accuracy(condition, group):
        part = predictions.query(
            "regime == 'retrained' and condition == @condition and size_group == @group"
        )
        return part["correct"].mean()

    effect = table[table["regime"] == "retrained"].set_index("claim")["effect"]
    loss = {name: accuracy("orig_full", "small") - accuracy(name, "small") for name in ORIGINAL}
    assert effect["crop_helps_small"] == pytest.approx(-loss["orig_crop"])
    milder = min(loss["downscale"], loss["motion_blur"])
    other = max(0, loss["orig_crop"], loss["occlusion"], loss["bg_blur"])
    assert effect[HURT_MOST] == pytest.approx(milder - other)
    helped = accuracy("bg_blur", "large") - accuracy("orig_full", "large")
    short = accuracy("orig_full", "large") - accuracy("bg_blur", "small")
    assert effect[BLUR] == pytest.approx(min(helped, short))


def test_rise_with_size_is_the_slope_of_a_line(table, predictions):
    part = predictions.query("regime == 'fixed' and condition == 'orig_full'")
    slope, _ = np.polyfit(np.log2(part["side"]), part["correct"], 1)
    row = table.set_index("claim").loc["rises_with_size"]
    assert row["effect"] == pytest.approx(slope)
    assert row["n"] == part["ann_id"].nunique()


TRUE = {
    "otherwise": 0.7,
    ("orig_full", "small"): 0.5, ("orig_crop", "small"): 0.9, ("downscale", "small"): 0.1,
    ("motion_blur", "small"): 0.1, ("occlusion", "small"): 0.5, ("bg_blur", "small"): 0.4,
    ("bg_blur", "large"): 0.95,
}  # fmt: skip
FALSE = {
    "otherwise": 0.7,
    ("orig_full", "small"): 0.9, ("orig_crop", "small"): 0.5, ("occlusion", "small"): 0.2,
    ("bg_blur", "large"): 0.3,
}  # fmt: skip


@pytest.mark.parametrize(("chances", "due"), [(TRUE, "supported"), (FALSE, "contradicted")])
def test_what_is_plainly_so_is_supported_and_the_contrary_contradicted(population, chances, due):
    found = verdicts(population, chances).drop("rises_with_size")
    assert set(found) == {due}


@pytest.mark.parametrize("worse", ["orig_crop", "occlusion", "bg_blur"])
def test_one_other_change_that_hurts_more_contradicts_that_the_two_hurt_most(population, worse):
    found = verdicts(population, TRUE | {(worse, "small"): 0.0, ("motion_blur", "small"): 0.3})
    assert found[HURT_MOST] == "contradicted"


PARTS = {
    HURT_MOST: ["Downscaling hurts small objects most", "Motion blur hurts small objects most"],
    BLUR: ["Background blur helps large objects", "Background blur does not fix small objects"],
}


@pytest.mark.parametrize(
    ("claim", "change", "due"),
    [
        (HURT_MOST, {}, ["supported", "supported", "supported"]),
        (HURT_MOST, {("motion_blur", "small"): 0.5}, ["not decided", "supported", "not decided"]),
        (HURT_MOST, {("motion_blur", "small"): 0.7}, ["contradicted", "supported",
                                                      "contradicted"]),
        (BLUR, {}, ["supported", "supported", "supported"]),
        (BLUR, {("bg_blur", "large"): 0.4}, ["contradicted", "contradicted", "supported"]),
        (BLUR, {("bg_blur", "small"): 0.95}, ["contradicted", "supported", "contradicted"]),
    ],
)  # fmt: skip
def test_a_sentence_of_two_parts_shows_what_becomes_of_each(population, claim, change, due):
    table = every_row(outcomes_of(answered(population, TRUE | change)))
    rows = table[(table["claim"] == claim) & (table["regime"] == "fixed")]
    assert list(rows["part"]) == ["", *PARTS[claim]]
    assert list(rows["verdict"]) == due


def test_in_windows_the_two_are_compared_with_what_else_there_is(population):
    """There is no crop of a window; in whole pictures, this one hurts more than the two."""
    chances = TRUE | {("orig_crop", "small"): 0.0, ("downscale", "small"): 0.15}
    predictions = answered(population, chances, images=400)
    with_crop = claimed(predictions.assign(task="scene"))
    without = claimed(predictions[predictions["condition"] != "orig_crop"])
    found = [
        table.set_index(["claim", "regime"]).loc[(HURT_MOST, "fixed"), "verdict"]
        for table in (with_crop, without)
    ]
    assert found == ["contradicted", "supported"]
    assert "crop_helps_small" not in set(without["claim"])


def test_one_of_the_two_that_does_nothing_is_no_support(population):
    found = verdicts(population, TRUE | {("motion_blur", "small"): 0.5})
    assert found[HURT_MOST] == "not decided"
    # And none at all where both hurt as much as something else.
    found = verdicts(population, TRUE | {("occlusion", "small"): 0.1})
    assert found[HURT_MOST] == "not decided"


@pytest.mark.parametrize(
    ("change", "due"),
    [
        ({("bg_blur", "large"): 0.7}, "not decided"),
        ({("bg_blur", "large"): 0.4}, "contradicted"),
        ({("bg_blur", "small"): 0.95}, "contradicted"),
    ],
)
def test_a_sentence_of_two_parts_needs_both(population, change, due):
    assert verdicts(population, TRUE | change)[BLUR] == due


def test_the_smallest_of_several_noisy_margins_rarely_contradicts(population):
    """Its expectation is well below zero where nothing has any effect."""
    tables = [
        claimed(answered(population, {"otherwise": 0.6}, images=60, seed=seed))
        for seed in range(25)
    ]
    rows = pd.concat(tables).query("claim == @HURT_MOST")
    assert rows["effect"].mean() < -0.05
    assert rows["probability"].mean() < 0.2
    assert (rows["ci_high"] >= 0).mean() >= 0.9
    assert (rows["verdict"] == "not decided").mean() >= 0.96


def test_probability_of_being_the_two_that_hurt_most_is_their_share_of_draws(population):
    predictions = answered(population, TRUE | {("occlusion", "small"): 0.13}, images=150)
    found = outcomes_of(predictions)
    row = whole_sentences(found).set_index(["claim", "regime"]).loc[HURT_MOST, "fixed"]
    losses = pd.DataFrame(
        {
            name: found.accuracy("fixed", "orig_full", "small")[1:]
            - found.accuracy("fixed", name, "small")[1:]
            for name in ORIGINAL[1:]
        }
    ).assign(nothing=0.0)
    ranked = losses.rank(axis=1, ascending=False, method="max")
    top = (ranked[["downscale", "motion_blur"]] <= 2).all(axis=1)
    assert 0.05 < top.mean() < 0.95
    assert row["probability"] == pytest.approx(top.mean(), abs=0.01)


# Maps.


@pytest.fixture(scope="module")
def found(predictions):
    return outcomes_of(predictions)


@pytest.fixture(scope="module")
def looking(found):
    return arrange_measures(found, *map_measures.tables(found.instances))


def with_lifts(found, *, shift=0.0, correct=None, seed=0):
    """Plant lifts that are greater where the prediction is right, and three times as great where
    the object is small."""
    rng = np.random.default_rng(seed)
    correct = rng.random(len(found.image)) < 0.6 if correct is None else correct
    group = (found.instances["size_group"] == "small").to_numpy()
    lift = rng.lognormal(shift * correct + np.log(3) * group, 0.8)
    return map_measures.measures_of(found, lift, correct)


def test_its_margin_is_the_superiority_of_the_right_within_size_groups(found, looking):
    row = whole_sentences(found, looking).set_index("claim").loc[ABOUT_MAPS]
    draws = looking.superiority("predicted", "orig_full", "all") - 0.5
    assert row["effect"] == draws[0] != 0
    assert row["ci_low"] < row["effect"] < row["ci_high"]
    assert row["probability"] == pytest.approx((draws[1:] > 0).mean())


@pytest.mark.parametrize(
    ("shift", "due"), [(0.8, "supported"), (-0.8, "contradicted"), (0.0, "not decided")]
)
def test_failed_predictions_look_away_where_their_lifts_are_less(found, shift, due):
    looking = with_lifts(found, shift=shift)
    row = whole_sentences(found, looking).set_index("claim").loc[ABOUT_MAPS]
    assert row["verdict"] == due
    assert np.sign(row["effect"]) == np.sign(shift) or not shift


def test_it_is_told_which_objects_carry_the_whole(found):
    """Lifts differ with being right among large objects alone."""
    large = (found.instances["size_group"] == "large").to_numpy()
    rng = np.random.default_rng(5)
    correct = rng.random(len(large)) < 0.6
    lift = rng.lognormal(3.0 * correct * large, 0.8)
    table = every_row(found, map_measures.measures_of(found, lift, correct))
    rows = table[table["claim"] == ABOUT_MAPS].set_index("part")
    found_in = {part.split()[3]: row for part, row in rows["verdict"].items() if part}
    assert rows.loc["", "verdict"] == "supported"
    assert found_in == {"small": "not decided", "medium": "not decided", "large": "supported"}
    for group in found_in:
        row = rows.loc[f"Failed predictions of {group} objects look away"]
        assert row["n"] == found.size(group)["n"]


def test_failed_predictions_do_not_look_away_where_it_is_the_small_objects_that_fail(found):
    """Their maps have more lift, whatever is named."""
    small = (found.instances["size_group"] == "small").to_numpy()
    rank = np.random.default_rng(2).random(len(small))
    for chances, pooled in (((0.1, 0.9), -1), ((0.9, 0.1), 1)):
        looking = with_lifts(found, correct=rank < np.where(small, *chances), seed=1)
        lift = looking.lift("predicted", "orig_full")
        correct = looking.tables["predicted", "orig_full"]["correct"].to_numpy(bool)
        once = np.ones((1, len(small)))
        naive = bootstrap.superiority(
            lift[correct], lift[~correct], once[:, correct], once[:, ~correct]
        )
        assert pooled * (naive - 0.5) > 0.15
        row = whole_sentences(found, looking).set_index("claim").loc[ABOUT_MAPS]
        assert row["verdict"] == "not decided"


def test_where_nothing_failed_nothing_looks_away(found):
    looking = with_lifts(found, correct=np.ones(len(found.image), bool))
    row = whole_sentences(found, looking).set_index("claim").loc[ABOUT_MAPS]
    assert np.isnan(row["effect"])
    assert row["verdict"] == "not decided"


@pytest.mark.parametrize("failed", [1, 2, 4])
def test_few_failures_that_look_away_are_few_witnesses(failed):
    """Not surer than by counting the ways in which they could have had the least lift, or most."""
    ids = np.arange(80)
    sample = pd.DataFrame(
        {"image_id": ids, "ann_id": ids, "category_name": "a", "size_group": "small"}
    )
    found = outcomes_of(predicted(sample, conditions={"orig_full": 0.7}))
    looking = map_measures.measures_of(found, ids / 9, ids >= failed)
    row = whole_sentences(found, looking).set_index("claim").loc[ABOUT_MAPS]
    assert row["effect"] == 0.5
    assert row["p_value"] >= 2 / math.comb(80, failed) - 1e-12
