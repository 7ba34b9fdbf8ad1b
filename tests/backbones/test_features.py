import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from smallsight.backbones import features
from smallsight.backbones.feature_store import read_features, write_features
from smallsight.backbones.features import batches, extract_features
from smallsight.backbones.registry import find_backbone
from smallsight.conditions.rendered.store import picture_name

pytestmark = pytest.mark.usefixtures("single_worker")

SIZE = 64
DIMENSIONS = find_backbone("resnet18").dimensions
KINDS = (5, 2, 5, 9, 2, 5, 1)
"""Pictures of the same kind are the same, byte by byte."""
VIEWS = pd.DataFrame(
    {
        "image_id": np.arange(len(KINDS)) + 10,
        "ann_id": np.arange(len(KINDS)) + 100,
        "box_x": 1.0,
        "box_y": 2.0,
        "box_w": np.arange(len(KINDS)) + 1.0,
        "box_h": 4.0,
    }
)


def close(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3 * np.abs(other).max())


@pytest.fixture(scope="module")
def extract(tmp_path_factory, noise, backbone, cpu):
    """Write the pictures, changed in some way, and run the backbone over views of them."""

    def extract(change=lambda picture: picture, views=VIEWS, keep_maps=True):
        folder = tmp_path_factory.mktemp("pictures")
        for image_id, ann_id, kind in zip(VIEWS["image_id"], VIEWS["ann_id"], KINDS, strict=True):
            picture = np.ascontiguousarray(change(noise(SIZE, SIZE, kind)))
            Image.fromarray(picture).save(folder / picture_name(image_id, ann_id))
        return extract_features(views, folder, backbone, keep_maps=keep_maps, device=cpu)

    return extract


@pytest.fixture(scope="module")
def seen(extract):
    return extract()


def test_plain_features_are_the_means_of_the_maps(seen):
    assert seen.maps.shape == (4, DIMENSIONS, 2, 2)
    np.testing.assert_allclose(seen.maps.mean(axis=(2, 3)), seen.plain, rtol=1e-5, atol=1e-6)
    for array in (seen.plain, seen.mirrored, seen.maps):
        assert array.dtype == np.float32


def test_mirrored_features_are_those_of_the_mirrored_picture(seen, extract):
    mirrored = extract(lambda picture: picture[:, ::-1])
    close(seen.mirrored, mirrored.plain)
    close(seen.plain, mirrored.mirrored)
    assert np.abs(seen.plain - seen.mirrored).max() > 0.05 * np.abs(seen.plain).max()


def test_pictures_that_are_the_same_share_a_row(seen):
    assert len(seen.plain) == len(seen.mirrored) == len(set(KINDS))
    for i, one in enumerate(KINDS):
        for j, other in enumerate(KINDS):
            assert (seen.row[i] == seen.row[j]) == (one == other)


@pytest.mark.parametrize("index", [2, 4, 6])
def test_sharing_gives_what_each_picture_gives_alone(seen, extract, index):
    alone, row = extract(views=VIEWS.iloc[[index]]), seen.row[index]
    for name in ("plain", "mirrored", "maps"):
        close(getattr(alone, name)[0], getattr(seen, name)[row])


def test_batches_do_not_matter(seen, extract, monkeypatch):
    monkeypatch.setattr(features, "BATCH_SIZE", 3)
    parts = extract()
    for name in ("plain", "mirrored", "maps"):
        close(getattr(parts, name), getattr(seen, name))


@pytest.mark.parametrize(("count", "size", "due"), [(7, 3, [3, 3, 1]), (6, 3, [3, 3]), (2, 16, [2]),
                                                    (0, 3, [])])  # fmt: skip
def test_batches_bring_every_picture_once_and_in_order(monkeypatch, cpu, count, size, due):
    monkeypatch.setattr(features, "BATCH_SIZE", size)
    pictures = np.random.default_rng(0).integers(0, 256, (count, 5, 5, 3), np.uint8)
    parts = list(batches(pictures, device=cpu, description="any"))
    assert [len(part) for part in parts] == due
    for part in parts:
        assert (part.dtype, part.device) == (torch.uint8, cpu)
    whole = np.concatenate([pictures[:0], *(part.numpy() for part in parts)])
    assert (whole == pictures).all()


def test_another_run_is_equal_and_keeps_maps_on_request_only(seen, extract):
    again = extract(keep_maps=False)
    assert (again.plain == seen.plain).all()
    assert (again.mirrored == seen.mirrored).all()
    assert again.maps.size == 0
    assert again.maps.dtype == np.float32


def test_instances_keep_their_order_and_their_side(seen, extract):
    shuffled = VIEWS.sample(frac=1, random_state=0)
    other = extract(views=shuffled)
    assert (other.image_id == shuffled["image_id"]).all()
    assert (other.ann_id == shuffled["ann_id"]).all()
    np.testing.assert_allclose(other.side, np.sqrt(shuffled["box_w"] * 4))
    close(other.plain[other.row], seen.plain[seen.row][shuffled.index])


def test_written_features_come_back(seen, tmp_path):
    write_features(seen, tmp_path / "one.npz")
    write_features(seen, tmp_path / "other.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
    back = read_features(tmp_path / "one.npz", maps=True)
    for name, array in vars(seen).items():
        assert np.array_equal(getattr(back, name), array)
        assert getattr(back, name).dtype == array.dtype
    assert read_features(tmp_path / "one.npz").maps.size == 0
