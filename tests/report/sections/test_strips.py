"""Strips: one object under every condition, in lines of equal length."""

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


@pytest.mark.parametrize("number", [1, 7, 8, 15, 20])
def test_a_strip_fills_its_lines_evenly(reported_study, number):
    study = reported_study(only=FEW)
    small = study.strips[study.strips["size_group"] == "small"].iloc[[0] * number]
    (strip,) = strips.rows(dataclasses.replace(study, strips=small))
    lines = -(-number // strip.columns)
    assert len(strip.cards) == number
    assert strip.columns <= 7
    assert lines == -(-number // 7)
    assert lines * strip.columns - number < lines
