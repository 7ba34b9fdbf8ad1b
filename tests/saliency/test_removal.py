import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.special import softmax
from torch import nn

from builders.readings import extracted, opener_of, tensor_regions
from smallsight import params
from smallsight.backbones import readouts
from smallsight.backbones.facts import LAST
from smallsight.backbones.feature_store import read_features, write_features
from smallsight.conditions.rendered.names import Condition
from smallsight.conditions.rendered.store import picture_name
from smallsight.evaluation.crossfit import fit_heads, out_of_fold
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.splitting import cross_validation, single_split
from smallsight.imaging.boxes import Box
from smallsight.runtime.randomness import derive
from smallsight.saliency import removal
from smallsight.saliency.tables import REMOVALS

pytestmark = pytest.mark.usefixtures("single_worker")

SIZE, COLOUR = 32, (13, 200, 90)
CATEGORIES = tuple("abcdef")
SETTINGS = params.Evaluation(test_share=0.3, folds=5, repeats=2)
SIDES = {"small": 3.0, "medium": 6.0, "large": 14.0}
"""Sides of the boxes, in input pixels."""
KEYS = ["change", "region", "area"]


class Pixels(nn.Module):
    """A backbone whose features are the picture itself: one map of one cell for each value."""

    batch_size = 8

    def read_out(self, pictures, _regions, _names=()):
        values = pictures.reshape(len(pictures), -1).float() / 255
        return {LAST: values[:, :, None, None], "scene": values}


@pytest.fixture
def sample(population):
    return population(images=8)


@pytest.fixture
def views(sample):
    """Boxes inside the input, in another order than the sample's."""
    rng = np.random.default_rng(1)
    side = sample["size_group"].map(SIDES).to_numpy()
    place = rng.uniform(0, SIZE - side[:, None], (len(side), 2))
    boxes = {"box_x": place[:, 0], "box_y": place[:, 1], "box_w": side, "box_h": 0.9 * side}
    return sample[["image_id", "ann_id"]].assign(**boxes).sample(frac=1, random_state=0)


@pytest.fixture
def pictures(sample):
    """Pictures of noise, of which no pixel has the mean colour."""
    noise = np.random.default_rng(0).integers(0, 256, (len(sample), SIZE, SIZE, 3), np.uint8)
    noise[..., 0] |= 128
    return noise


@pytest.fixture
def folder(tmp_path, sample, pictures):
    write(pictures, sample, tmp_path)
    return tmp_path


def write(pictures, sample, folder):
    for row, picture in zip(sample.itertuples(), pictures, strict=True):
        Image.fromarray(picture).save(folder / picture_name(row.image_id, row.ann_id))


@pytest.fixture
def measure(sample, views, folder, features_of):
    """Remove and restore regions of these pictures."""

    def measure(
        splits, fitted, *, seen, backbone=None, views=views, sample=sample, seed=0, readout="scene"
    ):
        return removal.compute_removals(
            sample, views, folder, colour=COLOUR, seed=seed, splits=splits, fitted=fitted,
            seen=seen, readout=readout, opener=opener_of(backbone or Pixels()),
        )  # fmt: skip

    return measure


def folds_of(sample, split=cross_validation):
    return split(sample, CATEGORIES, settings=SETTINGS, seed=0)


def random_heads(splits, dimensions=3 * SIZE**2, seed=0):
    """Heads to which every pixel matters, and to each something else."""
    rng = np.random.default_rng(seed)
    shape = (len(splits.seeds) * splits.folds, len(CATEGORIES))
    weight = rng.normal(0, 0.05, (*shape, dimensions)).astype(np.float32)
    return LinearHeads(weight, rng.normal(0, 1, shape).astype(np.float32))


def seen_of(features_of, sample, pictures):
    """Features of the pictures; rows of maps are in another order."""
    plain = (pictures.reshape(len(pictures), -1) / np.float32(255)).astype(np.float32)
    seen = features_of(sample, plain)
    return dataclasses.replace(seen, row=seen.row[::-1].copy())


def held_out(splits, fitted, shown):
    """(n,): the true class's probability, the mean over seeds of heads that saw no such image."""
    found = []
    for number, picture in enumerate(shown):
        heads = [seed * splits.folds + fold for seed, fold in enumerate(splits.fold_of[:, number])]
        logits = fitted.weight[heads] @ (picture.reshape(-1) / 255) + fitted.bias[heads]
        found.append(softmax(logits, axis=1)[:, splits.labels[number]].mean())
    return np.array(found)


