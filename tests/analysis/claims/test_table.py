import itertools

import pandas as pd
import pytest

from builders import map_measures
from builders.predictions import CONDITIONS, outcomes_of, predicted
from smallsight.analysis.claims.original_study import CLAIMS
from smallsight.analysis.claims.table import TESTED_CLAIMS, VERDICTS, compute_claims
from smallsight.analysis.saliency import arrange_measures
from smallsight.analysis.statistics import tests
from smallsight.conditions.rendered.names import ORIGINAL

NOTHING_UNCHANGED = pd.DataFrame({"condition": [], "size_group": []})
ABOUT_UNTOUCHED = ["rises_with_size", "small_worse_untouched"]
HURT_MOST = "downscale_and_motion_blur_hurt_small_most"
BLUR = "bg_blur_helps_large_and_does_not_fix_small"
ABOUT_MAPS = "failed_look_away"
WITHOUT_MAPS = [name for name in CLAIMS if name != ABOUT_MAPS]


def claimed(predictions, **options):
    return compute_claims(outcomes_of(predictions, **options), NOTHING_UNCHANGED)


@pytest.fixture(scope="module")
def predictions(population):
    return predicted(population(images=80))


@pytest.fixture(scope="module")
def table(predictions):
    return claimed(predictions)


def test_claims_about_untouched_pictures_are_tested_once_others_in_each_regime(table):
    assert list(table.columns) == TESTED_CLAIMS.names
    due = [(name, "fixed") for name in ABOUT_UNTOUCHED]
    rest = [name for name in WITHOUT_MAPS if name not in ABOUT_UNTOUCHED]
    due += list(itertools.product(rest, ("fixed", "retrained")))
    assert list(zip(table["claim"], table["regime"], strict=True)) == due
    assert all(one.sentence and one.contrary and one.measure for one in CLAIMS.values())


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


def test_a_claim_that_lacks_a_condition_or_a_group_is_not_made(predictions):
    without = claimed(predictions[predictions["condition"] != "motion_blur"])
    assert set(without["claim"]) == set(WITHOUT_MAPS) - {HURT_MOST}
    without = claimed(predictions[predictions["size_group"] != "small"])
    assert set(without["claim"]) == {"rises_with_size"}
    untouched = claimed(predictions[predictions["condition"] == "orig_full"])
    assert list(untouched["claim"]) == ABOUT_UNTOUCHED


def test_a_condition_that_is_missing_in_one_regime_is_tested_in_the_other(predictions):
    crop, fixed = predictions["condition"] == "orig_crop", predictions["regime"] == "fixed"
    table = claimed(predictions[~(crop & fixed)])
    rows = table[table["claim"] == "crop_helps_small"]
    assert list(rows["regime"]) == ["retrained"]


def test_claims_name_the_conditions_that_leave_their_objects_as_they_were(predictions):
    unchanged = pd.DataFrame(
        [("downscale", "small"), ("occlusion", "small"), ("bg_blur", "medium"),
         ("orig_crop", "large")],
        columns=["condition", "size_group"],
    )  # fmt: skip
    table = compute_claims(outcomes_of(predictions), unchanged).set_index(["claim", "regime"])[
        "vacuous_conditions"
    ]
    assert table[HURT_MOST, "fixed"] == "downscale, occlusion"
    assert table[BLUR, "retrained"] == ""
    assert table["crop_helps_small", "fixed"] == ""


@pytest.mark.parametrize("answer", [True, False])
def test_all_right_or_all_wrong_supports_nothing(predictions, answer):
    table = claimed(predictions.assign(correct=answer))
    assert (table["effect"] == 0).all()
    assert (table["verdict"] == "inconclusive").all()


def test_a_single_image_supports_nothing(predictions):
    image = predictions.groupby("image_id")["size_group"].nunique().idxmax()
    table = claimed(predictions[predictions["image_id"] == image])
    assert len(table)
    assert (table["verdict"] == "inconclusive").all()


def test_order_of_the_rows_does_not_matter(predictions, table):
    shuffled = claimed(predictions.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(table, shuffled)
    assert set(CONDITIONS) >= set(ORIGINAL)


# Maps.


@pytest.fixture(scope="module")
def found(predictions):
    return outcomes_of(predictions)


@pytest.fixture(scope="module")
def looking(found):
    return arrange_measures(found, *map_measures.tables(found.instances))


def test_the_claim_about_maps_is_tested_once_and_only_where_there_are_maps(table, found, looking):
    assert ABOUT_MAPS not in set(table["claim"])
    with_maps = compute_claims(found, NOTHING_UNCHANGED, looking)
    rows = with_maps[with_maps["claim"] == ABOUT_MAPS]
    assert list(rows["regime"]) == ["fixed"]
    assert list(CLAIMS) == [*WITHOUT_MAPS, ABOUT_MAPS]


def test_maps_change_no_other_claim_but_its_family(table, found, looking):
    with_maps = compute_claims(found, NOTHING_UNCHANGED, looking)
    assert list(with_maps.columns) == TESTED_CLAIMS.names
    others = with_maps[with_maps["claim"] != ABOUT_MAPS]
    by_family = ["p_holm", "direction", "verdict"]
    pd.testing.assert_frame_equal(others.drop(columns=by_family), table.drop(columns=by_family))
    assert with_maps["p_holm"].to_numpy() == pytest.approx(tests.holm(with_maps["p_value"]))
    assert (others["p_holm"] > table["p_holm"]).any()
