"""The decomposition of the gap: the numbers of its table, and sentences by their directions."""

import re

import pandas as pd
import pytest

from builders.study_files import INPUTS, ZOOMED, edited
from readers.report_pages import rows_of, text_of
from smallsight.analysis.terms import PARTS, PATHS
from smallsight.report import text
from smallsight.report.sections import gap

ARROWS = {1: "▲ ", -1: "▼ ", 0: ""}


def test_the_decomposition_stands_in_the_page(report_page):
    made = report_page(changes=ZOOMED)
    ledger = pd.read_csv(INPUTS.table("ledger")).set_index(["regime", "part"])
    differences = pd.read_csv(INPUTS.table("agreement")).set_index("part")
    assert len(set(ledger["direction"])) > 1
    _, *body = rows_of(made, "The decomposition, in points")
    for cells, (part, term) in zip(body[1:], (PARTS | PATHS).items(), strict=True):
        assert term.label in cells[0]
        assert term.description in cells[0]
        for cell, regime in zip(cells[1:3], ("fixed", "retrained"), strict=True):
            row = ledger.loc[regime, part]
            assert cell.split()[: 1 + bool(ARROWS[row.direction])] == [
                *ARROWS[row.direction].split(), text.signed(row.value),
            ]  # fmt: skip
            assert f"({text.span(row)})" in cell
            assert f"p {text.p_value(row.p_holm)}" in cell
            assert f"{text.part(row.share)} of the gap" in cell
            assert ("mde" in cell) == (row.direction == 0)
        row = differences.loc[part]
        assert f"{ARROWS[row.direction]}{text.signed(row.difference)}" in cells[3]
    for regime, cell in zip(("fixed", "retrained"), body[0][1:3], strict=True):
        assert text.signed(ledger.loc[regime, "gap"].value) in cell


def test_a_waterfall_per_regime_names_every_part_with_its_value(reported_study):
    made = reported_study(changes=ZOOMED)
    panels = gap.panels(made)
    table = made.tables["ledger"]
    assert len(panels) == 2
    for panel, regime in zip(panels, ("fixed", "retrained"), strict=True):
        rows = table[table["regime"] == regime].set_index("part")["value"]
        assert f"{regime.capitalize()} head" in panel
        for part, term in PARTS.items():
            value = f"{100 * rows[part]:+.1f}".replace("-", "−").replace("−0.0", "0.0")
            assert re.search(rf"{term.label}  {re.escape(value)}|{term.label}  \+?0\.0", panel)


def test_the_accuracies_behind_the_decomposition_stand_beside_it(report_page):
    made = report_page(changes=ZOOMED)
    accuracy = pd.read_csv(INPUTS.table("accuracy")).set_index(
        ["regime", "condition", "size_group"]
    )["acc"]
    _, *body = rows_of(made, "What the decomposition is made of")
    conditions = ("orig_full", "zoom_matched", "object_only", "zoom_object")
    for cells, condition in zip(body, conditions, strict=True):
        due = []
        for regime in ("fixed", "retrained"):
            large, small = (accuracy[regime, condition, group] for group in ("large", "small"))
            due += [f"{100 * large:.1f}%", f"{100 * small:.1f}%", text.signed(large - small)]
        assert [cell.strip() for cell in cells[1:]] == due


def test_the_sentence_names_parts_by_their_directions(reported_study):
    made = reported_study(changes=ZOOMED)
    fixed, retrained = (gap.part_sentence(made, regime) for regime in made.regimes)
    assert re.match(r"of \+50\.0 points, resolution \+\d", fixed)
    assert "context" in fixed.partition("none shown for")[2]
    assert re.match(r"of \+50\.0 points, .*context \+\d", retrained)
    assert "resolution" in retrained.partition("none shown for")[2]
    edit = edited(INPUTS.table("ledger"), direction=0)
    said = gap.part_sentence(reported_study(changes=ZOOMED, edit=edit), "fixed")
    assert re.match(r"no part of \+50\.0 points is shown \(detectable: ", said)


@pytest.mark.parametrize(("direction", "disagree"), [(1, True), (0, False)])
def test_the_report_says_where_the_regimes_disagree(reported_study, direction, disagree):
    said = gap.disagreement_sentence(
        reported_study(changes=ZOOMED, edit=edited(INPUTS.table("agreement"), direction=direction))
    )
    assert ("The regimes disagree on class mix" in said) == disagree
    assert ("not shown to disagree" in said) != disagree


def test_real_disagreement_is_found_and_said(report_page):
    text = text_of(report_page(changes=ZOOMED))
    assert "The regimes disagree on resolution" in text
    assert "Zooming necessarily narrows the context" in text
    assert "is foreign to a head trained on whole pictures" in text


@pytest.mark.parametrize(("count", "warned"), [(0, True), (4, True), (40, False)])
def test_a_rare_category_is_a_warning(reported_study, count, warned):
    made = reported_study(edit=edited(INPUTS.table("ledger"), thinnest=count))
    said = gap.small_cell_sentence(made)
    assert (f"{count} objects in one of the two groups" in said) == warned
    assert bool(said) == warned
