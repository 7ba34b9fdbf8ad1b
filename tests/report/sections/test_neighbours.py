"""Failures named as neighbours: the numbers of their table."""

import pandas as pd
import pytest

from builders.study_files import INPUTS, edited
from readers.report_pages import rows_of
from smallsight.analysis.terms import NEIGHBOURS
from smallsight.report import text
from smallsight.report.sections import neighbours
from smallsight.vocabulary import GROUPS

ARROWS = {1: "▲ ", -1: "▼ ", 0: ""}


def test_neighbours_stand_in_the_page(report_page):
    made = report_page()
    keys = ["size_group", "pictures", "neighbour"]
    named = pd.read_csv(INPUTS.table("neighbours")).set_index(keys)
    _, *body = rows_of(made, "how many are named as a neighbour")
    for cells, group in zip(body, ("all", *GROUPS), strict=True):
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
def test_neighbours_are_said_to_be_named_only_by_their_direction(reported_study, direction):
    made = reported_study(edit=edited(INPUTS.table("neighbours"), direction=direction))
    said = neighbours.sentence(made, "small")
    for sign, word in ((1, "more"), (-1, "less")):
        assert (f"{word} often than by chance (" in said) == (direction == sign)
    assert ("as far as is shown" in said) == (direction == 0)
