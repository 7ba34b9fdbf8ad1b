"""Accuracy: every number in the page, rules that see no pixel beside it, sentences."""

import pytest

from builders.study_files import conditions, with_tables
from readers.drawings import tooltips
from readers.report_pages import body_of, captions_of, section
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import BASELINES
from smallsight.report import text
from smallsight.report.sections import accuracy, effects, summary
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, HEADLINE_TASK, SCENE

SWEEPS = ("pixels", "shift")
DIRECTIONS = ("less often", "more often", " lower", " higher", "lose ", "must be", "may be")


def shown():
    """Return the conditions of the window that are compared."""
    return [one for one in conditions() if one.task == HEADLINE_TASK and one.family not in SWEEPS]


@pytest.mark.parametrize("regime", ["fixed", "retrained"])
def test_every_accuracy_stands_in_the_page_beside_rules_that_see_no_pixel(forms, regime):
    table = forms.study.tables["accuracy"].set_index(["task", "regime", "condition", "size_group"])
    rules = forms.study.tables["baselines"].set_index(["baseline", "size_group"])
    page = section(forms.screen, "accuracy")
    body = body_of(page, f"Window, {regime} head: accuracy, with its 95% interval")
    steps = shown()
    for cells, one in zip(body, steps, strict=False):
        for cell, group in zip(cells[1:], ALL_AND_GROUPS, strict=True):
            row = table.loc[HEADLINE_TASK, regime, one.name, group]
            ends = text.percent_span(row.ci_low, row.ci_high)
            mix = text.percent(row.standardised)
            assert cell.strip("∅⊙ ") == f"{text.percent(row.acc)} ({ends}), mix {mix}"
            mark = forms.study.mark(HEADLINE_TASK, one.name, *([] if group == "all" else [group]))
            assert cell.startswith(mark)
    for cells, (name, label) in zip(body[len(steps) :], BASELINES.items(), strict=True):
        assert cells[0] == f"{label} no pixel seen"
        for cell, group in zip(cells[1:], ALL_AND_GROUPS, strict=True):
            row = rules.loc[name, group]
            ends = text.percent_span(row.ci_low, row.ci_high)
            assert cell == f"{text.percent(row.accuracy)} ({ends})"


def test_every_caption_of_accuracies_names_the_task(forms):
    for caption in captions_of(section(forms.screen, "accuracy")):
        if caption.startswith(("Figure", "Table")):
            assert caption.split(".")[1].split()[0] in ("Window,", "Window:")


def test_the_figure_has_the_windows_conditions_and_below_them_the_rules(forms):
    made = forms.study
    table = made.tables["accuracy"]
    for panel, regime in zip(accuracy.panels(made, HEADLINE_TASK), made.regimes, strict=True):
        labels = accuracy.drawn_conditions(made, HEADLINE_TASK)
        found = tooltips(panel)
        assert len(found) == (len(labels) + len(BASELINES)) * len(GROUPS)
        here = table[(table["task"] == HEADLINE_TASK) & (table["regime"] == regime)]
        for row in here[
            here["condition"].isin(labels) & (here["size_group"] != "all")
        ].itertuples():
            assert any(
                told.startswith(f"{labels[row.condition]}, {row.size_group}: {100 * row.acc:.1f}%")
                for told in found
            )
        for row in made.tables["baselines"].query("size_group != 'all'").itertuples():
            told = f"{accuracy.SHORT[row.baseline]}, {row.size_group}: {100 * row.accuracy:.1f}%"
            assert any(one.startswith(told) for one in found)
        assert panel.count("Window, ") and regime in panel


def test_interventions_have_no_place_in_the_figure(forms):
    made = forms.study
    drawn = accuracy.drawn_conditions(made, HEADLINE_TASK)
    assert UNTOUCHED in drawn
    assert not {"crop_low", "object_alone", "bg_swap"} & set(drawn)
    assert "orig_crop" in accuracy.drawn_conditions(made, SCENE)


def test_the_sentence_has_each_size_with_its_interval(forms):
    made = forms.study
    table = made.tables["accuracy"].set_index(["task", "regime", "condition", "size_group"])
    for task, name in ((HEADLINE_TASK, "windows"), (SCENE, "whole pictures")):
        sentence = accuracy.interval_sentence(made, task)
        assert f"in untouched {name} named rightly?" in sentence
        for group in GROUPS:
            row = table.loc[task, "fixed", UNTOUCHED, group]
            ends = text.with_ends(row.acc, row.ci_low, row.ci_high)
            assert f"Of {group} objects, {ends}." in sentence


def test_equal_conditions_give_no_direction_at_all(reported_study):
    made = reported_study()
    points = [*summary.sentences(made), *accuracy.sentences(made), *effects.sentences(made)]
    assert not any(word in point for point in points for word in DIRECTIONS)
    assert sum("ot decided" in point for point in effects.sentences(made)) == 1


def test_without_rules_nothing_is_said_of_them(forms):
    made = with_tables(forms.study, baselines=forms.study.tables["baselines"][:0])
    assert accuracy.baseline_rows(made) == []
    assert not any("sees no pixel" in point for point in accuracy.sentences(made))
    panel, _ = accuracy.panels(made, HEADLINE_TASK)
    assert len(tooltips(panel)) == len(accuracy.drawn_conditions(made, HEADLINE_TASK)) * len(GROUPS)
