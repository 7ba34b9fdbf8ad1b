import itertools

import numpy as np
import pandas as pd
import pytest

from builders import map_measures
from builders.predictions import CONDITIONS, NOTHING_UNCHANGED, outcomes_of, predicted, vacuous
from smallsight.analysis.claims.original_study import CLAIMS
from smallsight.analysis.claims.table import TESTED_CLAIMS, VERDICTS, compute_claims
from smallsight.analysis.effects import compare
from smallsight.analysis.saliency import arrange_measures
from smallsight.analysis.statistics import tests
from smallsight.conditions.rendered.names import ORIGINAL

ABOUT_UNTOUCHED = ["rises_with_size", "small_worse_untouched"]
HURT_MOST = "downscale_and_motion_blur_hurt_small_most"
BLUR = "bg_blur_helps_large_and_does_not_fix_small"
ABOUT_MAPS = "failed_look_away"
WITHOUT_MAPS = [name for name in CLAIMS if name != ABOUT_MAPS]
TASKS = ("scene", "object")


def in_both_tasks(scene, window):
    """Arrange predictions of whole pictures and of windows, where there is no crop."""
    window = window[window["condition"] != "orig_crop"].assign(task="object")
    return pd.concat([scene.assign(task="scene"), window], ignore_index=True)


def claimed(predictions, *, unchanged=None, maps=(), **options):
    found = {task: outcomes_of(predictions, task=task, **options) for task in TASKS}
    severities = dict.fromkeys(TASKS, NOTHING_UNCHANGED) | (unchanged or {})
    measures = {
        task: arrange_measures(found[task], *map_measures.tables(found[task].instances))
        for task in maps
    }
    return compute_claims(found, severities, measures)


@pytest.fixture(scope="module")
def predictions(population):
    scene, window = (predicted(population(images=80), seed=seed) for seed in (0, 1))
    return in_both_tasks(scene, window)


@pytest.fixture(scope="module")
def table(predictions):
    return claimed(predictions)


def sentences(table):
    """Rows of whole sentences."""
    return table[table["part"] == ""]


def test_every_sentence_is_tested_in_both_tasks_and_in_every_regime_that_matters(table):
    assert list(table.columns) == TESTED_CLAIMS.names
    due = list(itertools.product(ABOUT_UNTOUCHED, TASKS, ("fixed",)))
    due += itertools.product(["crop_helps_small"], ("scene",), ("fixed", "retrained"))
    due += itertools.product([HURT_MOST, BLUR], TASKS, ("fixed", "retrained"))
    whole = sentences(table)
    assert list(zip(whole["claim"], whole["task"], whole["regime"], strict=True)) == due


def test_the_parts_of_a_sentence_follow_it(table):
    for _, rows in table.groupby(["claim", "task", "regime"]):
        claim = CLAIMS[rows["claim"].iloc[0]]
        assert list(rows["part"]) == ["", *filter(None, claim.parts)]
        assert set(rows["sentence"]) == {claim.sentence}
        assert set(rows["contrary"]) == {claim.contrary}
        assert rows["measure"].is_unique


def test_every_claim_says_what_it_is(table):
    assert all(one.sentence and one.contrary for one in CLAIMS.values())
    assert all(table["measure"])


def test_numbers_hang_together(table):
    assert ((table["ci_low"] <= table["effect"]) & (table["effect"] <= table["ci_high"])).all()
    assert table["probability"].between(0, 1).all()
    assert (table["p_holm"] >= table["p_value"]).all()
    assert (table["mde"] > 0).all()
    assert set(table["verdict"]) <= set(VERDICTS.values())
    supported, contradicted = (table["verdict"] == name for name in ("supported", "contradicted"))
    assert (table.loc[supported, "ci_low"] > 0).all()
    assert (table.loc[contradicted, "ci_high"] < 0).all()
    assert (table.loc[supported | contradicted, "p_holm"] <= 0.05).all()


