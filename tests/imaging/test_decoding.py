"""Files of pictures: what is opened, which way up, and what is said of those that cannot be."""

import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from builders.large_pictures import black_png
from smallsight.imaging import decoding
from smallsight.imaging.pictures import read_picture
from smallsight.runtime.errors import PictureError

NOISE = np.random.default_rng(0).integers(0, 256, (40, 64, 3), np.uint8)
EXACT = {"png": {}, "tif": {}, "webp": {"lossless": True}, "bmp": {}, "ppm": {}, "jp2": {}}
"""Formats that keep every pixel, with what Pillow needs for that."""


def save(path, pixels=NOISE, orientation=None, **options):
    if orientation is not None:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = orientation
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture
def path(tmp_path):
    return save(tmp_path / "a.jpg")


# Formats.


@pytest.mark.parametrize("ending", EXACT)
def test_formats_that_keep_pixels_are_read_as_they_are(tmp_path, ending):
    path = save(tmp_path / f"a.{ending}", **EXACT[ending])
    decoded = decoding.decode(path)
    assert np.array_equal(decoded.picture, NOISE)
    assert (decoded.done, decoded.is_plain) == ([], True)


@pytest.mark.parametrize("ending", ["jpg", "avif", "gif"])
def test_other_formats_are_read_as_pillow_reads_them(tmp_path, ending):
    path = save(tmp_path / f"a.{ending}")
    with Image.open(path) as due:
        assert np.array_equal(decoding.decode(path).picture, due.convert("RGB"))
    assert np.array_equal(read_picture(path), decoding.decode(path).picture)


def test_a_phones_mpo_is_its_first_picture(tmp_path):
    path = tmp_path / "a.jpg"
    preview = Image.fromarray(NOISE[:8, :8])
    Image.fromarray(NOISE).save(path, "MPO", save_all=True, append_images=[preview])
    assert Image.open(path).format == "MPO"
    decoded = decoding.decode(path)
    assert (decoded.picture.size, decoded.done) == ((64, 40), [])


@pytest.mark.parametrize(("ending", "name"), [("eps", "EPS"), ("pcx", "PCX"), ("tga", "TGA")])
def test_no_other_format_is_opened(tmp_path, monkeypatch, ending, name):
    path = save(tmp_path / f"a.{ending}")
    path = path.rename(tmp_path / "a.jpg")

    def opened(*_):
        raise AssertionError(f"{name} was opened")

    Image.init()
    monkeypatch.setitem(Image.OPEN, name, (opened, opened))
    with pytest.raises(PictureError) as caught:
        decoding.decode(path)
    assert str(caught.value) == (
        f"picture error: {path}: no picture of a format that is opened; expected one of "
        "JPEG, PNG, BMP, GIF, TIFF, WEBP, PPM, JPEG2000, AVIF"
    )


# What is wrong with a file.


def test_whole_picture_passes(path):
    decoding.verify_picture(path, width=64, height=40)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_colour_model_does_not_matter(path, mode):
    Image.open(path).convert(mode).save(path)
    decoding.verify_picture(path, width=64, height=40)


@pytest.mark.parametrize("lost", [1, 2, 100, 1500])
def test_truncated_picture_is_named(path, lost):
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(decoding.DamagedPictureError, match=r"a\.jpg: .*truncated"):
        decoding.verify_picture(path, width=64, height=40)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xd8\xff", b"GIF89a"])
def test_what_is_no_picture_is_named(path, content):
    path.write_bytes(content)
    with pytest.raises(decoding.DamagedPictureError, match=r"a\.jpg: ") as caught:
        decoding.verify_picture(path, width=64, height=40)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", [*EXACT, "jpg", "avif", "gif"])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_file_is_one_line_or_a_picture(tmp_path, ending, data):
    """Whatever a decoder raises, no traceback comes out: AVIF's raises a ValueError."""
    path = save(tmp_path / f"a.{ending}", **EXACT.get(ending, {}))
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        decoded = decoding.decode(path, max_pixels=10_000)
    except PictureError as error:
        assert str(error).startswith(f"picture error: {path}: ")
        assert "\n" not in str(error)
    else:
        assert decoded.picture.mode == "RGB"
        assert not decoded.is_plain or np.array_equal(read_picture(path), decoded.picture)


def test_a_png_file_whose_pixels_are_damaged_is_named(tmp_path):
    path = save(tmp_path / "a.png")
    content = path.read_bytes()
    path.write_bytes(content[:60] + bytes(len(content) - 60))
    with pytest.raises(decoding.DamagedPictureError, match=r"a\.png: "):
        decoding.decode(path)


