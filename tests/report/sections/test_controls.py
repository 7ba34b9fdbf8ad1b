"""Maps beside their controls: numbers of the table, and sentences."""

import itertools

import pytest

from builders.map_tables import FEW, with_directions, without
from readers.report_pages import body_of, clauses
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import text
from smallsight.report.rows import keyed
from smallsight.report.sections import controls
from smallsight.vocabulary import GROUPS

CONTROLS = {"random_box": "Box elsewhere", "centre": "Centre", "random_weights": "Random weights"}
AGAINST = {"random_box": "same size anywhere", "centre": "the middle", "random_weights": "random w"}
ARROWS = {1: "▲ ", -1: "▼ ", 0: ""}
TASKS = {"scene": "Whole picture", "object": "Window"}


def mde(row):
    return f"mde {text.size(row['mde'])}" if row["direction"] == 0 else ""


def test_controls_stand_in_the_page(any_numbers):
    page, study = any_numbers("last")
    rows = keyed(study.tables["attention_controls"], "task", "control", "condition", "size_group")
    due = []
    for task, name in TASKS.items():
        due.append([name])
        for condition in FEW:
            due.append([study.label(condition)])
            for group in ("all", *GROUPS):
                parts = [text.percent(rows[task, "random_box", condition, group]["energy"])]
                for control, label in CONTROLS.items():
                    row = rows.get((task, control, condition, group))
                    is_due = control != "random_weights" or condition == UNTOUCHED
                    assert (row is not None) == is_due
                    if row is not None:
                        excess = f"{ARROWS[row['direction']]}{text.signed(row['excess'])}"
                        parts += [label, excess, f"({text.span(row)})", mde(row)]
                due[-1].append(" ".join(filter(None, parts)))
    assert body_of(page, "mean share of the predicted class’s map") == due


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("directions", [*itertools.product((1, -1, 0), repeat=3)])
def test_controls_are_named_by_their_directions(telling_study, directions, task):
    wordings = {1: "more", -1: "less", 0: "not decided"}
    made = with_directions(telling_study, "attention_controls", directions)
    start, *sentences = controls.sentence(made, task).split("gainst ")
    assert start.startswith(f"{TASKS[task]}, untouched,")
    for part, against in zip(sentences, AGAINST.values(), strict=True):
        assert against in part
        found = clauses(part, wordings.values())
        for direction, wording in wordings.items():
            due = [group for group, one in zip(GROUPS, directions, strict=True) if one == direction]
            assert found[wording] == due
        assert ("detectable: " in part) == (0 in directions)


@pytest.mark.parametrize("task", TASKS)
def test_controls_are_named_with_the_numbers_of_untouched_pictures(any_numbers, task):
    study = any_numbers("last")[1]
    rows = keyed(study.tables["attention_controls"], "task", "control", "condition", "size_group")
    parts = controls.sentence(study, task).split("gainst ")[1:]
    for part, control in zip(parts, CONTROLS, strict=True):
        for group in GROUPS:
            row = rows[task, control, UNTOUCHED, group]
            excess = f"{text.signed(row['excess'])} points, {text.span(row)}"
            due = f"{group} objects ({excess}, {text.p_equals(row['p_holm'])})"
            assert (due in part) == (row["direction"] != 0)


@pytest.mark.parametrize("missing", AGAINST)
def test_a_control_without_rows_is_not_named(telling_study, missing):
    few = without(telling_study, "attention_controls", control=missing)
    sentence = controls.sentence(few, "object")
    assert [against in sentence for against in AGAINST.values()] == [
        name != missing for name in AGAINST
    ]
