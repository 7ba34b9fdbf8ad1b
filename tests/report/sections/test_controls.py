"""Maps beside their controls: numbers of the table, and sentences."""

import pytest

from builders.map_tables import FEW, without
from builders.study_files import with_tables
from readers.report_pages import body_of
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
@pytest.mark.parametrize("direction", [1, -1, 0])
def test_controls_are_told_by_their_direction_with_the_numbers_of_small_objects(
    any_numbers, task, direction
):
    table = any_numbers("last")[1].tables["attention_controls"].assign(direction=direction)
    study = with_tables(any_numbers("last")[1], attention_controls=table)
    rows = keyed(table, "task", "control", "condition", "size_group")
    start, *sentences = controls.sentence(study, task).split("Against ")
    assert f"untouched {TASKS[task].lower()}s?" in start
    for part, (control, against) in zip(sentences, AGAINST.items(), strict=True):
        row = rows[task, control, UNTOUCHED, "small"]
        assert against in part
        for sign, words in {1: " more, shown.", -1: " less, shown.", 0: ", not decided."}.items():
            assert (words in part) == (direction == sign)
        numbers = [row[key] if direction != -1 else -row[key] for key in ("excess", "ci_low")]
        assert all(text.size(one) in part for one in numbers)


@pytest.mark.parametrize("missing", AGAINST)
def test_a_control_without_rows_is_not_named(telling_study, missing):
    few = without(telling_study, "attention_controls", control=missing)
    sentence = controls.sentence(few, "object")
    assert [against in sentence for against in AGAINST.values()] == [
        name != missing for name in AGAINST
    ]
