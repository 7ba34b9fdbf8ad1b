"""What the report shows of causes: the numbers of its tables, and sentences by their verdicts."""

import re

import numpy as np
import pandas as pd
import pytest
from test_report_evidence import table

from builders.study_files import INPUTS
from readers.report_pages import text_of
from smallsight.analysis.terms import FAILURE_CAUSES, NEIGHBOURS, PARTS, PATHS
from smallsight.report import text
from smallsight.report.sections import cause_words, causes
from smallsight.vocabulary import GROUPS

ARROWS = {"favours large": "▲ ", "favours small": "▼ ", "higher": "▲ ", "lower": "▼ ", "more": "▲ ",
          "less": "▼ ", "larger": "▲ ", "smaller": "▼ ", "inconclusive": ""}  # fmt: skip
ZOOMED = {
    ("fixed", "zoom_matched"): {"small": 0.5},
    ("fixed", "zoom_object"): {"small": 0.5},
    ("retrained", "object_only"): {"large": -0.5},
    ("retrained", "zoom_object"): {"large": -0.5},
}
"""Pixels close the gap under the fixed head; a missing context does under the retrained one."""


def edited(path, **values):
    """Write other values into whole columns of an input."""

    def edit():
        pd.read_csv(path).assign(**values).to_csv(path, index=False)

    return edit


def test_the_ledger_stands_in_the_page(report_page):
    made = report_page(changes=ZOOMED)
    ledger = pd.read_csv(INPUTS.ledger).set_index(["regime", "part"])
    differences = pd.read_csv(INPUTS.agreement).set_index("part")
    assert len(set(ledger["verdict"])) > 1
    _, *body = table(made, "The ledger")
    for cells, (part, term) in zip(body[1:], (PARTS | PATHS).items(), strict=True):
        assert term.label in cells[0]
        assert term.description in cells[0]
        for cell, regime in zip(cells[1:3], ("fixed", "retrained"), strict=True):
            row = ledger.loc[regime, part]
            assert cell.split()[: 1 + bool(ARROWS[row.verdict])] == [
                *ARROWS[row.verdict].split(), text.signed(row.value),
            ]  # fmt: skip
            assert f"({text.span(row)})" in cell
            assert f"p {text.p_value(row.p_holm)}" in cell
            assert f"{text.part(row.share)} of the gap" in cell
            assert ("mde" in cell) == (row.verdict == "inconclusive")
        row = differences.loc[part]
        assert f"{ARROWS[row.verdict]}{text.signed(row.difference)}" in cells[3]
    for regime, cell in zip(("fixed", "retrained"), body[0][1:3], strict=True):
        assert text.signed(ledger.loc[regime, "gap"].value) in cell


def test_a_waterfall_per_regime_names_every_part_with_its_value(reported_study):
    made = reported_study(changes=ZOOMED)
    panels = causes.waterfalls(made)
    assert len(panels) == 2
    for panel, regime in zip(panels, ("fixed", "retrained"), strict=True):
        rows = made.ledger[made.ledger["regime"] == regime].set_index("part")["value"]
        assert f"{regime.capitalize()} head" in panel
        for part, term in PARTS.items():
            value = f"{100 * rows[part]:+.1f}".replace("-", "−").replace("−0.0", "0.0")
            assert re.search(rf"{term.label}  {re.escape(value)}|{term.label}  \+?0\.0", panel)


def test_the_accuracies_behind_the_ledger_stand_beside_it(report_page):
    made = report_page(changes=ZOOMED)
    accuracy = pd.read_csv(INPUTS.accuracy).set_index(["regime", "condition", "size_group"])["acc"]
    _, *body = table(made, "What the ledger is made of")
    conditions = ("orig_full", "zoom_matched", "object_only", "zoom_object")
    for cells, condition in zip(body, conditions, strict=True):
        due = []
        for regime in ("fixed", "retrained"):
            large, small = (accuracy[regime, condition, group] for group in ("large", "small"))
            due += [f"{100 * large:.1f}%", f"{100 * small:.1f}%", text.signed(large - small)]
        assert [cell.strip() for cell in cells[1:]] == due


