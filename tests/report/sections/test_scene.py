"""The original question: its six conditions, the rules beside them, the largest object."""

import pandas as pd
import pytest

from builders.study_files import INPUTS, WHOLE, with_tables
from readers.report_pages import body_of, rows_of, section, text_of
from smallsight.analysis.terms import LARGEST
from smallsight.conditions.rendered.names import ORIGINAL, UNTOUCHED
from smallsight.evaluation.rungs import BASELINES
from smallsight.report import text
from smallsight.report.sections import scene
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, SCENE, TASKS


@pytest.fixture(scope="module")
def shown(forms):
    return f"<body>{section(forms.screen, 'scene')}"


@pytest.mark.parametrize("regime", ["fixed", "retrained"])
def test_the_six_conditions_stand_with_accuracy_and_change(forms, shown, regime):
    accuracy, effects = (
        forms.study.tables[name].set_index(["task", "regime", "condition", "size_group"])
        for name in ("accuracy", "effects")
    )
    body = body_of(shown, f"Whole picture, {regime} head")
    for cells, name in zip(body, ORIGINAL, strict=False):
        assert cells[0].startswith(forms.study.label(name))
        for cell, group in zip(cells[1:], GROUPS, strict=True):
            row = accuracy.loc[SCENE, regime, name, group]
            due = f"{text.percent(row.acc)} ({text.percent_span(row.ci_low, row.ci_high)})"
            if name != UNTOUCHED:
                effect = effects.loc[SCENE, regime, name, group]
                due += f" Δ {text.signed(effect.delta)} ({text.span(effect)})"
            assert cell.strip("∅⊙ ") == due


@pytest.mark.parametrize("regime", ["fixed", "retrained"])
def test_rules_that_see_no_pixel_stand_below_them(forms, shown, regime):
    table = forms.study.tables["baselines"].set_index(["baseline", "size_group"])
    body = body_of(shown, f"Whole picture, {regime} head")[len(ORIGINAL) :]
    for cells, name in zip(body, BASELINES, strict=True):
        assert cells[0].startswith("Rule: ")
        for cell, group in zip(cells[1:], GROUPS, strict=True):
            row = table.loc[name, group]
            ends = text.percent_span(row.ci_low, row.ci_high)
            assert cell == f"{text.percent(row.accuracy)} ({ends})"


def test_accuracy_is_split_by_the_largest_object_in_both_tasks(forms):
    table = forms.study.tables["largest_object"].set_index(["size_group", "largest"])
    rule = forms.study.tables["baselines"].set_index(["baseline", "size_group"])["accuracy"]
    page = f"<body>{section(forms.screen, 'scene')}"
    _, _, *body = rows_of(page, "by whether")
    for row, group in zip(body, ALL_AND_GROUPS, strict=True):
        cells = [" ".join(cell.split()) for cell in row]
        assert cells[:2] == [
            group.capitalize(),
            text.percent(rule["largest_object", group]),
        ]
        for place, kind in enumerate(LARGEST):
            row = table.loc[group, kind]
            count, *shares = cells[2 + 3 * place : 5 + 3 * place]
            assert count == f"{row.n:.0f}"
            assert shares == [
                f"{text.percent(row[task])} "
                f"({text.percent_span(row[f'{task}_low'], row[f'{task}_high'])})"
                for task in TASKS
            ]


def test_the_rule_and_the_split_are_told_in_words(forms):
    rule, split = (text_of(f"<body>{one}") for one in scene.build(forms.study).sentences)
    table = forms.study.tables["baselines"].set_index(["baseline", "size_group"])["accuracy"]
    shares = [f"{text.percent(table['largest_object', group])} of {group}" for group in GROUPS]
    asked = text.listed([text.percent(WHOLE["scene"][group]) for group in GROUPS])
    assert f"It is right for {text.listed(shares)} objects; the network is for {asked}." in rule
    rows = forms.study.tables["largest_object"].set_index(["size_group", "largest"])[SCENE]
    same, other = (text.percent(rows["small", kind]) for kind in ("same", "other"))
    assert f"their category, {same} of small objects are named rightly." in split
    assert f"Where it has another, {other} are." in split


def test_without_objects_of_one_kind_nothing_is_said_of_the_split(reported_study):
    study = reported_study(only=(UNTOUCHED,))
    table = study.tables["largest_object"].copy()
    assert "of small objects" in scene.split_sentence(with_tables(study, largest_object=table))
    table.loc[table["largest"] == "other", "n"] = 0
    assert scene.split_sentence(with_tables(study, largest_object=table)) == ""


def test_without_whole_pictures_there_is_no_section(reported_study):
    study = reported_study(only=(UNTOUCHED,))
    table = study.tables["accuracy"]
    made = with_tables(study, accuracy=table[table["task"] != SCENE])
    assert scene.build(made) is None


def test_no_number_is_of_the_other_task(reported_study):
    shares = [dict.fromkeys(GROUPS, share) for share in (0.3, 0.8)]
    study = reported_study(scene=shares[0], accuracy=shares[1], only=(UNTOUCHED, "downscale"))
    cells = [cell for row in scene.build(study).tables[0].rows for cell in row.cells]
    assert {cell.estimate.acc for cell in cells} == {0.3}
    results = pd.read_csv(INPUTS.results)
    assert set(results["val_acc_small"]) == {0.3, 0.8}
