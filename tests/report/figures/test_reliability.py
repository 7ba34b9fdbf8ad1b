"""Reliability: marks where confidence and accuracy are, filled and hollow."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from readers.drawings import (
    SVG,
    dots,
    dots_without_tooltip,
    ids,
    intervals,
    places,
    scale,
    texts,
    tooltips,
)
from smallsight.report.figures import style
from smallsight.report.figures.reliability import reliability

HOSTILE = "<img src=x onerror=alert(1)> $x_1$ & \"'"


def rows(**changes):
    table = pd.DataFrame(
        {
            "scaling": ["none"] * 3 + ["temperature"] * 3,
            "confidence": [0.9, 0.5, 0.7, 0.4, 0.6, 0.8],
            "accuracy": [0.75, 0.25, 0.5, 0.3, 0.6, 0.85],
        }
    )
    table = table.assign(ci_low=table["accuracy"] - 0.1, ci_high=table["accuracy"] + 0.05)
    table["tooltip"] = [f"{row.scaling} {row.confidence}" for row in table.itertuples()]
    return table.assign(**changes)


def draw(table=None, *, title="Window, small", group="small"):
    table = rows() if table is None else table
    return reliability(table, name="one", title=title, group=group)


def marks_of(svg, scaling):
    """Return the marks of one scaling, left to right."""
    found = []
    for part in ElementTree.fromstring(svg).iter():
        if part.get("data-tip", "").startswith(scaling):
            found += list(part.iter(f"{SVG}use"))
    return found


@pytest.mark.parametrize("group", style.SERIES)
@pytest.mark.parametrize("scaling", ["none", "temperature"])
def test_marks_lie_at_confidence_and_accuracy(group, scaling):
    svg = draw(group=group)
    due = rows().query("scaling == @scaling").sort_values("confidence")
    marks = marks_of(svg, scaling)
    for axis, column in (("x", "confidence"), ("y", "accuracy")):
        found = scale(svg, axis)(places(marks, axis)) / 100
        np.testing.assert_allclose(found, due[column], atol=0.005)
    colour = style.SERIES[group].colour if scaling == "none" else style.INK
    assert len(dots(svg, colour)) == 3
    ends = scale(svg, "y")([end for one in intervals(svg, colour) for end in one[1::2]]) / 100
    np.testing.assert_allclose(sorted(ends), sorted([*due["ci_low"], *due["ci_high"]]), atol=0.005)


@pytest.mark.parametrize(("scaling", "is_hollow"), [("none", False), ("temperature", True)])
def test_what_is_scaled_is_hollow(scaling, is_hollow):
    styles = [mark.get("style") for mark in marks_of(draw(), scaling)]
    hollow = ["fill: none" in one or "fill-opacity: 0" in one for one in styles]
    assert hollow == [is_hollow] * 3


def test_every_mark_has_the_tables_tooltip():
    svg = draw()
    assert sorted(tooltips(svg)) == sorted(rows()["tooltip"])
    assert dots_without_tooltip(svg) == []


def test_without_temperature_only_filled_marks_are_drawn():
    svg = draw(rows().query("scaling == 'none'"))
    assert len(tooltips(svg)) == 3
    assert not re.search(r"\b(nan|inf)\b", svg)


def test_a_drawing_is_the_same_every_time_and_its_names_are_text():
    svg = draw(rows(tooltip=HOSTILE), title=HOSTILE)
    assert svg == draw(rows(tooltip=HOSTILE), title=HOSTILE)
    assert tooltips(svg) == [HOSTILE] * 6
    assert HOSTILE in texts(svg)
    assert ElementTree.fromstring(svg).find(f".//{SVG}img") is None
    assert len(ids(svg)) == len(set(ids(svg)))
    assert all(one.startswith("one-") for one in ids(svg))
