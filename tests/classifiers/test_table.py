"""Predictions in a table: looked up by name, and checked as a whole when it is collected."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smallsight import params
from smallsight.classifiers.answers import ANSWERS, NotAskedError
from smallsight.classifiers.sources import Wanted
from smallsight.classifiers.table import collect, open_
from smallsight.runtime import files
from smallsight.runtime.errors import ClassifierError, ParameterError

WANTED = Wanted(seed=0, is_preview=False, layer="last")
MODEL = Path("model.pth")
UNTOUCHED = "object/orig_full/default"
ROWS = [
    ("1_1.png", UNTOUCHED, "car", 0.25),
    ("1_1.png", UNTOUCHED, "bus", 0.75),
    ("1_2.png", UNTOUCHED, "bus", 1.0),
    ("1_2.png", "scene/zoom/factor=0.5,unit=object", "car", 1.0),
]


@pytest.fixture
def settings(study, tmp_path, monkeypatch):
    """Make parameters of a table in a project of its own."""
    monkeypatch.chdir(tmp_path)
    Path("classes.txt").write_text("car\nbus\n")
    table().to_csv("mine.csv", index=False)

    def settings(preprocessing=None, **changes):
        tree = study.classifier.model_dump(mode="json")
        tree |= {"source": "predictions", "file": "mine.csv"}
        tree |= {"class_names": "file", "class_names_file": "classes.txt"}
        tree["preprocessing"] |= {"input_size": 32} | (preprocessing or {})
        return params.validate(params.Classifier, tree | changes, where="params.classifier")

    return settings


def table(*more):
    return pd.DataFrame([*ROWS, *more], columns=ANSWERS.names)


def shown(n):
    return np.zeros((n, 4, 4, 3), np.uint8)


def test_facts_of_a_table(settings):
    facts = collect(settings(input="scene"), MODEL, WANTED)
    assert (facts.source, facts.label, facts.origin) == ("predictions", "mine.csv", "mine.csv")
    assert facts.sha256 == files.sha256("mine.csv") == files.sha256(MODEL)
    assert (facts.classes, facts.input, facts.output) == (("car", "bus"), "scene", "probabilities")
    assert (facts.code, facts.command, facts.notes, facts.maps) == ("", "", (), "none")
    assert facts.preprocessing.input_size == 32


@pytest.mark.parametrize("name", ["mine.csv", "mine.parquet"])
def test_answers_are_looked_up_by_name(name, settings):
    files.write_table(table(), name)
    reader = open_(collect(settings(file=name), MODEL, WANTED), MODEL)
    Path(name).unlink()
    names = [row[:2] for row in (ROWS[3], ROWS[0], ROWS[2])]
    found = np.exp(reader.scene(shown(3), names))
    np.testing.assert_allclose(found, [[1, 0], [0.25, 0.75], [0, 1]], atol=1e-6)
    parts = reader.read_out(shown(1), np.zeros((1, 5)), names[:1], keep_maps=True)
    assert {part: tuple(values.shape) for part, values in parts.items()} == {
        "scene": (1, 2), "last": (1, 0, 0, 0),
    }  # fmt: skip


def test_missing_answers_are_one_line_that_names_the_user_s_own_file(settings):
    reader = open_(collect(settings(), MODEL, WANTED), MODEL)
    with pytest.raises(ClassifierError) as caught:
        reader.scene(shown(3), [(f"1_{n}.png", UNTOUCHED) for n in (2, 3, 4)])
    assert str(caught.value) == (
        "classifier error: mine.csv: no answer to 2 of 3 requests, the first 1_3.png, "
        "object/orig_full/default; expected an answer to each request"
    )
    assert not isinstance(caught.value, NotAskedError)


@pytest.mark.parametrize("condition", ["removed object 1.0", "remedy flip", "zoom/factor=2", ""])
def test_pictures_that_no_request_lists_are_not_asked(condition, settings):
    reader = open_(collect(settings(), MODEL, WANTED), MODEL)
    with pytest.raises(NotAskedError) as caught:
        reader.scene(shown(2), [("1_1.png", UNTOUCHED), ("1_1.png", condition)])
    assert str(caught.value) == (
        f"classifier error: mine.csv: nothing of 1_1.png, {condition}; expected pictures of "
        "rendered conditions, as requests.csv lists them"
    )


def test_a_table_without_rows_can_be_collected_and_answers_nothing(settings):
    ANSWERS.empty().to_csv("mine.csv", index=False)
    reader = open_(collect(settings(), MODEL, WANTED), MODEL)
    assert reader.scene(shown(0), []).shape == (0, 2)
    with pytest.raises(ClassifierError, match="no answer to 1 of 1 requests"):
        reader.scene(shown(1), [("1_1.png", UNTOUCHED)])


def test_rows_that_nobody_asks_for_are_left_alone(settings):
    table(("9_9.png", "object/unheard_of/default", "bus", 1.0)).to_csv("mine.csv", index=False)
    reader = open_(collect(settings(), MODEL, WANTED), MODEL)
    assert np.exp(reader.scene(shown(1), [ROWS[2][:2]])).round().tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("1_3.jpg", UNTOUCHED, "bus", 1),
         "row 6: image '1_3.jpg'; expected <image_id>_<ann_id>.png, as requests.csv has it"),
        (("data/1_3.png", UNTOUCHED, "bus", 1),
         "row 6: image 'data/1_3.png'; expected <image_id>_<ann_id>.png, as requests.csv has it"),
        (("1_3.png", "orig_full", "bus", 1),
         "row 6: condition 'orig_full'; expected <task>/<family>/<level>, as requests.csv has it"),
        (("1_3.png", "window/orig_full/default", "bus", 1),
         "row 6: condition 'window/orig_full/default'; expected <task>/<family>/<level>, as "
         "requests.csv has it"),
        (("1_3.png", UNTOUCHED, "van", 1),
         "row 6: class 'van'; expected one of the classifier's 2 classes, such as car"),
        (("1_3.png", UNTOUCHED, "bus", 7),
         "row 6: probability '7.0'; expected a number from 0 to 1"),
        (ROWS[2],
         "row 6: bus of 1_2.png, object/orig_full/default again; expected one row for each class "
         "of a request"),
        (("1_3.png", UNTOUCHED, "bus", 0.9),
         "row 6: the probabilities of 1_3.png, object/orig_full/default sum to 0.9; expected 1, "
         "give or take 0.001"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_one_line_before_anything_is_written(row, message, settings):
    table(row).to_csv("mine.csv", index=False)
    with pytest.raises(ClassifierError) as caught:
        collect(settings(), MODEL, WANTED)
    assert str(caught.value) == f"classifier error: mine.csv, {message}"
    assert not MODEL.exists()


FORMULA = "=cmd|' /C calc'!A0"


@pytest.mark.parametrize("formula", [FORMULA, "+1+1", "-1+1", "@SUM(1)", "\t=1"])
@pytest.mark.parametrize("column", ANSWERS.names)
def test_a_formula_in_a_cell_is_one_line(formula, column, settings):
    rows = table(("1_3.png", UNTOUCHED, "bus", 1.0)).astype({"probability": object})
    rows.loc[rows.index[-1], column] = formula
    rows.to_csv("mine.csv", index=False)
    with pytest.raises(ClassifierError) as caught:
        collect(settings(), MODEL, WANTED)
    assert str(caught.value).startswith(f"classifier error: mine.csv, row 6: {column} ")
    assert "\n" not in str(caught.value)


def test_a_class_whose_name_is_a_formula_is_text(settings):
    """The page's download is what marks it for spreadsheets: see `test_page_in_browser`."""
    Path("classes.txt").write_text(f"car\n{FORMULA}\n")
    table().replace("bus", FORMULA).to_csv("mine.csv", index=False)
    facts = collect(settings(), MODEL, WANTED)
    assert facts.classes == ("car", FORMULA)
    found = np.exp(open_(facts, MODEL).scene(shown(1), [ROWS[0][:2]]))
    np.testing.assert_allclose(found, [[0.25, 0.75]], atol=1e-6)


def test_a_wrong_row_leaves_the_last_good_table(settings):
    collect(settings(), MODEL, WANTED)
    before = MODEL.read_bytes()
    Path("mine.csv").write_text("nothing\n")
    with pytest.raises(ClassifierError):
        collect(settings(), MODEL, WANTED)
    assert MODEL.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"file": "no.csv"}, ClassifierError,
         "no.csv: No such file or directory; expected a table of answers"),
        ({"class_names": "metadata"}, ParameterError,
         "params.classifier.class_names: metadata, of which predictions has none; expected file "
         "or imagenet"),
        ({"preprocessing": {"input_size": None}}, ParameterError,
         "params.classifier.preprocessing.input_size: null; expected width and height, in pixels, "
         "of the pictures that are asked about"),
        ({"preprocessing": {"range": "0..1"}}, ParameterError,
         "params.classifier.preprocessing.range: '0..1'; expected null: with predictions, pictures "
         "are handed over as they are"),
    ],
)  # fmt: skip
def test_what_cannot_be_collected_is_one_line(changes, kind, message, settings):
    with pytest.raises(kind, match=f"^{kind.label}: {re.escape(message)}$"):
        collect(settings(**changes), MODEL, WANTED)
