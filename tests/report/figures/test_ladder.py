"""The ladder's lines, and the waterfall: bars where the parts say, hollow where undecided."""

import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from readers.drawings import SVG, intervals, marks_by_tooltip, places, scale, texts, tooltips
from smallsight.report.figures import ladder, style

HOSTILE = "<img src=x onerror=alert(1)> $x_1$ & \"'"
VALUES = [0.1, -0.3, 0.25, 0.15]


def parts(values=VALUES, *, hollow=(), vague=(), label="part"):
    table = pd.DataFrame({"label": [f"{label} {i}" for i in range(len(values))], "value": values})
    table = table.assign(is_total=False, hollow=[i in hollow for i in range(len(values))])
    table["vague"] = [i in vague for i in range(len(values))]
    total = {"label": "Gap", "value": sum(values), "is_total": True, "hollow": False}
    total["vague"] = False
    table = pd.concat([table, pd.DataFrame([total])], ignore_index=True)
    table["tooltip"] = table["label"] + ": " + table["value"].map(str)
    return table.assign(low=table["value"] - 0.05, high=table["value"] + 0.05)


def waterfall(table, *, title="Fixed head"):
    return ladder.waterfall(table, name="fall", title=title)


def share_at(svg):
    """Return a function from places across a waterfall to shares, read off its axis."""
    ticks = {}
    for part in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if re.fullmatch(r"fall-xtick_\d+", part.get("id", "")):
            number = next(part.iter(f"{SVG}text")).text.replace("−", "-")
            ticks[float(number) / 100] = float(next(part.iter(f"{SVG}use")).get("x"))
    shares, places = zip(*sorted(ticks.items()), strict=True)
    return lambda place: np.interp(place, places, shares)


def bars(svg):
    """Return both ends of every bar, in shares, top to bottom, and whether it is filled."""
    found = []
    share = share_at(svg)
    for part in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if "data-tip" in part.attrib:
            path = part.find(f"{SVG}path")
            assert path.get("clip-path")
            corners = np.array(re.findall(r"[ML] (\S+) (\S+)", path.get("d")), float)
            is_filled = "fill: none" not in path.get("style")
            found.append((corners[:, 1].min(), *sorted(share(corners[:, 0])[:2]), is_filled))
    return [bar[1:] for bar in sorted(found)]


def test_each_bar_starts_where_the_one_above_it_ends_and_the_last_at_nothing():
    ends = np.concatenate([[0], np.cumsum(VALUES)])
    due = [sorted(pair) for pair in itertools.pairwise(ends)]
    due.append(sorted((0, sum(VALUES))))
    drawn = bars(waterfall(parts()))
    np.testing.assert_allclose([bar[:2] for bar in drawn], due, atol=0.005)


def test_every_bar_has_the_tables_tooltip():
    svg = waterfall(parts())
    assert tooltips(svg) == list(parts()["tooltip"])
    # A bar is as long as the number in its tooltip.
    for tooltip, (left, right, _) in zip(tooltips(svg), bars(svg), strict=True):
        assert right - left == pytest.approx(abs(float(tooltip.partition(": ")[2])), abs=0.005)


def test_the_undecided_bars_are_hollow():
    assert [bar[2] for bar in bars(waterfall(parts(hollow=(1, 3))))] == [
        True, False, True, False, True,
    ]  # fmt: skip


def test_the_outline_of_what_is_not_identified_is_broken():
    bare, vague = (waterfall(parts(hollow=(1,), vague=one)) for one in ((), (1,)))
    assert count_broken(bare) == 0
    assert count_broken(vague) == 1


def count_broken(svg):
    """Count the bars whose outline has dashes."""
    found = (
        part.find(f"{SVG}path").get("style")
        for part in ElementTree.fromstring(svg).iter(f"{SVG}g")
        if "data-tip" in part.attrib
    )
    return sum("stroke-dasharray" in one for one in found)


def test_values_stand_beside_their_names():
    found = texts(waterfall(parts()))
    for label in ("part 0 +10.0", "part 1 −30.0", "part 2 +25.0", "Gap +20.0"):
        assert label in [" ".join(text.split()) for text in found]


def test_parts_that_add_and_parts_that_take_differ_in_colour():
    svg = waterfall(parts())
    assert f"fill: {style.WARM}" in svg
    assert f"fill: {style.COOL}" in svg
    assert f"fill: {style.COOL}" not in waterfall(parts([0.1, 0.2]))


def test_a_gap_of_nothing_and_intervals_that_are_missing_are_drawn():
    nothing = parts([0.0, 0.0])
    assert [bar[:2] for bar in bars(waterfall(nothing))] == [pytest.approx((0, 0), abs=0.005)] * 3
    assert "nan" not in waterfall(nothing.assign(low=np.nan, high=np.nan))


