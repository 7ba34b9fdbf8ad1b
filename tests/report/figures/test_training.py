"""The reference head's training by epoch."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from readers.drawings import SVG
from smallsight.report.figures import training


def curve(measure, *, epochs=3):
    steps = np.arange(1, epochs + 1)
    table = pd.DataFrame({"epoch": steps})
    for part in ("train", "test"):
        table[f"{part}_accuracy"], table[f"{part}_loss"] = 0.5, 1 / steps
    return training.training_curve(table, name=measure, measure=measure, title=measure)


@pytest.mark.parametrize("measure", ["accuracy", "loss"])
def test_a_figure_is_xml_without_a_date_or_a_style_of_its_own(measure):
    svg = curve(measure)
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text
    assert not re.search(r"<style|<metadata|dc:date|\b20\d\d-\d\d", svg)


def test_a_curve_of_one_epoch_is_drawn():
    assert "epoch" in curve("accuracy", epochs=1)
