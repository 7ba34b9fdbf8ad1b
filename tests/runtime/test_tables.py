import numpy as np
import pandas as pd
import pytest

from smallsight.runtime.errors import SmallsightError
from smallsight.runtime.files import write_table
from smallsight.runtime.tables import (
    Table,
    conform,
    flag,
    identifier,
    number,
    read_table,
    text,
    whole,
)

TABLE = Table(
    "things",
    "things that were counted",
    (
        text("name", "what it is called"),
        identifier("id", "its number"),
        identifier("other_id", "the number of another one"),
        whole("n", "how many"),
        whole("direction", "1, -1, 0 or empty"),
        number("value", "how much"),
        flag("known", "whether it is known"),
    ),
)
HUGE = 2**53 + 1
"""No floating-point number is equal to it."""


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "name": ["NA", "None", "nan", "", '"a", b'],
            "id": [HUGE, 2, 3, 4, 5],
            "other_id": pd.array([HUGE, None, 3, None, 5], dtype="Int64"),
            "n": [1, 2, 3, 4, 5],
            "direction": [1.0, -1.0, 0.0, np.nan, 1.0],
            "value": [0.1, np.nan, np.inf, -np.inf, 1e-300],
            "known": [True, False, True, False, True],
        }
    )


def written(frame, path, table=TABLE):
    write_table(conform(frame, table), path)
    return path


def test_what_was_written_comes_back_as_declared(frame, tmp_path):
    found = read_table(written(frame, tmp_path / "things.csv"), TABLE)
    assert list(found.columns) == TABLE.names == list(frame.columns)
    assert found["name"].tolist() == frame["name"].tolist()
    assert found["id"].tolist() == frame["id"].tolist()
    assert found["other_id"].isna().tolist() == [False, True, False, True, False]
    assert found["other_id"].dropna().tolist() == [HUGE, 3, 5]
    np.testing.assert_array_equal(found["direction"], frame["direction"])
    np.testing.assert_array_equal(found["value"], frame["value"])
    assert found["known"].tolist() == frame["known"].tolist()
    types = {name: str(dtype) for name, dtype in found.dtypes.items()}
    assert types.pop("name") in ("str", "object")
    assert types == {
        "id": "int64", "other_id": "Int64", "n": "int64", "direction": "float64",
        "value": "float64", "known": "bool",
    }  # fmt: skip


def test_whole_numbers_have_no_decimal_point_even_where_some_are_empty(frame, tmp_path):
    lines = written(frame, tmp_path / "things.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == ",".join(TABLE.names)
    assert lines[1] == f"NA,{HUGE},{HUGE},1,1,0.1,True"
    assert lines[4] == ",4,,4,,-inf,False"


def test_a_table_without_rows_has_its_columns_and_types(frame, tmp_path):
    found = read_table(written(frame.iloc[:0], tmp_path / "things.csv"), TABLE)
    assert list(found.columns) == TABLE.names
    assert len(found) == 0
    assert found.dtypes["known"] == "bool"
    assert found.dtypes["n"] == "int64"


def test_columns_that_are_not_declared_are_read_too(frame, tmp_path):
    path = tmp_path / "things.csv"
    frame.assign(more="NA", p_car=0.5).to_csv(path, index=False)
    found = read_table(path, TABLE)
    assert found["more"].tolist() == ["NA"] * 5
    assert found["p_car"].tolist() == [0.5] * 5


@pytest.mark.parametrize("name", TABLE.names)
def test_a_missing_column_is_named(frame, tmp_path, name):
    path = tmp_path / "things.csv"
    frame.drop(columns=name).to_csv(path, index=False)
    with pytest.raises(SmallsightError, match=rf"things\.csv: no column {name};.*name, id"):
        read_table(path, TABLE)


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", "1.5"), ("n", "many"), ("value", "much"), ("known", "maybe"), ("known", "1")],
)
def test_what_a_column_cannot_hold_is_named(frame, tmp_path, name, value):
    path = tmp_path / "things.csv"
    frame.astype({name: object}).assign(**{name: value}).to_csv(path, index=False)
    with pytest.raises(SmallsightError, match=rf"things\.csv: {name}: .*{value}"):
        read_table(path, TABLE)


@pytest.mark.parametrize("content", ["", 'a,b\n"1,2\n', "a\n1,2\n3,4,5\n"])
def test_a_file_that_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "things.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SmallsightError, match=r"things\.csv: "):
        read_table(path, TABLE)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SmallsightError, match=r"things\.csv: No such file"):
        read_table(tmp_path / "things.csv", TABLE)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.drop(columns="n"),
        lambda frame: frame[TABLE.names[::-1]],
        lambda frame: frame.assign(more=1),
        lambda frame: frame.assign(known="yes"),
    ],
)
def test_a_table_that_is_not_as_declared_is_not_written(frame, change):
    with pytest.raises(ValueError, match="things: "):
        conform(change(frame), TABLE)


def test_whole_numbers_are_whole(frame):
    with pytest.raises((TypeError, ValueError)):
        conform(frame.assign(n=0.5), TABLE)


def test_further_columns_are_written_where_they_are_declared(frame):
    open_table = Table("things", "", TABLE.columns, rest=number("p_<name>", "how likely"))
    assert list(conform(frame.assign(p_a=0.5), open_table)) == [*TABLE.names, "p_a"]
