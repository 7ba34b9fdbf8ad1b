"""Whatever a file holds becomes 8-bit RGB by a rule that is stated."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from smallsight.imaging.conversion import FLAT, RULES, scaled
from smallsight.imaging.decoding import DamagedPictureError, decode

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (40, 64, 3), np.uint8)
THERMAL = np.linspace(21000, 26000, 40 * 64).reshape(40, 64)


def decoded(path, picture, **options):
    picture.save(path, **options)
    found = decode(path)
    assert found.picture.mode == "RGB"
    assert set(found.done) <= set(RULES)
    # What a plain reading of the file gives too is what `is_plain` says.
    with Image.open(path) as plain:
        plain.load()
        is_same = np.array_equal(plain.convert("RGB"), found.picture)
    assert found.is_plain <= is_same
    return found


# Values of more than 8 bits.


@pytest.mark.parametrize(
    ("ending", "type_"),
    [("png", np.uint16), ("tif", np.uint16), ("tif", np.int32), ("tif", np.float32),
     ("tif", ">u2"), ("jp2", np.uint16)],
)  # fmt: skip
def test_values_of_a_narrow_range_keep_their_content(tmp_path, ending, type_):
    """21000 to 26000 of 65535, as a thermal camera has them: Pillow alone shows white."""
    values = THERMAL.astype(type_)
    picture = decoded(tmp_path / f"a.{ending}", Image.fromarray(values))
    assert picture.done == ["scaled"]
    assert not picture.is_plain
    found = np.asarray(picture.picture).astype(int)
    assert (found[..., 0] == found[..., 1]).all()
    assert np.abs(found[..., 0] - (THERMAL - 21000) / 5000 * 255).max() <= 1
    assert len(np.unique(found)) == 256


def test_a_dead_pixel_does_not_squeeze_the_others(tmp_path):
    values = RNG.integers(21000, 26000, (200, 300)).astype(np.uint16)
    values[7, 7], values[9, 9] = 65535, 0
    found = np.asarray(decoded(tmp_path / "a.png", Image.fromarray(values)).picture)
    assert np.quantile(found, 0.9) - np.quantile(found, 0.1) > 190


def test_a_small_object_of_extreme_values_stands_out():
    """36 of 327680 pixels: a share of 0.00011."""
    values = RNG.integers(20990, 21010, (512, 640)).astype(float)
    values[100:106, 200:206] = 26000
    found = scaled(values)
    assert (found[100:106, 200:206] == 255).all()
    assert np.delete(found.ravel(), np.flatnonzero(values.ravel() == 26000)).max() < 5


def test_of_floating_numbers_what_is_not_finite_does_not_count():
    values = THERMAL.copy()
    values[0, :3] = np.nan, np.inf, -np.inf
    values[0, 3] = 21000
    found = scaled(values)
    assert found[0, :4].tolist() == [0, 255, 0, 0]
    assert np.abs(found[1:].astype(int) - scaled(THERMAL)[1:]).max() <= 1


@pytest.mark.parametrize("value", [0.0, 21000.0, -1e300, 1e308])
def test_a_picture_of_one_value_is_grey(value):
    assert (scaled(np.full((4, 5), value)) == FLAT).all()


def test_the_largest_numbers_do_not_overflow():
    assert scaled(np.array([[-1.7e308, 0, 1.7e308]])).tolist() == [[0, 128, 255]]


def test_two_values_of_which_one_is_rare_are_black_and_white():
    values = np.zeros((200, 200))
    values[3, 3] = 1e-12
    assert (scaled(values) == np.where(values > 0, 255, 0)).all()


def test_a_picture_without_any_number_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    Image.fromarray(np.full((4, 5), np.nan, np.float32)).save(path)
    with pytest.raises(DamagedPictureError, match=r"a\.tif: no value that is a finite number"):
        decode(path)


def colour_16(path, values):
    """Write a PNG of 16 bits a channel, which Pillow cannot write."""

    def chunk(name, content):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    height, width, channels = values.shape
    colour_type = {3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    content = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def test_colour_of_16_bits_keeps_its_upper_8(tmp_path):
    colour_16(tmp_path / "a.png", NOISE.astype(np.uint16) * 256 + 77)
    found = decode(tmp_path / "a.png")
    assert np.array_equal(found.picture, NOISE)
    assert (found.done, found.is_plain) == (["upper_bits"], True)


def test_colour_of_12_bits_in_16_is_refused_for_nothing_would_be_left(tmp_path):
    colour_16(tmp_path / "a.png", NOISE.astype(np.uint16) * 16)
    with pytest.raises(DamagedPictureError, match="16 bits a channel, all values below 4096"):
        decode(tmp_path / "a.png")


# Transparency.


def test_colour_hidden_under_transparency_does_not_show(tmp_path):
    alpha = np.zeros((40, 64), np.uint8)
    alpha[:20], alpha[20] = 255, 128
    picture = Image.fromarray(np.dstack([NOISE, alpha]))
    found = decoded(tmp_path / "a.png", picture)
    assert (found.done, found.is_plain) == (["composited"], False)
    pixels = np.asarray(found.picture)
    assert np.array_equal(pixels[:20], NOISE[:20])
    assert (pixels[21:] == 255).all()
    due = NOISE[20] * (128 / 255) + 255 * (127 / 255)
    assert np.abs(pixels[20] - due).max() <= 1


@pytest.mark.parametrize("ending", ["png", "webp", "tif", "gif"])
def test_an_opaque_picture_with_an_alpha_channel_is_left_as_it_is(tmp_path, ending):
    layered = Image.fromarray(NOISE).convert("RGBA")
    found = decoded(tmp_path / f"a.{ending}", layered)
    assert (found.done, found.is_plain) == ([], True)


def test_grey_with_alpha_and_palettes_with_transparency_are_laid_on_white(tmp_path):
    grey = np.dstack([NOISE[..., 0], np.full((40, 64), 0, np.uint8)])
    found = decoded(tmp_path / "grey.png", Image.fromarray(grey, "LA"))
    assert (np.asarray(found.picture) == 255).all()
    palette = Image.fromarray(NOISE[..., 0] % 2).convert("P")
    palette.putpalette([200, 0, 0, 0, 0, 200])
    for ending in ("png", "gif"):
        found = decoded(tmp_path / f"palette.{ending}", palette, transparency=0)
        due = np.where(NOISE[..., :1] % 2 == 1, [0, 0, 200], 255)
        assert np.array_equal(found.picture, due)
        assert found.done == ["composited"]


# Other colour models, animations, profiles.


@pytest.mark.parametrize("mode", ["L", "P", "1"])
def test_grey_palettes_and_bits_are_no_change(tmp_path, mode):
    picture = Image.fromarray(NOISE).convert(mode)
    found = decoded(tmp_path / "a.png", picture)
    assert np.array_equal(found.picture, picture.convert("RGB"))
    assert (found.done, found.is_plain) == ([], True)


@pytest.mark.parametrize(("mode", "ending"), [("CMYK", "jpg"), ("CMYK", "tif"), ("LAB", "tif")])
def test_other_colour_models_are_converted_by_pillow(tmp_path, mode, ending):
    even = Image.fromarray(np.full((40, 64, 3), (200, 60, 30), np.uint8))
    if mode == "LAB":
        profiles = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
        picture = ImageCms.profileToProfile(even, *profiles, outputMode="LAB")
    else:
        picture = even.convert(mode)
    found = decoded(tmp_path / f"a.{ending}", picture)
    assert found.done == ["converted"]
    assert found.is_plain
    assert np.abs(np.asarray(found.picture).mean(axis=(0, 1)) - (200, 60, 30)).max() < 4


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "tif"])
def test_of_animations_and_pages_the_first_is_taken(tmp_path, ending):
    frames = [Image.new("RGB", (64, 40), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if ending == "webp" else {}
    found = decoded(
        tmp_path / f"a.{ending}", frames[0], save_all=True, append_images=frames[1:], **options
    )
    assert found.done == ["first"]
    assert np.array_equal(found.picture, frames[0])


def test_profiles_are_not_applied(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    found = decoded(tmp_path / "a.png", Image.fromarray(NOISE), icc_profile=profile)
    assert np.array_equal(found.picture, NOISE)
    assert found.is_plain