def box_of(sample, views):
    return sample.merge(views, on=["image_id", "ann_id"])


# Regions.


def regions_of(box, *, size, seed=0, image_id=3, ann_id=30):
    """Choose regions as the stage does."""
    rng = derive(seed, "removal", image_id, ann_id)
    return removal.choose_regions(Box(*box), size=size, rng=rng)


@st.composite
def boxes(draw, largest=1.0):
    """Boxes inside an input of some size, of at most a share of its area."""
    size = draw(st.integers(32, 224))
    share = largest**0.5
    w, h = (draw(st.floats(0.5, max(share * size, 1))) for _ in range(2))
    x, y = (draw(st.floats(0, size - side)) for side in (w, h))
    return (x, y, w, h), size


def test_edits_are_every_change_of_every_region_and_area():
    assert len(removal.EDITS) == len(set(removal.EDITS)) == 12
    for place, values in enumerate((("removed", "restored"), ("object", "random"), removal.AREAS)):
        assert {edit[place] for edit in removal.EDITS} == set(values)
    assert removal.AREAS == (0.5, 1.0, 4.0)


@pytest.mark.parametrize(
    ("box", "due"),
    [
        ((10, 20, 8, 4), {0.5: (20, 24, 11, 17), 1.0: (20, 24, 10, 18), 4.0: (18, 26, 6, 22)}),
        ((10.5, 20, 8, 4), {1.0: (20, 24, 10, 19), 4.0: (18, 26, 6, 23)}),
        ((0, 58, 8, 6), {1.0: (58, 64, 0, 8), 4.0: (55, 64, 0, 12)}),
        ((4, 4, 50, 60), {4.0: (0, 64, 0, 64)}),
    ],
)
def test_the_objects_region_is_its_box_at_another_size_about_its_middle_and_clipped(box, due):
    regions = regions_of(box, size=64, seed=0)
    for area, (top, bottom, left, right) in due.items():
        assert regions["object", area] == (slice(top, bottom), slice(left, right))


@given(boxes())
@settings(deadline=None, max_examples=80)
def test_the_objects_region_covers_what_it_should_and_less_than_a_pixel_more(drawn):
    box, size = drawn
    regions = regions_of(box, size=size, seed=0)
    for area in removal.AREAS:
        for side, start, length in zip(
            regions["object", area], (box[1], box[0]), (box[3], box[2]), strict=True
        ):
            middle, half = start + length / 2, length * math.sqrt(area) / 2
            low, high = max(middle - half, 0), min(middle + half, size)
            assert 0 <= side.start <= low + 1e-6 < side.start + 1 + 2e-6
            assert side.stop - 1 - 2e-6 < high - 1e-6 <= side.stop <= size


@given(boxes(), st.integers(0, 9))
@settings(deadline=None, max_examples=80)
def test_a_random_region_is_as_high_and_wide_and_lies_inside(drawn, seed):
    box, size = drawn
    regions = regions_of(box, size=size, seed=seed)
    assert set(regions) == {edit[1:] for edit in removal.EDITS}
    for area in removal.AREAS:
        for own, other in zip(regions["object", area], regions["random", area], strict=True):
            assert other.stop - other.start == own.stop - own.start
            assert 0 <= other.start < other.stop <= size


def shared(one, other):
    return all(max(a.start, b.start) < min(a.stop, b.stop) for a, b in zip(one, other, strict=True))


@given(boxes(largest=0.01), st.integers(0, 9))
@settings(deadline=None, max_examples=150)
def test_a_random_region_has_no_pixel_of_a_small_objects_own(drawn, seed):
    box, size = drawn
    regions = regions_of(box, size=size, seed=seed)
    for area in removal.AREAS:
        assert not shared(regions["random", area], regions["object", area])
        assert not shared(regions["random", area], regions["object", 1.0])


def test_a_random_region_hides_as_little_as_it_can_of_what_it_cannot_miss():
    """One of 16 places misses a box in the corner, though each does with a chance of a third."""
    missed = [
        not shared(*(regions[name, 1.0] for name in ("random", "object")))
        for regions in (regions_of((0, 0, 15, 15), size=32, ann_id=number) for number in range(200))
    ]
    # 1 - (15 / 18)^2: it must start in none of the box's rows, or in none of its columns.
    assert np.mean(missed) > 0.97
    regions = regions_of((0, 0, 32, 32), size=32)
    assert regions["random", 4.0] == regions["object", 4.0] == (slice(0, 32), slice(0, 32))


