"""Figures by condition: marks, intervals, lines and legend where the table says."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from readers.drawings import SVG, dots, dots_without_tooltip, ids, texts, tooltips
from smallsight.report.figures import style
from smallsight.report.figures.by_condition import by_condition

HOSTILE = "<img src=x onerror=alert(1)> $x_1$ & \"'"
LABELS = {"orig_full": "Untouched", "motion_blur": "Motion blur"}
LINES = {"chance": 1 / 6, "commonest category": 0.4}


def accuracies(**changes):
    rows = [
        {
            "condition": name,
            "size_group": group,
            "value": acc,
            "low": acc - 0.1,
            "high": acc + 0.1,
            "hollow": False,
            "tooltip": f"{name}, {group}: {100 * acc:.1f}%",
        }
        for name in LABELS
        for group, acc in (("all", 0.5), ("small", 0.25), ("medium", 0.5), ("large", 0.75))
    ]
    table = pd.DataFrame(rows)
    for column, value in changes.items():
        table.loc[table["size_group"] == "small", column] = value
    return table


def draw(table=None, *, name="one", labels=LABELS, lines=LINES):
    table = accuracies() if table is None else table
    return by_condition(table, name=name, title="Fixed head", labels=labels, lines=lines)


def across(svg, tooltip):
    """Return how far to the right the mark with this tooltip lies, in accuracy."""
    root = ElementTree.fromstring(svg)
    ticks = {text.text: float(text.get("x")) for text in root.iter(f"{SVG}text")}
    (mark,) = [part for part in root.iter() if part.get("data-tip") == tooltip]
    place = float(next(mark.iter(f"{SVG}use")).get("x"))
    return (place - ticks["0%"]) / (ticks["100%"] - ticks["0%"])


def intervals(svg, group):
    """Ends of a group's intervals, read off the drawing, in accuracy."""
    root = ElementTree.fromstring(svg)
    ticks = {text.text: float(text.get("x")) for text in root.iter(f"{SVG}text")}
    zero, one = ticks["0%"], ticks["100%"]
    found = []
    for path in root.iter(f"{SVG}path"):
        corners = re.findall(r"[ML] ([\d.]+) ([\d.]+)", path.get("d"))
        colour = f"stroke: {style.SERIES[group].colour}"
        if colour in path.get("style", "") and len(corners) == 2 and path.get("clip-path"):
            found.append([(float(x) - zero) / (one - zero) for x, _ in corners])
    return np.array(found)


def test_a_figure_is_xml_without_a_date_or_a_style_of_its_own():
    svg = draw()
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text
    assert not re.search(r"<style|<metadata|dc:date|\b20\d\d-\d\d", svg)


def test_the_same_table_gives_the_same_bytes():
    assert draw() == draw()
    assert draw() != draw(accuracies(value=0.3))


def test_two_figures_share_no_id():
    one, two = draw(name="one"), draw(name="two")
    assert ids(one) and not set(ids(one)) & set(ids(two))
    for svg in (one, two):
        assert set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", svg)) <= set(ids(svg))


def test_intervals_lie_where_the_table_says():
    for group, acc in (("small", 0.25), ("medium", 0.5), ("large", 0.75)):
        expected = [[acc - 0.1, acc + 0.1]] * len(LABELS)
        np.testing.assert_allclose(intervals(draw(), group), expected, atol=0.002)


@pytest.mark.parametrize("column", ["value", "low", "high"])
def test_what_is_no_number_has_no_interval(column):
    svg = draw(accuracies(**{column: np.nan}))
    assert len(intervals(svg, "small")) == 0
    assert len(intervals(svg, "large")) == len(LABELS)


def filled(svg, group):
    """Count a group's dots that are filled, and all of them, the legend's left out."""
    root = ElementTree.fromstring(svg)
    colour = style.SERIES[group].colour
    inside = [mark for part in root.iter(f"{SVG}g") if part.get("clip-path") for mark in part]
    styles = [mark.get("style", "") for mark in inside if f"stroke: {colour}" in mark.get("style")]
    return sum(f"fill: {colour}" in style for style in styles), len(styles)


