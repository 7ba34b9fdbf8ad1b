"""Deletion and insertion: marks by area where the axis says, within the limits."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from readers.drawings import (
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
from smallsight.report.figures import deletion
from smallsight.report.figures.style import COOL, WARM

HOSTILE = "<img src=x onerror=alert(1)> $x_1$ & \"'"
AREAS = [0.5, 1.0, 4.0]


def regions_table(sizes=AREAS):
    """Removing takes away in proportion to the area, restoring gives half of that back."""
    table = pd.DataFrame(
        [
            {"change": change, "area": area, "object": way * area / 10, "random": way * area / 50}
            for change, way in (("restored", 0.5), ("removed", -1.0))
            for area in reversed(sizes)
        ]
    )
    for region in ("object", "random"):
        found = zip(table["change"], table["area"], table[region], strict=True)
        table[f"{region}_tooltip"] = [" ".join(map(str, [region, *one])) for one in found]
        table[f"{region}_low"] = table[region] - 0.02
        table[f"{region}_high"] = table[region] + 0.03
    return table


def regions(table, *, limits=(-0.5, 0.3), name="parts", title="Small objects"):
    return deletion.regions(table, limits=limits, name=name, title=title)


def area_ticks(svg):
    """Return areas along the axis and where their ticks lie, from left to right."""
    found = [
        (float(part.find(f".//{SVG}use").get("x")), float(part.find(f".//{SVG}text").text))
        for part in ElementTree.fromstring(svg).iter(f"{SVG}g")
        if re.search(r"-xtick_\d+$", part.get("id", ""))
    ]
    at, areas = zip(*sorted(found), strict=True)
    return list(areas), list(at)


def test_every_dot_of_a_region_has_the_tables_tooltip():
    table = regions_table()
    svg = regions(table)
    assert sorted(tooltips(svg)) == sorted([*table["object_tooltip"], *table["random_tooltip"]])
    assert dots_without_tooltip(svg) == []
    areas, at = area_ticks(svg)
    for tooltip, mark in marks_by_tooltip(svg).items():
        region, change, area, value = tooltip.split()
        assert scale(svg, "y")(float(mark.get("y"))) == pytest.approx(100 * float(value), abs=0.1)
        assert float(mark.get("x")) == pytest.approx(at[areas.index(float(area))], abs=4)
        assert {"removed": WARM, "restored": COOL}[change] in mark.get("style")
        assert ("fill: none" in mark.get("style") or "fill-opacity: 0" in mark.get("style")) == (
            region == "random"
        )


def test_tooltips_are_escaped_and_ids_stay_unique():
    svg = regions(regions_table().assign(object_tooltip=HOSTILE, random_tooltip=HOSTILE))
    assert set(tooltips(svg)) == {HOSTILE}
    root = ElementTree.fromstring(svg)
    assert root.find(f".//{SVG}img") is None
    ids = [part.get("id") for part in root.iter() if part.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("change", "colour"), [("removed", WARM), ("restored", COOL)])
def test_regions_lie_where_the_table_says_by_area(change, colour):
    table = regions_table()
    svg = regions(table)
    up = scale(svg, "y")
    part = table[table["change"] == change].sort_values("area")
    marks = dots(svg, colour)
    due = np.concatenate([100 * part["object"], 100 * part["random"]])
    np.testing.assert_allclose(up(places(marks, "y")), due, atol=0.1)
    ends = [sorted(up((y1, y2))) for _, y1, _, y2 in intervals(svg, colour)]
    for number, region in enumerate(("object", "random")):
        drawn = ends[number * len(AREAS) : (number + 1) * len(AREAS)]
        bounds = 100 * part[[f"{region}_low", f"{region}_high"]].to_numpy()
        np.testing.assert_allclose(drawn, bounds, atol=0.1)
    middles = np.reshape(places(marks, "x"), (2, -1)).mean(axis=0)
    areas, at = area_ticks(svg)
    assert areas == AREAS
    np.testing.assert_allclose(middles, at, atol=0.5)


def test_the_objects_region_is_filled_and_the_random_one_hollow():
    for colour in (WARM, COOL):
        styles = [mark.get("style") for mark in dots(regions(regions_table()), colour)]
        filled = [f"fill: {colour}" in style for style in styles]
        assert filled == [True] * len(AREAS) + [False] * len(AREAS)


@pytest.mark.parametrize("limits", [(-0.5, 0.3), (-0.9, 0.1)])
def test_regions_keep_to_the_limits_given(limits):
    svg = regions(regions_table(), limits=limits)
    top, height = map(float, re.search(r'<rect x="\S+" y="(\S+)" .*height="(\S+)"', svg).groups())
    ends = scale(svg, "y")([top + height, top])
    np.testing.assert_allclose(ends, 100 * np.array(limits), atol=0.2)


def test_regions_leave_out_what_is_no_number():
    table = regions_table()
    table.loc[(table["change"] == "removed") & (table["area"] == 1), "object"] = np.nan
    svg = regions(table)
    assert len(dots(svg, WARM)) == 2 * len(AREAS) - 1
    ends = [f"{region}_{end}" for region in ("object", "random") for end in ("low", "high")]
    svg = regions(table.assign(**dict.fromkeys(ends, np.nan)))
    assert intervals(svg, WARM) == intervals(svg, COOL) == []
    assert len(dots(svg, COOL)) == 2 * len(AREAS)
    assert "nan" not in svg


def test_one_change_at_one_area_is_drawn():
    table = regions_table([1.0])
    svg = regions(table[table["change"] == "removed"])
    assert len(dots(svg, WARM)) == 2
    assert dots(svg, COOL) == []


def test_a_drawing_is_one_svg_the_same_every_time_with_ids_of_its_own():
    svg = regions(regions_table(), name="mine", title=HOSTILE)
    assert svg == regions(regions_table(), name="mine", title=HOSTILE)
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
    other = ElementTree.fromstring(regions(regions_table(), name="yours", title=HOSTILE))
    assert not set(ids) & {part.get("id") for part in other.iter()}
