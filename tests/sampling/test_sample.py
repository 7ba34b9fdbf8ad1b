import numpy as np
import pandas as pd
import pytest

from builders.drawn_sample import SIDE, dataset, draw
from smallsight.runtime.errors import SampleError
from smallsight.sampling.sample import read_sample
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


@pytest.mark.parametrize("content", [None, "", "image_id,ann_id\n1,2\n", 'a,b\n"1'])
def test_read_names_a_file_that_is_no_sample(tmp_path, content):
    path = tmp_path / "sample.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SampleError) as caught:
        read_sample(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
