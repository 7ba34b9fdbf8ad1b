"""The waterfall: bars where the parts say, hollow where they are inconclusive."""

import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from readers.drawings import SVG, texts, tooltips
from smallsight.report.figures import gap, style

HOSTILE = "<img src=x onerror=alert(1)> $x_1$ & \"'"
VALUES = [0.1, -0.3, 0.25, 0.15]


def parts(values=VALUES, *, hollow=(), label="part"):
    table = pd.DataFrame({"label": [f"{label} {i}" for i in range(len(values))], "value": values})
    table = table.assign(is_total=False, hollow=[i in hollow for i in range(len(values))])
    total = {"label": "Gap", "value": sum(values), "is_total": True, "hollow": False}
    table = pd.concat([table, pd.DataFrame([total])], ignore_index=True)
    table["tooltip"] = table["label"] + ": " + table["value"].map(str)
    return table.assign(low=table["value"] - 0.05, high=table["value"] + 0.05)


def waterfall(table, *, title="Fixed head"):
    return gap.waterfall(table, name="fall", title=title)


def scale(svg):
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
    share = scale(svg)
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


def test_the_inconclusive_bars_are_hollow():
    assert [bar[2] for bar in bars(waterfall(parts(hollow=(1, 3))))] == [
        True, False, True, False, True,
    ]  # fmt: skip


def test_values_stand_beside_their_names():
    found = texts(waterfall(parts()))
    for label in ("part 0  +10.0", "part 1  −30.0", "part 2  +25.0", "Gap  +20.0"):
        assert label in found


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
