import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.drawn_sample import dataset, draw
from smallsight.runtime.errors import SampleError, SmallsightError
from smallsight.sampling.listed import read_listed


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mine.csv"


def draw_listed(frame, path, **options):
    frame.to_csv(path, index=False)
    return draw(dataset(), listed=(str(path), read_listed(path)), **options)


def test_the_earlier_studys_file_is_its_sample_again(path):
    """Rows, size groups and boxes as they are, whatever would be drawn."""
    earlier = draw(dataset(), seed=3, per_group=11).sample
    earlier = earlier.sample(frac=1, random_state=0)
    again = draw_listed(earlier.assign(image_path="/gone/a.jpg", note="x"), path, per_group=2)
    due = earlier.sort_values(["image_id", "ann_id"], ignore_index=True)
    assert again.sample.equals(due.assign(image_path="data/images/" + due["file_name"]))
    assert again.summary["listed"] == str(path)
    assert again.summary["drawn"] == dict.fromkeys(("small", "medium", "large"), 11)


def test_a_lists_own_size_groups_count(path):
    listed = pd.DataFrame(
        {"image_id": [10, 10], "ann_id": [1000, 1001], "size_group": ["large", "small"]}
    )
    sample = draw_listed(listed, path).sample
    assert sample["size_group"].tolist() == ["large", "small"]


def test_two_columns_are_enough(path):
    sample = draw_listed(pd.DataFrame({"image_id": [10, 11], "ann_id": [1003, 1010]}), path).sample
    known = dataset().annotations.set_index("ann_id")
    assert sample["category_name"].tolist() == known.loc[[1003, 1010], "category_name"].tolist()
    assert sample["area_ratio"].tolist() == pytest.approx(
        (known.loc[[1003, 1010], "area"] / 100**2).tolist()
    )


def test_a_list_without_rows_is_none(path):
    path.write_text("image_id,ann_id,size_group\n")
    assert read_listed(path) is None


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("image_id,ann_id\n10,1000\n10,1000\n", "1 instances twice, such as image 10"),
        ("image_id,ann_id\n10,1000\n10,\n", "line 3: no ann_id"),
        ("image_id,ann_id\n10,1000\nx,1001\n", "'x'.*, with whole numbers as image_id, ann_id"),
        ("image_id,bbox\n10,1\n", "no column ann_id"),
        ("image_id,ann_id,size_group\n10,1000,huge\n", "size_group 'huge' in 1 rows"),
        ("image_id,ann_id\n10,1000\n1.5,1001\n", "float64"),
        ("image_id,ann_id\n10,1000\n1" + 20 * "0" + ",1001\n", "too large"),
        ("", "No columns"),
    ],
)
def test_a_malformed_list_is_one_line(path, rows, found):
    path.write_text(rows)
    with pytest.raises(SmallsightError, match=found) as caught:
        read_listed(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("end", [",", ",7", ",,"])
def test_further_values_of_all_rows_do_not_move_the_columns(path, end):
    path.write_text(f"image_id,ann_id\n10,1000{end}\n11,1010{end}\n")
    found = read_listed(path)
    assert (found["image_id"].tolist(), found["ann_id"].tolist()) == ([10, 11], [1000, 1010])


def test_a_list_of_one_category_is_refused(path):
    cars = dataset().annotations.query("category_name == 'car'").head(3)
    with pytest.raises(SampleError, match=r"mine\.csv: 3 instances, all of them car; expected"):
        draw_listed(cars[["image_id", "ann_id"]], path)


def test_instances_that_the_annotations_lack_are_counted_in_one_line(path):
    listed = pd.DataFrame({"image_id": [10, 10, 99], "ann_id": [1000, 77, 1001]})
    with pytest.raises(SampleError, match="2 of 3 instances, such as image 10, annotation 77"):
        draw_listed(listed, path)


def test_boxes_of_other_annotations_are_named(path):
    earlier = draw(dataset()).sample
    with pytest.raises(SampleError, match=r"bbox_x of 2 instances, .*the annotations' own boxes"):
        draw_listed(earlier.assign(bbox_x=[40.0, 40.0, *earlier["bbox_x"][2:]]), path)
    assert len(draw_listed(earlier.assign(bbox_x=earlier["bbox_x"] + 0.4), path).sample) == 60


cells = st.integers(0, 2) | st.floats() | st.text(max_size=4) | st.sampled_from(["", "small", "7"])


ONE_FOLDER = [HealthCheck.function_scoped_fixture]


@settings(max_examples=150, deadline=None, suppress_health_check=ONE_FOLDER)
@given(
    st.lists(st.sampled_from(["image_id", "ann_id", "size_group", "bbox_x", "x"]), max_size=5),
    st.lists(st.lists(cells, max_size=6), max_size=4),
    st.sampled_from([",", ";", "\t"]),
)
def test_any_list_is_read_or_refused_in_one_line(tmp_path, header, rows, separator):
    path = tmp_path / "any.csv"
    lines = [separator.join(map(str, row)) for row in (header, *rows)]
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    try:
        listed = read_listed(path)
    except SmallsightError as error:
        assert str(path) in str(error)
        assert str(error).isprintable()
    else:
        assert listed is None or not listed.duplicated(["image_id", "ann_id"]).any()


@settings(max_examples=100, deadline=None, suppress_health_check=ONE_FOLDER)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_list_or_one_line(tmp_path, content):
    path = tmp_path / "any.csv"
    path.write_bytes(b"image_id,ann_id\n" + content)
    try:
        read_listed(path)
    except SmallsightError as error:
        assert str(path) in str(error)
