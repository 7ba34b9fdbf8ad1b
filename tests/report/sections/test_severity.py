"""Similarities: every one in the page, with the marks that they give."""

import dataclasses

import pytest

from builders.study_files import conditions, with_tables
from readers.drawings import tooltips
from readers.report_pages import rows_of, section, text_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.sections import severity
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, SCENE

SWEEPS = ("pixels", "shift")


def test_every_similarity_stands_in_the_page(forms):
    table = forms.study.tables["severity"].set_index(["task", "condition", "size_group"])
    _, *body = rows_of(section(forms.screen, "severity"), "Window: median similarity")
    changes = [
        one
        for one in conditions()
        if one.task == HEADLINE_TASK and one.name != UNTOUCHED and one.family not in SWEEPS
    ]
    for cells, step in zip(body, changes, strict=True):
        for cell, group in zip(cells[1:], GROUPS, strict=True):
            row = table.loc[HEADLINE_TASK, step.name, group]
            assert f"{row.ssim_box:.3f}" in cell
            assert f"whole {row.ssim_picture:.3f}; side {row.side:.1f} px" in cell
            assert ("∅" in cell or "⊙" in cell) == row.vacuous


def test_the_text_says_where_only_the_surroundings_change(forms):
    text = text_of(f"<body>{section(forms.screen, 'severity')}")
    assert "Under ⊙, the median similarity of whole windows is 0.90." in text


def test_the_other_task_has_no_part_in_it(forms):
    whole = forms.study.tables["severity"]
    other = whole.assign(ssim_box=whole["ssim_box"].where(whole["task"] != SCENE, 0.123))
    made = with_tables(forms.study, severity=other)
    assert severity.rows(made) == severity.rows(forms.study)
    assert severity.panels(made) == severity.panels(forms.study)
    told = [one for panel in severity.panels(made) for one in tooltips(panel)]
    assert len(told) == (whole["task"] == HEADLINE_TASK).sum()


@pytest.mark.parametrize("width", [130, 64])
def test_the_text_has_the_width_of_a_window_and_of_the_input(forms, width):
    maps = forms.study.maps
    wide = maps.assign(view_w=maps["view_w"].where(maps["task"] != HEADLINE_TASK, width))
    sentence = severity.resizing_sentence(dataclasses.replace(forms.study, maps=wide))
    assert f"The median width of a window is {width} pixels, the input’s 64." in sentence
