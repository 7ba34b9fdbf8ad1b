"""Strips: one object whole and under every condition, in lines of equal length."""

import dataclasses
import re

import pytest

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.sections import strips
from smallsight.vocabulary import GROUPS

pytestmark = pytest.mark.page

FEW = (UNTOUCHED, "downscale")


def test_strips_mark_conditions_without_visible_change(report_page):
    made = report_page()
    headings = re.findall(r"<h4>(.*?)</h4>", made)
    assert headings.count("Downscale ∅") == headings.count("Background blur ⊙") == len(GROUPS)
    assert "Downscale" not in headings


def test_a_strip_begins_with_the_whole_picture(reported_study):
    for strip in strips.rows(reported_study(only=FEW)):
        shown = [(card.row["task"], card.row["condition"]) for card in strip.cards]
        assert shown == [("scene", UNTOUCHED), ("object", UNTOUCHED), ("object", "downscale")]
        labels = [card.label for card in strip.cards]
        assert labels[:2] == ["Whole picture, untouched", "Window, untouched"]
        assert labels[2].startswith("Downscale")
        assert strip.first == strip.cards[0].row


@pytest.mark.parametrize("number", [1, 9, 10, 19, 20])
def test_a_strip_fills_its_lines_evenly(reported_study, number):
    study = reported_study(only=FEW)
    small = study.strips[study.strips["size_group"] == "small"].iloc[[0] * number]
    (strip,) = strips.rows(dataclasses.replace(study, strips=small))
    lines = -(-number // strip.columns)
    assert len(strip.cards) == number
    assert strip.columns <= 9
    assert lines == -(-number // 9)
    assert lines * strip.columns - number < lines
