"""Strips: one object whole and under every condition, in lines of equal length."""

import dataclasses
import re

import pytest

from builders.study_files import built
from readers.report_pages import captions_of, section
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.sheets import conditions
from smallsight.vocabulary import GROUPS

pytestmark = pytest.mark.page

FEW = (UNTOUCHED, "downscale")


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """The pages of paper of a study of all conditions."""
    return built(tmp_path_factory.mktemp("strips"), form="printed")


def test_captions_say_how_large_a_maps_cells_are(printed):
    captions = captions_of(section(printed, "strips"))
    assert len(captions) == len(GROUPS)
    assert all("one cell 32 × 32 input pixels" in caption for caption in captions)


def test_strips_mark_conditions_without_visible_change(printed):
    headings = re.findall(r"<h4>(.*?)</h4>", printed)
    assert headings.count("Downscale ∅") == headings.count("Background blur ⊙") == len(GROUPS)
    assert "Downscale" not in headings


def test_no_object_makes_no_strip(reported_study):
    study = reported_study(only=FEW)
    assert conditions.build(dataclasses.replace(study, strips=study.strips[:0])) is None


@pytest.mark.parametrize("group", GROUPS)
def test_a_size_without_objects_has_no_strip(reported_study, group):
    study = reported_study(only=FEW)
    left = study.strips[study.strips["size_group"] != group]
    found = conditions.rows(dataclasses.replace(study, strips=left))
    assert [strip.group for strip in found] == [name for name in GROUPS if name != group]


def test_a_strip_begins_with_the_whole_picture(reported_study):
    for strip in conditions.rows(reported_study(only=FEW)):
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
    (strip,) = conditions.rows(dataclasses.replace(study, strips=small))
    lines = -(-number // strip.columns)
    assert len(strip.cards) == number
    assert strip.columns <= 9
    assert lines == -(-number // 9)
    assert lines * strip.columns - number < lines
