"""Pixels: accuracy at every side, the threshold or why there is none, and costs."""

import numpy as np
import pandas as pd
import pytest

from builders.study_files import with_tables
from readers.drawings import tooltips
from readers.report_pages import body_of, section, text_of
from smallsight.report import text
from smallsight.report.sections import thresholds
from smallsight.vocabulary import HEADLINE_TASK

FIT = {"fits": True, "p_fit": 0.4, "threshold": 12.3, "ci_low": 9.8, "ci_high": 15.1}
FIT |= {"floor": 0.21, "ceiling": 0.93, "share_below": 0.125}


def fitted(study, **changes):
    """Give every regime's curve these values."""
    table = study.tables["thresholds"].assign(**(FIT | changes))
    return with_tables(study, thresholds=table)


def test_every_accuracy_by_side_stands_in_the_page(forms):
    table = forms.study.tables["pixels"].dropna(subset="acc")
    body = body_of(section(forms.screen, "thresholds"), "Window: accuracy with its 95% interval")
    sides = sorted(table.loc[~table["native"], "side"].unique())
    assert [cells[0] for cells in body] == [*(f"{side:g} px" for side in sides), "Own"]
    columns = [
        (regime, group)
        for regime in ("fixed", "retrained")
        for group in ("all", "small", "medium", "large")
        if ((table["regime"] == regime) & (table["size_group"] == group)).any()
    ]
    for number, (regime, group) in enumerate(columns):
        part = table[(table["regime"] == regime) & (table["size_group"] == group)]
        found = {row.side: row for row in part[~part["native"]].itertuples()}
        for cells, side in zip(body, sides, strict=False):
            row = found.get(side)
            ends = row and text.percent_span(row.ci_low, row.ci_high)
            assert cells[1 + number] == (f"{text.percent(row.acc)} ({ends})" if row else "–")
        (own,) = part[part["native"]].itertuples()
        assert body[-1][1 + number].startswith(text.percent(own.acc))
        assert body[-1][1 + number].endswith(f"{text.native_pixels(own.side)} px")


def test_the_figure_shows_all_objects_at_every_side_and_each_group_at_its_own(forms):
    table = forms.study.tables["pixels"].dropna(subset="acc")
    for panel, regime in zip(thresholds.panels(forms.study), forms.study.regimes, strict=True):
        here = table[table["regime"] == regime]
        drawn = here[here["native"] | (here["size_group"] == "all")]
        assert len(tooltips(panel)) == len(drawn)
        assert sum("own side" in told for told in tooltips(panel)) == here["native"].sum()
        assert f"Window, {regime} head" in panel


def test_a_threshold_is_written_with_the_share_of_objects_that_are_smaller(forms):
    sentence = thresholds.threshold_sentence(fitted(forms.study), "fixed")
    assert sentence == (
        "Fixed head: the threshold is a side of 12.3 native pixels (9.8 to 15.1). There the curve "
        "is half-way from 21.0% to 93.0%. Of the data’s objects, 12.5% are smaller."
    )


@pytest.mark.parametrize(
    ("low", "high", "due"),
    [
        (6.0, 15.1, "(6.0 or less to 15.1)"),
        (9.8, 64.0, "(9.8 to 64.0 or more)"),
        (6.0, 64.0, "(6.0 or less to 64.0 or more)"),
    ],
)
def test_an_end_at_the_last_level_stands_for_what_lies_beyond(forms, low, high, due):
    made = fitted(forms.study, ci_low=low, ci_high=high)
    assert due in thresholds.threshold_sentence(made, "fixed")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"fits": False, "p_fit": 0.01, "threshold": np.nan},
            "no threshold, for the curve does not fit.",
        ),
        ({"fits": False, "p_fit": 0.01}, "no threshold, for the curve does not fit."),
        (
            {"threshold": np.nan},
            "no threshold, for the curve is half-way up outside 6 to 64 native",
        ),
    ],
)
def test_without_a_threshold_the_text_says_why_and_no_curve_is_drawn(forms, changes, why):
    made = fitted(forms.study, **changes)
    assert why in thresholds.threshold_sentence(made, "fixed")
    assert not any(thresholds.has_threshold(made, regime) for regime in made.regimes)
    assert all("opacity: 0.25" not in panel for panel in thresholds.panels(made))
    assert all("opacity: 0.25" in panel for panel in thresholds.panels(fitted(forms.study)))


