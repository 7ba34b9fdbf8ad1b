import pytest
from PIL import Image

from smallsight.imaging import pictures
from smallsight.runtime.errors import PictureError


@pytest.fixture
def path(tmp_path, paint):
    paint(tmp_path / "a.jpg", size=(64, 40))
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


def test_size_is_that_of_the_stored_pixels(tmp_path, paint):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    paint(tmp_path / "turned.jpg", size=(64, 40), exif=exif)
    pictures.verify_picture(tmp_path / "turned.jpg", width=64, height=40)
    with pytest.raises(PictureError):
        pictures.verify_picture(tmp_path / "turned.jpg", width=40, height=64)
