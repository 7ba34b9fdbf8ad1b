import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from test_figures import tips

from smallsight.report.figures import confusion as confusions
from smallsight.report.figures import gap, style

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<img src=x onerror=alert(1)> $x_1$ & \"'"
VALUES = [0.1, -0.3, 0.25, 0.15]


def parts(values=VALUES, *, hollow=(), label="part"):
    table = pd.DataFrame({"label": [f"{label} {i}" for i in range(len(values))], "value": values})
    table = table.assign(is_total=False, hollow=[i in hollow for i in range(len(values))])
    total = {"label": "Gap", "value": sum(values), "is_total": True, "hollow": False}
    table = pd.concat([table, pd.DataFrame([total])], ignore_index=True)
    table["tip"] = table["label"] + ": " + table["value"].map(str)
    return table.assign(low=table["value"] - 0.05, high=table["value"] + 0.05)


def waterfall(table, *, title="Fixed head"):
    return gap.waterfall(table, name="fall", title=title)


def texts(svg):
    return [text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def scale(svg):
    """Give a function from places across a waterfall to shares, read off its axis."""
    ticks = {}
    for part in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if re.fullmatch(r"fall-xtick_\d+", part.get("id", "")):
            number = next(part.iter(f"{SVG}text")).text.replace("−", "-")
            ticks[float(number) / 100] = float(next(part.iter(f"{SVG}use")).get("x"))
    shares, places = zip(*sorted(ticks.items()), strict=True)
    return lambda place: np.interp(place, places, shares)


def bars(svg):
    """Give both ends of every bar, in shares, top to bottom, and whether it is filled."""
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


def test_every_bar_says_what_the_table_says_of_it():
    svg = waterfall(parts())
    assert tips(svg) == list(parts()["tip"])
    # A bar is as long as the number that it says.
    for said, (left, right, _) in zip(tips(svg), bars(svg), strict=True):
        assert right - left == pytest.approx(abs(float(said.partition(": ")[2])), abs=0.005)


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


def matrix(names, *, share=0.6):
    rest = (1 - share) / max(len(names) - 1, 1)
    table = np.full((len(names), len(names)), rest) + np.eye(len(names)) * (share - rest)
    return pd.DataFrame(table, names, names)


def confusion(shares, *, title="Small objects"):
    counts = dict.fromkeys(shares.index, 7)
    return confusions.confusion(shares, counts=counts, name="who", title=title)


def test_a_matrix_has_every_share_with_rows_for_the_truth():
    shares = matrix(["car", "bus", "person"])
    shares.loc["car"] = [0.11, 0.22, 0.67]
    shares.loc["person"] = np.nan
    found = texts(confusion(shares))
    assert [text for text in found if text.isdigit()] == ["11", "22", "67", "20", "60", "20"]
    for label in ("car (7)", "bus (7)", "person (7)", "car", "bus", "person", "predicted"):
        assert label in found


def test_a_matrix_of_many_categories_has_colours_without_numbers():
    shares = matrix([f"category number {i}" for i in range(40)])
    svg = confusion(shares)
    assert not [text for text in texts(svg) if text.isdigit()]
    assert "category num… (7)" in texts(svg)
    assert svg.count("<path") > 40 * 40


def test_drawings_are_the_same_every_time_and_names_are_text():
    for draw in (
        lambda: waterfall(parts(label=HOSTILE), title=HOSTILE),
        lambda: confusion(matrix([HOSTILE, "bus"]), title=HOSTILE),
    ):
        assert draw() == draw()
        root = ElementTree.fromstring(draw())
        assert root.find(f".//{SVG}img") is None
        assert HOSTILE in [text.text for text in root.iter(f"{SVG}text")]


def test_what_bars_say_is_escaped_and_ids_stay_unique():
    svg = waterfall(parts().assign(tip=HOSTILE))
    assert tips(svg) == [HOSTILE] * 5
    root = ElementTree.fromstring(svg)
    assert root.find(f".//{SVG}img") is None
    ids = [part.get("id") for part in root.iter() if part.get("id")]
    assert len(ids) == len(set(ids))
    assert all(name.startswith("fall-") for name in ids)


def test_numbers_in_cells_keep_their_colours_on_a_dark_page():
    svg = confusion(matrix(["car", "bus"]))
    cells = [line for line in svg.splitlines() if ">60<" in line or ">40<" in line]
    assert cells
    assert not any(style.INK in line for line in cells)
