"""Maps of correct beside failed predictions: numbers of the table, and sentences."""

import itertools
import re

import numpy as np
import pytest

from builders.map_tables import FEW, with_directions
from builders.study_files import with_tables
from readers.drawings import dots, places, scale
from readers.report_pages import body_of, clauses, section, text_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import text
from smallsight.report.figures.style import SERIES
from smallsight.report.rows import keyed
from smallsight.report.sections import outcomes
from smallsight.vocabulary import GROUPS

pytestmark = pytest.mark.page

KINDS = {
    "Correct": ("predicted", "correct"),
    "Failed": ("predicted", "failed"),
    "Failed, true class": ("true_class", "failed"),
    "Box elsewhere": ("random_box", "all"),
    "Centre": ("centre", "all"),
    "Random weights": ("random_weights", "all"),
}
CLAIMS = {
    1: "Supported: saliency maps lie less on the object where the prediction fails;",
    -1: "Contradicted: saliency maps lie more on the object where the prediction fails;",
    0: "Whether saliency maps lie less on the object where the prediction fails is not decided:",
}
ARROWS = {1: "▲ ", -1: "▼ ", 0: ""}


def number(value):
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def mde(row):
    return f"mde {text.size(row['mde'])}" if row["direction"] == 0 else ""


def test_correct_beside_failed_stands_in_the_page(any_numbers):
    page, study = any_numbers("last")
    rows = keyed(study.tables["attention_outcomes"], "map", "condition", "size_group")
    due = []
    for condition in FEW:
        due.append([study.label(condition)])
        for group in ("all", *GROUPS):
            row = rows["predicted", condition, group]
            ends = f"({100 * row['ci_low']:.1f}–{100 * row['ci_high']:.1f})"
            p = ", ".join(filter(None, (f"p {text.p_value(row['p_holm'])}", mde(row))))
            medians = ", ".join(
                f"{name} {number(row[f'median_{name}'])} [{row[f'n_{name}']}]"
                for name in ("correct", "failed")
            )
            share = f"{ARROWS[row['direction']]}{100 * row['superiority']:.1f}%"
            due[-1].append(f"{share} {ends}, {p} {medians}")
    assert body_of(page, "The chance that a correct prediction’s map") == due
    assert len({row["direction"] for row in rows.values()}) == 3


def test_all_comparisons_of_one_kind_of_map_are_counted_as_one_family(any_numbers):
    page, study = any_numbers("last")
    number = (study.tables["attention_outcomes"]["map"] == "predicted").sum()
    assert 0 < number < len(study.tables["attention_outcomes"])
    assert f"Holm’s method over the {number} comparisons" in text_of(page)


def test_where_nothing_failed_nothing_is_compared(flawless):
    page, study = flawless
    part = section(page, "saliency")
    assert study.tables["attention_outcomes"].empty
    assert "Correct against failed predictions" not in part
    labels = {cells[0] for cells in body_of(part, "What maps of untouched") if len(cells) > 1}
    assert labels == {label for label in KINDS if not label.startswith("Failed")}
    assert outcomes.size_sentence(study) == ""
    assert not re.search(r"\bnan\b", text_of(page), re.IGNORECASE)


def test_where_nothing_failed_no_sentence_compares(flawless):
    assert outcomes.claim_sentence(flawless[1]) == ""


def test_a_panel_per_kind_of_map_has_the_chances_hollow_where_inconclusive(telling_study):
    chances = np.linspace(0, 1, len(telling_study.tables["attention_outcomes"]))
    table = telling_study.tables["attention_outcomes"].assign(superiority=chances)
    made = with_tables(telling_study, attention_outcomes=table)
    made = with_directions(made, "attention_outcomes", (0, 1, -1))
    rows = keyed(made.tables["attention_outcomes"], "map", "condition", "size_group")
    panels = outcomes.panels(made)
    for panel, name in zip(panels, ("predicted", "true_class"), strict=True):
        for group in GROUPS:
            marks = dots(panel, SERIES[group].colour)
            due = [100 * rows[name, condition, group]["superiority"] for condition in FEW]
            np.testing.assert_allclose(scale(panel, "x")(places(marks, "x")), due, atol=0.2)
            filled = {f"fill: {SERIES[group].colour}" in mark.get("style") for mark in marks}
            assert filled == {group != "small"}


@pytest.mark.parametrize("direction", CLAIMS)
def test_the_claim_is_written_by_its_direction_whatever_the_numbers(telling_study, direction):
    claims = telling_study.tables["claims"].assign(
        direction=direction, effect=-0.123, ci_low=-0.234, ci_high=0.345, p_holm=0.0456, mde=0.067
    )
    sentence = outcomes.claim_sentence(with_tables(telling_study, claims=claims))
    assert [start for start in CLAIMS.values() if start in sentence] == [CLAIMS[direction]]
    assert "in 37.7% of pairs (26.6% to 84.5%, p = 0.046;" in sentence
    assert ("6.7 points was detectable" in sentence) == (direction == 0)


def test_a_claim_that_nothing_tests_is_not_written(telling_study):
    claims = telling_study.tables["claims"]
    others = claims[claims["claim"] != "failed_look_away"]
    assert len(others)
    assert outcomes.claim_sentence(with_tables(telling_study, claims=others)) == ""


@pytest.mark.parametrize("directions", [*itertools.product((1, -1, 0), repeat=3)])
def test_sizes_are_named_by_their_directions(telling_study, directions):
    wordings = {1: "shown", -1: "the reverse shown", 0: "not shown"}
    made = with_directions(telling_study, "attention_outcomes", directions)
    sentence = outcomes.size_sentence(made)
    found = clauses(sentence, wordings.values())
    for direction, wording in wordings.items():
        due = [group for group, one in zip(GROUPS, directions, strict=True) if one == direction]
        assert found[wording] == due
    assert ("detectable: " in sentence) == (0 in directions)


def test_sizes_are_named_with_the_numbers_of_the_predicted_classs_untouched_maps(any_numbers):
    study = any_numbers("last")[1]
    rows = keyed(study.tables["attention_outcomes"], "map", "condition", "size_group")
    sentence = outcomes.size_sentence(study)
    for group in GROUPS:
        row = rows["predicted", UNTOUCHED, group]
        share, low, high = (
            f"{100 * row[key]:.1f}%" for key in ("superiority", "ci_low", "ci_high")
        )
        assert f"{group} objects ({share}, {low} to {high})" in sentence
