"""Tables for DVC's plots: what is in them is what the analysis found, and no more."""

import configparser
import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from dvc_render.html import render_html
from dvc_render.vega import VegaRenderer

from builders.study_files import INPUTS, write_study
from smallsight.analysis import dvc_plots
from smallsight.analysis.terms import PARTS, steps_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import BASELINES, RUNGS
from smallsight.evaluation.tables import TRAINING_CURVE

pytestmark = pytest.mark.page

ROOT = Path(__file__).parents[2]
NAMES = ("accuracy", "pixels", "ladder", "gap_parts", "answers")
DEFINED = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["plots"]
TEMPLATES = ROOT / ".dvc/plots"
WITH_INTERVALS = ["ladder", "gap by cause", "accuracy by condition", "accuracy by pixels"]


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


def test_every_condition_of_the_headline_is_there_once_a_group_in_order(made, drawn):
    table = drawn["by_condition"]
    fixed = made["accuracy"].query("regime == 'fixed' and task == 'object'")
    assert list(dict.fromkeys(table["condition"])) == list(dict.fromkeys(fixed["condition"]))
    assert not table.duplicated(["condition", "size_group"]).any()
    assert set(table["size_group"]) == {"small", "medium", "large"}
    known = fixed.set_index(["condition", "size_group"])
    due = known.loc[list(zip(table["condition"], table["size_group"], strict=True))]
    assert_alike(table, due, accuracy="acc")


def assert_alike(table, due, *, times=1, **estimate):
    """Check an estimate, and the ends of its interval, against the table that they are from."""
    columns = estimate | {"ci_low": "ci_low", "ci_high": "ci_high"}
    for name, source in columns.items():
        assert table[name].tolist() == pytest.approx((times * due[source]).tolist(), abs=5e-5)
        assert table[name].notna().all()


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
    parts = made["gap_parts"].query("part != 'gap'")
    assert_alike(table, parts, times=100, points="value")


def test_the_ladder_is_in_its_order_and_says_what_is_given(made, drawn):
    table = drawn["ladder"]
    labels = {rung.name: rung.label for rung in RUNGS} | BASELINES
    due = made["ladder"].query("size_group in ('small', 'large')")
    assert table["rung"].tolist() == [labels[name] for name in due["rung"]]
    assert table["size_group"].tolist() == due["size_group"].tolist()
    assert_alike(table, due, accuracy="accuracy")


def test_pixels_rise_and_are_of_the_same_objects(made, drawn):
    table = drawn["by_pixels"]
    rows = made["pixels"].query("regime == 'fixed' and size_group == 'all'")
    due = rows[rows["native"].astype(str) == "False"]
    assert table["side"].is_monotonic_increasing
    assert table["side"].tolist() == due["side"].tolist()
    assert_alike(table, due, accuracy="acc")
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
    assert list(few["gap"].columns) == ["part", "points", "ci_low", "ci_high"]
    assert few["by_pixels"].empty
    assert list(few["by_pixels"].columns) == ["side", "accuracy", "ci_low", "ci_high"]
    assert set(few["by_condition"]["size_group"]) == {"medium", "large"}


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


def filled(name, drawn, *, revisions=("workspace",)):
    """Fill the template of a plot as DVC does, with the tables of several revisions."""
    (told,) = (one[name] for one in DEFINED if name in one)
    ((file, column),) = told["y"].items()
    rows = [
        row | {"rev": revision, "filename": file, "field": column}
        # DVC reads text.
        for revision in revisions
        for row in drawn[Path(file).stem].astype(str).to_dict("records")
    ]
    return VegaRenderer(
        rows,
        name,
        **told | {"y": column, "anchors_y_definitions": [{"filename": file, "field": column}]},
        template_dir=str(TEMPLATES),
        revs_with_datapoints=list(revisions),
    )


@pytest.mark.parametrize("name", WITH_INTERVALS)
def test_a_template_shows_intervals_and_leaves_no_anchor(name, drawn):
    made = json.dumps(filled(name, drawn).get_filled_template())
    assert "DVC_METRIC" not in made
    for column in ("ci_low", "ci_high"):
        assert f"datum.{column}" in made


def test_every_template_is_used(drawn):
    used = {told.get("template") for one in DEFINED for told in one.values()}
    assert {path.stem for path in TEMPLATES.glob("*.json")} <= used


@pytest.mark.browser
def test_the_page_draws_every_plot_without_a_network(browser, drawn, tmp_path):
    revisions = ("main", "other")
    rows = [filled(name, drawn, revisions=revisions) for name in WITH_INTERVALS]
    path = render_html(rows, tmp_path / "index.html", html_template=TEMPLATES / "page.html")
    page = browser.new_context(offline=True).new_page()
    errors, asked = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("request", lambda one: asked.append(one.url))
    page.goto(Path(path).as_uri())
    page.wait_for_function(f"document.querySelectorAll('canvas').length == {len(rows)}")
    assert errors == []
    assert len(asked) == 1, asked
    page.context.close()


def test_dvc_uses_that_page():
    settings = configparser.ConfigParser()
    settings.read(ROOT / ".dvc/config")
    assert (ROOT / ".dvc" / settings["plots"]["html_template"]).samefile(TEMPLATES / "page.html")
    assert (TEMPLATES / "page.html").stat().st_size < 1e6
