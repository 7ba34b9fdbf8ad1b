"""Every wrong table is refused by `smallsight.analyse` in one line that names what is at fault."""

import numpy as np
import pandas as pd
import pytest

import smallsight
from smallsight.runtime.errors import AnnotationError, ParameterError, SmallsightError

CATEGORIES = ["car", "bus"]


@pytest.fixture
def answers():
    """Six objects of three pictures, under two conditions."""
    number = np.arange(12)
    return pd.DataFrame(
        {
            "image_id": 7 + number % 6 // 2,
            "ann_id": 30 + number % 6,
            "category_name": np.array(CATEGORIES)[number % 2],
            "predicted": np.array(CATEGORIES)[number // 3 % 2],
            "condition": np.repeat(["orig_full", "fog/level=1"], 6),
        }
    )


@pytest.fixture
def objects(answers):
    table = answers[["image_id", "ann_id", "category_name"]].drop_duplicates()
    return table.assign(bbox_w=20.0, bbox_h=30.0, width=640, height=480)


def line_of(*given, **options):
    with pytest.raises(SmallsightError) as error:
        smallsight.analyse(*given, draws=100, **options)
    assert "\n" not in str(error.value)
    return str(error.value).partition("error: ")[2]


def at(row, **columns):
    """Write values into a row, by its number."""

    def change(table):
        table = table.astype(dict.fromkeys(columns, object))
        for name, value in columns.items():
            table.loc[row, name] = value
        return table

    return change


def chances(table, **columns):
    """Add probabilities, and in the last row others."""
    table = table.assign(p_car=0.75, p_bus=0.25)
    for name, value in columns.items():
        table.loc[len(table) - 1, name] = value
    return table


LAST = "predictions: image 9, object 35"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda table: table[:0], "predictions: no rows; expected at least one"),
        (
            lambda table: table.drop(columns=["image_id", "ann_id"]),
            "predictions: no column image_id; expected image_id, or id",
        ),
        (
            lambda table: table.drop(columns="ann_id"),
            "predictions: no column ann_id; expected ann_id, or id",
        ),
        (at(3, ann_id="a"), "predictions: ann_id: row 3: 'a'; expected whole numbers"),
        (at(3, image_id=None), "predictions: image_id: row 3: nothing; expected whole numbers"),
        (at(3, ann_id=30.5), "predictions: ann_id: row 3: 30.5; expected whole numbers"),
        (at(3, ann_id=np.inf), "predictions: ann_id: row 3: inf; expected whole numbers"),
        (
            lambda table: table.drop(columns="category_name"),
            "predictions: no column category_name; expected category_name",
        ),
        (
            lambda table: table.drop(columns="predicted"),
            "predictions: no column predicted; expected the predicted category, or probabilities "
            "p_<category>",
        ),
        (
            at(3, predicted=None),
            "predictions: predicted: row 3: nothing; expected text in every row",
        ),
        (at(3, predicted=""), "predictions: predicted: row 3: nothing; expected text in every row"),
        (
            at(3, category_name=4),
            "predictions: category_name: row 3: 4; expected text in every row",
        ),
        (at(3, condition=2.5), "predictions: condition: row 3: 2.5; expected text in every row"),
        (
            lambda table: table.assign(task="window"),
            "predictions: task: row 0: 'window'; expected one of scene, object",
        ),
        (
            lambda table: table.assign(regime="tuned"),
            "predictions: regime: row 0: 'tuned'; expected one of fixed, retrained",
        ),
        (
            lambda table: table.assign(seed=0.5),
            "predictions: seed: row 0: 0.5; expected whole numbers",
        ),
        (
            lambda table: table.assign(size_group="tiny"),
            "predictions: size_group: row 0: 'tiny'; expected one of small, medium, large",
        ),
        (
            lambda table: table.assign(side=0),
            "predictions: side: row 0: 0; expected numbers above 0",
        ),
        (
            lambda table: table.assign(confidence=1.5),
            "predictions: confidence: row 0: 1.5; expected numbers from 0 to 1",
        ),
        (
            lambda table: chances(table, p_car=-0.5),
            "predictions: p_car: row 11: -0.5; expected numbers from 0 to 1",
        ),
        (
            lambda table: chances(table, p_bus=np.nan),
            "predictions: p_bus: row 11: nothing; expected numbers from 0 to 1",
        ),
        (
            lambda table: chances(table, p_bus=0.5),
            f"{LAST}: probabilities that sum to 1.25; expected 1, with p_other for classes of no "
            "category",
        ),
        (
            lambda table: chances(table, p_car=0.5),
            f"{LAST}: probabilities that sum to 0.75; expected 1, with p_other for classes of no "
            "category",
        ),
        (
            lambda table: chances(table).assign(p_other=0.5),
            "predictions: image 7, object 30: probabilities that sum to 1.5; expected 1, with",
        ),
        (
            lambda table: chances(table, p_bus=0.5, predicted="other"),
            f"{LAST}: probabilities that sum to 1.25; expected 1, with",
        ),
        (
            lambda table: chances(table, predicted="van"),
            "predictions: predicted: row 11: 'van'; expected one of car, bus",
        ),
        (
            lambda table: chances(table, category_name="van"),
            "predictions: category_name: row 11: 'van'; expected one of car, bus",
        ),
        (
            lambda table: pd.concat([table, table[:1]]),
            "predictions: image 7, object 30: two rows (orig_full, object, fixed, seed 0); "
            "expected one",
        ),
        (
            at(11, category_name="car"),
            f"{LAST}: bus and car; expected one category_name in all rows",
        ),
        (
            lambda table: table[:-1],
            f"{LAST}: no row (fog, object, fixed, seed 0); expected every object under every "
            "condition",
        ),
        (
            lambda table: pd.concat([table.assign(seed=0), table[:6].assign(seed=1)]),
            "predictions: image 7, object 30: no row (fog, object, fixed, seed 1); expected every",
        ),
        (
            lambda table: table[table["condition"] != "orig_full"],
            "predictions: no orig_full (object, fixed); expected untouched pictures",
        ),
        (
            lambda table: pd.concat([table, table[6:].assign(task="scene")]).fillna("object"),
            "predictions: no orig_full (scene, fixed); expected untouched pictures",
        ),
        (
            lambda table: table.assign(size_group=["small", *["large"] * 11]),
            "predictions: image 7, object 30: small and large; expected one size_group in all rows",
        ),
        (
            lambda table: table.replace("fog/level=1", "pixels"),
            "predictions: condition: pixels/default; expected pixels/side=<pixels>",
        ),
        (
            lambda table: table.replace("fog/level=1", "pixels/side=few"),
            "predictions: condition: pixels/side=few; expected pixels/side=<pixels>",
        ),
    ],
)
def test_wrong_predictions(answers, change, line):
    assert line_of(change(answers)).startswith(line)