def places(**options):
    regions = regions_of((40, 50, 9, 8), size=224, **options)
    return [regions["random", area] for area in removal.AREAS]


@pytest.mark.parametrize("other", [{"seed": 1}, {"image_id": 4}, {"ann_id": 31}])
def test_random_places_depend_on_the_seed_and_the_instance_alone(other):
    assert places() == places()
    assert all(one != two for one, two in zip(places(), places(**other), strict=True))


def test_random_places_lie_everywhere():
    starts = np.array(
        [
            [side.start for side in places(ann_id=number)[1]]
            for number in range(600)
        ]
    )  # fmt: skip
    free = 224 - np.array([8, 9])
    assert starts.min(axis=0) == pytest.approx([0, 0], abs=5)
    assert starts.max(axis=0) == pytest.approx(free, abs=5)
    assert starts.mean(axis=0) == pytest.approx(free / 2, abs=4 * 224 / math.sqrt(12 * 600))


# What becomes of the probability.


def test_a_region_alone_is_changed_and_heads_that_saw_no_such_image_tell(
    sample, views, pictures, features_of, measure
):
    """By heads to which every pixel of a picture matters, against pictures edited one by one."""
    splits = folds_of(sample)
    fitted = random_heads(splits)
    table = measure(splits, fitted, seen=seen_of(features_of, sample, pictures))
    assert list(table.columns) == REMOVALS.names
    ground = np.broadcast_to(np.uint8(COLOUR), pictures.shape)
    parts = dict(list(table.groupby(KEYS)))
    assert set(parts) == set(removal.EDITS)
    regions = [
        regions_of(
            (row.box_x, row.box_y, row.box_w, row.box_h),
            size=SIZE,
            image_id=row.image_id,
            ann_id=row.ann_id,
        )
        for row in box_of(sample, views).itertuples()
    ]
    for (change, region, area), part in parts.items():
        assert (part[["image_id", "ann_id", "size_group"]].to_numpy()
                == sample[["image_id", "ann_id", "size_group"]].to_numpy()).all()  # fmt: skip
        start, into = (pictures, ground) if change == "removed" else (ground, pictures)
        edited = start.copy()
        for number, places in enumerate(regions):
            edited[number][places[region, area]] = into[number][places[region, area]]
        np.testing.assert_allclose(part["p_before"], held_out(splits, fitted, start), atol=1e-5)
        np.testing.assert_allclose(part["p_after"], held_out(splits, fitted, edited), atol=1e-5)
        changed = (edited != start).any(axis=-1).mean(axis=(1, 2))
        np.testing.assert_allclose(part["area_share"], changed)
        for number, overlap in enumerate(part["overlap"]):
            inside, own = (np.zeros((SIZE, SIZE), bool) for _ in range(2))
            inside[regions[number][region, area]] = own[regions[number]["object", area]] = True
            assert overlap == pytest.approx((inside & own).sum() / inside.sum())
    assert (abs(table["p_after"] - table["p_before"]) > 1e-4).mean() > 0.9


def test_a_head_that_saw_the_image_has_no_say(sample, pictures, features_of, measure, cpu):
    """Heads that know their own pictures by heart know nothing of the others'."""
    names = np.random.default_rng(0).choice(CATEGORIES[:2], sample["image_id"].nunique())
    image = np.unique(sample["image_id"], return_inverse=True)[1]
    # Instances of an image share its picture and its category, which nothing else tells.
    alike = pictures[np.unique(image, return_index=True)[1]][image]
    named = sample.assign(category_name=names[image])
    splits = folds_of(named)
    seen = seen_of(features_of, named, alike)
    learning = params.Heads(readout="scene", epochs=30, batch_size=32, learning_rate=0.01)
    fitted = fit_heads(splits, seen, settings=learning)
    every = fitted.probabilities(seen.plain)[:, np.arange(len(named)), splits.labels]
    learnt = (splits.fold_of[:, None] != np.arange(splits.folds)[:, None]).reshape(every.shape)
    assert every[learnt].min() > 0.9
    table = measure(splits, fitted, seen=seen, sample=named)
    before = table.query("change == 'removed'")["p_before"]
    assert before.mean() < 0.7
    assert before.min() < 0.3


