"""Limits: within, beyond, or not to be told, from handmade tables and from a whole analysis."""

import math

import pytest
from scipy.stats import t

from builders import evidence
from builders.limits import tables_of
from smallsight import params
from smallsight.analysis.claims.original_study import CLAIMS
from smallsight.limits.check import GAP_CLAIM, check_limits, whole_status
from smallsight.runtime.errors import ParameterError

NONE = dict.fromkeys(params.Limits.model_fields)


def check(tables, *, confidence=0.95, **limits):
    return check_limits(params.Limits(**NONE | limits), tables, confidence=confidence)


def only(tables, **limits):
    (result,) = check(tables, **limits)
    return result


@pytest.mark.parametrize(
    ("limit", "status"),
    [(0.60, "passed"), (0.64, "passed"), (0.641, "cannot tell"), (0.70, "cannot tell"),
     (0.76, "cannot tell"), (0.761, "failed"), (1, "failed"), (0, "passed")],
)  # fmt: skip
def test_least_accuracy_is_decided_by_the_whole_interval(limit, status):
    found = only(tables_of(), least_accuracy_small=limit)
    assert (found.status, found.bound, found.n) == (status, limit, 200)
    interval = found.interval
    assert (interval.estimate, interval.low, interval.high) == (0.7, 0.64, 0.76)


@pytest.mark.parametrize(
    ("limit", "status"),
    [(0.30, "passed"), (0.18, "passed"), (0.179, "cannot tell"), (0.1, "cannot tell"),
     (0.02, "cannot tell"), (0.019, "failed"), (0, "failed")],
)  # fmt: skip
def test_the_largest_gap_is_decided_by_the_whole_interval(limit, status):
    found = only(tables_of(), largest_gap=limit)
    assert (found.status, found.n) == (status, 400)


@pytest.mark.parametrize(
    ("limit", "status"), [(0.2, "passed"), (0.1, "cannot tell"), (0.03, "failed")]
)
def test_one_loss_is_decided_by_its_own_interval(limit, status):
    found = only(tables_of(losses={"occlusion": (0.1, 0.04, 0.16)}), largest_loss_small=limit)
    assert (found.status, found.condition, found.n) == (status, "occlusion", 200)
    assert found.interval.low == pytest.approx(0.04)
    assert found.interval.high == pytest.approx(0.16)


def test_several_losses_have_intervals_that_hold_together():
    losses = {"a": (0.1, 0.04, 0.16), "b": (0.1, 0.04, 0.16), "c": (0.3, 0.24, 0.36)}
    found = check(tables_of(losses=losses), largest_loss_small=0.165)
    # Alone, the first two would pass.
    assert [one.status for one in found] == ["cannot tell", "cannot tell", "failed"]
    reach = 0.06 * t.ppf(1 - 0.025 / 3, 149) / t.ppf(0.975, 149)
    assert found[0].interval.high == pytest.approx(0.1 + reach)
    assert found[0].interval.level == pytest.approx(0.05 / 3)
    assert whole_status(found) == "failed"
    assert whole_status(found[:2]) == "cannot tell"


def test_an_interval_cut_off_at_one_is_widened_by_its_other_side():
    losses = {"a": (0.95, 0.85, 1.0), "b": (0, -0.1, 0.1)}
    first, _ = check(tables_of(losses=losses), largest_loss_small=0.84)
    assert first.interval.low < 0.85
    assert first.interval.high == 1
    assert first.status == "cannot tell"


def test_only_the_primary_family_is_asked():
    tables = tables_of(losses={"a": (0.1, 0.05, 0.15), "b": (0.9, 0.8, 1.0)})
    tables["effects"].loc[1, "primary"] = False
    found = only(tables, largest_loss_small=0.2)
    assert (found.condition, found.status) == ("a", "passed")
    assert found.interval.high == pytest.approx(0.15)


def test_a_gain_is_no_loss():
    found = only(tables_of(losses={"a": (-0.2, -0.3, -0.1)}), largest_loss_small=0)
    assert found.status == "passed"
    assert "is −20.0 points" in found.sentence


@pytest.mark.parametrize(("images", "status"), [(1, "cannot tell"), (20, "cannot tell"),
                                                 (200, "passed")])  # fmt: skip
def test_no_change_in_a_few_images_is_no_proof(images, status):
    """Nothing scatters, so that the bootstrap's interval has no width."""
    tables = tables_of(losses={"a": (0, 0, 0)}, gap=(0, 0, 0), images=images)
    found = check(tables, largest_loss_small=0.05, largest_gap=0.05)
    assert [one.status for one in found] == [status, status]
    # The exact interval of no event in so many trials.
    assert found[0].interval.high == pytest.approx(1 - 0.025 ** (1 / images))


def test_the_smaller_group_bounds_what_an_even_gap_proves():
    tables = tables_of(gap=(0, 0, 0), images=200)
    large = tables["accuracy"]["size_group"] == "large"
    tables["accuracy"].loc[large, "images"] = 2
    assert only(tables, largest_gap=0.05).status == "cannot tell"


