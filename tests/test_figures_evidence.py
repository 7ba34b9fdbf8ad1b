import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from smallsight import figures, figures_evidence

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<img src=x onerror=alert(1)> $x_1$ & \"'"
STEPS = ["untouched", "15", "31"]
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
            for at in range(len(STEPS))
            for group, acc in (("small", 0.25), ("medium", 0.5), ("large", 0.75))
            for is_headline in (True, False)
        ]
    )
    table = table.assign(ci_low=table["acc"] - 0.1, ci_high=table["acc"] + 0.1, hollow=False)
    for column, value in changes.items():
        table.loc[table["size_group"] == "small", column] = value
    return table


def ladder(table, *, title="Motion blur", steps=STEPS, chance=0.2):
    return figures_evidence.dose_response(
        table, name="one", title=title, steps=steps, option="length", chance=chance
    )


def panel(untouched=FIT, changed=None, *, bins=None, title="Crop"):
    return figures_evidence.against_side(
        untouched, changed, bins=bins or {}, name="two", title=title
    )


def texts(svg):
    return [text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def dots(svg, colour):
    root = ElementTree.fromstring(svg)
    inside = [mark for part in root.iter(f"{SVG}g") if part.get("clip-path") for mark in part]
    return [mark for mark in inside if f"stroke: {colour}" in mark.get("style", "")]


def scale(svg):
    """Give the heights at which an accuracy of 0 and of 1 lies in the drawing."""
    ticks = {}
    for part in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        found = [text.text for text in part.iter(f"{SVG}text")]
        marks = list(part.iter(f"{SVG}use"))
        if re.fullmatch(r"two-ytick_\d+|one-ytick_\d+", part.get("id", "")) and marks:
            ticks[found[0]] = float(marks[0].get("y"))
    return ticks["0%"], ticks["100%"]


def heights(svg, colour):
    """Give the accuracies at which dots of a colour lie, read off the drawing."""
    zero, one = scale(svg)
    return [(float(mark.get("y")) - zero) / (one - zero) for mark in dots(svg, colour)]


def line(svg, colour):
    """Give the accuracies along the longest line of a colour, read off the drawing."""
    zero, one = scale(svg)
    paths = [
        re.findall(r"[ML] \S+ (\S+)", path.get("d"))
        for path in ElementTree.fromstring(svg).iter(f"{SVG}path")
        if f"stroke: {colour}" in path.get("style", "")
    ]
    return (np.array(max(paths, key=len), float) - zero) / (one - zero)


def test_a_ladder_names_its_steps_in_order():
    found = texts(ladder(rows()))
    assert [text for text in found if text in STEPS] == STEPS
    assert "length" in found


def test_one_regime_has_dots_where_the_table_says_the_other_none():
    for group, acc in (("small", 0.25), ("large", 0.75)):
        found = heights(ladder(rows()), figures.SERIES[group].colour)
        np.testing.assert_allclose(found, [acc] * len(STEPS), atol=0.005)


def test_hollow_dots_are_hollow():
    def fills(svg, group):
        return {
            "fill: none" in mark.get("style") or "fill-opacity: 0" in mark.get("style")
            for mark in dots(svg, figures.SERIES[group].colour)
        }

    svg = ladder(rows(hollow=True))
    assert fills(svg, "small") == {True}
    assert fills(svg, "large") == {False}


def test_what_is_no_number_is_left_out():
    assert dots(ladder(rows(acc=np.nan)), figures.SERIES["small"].colour) == []
    assert ladder(rows().iloc[:0], chance=None)


def test_a_drawing_is_the_same_every_time_and_its_names_are_text():
    for draw in (
        lambda: ladder(rows(), title=HOSTILE, steps=[HOSTILE, "15", "31"]),
        lambda: panel(title=HOSTILE),
    ):
        assert draw() == draw()
        root = ElementTree.fromstring(draw())
        assert root.find(f".//{SVG}img") is None
        assert HOSTILE in [text.text for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("threshold", [3.0, 20.0, 0.0, np.inf])
def test_the_curve_drawn_is_the_curve_fitted(threshold):
    drawn = line(panel(FIT | {"threshold": threshold}), figures.INK)
    sides = np.linspace(np.log(2.0 / 1.15), np.log(64.0 * 1.15), len(drawn))
    with np.errstate(divide="ignore"):
        away = (sides - np.log(threshold)) / 0.5
    np.testing.assert_allclose(drawn, 0.2 + 0.7 * expit(away), atol=0.005)


def test_the_threshold_lies_half_way_up_and_is_left_out_beyond_all_sides():
    orange = figures_evidence.THRESHOLD
    np.testing.assert_allclose(heights(panel(), orange), [0.55], atol=0.005)
    for beyond in (0.0, np.inf):
        svg = panel(FIT | {"threshold": beyond, "ci_low": 0.0, "ci_high": np.inf})
        assert dots(svg, orange) == []


def test_untouched_pictures_are_grey_beside_a_change():
    points = pd.DataFrame({"side": [4.0, 16.0], "acc": 0.5, "ci_low": 0.4, "ci_high": 0.6})
    bins = {"orig_full": points, "crop": points.assign(acc=0.3)}
    svg = panel(FIT, FIT | {"condition": "crop"}, bins=bins)
    np.testing.assert_allclose(heights(svg, figures.FAINT), [0.5, 0.5], atol=0.005)
    np.testing.assert_allclose(heights(svg, figures.INK), [0.3, 0.3], atol=0.005)
    alone = panel(bins=bins)
    np.testing.assert_allclose(heights(alone, figures.INK), [0.5, 0.5], atol=0.005)


def test_sides_are_read_in_doublings():
    assert [text for text in texts(panel()) if text.isdigit()] == ["2", "4", "8", "16", "32", "64"]
