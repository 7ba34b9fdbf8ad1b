import pytest
from PIL import Image

from smallsight.datasets.formats.picture_files import SUFFIXES, find_pictures, read_size
from smallsight.imaging.decoding import MAX_PIXELS

KINDS = {".jfif": "JPEG", ".jpe": "JPEG", ".mpo": "JPEG", ".pgm": "PPM"}
"""Suffixes that Pillow does not write by themselves."""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_kind_of_picture_is_found_and_measured(tmp_path, suffix):
    path = tmp_path / f"a{suffix.upper()}"
    Image.new("RGB", (30, 20)).save(path, format=KINDS.get(suffix))
    assert find_pictures(tmp_path) == [path.name]
    assert read_size(path, upright=False) == (30, 20)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_quarter_turns_swap_the_sides_of_upright_pictures(blank, orientation):
    path = blank("a.jpg", size=(30, 20), orientation=orientation)
    assert read_size(path, upright=False) == (30, 20)
    assert read_size(path, upright=True) == ((20, 30) if orientation > 4 else (30, 20))


@pytest.mark.parametrize("content", [b"", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\xff\xd8\xff"])
def test_what_is_no_picture_has_no_size(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    assert read_size(tmp_path / "a.jpg", upright=True) is None


def test_pictures_of_any_size_are_measured(tmp_path):
    """`data.max_pixels` is not known here; nothing is decoded."""
    header = b"P6 20000 10000 255\n"
    (tmp_path / "a.ppm").write_bytes(header)
    assert MAX_PIXELS < 20_000 * 10_000
    assert read_size(tmp_path / "a.ppm", upright=True) == (20_000, 10_000)


def test_broken_links_have_no_size(tmp_path):
    (tmp_path / "a.jpg").symlink_to("nowhere")
    assert find_pictures(tmp_path) == ["a.jpg"]
    assert read_size(tmp_path / "a.jpg", upright=True) is None
