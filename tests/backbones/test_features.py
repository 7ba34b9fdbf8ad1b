from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from builders.readings import extracted, opener_of, tensor_regions
from smallsight.backbones import features
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import place_of_maps, read_features, write_features
from smallsight.backbones.features import gathered, passes
from smallsight.backbones.readouts import mirrored_boxes
from smallsight.conditions.rendered.names import Condition
from smallsight.conditions.rendered.store import picture_name

pytestmark = pytest.mark.usefixtures("single_worker")

UNTOUCHED_WINDOW = Condition("orig_full", "default", is_reference=True)
SIZE = 64
DIMENSIONS = {"scene": 512, "box": 512, "finer": 128 + 256}
KINDS = (5, 2, 5, 9, 2, 5, 1)
"""Pictures of the same kind are the same, byte by byte."""
VIEWS = pd.DataFrame(
    {
        "image_id": np.arange(len(KINDS)) + 10,
        "ann_id": np.arange(len(KINDS)) + 100,
        "box_x": np.arange(len(KINDS)) * 5.0,
        "box_y": 2.0,
        "box_w": 9.0 + np.arange(len(KINDS)) * 4,
        "box_h": 16.0,
    }
)
BOXES = VIEWS[features.BOX].to_numpy()


def close(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3 * np.abs(other).max())


class Seen:
    """What was extracted, and the maps."""

    def __init__(self, found, maps):
        self.extracted, self.maps = found, maps

    def __getattr__(self, name):
        return getattr(self.extracted, name)


@pytest.fixture(scope="module")
def extract(tmp_path_factory, noise, backbone, cpu):
    """Write the pictures, changed in some way, and run the backbone over views of them."""

    def extract(change=lambda picture: picture, views=VIEWS, keep_maps=True):
        folder = tmp_path_factory.mktemp("pictures")
        for image_id, ann_id, kind in zip(VIEWS["image_id"], VIEWS["ann_id"], KINDS, strict=True):
            picture = np.ascontiguousarray(change(noise(SIZE, SIZE, kind)))
            Image.fromarray(picture).save(folder / picture_name(image_id, ann_id))
        place = folder / "maps.npy" if keep_maps else None
        return Seen(*extracted(views, folder, backbone, place))

    return extract


@pytest.fixture(scope="module")
def seen(extract):
    return extract()


@pytest.fixture(scope="module")
def alone(backbone, noise, cpu):
    """What the network reads of one instance, in a pass of its own."""

    def alone(index, *, is_mirrored=False):
        picture, box = noise(SIZE, SIZE, KINDS[index]), BOXES[[index]]
        if is_mirrored:
            picture, box = picture[:, ::-1], mirrored_boxes(box, SIZE)
        regions = tensor_regions(box, np.zeros(1, int))
        parts = backbone.read_out(torch.from_numpy(picture[None].copy()), regions)
        return {name: part[0].numpy() for name, part in parts.items()}

    return alone


def test_arrays_have_a_row_per_picture_or_per_instance(seen):
    for parts in (seen.plain, seen.mirrored):
        assert {name: part.shape for name, part in parts.items()} == {
            name: (4 if name == "scene" else 7, length) for name, length in DIMENSIONS.items()
        }
        assert {part.dtype for part in parts.values()} == {np.dtype(np.float32)}
    assert (seen.maps.shape, seen.maps.dtype) == ((4, 512, 2, 2), np.float32)
    np.testing.assert_allclose(seen.maps.mean(axis=(2, 3)), seen.plain["scene"], rtol=1e-4)


def test_pictures_that_are_the_same_share_a_row(seen):
    for i, one in enumerate(KINDS):
        for j, other in enumerate(KINDS):
            assert (seen.row[i] == seen.row[j]) == (one == other)


@pytest.mark.parametrize("index", range(len(KINDS)))
def test_each_instance_gets_what_a_pass_of_its_own_gives(seen, alone, index):
    plain, mirrored = alone(index), alone(index, is_mirrored=True)
    close(seen.maps[seen.row[index]], plain["last"])
    for name in DIMENSIONS:
        place = seen.row[index] if name == "scene" else index
        close(seen.plain[name][place], plain[name])
        close(seen.mirrored[name][place], mirrored[name])


def test_equal_pictures_with_different_boxes_differ_in_the_box_alone(seen):
    first, second = (index for index, kind in enumerate(KINDS) if kind == 2)
    assert seen.row[first] == seen.row[second]
    for name in ("box", "finer"):
        part = seen.plain[name]
        assert np.abs(part[first] - part[second]).max() > 0.05 * np.abs(part).max()


def test_mirrored_features_are_those_of_the_mirrored_picture(seen, extract):
    there = mirrored_boxes(BOXES, SIZE)
    turned = VIEWS.assign(**dict(zip(features.BOX, there.T, strict=True)))
    mirrored = extract(lambda picture: picture[:, ::-1], views=turned)
    for name, part in seen.plain.items():
        close(seen.mirrored[name], mirrored.plain[name])
        close(part, mirrored.mirrored[name])
        assert np.abs(part - seen.mirrored[name]).max() > 0.05 * np.abs(part).max()


@pytest.mark.parametrize(("size", "workers"), [(3, "1"), (1, "3")])
def test_neither_batches_nor_threads_matter(seen, extract, monkeypatch, size, workers):
    monkeypatch.setattr(Backbone, "batch_size", size)
    monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
    parts = extract()
    close(parts.maps, seen.maps)
    for name in DIMENSIONS:
        close(parts.plain[name], seen.plain[name])
        close(parts.mirrored[name], seen.mirrored[name])


