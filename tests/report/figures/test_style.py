"""What all figures share: size groups' looks, numbers on axes, ids of their own."""

import re

import pytest
from matplotlib.figure import Figure

from readers.drawings import ids, tooltips
from smallsight.report.figures import style


def draw(name, *, tooltip="what it is"):
    with style.style(name):
        figure = Figure(figsize=(2, 1))
        axes = figure.add_subplot()
        style.dot(axes, 0.5, 0.5, style.SERIES["small"], hollow=False, tooltip=tooltip)
        return style.svg(figure, name=name, title="a dot")


def test_ids_begin_with_the_figures_name_and_references_follow_them():
    svg = draw("mine")
    assert all(name.startswith("mine-") for name in ids(svg))
    assert set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", svg)) <= set(ids(svg))
    assert not set(ids(svg)) & set(ids(draw("yours")))


def test_a_mark_has_its_tooltip_and_no_id_of_it():
    svg = draw("mine", tooltip="a & b")
    assert tooltips(svg) == ["a & b"]
    assert not any("tip" in name for name in ids(svg))


@pytest.mark.parametrize(
    ("value", "options", "due"),
    [
        (-0.196, {}, "−20"),
        (0.196, {"digits": 1, "sign": True}, "+19.6"),
        (-0.0001, {"digits": 1}, "0.0"),
        (0.0, {"digits": 1, "sign": True}, "+0.0"),
    ],
)
def test_points_have_a_minus_of_their_own_and_nothing_has_none(value, options, due):
    assert style.points(value, **options) == due


def test_size_groups_differ_in_colour_and_in_shape():
    assert len({series.colour for series in style.SERIES.values()}) == len(style.SERIES)
    assert len({series.marker for series in style.SERIES.values()}) == len(style.SERIES)


def test_a_gradient_runs_through_the_colour_map():
    stops = style.gradient("gray", stops=3)
    assert stops[0] == "#000000"
    assert stops[-1] == "#ffffff"
    assert len(stops) == 3
