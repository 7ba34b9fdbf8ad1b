"""Similarities: every one in the page, with the marks that they give."""

import pandas as pd

from builders.study_files import INPUTS, conditions
from readers.report_pages import rows_of, text_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.vocabulary import GROUPS


def test_every_similarity_stands_in_the_page(report_page):
    made = report_page()
    severity = pd.read_csv(INPUTS.table("severity")).set_index(["condition", "size_group"])
    _, *body = rows_of(made, "Median similarity")
    changes = [step for step in conditions() if step.name != UNTOUCHED]
    for cells, step in zip(body, changes, strict=True):
        for cell, group in zip(cells[1:], GROUPS, strict=True):
            row = severity.loc[step.name, group]
            assert f"{row.ssim_box:.3f}" in cell
            assert f"picture {row.ssim_picture:.3f}; side {row.side:.1f} px" in cell
            assert ("∅" in cell or "⊙" in cell) == row.vacuous


def test_the_text_says_where_only_the_surroundings_change(report_page):
    text = text_of(report_page())
    assert "Whole pictures under ⊙: median similarity “Background blur” 0.90." in text
