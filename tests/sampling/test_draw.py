import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallsight import params
from smallsight.datasets import coco
from smallsight.evaluation.folds import image_grouped_folds, reference_split
from smallsight.runtime.errors import SampleError
from smallsight.sampling.draw import EXCLUSIONS, draw_sample
from smallsight.sampling.sample import SAMPLE_COLUMNS, read_sample, size_groups
from smallsight.vocabulary import SIZE_GROUPS

CONTRACT = """image_id file_name image_path ann_id category_id category_name
bbox_x bbox_y bbox_w bbox_h bbox_area img_area area_ratio size_group"""
CATEGORIES = ("person", "car", "bus")
SIDE = 100
"""Of every picture here, in pixels."""


def dataset(*, pictures=60, per_picture=8, seed=0, **overrides):
    """Annotations of all sizes and categories; `overrides` set columns of the annotations."""
    rng = np.random.default_rng(seed)
    n = pictures * per_picture
    category = rng.choice(len(CATEGORIES), n, p=[0.6, 0.3, 0.1])
    side = np.sqrt(rng.choice([30.0, 300.0, 900.0], n))
    annotations = pd.DataFrame(
        {
            "image_id": np.repeat(np.arange(pictures) + 10, per_picture),
            "ann_id": np.arange(n) + 1000,
            "category_id": category,
            "category_name": np.array(CATEGORIES)[category],
            "bbox_x": 1.0,
            "bbox_y": 2.0,
            "bbox_w": side,
            "bbox_h": side,
            "area": side**2,
            "iscrowd": 0,
            "segmentation": None,
        }
    ).assign(**overrides)
    images = pd.DataFrame(
        {
            "image_id": np.arange(pictures) + 10,
            "file_name": [f"p{i}.jpg" for i in range(pictures)],
            "width": SIDE,
            "height": SIDE,
        }
    )
    return coco.Dataset(
        where="x.json", categories=CATEGORIES, images=images, annotations=annotations
    )


def draw(data, *, per_group=20, person_cap=7, seed=0, folder="data/images"):
    limits = params.Sample(per_group=per_group, person_cap=person_cap)
    return draw_sample(data, limits, picture_folder=folder, seed=seed)


def test_sample_keeps_the_contract():
    sample = draw(dataset()).sample
    assert list(sample.columns) == SAMPLE_COLUMNS == CONTRACT.split()
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
    assert list(summary) == ["requested_per_group", "person_cap", "drawn", "eligible", "excluded"]
    assert (summary["requested_per_group"], summary["person_cap"]) == (20, 7)
    assert summary["drawn"] == drawn.sample["size_group"].value_counts().to_dict()
    assert list(summary["eligible"]) == list(SIZE_GROUPS)
    assert all(tuple(row) == CATEGORIES for row in summary["eligible"].values())
    eligible = sum(sum(row.values()) for row in summary["eligible"].values())
    assert eligible + sum(summary["excluded"].values()) == len(data.annotations)
    assert drawn.shortfalls == {}


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
    ("area", "group"),
    [(99.9, "small"), (100, "medium"), (499.9, "medium"), (500, "large"), (SIDE**2, "large")],
)
def test_limits_belong_to_the_group_above(area, group):
    assert size_groups(np.array([area / SIDE**2])).tolist() == [group]


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


samples = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(CATEGORIES), st.sampled_from(list(SIZE_GROUPS))),
    min_size=1,
    max_size=120,
).map(lambda rows: pd.DataFrame(rows, columns=["image_id", "category_name", "size_group"]))


@pytest.mark.filterwarnings("error")
@settings(max_examples=40, deadline=None)
@given(samples, st.integers(2, 6), st.integers(0, 2**32))
def test_folds_hold_whole_pictures_and_are_never_empty(sample, folds, seed):
    pictures = sample["image_id"].nunique()
    if pictures < folds:
        with pytest.raises(SampleError, match=f"{pictures} pictures; expected at least {folds}"):
            image_grouped_folds(sample, folds=folds, rng=np.random.default_rng(seed))
        return
    fold, again = (
        image_grouped_folds(sample, folds=folds, rng=np.random.default_rng(seed)) for _ in range(2)
    )
    assert (fold == again).all()
    assert set(fold) == set(range(folds))
    assert (pd.Series(fold).groupby(sample["image_id"]).nunique() == 1).all()


@pytest.mark.filterwarnings("error")
@settings(max_examples=40, deadline=None)
@given(samples, st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_reference_split_has_two_sides_and_whole_pictures(sample, share, seed):
    if sample["image_id"].nunique() < 2:
        with pytest.raises(SampleError, match="1 pictures"):
            reference_split(sample, test_share=share, rng=np.random.default_rng(seed))
        return
    test, again = (
        reference_split(sample, test_share=share, rng=np.random.default_rng(seed)) for _ in range(2)
    )
    assert test.dtype == bool
    assert (test == again).all()
    assert test.any()
    assert not test.all()
    assert (pd.Series(test).groupby(sample["image_id"]).nunique() == 1).all()


def test_parts_resemble_the_whole():
    sample = draw(dataset(pictures=120, per_picture=5), per_group=150, person_cap=70).sample
    fold = image_grouped_folds(sample, folds=5, rng=np.random.default_rng(0))
    for column in ("category_name", "size_group"):
        shares = pd.crosstab(fold, sample[column], normalize="columns")
        assert shares.sub(0.2).abs().to_numpy().max() < 0.08


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.35, 0.5])
def test_reference_split_has_about_the_share_asked_for(share):
    sample = draw(dataset(pictures=120, per_picture=5), per_group=150, person_cap=70).sample
    test = reference_split(sample, test_share=share, rng=np.random.default_rng(0))
    assert abs(test.mean() - share) < 0.04
    by_group = pd.Series(test).groupby(sample["size_group"].to_numpy()).mean()
    assert (by_group - share).abs().max() < 0.1


def test_other_seeds_divide_otherwise():
    sample = draw(dataset()).sample
    one, other = (
        image_grouped_folds(sample, folds=5, rng=np.random.default_rng(seed)) for seed in (0, 1)
    )
    assert (one != other).any()
