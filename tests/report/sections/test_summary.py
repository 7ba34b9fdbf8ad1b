"""Sentences: a direction stands only where a verdict gives one."""

import contextlib
import dataclasses
import math
import re

import numpy as np
import pandas as pd
import pytest

from builders.study_files import APART, INPUTS, write_study
from smallsight import params
from smallsight.report import marks, text
from smallsight.report.inputs import read_study
from smallsight.report.sections import words
from smallsight.report.sections.sample import shortfalls
from smallsight.report.sections.words import finding
from smallsight.vocabulary import GROUPS

ALIKE = {"small": 0.50, "medium": 0.52, "large": 0.54}
OPPOSITE = {"small": 0.8, "medium": 0.5, "large": 0.3}
MIDDLE = {"small": 0.5, "medium": 0.5, "large": 0.8}
DIRECTIONS = ("less often", "more often", " lower,", " higher,", "lose ", "must be", "may be")


def said(study):
    return [words.verdict(study), *words.points(study)]


@pytest.mark.parametrize(
    ("accuracy", "told"),
    [
        (APART, r"less often than large ones: 30.0% of 40, against 80.0% of 40, a gap of 50.0"),
        (OPPOSITE, r"more often than large ones: 80.0% of 40, against 30.0% of 40, a gap of 50.0"),
        (ALIKE, r"not told apart by this sample: 50.0% of 40, against 5\d.\d% of 40; a gap of \d"),
    ],
)
def test_the_verdict_is_that_of_the_claim(reported_study, accuracy, told):
    made = reported_study(accuracy=accuracy)
    sentence = words.verdict(made)
    assert re.search(told, sentence)
    row = made.claims.set_index("claim").loc["small_worse_untouched"]
    assert ("often than large" in sentence) == (row["verdict"] != "inconclusive")


@pytest.mark.parametrize("verdict", ["supported", "contradicted", "inconclusive"])
def test_the_verdict_follows_the_table_whatever_the_numbers(reported_study, verdict):
    def edit():
        table = pd.read_csv(INPUTS.claims)
        table["verdict"] = verdict
        table.to_csv(INPUTS.claims, index=False)

    expected = {"supported": "less often", "contradicted": "more often"}
    sentence = words.verdict(reported_study(edit=edit))
    assert expected.get(verdict, "not told apart") in sentence


def test_a_change_has_a_direction_only_where_its_verdict_has_one(reported_study):
    changes = {
        ("fixed", "orig_crop"): {"small": -0.48},
        ("fixed", "occlusion"): {"small": 0.48},
        ("fixed", "motion_blur"): {"small": -0.03},
        ("fixed", "zoom/factor=2"): {"small": -0.48},
    }
    made = reported_study(accuracy=MIDDLE, changes=changes, counts={"small": 80})
    fixed = next(point for point in said(made) if point.startswith("With the head left"))
    again = next(point for point in said(made) if point.startswith("With a head trained again"))
    assert re.search(r"less often under “Crop” \(−4\d\.\d points, −\d\S+ to −\d\S+, p ", fixed)
    assert re.search(r"more often under “Occlusion” \(\+4\d\.\d points", fixed)
    assert re.search(r"no change on them is shown under .*“Motion blur”.*detectable: \d", fixed)
    assert re.search(r"Of \d+ further levels: 1 lower, “Zoom, factor=2” \(−4\d\.\d\)", fixed)
    assert not any(word in again for word in DIRECTIONS)
    assert "no change on small objects is shown" in again


def test_small_objects_are_set_against_large_ones_by_the_difference_of_differences(reported_study):
    changes = {
        ("fixed", "orig_crop"): {"small": -0.48},
        ("fixed", "occlusion"): {"large": -0.6},
    }
    made = reported_study(accuracy=MIDDLE, changes=changes, counts={"small": 80, "large": 80})
    text = next(point for point in said(made) if point.startswith("Small against large"))
    assert re.search(r"lose more, or gain less, under “Crop” \(−\d", text)
    assert re.search(r"lose less, or gain more, under “Occlusion” \(\+\d", text)
    assert re.search(r"retrained head, no difference is shown \(detectable: ", text)