def test_what_is_never_test_data_has_no_row(sample, pictures, features_of, measure):
    splits = folds_of(sample, single_split)
    table = measure(splits, random_heads(splits), seen=seen_of(features_of, sample, pictures))
    tested = sample["ann_id"][splits.reference_test]
    assert 0 < len(tested) < len(sample)
    for _, part in table.groupby(KEYS):
        assert list(part["ann_id"]) == list(tested)
    assert len(table) == 12 * len(tested)
    assert table.notna().all(axis=None)


def test_another_seed_moves_random_regions_alone(sample, pictures, features_of, measure):
    splits = folds_of(sample)
    given = {"fitted": random_heads(splits), "seen": seen_of(features_of, sample, pictures)}
    one, again, other = (measure(splits, seed=seed, **given) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(one, again)
    same = one["p_after"] == other["p_after"]
    assert same[one["region"] == "object"].all()
    assert same[one["region"] == "random"].mean() < 0.1
    pd.testing.assert_series_equal(one["area_share"], other["area_share"])


def test_who_reads_the_objects_place_alone_misses_the_object_and_nothing_else(
    sample, views, pictures, folder, features_of, measure
):
    """The brighter the place that all objects lie in, the surer is their category."""
    sample = sample.assign(category_name="a", size_group="small")
    lying = views.assign(box_x=11.0, box_y=20.0, box_w=3.0, box_h=3.0)
    pictures[:, 20:23, 11:14] = 255
    splits = folds_of(sample)
    bright = np.zeros((SIZE, SIZE, 3), np.float32)
    bright[20:23, 11:14] = 1 / 9
    weight = np.zeros((10, len(CATEGORIES), bright.size), np.float32)
    weight[:, 0] = bright.reshape(-1)
    fitted = LinearHeads(weight, np.zeros((10, len(CATEGORIES)), np.float32))
    write(pictures, sample, folder)
    table = measure(
        splits, fitted, seen=seen_of(features_of, sample, pictures), sample=sample, views=lying
    )
    by = (table["p_after"] - table["p_before"]).groupby([table[name] for name in KEYS])
    least, most = by.min(), by.max()
    for area in removal.AREAS:
        assert most["removed", "object", area] < -0.1
        assert least["restored", "object", area] > 0.1
    for change in ("removed", "restored"):
        # At half of its area, a random region may touch what is left of the object.
        for area in (1.0, 4.0):
            assert abs(least[change, "random", area]) < 1e-6
            assert abs(most[change, "random", area]) < 1e-6


@pytest.mark.parametrize("readout", ["scene", "pyramid"])
def test_the_real_network_sees_what_it_saw_before(
    sample, views, folder, backbone, measure, cpu, readout
):
    """Before a region goes, probabilities are those of the study's own features."""
    ordered = sample[["image_id", "ann_id"]].merge(views, on=["image_id", "ann_id"])
    found, _ = extracted(ordered, folder, backbone)
    untouched = Condition("orig_full", "default", is_reference=True, task="scene")
    write_features(found, untouched, folder / untouched.family)
    seen = read_features(folder, untouched, readout)
    splits = folds_of(sample)
    fitted = random_heads(splits, dimensions=seen.plain.shape[1])
    given = {"seen": seen, "backbone": backbone, "readout": readout}
    one, again = (measure(splits, fitted, **given) for _ in range(2))
    pd.testing.assert_frame_equal(one, again)
    probabilities = out_of_fold(splits, fitted, seen)[:, np.arange(len(sample)), splits.labels]
    before = dict(list(one.groupby("change")["p_before"]))
    np.testing.assert_allclose(before["removed"], np.tile(probabilities.mean(axis=0), 6), rtol=1e-5)
    # Each object's box in a picture of nothing but the mean colour.
    ground = torch.from_numpy(np.full((len(sample), SIZE, SIZE, 3), COLOUR, np.uint8))
    boxes = ordered[["box_x", "box_y", "box_w", "box_h"]].to_numpy()
    with torch.inference_mode():
        parts = backbone.read_out(ground, tensor_regions(boxes, np.arange(len(sample))))
    plain = readouts.joined({name: part.numpy() for name, part in parts.items()}, readout)
    alone = dataclasses.replace(seen, plain=plain)
    probabilities = out_of_fold(splits, fitted, alone)[:, np.arange(len(sample)), splits.labels]
    np.testing.assert_allclose(
        before["restored"], np.tile(probabilities.mean(axis=0), 6), rtol=1e-4
    )
    assert abs(one["p_after"] - one["p_before"]).max() > 0.01
