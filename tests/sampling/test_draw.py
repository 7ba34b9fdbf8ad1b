import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.drawn_sample import CATEGORIES, SIDE, dataset, draw
from smallsight.datasets import coco
from smallsight.runtime.errors import SampleError
from smallsight.sampling.draw import EXCLUSIONS
from smallsight.sampling.sample import SAMPLE
from smallsight.vocabulary import SIZE_GROUPS

CONTRACT = """image_id file_name image_path ann_id category_id category_name
bbox_x bbox_y bbox_w bbox_h bbox_area img_area area_ratio size_group"""


def test_sample_keeps_the_contract():
    sample = draw(dataset()).sample
    assert list(sample.columns) == SAMPLE.names == CONTRACT.split()
    assert sample["size_group"].value_counts().to_dict() == dict.fromkeys(SIZE_GROUPS, 20)
    assert sample.equals(sample.sort_values(["image_id", "ann_id"], ignore_index=True))
    assert not sample["ann_id"].duplicated().any()
    assert (sample["image_path"] == "data/images/" + sample["file_name"]).all()
    assert np.allclose(sample["area_ratio"], sample["bbox_w"] * sample["bbox_h"] / SIDE**2)
    persons = sample[sample["category_name"] == "person"]
    assert persons["size_group"].value_counts().max() <= 7


def test_cap_binds_where_there_are_persons_enough():
    counts = draw(dataset(), per_group=40).sample.groupby("size_group")["category_name"]
    assert (counts.apply(lambda names: (names == "person").sum()) == 7).all()


def test_summary_counts_what_was_there_and_what_was_taken():
    data = dataset()
    drawn = draw(data)
    summary = drawn.summary
    assert list(summary) == [
        "requested_per_group", "person_cap", "drawn", "eligible", "excluded", "side_counts",
    ]  # fmt: skip
    assert (summary["requested_per_group"], summary["person_cap"]) == (20, 7)
    assert summary["drawn"] == drawn.sample["size_group"].value_counts().to_dict()
    assert list(summary["eligible"]) == list(SIZE_GROUPS)
    assert all(tuple(row) == CATEGORIES for row in summary["eligible"].values())
    eligible = sum(sum(row.values()) for row in summary["eligible"].values())
    assert eligible + sum(summary["excluded"].values()) == len(data.annotations)
    assert drawn.shortfalls == {}


def test_sides_of_all_eligible_objects_are_counted_in_whole_pixels_rounded_down():
    data = dataset()
    data.annotations.loc[0, ["bbox_w", "bbox_h"]] = [8, 7.9]
    data.annotations.loc[1, ["bbox_w", "bbox_h"]] = [8, 8]
    data.annotations.loc[2, ["bbox_w", "bbox_h"]] = [16, 4]
    data.annotations.loc[3, "iscrowd"] = 1
    counts = draw(data, per_group=5).summary["side_counts"]
    # The builder's objects have areas of 30, 300 and 900 square pixels.
    others = data.annotations[4:]["bbox_w"].round(1).value_counts()
    assert counts == {
        "5": others[5.5], "7": 1, "8": 2, "17": others[17.3], "30": others[30.0],
    }  # fmt: skip
    assert list(counts) == sorted(counts, key=int)
    assert all(type(n) is int for n in counts.values())


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_row_order_does_not_matter(order):
    data = dataset()
    shuffled = coco.Dataset(
        where=data.where,
        categories=data.categories,
        images=data.images.sample(frac=1, random_state=order),
        annotations=data.annotations.sample(frac=1, random_state=order),
    )
    assert draw(shuffled).sample.equals(draw(data).sample)
    assert draw(shuffled).summary == draw(data).summary


def test_seed_decides_and_groups_draw_apart():
    data = dataset()
    assert not draw(data, seed=1).sample.equals(draw(data, seed=2).sample)
    fewer = data.annotations[data.annotations["area"] > 100]
    without_small = coco.Dataset(data.where, data.categories, data.images, fewer)
    for group in ("medium", "large"):
        one, other = (
            d.sample.loc[d.sample["size_group"] == group, "ann_id"].tolist()
            for d in (draw(data), draw(without_small))
        )
        assert one == other


def test_short_groups_take_all_and_say_so():
    drawn = draw(dataset(pictures=5), per_group=1000, person_cap=1000)
    assert len(drawn.sample) == 40
    assert drawn.shortfalls == drawn.summary["drawn"]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("iscrowd", 1, "crowd"),
        ("bbox_w", 0.99, "degenerate"),
        ("bbox_h", 0.5, "degenerate"),
        ("bbox_x", -1.01, "outside"),
        ("bbox_y", SIDE, "outside"),
        ("bbox_w", SIDE + 0.5, "outside"),
        ("bbox_x", -1.0, None),
        ("bbox_w", SIDE, None),
        ("bbox_h", 1.0, None),
    ],
)
def test_unfit_instances_are_left_out_and_counted(column, value, reason):
    data = dataset()
    data.annotations.loc[data.annotations["ann_id"] == 1234, column] = value
    drawn = draw(data, per_group=1000, person_cap=1000)
    assert (1234 in drawn.sample["ann_id"].tolist()) == (reason is None)
    expected = {name: int(name == reason) for name in EXCLUSIONS}
    assert drawn.summary["excluded"] == expected


def test_each_instance_is_left_out_for_one_reason():
    data = dataset()
    data.annotations.loc[0, ["iscrowd", "bbox_w", "bbox_x"]] = [1, 0.5, -50]
    assert draw(data).summary["excluded"] == {"crowd": 1, "degenerate": 0, "outside": 0}


@pytest.mark.parametrize(
    ("data", "person_cap"),
    [
        (dataset(iscrowd=1), 7),
        (coco.parse({"images": [], "annotations": [], "categories": []}, (), where="x.json"), 7),
        (dataset(category_name="person"), 0),
    ],
)
def test_nothing_to_draw_is_one_line(data, person_cap):
    with pytest.raises(SampleError, match=r"x\.json: none of") as caught:
        draw(data, person_cap=person_cap)
    assert "\n" not in str(caught.value)
