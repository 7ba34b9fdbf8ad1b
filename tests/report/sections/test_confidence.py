"""Confidence: the numbers of both tables, by task and size, and no verdict."""

import pytest

from builders.study_files import with_tables
from readers.drawings import tooltips
from readers.report_pages import body_of, section, text_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import text
from smallsight.report.sections import confidence
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, TASKS

WORDS = {"none": "as it is", "temperature": "temperature by estimated size"}


@pytest.fixture(scope="module")
def study(forms):
    return forms.study


def test_every_number_stands_in_the_page(forms):
    study = forms.study
    table = study.tables["calibration"].set_index(["task", "size_group", "scaling"])
    body = iter(body_of(section(forms.screen, "confidence"), "Calibration error, and accuracy"))
    next(body)
    for task in TASKS:
        assert next(body) == [TASK_NAMES[task].capitalize()]
        for group in ALL_AND_GROUPS:
            plain, scaled = (table.loc[task, group, scaling] for scaling in WORDS)
            errors = [
                f"{text.percent(row.ece)} ({text.percent_span(row.ece_low, row.ece_high)})"
                for row in (plain, scaled)
            ]
            ends = text.points_span(scaled.change_low, scaled.change_high)
            covered = [
                f"{text.percent(row.accuracy_at_coverage)} "
                f"({text.percent_span(row.coverage_low, row.coverage_high)})"
                for row in (plain, scaled)
            ]
            on_all = study.estimate(task, "fixed", UNTOUCHED, group).acc
            assert next(body) == [
                group.capitalize(), f"{plain.n:.0f}", *errors,
                f"{text.signed(scaled.change)} ({ends})", text.percent(on_all), *covered,
            ]  # fmt: skip
    assert not list(body)


def test_the_sentence_is_about_small_objects_and_has_no_verdict(study):
    said = confidence.sentence(study)
    table = study.tables["calibration"].set_index(["task", "size_group", "scaling"])
    plain, scaled = (table.loc["object", "small", one] for one in ("none", "temperature"))
    off = text.with_ends(plain.ece, plain.ece_low, plain.ece_high)
    change = text.points(scaled.change, scaled.change_low, scaled.change_high)
    assert f"For small objects in windows, the two are {off} apart on average." in said
    assert said.endswith(f"changes that by {change}, no verdict.")
    assert not any(word in said for word in ("better", "worse", "helps", "p ="))


def test_every_bin_has_a_mark_with_its_numbers(study):
    table = study.tables["reliability"]
    panels = confidence.panels(study)
    places = [(task, group) for task in TASKS for group in GROUPS]
    for panel, (task, group) in zip(panels, places, strict=True):
        part = table[(table["task"] == task) & (table["size_group"] == group)]
        due = [
            f"Confidence {text.percent(row.confidence)}, {WORDS[row.scaling]}, {group}: "
            f"{text.percent(row.accuracy)} ({text.percent_span(row.ci_low, row.ci_high)}), "
            f"n = {row.n:.0f}"
            for row in part.itertuples()
        ]
        assert sorted(tooltips(panel)) == sorted(due)


def test_without_temperatures_nothing_is_said_of_them(report_page):
    made = report_page(protocol="original", counts=dict.fromkeys(GROUPS, 40))
    part = section(made, "confidence")
    body = body_of(part, "Calibration error, and accuracy")
    rows = [cells for cells in body if cells[0] in ("All", "Small", "Medium", "Large")]
    assert len(rows) == 8
    for cells in rows:
        assert len(cells) == 5
        assert all("%" in cell for cell in cells[2:])
    assert "emperature" not in text_of(f"<body>{part}")


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_without_objects_is_left_out(study, group):
    table = study.tables["calibration"]
    is_empty = table["size_group"] == group
    known = table.columns.difference(["task", "size_group", "scaling", "n"])
    empty = table.assign(n=table["n"].where(~is_empty, 0))
    empty.loc[is_empty, known] = None
    bins = study.tables["reliability"]
    made = with_tables(study, calibration=empty, reliability=bins[bins["size_group"] != group])
    for task in TASKS:
        assert group not in [row.group for row in confidence.rows(made, task)]
    assert group not in confidence.sentence(made)
    assert len(confidence.panels(made)) == 4


def test_one_task_alone_is_told(study):
    tables = {
        name: study.tables[name].query("task == 'scene'") for name in ("calibration", "reliability")
    }
    made = confidence.build(with_tables(study, **tables))
    assert [one.task for one in made.tasks] == ["Whole picture"]
    assert len(made.panels) == 3
    assert "window" not in made.sentence


def test_where_nothing_was_evaluated_there_is_no_section(study):
    made = with_tables(study, calibration=study.tables["calibration"][:0])
    assert confidence.build(made) is None