def test_missing_picture_is_named(tmp_path):
    with pytest.raises(decoding.MissingPictureError, match=r"b\.jpg: no such file"):
        decoding.verify_picture(tmp_path / "b.jpg", width=64, height=40)


def test_a_broken_link_is_named_as_such(tmp_path):
    (tmp_path / "b.jpg").symlink_to("nowhere.jpg")
    with pytest.raises(decoding.MissingPictureError, match=r"b\.jpg: a broken symbolic link"):
        decoding.read_header(tmp_path / "b.jpg")


def test_other_size_is_named_under_the_name_given(path):
    with pytest.raises(decoding.SizeError, match="there: 64 x 40 pixels; expected 40 x 64 pixels"):
        decoding.verify_picture(path, width=40, height=64, where="there")


@pytest.mark.parametrize("read", [decoding.read_header, decoding.decode])
def test_a_picture_of_too_many_pixels_is_refused_and_the_parameter_is_named(path, read):
    read(path, max_pixels=64 * 40)
    with pytest.raises(decoding.LargePictureError) as caught:
        read(path, max_pixels=64 * 40 - 1)
    assert str(caught.value) == (
        f"picture error: {path}: 64 x 40 = 2560 pixels; expected 2559 at most; "
        "`data.max_pixels` in params.yaml sets how many"
    )


@pytest.mark.parametrize("read", [decoding.read_header, decoding.decode])
def test_a_picture_beyond_the_usual_limit_is_refused_before_it_is_decoded(
    tmp_path, monkeypatch, read
):
    (tmp_path / "a.png").write_bytes(black_png(30_000))
    assert (tmp_path / "a.png").stat().st_size < 2**18
    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded)
    began = time.monotonic()
    with pytest.raises(decoding.LargePictureError, match="30000 x 30000 = 900000000 pixels; "):
        read(tmp_path / "a.png")
    assert time.monotonic() - began < 2


def decoded(picture):
    raise AssertionError("it was decoded")


@pytest.mark.parametrize("ending", [*EXACT, "jpg", "avif", "gif"])
def test_a_picture_of_one_pixel_is_a_picture(tmp_path, ending):
    path = save(tmp_path / f"a.{ending}", NOISE[:1, :1], **EXACT.get(ending, {}))
    decoding.verify_picture(path, width=1, height=1)
    assert read_picture(path).shape == (1, 1, 3)


@pytest.mark.filterwarnings("error")
def test_pillows_own_limit_does_not_count_and_stays(path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert decoding.decode(path).picture.size == (64, 40)
    assert read_picture(path).shape == (40, 64, 3)
    assert Image.MAX_IMAGE_PIXELS == 100


# Which way up.


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
def test_pictures_are_turned_as_exif_says_or_left_as_stored(tmp_path, ending, orientation):
    """The first row and column of the stored pixels are the sides that EXIF's table names."""
    path = save(tmp_path / f"a.{ending}", orientation=orientation, **EXACT[ending])
    due = {
        1: NOISE,
        2: NOISE[:, ::-1],
        3: NOISE[::-1, ::-1],
        4: NOISE[::-1],
        5: NOISE.transpose(1, 0, 2),
        6: NOISE.transpose(1, 0, 2)[:, ::-1],
        7: NOISE[::-1, ::-1].transpose(1, 0, 2),
        8: NOISE.transpose(1, 0, 2)[::-1],
    }[orientation]
    upright, stored = decoding.decode(path, is_upright=True), decoding.decode(path)
    assert np.array_equal(upright.picture, due)
    assert np.array_equal(stored.picture, NOISE)
    assert upright.done == (["turned"] if orientation > 1 else [])
    assert stored.done == []
    for decoded in (upright, stored):
        assert decoded.is_plain == np.array_equal(read_picture(path), decoded.picture)
    header = decoding.read_header(path)
    assert header.orientation == orientation
    assert header.stored == stored.picture.size
    assert header.upright == upright.picture.size


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_grey_tiff_that_is_not_compressed_is_turned_too(tmp_path, dtype):
    pixels = np.arange(40 * 64, dtype=dtype).reshape(40, 64)
    path = save(tmp_path / "a.tif", pixels, orientation=6)
    upright, stored = decoding.decode(path, is_upright=True), decoding.decode(path)
    assert (stored.picture.size, upright.picture.size) == ((64, 40), (40, 64))
    assert np.array_equal(upright.picture, np.rot90(stored.picture, -1))


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_exif_does_not_know_is_none(path, orientation):
    save(path, orientation=orientation)
    assert decoding.read_header(path).orientation == 1
    assert decoding.decode(path, is_upright=True).done == []


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_data_are_none(path):
    save(path, exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f")
    assert decoding.read_header(path).orientation == 1
    assert decoding.decode(path, is_upright=True).picture.size == (64, 40)
