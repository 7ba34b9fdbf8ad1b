"""Marks of conditions without visible change: wherever one is named."""

import re

import pandas as pd
import pytest

from builders.study_files import INPUTS
from smallsight.report import marks
from smallsight.report.sections import effects, summary
from smallsight.vocabulary import HEADLINE_TASK, SCENE

pytestmark = pytest.mark.page


def test_a_condition_without_visible_change_is_marked_wherever_a_sentence_names_it(reported_study):
    made = reported_study(changes={("fixed", "downscale"): -0.28, ("fixed", "bg_blur"): -0.28})
    sentences = [summary.verdict_sentence(made), *effects.sentences(made)]
    text = " ".join([*sentences, *summary.sentences(made)])
    for label, mark in (("Downscale", "∅"), ("Background blur", "⊙")):
        assert f"“{label}” {mark}" in text
        assert not re.search(f"“{label}”(?! {mark})", text)
    assert not re.search("“Crop” [∅⊙]", text)
    key = marks.long_key(made)
    assert "∅ no visible change at 64 px. " in key
    assert "no visible change at 64 px, but in the surroundings." in key
    assert marks.long_key(reported_study(seen={})) == ""


def test_a_mark_for_some_groups_names_them(reported_study):
    def edit():
        table = pd.read_csv(INPUTS.table("severity"))
        chosen = (table["condition"] == "orig_crop") & (table["size_group"] == "large")
        table.loc[chosen, ["vacuous", "ssim_picture"]] = [True, 0.5]
        table.to_csv(INPUTS.table("severity"), index=False)

    made = reported_study(edit=edit)
    assert made.mark(SCENE, "orig_crop") == made.mark(SCENE, "orig_crop", "small") == ""
    assert made.mark(SCENE, "orig_crop", "large") == "⊙"
    assert marks.quoted_label(made, SCENE, "orig_crop") == "“Crop” ⊙ large"


def test_a_mark_is_of_one_task(reported_study):
    def edit():
        table = pd.read_csv(INPUTS.table("severity"))
        chosen = (table["condition"] == "downscale") & (table["task"] == SCENE)
        table[chosen].to_csv(INPUTS.table("severity"), index=False)

    made = reported_study(edit=edit)
    assert made.mark(SCENE, "downscale") == "∅"
    assert made.mark(HEADLINE_TASK, "downscale") == ""
