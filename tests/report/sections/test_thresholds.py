"""Thresholds and costs: every one in the page."""

import math

import pandas as pd

from builders.study_files import INPUTS, conditions
from readers.report_pages import rows_of
from smallsight.conditions.families import FAMILIES
from smallsight.report import text
from smallsight.report.sections import thresholds


def test_every_threshold_and_cost_stands_in_the_page(report_page):
    made = report_page(changes={("fixed", "orig_crop"): -0.25})
    table = pd.read_csv(INPUTS.table("thresholds")).set_index(["regime", "condition"])
    _, *body = rows_of(made, "Thresholds in input pixels")
    steps = [step for step in conditions() if not FAMILIES[step.family].is_intervention]
    for cells, step in zip(body, steps, strict=True):
        for number, regime in enumerate(("fixed", "retrained")):
            row = table.loc[regime, step.name]
            assert f"{text.threshold(row)} px" in cells[1 + 2 * number]
            assert f"({text.threshold_span(row)})" in cells[1 + 2 * number]
            cost = text.factor(row.cost)
            assert cells[2 + 2 * number].split()[0] == cost


def test_a_cost_is_written_only_where_it_has_a_direction(reported_study):
    def edit():
        table = pd.read_csv(INPUTS.table("thresholds"))
        costs = {
            "orig_crop": (3.0, 1.5, math.inf, 1),
            "zoom": (0.5, 0.25, 0.8, -1),
            "occlusion": (1.2, 1.1, 1.6, 0),
            "bg_blur": (1.5, math.nan, math.nan, 0),
        }
        table[["cost", "cost_low", "cost_high"]] = 1.0
        table["direction"] = 0
        for name, cost in costs.items():
            here = (table["condition"] == name) & (table["regime"] == "fixed")
            table.loc[here, ["cost", "cost_low", "cost_high", "direction"]] = cost
        table.to_csv(INPUTS.table("thresholds"), index=False)

    sentence = thresholds.cost_sentence(reported_study(edit=edit))
    assert "fitted curves" in sentence
    assert "must be larger by a factor of 3.00 (1.50 or more) under “Crop”" in sentence
    assert "may be smaller by a factor of 2.00 (1.25–4.00) under “Zoom”" in sentence
    assert "Occlusion" not in sentence
    assert "Background" not in sentence
    assert "retrained head, no factor is shown" in sentence
