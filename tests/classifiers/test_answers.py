"""Answers are read, and whatever is wrong with them is one line that names file and row."""

import numpy as np
import pandas as pd
import pytest

from smallsight.classifiers.answers import ANSWERS, NEVER, read_answers
from smallsight.runtime.errors import ClassifierError

CLASSES = ("car", "bus", "NA")
HEAD = "image,condition,class,probability\n"
ONE = "1_2.png,object/zoom/factor=2,"


def anything(name):
    return None


@pytest.fixture
def written(tmp_path):
    """Write a file of answers."""

    def written(content, name="answers.csv"):
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path, index=False)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


def table(*rows):
    return pd.DataFrame(rows, columns=ANSWERS.names)


def test_answers_are_read_in_any_order(written):
    path = written(
        "class,probability,condition,image\n"
        "bus,0.25,a/b/c,2_1.png\nNA,1,a/b/c,1_1.png\ncar,.75,a/b/c,2_1.png\n"
    )
    found = read_answers(path, CLASSES, anything)
    assert found.names == (("2_1.png", "a/b/c"), ("1_1.png", "a/b/c"))
    assert found.probabilities.tolist() == [[0.75, 0.25, 0], [0, 0, 1]]
    assert found.probabilities.dtype == np.float32


def test_parquet_is_known_by_its_content(written):
    rows = table(("1_2.png", "a/b/c", "bus", 0.5), ("1_2.png", "a/b/c", "car", 0.5))
    for frame in (
        rows,
        rows.astype({"class": "category"}),
        rows.astype({"probability": "float32"}),
    ):
        found = read_answers(written(frame, "backbone.pth"), CLASSES, anything)
        assert found.names == (("1_2.png", "a/b/c"),)
        assert found.probabilities.tolist() == [[0.5, 0.5, 0]]
    numbered = table(("1_2.png", "a/b/c", 7, 1.0))
    assert read_answers(written(numbered), ("7",), anything).probabilities.tolist() == [[1]]


def test_a_table_may_have_no_rows(written):
    for content in (HEAD, table()):
        found = read_answers(written(content), CLASSES, anything)
        assert (found.names, found.probabilities.shape) == ((), (0, 3))


def test_logarithms_come_in_the_order_asked(written):
    path = written(HEAD + "a,x,car,1\nb,x,bus,0.5\nb,x,car,0.5\n" + "c,x,NA,1e-45\nc,x,bus,1\n")
    found = read_answers(path, CLASSES, anything)
    logs = found.logs_of([("b", "x"), ("a", "x"), ("b", "x"), ("c", "x")], path)
    half = np.float32(np.log(0.5))
    never = np.float32(NEVER)
    due = [[half, half, never], [0, never, never], [half, half, never], [never, 0, never]]
    assert logs.tolist() == np.float32(due).tolist()
    assert logs.dtype == np.float32
    assert found.logs_of([], path).shape == (0, 3)


def test_a_request_without_an_answer_is_one_line(written):
    path = written(HEAD + "a,x,car,1\n")
    with pytest.raises(ClassifierError) as caught:
        read_answers(path, CLASSES, anything).logs_of(
            [("a", "x"), ("b", "y/z"), ("a", "y/z")], "here"
        )
    assert str(caught.value) == (
        "classifier error: here: no answer to 2 of 3 requests, the first b, y/z; expected an "
        "answer to each request"
    )


def test_a_sum_may_be_rounded(written):
    path = written(HEAD + f"{ONE}car,0.3333\n{ONE}bus,0.3333\n{ONE}NA,0.333\n")
    read_answers(path, CLASSES, anything)
    read_answers(written(HEAD + f"{ONE}car,1.0000002\n"), CLASSES, anything)


