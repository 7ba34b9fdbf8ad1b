"""Numbers and lists, as the report writes them."""

import math

from smallsight.report import text


def test_lists_read_as_sentences_do():
    assert text.listed([]) == ""
    assert text.listed(["a"]) == "a"
    assert text.listed(["a", "b", "c"]) == "a, b and c"
    assert text.listed(list("abcdefgh")) == "a, b, c, d, e and 3 more"


def test_numbers_are_written_the_same_way_everywhere():
    assert [text.signed(x) for x in (-0.196, 0.003, -0.0001, math.nan)] == [
        "−19.6", "+0.3", "0.0", "–",
    ]  # fmt: skip
    assert [text.p_value(x) for x in (1e-9, 0.0012, 0.29, 1.0, math.nan)] == [
        "< 0.0001", "0.0012", "0.29", "1.00", "–",
    ]  # fmt: skip
    ends = ((1.2, 2.0), (1.2, math.inf), (0.0, 2.0), (0.0, math.inf), (math.nan, 2.0))
    assert [text.factor_span(*pair) for pair in ends] == [
        "1.20–2.00", "1.20 or more", "2.00 or less", "no bound", "no interval",
    ]  # fmt: skip
    assert [text.native_pixels(side) for side in (7.49, 99.96, math.nan)] == ["7.5", "100", "–"]
    row = {"p_holm": 0.06, "p_value": 0.03, "p_least": 0.03}
    assert text.p_of(row) == "p = 0.06, the least possible"
    assert text.p_of(row | {"p_least": 0.01}) == "p = 0.06"
    assert text.p_of(dict.fromkeys(row, 1e-9)) == "p < 0.0001"
    assert text.tooltip("Small", "30.0%", "16.6–48.1", 1234.0) == (
        "Small: 30.0% (16.6–48.1), n = 1,234"
    )
    assert text.percent_span(0.1664, 0.481) == "16.6–48.1"
    assert text.percent_span(math.nan, 0.5) == "no interval"
