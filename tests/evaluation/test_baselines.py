from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders.evaluations import CATEGORIES, SETTINGS
from smallsight.evaluation.baselines import (
    box_geometry,
    commonest_category,
    find_largest,
    largest_object,
)
from smallsight.evaluation.splitting import cross_validation, single_split

AREA = 100.0 * 100


def boxed(sample, side, aspect, x=0.0):
    """Give each object a box of this side, aspect and left edge."""
    width = np.broadcast_to(side * np.sqrt(aspect), len(sample))
    box = {"bbox_x": x, "bbox_y": 10.0, "bbox_w": width, "bbox_h": width / aspect}
    return sample.assign(**box, img_area=AREA)


def divided(sample):
    return cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=2)


def named(predicted):
    return np.array(CATEGORIES)[predicted]


# The commonest category.


def test_the_commonest_category_is_that_of_the_size_group_elsewhere(population):
    sample = population(images=60)
    splits = divided(sample)
    predicted = named(commonest_category(splits))
    for seed, fold_of in enumerate(splits.fold_of):
        for index, row in enumerate(sample.itertuples()):
            alike = (fold_of != fold_of[index]) & (sample["size_group"] == row.size_group)
            counts = sample.loc[alike, "category_name"].value_counts()
            assert predicted[seed, index] == min(counts.index[counts == counts.max()])


def test_a_group_that_all_lies_in_one_fold_goes_by_all_others(population):
    sample = population(images=40).assign(size_group="small", category_name="c")
    only = sample["image_id"] == sample["image_id"].iloc[0]
    sample.loc[only, ["size_group", "category_name"]] = ["large", "a"]
    predicted = named(commonest_category(divided(sample)))
    assert (predicted == "c").all()


# The largest object.


def objects_of(rows):
    names = ["image_id", "ann_id", "category_name", "bbox_w", "bbox_h", "iscrowd"]
    return pd.DataFrame(rows, columns=names)


def test_the_largest_object_is_the_one_with_the_largest_box():
    rows = [
        (1, 1, "a", 10.0, 2.0, 0),
        (1, 2, "b", 5.0, 5.0, 0),
        (1, 3, "c", 50.0, 50.0, 1),
        (2, 9, "d", 3.0, 4.0, 0),
        (2, 4, "e", 4.0, 3.0, 0),
        (7, 6, "f", 1.0, 1.0, 0),
    ]
    for order in (rows, rows[::-1]):
        found = find_largest(objects_of(order))
        # A crowd is no object, and of two boxes of one size the first annotated one counts.
        assert found["category_name"].to_dict() == {1: "b", 2: "e", 7: "f"}


def test_every_object_is_named_as_the_largest_of_its_picture(population):
    sample = boxed(population(images=30), side=10.0, aspect=1.0)
    rng = np.random.default_rng(0)
    other = sample.drop_duplicates("image_id").assign(ann_id=9000, bbox_w=20.0, iscrowd=0)
    other["category_name"] = rng.choice(CATEGORIES, len(other))
    objects = pd.concat([sample.assign(iscrowd=0), other])
    predicted = named(largest_object(divided(sample), objects))
    due = sample["image_id"].map(other.set_index("image_id")["category_name"])
    assert predicted.shape == (SETTINGS.repeats, len(sample))
    assert (predicted == due.to_numpy()).all()


# The box's geometry.


def test_geometry_tells_categories_of_different_shapes_or_places(population):
    sample = population(images=60)
    code = sample["category_name"].map(list(CATEGORIES).index).to_numpy()
    rng = np.random.default_rng(0)
    noise = np.exp(0.02 * rng.standard_normal(len(sample)))
    for told in (
        boxed(sample, 10.0, 1.5 ** (code - 2.0) * noise),
        boxed(sample, 2.0 * 1.6**code * noise, 1.0),
        boxed(sample, 10.0, 1.0, x=15 * code * noise),
    ):
        assert (box_geometry(divided(told)) == code).mean() > 0.9


@pytest.mark.parametrize("rule", [commonest_category, box_geometry])
def test_a_rule_is_learnt_from_the_other_folds_alone(population, rule):
    sample = population(images=60)
    rng = np.random.default_rng(0)
    splits = divided(boxed(sample, np.exp(rng.normal(2, 1, len(sample))), 1.0))
    before = rule(splits)
    held_out = splits.fold_of[1] == 2
    renamed = splits.sample.copy()
    renamed.loc[held_out, "category_name"] = "f"
    after = rule(replace(splits, sample=renamed))
    assert (after[1, held_out] == before[1, held_out]).all()
    assert (after != before).any()


def test_geometry_does_not_depend_on_the_pictures_resolution(population):
    sample = population(images=40)
    rng = np.random.default_rng(0)
    n = len(sample)
    box = boxed(sample, np.exp(rng.normal(2, 0.5, n)), np.exp(rng.normal(0, 0.5, n)))
    lengths = ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]
    times = np.where(sample["image_id"] % 2, 2.0, 1.0)
    finer = box.assign(**{name: times * box[name] for name in lengths}, img_area=times**2 * AREA)
    assert (box_geometry(divided(box)) == box_geometry(divided(finer))).all()


def test_one_category_elsewhere_is_the_one_that_is_named(population):
    sample = boxed(population(images=20, categories=("d",)), 10.0, 1.0)
    assert (named(box_geometry(divided(sample))) == "d").all()


@pytest.mark.parametrize("rule", [commonest_category, box_geometry])
def test_a_single_split_predicts_its_test_data_and_names_a_class_elsewhere(population, rule):
    sample = boxed(population(images=40), 10.0, 1.0)
    splits = single_split(sample, CATEGORIES, settings=SETTINGS, seed=1)
    predicted = rule(splits)
    assert predicted.shape == (1, len(sample))
    assert ((predicted >= 0) & (predicted < len(CATEGORIES))).all()
    assert (predicted[0][~splits.reference_test] == 0).all()
