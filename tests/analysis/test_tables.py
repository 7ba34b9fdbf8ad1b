"""Tables of the study are declared once, and the analysis makes all of its own as declared."""

import numpy as np
import pandas as pd
import pytest

from builders import evidence
from builders.evidence import analysed, answered, inputs_of, is_swept, measured
from smallsight.analysis.dvc_plots import PLOTS, plot_tables
from smallsight.analysis.ladder import NOT_IDENTIFIED
from smallsight.analysis.tables import TABLES
from smallsight.conditions.rendered.views import VIEWS
from smallsight.evaluation import tables as evaluation_tables
from smallsight.remedies import tables as remedy_tables
from smallsight.runtime.files import write_table
from smallsight.runtime.tables import Table, conform, read_table
from smallsight.saliency import tables as saliency_tables
from smallsight.sampling.donors import DONORS
from smallsight.sampling.sample import OBJECTS, SAMPLE
from smallsight.vocabulary import TASKS

JUDGED = [table for table in TABLES if "verdict" in table.names]


def declared(module):
    return [value for value in vars(module).values() if isinstance(value, Table)]


DECLARED = [
    *TABLES, *PLOTS, *declared(evaluation_tables), *declared(remedy_tables),
    *declared(saliency_tables), VIEWS, DONORS, OBJECTS, SAMPLE,
]  # fmt: skip


@pytest.fixture(scope="module")
def sample(population):
    return evidence.sampled(population)


@pytest.fixture(scope="module")
def predictions(sample):
    return answered(sample)


@pytest.fixture(scope="module")
def made(sample, predictions):
    return analysed(inputs_of(sample, predictions))


@pytest.mark.parametrize("table", DECLARED, ids=lambda table: table.name)
def test_every_column_has_a_name_of_its_own_and_a_meaning_of_one_line(table):
    assert len(set(table.names)) == len(table.names)
    for meaning in (table.meaning, *(column.meaning for column in table.columns)):
        assert meaning == meaning.strip()
        assert 0 < len(meaning) <= 100
        assert "\n" not in meaning
        assert not meaning.endswith(".")


def test_every_table_of_the_analysis_has_a_name_of_its_own(made):
    names = [table.name for table in TABLES]
    assert len(set(names)) == len(names)
    assert list(made) == names


def test_every_table_is_as_declared_and_comes_back_from_its_file(made, tmp_path):
    for table in TABLES:
        path = tmp_path / f"{table.name}.csv"
        write_table(conform(made[table.name], table), path)
        found = read_table(path, table)
        pd.testing.assert_frame_equal(
            found, made[table.name].reset_index(drop=True), check_dtype=False
        )


def test_every_table_of_both_tasks_names_them_in_order(made):
    both = {name for name, table in made.items() if "task" in table and len(set(table["task"])) > 1}
    assert both == {
        "accuracy", "effects", "severity", "claims", "answers", "rescues", "confusion",
        "categories", "attention", "attention_controls", "attention_outcomes", "remedies",
        "more_examples", "more_examples_gain", "reliability", "calibration",
    }  # fmt: skip
    for name in both - {"claims"}:
        assert list(made[name]["task"].unique()) == list(TASKS)
        assert made[name]["task"].is_monotonic_decreasing
    for table in TABLES:
        if table.name in ("accuracy", "effects"):
            assert table.names[-1] == "task"
        elif table.name == "remedies":
            assert table.names[:2] == ["remedy", "task"]
        elif "task" in table.names and table.name != "claims":
            assert table.names[0] == "task"


def test_sweeps_have_tables_of_their_own_and_are_in_no_other(made):
    assert len(made["thresholds"]) == 2
    assert set(made["pixels"]["side"]) >= {6, 12, 24, 48}
    assert set(made["stability"]["task"]) == {"object"}
    for name, table in made.items():
        if "condition" in table:
            families = table["condition"].str.split("/").str[0]
            assert not families.isin(["pixels", "shift"]).any(), name


def test_a_study_without_sweeps_has_neither_thresholds_nor_stability(sample, predictions, made):
    few = predictions[~is_swept(predictions)]
    found = analysed(inputs_of(sample, few))
    for name in ("thresholds", "pixels", "costs", "stability"):
        assert found[name].empty
    assert not found["failures"]["stable"].any()
    pd.testing.assert_frame_equal(found["effects"], made["effects"])


def test_a_study_that_tried_no_remedy_has_none(sample, predictions, made):
    found = analysed(inputs_of(sample, predictions, odds={}))
    assert found["remedies"].empty
    for table in TABLES:
        assert list(conform(found[table.name], table).columns) == table.names
        if table.name not in ("remedies", "more_examples", "more_examples_gain"):
            pd.testing.assert_frame_equal(found[table.name], made[table.name])


def test_no_effect_and_no_claim_depends_on_the_other_tasks_answers(sample, predictions, made):
    wrong = predictions.assign(correct=predictions["correct"] & (predictions["task"] == "object"))
    found = analysed(inputs_of(sample, wrong))
    for name in ("effects", "accuracy", "answers", "categories"):
        one, other = (table[name].query("task == 'object'") for table in (found, made))
        columns = [column for column in one if column != "predicted"]
        pd.testing.assert_frame_equal(one[columns], other[columns])


def test_where_no_cells_part_of_a_logit_is_known_no_other_number_changes(
    sample, predictions, made, tmp_path
):
    unknown = dict.fromkeys(("signed_in_box", "logit_in_box", "logit_elsewhere"), np.nan)
    kinds = saliency_tables.PREDICTED_CLASS_MAPS, saliency_tables.OTHER_MAPS
    read = {}
    for task, tables in measured(predictions).items():
        read[task] = []
        for table, kind in zip(tables, kinds, strict=True):
            path = tmp_path / f"{kind.name}.csv"
            known = {name: value for name, value in unknown.items() if name in table}
            write_table(conform(table.assign(**known), kind), path)
            read[task].append(read_table(path, kind))
    found = analysed(inputs_of(sample, predictions, maps=read))
    assert made["attention"]["signed_in_box"].notna().any()
    due = made | {"attention": made["attention"].assign(signed_in_box=np.nan)}
    for table in TABLES:
        pd.testing.assert_frame_equal(found[table.name], due[table.name], check_dtype=False)


def test_every_plots_table_is_as_declared(made):
    drawn = plot_tables(made)
    assert list(drawn) == [table.name for table in PLOTS]
    for table in PLOTS:
        conform(drawn[table.name], table)


@pytest.mark.parametrize("table", JUDGED, ids=lambda table: table.name)
def test_a_verdict_is_the_word_for_its_direction(table, made):
    found = made[table.name]
    # A step from a rung near chance has a direction, but no part in the gap that is its own.
    found = found[found["verdict"] != NOT_IDENTIFIED]
    words = found.assign(direction=found["direction"].fillna(9)).groupby("direction")["verdict"]
    assert (words.nunique() == 1).all()
    assert set(found["direction"].dropna()) <= {-1, 0, 1}
    explained = table.columns[table.names.index("direction")].meaning
    for direction, word in words.first().items():
        if direction != 9:
            assert f"{direction:.0f} {word}" in explained


def test_categories_called_like_nothing_survive_in_every_table(made, tmp_path):
    seen = set()
    for table in TABLES:
        for column in {"category_name", "predicted"} & set(table.names):
            path = tmp_path / f"{table.name}.csv"
            write_table(conform(made[table.name], table), path)
            known = set(read_table(path, table)[column])
            assert known == set(made[table.name][column])
            if {"NA", "None", "nan"} <= known:
                seen.add(table.name)
    assert seen >= {"answers", "confusion", "categories"}
