"""Confusion matrices: every share in its cell, as long as there is room."""

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


def draw(shares, *, title="Small objects"):
    counts = dict.fromkeys(shares.index, 7)
    return confusion_matrix(shares, counts=counts, name="who", title=title)


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