def test_the_sentence_names_parts_by_their_verdicts(reported_study):
    made = reported_study(changes=ZOOMED)
    fixed, retrained = (cause_words.parts(made, regime) for regime in made.regimes)
    assert re.match(r"of \+50\.0 points, resolution \+\d", fixed)
    assert "context" in fixed.partition("none shown for")[2]
    assert re.match(r"of \+50\.0 points, .*context \+\d", retrained)
    assert "resolution" in retrained.partition("none shown for")[2]
    edit = edited(INPUTS.ledger, verdict="inconclusive")
    said = cause_words.parts(reported_study(changes=ZOOMED, edit=edit), "fixed")
    assert re.match(r"no part of \+50\.0 points is shown \(detectable: ", said)


@pytest.mark.parametrize(("verdict", "disagree"), [("larger", True), ("inconclusive", False)])
def test_the_report_says_where_the_regimes_disagree(reported_study, verdict, disagree):
    said = cause_words.disagreement(
        reported_study(changes=ZOOMED, edit=edited(INPUTS.agreement, verdict=verdict))
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
    made = reported_study(edit=edited(INPUTS.ledger, thinnest=count))
    said = cause_words.thinnest(made)
    assert (f"{count} objects in one of the two groups" in said) == warned
    assert bool(said) == warned


def test_the_background_gap_stands_in_the_page(report_page):
    made = report_page(changes={("fixed", "bg_swap/donor=other"): {"small": -0.3}})
    background = pd.read_csv(INPUTS.background).set_index(["regime", "size_group"])
    assert background.loc[("fixed", "small"), "verdict"] == "higher"
    _, *body = table(made, "the background gap in points")
    for cells, group in zip(body, ("all", *GROUPS), strict=True):
        for number, regime in enumerate(("fixed", "retrained")):
            row = background.loc[regime, group]
            gap, context = cells[1 + 2 * number : 3 + 2 * number]
            assert ARROWS[row.verdict] + text.signed(row.gap) in gap
            assert f"({text.span(row)})" in gap
            assert f"{100 * row.acc_same:.1f}% same, {100 * row.acc_other:.1f}% other" in gap
            assert f"{100 * row.acc_context:.1f}%" in context
            assert f"({100 * row.context_low:.1f}–{100 * row.context_high:.1f})" in context
            assert f"commonest {100 * row.commonest:.1f}%" in context
    assert "Background gap, fixed head, in points: shown for small" in text_of(made)
    assert "7.3 points for a ResNet-50" in text_of(made)


def test_neighbours_stand_in_the_page(report_page):
    made = report_page()
    keys = ["size_group", "pictures", "neighbour"]
    neighbours = pd.read_csv(INPUTS.neighbours).set_index(keys)
    _, *body = table(made, "how many are named as a neighbour")
    for cells, group in zip(body, ("all", *GROUPS), strict=True):
        assert cells[1].strip() == str(neighbours.loc[group, "one", "any"].failed)
        assert cells[2].strip() == str(neighbours.loc[group, "several", "any"].failed)
        for number, kind in enumerate(NEIGHBOURS):
            row = neighbours.loc[group, "several", kind]
            count, excess = cells[3 + 2 * number : 5 + 2 * number]
            assert count.split()[0] == f"{row.named:.0f}"
            assert f"{100 * row.share:.1f}%; chance {100 * row.chance:.1f}%" in count
            assert ARROWS[row.verdict] + text.signed(row.excess) in excess
            assert f"({text.span(row)})" in excess


@pytest.mark.parametrize("verdict", ["more", "less", "inconclusive"])
def test_neighbours_are_said_to_be_named_only_by_their_verdict(reported_study, verdict):
    made = reported_study(edit=edited(INPUTS.neighbours, verdict=verdict))
    said = cause_words.neighbours(made, "small")
    for word in ("more", "less"):
        assert (f"{word} often than by chance (" in said) == (verdict == word)
    assert ("as far as is shown" in said) == (verdict == "inconclusive")


def test_suggested_causes_and_rescues_stand_in_the_page(report_page):
    made = report_page(changes=ZOOMED | {("fixed", "orig_crop"): {"large": -0.7}})
    causes = pd.read_csv(INPUTS.failure_causes).set_index(["regime", "cause", "size_group"])
    rescues = pd.read_csv(INPUTS.rescues).set_index(["regime", "condition", "size_group"])
    effects = pd.read_csv(INPUTS.effects).set_index(["regime", "condition", "size_group"])
    for regime in ("fixed", "retrained"):
        head, *body = table(made, f"{regime.capitalize()} head: suggested causes")
        for cells, (cause, term) in zip(body, FAILURE_CAUSES.items(), strict=True):
            assert cells[0].strip() == term.label
            for title, cell, group in zip(head[2:], cells[2:], ("all", *GROUPS), strict=True):
                row = causes.loc[regime, cause, group]
                assert cell.split() == [f"{row.n:.0f}", f"{100 * row.share:.1f}%"]
                assert f"{row.failed:.0f} failure" in title
        _, *body = table(made, f"{regime.capitalize()} head: share of the failed")
        names = [name for name in rescues.loc[regime].index.unique(0) if "/" not in name]
        for cells, name in zip(body, names, strict=True):
            for number, group in enumerate(GROUPS):
                row = rescues.loc[regime, name, group]
                rescued, broken = cells[1 + 2 * number : 3 + 2 * number]
                assert f"{100 * row.rescue_rate:.1f}%" in rescued
                assert f"{row.rescued:.0f}/{row.failed:.0f}" in rescued
                assert f"{100 * row.break_rate:.1f}%" in broken
                assert f"{row.broken:.0f}/{row.correct:.0f}" in broken
                arrow = ARROWS[effects.loc[regime, name, group].verdict].strip()
                assert re.findall("[▲▼]", rescued) == list(arrow)


def test_kinds_stand_in_the_page_and_empty_cells_stay_empty(report_page):
    made = report_page(counts={"medium": 0})
    categories = pd.read_csv(INPUTS.categories).set_index(["category_name", "size_group"])
    _, *body = table(made, "Accuracy by category and size")
    assert [cells[0].strip() for cells in body] == ["car", "bus"]
    for cells in body:
        for cell, group in zip(cells[1:], ("all", *GROUPS), strict=True):
            row = categories.loc[cells[0].strip(), group]
            if group == "medium":
                assert cell == ""
            else:
                assert f"{100 * row.acc:.1f}%" in cell
                assert f"({100 * row.ci_low:.1f}–{100 * row.ci_high:.1f}) n = {row.n:.0f}" in cell
    assert "Medium objects" not in made


def test_a_matrix_per_size_group_has_the_tables_shares(reported_study):
    made = reported_study()
    panels = causes.confusions(made)
    assert len(panels) == len(GROUPS)
    for panel, group in zip(panels, GROUPS, strict=True):
        shares = made.confusion.loc[made.confusion["size_group"] == group, "share"]
        assert f"{group.capitalize()} objects" in panel
        for share in shares[shares > 0]:
            assert f">{100 * share:.0f}<" in panel


def test_native_detail_that_zooming_cannot_add_is_counted(reported_study):
    made = reported_study()
    small = made.sample[made.sample["size_group"] == "small"]
    due = made.similarity("zoom_matched", "large")["side_untouched"]
    lacking = (np.sqrt(small["bbox_area"]) < due).sum()
    assert 0 < lacking < len(small)
    said = cause_words.native(made)
    assert f"{lacking} of {len(small)} small objects" in said
