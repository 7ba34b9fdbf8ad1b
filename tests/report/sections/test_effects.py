"""Effects: every one in the page, with its sign and numbers."""

import itertools
import re

import pandas as pd

from builders.study_files import INPUTS, conditions
from readers.report_pages import rows_of
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import text
from smallsight.report.sections import effects
from smallsight.vocabulary import DIFFERENCE, GROUPS

MIDDLE = {"small": 0.5, "medium": 0.5, "large": 0.8}
DIRECTIONS = ("less often", "more often", " lower,", " higher,", "lose ", "must be", "may be")


def test_every_effect_stands_with_its_sign_and_numbers(report_page):
    made = report_page(changes={("fixed", "orig_crop"): {"large": -0.7}})
    table = pd.read_csv(INPUTS.table("effects")).set_index(["regime", "condition", "size_group"])
    assert (table["direction"] == -1).any()
    changes = [step for step in conditions() if step.name != UNTOUCHED]
    interventions = [step for step in changes if FAMILIES[step.family].is_intervention]
    corruptions = [step for step in changes if step not in interventions]
    kinds = {"corruptions": corruptions, "interventions": interventions}
    for regime, kind in itertools.product(("Fixed", "Retrained"), kinds):
        head, *body = rows_of(made, f"{regime} head: effects of {kind}")
        assert [" ".join(title.split()) for title in head[1:]] == [
            *(f"{group.capitalize()} n = {table.loc['fixed', 'orig_crop', group].n:.0f}"
              for group in GROUPS),
            "Small − large",
        ]  # fmt: skip
        for cells, step in zip(body, kinds[kind], strict=True):
            for cell, group in zip(cells[1:], (*GROUPS, DIFFERENCE), strict=True):
                row = table.loc[regime.lower(), step.name, group]
                sign = {1: "▲ ", -1: "▼ ", 0: ""}[row.direction]
                assert sign + text.signed(row.delta) in cell
                assert ("▲" in cell or "▼" in cell) == bool(sign)
                assert f"({text.span(row)})" in cell
                assert f"p {text.p_value(row.p_holm)}" in cell
                assert f"bal. {text.signed(row.balanced_delta)}" in cell
                assert ("mde" in cell) == (row.direction == 0)
                marks = {"downscale": "∅", "bg_blur": "⊙"}
                assert re.findall("[∅⊙]", cell) == list(marks.get(step.name, ""))
                if group != DIFFERENCE:
                    assert f"{100 * row.acc:.1f}%" in cell


def test_a_sentence_has_a_direction_only_where_an_effect_has_one(reported_study):
    changes = {
        ("fixed", "orig_crop"): {"small": -0.48},
        ("fixed", "occlusion"): {"small": 0.48},
        ("fixed", "motion_blur"): {"small": -0.03},
        ("fixed", "zoom/factor=2"): {"small": -0.48},
    }
    made = reported_study(accuracy=MIDDLE, changes=changes, counts={"small": 80})
    fixed = next(
        point for point in effects.sentences(made) if point.startswith("With the head left")
    )
    again = next(
        point for point in effects.sentences(made) if point.startswith("With a head trained again")
    )
    assert re.search(r"less often under “Crop” \(−4\d\.\d points, −\d\S+ to −\d\S+, p ", fixed)
    assert re.search(r"more often under “Occlusion” \(\+4\d\.\d points", fixed)
    assert re.search(r"no change on them is shown under .*“Motion blur”.*detectable: \d", fixed)
    assert re.search(r"Of \d+ further levels: 1 lower, “Zoom, factor=2” \(−4\d\.\d\)", fixed)
    assert not any(word in again for word in DIRECTIONS)
    assert "no change on small objects is shown" in again


def test_small_objects_are_set_against_large_ones_by_the_difference_of_differences(reported_study):
    changes = {
        ("fixed", "orig_crop"): {"small": -0.48},
        ("fixed", "occlusion"): {"large": -0.6},
    }
    made = reported_study(accuracy=MIDDLE, changes=changes, counts={"small": 80, "large": 80})
    sentence = next(
        point for point in effects.sentences(made) if point.startswith("Small against large")
    )
    assert re.search(r"lose more, or gain less, under “Crop” \(−\d", sentence)
    assert re.search(r"lose less, or gain more, under “Occlusion” \(\+\d", sentence)
    assert re.search(r"retrained head, no difference is shown \(detectable: ", sentence)
