"""Curves: levels in order, and accuracy against the side of the object."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from readers.drawings import SVG, dots, dots_without_tooltip, texts, tooltips
from smallsight.report.figures import curves, style
from smallsight.report.figures.style import INK

HOSTILE = "<img src=x onerror=alert(1)> $x_1$ & \"'"
TICKS = ["untouched", "15", "31"]
FIT = {
    "condition": "orig_full",
    "threshold": 8.0,
    "ci_low": 4.0,
    "ci_high": 16.0,
    "floor": 0.2,
    "ceiling": 0.9,
    "spread": 0.5,
    "side_min": 2.0,
    "side_max": 64.0,
}


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


def panel(fit=FIT, changed=None, *, bins=None, title="Crop"):
    return curves.against_side(fit, changed, bins=bins or {}, name="two", title=title)


BINS = pd.DataFrame(
    {"side": [3.0, 6.0, 12.0, 40.0], "acc": [0.25, 0.4, 0.6, 0.85], "ci_low": 0.1, "ci_high": 0.9}
).assign(tooltip=["bin 1", "bin 2", "bin 3", "bin 4"])
SIZES = pd.DataFrame(
    {
        "size_group": ["small", "medium", "large"],
        "side": [4.0, 9.0, 35.0],
        # Small ones lie below the curve, the others above.
        "acc": [0.26, 0.62, 0.9],
        "ci_low": [0.2, 0.5, 0.8],
        "ci_high": [0.4, 0.7, 0.95],
        "tooltip": ["small ones", "medium ones", "large ones"],
    }
)


def untouched(fit=FIT, *, bins=BINS, groups=SIZES, chance=0.2):
    return curves.untouched(fit, bins=bins, groups=groups, chance=chance, name="one")


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
        if f"stroke: {colour}" in path.get("style", "")
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
    assert levels(rows().iloc[:0], chance=None)


def test_a_drawing_is_the_same_every_time_and_its_names_are_text():
    for draw in (
        lambda: levels(rows(), title=HOSTILE, ticks=[HOSTILE, "15", "31"]),
        lambda: panel(title=HOSTILE),
    ):
        assert draw() == draw()
        root = ElementTree.fromstring(draw())
        assert root.find(f".//{SVG}img") is None
        assert HOSTILE in [text.text for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("draw", [
    lambda: levels(rows(tooltip=HOSTILE)),
    lambda: panel(bins={"orig_full": BINS.assign(tooltip=HOSTILE)}),
    lambda: untouched(bins=BINS.assign(tooltip=HOSTILE), groups=SIZES.assign(tooltip=HOSTILE)),
])  # fmt: skip
def test_tooltips_are_escaped_and_ids_stay_unique(draw):
    svg = draw()
    assert tooltips(svg).count(HOSTILE) >= 3
    root = ElementTree.fromstring(svg)
    assert root.find(f".//{SVG}img") is None
    ids = [part.get("id") for part in root.iter() if part.get("id")]
    assert len(ids) == len(set(ids))
    assert all(re.match("one-|two-", name) for name in ids)
    assert "tip: " not in svg


@pytest.mark.parametrize("threshold", [3.0, 20.0, 0.0, np.inf])
def test_the_curve_drawn_is_the_curve_fitted(threshold):
    drawn = line(panel(FIT | {"threshold": threshold}), style.INK)
    sides = np.linspace(np.log(2.0 / 1.15), np.log(64.0 * 1.15), len(drawn))
    with np.errstate(divide="ignore"):
        away = (sides - np.log(threshold)) / 0.5
    np.testing.assert_allclose(drawn, 0.2 + 0.7 * expit(away), atol=0.005)


def test_the_threshold_lies_half_way_up_and_is_left_out_beyond_all_sides():
    orange = curves.THRESHOLD
    np.testing.assert_allclose(heights(panel(), orange), [0.55], atol=0.005)
    for beyond in (0.0, np.inf):
        svg = panel(FIT | {"threshold": beyond, "ci_low": 0.0, "ci_high": np.inf})
        assert dots(svg, orange) == []


def test_untouched_pictures_are_grey_beside_a_change():
    points = pd.DataFrame(
        {"side": [4.0, 16.0], "acc": 0.5, "ci_low": 0.4, "ci_high": 0.6, "tooltip": ["a", "b"]}
    )
    bins = {"orig_full": points, "crop": points.assign(acc=0.3, tooltip=["c", "d"])}
    svg = panel(FIT, FIT | {"condition": "crop"}, bins=bins)
    np.testing.assert_allclose(heights(svg, style.FAINT), [0.5, 0.5], atol=0.005)
    np.testing.assert_allclose(heights(svg, style.INK), [0.3, 0.3], atol=0.005)
    alone = panel(bins=bins)
    np.testing.assert_allclose(heights(alone, style.INK), [0.5, 0.5], atol=0.005)
    assert tooltips(svg) == ["a", "b", "c", "d"]
    assert tooltips(alone) == ["a", "b"]
    # The threshold alone has no objects of its own.
    assert [curves.THRESHOLD in style for style in dots_without_tooltip(svg)] == [True]


def test_sides_are_read_in_doublings():
    assert [text for text in texts(panel()) if text.isdigit()] == ["2", "4", "8", "16", "32", "64"]


def sides(svg, marks):
    """Return the sides at which marks lie, read off the drawing."""
    ticks = {}
    for part in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if re.fullmatch(r"(one|two)-xtick_\d+", part.get("id", "")):
            side = float(next(part.iter(f"{SVG}text")).text)
            ticks[float(next(part.iter(f"{SVG}use")).get("x"))] = np.log(side)
    slope, start = np.polyfit(list(ticks), list(ticks.values()), 1)
    return np.exp(slope * np.array([float(mark.get("x")) for mark in marks]) + start)


def spans(svg, colour):
    """Return the ends of straight lines of a colour that lie across the drawing, as sides."""
    level = r'd="M (\S+) (\S+) \nL (\S+) \2 \n" clip-path="[^"]*" style="fill: none; '
    marks = re.findall(f"{level}stroke: {colour};", svg)
    return [tuple(sides(svg, [{"x": left}, {"x": right}])) for left, _, right in marks]


ALL = [series.colour for series in style.SERIES.values()]
"""Colours of the size groups, in order."""


def test_page_ones_figure_has_every_group_of_objects_where_the_tables_say():
    svg = untouched()
    for table, colours in ((BINS, [style.FAINT]), (SIZES, ALL)):
        marks = [mark for colour in colours for mark in dots(svg, colour)]
        np.testing.assert_allclose(sides(svg, marks), table["side"], rtol=0.01)
        found = [height for colour in colours for height in heights(svg, colour)]
        np.testing.assert_allclose(found, table["acc"], atol=0.005)
    assert tooltips(svg) == [*BINS["tooltip"], *SIZES["tooltip"]]
    # The threshold alone has no objects of its own.
    assert [INK in style for style in dots_without_tooltip(svg)] == [True]


def test_page_ones_curve_is_the_curve_fitted_with_its_threshold_half_way_up():
    svg = untouched()
    drawn = line(svg, style.FAINT)
    at = np.linspace(np.log(2.0 / 1.15), np.log(64.0 * 1.15), len(drawn))
    np.testing.assert_allclose(drawn, 0.2 + 0.7 * expit((at - np.log(8)) / 0.5), atol=0.005)
    (diamond,) = dots(svg, style.INK)
    assert sides(svg, [diamond]) == pytest.approx([8.0], rel=0.01)
    assert heights(svg, style.INK) == pytest.approx([0.55], abs=0.005)
    assert spans(svg, style.INK) == [pytest.approx((4.0, 16.0), rel=0.01)]


@pytest.mark.parametrize(
    ("threshold", "low", "high", "level", "span"),
    [
        (0.0, 0.0, 5.0, 0.9, (2.0 / 1.15, 5.0)),
        (0.0, 0.0, 0.0, 0.9, (2.0 / 1.15, 2.0 / 1.15)),
        (np.inf, 30.0, np.inf, 0.2, (30.0, 64.0 * 1.15)),
        (np.inf, 0.0, np.inf, 0.2, (2.0 / 1.15, 64.0 * 1.15)),
    ],
)
def test_a_threshold_beyond_all_sides_leaves_a_level_line_and_no_diamond(
    threshold, low, high, level, span
):
    svg = untouched(FIT | {"threshold": threshold, "ci_low": low, "ci_high": high})
    np.testing.assert_allclose(line(svg, style.FAINT), level, atol=0.005)
    assert dots(svg, style.INK) == []
    assert spans(svg, style.INK) == [pytest.approx(span, rel=0.01)]
    assert not re.search(r"\b(nan|inf)\b", svg)


@pytest.mark.parametrize("threshold", [1.0, 90.0])
def test_a_threshold_beside_the_axes_has_no_diamond(threshold):
    svg = untouched(FIT | {"threshold": threshold, "ci_low": 0.9, "ci_high": 100.0})
    assert dots(svg, style.INK) == []
    assert spans(svg, style.INK) == [pytest.approx((2.0 / 1.15, 64.0 * 1.15), rel=0.01)]


@pytest.mark.parametrize("fit", [FIT, None], ids=["curve", "no curve"])
@pytest.mark.parametrize(("groups", "bins"), [(3, 4), (3, 0), (1, 0), (1, 1), (0, 1), (0, 4)])
def test_page_ones_figure_may_lack_anything(fit, groups, bins):
    parts = {"groups": SIZES[:groups], "bins": BINS[:bins]}
    svg = untouched(fit, **parts)
    assert svg == untouched(fit, **parts)
    assert tooltips(svg) == [*BINS["tooltip"][:bins], *SIZES["tooltip"][:groups]]
    assert len(dots(svg, style.INK)) == (fit is not None)
    told = [text for text in texts(svg) if re.match("Small|Medium|Large", text)]
    assert told == ["Small 26.0%", "Medium 62.0%", "Large 90.0%"][:groups]
    assert not re.search(r"\b(nan|inf)\b", svg)
    # Everything lies inside the axes.
    left, right = (float(value) for value in re.search(r"M (\S+) \S+ \nL (\S+) ", svg).groups())
    marks = [mark for colour in (style.FAINT, *ALL) for mark in dots(svg, colour)]
    assert all(left < float(mark.get("x")) < right for mark in marks)


def test_without_chance_no_line_is_dashed():
    assert "dasharray" in untouched()
    assert "dasharray" not in untouched(chance=None)


def test_a_size_groups_accuracy_stands_on_the_side_that_the_curve_leaves_free():
    svg = untouched()
    root = ElementTree.fromstring(svg)
    written = {text.text: float(text.get("y")) for text in root.iter(f"{SVG}text") if text.get("y")}
    places = [float(dots(svg, colour)[0].get("y")) for colour in ALL]
    for label, place, is_above in zip(
        ("Small 26.0%", "Medium 62.0%", "Large 90.0%"), places, (False, True, True), strict=True
    ):
        assert (written[label] < place) == is_above
