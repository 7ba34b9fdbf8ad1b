"""Failures named as neighbours: the numbers of their table."""

import pytest

from builders.study_files import with_tables
from readers.parts import page_of
from readers.report_pages import rows_of
from smallsight.analysis.terms import NEIGHBOURS
from smallsight.report import text
from smallsight.report.sections import neighbours
from smallsight.report.sections.neighbours import SECTION
from smallsight.vocabulary import ALL_AND_GROUPS, SCENE

ARROWS = {1: "▲ ", -1: "▼ ", 0: ""}


def test_neighbours_stand_in_the_page(forms):
    table = forms.study.tables["neighbours"]
    assert set(table["task"]) == {SCENE}
    named = table.set_index(["size_group", "pictures", "neighbour"])
    _, *body = rows_of(page_of(forms.study, SECTION), "Whole picture, untouched, fixed head")
    for cells, group in zip(body, ALL_AND_GROUPS, strict=True):
        assert cells[1].strip() == str(named.loc[group, "one", "any"].failed)
        assert cells[2].strip() == str(named.loc[group, "several", "any"].failed)
        for number, kind in enumerate(NEIGHBOURS):
            row = named.loc[group, "several", kind]
            count, excess = cells[3 + 2 * number : 5 + 2 * number]
            assert count.split()[0] == f"{row.named:.0f}"
            assert f"{100 * row.share:.1f}%; chance {100 * row.chance:.1f}%" in count
            assert ARROWS[row.direction] + text.signed(row.excess) in excess
            assert f"({text.span(row)})" in excess


@pytest.mark.parametrize("direction", [1, -1, 0])
def test_neighbours_are_said_to_be_named_only_by_their_direction(forms, direction):
    table = forms.study.tables["neighbours"].assign(direction=direction)
    said = neighbours.sentence(with_tables(forms.study, neighbours=table), "small")
    assert said.count("less than by chance: shown.") == (2 if direction == -1 else 0)
    assert said.count("more than by chance: shown.") == (2 if direction == 1 else 0)
    assert said.count("not decided.") == (2 if direction == 0 else 0)


def test_where_nothing_failed_the_page_says_so(forms):
    none = with_tables(forms.study, neighbours=forms.study.tables["neighbours"].assign(failed=0))
    assert "Nothing failed." in page_of(none, SECTION)
    assert neighbours.build(none).sentence == ""
