"""The sample in words: what was drawn, and what needs no picture."""

import pytest

from smallsight.report.sections import accuracy, sample, summary
from smallsight.vocabulary import GROUPS


def test_small_objects_stand_beside_answers_that_need_no_picture(reported_study):
    point = next(
        point for point in accuracy.sentences(reported_study()) if "Without looking" in point
    )
    assert "50.0% of small objects" in point


def test_one_category_says_nothing_about_recognition(reported_study):
    assert any(
        "1 category" in point for point in accuracy.sentences(reported_study(category="bus"))
    )


@pytest.mark.parametrize("group", GROUPS)
def test_an_empty_group_is_named_and_never_compared(reported_study, group):
    made = reported_study(counts={group: 0})
    found = [summary.verdict_sentence(made), *accuracy.sentences(made), *summary.sentences(made)]
    text = " ".join(found)
    assert ("cannot be compared" in text) == (group != "medium")
    assert ("Where the gap comes from" in text) == (group == "medium")
    assert "nan" not in text.lower()
    assert sample.shortfall_sentences(made) == [
        f"{group.capitalize()}: 0 of the 40 requested were drawn; 0 were eligible."
    ]
