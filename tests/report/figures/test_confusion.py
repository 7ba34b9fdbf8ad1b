"""Confusion matrices: every share in its cell, as long as there is room."""

from urllib.parse import quote
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from readers.drawings import SVG, texts
from smallsight.report.figures import style
from smallsight.report.figures.confusion import confusion_matrix

HOSTILE = "<img src=x onerror=alert(1)> $x_1$ & \"'"


def matrix(names, *, share=0.6):
    rest = (1 - share) / max(len(names) - 1, 1)
    table = np.full((len(names), len(names)), rest) + np.eye(len(names)) * (share - rest)
    return pd.DataFrame(table, names, names)


def draw(shares, *, title="Small objects", objects=None):
    return confusion_matrix(
        shares,
        counts=dict.fromkeys(shares.index, 7),
        name="who",
        title=title,
        objects=objects or {},
        address=lambda *key: quote("-".join(key)),
    )


def test_a_matrix_has_every_share_with_rows_for_the_truth():
    shares = matrix(["car", "bus", "person"])
    shares.loc["car"] = [0.11, 0.22, 0.67]
    shares.loc["person"] = np.nan
    found = texts(draw(shares))
    assert [text for text in found if text.isdigit()] == ["11", "22", "67", "20", "60", "20"]
    for label in ("car (7)", "bus (7)", "person (7)", "car", "bus", "person", "predicted"):
        assert label in found


def test_a_matrix_of_many_categories_has_colours_without_numbers():
    shares = matrix([f"category number {i}" for i in range(40)])
    svg = draw(shares)
    assert not [text for text in texts(svg) if text.isdigit()]
    assert "category num… (7)" in texts(svg)
    assert svg.count("<path") > 40 * 40


def test_a_drawing_is_the_same_every_time_and_its_names_are_text():
    svg = draw(matrix([HOSTILE, "bus"]), title=HOSTILE)
    assert svg == draw(matrix([HOSTILE, "bus"]), title=HOSTILE)
    root = ElementTree.fromstring(svg)
    assert root.find(f".//{SVG}img") is None
    assert HOSTILE in texts(svg)


def test_numbers_in_cells_keep_their_colours_on_a_dark_page():
    svg = draw(matrix(["car", "bus"]))
    cells = [line for line in svg.splitlines() if ">60<" in line or ">40<" in line]
    assert cells
    assert not any(style.INK in line for line in cells)


def test_a_cell_says_what_it_holds_and_leads_to_the_objects_that_it_has():
    svg = draw(matrix(["car", "bus"]), objects={("car", "bus"): 3, ("bus", "bus"): 1})
    told = {
        part.get("data-tip"): part.get("data-to")
        for part in ElementTree.fromstring(svg).iter()
        if "data-tip" in part.attrib
    }
    assert told == {
        "car, named car: 60%, n = 7": None,
        "car, named bus: 40%, n = 7; open 3 objects": "car-bus",
        "bus, named car: 40%, n = 7": None,
        "bus, named bus: 60%, n = 7; open 1 object": "bus-bus",
    }


def test_hostile_names_stay_inside_a_cells_tooltip():
    svg = draw(matrix([HOSTILE, 'x to: y"']), objects={(HOSTILE, 'x to: y"'): 2})
    found = [
        part.attrib for part in ElementTree.fromstring(svg).iter() if "data-tip" in part.attrib
    ]
    assert [one["data-tip"].partition(", named ")[0] for one in found] == [
        *(HOSTILE, HOSTILE, 'x to: y"', 'x to: y"')
    ]
