import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from test_figures import silent, tips
from test_figures_evidence import HOSTILE, SVG, dots, texts

from smallsight.report.figures import deletion, saliency
from smallsight.report.figures.style import COOL, FAINT, INK, WARM

HREF = "{http://www.w3.org/1999/xlink}href"
LABELS = ["Correct", "Failed", "Box elsewhere", "Centre"]
MEDIANS = [2.0, 1.5, 1.0, 0.5]
AREAS = [0.5, 1.0, 4.0]


def rows(*, labels=LABELS, medians=MEDIANS):
    table = pd.DataFrame({"label": labels, "median": medians, "is_control": [0, 0, 1, 1]})
    table = table.astype({"is_control": bool})
    table["tip"] = [f"median {median}" for median in medians]
    return table.assign(low=table["median"] - 0.25, high=table["median"] + 0.5)


def spreads(table, *, limit=3.0, name="lift", title="Small objects"):
    return saliency.spreads(table, limit=limit, name=name, title=title)


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
        told = zip(table["change"], table["area"], table[region], strict=True)
        table[f"{region}_tip"] = [" ".join(map(str, [region, *one])) for one in told]
        table[f"{region}_low"] = table[region] - 0.02
        table[f"{region}_high"] = table[region] + 0.03
    return table


def regions(table, *, limits=(-0.5, 0.3), name="parts", title="Small objects"):
    return deletion.regions(table, limits=limits, name=name, title=title)


def scale(svg, axis):
    """Give a function from places along an axis to its numbers, read off its ticks."""
    ticks = {}
    for part in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        marks = list(part.iter(f"{SVG}use"))
        if re.search(rf"-{axis}tick_\d+$", part.get("id", "")) and marks:
            number = next(part.iter(f"{SVG}text")).text.replace("−", "-").rstrip("%")
            ticks[float(marks[0].get(axis))] = float(number)
    slope, start = np.polyfit(list(ticks), list(ticks.values()), 1)
    return lambda place: slope * np.asarray(place, float) + start


def area_ticks(svg):
    """Give areas along the axis and where their ticks lie, from left to right."""
    found = [
        (float(part.find(f".//{SVG}use").get("x")), float(part.find(f".//{SVG}text").text))
        for part in ElementTree.fromstring(svg).iter(f"{SVG}g")
        if re.search(r"-xtick_\d+$", part.get("id", ""))
    ]
    at, areas = zip(*sorted(found), strict=True)
    return list(areas), list(at)


def lines(svg, colour):
    """Give the ends (x1, y1, x2, y2) of the straight lines of a colour that show intervals."""
    paths = [
        re.findall(r"[ML] (\S+) (\S+)", path.get("d"))
        for part in ElementTree.fromstring(svg).iter(f"{SVG}g")
        if re.search(r"LineCollection_\d+$", part.get("id", ""))
        for path in part.iter(f"{SVG}path")
        if path.get("d") and f"stroke: {colour}" in path.get("style")
    ]
    return [tuple(float(number) for point in path for number in point) for path in paths]


def places(marks, axis):
    return [float(mark.get(axis)) for mark in marks]


def test_medians_and_quartiles_lie_where_the_axis_says_top_to_bottom():
    svg = spreads(rows())
    across = scale(svg, "x")
    for colour, part in ((INK, rows()[:2]), (FAINT, rows()[2:])):
        marks = dots(svg, colour)
        np.testing.assert_allclose(across(places(marks, "x")), part["median"], atol=0.01)
        ends = [across((x1, x2)) for x1, _, x2, _ in lines(svg, colour)]
        np.testing.assert_allclose(ends, part[["low", "high"]], atol=0.01)
        assert [y1 for _, y1, _, _ in lines(svg, colour)] == pytest.approx(places(marks, "y"))
    heights = places(dots(svg, INK), "y") + places(dots(svg, FAINT), "y")
    assert heights == sorted(heights)
    assert [text for text in texts(svg) if text in LABELS] == LABELS


def spoken(svg):
    """Give the marks that say something, by what they say."""
    parts = [part for part in ElementTree.fromstring(svg).iter() if "data-tip" in part.attrib]
    return {part.get("data-tip"): next(part.iter(f"{SVG}use")) for part in parts}


def test_every_median_says_what_the_table_says_of_it():
    svg = spreads(rows())
    assert tips(svg) == list(rows()["tip"])
    assert silent(svg) == []
    for said, mark in spoken(svg).items():
        place = scale(svg, "x")(float(mark.get("x")))
        assert place == pytest.approx(float(said.split()[1]), abs=0.01)


def test_every_dot_of_a_region_says_what_the_table_says_of_it():
    table = regions_table()
    svg = regions(table)
    assert sorted(tips(svg)) == sorted([*table["object_tip"], *table["random_tip"]])
    assert silent(svg) == []
    areas, at = area_ticks(svg)
    for said, mark in spoken(svg).items():
        region, change, area, value = said.split()
        assert scale(svg, "y")(float(mark.get("y"))) == pytest.approx(100 * float(value), abs=0.1)
        assert float(mark.get("x")) == pytest.approx(at[areas.index(float(area))], abs=4)
        assert {"removed": WARM, "restored": COOL}[change] in mark.get("style")
        assert ("fill: none" in mark.get("style") or "fill-opacity: 0" in mark.get("style")) == (
            region == "random"
        )


@pytest.mark.parametrize("draw", [
    lambda: spreads(rows().assign(tip=HOSTILE)),
    lambda: regions(regions_table().assign(object_tip=HOSTILE, random_tip=HOSTILE)),
])  # fmt: skip
def test_what_marks_say_is_escaped_and_ids_stay_unique(draw):
    svg = draw()
    assert set(tips(svg)) == {HOSTILE}
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
    assert len(lines(svg, INK)) == 1
    assert "Failed" in texts(svg)
    assert tips(svg) == [said for said in table["tip"] if said != "median 1.5"]
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


@pytest.mark.parametrize(("change", "colour"), [("removed", WARM), ("restored", COOL)])
def test_regions_lie_where_the_table_says_by_area(change, colour):
    table = regions_table()
    svg = regions(table)
    up = scale(svg, "y")
    part = table[table["change"] == change].sort_values("area")
    marks = dots(svg, colour)
    due = np.concatenate([100 * part["object"], 100 * part["random"]])
    np.testing.assert_allclose(up(places(marks, "y")), due, atol=0.1)
    ends = [sorted(up((y1, y2))) for _, y1, _, y2 in lines(svg, colour)]
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
    assert lines(svg, WARM) == lines(svg, COOL) == []
    assert len(dots(svg, COOL)) == 2 * len(AREAS)
    assert "nan" not in svg


def test_one_change_at_one_area_is_drawn():
    table = regions_table([1.0])
    svg = regions(table[table["change"] == "removed"])
    assert len(dots(svg, WARM)) == 2
    assert dots(svg, COOL) == []


@pytest.mark.parametrize("draw", [
    lambda **named: spreads(rows(labels=[HOSTILE, *LABELS[1:]]), **named),
    lambda **named: regions(regions_table(), **named),
])  # fmt: skip
def test_a_drawing_is_one_svg_the_same_every_time_with_ids_of_its_own(draw):
    svg = draw(name="mine", title=HOSTILE)
    assert svg == draw(name="mine", title=HOSTILE)
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
    other = ElementTree.fromstring(draw(name="yours", title=HOSTILE))
    assert not set(ids) & {part.get("id") for part in other.iter()}


def test_hostile_labels_stand_among_the_rows_as_text():
    assert texts(spreads(rows(labels=[HOSTILE] * 4))).count(HOSTILE) == 4
