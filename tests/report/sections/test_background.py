"""Surroundings: the numbers of their table, without a verdict."""

import numpy as np
import pytest

from builders.study_files import with_tables
from readers.parts import page_of
from readers.report_pages import body_of
from smallsight.report import text
from smallsight.report.section import place
from smallsight.report.sections import background, effects, ladder
from smallsight.vocabulary import ALL_AND_GROUPS


@pytest.fixture(scope="module")
def swapped(forms):
    """A study with numbers of its own for every regime and size group."""
    table = forms.study.tables["background"]
    rng = np.random.default_rng(0)
    same, other = rng.uniform(0, 1, (2, len(table)))
    gap = same - other
    told = table.assign(n=40, acc_same=same, acc_other=other, gap=gap, n_context=0)
    told = told.assign(ci_low=gap - 0.1, ci_high=gap + 0.12)
    return with_tables(forms.study, background=told)


def test_what_surroundings_do_stands_in_the_page(swapped):
    table = swapped.tables["background"].set_index(["regime", "size_group"])
    part = page_of(swapped, background.UNDER_LADDER)
    body = body_of(part, "accuracy with surroundings of the same and of another category")
    for cells, group in zip(body, ALL_AND_GROUPS, strict=True):
        for cell, regime in zip(cells[1:], ("fixed", "retrained"), strict=True):
            row = table.loc[regime, group]
            assert cell == (
                f"{text.signed(row.gap)} ({text.span(row)}) {text.percent(row.acc_same)} same, "
                f"{text.percent(row.acc_other)} other"
            )
        assert cells[0] == f"{group.capitalize()} n = 40"
    assert "ImageNet" not in part


def test_the_sentence_is_about_small_objects_and_has_no_verdict(swapped):
    row = swapped.tables["background"].set_index(["regime", "size_group"]).loc["fixed", "small"]
    sentence = background.sentence(swapped)
    assert f"differs by {text.points(row.gap, row.ci_low, row.ci_high)}, no verdict." in sentence
    assert not any(word in sentence for word in ("shown", "decided", "p ="))


def test_surroundings_alone_have_columns_only_where_they_were_shown(swapped):
    assert "Surroundings alone" not in page_of(swapped, background.UNDER_LADDER)
    table = swapped.tables["background"].assign(
        n_context=40, acc_context=0.512, context_low=0.4, context_high=0.6, commonest=0.3
    )
    part = page_of(with_tables(swapped, background=table), background.UNDER_LADDER)
    for cells in body_of(part, "accuracy with surroundings of the same"):
        assert cells[2::2] == ["51.2% (40.0–60.0), commonest 30.0%"] * 2


def test_surroundings_stand_once_with_a_ladder_and_without(forms):
    whole = forms.study
    below = with_tables(whole, ladder=whole.tables["ladder"][:0])
    for study, section in ((whole, ladder.SECTION), (below, effects.SECTION)):
        found = [
            one.anchor
            for one in (place(each, study) for each in (ladder.SECTION, effects.SECTION))
            if one is not None and "background.html" in [part.template for part in one.parts]
        ]
        assert found == [section.anchor]


def test_without_donors_and_surroundings_alone_there_is_no_part(forms):
    table = forms.study.tables["background"]
    none = table.assign(n=0, n_context=0, gap=np.nan)
    for left in (table[:0], none):
        assert background.build(with_tables(forms.study, background=left)) is None
