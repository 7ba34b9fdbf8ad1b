"""Curves: levels in order, and accuracy of the same objects at several sides."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from readers.drawings import SVG, dots, dots_without_tooltip, intervals, texts, tooltips
from smallsight.report.figures import curves, style
from smallsight.report.figures.style import INK

HOSTILE = "<img src=x onerror=alert(1)> $x_1$ & \"'"
TICKS = ["untouched", "15", "31"]
FIT = {
    "threshold": 12.0,
    "ci_low": 9.0,
    "ci_high": 15.0,
    "floor": 0.3,
    "ceiling": 0.9,
    "spread": 0.5,
}
LEVELS = [8.0, 16.0, 32.0]
COLOURS = {group: series.colour for group, series in style.SERIES.items()} | {"all": INK}


def rows(**changes):
    table = pd.DataFrame(
        [
            {"position": at, "size_group": group, "acc": acc, "is_headline": is_headline}
            for at in range(len(TICKS))
            for group, acc in (("small", 0.25), ("medium", 0.5), ("large", 0.75))
            for is_headline in (True, False)
        ]
    )
    table = table.assign(ci_low=table["acc"] - 0.1, ci_high=table["acc"] + 0.1, hollow=False)
    places = zip(table["size_group"], table["position"], table["is_headline"], strict=True)
    table["tooltip"] = [" ".join(map(str, place)) for place in places]
    for column, value in changes.items():
        table.loc[table["size_group"] == "small", column] = value
    return table


def levels(table, *, title="Motion blur", ticks=TICKS, chance=0.2):
    return curves.dose_response(
        table, name="one", title=title, ticks=ticks, option="length", chance=chance
    )


def sides(**changes):
    """All, medium and large objects at every level, and four groups at their own side."""
    rows = [
        {"size_group": group, "side": side, "native": False, "acc": base + side / 100}
        for group, base in (("all", 0.4), ("medium", 0.3), ("large", 0.5))
        for side in reversed(LEVELS)
    ]
    rows += [
        {"size_group": group, "side": side, "native": True, "acc": acc}
        for group, side, acc in (
            ("all", 100.0, 0.88), ("small", 20.0, 0.65), ("medium", 70.0, 0.8),
            ("large", 200.0, 0.95),
        )
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table["tooltip"] = [f"{row.size_group} {row.side} {row.native}" for row in table.itertuples()]
    table = table.assign(ci_low=table["acc"] - 0.05, ci_high=table["acc"] + 0.04)
    return table.assign(**changes)


def within(table=None, *, fit=FIT, title="Window"):
    table = sides() if table is None else table
    return curves.within_objects(table, fit=fit, name="two", title=title, chance=0.2)


def scale(svg):
    """Return the heights at which an accuracy of 0 and of 1 lies in the drawing."""
    ticks = {}
    for part in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        found = [text.text for text in part.iter(f"{SVG}text")]
        marks = list(part.iter(f"{SVG}use"))
        if re.fullmatch(r"two-ytick_\d+|one-ytick_\d+", part.get("id", "")) and marks:
            ticks[found[0]] = float(marks[0].get("y"))
    return ticks["0%"], ticks["100%"]


def heights(svg, colour):
    """Return the accuracies at which dots of a colour lie, read off the drawing."""
    zero, one = scale(svg)
    return [(float(mark.get("y")) - zero) / (one - zero) for mark in dots(svg, colour)]


def line(svg, colour):
    """Return the accuracies along the longest line of a colour, read off the drawing."""
    zero, one = scale(svg)
    paths = [
        re.findall(r"[ML] \S+ (\S+)", path.get("d"))
        for path in ElementTree.fromstring(svg).iter(f"{SVG}path")
        if f"stroke: {colour}" in path.get("style", "") and path.get("clip-path")
    ]
    return (np.array(max(paths, key=len), float) - zero) / (one - zero)


def test_levels_are_named_in_order():
    found = texts(levels(rows()))
    assert [text for text in found if text in TICKS] == TICKS
    assert "length" in found


def test_one_regime_has_dots_where_the_table_says_the_other_none():
    for group, acc in (("small", 0.25), ("large", 0.75)):
        found = heights(levels(rows()), style.SERIES[group].colour)
        np.testing.assert_allclose(found, [acc] * len(TICKS), atol=0.005)


def test_every_dot_has_the_tables_tooltip():
    table = rows()
    svg = levels(table)
    assert sorted(tooltips(svg)) == sorted(table.loc[table["is_headline"], "tooltip"])
    assert dots_without_tooltip(svg) == []
    for group, series in style.SERIES.items():
        root = ElementTree.fromstring(svg)
        marks = [part for part in root.iter() if part.get("data-tip", "").startswith(group)]
        shown = [next(mark.iter(f"{SVG}use")) for mark in marks]
        assert {series.colour in mark.get("style") for mark in shown} == {True}
        places = [float(mark.get("x")) for mark in shown]
        assert places == sorted(places)
        assert [mark.get("data-tip").split()[1] for mark in marks] == ["0", "1", "2"]


def test_what_is_not_drawn_has_no_tooltip():
    table = rows(acc=np.nan)
    left = table["is_headline"] & (table["size_group"] != "small")
    assert sorted(tooltips(levels(table))) == sorted(table.loc[left, "tooltip"])


def test_hollow_dots_are_hollow():
    def fills(svg, group):
        return {
            "fill: none" in mark.get("style") or "fill-opacity: 0" in mark.get("style")
            for mark in dots(svg, style.SERIES[group].colour)
        }

    svg = levels(rows(hollow=True))
    assert fills(svg, "small") == {True}
    assert fills(svg, "large") == {False}


def test_what_is_no_number_is_left_out():
    assert dots(levels(rows(acc=np.nan)), style.SERIES["small"].colour) == []
    assert levels(rows().iloc[:0])


def test_a_drawing_is_the_same_every_time_and_its_names_are_text():
    for draw in (
        lambda: levels(rows(), title=HOSTILE, ticks=[HOSTILE, "15", "31"]),
        lambda: within(title=HOSTILE),
    ):
        assert draw() == draw()
        root = ElementTree.fromstring(draw())
        assert root.find(f".//{SVG}img") is None
        assert HOSTILE in [text.text for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize(
    "draw", [lambda: levels(rows(tooltip=HOSTILE)), lambda: within(sides(tooltip=HOSTILE))]
)
def test_tooltips_are_escaped_and_ids_stay_unique(draw):
    svg = draw()
    assert tooltips(svg).count(HOSTILE) >= 3
    root = ElementTree.fromstring(svg)
    assert root.find(f".//{SVG}img") is None
    ids = [part.get("id") for part in root.iter() if part.get("id")]
    assert len(ids) == len(set(ids))
    assert all(re.match("one-|two-", name) for name in ids)
    assert "tip: " not in svg


def read_sides(svg, marks):
    """Return the sides at which marks lie, read off the drawing."""
    ticks = {}
    for part in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if re.fullmatch(r"two-xtick_\d+", part.get("id", "")):
            side = float(next(part.iter(f"{SVG}text")).text)
            ticks[float(next(part.iter(f"{SVG}use")).get("x"))] = np.log(side)
    slope, start = np.polyfit(list(ticks), list(ticks.values()), 1)
    return np.exp(slope * np.array([float(mark.get("x")) for mark in marks]) + start)


def test_marks_lie_at_their_side_and_accuracy_in_the_colour_of_their_group():
    svg, table = within(), sides()
    drawn = table[table["native"] | (table["size_group"] == "all")].sort_values("side")
    assert sorted(tooltips(svg)) == sorted(drawn["tooltip"])
    assert dots_without_tooltip(svg) == []
    for group, part in drawn.groupby("size_group"):
        marks = sorted(dots(svg, COLOURS[group]), key=lambda mark: float(mark.get("x")))
        np.testing.assert_allclose(read_sides(svg, marks), part["side"], rtol=0.01)
        found = sorted(heights(svg, COLOURS[group]))
        np.testing.assert_allclose(found, sorted(part["acc"]), atol=0.005)


def test_intervals_are_as_long_as_the_table_says():
    zero, one = scale(within())
    for group, number in (("all", len(LEVELS) + 1), ("small", 1), ("medium", 1), ("large", 1)):
        found = [
            (end - start) / (one - zero) for _, start, _, end in intervals(within(), COLOURS[group])
        ]
        np.testing.assert_allclose(np.abs(found), [0.09] * number, atol=0.005)


@pytest.mark.parametrize(("group", "base"), [("medium", 0.3), ("large", 0.5)])
def test_a_size_groups_line_passes_through_its_accuracies(group, base):
    found = line(within(), COLOURS[group])
    np.testing.assert_allclose(found, [base + side / 100 for side in LEVELS], atol=0.005)


def test_the_curve_drawn_is_the_curve_fitted():
    drawn = line(within(), style.FAINT)
    at = np.linspace(np.log(8 / 1.3), np.log(200 * 1.3), len(drawn))
    expected = 0.3 + 0.6 * expit((at - np.log(12)) / 0.5)
    np.testing.assert_allclose(drawn, expected, atol=0.005)


def upright_line(svg):
    """Return x, and the ends along y, of the black line that is no interval."""
    pattern = r'<g id="two-line2d_\d+">\s*<path d="M (\S+) (\S+) \nL \1 (\S+) \n"[^>]*' + INK
    (found,) = re.findall(pattern, svg)
    return found


def test_the_threshold_stands_on_the_axis_and_ends_half_way_up():
    svg = within()
    upright = upright_line(svg)
    assert read_sides(svg, [{"x": upright[0]}]) == pytest.approx([12.0], rel=0.01)
    zero, one = scale(svg)
    ends = [(float(end) - zero) / (one - zero) for end in upright[1:]]
    assert ends == pytest.approx([-0.02, 0.6], abs=0.005)


def spans(svg):
    """Return the ends of the shaded band, as sides."""
    (band,) = re.findall(r'd="([^"]*)" clip-path="[^"]*" style="fill: #8a94a3; opacity: 0.25', svg)
    across = [{"x": x} for x, _ in re.findall(r"[ML] (\S+) (\S+)", band)]
    found = read_sides(svg, across)
    return found.min(), found.max()


@pytest.mark.parametrize(
    ("low", "high", "due"),
    [(9.0, 15.0, (9.0, 15.0)), (0.1, 15.0, (8 / 1.3, 15.0)), (9.0, 900.0, (9.0, 260.0))],
)
def test_the_thresholds_interval_is_shaded_and_ends_with_the_axis(low, high, due):
    svg = within(fit=FIT | {"ci_low": low, "ci_high": high})
    assert spans(svg) == pytest.approx(due, rel=0.01)


def test_without_a_threshold_no_curve_is_drawn():
    svg = within(fit=None)
    assert "opacity: 0.25" not in svg
    assert tooltips(svg) == tooltips(within())
    # The line of guessing is the only grey one.
    np.testing.assert_allclose(line(svg, style.FAINT), [0.2, 0.2], atol=0.005)


def test_an_interval_that_is_none_is_not_shaded():
    svg = within(fit=FIT | {"ci_low": np.nan, "ci_high": np.nan})
    assert "opacity: 0.25" not in svg
    assert not re.search(r"\b(nan|inf)\b", svg)


@pytest.mark.parametrize("groups", [["all"], ["small"], ["all", "small"], ["all", "large"]])
def test_size_groups_may_be_missing(groups):
    table = sides()
    table = table[table["size_group"].isin(groups)]
    svg = within(table, fit=None)
    named = {"all": "All", "small": "Small", "medium": "Medium", "large": "Large"}
    assert {text for text in texts(svg) if text in named.values()} == {named[one] for one in groups}
    assert not re.search(r"\b(nan|inf)\b", svg)


def test_sides_are_read_in_doublings():
    found = [text for text in texts(within()) if text.isdigit()]
    assert found == ["8", "16", "32", "64", "128", "256"]


SHARES = [0.125, 0.25, 0.5, 1.0, 2.0]


def learned(**changes):
    """Accuracy of three groups by share; the last is extrapolated."""
    rows = [
        {"size_group": group, "share": share, "accuracy": base + share / 10}
        for group, base in (("small", 0.2), ("medium", 0.4), ("large", 0.6))
        for share in reversed(SHARES)
    ]
    table = pd.DataFrame(rows)
    table = table.assign(is_extrapolated=table["share"] == 2, ci_low=table["accuracy"] - 0.1)
    table["ci_high"] = table["accuracy"] + 0.05
    table["tooltip"] = [f"{row.size_group} {row.share}" for row in table.itertuples()]
    return table.assign(**changes)


def learning(table=None, *, title="Window"):
    table = learned() if table is None else table
    return curves.learning_curve(table, name="two", title=title, chance=0.2)


@pytest.mark.parametrize("group", style.SERIES)
def test_a_learning_curve_has_a_mark_for_every_share_and_the_last_is_hollow(group):
    svg = learning()
    due = learned().query("size_group == @group").sort_values("share")
    marks = dots(svg, COLOURS[group])
    found = sorted(heights(svg, COLOURS[group]))
    np.testing.assert_allclose(found, due["accuracy"], atol=0.005)
    marks.sort(key=lambda mark: float(mark.get("x")))
    hollow = [
        "fill: none" in mark.get("style") or "fill-opacity: 0" in mark.get("style")
        for mark in marks
    ]
    assert hollow == list(due["is_extrapolated"])
    zero, one = scale(svg)
    ends = [(end - zero) / (one - zero) for line in intervals(svg, COLOURS[group])
            for end in line[1::2]]  # fmt: skip
    np.testing.assert_allclose(sorted(ends), sorted([*due["ci_low"], *due["ci_high"]]), atol=0.005)


def test_a_learning_curve_tells_its_shares_and_every_mark_has_a_tooltip():
    svg = learning(title=HOSTILE)
    assert svg == learning(title=HOSTILE)
    assert sorted(tooltips(svg)) == sorted(learned()["tooltip"])
    assert dots_without_tooltip(svg) == []
    found = texts(svg)
    assert HOSTILE in found
    assert [text for text in found if text in ("12.5%", "200%")] == ["12.5%", "200%"]


def test_a_learning_curve_may_lack_size_groups():
    svg = learning(learned().query("size_group == 'large'"))
    assert len(tooltips(svg)) == len(SHARES)
    assert not re.search(r"\b(nan|inf)\b", svg)