def test_what_is_no_table(tmp_path):
    assert line_of([1]) == (
        "predictions: a list; expected a DataFrame, or the path of a CSV or Parquet file"
    )
    path = tmp_path / "answers.csv"
    assert line_of(path) == f"{path}: No such file or directory; expected a table"
    path.write_text("")
    assert line_of(path).startswith(f"{path}: No columns to parse from file; expected a table in")
    other = tmp_path / "answers.parquet"
    other.write_text("image_id")
    assert line_of(other).startswith(f"{other}: ")
    path.write_text("image_id,ann_id,category_name,predicted\n7,,car,car\n")
    assert line_of(path) == f"{path}: ann_id: row 0: nothing; expected whole numbers"
    path.write_text("image_id,ann_id,category_name,predicted\n7,1,,car\n")
    assert line_of(path) == f"{path}: category_name: row 0: nothing; expected text in every row"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda table: table[:0], "objects: no rows; expected at least one"),
        (lambda table: table.drop(columns="bbox_w"), "objects: no column bbox_w; expected bbox_w"),
        (
            lambda table: table.drop(columns="height"),
            "objects: no size of the pictures; expected img_area, or width and height",
        ),
        (at(2, bbox_h=0.0), "objects: bbox_h: row 2: 0.0; expected numbers above 0"),
        (at(2, bbox_h="wide"), "objects: bbox_h: row 2: 'wide'; expected numbers above 0"),
        (
            at(2, category_name=""),
            "objects: category_name: row 2: nothing; expected text in every row",
        ),
        (
            lambda table: pd.concat([table, table[:1]]),
            "objects: image 7, object 30 twice; expected a row per object",
        ),
        (
            lambda table: table[1:],
            "predictions: image 7, object 30: no such object; expected one of objects",
        ),
        (
            at(0, category_name="van"),
            "predictions: image 7, object 30: 'car'; expected 'van' as in objects",
        ),
        (
            lambda _: [1],
            "objects: a list; expected a DataFrame, a COCO tree, or the path of either",
        ),
        (lambda _: "nowhere.json", "nowhere.json: No such file or directory; expected a readable"),
        (lambda _: "nowhere.csv", "nowhere.csv: No such file or directory; expected a table"),
        (lambda _: {"images": []}, "objects: no 'categories'; expected COCO's lists"),
        (
            lambda _: {"images": [], "annotations": [], "categories": [{"id": 1}]},
            "objects: category 1: no name; expected name to be text",
        ),
    ],
)
def test_wrong_objects(answers, objects, change, line):
    assert line_of(answers, change(objects)).startswith(line)


