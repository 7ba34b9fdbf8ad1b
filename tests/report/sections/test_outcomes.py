"""Maps of correct beside failed predictions: numbers of the table, and sentences."""

import re

import numpy as np
import pytest

from builders.map_tables import FEW
from builders.study_files import with_tables
from readers.drawings import dots, places, scale
from readers.report_pages import body_of, section, text_of
from smallsight.report.figures.style import SERIES
from smallsight.report.rows import keyed
from smallsight.report.sections import outcomes
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, HEADLINE_TASK, SCENE

pytestmark = pytest.mark.page

CLAIMS = {
    1: "In windows, saliency maps lie less on the object where the answer fails: shown.",
    -1: "In windows, saliency maps lie more on the object where the answer fails: shown.",
    0: "In windows, it is not decided whether saliency maps lie less on the object",
}


def number(value):
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def of_window(study):
    table = study.tables["attention_outcomes"]
    return keyed(table[table["task"] == HEADLINE_TASK], "map", "condition", "size_group")


def test_correct_beside_failed_stands_in_the_page_without_a_verdict(any_numbers):
    page, study = any_numbers("last")
    rows = of_window(study)
    due = []
    for condition in FEW:
        due.append([study.label(condition)])
        for group in ALL_AND_GROUPS:
            row = rows["predicted", condition, group]
            ends = f"({100 * row['ci_low']:.1f}–{100 * row['ci_high']:.1f})"
            medians = ", ".join(
                f"{name} {number(row[f'median_{name}'])} [{row[f'n_{name}']}]"
                for name in ("correct", "failed")
            )
            due[-1].append(f"{100 * row['superiority']:.1f}% {ends} {medians}")
    assert (
        body_of(page, "Window: how often a correct answer’s map has the greater lift (predicted")
        == due
    )


def test_where_nothing_failed_nothing_is_compared(flawless):
    page, study = flawless
    assert of_window(study) == {}
    assert outcomes.build(study) is None
    assert "Correct against failed answers" not in section(page, "saliency")
    assert not re.search(r"\bnan\b", text_of(page), re.IGNORECASE)


def test_where_nothing_failed_no_sentence_compares(flawless):
    assert outcomes.claim_sentence(flawless[1], HEADLINE_TASK) == ""


def test_a_panel_per_kind_of_map_has_the_windows_chances(telling_study):
    table = telling_study.tables["attention_outcomes"]
    made = with_tables(
        telling_study, attention_outcomes=table.assign(superiority=np.linspace(0, 1, len(table)))
    )
    rows = of_window(made)
    panels = outcomes.panels(made)
    for panel, name in zip(panels, ("predicted", "true_class"), strict=True):
        assert "Window, maps of the " in panel
        for group in GROUPS:
            marks = dots(panel, SERIES[group].colour)
            due = [100 * rows[name, condition, group]["superiority"] for condition in FEW]
            np.testing.assert_allclose(scale(panel, "x")(places(marks, "x")), due, atol=0.2)


@pytest.mark.parametrize("direction", CLAIMS)
def test_the_claim_is_written_by_its_direction_whatever_the_numbers(telling_study, direction):
    claims = telling_study.tables["claims"].assign(
        direction=direction, effect=-0.123, ci_low=-0.234, ci_high=0.345, p_holm=0.0456, mde=0.067
    )
    sentence = outcomes.claim_sentence(with_tables(telling_study, claims=claims), HEADLINE_TASK)
    assert [start for start in CLAIMS.values() if start in sentence] == [CLAIMS[direction]]
    assert "in 37.7% (26.6 to 84.5) of pairs; half would be no difference." in sentence
    assert ("Less than 6.7 points from half may have been missed." in sentence) == (direction == 0)


def test_each_task_has_a_claim_of_its_own(telling_study):
    claims = telling_study.tables["claims"]
    other = claims.assign(effect=claims["effect"].where(claims["task"] != SCENE, 0.3))
    made = with_tables(telling_study, claims=other)
    window, whole = (outcomes.claim_sentence(made, task) for task in (HEADLINE_TASK, SCENE))
    assert window == outcomes.claim_sentence(telling_study, HEADLINE_TASK) != ""
    assert "In windows, " in window
    assert "In whole pictures, " in whole
    assert "80.0%" in whole


def test_a_claim_that_nothing_tests_is_not_written(telling_study):
    claims = telling_study.tables["claims"]
    others = claims[claims["claim"] != "failed_look_away"]
    assert len(others)
    assert outcomes.claim_sentence(with_tables(telling_study, claims=others), SCENE) == ""