def test_the_number_of_threads_changes_no_byte(extract, monkeypatch):
    monkeypatch.setattr(Backbone, "batch_size", 1)
    found = []
    for workers in ("1", "3"):
        monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
        found.append(extract())
    for name in DIMENSIONS:
        assert found[0].plain[name].tobytes() == found[1].plain[name].tobytes()
    assert found[0].maps.tobytes() == found[1].maps.tobytes()


def test_the_network_runs_once_per_different_picture_and_its_mirror_image(extract, backbone):
    shown = []
    first = backbone.trunk.get_submodule("conv1")
    hook = first.register_forward_hook(lambda _module, inputs, _maps: shown.extend(inputs[0]))
    extract()
    hook.remove()
    assert len(shown) == 2 * len(set(KINDS))


def test_another_run_is_equal_and_keeps_maps_on_request_only(seen, extract):
    again = extract(keep_maps=False)
    for name in DIMENSIONS:
        assert (again.plain[name] == seen.plain[name]).all()
        assert (again.mirrored[name] == seen.mirrored[name]).all()
    assert again.maps is None


def test_instances_keep_their_order_and_their_side(seen, extract):
    shuffled = VIEWS.sample(frac=1, random_state=0)
    other = extract(views=shuffled)
    assert (other.image_id == shuffled["image_id"]).all()
    assert (other.ann_id == shuffled["ann_id"]).all()
    np.testing.assert_allclose(other.side, np.sqrt(shuffled["box_w"] * 16))
    close(other.plain["scene"][other.row], seen.plain["scene"][seen.row][shuffled.index])
    close(other.plain["box"], seen.plain["box"][shuffled.index])


@pytest.mark.parametrize(
    ("readout", "parts"),
    [("scene", ["scene"]), ("box", ["box"]), ("pyramid", ["finer", "box"])],
)
def test_features_of_a_readout_are_its_parts_for_each_instance(
    seen, alone, backbone, noise, cpu, tmp_path, readout, parts
):
    write_features(seen.extracted, UNTOUCHED_WINDOW, tmp_path / "orig_full")
    read = read_features(tmp_path, UNTOUCHED_WINDOW, readout)
    for is_mirrored, found in ((False, read.plain), (True, read.mirrored)):
        each = [alone(index, is_mirrored=is_mirrored) for index in range(len(KINDS))]
        due = np.array([np.concatenate([one[name] for name in parts]) for one in each])
        assert found.dtype == np.float32
        close(found, due)


def test_pictures_in_memory_are_read_out_in_any_order(seen, backbone, noise):
    kinds = sorted(set(KINDS))
    pictures = np.stack([noise(SIZE, SIZE, kind) for kind in kinds])
    row = np.array([kinds.index(kind) for kind in KINDS])
    found = passes(
        opener_of(backbone), lambda place: pictures[place], BOXES, row,
        keep_maps=True, keep_mirrored=True, description="any",
    )  # fmt: skip
    plain, mirrored = (gathered(parts, row) for parts in zip(*found, strict=True))
    for name in DIMENSIONS:
        shown = (row, seen.row) if name == "scene" else (slice(None), slice(None))
        close(plain[name][shown[0]], seen.plain[name][shown[1]])
        close(mirrored[name][shown[0]], seen.mirrored[name][shown[1]])
    for maps, picture in zip(plain["last"], pictures, strict=True):
        close(maps, backbone(torch.from_numpy(picture[None]))[0].numpy())


@pytest.mark.parametrize("task", ["scene", "object"])
def test_written_features_come_back(seen, tmp_path, task):
    condition = Condition("zoom", "factor=4", is_reference=True, task=task)
    for name in ("one", "other"):
        write_features(seen.extracted, condition, tmp_path / name / "zoom")
    place = {"scene": "zoom/factor=4.npz", "object": "zoom/object/factor=4.npz"}[task]
    assert (tmp_path / "one" / place).read_bytes() == (tmp_path / "other" / place).read_bytes()
    np.save(tmp_path / "one" / "zoom" / place_of_maps(condition), seen.maps)
    back = read_features(tmp_path / "one", condition, "scene", maps=True)
    assert np.array_equal(back.maps, seen.maps)
    for name in ("image_id", "ann_id", "side", "row"):
        array = getattr(seen, name)
        assert np.array_equal(getattr(back, name), array)
        assert getattr(back, name).dtype == array.dtype
    assert np.array_equal(back.plain, seen.plain["scene"][seen.row])
    assert np.array_equal(back.mirrored, seen.mirrored["scene"][seen.row])
    assert read_features(tmp_path / "one", condition, "scene").maps.size == 0


def test_levels_and_tasks_of_a_family_lie_side_by_side(seen, tmp_path):
    conditions = [
        Condition("zoom", level, is_reference=level == "factor=4", task=task)
        for level in ("factor=4", "factor=0.5") for task in ("scene", "object")
    ]  # fmt: skip
    for number, condition in enumerate(conditions):
        write_features(
            replace(seen.extracted, side=seen.side + number), condition, tmp_path / "zoom"
        )
    for number, condition in enumerate(conditions):
        found = read_features(tmp_path, condition, "scene")
        assert np.array_equal(found.side, seen.side + number)
