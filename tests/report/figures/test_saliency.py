"""Lifts of saliency maps: medians and quartiles where the axis says."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from readers.drawings import (
    HREF,
    SVG,
    dots,
    dots_without_tooltip,
    intervals,
    marks_by_tooltip,
    places,
    scale,
    texts,
    tooltips,
)
from smallsight.report.figures import saliency
from smallsight.report.figures.style import FAINT, INK

HOSTILE = "<img src=x onerror=alert(1)> $x_1$ & \"'"
LABELS = ["Correct", "Failed", "Box elsewhere", "Centre"]
MEDIANS = [2.0, 1.5, 1.0, 0.5]


def rows(*, labels=LABELS, medians=MEDIANS):
    table = pd.DataFrame({"label": labels, "median": medians, "is_control": [0, 0, 1, 1]})
    table = table.astype({"is_control": bool})
    table["tooltip"] = [f"median {median}" for median in medians]
    return table.assign(low=table["median"] - 0.25, high=table["median"] + 0.5)


def spreads(table, *, limit=3.0, name="lift", title="Small objects"):
    return saliency.spreads(table, limit=limit, name=name, title=title)


def test_medians_and_quartiles_lie_where_the_axis_says_top_to_bottom():
    svg = spreads(rows())
    across = scale(svg, "x")
    for colour, part in ((INK, rows()[:2]), (FAINT, rows()[2:])):
        marks = dots(svg, colour)
        np.testing.assert_allclose(across(places(marks, "x")), part["median"], atol=0.01)
        ends = [across((x1, x2)) for x1, _, x2, _ in intervals(svg, colour)]
        np.testing.assert_allclose(ends, part[["low", "high"]], atol=0.01)
        assert [y1 for _, y1, _, _ in intervals(svg, colour)] == pytest.approx(places(marks, "y"))
    heights = places(dots(svg, INK), "y") + places(dots(svg, FAINT), "y")
    assert heights == sorted(heights)
    assert [text for text in texts(svg) if text in LABELS] == LABELS


def test_every_median_has_the_tables_tooltip():
    svg = spreads(rows())
    assert tooltips(svg) == list(rows()["tooltip"])
    assert dots_without_tooltip(svg) == []
    for tooltip, mark in marks_by_tooltip(svg).items():
        place = scale(svg, "x")(float(mark.get("x")))
        assert place == pytest.approx(float(tooltip.split()[1]), abs=0.01)


def test_tooltips_are_escaped_and_ids_stay_unique():
    svg = spreads(rows().assign(tooltip=HOSTILE))
    assert set(tooltips(svg)) == {HOSTILE}
    root = ElementTree.fromstring(svg)
    assert root.find(f".//{SVG}img") is None
    ids = [part.get("id") for part in root.iter() if part.get("id")]
    assert len(ids) == len(set(ids))


def test_controls_alone_are_grey_and_of_another_shape():
    svg = spreads(rows())
    shapes = {f"#{p.get('id')}": p.get("d") for p in ElementTree.fromstring(svg).iter(f"{SVG}path")}
    own, grey = ({shapes[mark.get(HREF)] for mark in dots(svg, c)} for c in (INK, FAINT))
    assert len(own) == len(grey) == 1
    assert own != grey
    assert dots(spreads(rows().assign(is_control=False)), FAINT) == []


@pytest.mark.parametrize("column", ["median", "low", "high"])
def test_a_row_without_numbers_keeps_its_label_alone(column):
    table = rows()
    table.loc[1, column] = np.nan
    svg = spreads(table)
    np.testing.assert_allclose(scale(svg, "x")(places(dots(svg, INK), "x")), [2.0], atol=0.01)
    assert len(intervals(svg, INK)) == 1
    assert "Failed" in texts(svg)
    assert tooltips(svg) == [tooltip for tooltip in table["tooltip"] if tooltip != "median 1.5"]
    assert "nan" not in svg


@pytest.mark.parametrize("limit", [3.0, 7.5])
def test_every_panel_with_one_limit_has_one_axis(limit):
    one, other = (scale(spreads(rows(medians=m), limit=limit), "x") for m in (MEDIANS, [1] * 4))
    np.testing.assert_allclose(one([0, 100]), other([0, 100]))
    frame = re.search(r'<rect x="(\S+)" y="\S+" width="(\S+)"', spreads(rows(), limit=limit))
    left, width = map(float, frame.groups())
    np.testing.assert_allclose(one([left, left + width]), [0, limit], atol=0.01)


def test_what_even_maps_have_is_dashed():
    root = ElementTree.fromstring(spreads(rows()))
    dashed = [path for path in root.iter(f"{SVG}path") if "dasharray" in path.get("style", "")]
    (x, _), _ = re.findall(r"[ML] (\S+) (\S+)", dashed[0].get("d"))
    assert len(dashed) == 1
    assert scale(spreads(rows()), "x")(float(x)) == pytest.approx(1, abs=0.01)


def test_a_drawing_is_one_svg_the_same_every_time_with_ids_of_its_own():
    svg = spreads(rows(labels=[HOSTILE, *LABELS[1:]]), name="mine", title=HOSTILE)
    assert svg == spreads(rows(labels=[HOSTILE, *LABELS[1:]]), name="mine", title=HOSTILE)
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.find(f".//{SVG}img") is None
    assert HOSTILE in texts(svg)
    ids = [part.get("id") for part in root.iter() if part.get("id")]
    assert len(ids) == len(set(ids))
    assert all(name.startswith("mine-") for name in ids)
    referred = re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', svg)
    assert referred
    assert {name for pair in referred for name in pair if name} <= set(ids)
    other = ElementTree.fromstring(
        spreads(rows(labels=[HOSTILE, *LABELS[1:]]), name="yours", title=HOSTILE)
    )
    assert not set(ids) & {part.get("id") for part in other.iter()}


def test_hostile_labels_stand_among_the_rows_as_text():
    assert texts(spreads(rows(labels=[HOSTILE] * 4))).count(HOSTILE) == 4