def test_without_small_objects_nothing_can_be_told():
    tables = tables_of(small=(math.nan,) * 3, gap=None, n=0, images=0)
    found = check(tables, least_accuracy_small=0.1, largest_gap=0.9, largest_loss_small=0.9)
    assert [(one.status, one.n) for one in found] == [("cannot tell", 0)] * 3
    assert [one.sentence for one in found] == [
        "Accuracy on small objects cannot be told: there are too few objects to measure it.",
        "The gap between large and small objects cannot be told: there are too few objects to "
        "measure it.",
        "The loss on small objects cannot be told: there are none.",
    ]


def test_without_an_interval_nothing_can_be_told():
    tables = tables_of(small=(1.0, math.nan, math.nan), gap=(0.1, math.nan, math.nan))
    found = check(tables, least_accuracy_small=0.5, largest_gap=0.5)
    assert [one.status for one in found] == ["cannot tell"] * 2
    assert found[0].sentence == (
        "Accuracy on small objects is 100.0%; without an interval it cannot be told if at least "
        "50.0% is asked."
    )


def test_without_a_visible_corruption_no_loss_can_be_told():
    found = only(tables_of(), largest_loss_small=0.5)
    assert (found.status, found.condition) == ("cannot tell", "")
    assert found.sentence == (
        "The loss on small objects cannot be told: no corruption changes them visibly."
    )


def test_sentences_hold_estimate_interval_limit_and_verdict():
    tables = tables_of(losses={"occlusion": (0.1, 0.04, 0.16)})
    found = check(tables, least_accuracy_small=0.8, largest_gap=0.2, largest_loss_small=0.12)
    assert [one.sentence for one in found] == [
        "Accuracy on small objects is 70.0% (64.0–76.0); at least 80.0% is asked: failed.",
        "The gap between large and small objects is 10.0 points (+2.0 to +18.0); at most 20.0 "
        "points is asked: passed.",
        "The loss on small objects under occlusion is 10.0 points (+4.0 to +16.0); at most 12.0 "
        "points is asked: cannot be told from 200 small objects; about 3,700 would be needed.",
    ]


def test_the_number_that_would_be_needed_is_that_of_a_test_with_power():
    """0.06 is 1.96 standard errors; 0.02 must be 1.96 + 0.84 of them."""
    needed = 200 * (0.06 / 1.96 * (1.96 + 0.8416) / 0.02) ** 2
    assert 3600 < needed < 3700


def test_at_the_limit_itself_no_sample_would_do():
    found = only(tables_of(), least_accuracy_small=0.7)
    assert found.sentence.endswith("the estimate is too close to the limit for any sample.")


def test_unset_limits_are_not_checked():
    with pytest.raises(ParameterError, match=r"params\.limits: no limit is set; expected"):
        check(tables_of())


def test_the_headline_is_the_scene_where_nothing_else_was_asked():
    tables = tables_of(task="scene", small=(0.3, 0.2, 0.4))
    assert only(tables, least_accuracy_small=0.5).status == "failed"


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [(["passed", "passed"], "passed"), (["passed", "cannot tell"], "cannot tell"),
     (["cannot tell", "failed", "passed"], "failed")],
)  # fmt: skip
def test_one_failure_fails_all_and_one_doubt_leaves_doubt(statuses, whole):
    bounds = {"passed": 0.6, "cannot tell": 0.7, "failed": 0.8}
    found = [only(tables_of(), least_accuracy_small=bounds[status]) for status in statuses]
    assert whole_status(found) == whole


def test_the_claim_of_the_gap_is_tested():
    assert CLAIMS[GAP_CLAIM].parts[""].measure == (
        "accuracy on large minus on small objects, on untouched pictures"
    )


@pytest.fixture(scope="module")
def answers(population):
    sample = evidence.sampled(population)
    return sample, evidence.answered(sample)


@pytest.mark.parametrize("tasks", [("scene", "object"), ("scene",), ("object",)])
def test_a_whole_analysis_is_checked(answers, tasks):
    sample, predictions = answers
    predictions = predictions[predictions["task"].isin(tasks)]
    inputs = evidence.inputs_of(sample, predictions)
    rungs = inputs["rung_predictions"]
    if "scene" not in tasks:
        rungs = rungs[rungs["rung"] == "largest_object"]
    made = evidence.analysed(inputs, rung_predictions=rungs)
    found = check(made, least_accuracy_small=0.5, largest_gap=0.5, largest_loss_small=0.5)
    accuracy, gap, *losses = found
    headline = predictions[(predictions["task"] == tasks[-1]) & (predictions["regime"] == "fixed")]
    untouched = headline[headline["condition"] == "orig_full"]
    means = untouched.groupby("size_group")["correct"].mean()
    assert accuracy.interval.estimate == pytest.approx(means["small"])
    assert gap.interval.estimate == pytest.approx(means["large"] - means["small"])
    assert gap.interval.low < gap.interval.estimate < gap.interval.high
    small = headline[headline["size_group"] == "small"].groupby("condition")["correct"].mean()
    assert losses
    for one in losses:
        due = small["orig_full"] - small[one.condition]
        assert one.interval.estimate == pytest.approx(due)
