"""Differences drawn in a table's cells."""

import math

from hypothesis import given
from hypothesis import strategies as st

from smallsight.report import typeset
from smallsight.report.forest import ZERO, placed, reach


def row(delta, low, high):
    return {"delta": delta, "ci_low": low, "ci_high": high}


def test_the_widest_interval_has_room_and_none_takes_none():
    rows = [row(0.1, -0.05, 0.25), None, row(-0.3, -0.4, -0.2), row(math.nan, math.nan, math.nan)]
    assert reach(rows) == 0.4
    assert reach([None]) == 0.01


@given(st.floats(0.01, 1), st.floats(-1, 1), st.floats(-1, 1))
def test_places_keep_their_order_and_stay_inside(end, first, second):
    low, high = (placed(value, end) for value in sorted([first, second]))
    assert 0 < low <= high < 2 * ZERO
    assert placed(0.0, end) == ZERO


def drawn(*values):
    source = "{% from 'macros.html' import forest with context %}{{ forest(0.5, *values) }}"
    return typeset.environment().from_string(source).render(values=values)


def test_a_drawing_has_a_line_where_there_is_an_interval_and_a_colour_by_its_verdict():
    whole = drawn(0.25, 0.0, 0.5, 1)
    assert 'd="M100.0 8H194.0"' in whole
    assert 'x="144.8"' in whole
    assert whole.count("#00694b") == 2
    assert drawn(-0.25, -0.5, 0.0, -1).count("#b03a00") == 2
    bare = drawn(0.25, math.nan, math.nan, 0)
    assert "8H" not in bare
    assert bare.count("<rect") == 1
    assert "<rect" not in drawn(math.nan, math.nan, math.nan, math.nan)