def test_a_cost_is_told_only_where_its_verdict_gives_a_direction(reported_study):
    def edit():
        table = pd.read_csv(INPUTS.thresholds)
        costs = {
            "orig_crop": (3.0, 1.5, math.inf, "larger"),
            "zoom": (0.5, 0.25, 0.8, "smaller"),
            "occlusion": (1.2, 1.1, 1.6, "inconclusive"),
            "bg_blur": (1.5, math.nan, math.nan, "inconclusive"),
        }
        table[["cost", "cost_low", "cost_high"]] = 1.0
        table["verdict"] = "inconclusive"
        for name, cost in costs.items():
            here = (table["condition"] == name) & (table["regime"] == "fixed")
            table.loc[here, ["cost", "cost_low", "cost_high", "verdict"]] = cost
        table.to_csv(INPUTS.thresholds, index=False)

    text = next(point for point in said(reported_study(edit=edit)) if "fitted curves" in point)
    assert "must be larger by a factor of 3.00 (1.50 or more) under “Crop”" in text
    assert "may be smaller by a factor of 2.00 (1.25–4.00) under “Zoom”" in text
    assert "Occlusion" not in text
    assert "Background" not in text
    assert "retrained head, no factor is shown" in text


def test_equal_conditions_give_no_direction_at_all(reported_study):
    made = reported_study()
    points = [*words.finding(made), *words.points(made)]
    assert not any(word in point for point in points for word in DIRECTIONS)
    assert sum("detectable: " in point for point in points) == 4


def test_small_objects_stand_beside_answers_that_need_no_picture(reported_study):
    point = next(point for point in words.points(reported_study()) if "Without looking" in point)
    assert "50.0% of small objects" in point


def test_one_category_says_nothing_about_recognition(reported_study):
    assert any("1 category" in point for point in words.points(reported_study(category="bus")))