def test_coco_is_checked_as_any_source_is(answers):
    tree = {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 0, "height": 5}],
        "annotations": [],
        "categories": [{"id": 1, "name": "car"}],
    }
    with pytest.raises(AnnotationError, match="image 7: width 0; expected width to be"):
        smallsight.analyse(answers, tree)


def test_one_id_that_fits_no_object_or_several(answers, objects):
    alone = answers.drop(columns="image_id")
    assert line_of(alone, objects[1:]) == "predictions: object 30; expected one of objects"
    twice = pd.concat([objects, objects[:1].assign(image_id=50)])
    assert line_of(alone, twice) == (
        "predictions: no column image_id, and object 30 stands in several pictures; "
        "expected image_id"
    )


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"task": "window"}, "analyse.task: 'window'; expected one of scene, object"),
        ({"input_size": 0}, "analyse.input_size: 0; expected pixels above 0"),
        ({"input_size": "224"}, "analyse.input_size: '224'; expected pixels above 0"),
        ({"input_size": np.nan}, "analyse.input_size: nan; expected pixels above 0"),
        ({"confidence": 95}, "analyse.confidence: 95; expected less than 1"),
        ({"categories": ["car", "car"]}, "categories: ['car', 'car']; expected names, each of"),
        ({"categories": ["car", ""]}, "categories: ['car', '']; expected names, each of them once"),
        ({"categories": "car"}, "categories: 'car'; expected a list of names"),
        ({"categories": 2}, "categories: 2; expected a list of names"),
        ({"categories": ["car"]}, "predictions: category_name: row 1: 'bus'; expected "
         "one of car"),
        ({"categories": ["bus", "car", "van"], "chances": True}, "predictions: no column p_van; "
         "expected a column for each of bus, car, van"),
        ({"categories": ["car"], "chances": True}, "predictions: p_bus: names no category; "
         "expected p_<category> for each of car"),
    ],
)  # fmt: skip
def test_wrong_options(answers, options, line):
    given = chances(answers) if options.pop("chances", False) else answers
    assert line_of(given, **options).startswith(line)


def test_few_draws_are_refused_as_parameters_are(answers):
    with pytest.raises(ParameterError) as error:
        smallsight.analyse(answers, draws=10)
    assert (
        str(error.value)
        == "parameter error: analyse.draws: 10; expected a whole number, 100 or more"
    )


@pytest.mark.parametrize("draws", ["100", 100.5, True, None])
def test_draws_are_a_whole_number(answers, draws):
    with pytest.raises(ParameterError) as error:
        smallsight.analyse(answers, draws=draws)
    due = f"parameter error: analyse.draws: {draws!r}; expected a whole number, 100 or more"
    assert str(error.value) == due


def test_draws_may_be_of_any_type_of_whole_numbers(answers):
    due = smallsight.analyse(answers, draws=100)["accuracy"]
    assert smallsight.analyse(answers, draws=np.int64(100))["accuracy"].equals(due)


NO_CATEGORY = "predictions: p_value: names no category; expected p_<category> for each of "


@pytest.mark.parametrize(
    ("change", "categories", "due"),
    [
        (lambda table: table.assign(p_value=0.5), None, "bus, car"),
        (lambda table: table.assign(p_value=0.5), ["car", "bus"], "car, bus"),
        (lambda table: chances(table).assign(p_value=0.5), ["car", "bus"], "car, bus"),
        (lambda table: table.assign(p_car=0.5, p_value=0.5), None, "bus, car"),
        (lambda table: table.assign(p_value=0.5, p_other=0.5), None, "bus, car"),
        (lambda table: table.assign(p_value=0.5).replace("bus", "other"), None, "car, other"),
        (lambda table: table.assign(p_value=0.5).drop(columns="predicted"), None, "bus, car"),
        (lambda table: at(3, predicted="van")(table.assign(p_value=0.5)), None, "bus, car, van"),
    ],
)
def test_a_column_of_no_category_is_named(answers, change, categories, due):
    assert line_of(change(answers), categories=categories) == NO_CATEGORY + due


