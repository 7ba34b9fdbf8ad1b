import io

import numpy as np
import pytest
from PIL import Image

from smallsight.imaging.png import png


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (9, 1), (48, 31)])
def test_other_readers_see_the_same_pixels(noise, height, width):
    picture = noise(height, width)
    with Image.open(io.BytesIO(png(picture))) as opened:
        assert (opened.format, opened.mode) == ("PNG", "RGB")
        opened.load()
        assert (np.asarray(opened) == picture).all()


def test_equal_pictures_have_equal_bytes_whatever_their_memory(noise):
    picture = noise(20, 30)
    larger = np.zeros((40, 30, 3), np.uint8)
    larger[::2] = picture
    assert png(larger[::2]) == png(picture)


def test_smooth_pictures_take_little_room():
    ramp = np.repeat(np.arange(96, dtype=np.uint8)[:, None], 96, axis=1)
    assert len(png(np.stack([ramp] * 3, axis=-1))) < 96 * 96 * 3 / 50