@pytest.mark.parametrize(("own", "nearest"), [(24.0, 24.0), (27.0, 24.0), (29.0, 32.0), (3.0, 6.0)])
def test_large_objects_are_reduced_to_about_the_small_ones_own_side(forms, own, nearest):
    table = forms.study.tables["pixels"].copy()
    is_small = (table["size_group"] == "small") & table["native"]
    table.loc[is_small, "side"] = own
    sentence = thresholds.equal_pixels_sentence(with_tables(forms.study, pixels=table), "fixed")
    by_key = table.set_index(["regime", "size_group", "native", "side"])
    large = by_key.loc["fixed", "large", False, nearest]
    small = by_key.loc["fixed", "small", True, own]
    for row, side in ((large, f"{nearest:g}"), (small, f"{own:.1f}")):
        assert f"{side} pixels" in sentence
        assert text.with_ends(row.acc, row.ci_low, row.ci_high) in sentence


def test_without_large_or_small_objects_nothing_is_said_of_equal_pixels(forms):
    table = forms.study.tables["pixels"]
    for group in ("large", "small"):
        made = with_tables(forms.study, pixels=table[table["size_group"] != group])
        assert thresholds.equal_pixels_sentence(made, "fixed") == ""


def test_costs_stand_in_the_page_without_a_verdict(forms):
    part = section(forms.screen, "thresholds")
    costs = forms.study.tables["costs"].set_index(["regime", "condition"])
    steps = [
        one
        for one in forms.study.corruptions(HEADLINE_TASK)
        if costs.loc[(slice(None), one.name), "cost"].notna().any()
    ]
    assert steps
    for cells, step in zip(body_of(part, "what a condition costs"), steps, strict=True):
        for cell, regime in zip(cells[1:], ("fixed", "retrained"), strict=True):
            row = costs.loc[regime, step.name]
            assert cell.split(" (")[0] == text.factor(row.cost)
            if np.isfinite([row.cost, row.cost_low, row.cost_high]).all():
                assert f"({text.factor_span(row.cost_low, row.cost_high)})" in cell
    assert not any(sign in text_of(f"<body>{part}") for sign in "▲▼")


@pytest.mark.parametrize(
    ("low", "high", "due"),
    [
        (1.2, 3.4, "1.20–3.40"),
        (1.2, np.nan, "1.20 or more"),
        (np.nan, 3.4, "3.40 or less"),
        (np.nan, np.nan, "no bound"),
    ],
)
def test_an_end_of_a_cost_that_the_curve_does_not_reach_is_none(forms, low, high, due):
    costs = forms.study.tables["costs"].assign(cost=2.0, cost_low=low, cost_high=high)
    rows = thresholds.cost_rows(with_tables(forms.study, costs=costs))
    assert {cell.span for row in rows for cell in row.cells} == {due}


def test_without_reduced_objects_there_is_no_section(forms):
    table = forms.study.tables["pixels"]
    for left in (table[:0], table[table["native"]]):
        assert thresholds.build(with_tables(forms.study, pixels=left)) is None


def test_what_has_no_number_is_left_out(forms):
    table = forms.study.tables["pixels"]
    unknown = table.assign(acc=table["acc"].where(table["size_group"] != "medium"))
    made = with_tables(forms.study, pixels=unknown)
    assert {one.group for one in thresholds.columns(made)} == {"all", "small", "large"}
    assert not any("nan" in sentence for sentence in thresholds.sentences(made))
    assert pd.notna(
        [cell["acc"] for row in thresholds.rows(made) for cell in row.cells if cell]
    ).all()
