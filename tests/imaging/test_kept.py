import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from smallsight.imaging import kept
from smallsight.imaging.kept import KeptPictures
from smallsight.imaging.pictures import read_picture

ONE = 8 * 6 * 3
"""Bytes of a picture's pixels."""


@pytest.fixture
def paths(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 8, 3), np.uint8)
    found = [tmp_path / f"{number}.png" for number in range(4)]
    for path, one in zip(found, pixels, strict=True):
        Image.fromarray(one).save(path)
    return found


@pytest.fixture
def reads(monkeypatch):
    """The names of files in the order in which they were read."""
    found = []

    def read(path):
        found.append(path.name)
        return read_picture(path)

    monkeypatch.setattr(kept, "read_picture", read)
    return found


@pytest.mark.parametrize(("room", "again"), [(0, 4), (ONE - 1, 4), (2 * ONE, 2), (4 * ONE, 0)])
def test_those_that_were_read_first_are_kept(paths, reads, room, again):
    pictures = KeptPictures(room)
    for _ in range(2):
        for path in paths:
            np.testing.assert_array_equal(pictures.read(path), read_picture(path))
    names = [path.name for path in paths]
    assert reads == names + names[4 - again :]


def test_nobody_changes_what_is_kept(paths):
    pictures = KeptPictures(ONE)
    for _ in range(2):
        with pytest.raises(ValueError, match="read-only"):
            pictures.read(paths[0])[0, 0] = 0


def test_another_process_starts_with_none(paths, reads):
    pictures = KeptPictures(ONE)
    pictures.read(paths[0])
    other = pickle.loads(pickle.dumps(pictures))
    assert len(pickle.dumps(pictures)) < 200
    for _ in range(2):
        other.read(paths[0])
    assert len(reads) == 2


def test_several_threads_keep_no_more_than_there_is_room_for(paths):
    pictures = KeptPictures(2 * ONE)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(pictures.read, paths * 20))
    for path, picture in zip(paths * 20, found, strict=True):
        np.testing.assert_array_equal(picture, read_picture(path))
    assert len(pictures._kept) == 2
    assert pictures._left == 0