def test_whole_sentences_are_one_family(table):
    whole = sentences(table)
    assert whole["p_holm"].to_numpy() == pytest.approx(tests.holm(whole["p_value"]))


def test_a_part_is_adjusted_as_its_sentence_would_be_if_it_said_nothing_else(table):
    whole = sentences(table)
    for index, part in table[table["part"] != ""].iterrows():
        own = whole.index[whole.index < index].max()
        family = whole["p_value"].where(whole.index != own, part["p_value"])
        due = dict(zip(whole.index, tests.holm(family), strict=True))[own]
        assert part["p_holm"] == pytest.approx(due)


@pytest.mark.parametrize("seed", range(4))
def test_a_sentence_is_supported_with_all_its_parts_and_contradicted_with_one(population, seed):
    """By chance some hold, some do not."""
    rng = np.random.default_rng(seed)
    chances = {name: rng.uniform(0.2, 0.9) for name in CONDITIONS}
    scene, window = (
        predicted(population(images=80), conditions=chances, seed=seed) for _ in range(2)
    )
    table = claimed(in_both_tasks(scene, window))
    rows = table[table["claim"].isin([HURT_MOST, BLUR])]
    for _, one in rows.groupby(["claim", "task", "regime"]):
        whole, parts = one["direction"].iloc[0], one["direction"].iloc[1:]
        if whole == 1:
            assert (parts == 1).all()
        if whole == -1:
            assert (parts == -1).any()
        assert one["effect"].iloc[0] == one["effect"].iloc[1:].min()


def test_what_is_an_effect_has_the_effects_own_numbers(table, predictions):
    found = {task: outcomes_of(predictions, task=task) for task in TASKS}
    strictest = 0.05 / len(sentences(table))
    effects = {
        ("crop_helps_small", ""): ("orig_crop", "small"),
        (BLUR, "Background blur helps large objects"): ("bg_blur", "large"),
    }
    rows = table.set_index(["claim", "part", "task", "regime"]).sort_index()
    for (claim, part), effect in effects.items():
        for (task, regime), row in rows.loc[(claim, part)].iterrows():
            due = compare(found[task], regime, *effect, level=strictest)
            names = ["ci_low", "ci_high", "p_value", "mde"]
            assert row[names].tolist() == pytest.approx([due[name] for name in names])
            assert row["effect"] == due["delta"]


def test_a_verdict_that_another_family_would_change_is_marked(table, population):
    assert not table["adjusted"].all()
    alone = (table["p_value"] <= 0.05) & ((table["ci_low"] > 0) | (table["ci_high"] < 0))
    assert (table["adjusted"] == (alone & (table["p_holm"] > 0.05))).all()
    weak = dict.fromkeys(CONDITIONS, 0.6) | {"orig_crop": 0.68, "bg_blur": 0.66}
    scene = predicted(population(images=120), conditions=weak, seed=3)
    found = claimed(in_both_tasks(scene, scene))
    assert found["adjusted"].any()
    assert (found.loc[found["adjusted"], "verdict"] == "not decided").all()


def test_no_margin_beyond_the_detectable_one_is_left_undecided(population):
    tables = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        chances = {name: rng.uniform(0.3, 0.9) for name in CONDITIONS}
        images = int(rng.integers(20, 120))
        scene = predicted(population(images=images), conditions=chances, seed=seed)
        tables.append(claimed(in_both_tasks(scene, scene), draws=200))
    rows = pd.concat(tables)
    beyond = abs(rows["effect"]) > rows["mde"]
    assert beyond.any()
    assert (rows.loc[beyond, "direction"] == np.sign(rows.loc[beyond, "effect"])).all()


