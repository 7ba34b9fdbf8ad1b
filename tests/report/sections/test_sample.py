"""The sample in words: what was drawn, and what needs no pixel."""

import dataclasses

import pytest

from builders.study_files import with_tables
from smallsight.evaluation.rungs import BASELINES
from smallsight.report import text
from smallsight.report.sections import accuracy, sample, summary
from smallsight.vocabulary import GROUPS


def test_the_best_rule_that_sees_no_pixel_is_named_with_its_share_of_small_objects(forms):
    said = sample.baseline_sentence(forms.study)
    table = forms.study.tables["baselines"].query("size_group == 'small'")
    best = table.loc[table["accuracy"].idxmax()]
    assert said == (
        f"Guessing is right for 50.0%. The best rule that sees no pixel, “"
        f"{BASELINES[best.baseline][0].lower()}{BASELINES[best.baseline][1:]}”, is right for "
        f"{text.percent(best.accuracy)} of small objects."
    )
    assert said in accuracy.sentences(forms.study)


@pytest.mark.parametrize("name", BASELINES)
def test_a_rule_that_is_missing_is_not_named(forms, name):
    table = forms.study.tables["baselines"]
    made = with_tables(forms.study, baselines=table[table["baseline"] != name])
    assert BASELINES[name][1:] not in sample.baseline_sentence(made)
    alone = with_tables(forms.study, baselines=table[table["baseline"] == name])
    assert BASELINES[name][1:] in sample.baseline_sentence(alone)
    assert sample.baseline_sentence(with_tables(forms.study, baselines=table[:0])) == ""


@pytest.mark.parametrize(("source", "due"), [("phantom", True), ("coco", False)])
def test_drawn_scenes_are_said_to_be_no_photographs(forms, source, due):
    data = forms.study.params.data.model_copy(update={"source": source})
    params = forms.study.params.model_copy(update={"data": data})
    said = sample.drawn_sentence(dataclasses.replace(forms.study, params=params))
    assert bool(said) == due
    assert ("drawn scenes: the numbers say nothing about photographs" in said) == due


def test_one_category_says_nothing_about_recognition(forms):
    alike = forms.study.sample.assign(category_name="bus")
    made = dataclasses.replace(forms.study, sample=alike)
    assert "1 category" in sample.baseline_sentence(made)


@pytest.mark.parametrize("group", GROUPS)
def test_an_empty_group_is_named_and_never_compared(reported_study, group):
    made = reported_study(counts={group: 0})
    found = [summary.verdict_sentence(made), *accuracy.sentences(made), *summary.sentences(made)]
    assert "nan" not in " ".join(found).lower()
    assert not any(group in point for point in accuracy.sentences(made))
    assert sample.shortfall_sentences(made) == [
        f"{group.capitalize()}: 0 of the 40 requested were drawn, for 0 were eligible."
    ]


def test_objects_that_are_whole_pictures_are_said_to_be(forms):
    assert not sample.build(forms.study).whole_pictures
    alike = forms.study.sample.assign(area_ratio=1.0)
    assert sample.build(dataclasses.replace(forms.study, sample=alike)).whole_pictures
