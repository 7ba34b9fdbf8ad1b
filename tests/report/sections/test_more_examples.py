"""More small examples: the line of the table, and every mark of the curves."""

import numpy as np
import pytest

from builders.study_files import with_tables
from readers.drawings import tooltips
from readers.report_pages import section, text_of
from smallsight.report import text
from smallsight.report.sections import more_examples
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import GROUPS, TASKS


@pytest.fixture(scope="module")
def study(forms):
    return forms.study


@pytest.mark.parametrize(
    ("direction", "verdict"), [(1, "a gain is shown"), (-1, "a loss is shown"), (0, "not decided")]
)
def test_the_line_has_the_gain_of_each_task_with_the_tables_verdict(study, direction, verdict):
    gains = study.tables["more_examples_gain"]
    small = gains["size_group"] == "small"
    gains = gains.assign(direction=gains["direction"].where(~small, direction))
    said = more_examples.sentence(with_tables(study, more_examples_gain=gains))
    assert "Each head would have 53 in place of 26." in said
    table = gains.set_index(["task", "size_group"])
    for task in TASKS:
        row = table.loc[task, "small"]
        change = text.points(row.balanced, row.balanced_low, row.balanced_high)
        assert f"For small objects in {TASK_NAMES[task]}s that is {change}: {verdict}." in said


def test_what_other_objects_lose_is_told(study):
    gains = study.tables["more_examples_gain"].assign(direction=-1)
    said = more_examples.sentence(with_tables(study, more_examples_gain=gains))
    for group in ("medium", "large"):
        assert said.count(f"For {group} objects in ") == len(TASKS)
    none = gains.assign(direction=0)
    said = more_examples.sentence(with_tables(study, more_examples_gain=none))
    assert "medium" not in said and "large" not in said


def test_every_mark_has_its_accuracy_and_what_is_extrapolated_says_so(study):
    panels = more_examples.panels(study)
    assert len(panels) == len(TASKS)
    for panel, task in zip(panels, TASKS, strict=True):
        table = study.tables["more_examples"]
        due = []
        for row in table[table["task"] == task].to_dict("records"):
            share = f"{100 * row['share']:.0f}% of the small training objects"
            share += ", extrapolated" if row["share"] == 2 else ""
            ends = text.percent_span(row["ci_low"], row["ci_high"])
            told = f"{row['size_group'].capitalize()}, {share}: {text.percent(row['accuracy'])}"
            due.append(f"{told} ({ends}), n = 40")
        assert sorted(tooltips(panel)) == sorted(due)


@pytest.mark.parametrize("task", TASKS)
def test_one_task_alone_has_a_panel_and_a_line(study, task):
    curves, gains = (study.tables[name] for name in ("more_examples", "more_examples_gain"))
    made = with_tables(
        study,
        more_examples=curves[curves["task"] == task],
        more_examples_gain=gains[gains["task"] == task],
    )
    assert len(more_examples.panels(made)) == 1
    assert more_examples.sentence(made).count("For small objects in ") == 1


def test_without_small_objects_nothing_is_said_of_them(study):
    gains = study.tables["more_examples_gain"]
    made = with_tables(study, more_examples_gain=gains[gains["size_group"] != "small"])
    assert more_examples.sentence(made) == ""
    unknown = gains.assign(balanced=gains["balanced"].where(gains["size_group"] != "small", np.nan))
    assert more_examples.sentence(with_tables(study, more_examples_gain=unknown)) == ""


def test_where_no_head_learned_from_fewer_there_is_no_such_part(study):
    made = with_tables(study, more_examples=study.tables["more_examples"][:0])
    assert more_examples.build(made) is None


def test_line_and_figure_stand_below_the_remedies(forms):
    part = section(forms.screen, "remedies")
    assert more_examples.sentence(forms.study) in text_of(f"<body>{part}")
    assert "Figure 2." in part
    assert set(forms.study.tables["more_examples"]["size_group"]) == set(GROUPS)
