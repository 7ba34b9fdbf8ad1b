"""The report in brief: whole Markdown, with the page's sentences and the tables' numbers."""

import json

import pandas as pd
import pytest

from builders.study_files import HOSTILE, INPUTS
from readers.report_pages import check_accuracies, check_claims, check_rungs, plain, tables_of
from smallsight import params
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import page
from smallsight.report.sections import remedies, summary

pytestmark = pytest.mark.page


def paragraphs_of(text):
    return [" ".join(block.split()) for block in plain(text).split("\n\n")]


def test_the_summary_has_the_pages_sentences_and_the_tables_numbers(forms):
    study = forms.study
    sentences = [f"**{summary.verdict_sentence(study)}**", *summary.sentences(study)]
    assert len(sentences) == 3
    sentences += ["**What to do**", *remedies.sentences(study)]
    assert len(sentences) == 8
    assert [one for one in paragraphs_of(forms.summary) if one in sentences] == sentences
    metrics, rungs, claims, accuracy = tables_of(forms.summary)
    assert metrics[0] == ["Number", "Value"]
    values = {name: "–" if value is None else str(value) for name, value in study.metrics.items()}
    assert {plain(name): plain(value) for name, value in metrics[1:]} == values
    check_rungs(study, rungs)
    check_claims(study, claims)
    check_accuracies(study, accuracy)
    assert (
        "Percent with 95% intervals; gaps in points, large minus small. ∅ no visible change at 64 "
        "px. ⊙ no visible change at 64 px, but in the surroundings." in forms.summary
    )
    assert (
        "120 objects of 2 categories in 60 pictures: 40 small, 40 medium and 40 large."
        in forms.summary
    )


def test_hostile_words_leave_the_summarys_tables_whole(reported_study, monkeypatch):
    words = f"a | b | {HOSTILE} | `c` \\| **d**\n\n| e |"
    monkeypatch.setenv("DVC_EXP_NAME", words)

    def edit():
        INPUTS.metrics.write_text(json.dumps({words: words, "n": 3}), encoding="utf-8")
        table = pd.read_csv(INPUTS.table("claims"))
        table["sentence"] += words
        table.to_csv(INPUTS.table("claims"), index=False)

    study = reported_study(edit=edit, only=(UNTOUCHED, "downscale"))
    text = page.build(INPUTS, params.load()).summary()
    for sentence in summary.sentences(study):
        assert sentence in paragraphs_of(text)
    metrics, _, claims, _ = tables_of(text)
    one_line = " ".join(words.split())
    assert [[plain(cell) for cell in cells] for cells in metrics[1:]] == [
        [one_line, one_line], ["n", "3"],
    ]  # fmt: skip
    assert all(plain(cells[0]).endswith(one_line) for cells in claims[1:])
    assert plain(text.strip().splitlines()[-1]) == f"Experiment: {one_line}."
    assert "<" not in text.replace("\\<", "")