@pytest.mark.parametrize("column", ["hollow", "low"])
def test_a_dot_is_hollow_where_it_is_said_to_be_or_has_no_interval(column):
    svg = draw(accuracies(**{column: {"hollow": True, "low": np.nan}[column]}))
    assert filled(svg, "small") == (0, len(LABELS))
    assert filled(svg, "large") == (len(LABELS), len(LABELS))


def test_every_dot_has_the_tables_tooltip():
    svg = draw()
    table = accuracies().query("size_group != 'all'")
    assert sorted(tooltips(svg)) == sorted(table["tooltip"])
    assert dots_without_tooltip(svg) == []
    for row in table.itertuples():
        assert across(svg, row.tooltip) == pytest.approx(row.value, abs=0.002)


def test_what_is_not_drawn_has_no_tooltip():
    table = accuracies(value=np.nan)
    drawn = ~table["size_group"].isin(["all", "small"])
    assert sorted(tooltips(draw(table))) == sorted(table.loc[drawn, "tooltip"])
    assert tooltips(draw(labels={"orig_full": "Untouched"})) == [
        f"orig_full, {group}: {percent}%"
        for group, percent in (("small", "25.0"), ("medium", "50.0"), ("large", "75.0"))
    ]


def test_a_tooltip_is_escaped_and_no_id():
    svg = draw(accuracies(tooltip=HOSTILE))
    assert tooltips(svg).count(HOSTILE) == len(LABELS)
    root = ElementTree.fromstring(svg)
    assert root.find(f".//{SVG}img") is None
    found = ids(svg)
    assert len(found) == len(set(found))
    assert not any("tip" in name or "onerror" in name for name in found)
    # A drawing does not depend on its tooltips.
    assert re.sub(r'data-tip="[^"]*"', "", svg) == re.sub(r'data-tip="[^"]*"', "", draw())


def test_an_axis_may_count_from_zero_to_one():
    svg = by_condition(
        accuracies(), name="x", title="", labels=LABELS, lines={}, measure="SSIM", in_percent=False
    )
    written = texts(svg)
    assert "1.0" in written
    assert not any("%" in text for text in written)
    assert "SSIM" in written


def test_a_table_without_rows_still_gives_axes():
    svg = draw(accuracies().iloc[:0])
    assert "100%" in svg
    assert "Motion blur" in svg


def test_names_come_out_as_text():
    root = ElementTree.fromstring(draw(labels={"orig_full": HOSTILE}))
    assert root.find(f".//{SVG}img") is None
    written = "".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
    assert re.sub(r"\s", "", HOSTILE) in re.sub(r"\s", "", written)


def test_the_legend_names_every_group_and_line():
    written = texts(draw())
    for name in ("Small", "Medium", "Large", *LINES):
        assert name in written
    assert "chance" not in draw(lines={})


def lines_across(svg):
    """Return the heights of grey lines from one end of the axes to the other."""
    pattern = r'd="M \S+ (\S+) \nL \S+ \1 \n" clip-path="[^"]*" style="fill: none; stroke: '
    return [float(y) for y in re.findall(pattern + style.FAINT, svg)]


def test_what_is_no_condition_stands_below_a_line():
    svg = by_condition(accuracies(), name="x", title="", labels=LABELS, lines={}, apart=1)
    heights = [float(mark.get("y")) for mark in dots(svg, style.SERIES["medium"].colour)]
    assert lines_across(svg) == [pytest.approx(np.mean(heights), abs=0.1)]
    assert lines_across(draw()) == []
    # Without conditions, or without anything else, there is nothing to divide.
    for apart in (0, len(LABELS)):
        one = by_condition(accuracies(), name="x", title="", labels=LABELS, lines={}, apart=apart)
        assert lines_across(one) == []
