import numpy as np
import pytest
import torch
from scipy import ndimage
from torchvision.ops import roi_align

from smallsight.backbones import tensor_pooling
from smallsight.backbones.pooling import cell_shares, mean_over_boxes, mean_over_cells, regions_of
from smallsight.backbones.readouts import (
    PARTS,
    available,
    joined,
    mirrored_boxes,
    on_last_layer,
    pyramid_layers,
)

SIZE, CELLS = 64, 4
MAP = np.random.default_rng(0).integers(0, 100, (CELLS, CELLS)).astype(np.float32)
"""Cells of 16 pixels; their middles lie at 8, 24, 40 and 56."""


@pytest.fixture(scope="module")
def boxes():
    """Any boxes inside the picture, from a tenth of a pixel to all of it, and some at its edges."""
    rng = np.random.default_rng(1)
    corners = np.sort(rng.uniform(0, SIZE, (200, 2, 2)), axis=1)
    corners[::5, 0] = 0
    corners[1::5, 1] = SIZE
    tiny = np.stack([corners[:20, 0], corners[:20, 0] + 0.1], axis=1)
    left, top, right, bottom = np.concatenate([corners, tiny]).reshape(-1, 4).T
    return np.stack([left, top, right - left, bottom - top], axis=1)


def pooled(maps, boxes, pictures=None):
    pictures = np.zeros(len(boxes), int) if pictures is None else pictures
    regions = regions_of(np.asarray(boxes, float), pictures)
    return mean_over_boxes(maps, regions, size=SIZE)


def sampled(values, box):
    """Average one map at evenly spaced points of a box, by scipy's interpolation."""
    left, top, width, height = box * len(values) / SIZE
    axes = []
    for start, length in ((top, height), (left, width)):
        count = np.ceil(length)
        axes.append(start + (np.arange(count) + 0.5) * length / count - 0.5)
    points = np.meshgrid(*axes, indexing="ij")
    return ndimage.map_coordinates(values, points, order=1, mode="nearest").mean()


def between(first, second, share):
    return first * (1 - share) + second * share


@pytest.mark.parametrize(
    ("box", "due"),
    [
        # On the borders of cells: their mean, and nothing of their neighbours.
        ((16, 16, 32, 32), MAP[1:3, 1:3].mean()),
        ((48, 0, 16, 64), MAP[:, 3].mean()),
        # Half of each of two cells.
        ((8, 16, 16, 16), MAP[1, :2].mean()),
        ((8, 40, 16, 16), MAP[2:4, :2].mean()),
        # A cell and a half: the middles of its two halves lie at 22 and 34.
        ((16, 0, 24, 16), np.mean([between(*MAP[0, :2], 14 / 16), between(*MAP[0, 1:3], 10 / 16)])),
        # Smaller than a cell: its middle, at 22.
        ((20, 0, 4, 16), between(*MAP[0, :2], 14 / 16)),
        ((24, 24, 0.01, 0.01), MAP[1, 1]),
        # At the edges of the picture: beyond the outermost middles, the cell there alone.
        ((0, 0, 8, 8), MAP[0, 0]),
        ((60, 57, 4, 7), MAP[3, 3]),
        ((0, 30, 4, 4), between(*MAP[1:3, 0], 8 / 16)),
        # Everything.
        ((0, 0, 64, 64), MAP.mean()),
    ],
)
def test_means_over_boxes_are_those_reckoned_by_hand(box, due):
    assert pooled(MAP[None, None], [box]).item() == pytest.approx(due, rel=1e-4, abs=0.05)


def test_means_over_any_box_are_scipys(boxes):
    maps = np.random.default_rng(2).normal(size=(1, 3, 5, 5)).astype(np.float32)
    due = [[sampled(channel, box) for channel in maps[0]] for box in boxes]
    np.testing.assert_allclose(pooled(maps, boxes), due, atol=2e-5)


def test_each_box_is_read_in_its_own_picture(boxes):
    maps = np.random.default_rng(3).normal(size=(3, 2, CELLS, CELLS)).astype(np.float32)
    pictures = np.random.default_rng(4).integers(0, 3, len(boxes))
    found = pooled(maps, boxes, pictures)
    for number in range(3):
        here = pictures == number
        np.testing.assert_array_equal(found[here], pooled(maps[[number]], boxes[here]))
    assert len(np.unique(found.round(6), axis=0)) > 100


def test_a_box_over_everything_is_the_mean_over_cells():
    maps = np.random.default_rng(0).random((2, 3, 7, 7), np.float32)
    found = pooled(maps, [[0, 0, SIZE, SIZE]] * 2, np.arange(2))
    np.testing.assert_allclose(found, mean_over_cells(maps), rtol=1e-5)
    assert found.dtype == np.float32


def test_means_over_boxes_are_torchvisions_and_those_of_tensors(boxes):
    maps = np.random.default_rng(6).normal(size=(3, 4, 7, 7)).astype(np.float32)
    pictures = np.random.default_rng(4).integers(0, 3, len(boxes))
    regions = torch.from_numpy(regions_of(boxes, pictures))
    due = roi_align(torch.from_numpy(maps), regions, (1, 1), 7 / SIZE, -1, aligned=True)
    found = pooled(maps, boxes, pictures)
    np.testing.assert_allclose(found, due.flatten(1).numpy(), atol=2e-5)
    tensors = tensor_pooling.mean_over_boxes(torch.from_numpy(maps), regions, size=SIZE)
    np.testing.assert_allclose(found, tensors.numpy(), atol=1e-6)


