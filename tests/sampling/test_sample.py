import numpy as np
import pandas as pd
import pytest

from builders.drawn_sample import SIDE, dataset, draw
from smallsight.runtime.errors import SmallsightError
from smallsight.runtime.tables import read_table
from smallsight.sampling.sample import OBJECTS, read_sample
from smallsight.sampling.sizes import size_groups


@pytest.mark.parametrize(
    ("area", "group"),
    [(99.9, "small"), (100, "medium"), (499.9, "medium"), (500, "large"), (SIDE**2, "large")],
)
def test_limits_belong_to_the_group_above(area, group):
    assert size_groups(np.array([area / SIDE**2])).tolist() == [group]


def test_read_gives_back_what_was_written(tmp_path):
    sample = draw(dataset()).sample.assign(category_name="NA", more=1)
    sample.to_csv(tmp_path / "sample.csv", index=False)
    pd.testing.assert_frame_equal(read_sample(tmp_path / "sample.csv"), sample, check_dtype=False)


@pytest.mark.parametrize("names", [["0", "1", "9"], ["1e5", "007", "nan"], ["True", "", "NA"]])
def test_names_are_the_same_text_in_every_table(tmp_path, names):
    sample = draw(dataset()).sample
    texts = np.resize(names, len(sample)).tolist()
    sample = sample.assign(category_name=texts, file_name=texts, image_path=texts)
    sample.to_csv(tmp_path / "sample.csv", index=False)
    boxes = ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]
    objects = sample[["image_id", "ann_id", "category_id", "category_name", *boxes]]
    objects.assign(area=1.5, iscrowd=0).to_csv(tmp_path / "objects.csv", index=False)
    read = read_sample(tmp_path / "sample.csv")
    for name in ("category_name", "file_name", "image_path"):
        assert read[name].tolist() == texts
    assert read_table(tmp_path / "objects.csv", OBJECTS)["category_name"].tolist() == texts


@pytest.mark.parametrize("content", [None, "", "image_id,ann_id\n1,2\n", 'a,b\n"1'])
def test_read_names_a_file_that_is_no_sample(tmp_path, content):
    path = tmp_path / "sample.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SmallsightError) as caught:
        read_sample(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
