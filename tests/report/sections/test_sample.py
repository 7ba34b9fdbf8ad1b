"""The sample in words: what was drawn, and what needs no pixel."""

import dataclasses

import pytest

from builders.study_files import with_tables
from smallsight.evaluation.rungs import BASELINES
from smallsight.report import text
from smallsight.report.sections import accuracy, sample, summary
from smallsight.vocabulary import GROUPS


def test_rules_that_see_no_pixel_stand_in_the_sentence_by_size(forms):
    said = sample.baseline_sentence(forms.study)
    table = forms.study.tables["baselines"].set_index(["baseline", "size_group"])
    for name, label in BASELINES.items():
        shares = [f"{text.percent(table.loc[name, one].accuracy)} of {one}" for one in GROUPS]
        assert f"{label[0].lower()}{label[1:]}, {text.listed(shares)}" in said
    assert said.endswith("guessing, 50.0%.")
    assert said in accuracy.sentences(forms.study)


@pytest.mark.parametrize("name", BASELINES)
def test_a_rule_that_is_missing_is_not_named(forms, name):
    table = forms.study.tables["baselines"]
    made = with_tables(forms.study, baselines=table[table["baseline"] != name])
    said = sample.baseline_sentence(made)
    assert BASELINES[name][1:] not in said
    assert all(label[1:] in said for key, label in BASELINES.items() if key != name)


def test_one_category_says_nothing_about_recognition(forms):
    alike = forms.study.sample.assign(category_name="bus")
    made = dataclasses.replace(forms.study, sample=alike)
    assert "1 category" in sample.baseline_sentence(made)


@pytest.mark.parametrize("group", GROUPS)
def test_an_empty_group_is_named_and_never_compared(reported_study, group):
    made = reported_study(counts={group: 0})
    found = [summary.verdict_sentence(made), *accuracy.sentences(made), *summary.sentences(made)]
    assert "nan" not in " ".join(found).lower()
    assert not any(f"of {group}" in point for point in accuracy.sentences(made))
    assert sample.shortfall_sentences(made) == [
        f"{group.capitalize()}: 0 of the 40 requested were drawn; 0 were eligible."
    ]
