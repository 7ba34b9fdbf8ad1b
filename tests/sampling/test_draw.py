import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.drawn_sample import CATEGORIES, SIDE, dataset, draw
from smallsight import params
from smallsight.datasets import coco
from smallsight.datasets.left_out import LeftOut
from smallsight.runtime.errors import SampleError
from smallsight.sampling.draw import spread_evenly
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
        "requested_per_group", "caps", "balance", "sizes", "listed", "drawn", "eligible",
        "excluded", "examples", "measures", "side_counts",
    ]  # fmt: skip
    assert (summary["requested_per_group"], summary["caps"]) == (20, {"person": 7})
    assert summary["drawn"] == drawn.sample["size_group"].value_counts().to_dict()
    assert list(summary["eligible"]) == list(SIZE_GROUPS)
    assert all(tuple(row) == CATEGORIES for row in summary["eligible"].values())
    eligible = sum(sum(row.values()) for row in summary["eligible"].values())
    assert eligible + sum(summary["excluded"].values()) == len(data.annotations)
    assert drawn.shortfalls == {}


def test_the_object_of_a_picture_of_one_pixel_is_a_large_one():
    data = dataset(per_picture=1)
    data.images.loc[0, ["width", "height"]] = 1
    data.annotations.loc[0, ["bbox_x", "bbox_y", "bbox_w", "bbox_h", "area"]] = [0, 0, 1, 1, 1]
    first = draw(data, per_group=60, person_cap=60).sample.iloc[0]
    assert (first["image_id"], first["size_group"], first["area_ratio"]) == (10, "large", 1)


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
    assert drawn.summary["excluded"] == ({reason: 1} if reason else {})
    if reason:
        assert drawn.summary["examples"][reason].startswith("annotation 1234 (bbox [")


def test_each_instance_is_left_out_for_one_reason():
    data = dataset()
    data.annotations.loc[0, ["iscrowd", "bbox_w", "bbox_x"]] = [1, 0.5, -50]
    assert draw(data).summary["excluded"] == {"crowd": 1}


def test_what_was_left_out_when_annotations_were_read_is_counted_too():
    data = dataset()
    data.annotations.loc[0, "iscrowd"] = 1
    read = {"crowd": LeftOut(2, 480, "annotation 7 (no bbox)"), "ignored": LeftOut(5, 480, "one")}
    summary = draw(dataclasses.replace(data, left_out=read)).summary
    assert summary["excluded"] == {"ignored": 5, "crowd": 3}
    assert summary["examples"] == {"ignored": "one", "crowd": "annotation 7 (no bbox)"}


def test_objects_with_little_to_be_seen_of_them_are_left_out():
    data = dataset()
    data.annotations.loc[3, "area"] = 19.9
    assert draw(data, min_visible_area=20).summary["excluded"] == {"hardly_visible": 1}
    assert draw(data, min_visible_area=19.9).summary["excluded"] == {}


def test_each_category_has_its_own_cap():
    caps = {"person": 3, "car": 5}
    counts = draw(dataset(), per_group=40, caps=caps).sample
    found = counts.groupby("category_name")["size_group"].value_counts()
    assert (found["person"] == 3).all()
    assert (found["car"] == 5).all()
    assert (found["bus"] > 5).all()


def mix(sample):
    """How many of each category each size group has."""
    return pd.crosstab(sample["size_group"], sample["category_name"])


def test_balanced_groups_have_the_same_categories_in_the_same_numbers():
    data = dataset()
    plain, balanced = (mix(draw(data, balance=kind, person_cap=99).sample) for kind in KINDS)
    assert (balanced.nunique() == 1).all()
    assert (balanced.sum(axis=1) == 20).all()
    # There are six and more of each category in every group: twenty are shared out evenly.
    assert sorted(balanced.iloc[0]) == [6, 7, 7]
    assert (plain.nunique() > 1).any()


def test_a_category_that_a_group_lacks_is_in_no_balanced_group():
    data = dataset()
    lacking = data.annotations["category_name"].eq("bus") & (data.annotations["area"] < 100)
    data = dataclasses.replace(data, annotations=data.annotations[~lacking])
    sample = draw(data, balance="equal", per_group=1000, person_cap=9).sample
    assert set(sample["category_name"]) == {"person", "car"}
    assert (mix(sample).nunique() == 1).all()
    assert (mix(sample)["person"] == 9).all()


@given(st.dictionaries(st.text(max_size=2), st.integers(0, 30), max_size=6), st.integers(0, 100))
def test_a_total_is_spread_as_evenly_as_there_are_enough(available, total):
    shares = spread_evenly(available, total)
    assert sum(shares.values()) == min(total, sum(available.values()))
    assert all(shares[name] <= available[name] for name in available)
    lacking = [shares[name] for name in available if shares[name] < available[name]]
    assert all(share <= least + 1 for share in shares.values() for least in lacking)


def test_another_seed_of_the_sample_alone_draws_another_one():
    data = dataset()
    assert draw(data, seed=0).sample.equals(draw(data, seed=7, **{"seed_": 0}).sample)
    assert not draw(data, seed_=1).sample.equals(draw(data).sample)


@pytest.mark.parametrize(
    ("measure", "limits", "due"),
    [
        # Squares of 30, 300 and 900 square pixels in pictures of 100 by 100, shown at 96.
        ("share", [0.01, 0.05], ["small", "medium", "large"]),
        ("area", [301, 900], ["small", "small", "large"]),
        ("input", [5, 29], ["medium", "medium", "medium"]),
        ("input", [5.3, 17], ["small", "medium", "large"]),
    ],
)
def test_groups_are_made_by_any_measure(measure, limits, due):
    sizes = params.validate(params.Sizes, {"measure": measure, "limits": limits}, where="x")
    drawn = draw(dataset(), per_group=1000, person_cap=1000, sizes=sizes)
    sample = drawn.sample.merge(dataset().annotations[["ann_id", "area"]], on="ann_id")
    groups = sample.groupby(sample["area"].round())["size_group"].unique()
    assert [list(found) for found in groups] == [[name] for name in due]
    assert drawn.summary["sizes"] == {"measure": measure, "limits": limits}


def test_every_group_is_told_in_every_measure():
    measures = draw(dataset()).summary["measures"]
    assert measures["medium"]["area"] == pytest.approx(dict.fromkeys(ENDS, 300))
    assert measures["medium"]["share"] == pytest.approx(dict.fromkeys(ENDS, 0.03))
    assert measures["medium"]["input"] == pytest.approx(dict.fromkeys(ENDS, 96 * 0.03**0.5))


ENDS = ("least", "median", "most")
KINDS = ("natural", "equal")


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


@pytest.mark.parametrize(
    ("settings_", "found"),
    [
        ({"caps": {"person": 0, "bus": 0}}, "all of them car, of 480 annotations can be drawn"),
        ({"balance": "equal", "caps": {"person": 0, "bus": 0}}, "in every size group"),
    ],
)
def test_a_sample_of_one_category_is_refused(settings_, found):
    """A classifier of one category is always right."""
    with pytest.raises(SampleError, match=found):
        draw(dataset(), **settings_)


def test_balanced_groups_that_share_one_category_alone_are_refused():
    data = dataset()
    small_person = (data.annotations["area"] > 100) | (
        data.annotations["category_name"] == "person"
    )
    data = dataclasses.replace(data, annotations=data.annotations[small_person])
    assert set(draw(data).sample["category_name"]) == set(CATEGORIES)
    with pytest.raises(SampleError, match=r"21, all of them person, of .* in every size group, as"):
        draw(data, balance="equal")
