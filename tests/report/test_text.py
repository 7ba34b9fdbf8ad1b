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
    row = {"threshold": 0.0, "ci_low": 7.49, "ci_high": math.inf, "side_min": 1.6, "side_max": 98.1}
    assert text.threshold(row) == "< 0.8"
    assert text.threshold_span(row) == "7.5 to > 196"
    assert text.tooltip("Small", "30.0%", "16.6–48.1", 1234.0) == (
        "Small: 30.0% (16.6–48.1), n = 1,234"
    )
    assert text.percent_span(0.1664, 0.481) == "16.6–48.1"
    assert text.percent_span(math.nan, 0.5) == "no interval"