def test_a_claim_that_lacks_a_condition_or_a_group_is_not_made(predictions):
    without = claimed(predictions[predictions["condition"] != "motion_blur"])
    assert set(without["claim"]) == set(WITHOUT_MAPS) - {HURT_MOST}
    two = predictions[predictions["condition"].isin(["orig_full", "downscale", "motion_blur"])]
    assert set(claimed(two)["claim"]) == set(ABOUT_UNTOUCHED)
    without = claimed(predictions[predictions["size_group"] != "small"])
    assert set(without["claim"]) == {"rises_with_size"}
    untouched = claimed(predictions[predictions["condition"] == "orig_full"])
    assert list(untouched["claim"]) == [name for name in ABOUT_UNTOUCHED for _ in TASKS]


def test_a_condition_that_is_missing_in_one_regime_is_tested_in_the_other(predictions):
    crop, fixed = predictions["condition"] == "orig_crop", predictions["regime"] == "fixed"
    table = claimed(predictions[~(crop & fixed)])
    rows = table[table["claim"] == "crop_helps_small"]
    assert list(rows["regime"]) == ["retrained"]


def test_claims_name_the_conditions_that_leave_their_objects_as_they_were(predictions):
    unchanged = vacuous(
        ("downscale", "small"), ("occlusion", "small"), ("bg_blur", "medium"),
        ("orig_crop", "large"),
    )  # fmt: skip
    table = claimed(predictions, unchanged={"scene": unchanged})
    names = table.set_index(["claim", "task", "regime", "part"]).sort_index()["vacuous_conditions"]
    hurt = names[HURT_MOST, "scene", "fixed"]
    assert hurt[""] == hurt["Downscaling hurts small objects most"] == "downscale, occlusion"
    assert hurt["Motion blur hurts small objects most"] == "occlusion"
    assert (names[BLUR, "scene", "retrained"] == "").all()
    assert names["crop_helps_small", "scene", "fixed", ""] == ""
    assert (names[HURT_MOST, "object"] == "").all()


@pytest.mark.parametrize("answer", [True, False])
def test_all_right_or_all_wrong_supports_nothing(predictions, answer):
    table = claimed(predictions.assign(correct=answer))
    assert (table["effect"] == 0).all()
    assert (table["verdict"] == "not decided").all()


def test_a_single_image_supports_nothing(predictions):
    image = predictions.groupby("image_id")["size_group"].nunique().idxmax()
    table = claimed(predictions[predictions["image_id"] == image])
    assert len(table)
    assert (table["verdict"] == "not decided").all()


def test_order_of_the_rows_does_not_matter(predictions, table):
    shuffled = claimed(predictions.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(table, shuffled)
    assert set(CONDITIONS) >= set(ORIGINAL)


# Maps.


@pytest.fixture(scope="module")
def with_maps(predictions):
    return claimed(predictions, maps=TASKS)


def test_the_claim_about_maps_is_tested_once_per_task_and_only_where_there_are_maps(
    table, with_maps, predictions
):
    assert ABOUT_MAPS not in set(table["claim"])
    rows = with_maps[with_maps["claim"] == ABOUT_MAPS]
    assert list(rows["task"]) == ["scene"] * 4 + ["object"] * 4
    assert set(rows["regime"]) == {"fixed"}
    assert list(CLAIMS) == [*WITHOUT_MAPS, ABOUT_MAPS]
    rows = claimed(predictions, maps=["object"])
    assert set(rows.loc[rows["claim"] == ABOUT_MAPS, "task"]) == {"object"}


def test_maps_change_no_other_claim_but_its_family(table, with_maps):
    assert list(with_maps.columns) == TESTED_CLAIMS.names
    others = with_maps[with_maps["claim"] != ABOUT_MAPS]
    by_family = ["p_holm", "mde", "direction", "verdict", "adjusted"]
    pd.testing.assert_frame_equal(others.drop(columns=by_family), table.drop(columns=by_family))
    whole = sentences(with_maps)
    assert whole["p_holm"].to_numpy() == pytest.approx(tests.holm(whole["p_value"]))
    assert (others["p_holm"] > table["p_holm"]).any()