def test_a_drawing_is_the_same_every_time_and_its_names_are_text():
    svg = waterfall(parts(label=HOSTILE), title=HOSTILE)
    assert svg == waterfall(parts(label=HOSTILE), title=HOSTILE)
    root = ElementTree.fromstring(svg)
    assert root.find(f".//{SVG}img") is None
    assert HOSTILE in texts(svg)


def test_tooltips_are_escaped_and_ids_stay_unique():
    svg = waterfall(parts().assign(tooltip=HOSTILE))
    assert tooltips(svg) == [HOSTILE] * 5
    root = ElementTree.fromstring(svg)
    assert root.find(f".//{SVG}img") is None
    ids = [part.get("id") for part in root.iter() if part.get("id")]
    assert len(ids) == len(set(ids))
    assert all(name.startswith("fall-") for name in ids)


GIVEN = ("Rule: largest", "The whole picture", "A window", "The object alone")
CLIMBED = {"small": (0.4, 0.45, 0.7, 0.8), "large": (0.8, 0.6, 0.85, 0.82)}


def rungs(**values):
    table = pd.DataFrame(
        {
            "label": label,
            "size_group": group,
            "value": shares[place],
            "low": shares[place] - 0.1,
            "high": shares[place] + 0.05,
            "hollow": label == "The whole picture",
            "is_rule": place == 0,
            "tooltip": f"{label}, {group}",
        }
        for place, label in enumerate(GIVEN)
        for group, shares in CLIMBED.items()
    )
    return table.assign(**values)


def climb(table, *, title="The ladder"):
    return ladder.climb(table, name="ladder", title=title, chance=0.25)


def test_every_rung_has_a_mark_of_each_group_at_its_accuracy_in_its_row():
    svg = climb(rungs())
    marks = marks_by_tooltip(svg)
    shares = scale(svg, "x")
    rows = []
    for place, label in enumerate(GIVEN):
        pair = [marks[f"{label}, {group}"] for group in CLIMBED]
        due = [100 * CLIMBED[group][place] for group in CLIMBED]
        np.testing.assert_allclose(shares(places(pair, "x")), due, atol=0.1)
        rows.append(places(pair, "y"))
    # Small objects stand a little above large ones, and rungs well below one another.
    assert all(small < large for small, large in rows)
    assert all(above[1] < below[0] for above, below in itertools.pairwise(rows))


def lines(svg, colour):
    """Return the corners of the solid lines of a colour that join more than two places."""
    found = [
        re.findall(r"[ML] (\S+) (\S+)", path.get("d"))
        for path in ElementTree.fromstring(svg).iter(f"{SVG}path")
        if f"stroke: {colour}" in path.get("style", "") and path.get("clip-path")
    ]
    return [line for line in found if len(line) > 2]


def test_a_line_joins_the_rungs_and_not_the_rule():
    svg = climb(rungs())
    share = scale(svg, "x")
    for group, due in CLIMBED.items():
        (line,) = lines(svg, style.SERIES[group].colour)
        found = share([float(x) for x, _ in line])
        np.testing.assert_allclose(found, [100 * value for value in due[1:]], atol=0.1)


def test_intervals_are_drawn_where_they_are_known():
    svg = climb(rungs())
    share = scale(svg, "x")
    for group, due in CLIMBED.items():
        found = sorted(share([x1, x2]).tolist() for x1, _, x2, _ in intervals(
            svg, style.SERIES[group].colour
        ))  # fmt: skip
        ends = sorted([100 * (value - 0.1), 100 * (value + 0.05)] for value in due)
        np.testing.assert_allclose(found, ends, atol=0.1)
    bare = climb(rungs(low=np.nan, high=np.nan))
    assert intervals(bare, style.SERIES["small"].colour) == []
    assert "nan" not in bare


def test_marks_near_chance_are_hollow():
    marks = marks_by_tooltip(climb(rungs()))
    for tooltip, mark in marks.items():
        assert ("fill-opacity: 0" in mark.get("style")) == tooltip.startswith("The whole picture")


def test_a_missing_group_leaves_the_other():
    table = rungs()
    svg = climb(table[table["size_group"] == "large"])
    assert len(marks_by_tooltip(svg)) == len(GIVEN)
    assert lines(svg, style.SERIES["small"].colour) == []


def test_a_climb_is_the_same_every_time_and_its_names_are_text():
    table = rungs(label=HOSTILE, tooltip=HOSTILE)
    assert climb(table, title=HOSTILE) == climb(table, title=HOSTILE)
    root = ElementTree.fromstring(climb(table, title=HOSTILE))
    assert root.find(f".//{SVG}img") is None