COLUMNS = "expected the columns image, condition, class, probability"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{ONE}car,1\n{ONE}van,0\n",
         ", row 3: class 'van'; expected one of the classifier's 3 classes, such as car"),
        (f"{ONE}car,1\n1_2.png,object/zoom/factor=2,,0\n",
         ", row 3: class ''; expected one of the classifier's 3 classes, such as car"),
        (f"{ONE}car,0.5\n{ONE}bus,high\n",
         ", row 3: probability 'high'; expected a number from 0 to 1"),
        (f"{ONE}car,\n", ", row 2: probability ''; expected a number from 0 to 1"),
        (f"{ONE}car,nan\n", ", row 2: probability 'nan'; expected a number from 0 to 1"),
        (f"{ONE}car,inf\n", ", row 2: probability 'inf'; expected a number from 0 to 1"),
        # Logits given as probabilities.
        (f"{ONE}car,2.5\n{ONE}bus,-1.5\n",
         ", row 2: probability '2.5'; expected a number from 0 to 1"),
        (f"{ONE}car,1\n{ONE}bus,-0.1\n",
         ", row 3: probability '-0.1'; expected a number from 0 to 1"),
        (f"{ONE}car,0.5\n{ONE}bus,0.5\n{ONE}car,0.5\n",
         ", row 4: car of 1_2.png, object/zoom/factor=2 again; expected one row for each class of "
         "a request"),
        (f"3_4.png,a,car,1\n{ONE}car,0.5\n{ONE}bus,0.498\n",
         ", row 3: the probabilities of 1_2.png, object/zoom/factor=2 sum to 0.998; expected 1, "
         "give or take 0.001"),
        (f"{ONE}car,1\n{ONE}bus,1\n",
         ", row 2: the probabilities of 1_2.png, object/zoom/factor=2 sum to 2; expected 1, give "
         "or take 0.001"),
        (f"{ONE}car,1\n3_4.png,a\n",
         ": CSV parse error: Row #3: Expected 4 columns, got 2: 3_4.png,a; expected a table of "
         "answers in CSV or Parquet"),
        (f"{ONE}car,1,2\n",
         f": CSV parse error: Row #2: Expected 4 columns, got 5: {ONE}car,1,2; expected a table of "
         "answers in CSV or Parquet"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_row_is_one_line(content, message, written):
    path = written(HEAD + content)
    with pytest.raises(ClassifierError) as caught:
        read_answers(path, CLASSES, anything)
    assert str(caught.value) == f"classifier error: {path}{message}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image,condition,class\na,b,car\n", f"no column probability; {COLUMNS}"),
        ("image;condition;class;probability\na;b;car;1\n", f"no column image; {COLUMNS}"),
        ("image,image,condition,class,probability\na,a,b,car,1\n",
         f"more than one column image; {COLUMNS}"),
        ("image,condition,class,probability,score\na,b,car,1,2\n",
         f"a column 'score'; {COLUMNS} and no others"),
        ("", "Empty CSV file; expected a table of answers in CSV or Parquet"),
        (HEAD.encode() + b"\xe9,b,car,1\n",
         "In CSV column #0: Row #2: CSV conversion error to string: invalid UTF8 data; expected a "
         "table of answers in CSV or Parquet"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_one_line(content, message, written):
    path = written(content)
    with pytest.raises(ClassifierError) as caught:
        read_answers(path, CLASSES, anything)
    assert str(caught.value) == f"classifier error: {path}: {message}"


def test_rows_of_parquet_count_from_one(written):
    rows = table(("1_2.png", "a/b/c", "car", 1.0), ("1_2.png", "a/b/c", "bus", -1.0))
    path = written(rows, "answers.parquet")
    with pytest.raises(ClassifierError, match=r", row 2: probability '-1\.0'"):
        read_answers(path, CLASSES, anything)
    path = written(table(("1_2.png", None, "van", None)))
    with pytest.raises(ClassifierError, match=", row 1: class 'van'"):
        read_answers(path, CLASSES, anything)
    path = written(table(("1_2.png", "a", "car", None)))
    with pytest.raises(ClassifierError, match=r", row 1: probability '\w+'"):
        read_answers(path, CLASSES, anything)


def test_a_file_that_is_missing_or_damaged_is_one_line(written, tmp_path):
    with pytest.raises(ClassifierError, match=r"no\.csv: No such file or directory; expected"):
        read_answers(tmp_path / "no.csv", CLASSES, anything)
    whole = written(table(("1_2.png", "a/b/c", "car", 1.0))).read_bytes()
    path = written(whole[:-20])
    with pytest.raises(ClassifierError) as caught:
        read_answers(path, CLASSES, anything)
    assert str(caught.value).startswith(f"classifier error: {path}: ")
    assert "\n" not in str(caught.value)
    nested = pd.DataFrame(
        {"image": [["a"]], "condition": ["b"], "class": ["c"], "probability": 1.0}
    )
    with pytest.raises(ClassifierError, match="expected a table of answers in CSV or Parquet"):
        read_answers(written(nested), CLASSES, anything)


def test_a_name_without_a_place_is_refused_at_its_first_row(written):
    path = written(HEAD + f"{ONE}car,1\n3_4.png,a,car,1\n3_4.png,a,bus,0\n")
    with pytest.raises(ClassifierError) as caught:
        read_answers(path, CLASSES, lambda name: ("x", "y") if name[1] == "a" else None)
    assert str(caught.value) == f"classifier error: {path}, row 3: x; expected y"
