"""Tables for DVC's plots: what is in them is what the analysis found, and no more."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from builders.study_files import INPUTS, write_study
from smallsight.analysis import dvc_plots
from smallsight.analysis.terms import PARTS, steps_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.tables import TRAINING_CURVE

pytestmark = pytest.mark.page

ROOT = Path(__file__).parents[2]
NAMES = ("accuracy", "pixels", "ladder", "gap_parts", "answers")
DEFINED = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["plots"]


def made_of(folder, **properties):
    write_study(folder, **properties)
    return {
        name: pd.read_csv(folder / INPUTS.table(name), keep_default_na=False, na_values=[""])
        for name in NAMES
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_of(tmp_path_factory.mktemp("plots"), category="None")


@pytest.fixture(scope="module")
def drawn(made):
    return dvc_plots.plot_tables(made)


def test_every_condition_of_the_headline_is_there_once_in_order(made, drawn):
    table = drawn["by_condition"]
    fixed = made["accuracy"].query("regime == 'fixed' and task == 'object'")
    assert table["condition"].tolist() == list(dict.fromkeys(fixed["condition"]))
    known = fixed.set_index(["condition", "size_group"])["acc"]
    for group in ("all", "small", "medium", "large"):
        due = [known[condition, group] for condition in table["condition"]]
        assert table[group].tolist() == pytest.approx(due, abs=5e-5)


def test_the_parts_of_the_gap_sum_to_it(made, drawn):
    table = drawn["gap"]
    known = made["gap_parts"].set_index("part")["value"]
    labels = [
        PARTS[part].label if part in PARTS else steps_of(part)[0].label
        for part in known.index
        if part != "gap"
    ]
    assert table["part"].tolist() == labels
    assert table["points"].sum() == pytest.approx(100 * known["gap"], abs=1e-3)


def test_the_ladder_is_in_its_order(made, drawn):
    table = drawn["ladder"]
    assert table["rung"].tolist() == list(dict.fromkeys(made["ladder"]["rung"]))
    known = made["ladder"].set_index(["rung", "size_group"])["accuracy"]
    for group in ("small", "large"):
        due = [known[rung, group] for rung in table["rung"]]
        assert table[group].tolist() == pytest.approx(due, abs=5e-5)


def test_pixels_rise_and_are_of_the_same_objects(made, drawn):
    table = drawn["by_pixels"]
    rows = made["pixels"].query("regime == 'fixed' and size_group == 'all'")
    due = rows[rows["native"].astype(str) == "False"]
    assert table["side"].is_monotonic_increasing
    assert table["side"].tolist() == due["side"].tolist()
    assert table["accuracy"].tolist() == pytest.approx(due["acc"].tolist(), abs=5e-5)
    assert due["n"].nunique() == 1


def test_confusion_counts_every_untouched_object_once(made, drawn):
    answers = made["answers"].query("condition == @UNTOUCHED and task == 'object'")
    assert len(drawn["confusion"]) == len(answers)
    right = (drawn["confusion"]["category"] == drawn["confusion"]["predicted"]).sum()
    assert right == (~answers["failed"]).sum() > 0
    assert "None" in set(drawn["confusion"]["category"])


def test_what_a_study_lacks_leaves_a_table_without_rows(tmp_path):
    few = dvc_plots.plot_tables(made_of(tmp_path, only=(UNTOUCHED,), counts={"small": 0}))
    assert few["gap"].empty
    assert list(few["gap"].columns) == ["part", "points"]
    assert few["by_pixels"].empty
    assert list(few["by_pixels"].columns) == ["side", "accuracy"]
    assert few["by_condition"]["small"].isna().all()


@pytest.mark.parametrize("plot", DEFINED, ids=lambda plot: next(iter(plot)))
def test_every_definition_names_columns_that_are_there_and_labels_its_axes(plot, drawn):
    ((_, told),) = plot.items()
    assert {"title", "x", "y", "x_label", "y_label"} <= told.keys()
    ((file, columns),) = told["y"].items()
    if file.startswith("data/plots/"):
        known = drawn[Path(file).stem].columns
    else:
        known = TRAINING_CURVE.names
    assert {told["x"], *([columns] if isinstance(columns, str) else columns)} <= set(known)