def test_shares_of_cells_make_the_mean_over_a_box(boxes):
    shares = cell_shares(boxes, cells=CELLS, size=SIZE)
    assert shares.shape == (len(boxes), CELLS, CELLS)
    assert shares.dtype == np.float32
    assert shares.min() >= 0
    np.testing.assert_allclose(shares.sum(axis=(1, 2)), 1, rtol=1e-5)
    due = [sampled(MAP, box) for box in boxes]
    np.testing.assert_allclose((shares * MAP).sum(axis=(1, 2)), due, rtol=1e-4, atol=1e-3)


def test_shares_by_hand():
    box = np.array([[0.0, 0.0, 64.0, 64.0], [8.0, 16.0, 16.0, 16.0]])
    everything, halves = cell_shares(box, cells=CELLS, size=SIZE)
    np.testing.assert_allclose(everything, 1 / 16)
    due = np.zeros((CELLS, CELLS))
    due[1, :2] = 0.5
    np.testing.assert_allclose(halves, due, atol=1e-6)


def test_regions_are_corners_after_the_pictures_number():
    regions = regions_of(np.array([[1.5, 2, 3, 4], [5, 6, 7, 8]]), np.array([4, 0]))
    assert regions.tolist() == [[4, 1.5, 2, 4.5, 6], [0, 5, 6, 12, 14]]
    assert regions.dtype == np.float32


def test_a_mirrored_box_holds_the_same_pixels(noise):
    picture, box = noise(20, 20), np.array([[3, 5, 6, 4]])
    ((left, top, width, height),) = mirrored_boxes(box, 20)
    there = picture[:, ::-1][top : top + height, left : left + width]
    np.testing.assert_array_equal(there, picture[5:9, 3:9][:, ::-1])
    np.testing.assert_array_equal(mirrored_boxes(mirrored_boxes(box, 20), 20), box)


def test_a_mirrored_box_reads_the_mirrored_map_alike(boxes):
    maps = MAP[None, None]
    np.testing.assert_allclose(
        pooled(maps[..., ::-1].copy(), mirrored_boxes(boxes, SIZE)), pooled(maps, boxes), rtol=1e-3
    )


RESNET = {"layer1": 16, "layer2": 8, "layer3": 4, "last": 2}


@pytest.mark.parametrize(
    ("cells", "size", "due"),
    [
        (RESNET, 64, ("layer2", "layer3", "last")),
        # An input that is no multiple of the strides: 25, 13, 7 and 4 cells at 100 pixels.
        ({"layer1": 25, "layer2": 13, "layer3": 7, "last": 4}, 100, ("layer2", "layer3", "last")),
        # Of several layers of one stride, the last.
        ({"a": 8, "b": 8, "c": 4, "d": 4, "e": 2, "last": 2}, 64, ("b", "d", "last")),
        # A dilated last stage, no layer of stride 8, tokens of one stride.
        (RESNET | {"last": 4}, 64, None),
        ({"layer1": 16, "layer3": 4, "last": 2}, 64, None),
        ({"blocks.0": 14, "blocks.1": 14, "last": 14}, 224, None),
        # Cells that are wider before the end than at it.
        ({"layer2": 8, "layer3": 4, "layer4": 2, "last": 4}, 64, None),
    ],
)
def test_the_pyramid_is_of_strides_8_16_and_32(cells, size, due):
    assert pyramid_layers(cells, size) == due


@pytest.mark.parametrize(
    ("parts", "due"),
    [
        (["scene", "box"], ("scene", "box")),
        (["scene", "finer", "box"], ("scene", "box", "pyramid")),
        (["fpn", "box", "scene"], ("scene", "box", "fpn")),
        (["scene", "box", "finer", "fpn"], ("scene", "box", "pyramid", "fpn")),
    ],
)
def test_readouts_are_there_whose_parts_are(parts, due):
    assert available(parts) == due


def test_the_weights_on_the_last_layer_come_last():
    rng = np.random.default_rng(5)
    lengths = {"scene": 3, "box": 3, "finer": 5, "fpn": 4}
    parts = {name: rng.normal(size=(6, length)) for name, length in lengths.items()}
    for readout, names in PARTS.items():
        feature = joined(parts, readout)
        assert feature.shape == (6, sum(lengths[name] for name in names))
        weight = rng.normal(size=(2, 6, feature.shape[1]))
        last = on_last_layer(weight, readout, 3)
        if readout == "fpn":
            assert last is None
            continue
        due = (weight * feature).sum(axis=2)
        if readout == "pyramid":
            due = due - (weight[..., :5] * parts["finer"]).sum(axis=2)
        pooled_last = parts["scene" if readout == "scene" else "box"]
        np.testing.assert_allclose((last * pooled_last).sum(axis=2), due)