def test_columns_of_all_categories_may_stand_beside_others(answers):
    smallsight.analyse(chances(answers).assign(p_tram=0.0), draws=100)
    without = chances(answers).drop(columns="p_bus")
    assert line_of(without) == "predictions: category_name: row 1: 'bus'; expected one of car"


def test_an_id_that_is_no_whole_number_is_called_as_its_column_is(answers, objects):
    alone = answers.drop(columns=["image_id", "ann_id"])
    named = alone.assign(id=[f"a{number}" for number in answers["ann_id"]])
    due = "predictions: id: row 0: 'a30'; expected whole numbers"
    assert line_of(named) == due
    assert line_of(named, objects) == due
    assert line_of(named.assign(image_id=7)) == due
    some = alone.assign(id=answers["ann_id"] + 0.5 * (answers.index == 2))
    assert line_of(some) == "predictions: id: row 2: 32.5; expected whole numbers"


def test_rows_are_counted_from_0_whatever_the_index_is(answers):
    table = at(3, predicted=None)(at(5, predicted=4)(answers))
    due = "predictions: predicted: row 3: nothing; expected text in every row"
    assert line_of(table) == due
    assert line_of(table.set_index(np.arange(50, 62))) == due
    assert line_of(table.assign(confidence=0.5)[2:]) == due.replace("row 3", "row 1")
    confidence = answers.assign(confidence=[0.5] * 7 + [70.0] * 5)
    assert line_of(confidence) == (
        "predictions: confidence: row 7: 70.0; expected numbers from 0 to 1"
    )


def test_a_cell_that_holds_several_things_is_shown(answers):
    table = answers.assign(predicted=[["car"]] * len(answers))
    due = "predictions: predicted: row 0: ['car']; expected text in every row"
    assert line_of(table) == due


@pytest.mark.parametrize(
    ("name", "meant"), [("Car", "car"), (" car", "car"), ("BUS ", "bus"), ("Other", "other")]
)
def test_another_spelling_of_a_category_is_no_category(answers, name, meant):
    table = at(3, predicted=name)(answers)
    due = f"predictions: predicted: row 3: {name!r}; expected {meant!r}, or categories that"
    assert line_of(table).startswith(due)
    assert line_of(table, categories=CATEGORIES).startswith(due)
    assert line_of(chances(table)).startswith(due)
    both = smallsight.analyse(table, draws=100, categories=[*CATEGORIES, name])
    assert name in set(both["confusion"]["predicted"])
    columns = chances(table).assign(**{f"p_{name}": 0.0})
    assert name in set(smallsight.analyse(columns, draws=100)["confusion"]["predicted"])


def test_true_categories_may_differ_by_case_alone(answers):
    table = answers.replace("bus", "Car")
    assert set(smallsight.analyse(table, draws=100)["categories"]["category_name"]) == {
        "car", "Car"
    }  # fmt: skip


def test_a_report_is_of_tables_and_in_a_folder(answers, tmp_path):
    tables = smallsight.analyse(answers, draws=100)
    file = tmp_path / "x.txt"
    file.write_text("mine")
    for given, folder, line in (
        (tables, file, f"{file}: File exists; expected a folder"),
        (tables, str(file / "in"), f"{file / 'in'}: Not a directory; expected a folder"),
        (tables, 5, "report: folder: an int; expected the path of a folder"),
        (dict(tables), tmp_path, "report: tables: a dict; expected what analyse returns"),
    ):
        with pytest.raises(SmallsightError) as error:
            smallsight.report(given, folder)
        assert str(error.value) == f"error: {line}"
    assert [path.name for path in tmp_path.iterdir()] == ["x.txt"]
    assert file.read_text() == "mine"


def test_the_columns_of_objects_are_named_where_they_are_asked_for(objects):
    said = smallsight.analyse.__doc__.partition("    objects\n")[2].partition("    categories\n")[0]
    for name in (*objects, "id", "img_area", "iscrowd"):
        assert name in said


def test_sums_may_be_as_rough_as_single_precision(answers):
    table = chances(answers).assign(p_car=np.float32(0.75), p_bus=0.2504)
    assert "reliability" in smallsight.analyse(table, draws=100)
