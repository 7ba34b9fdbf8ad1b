import json

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as transforms

from smallsight.imaging import pictures
from smallsight.runtime.errors import PictureError

pytestmark = pytest.mark.usefixtures("single_worker")


@pytest.fixture
def paint(tmp_path):
    """Write a picture and give its path."""

    def paint(name, pixels, mode="RGB"):
        path = tmp_path / name
        Image.fromarray(np.asarray(pixels, np.uint8)).convert(mode).save(path)
        return path

    return paint


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
    found = pictures.mean_colour([paint("x.png", noise(20, 31))])
    assert np.abs(found - noise(20, 31).reshape(-1, 3).mean(axis=0)).max() <= 0.5
    # As a stage writes it.
    assert json.loads(json.dumps(found)) == list(found)
    assert pictures.mean_colour([paint("y.png", plain((7, 0, 255)))]) == (7, 0, 255)


def test_pictures_count_alike_whatever_their_size(paint):
    small = paint("small.png", plain((10, 0, 200), 3, 3))
    large = paint("large.png", plain((50, 100, 0), 90, 120))
    assert pictures.mean_colour([small, large]) == (30, 50, 100)
    third = paint("third.png", plain((0, 200, 100), 50, 4))
    assert pictures.mean_colour([small, large, third]) == (20, 100, 100)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_order_and_workers_do_not_matter(paint, noise, monkeypatch, workers):
    paths = [str(paint(f"{n}.png", noise(5 + n, 9, n) // (n + 1))) for n in range(6)]
    due = pictures.mean_colour(paths)
    monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
    for order in range(4):
        shuffled = np.random.default_rng(order).permutation(paths)
        assert pictures.mean_colour(shuffled) == due


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1"])
def test_pictures_of_any_mode_have_a_mean_colour(paint, mode):
    assert pictures.mean_colour([paint("x.png", plain((255, 255, 255)), mode)]) == (255,) * 3
    half = np.concatenate([plain((255, 255, 255)), plain((0, 0, 0))])
    assert pictures.mean_colour([paint("y.png", half, mode)]) == (128,) * 3


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


# Pictures that are none.


def save(path, **options):
    """Write noise of 64 x 40 pixels, which JPEG cannot shrink away."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 64, 3), np.uint8)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def path(tmp_path):
    save(tmp_path / "a.jpg")
    return tmp_path / "a.jpg"


def test_whole_picture_passes(path):
    pictures.verify_picture(path, width=64, height=40)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_colour_model_does_not_matter(path, mode):
    Image.open(path).convert(mode).save(path)
    pictures.verify_picture(path, width=64, height=40)


@pytest.mark.parametrize("lost", [1, 2, 100, 1500])
def test_truncated_picture_is_named(path, lost):
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(PictureError, match=r"a\.jpg: .*truncated"):
        pictures.verify_picture(path, width=64, height=40)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xd8\xff"])
def test_what_is_no_picture_is_named(path, content):
    path.write_bytes(content)
    with pytest.raises(PictureError, match=r"a\.jpg: ") as caught:
        pictures.verify_picture(path, width=64, height=40)
    assert "\n" not in str(caught.value)


def test_missing_picture_is_named(tmp_path):
    with pytest.raises(PictureError, match=r"b\.jpg: no such file"):
        pictures.verify_picture(tmp_path / "b.jpg", width=64, height=40)


def test_other_size_is_named_under_the_name_given(path):
    with pytest.raises(PictureError, match="there: 64 x 40 pixels; expected 40 x 64 pixels"):
        pictures.verify_picture(path, width=40, height=64, where="there")


def test_size_is_that_of_the_stored_pixels(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    save(tmp_path / "turned.jpg", exif=exif)
    pictures.verify_picture(tmp_path / "turned.jpg", width=64, height=40)
    with pytest.raises(PictureError):
        pictures.verify_picture(tmp_path / "turned.jpg", width=40, height=64)