@pytest.mark.parametrize("group", GROUPS)
def test_an_empty_group_is_named_and_never_compared(reported_study, group):
    made = reported_study(counts={group: 0})
    words = " ".join([*said(made), *finding(made)])
    assert ("cannot be compared" in words) == (group != "medium")
    assert ("Where the gap comes from" in words) == (group == "medium")
    assert "nan" not in words.lower()
    assert shortfalls(made) == [
        f"{group.capitalize()}: 0 of the 40 requested were drawn; 0 were eligible."
    ]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study in which no change does anything, to be given other verdicts."""
    folder = write_study(tmp_path_factory.mktemp("told"))
    with contextlib.chdir(folder):
        return read_study(INPUTS, params.load())


def changed(study, verdicts, *, regime="fixed", group="small"):
    """Give effects of one regime on one size group these verdicts, by condition."""
    table = study.effects.copy()
    here = (table["regime"] == regime) & (table["size_group"] == group)
    told = table["condition"].map(verdicts)
    table["verdict"] = told.where(here & told.notna(), "inconclusive")
    return dataclasses.replace(study, effects=table)


def directed(sentences):
    """Give the conditions under which small objects are said to be recognised less, and more."""
    text = next((one for one in sentences if "small objects are recognised" in one), "")
    parts = re.split(r"(less|more) often under ", text)
    named = {
        order: re.findall("“(.*?)”", part)
        for order, part in zip(parts[1::2], parts[2::2], strict=True)
    }
    return named.get("less", []), named.get("more", [])


def test_a_finding_has_a_direction_only_where_a_verdict_gives_one(study):
    references = [step.name for step in study.happenings if step.is_reference]
    rng = np.random.default_rng(0)
    for _ in range(40):
        draws = rng.choice(["lower", "higher", "inconclusive", "inconclusive"], len(references))
        verdicts = dict(zip(references, draws, strict=True))
        made = changed(study, verdicts)
        less, more = (
            [study.label(name) for name in references if verdicts[name] == verdict]
            for verdict in ("lower", "higher")
        )
        found = words.finding(made)
        assert directed(found) == (less, more)
        assert len(found) == 1 + bool(less or more)
        # What is undecided stands with the tables, not on page one.
        assert "no change" not in " ".join(found)


@pytest.mark.parametrize(
    ("conditions", "regime", "group"),
    [
        (("object_only", "context_only", "zoom_matched"), "fixed", "small"),
        (("downscale/scale=0.25", "zoom/factor=2"), "fixed", "small"),
        (("orig_crop", "downscale"), "retrained", "small"),
        (("orig_crop", "downscale"), "fixed", "large"),
        (("orig_crop", "downscale"), "fixed", "small-large"),
    ],
)
def test_a_finding_tells_of_small_objects_under_reference_levels_alone(
    study, conditions, regime, group
):
    verdicts = dict.fromkeys(conditions, "lower")
    known = study.effects.set_index(["regime", "condition", "size_group"]).index
    assert all((regime, name, group) in known for name in conditions)
    made = changed(study, verdicts, regime=regime, group=group)
    assert directed(words.finding(made)) == ([], [])
    assert words.finding(made) == words.finding(study)


def test_a_finding_tells_numbers_as_the_table_of_effects_has_them(study):
    (sentence,) = words.finding(changed(study, {"orig_crop": "lower"}))[1:]
    row = study.effect("fixed", "orig_crop", "small")
    numbers = f"{text.signed(row['delta'])} points, {text.span(row)}"
    assert f"“Crop” ({numbers}, {text.p_equals(row['p_holm'])})." in sentence


@pytest.mark.parametrize("verdict", ["favours large", "favours small", "inconclusive"])
def test_a_finding_names_parts_of_the_gap_by_their_verdicts(study, verdict):
    ledger = study.ledger.copy()
    ledger["verdict"] = "inconclusive"
    chosen = (ledger["part"] == "context") & (ledger["regime"] == "fixed")
    assert chosen.sum() == 1
    ledger.loc[chosen, "verdict"] = verdict
    (sentence,) = words.finding(dataclasses.replace(study, ledger=ledger))
    fixed, retrained = sentence.split("; retrained head, ")
    is_shown = verdict != "inconclusive"
    assert ("no part of" in fixed) != is_shown
    assert ("context 0.0 (" in fixed) == is_shown
    assert "no part of" in retrained


def test_without_causes_and_effects_nothing_is_found(study):
    made = dataclasses.replace(study, ledger=study.ledger[:0], effects=study.effects[:0])
    assert words.finding(made) == []


def test_a_vacuous_condition_is_marked_wherever_a_sentence_names_it(reported_study):
    made = reported_study(changes={("fixed", "downscale"): -0.28, ("fixed", "bg_blur"): -0.28})
    words = " ".join([*said(made), *finding(made)])
    for label, mark in (("Downscale", "∅"), ("Background blur", "⊙")):
        assert f"“{label}” {mark}" in words
        assert not re.search(f"“{label}”(?! {mark})", words)
    assert not re.search("“Crop” [∅⊙]", words)
    key = marks.mark_key(made)
    assert "∅ vacuous: " in key
    assert "only its surroundings change" in key
    assert marks.mark_key(reported_study(seen={})) == ""


def test_a_condition_vacuous_for_some_groups_names_them(reported_study):
    def edit():
        table = pd.read_csv(INPUTS.severity)
        chosen = (table["condition"] == "orig_crop") & (table["size_group"] == "large")
        table.loc[chosen, ["vacuous", "ssim_picture"]] = [True, 0.5]
        table.to_csv(INPUTS.severity, index=False)

    made = reported_study(edit=edit)
    assert made.mark("orig_crop") == made.mark("orig_crop", "small") == ""
    assert made.mark("orig_crop", "large") == "⊙"
    assert marks.named(made, "orig_crop") == "“Crop” ⊙ large"


def test_lists_read_as_sentences_do():
    assert text.listed([]) == ""
    assert text.listed(["a"]) == "a"
    assert text.listed(["a", "b", "c"]) == "a, b and c"
    assert text.listed(list("abcdefgh")) == "a, b, c, d, e and 3 more"


def test_numbers_are_written_the_same_way_everywhere():
    assert [text.signed(x) for x in (-0.196, 0.003, -0.0001, math.nan)] == [
        "−19.6", "+0.3", "0.0", "–",
    ]  # fmt: skip
    assert [text.p_value(x) for x in (1e-9, 0.0012, 0.29, 1.0, math.nan)] == [
        "< 0.0001", "0.0012", "0.29", "1.00", "–",
    ]  # fmt: skip
    ends = ((1.2, 2.0), (1.2, math.inf), (0.0, 2.0), (0.0, math.inf), (math.nan, 2.0))
    assert [text.factor_span(*pair) for pair in ends] == [
        "1.20–2.00", "1.20 or more", "2.00 or less", "no bound", "no interval",
    ]  # fmt: skip
    row = {"threshold": 0.0, "ci_low": 7.49, "ci_high": math.inf, "side_min": 1.6, "side_max": 98.1}
    assert text.threshold(row) == "< 0.8"
    assert text.threshold_span(row) == "7.5 to > 196"
    assert text.tip("Small", "30.0%", "16.6–48.1", 1234.0) == (
        "Small: 30.0% (16.6–48.1), n = 1,234"
    )
    assert text.percent_span(0.1664, 0.481) == "16.6–48.1"
    assert text.percent_span(math.nan, 0.5) == "no interval"
