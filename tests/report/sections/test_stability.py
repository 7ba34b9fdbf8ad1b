"""Stability: the rates of the table, by size."""

import pytest

from builders.study_files import with_tables
from readers.report_pages import body_of, section, text_of
from smallsight.report import text
from smallsight.report.sections import stability
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, HEADLINE_TASK


def test_every_rate_stands_in_the_page(forms):
    table = forms.study.tables["stability"].set_index(["task", "regime", "size_group"])
    part = section(forms.screen, "stability")
    body = body_of(part, "Window: share of the answers that change")
    for cells, group in zip(body, ALL_AND_GROUPS, strict=True):
        for number, regime in enumerate(("fixed", "retrained")):
            row = table.loc[HEADLINE_TASK, regime, group]
            ends = text.percent_span(row.ci_low, row.ci_high)
            assert cells[0] == f"{group.capitalize()} n = {row.n:.0f}"
            assert cells[1 + 4 * number : 5 + 4 * number] == [
                f"{text.percent(row.flip_rate)} ({ends})",
                *map(text.percent, (row.correct, row.correct_shifted, row.always_correct)),
            ]
    assert "by up to 31 input pixels along each axis, 3 times" in text_of(f"<body>{part}")


def test_the_sentence_sets_small_beside_large_objects_without_a_verdict(forms):
    sentence = stability.sentence(forms.study)
    table = forms.study.tables["stability"].set_index(["task", "regime", "size_group"])
    small, large = (table.loc[HEADLINE_TASK, "fixed", group] for group in ("small", "large"))
    rates = (text.with_ends(row.flip_rate, row.ci_low, row.ci_high) for row in (small, large))
    assert sentence == (
        "Where what is shown is shifted by up to 31 input pixels, the share of answers that change "
        "is {} on small objects against {} on large objects, no verdict."
    ).format(*rates)
    assert not any(word in sentence for word in ("more often", "less often", "decided", "p ="))


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_without_objects_is_left_out(forms, group):
    table = forms.study.tables["stability"]
    empty = table["size_group"] == group
    made = with_tables(
        forms.study,
        stability=table.assign(
            n=table["n"].where(~empty, 0), flip_rate=table["flip_rate"].where(~empty)
        ),
    )
    assert [row.group for row in stability.rows(made)] == [g for g in ALL_AND_GROUPS if g != group]
    assert group not in stability.sentence(made)
    assert "nan" not in stability.sentence(made)


def test_where_nothing_was_moved_there_is_no_section(forms):
    assert (
        stability.build(with_tables(forms.study, stability=forms.study.tables["stability"][:0]))
        is None
    )
