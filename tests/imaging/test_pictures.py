import json

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as transforms

from smallsight.imaging import duplicates, pictures

pytestmark = pytest.mark.usefixtures("single_worker")


@pytest.fixture
def paint(tmp_path):
    """Write a picture and give its path."""

    def paint(name, pixels, mode="RGB"):
        path = tmp_path / name
        Image.fromarray(np.asarray(pixels, np.uint8)).convert(mode).save(path)
        return path

    return paint


def colour_of(paths):
    return duplicates.mean_colour(duplicates.describe_pictures(paths))


def plain(colour, height=4, width=5):
    return np.broadcast_to(np.array(colour, np.uint8), (height, width, 3))


@pytest.mark.parametrize(("mode", "suffix"), [("L", "jpg"), ("P", "png"), ("RGBA", "png"),
                                              ("CMYK", "jpg"), ("RGB", "jpg")])  # fmt: skip
def test_pictures_of_any_mode_are_read_as_colours(paint, noise, mode, suffix):
    path = paint(f"x.{suffix}", noise(20, 30), mode)
    picture = pictures.read_picture(path)
    assert (picture.shape, picture.dtype) == ((20, 30, 3), np.uint8)
    with Image.open(path) as again:
        assert (picture == np.asarray(again.convert("RGB"))).all()


def test_lossless_pictures_are_read_as_they_are(paint, noise):
    assert (pictures.read_picture(paint("x.png", noise(9, 7))) == noise(9, 7)).all()
    assert (pictures.read_picture(str(paint("y.png", noise(7, 9)))) == noise(7, 9)).all()


def test_the_mean_colour_of_one_picture_is_its_pixels(paint, noise):
    found = colour_of([paint("x.png", noise(20, 31))])
    assert np.abs(found - noise(20, 31).reshape(-1, 3).mean(axis=0)).max() <= 0.5
    # As a stage writes it.
    assert json.loads(json.dumps(found)) == list(found)
    assert colour_of([paint("y.png", plain((7, 0, 255)))]) == (7, 0, 255)


def test_pictures_count_alike_whatever_their_size(paint):
    small = paint("small.png", plain((10, 0, 200), 3, 3))
    large = paint("large.png", plain((50, 100, 0), 90, 120))
    assert colour_of([small, large]) == (30, 50, 100)
    third = paint("third.png", plain((0, 200, 100), 50, 4))
    assert colour_of([small, large, third]) == (20, 100, 100)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_order_and_workers_do_not_matter(paint, noise, monkeypatch, workers):
    paths = [str(paint(f"{n}.png", noise(5 + n, 9, n) // (n + 1))) for n in range(6)]
    due = colour_of(paths)
    monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
    for order in range(4):
        shuffled = np.random.default_rng(order).permutation(paths)
        assert colour_of(shuffled) == due


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1"])
def test_pictures_of_any_mode_have_a_mean_colour(paint, mode):
    assert colour_of([paint("x.png", plain((255, 255, 255)), mode)]) == (255,) * 3
    half = np.concatenate([plain((255, 255, 255)), plain((0, 0, 0))])
    assert colour_of([paint("y.png", half, mode)]) == (128,) * 3


# What a network expects.


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("height", "width", "size"), [(96, 128, 40), (33, 57, 64), (50, 20, 50)])
def test_resizing_is_torchvisions_with_antialiasing(noise, interpolation, height, width, size):
    # In the middle of the range, so that nothing overshoots and is clipped between the passes.
    picture = 64 + noise(height, width) // 2
    found = pictures.resize(picture, size, interpolation=interpolation)
    due = transforms.resize(
        torch.from_numpy(picture).permute(2, 0, 1).double(), [size, size],
        interpolation=transforms.InterpolationMode(interpolation), antialias=True,
    )  # fmt: skip
    # Pillow rounds after each of its two passes.
    assert np.abs(found - due.permute(1, 2, 0).numpy()).max() <= 1.3
    if interpolation == "bilinear":
        assert (found == pictures.resize(picture, size)).all()


def test_bicubic_keeps_edges_sharper_than_bilinear():
    edge = np.zeros((64, 64, 3), np.uint8)
    edge[:, 32:] = 200
    steps = [
        np.abs(np.diff(pictures.resize(edge, 128, interpolation=name)[64, :, 0].astype(int))).max()
        for name in ("bilinear", "bicubic")
    ]
    assert steps[1] > steps[0]


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_the_format_of_an_input_survives_its_file(tmp_path, interpolation):
    written = pictures.InputFormat(128, interpolation)
    path = tmp_path / "input.json"
    pictures.write_input_format(written, path)
    assert json.loads(path.read_text()) == {"size": 128, "interpolation": interpolation}
    assert pictures.read_input_format(path) == written
