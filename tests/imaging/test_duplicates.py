"""The same photograph under several names, and different ones that are not taken for it."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance

from builders.phantom_dials import make_dials
from smallsight import phantom
from smallsight.imaging.duplicates import Duplicates, describe_pictures, find_duplicates
from smallsight.imaging.photographs import DUPLICATES, groups_of
from smallsight.runtime.tables import conform

pytestmark = pytest.mark.usefixtures("single_worker")

N_SCENES = 12


@pytest.fixture(scope="module")
def scenes():
    """Drawn scenes, different ones."""
    layouts = [phantom.layout(np.random.default_rng(n), make_dials()) for n in range(N_SCENES)]
    rng = np.random.default_rng(0)
    return [Image.fromarray(phantom.paint(layout, rng)) for layout in layouts]


@pytest.fixture
def find(tmp_path, single_worker):
    """Write pictures, numbered from 1 or as given, and find duplicates among them."""

    def find(pictures, ids=None):
        ids = list(range(1, len(pictures) + 1)) if ids is None else ids
        paths = [tmp_path / f"{number}.png" for number in ids]
        for path, picture in zip(paths, pictures, strict=True):
            picture.save(path)
        return find_duplicates(ids, describe_pictures(paths))

    return find


def test_pictures_of_one_pixel_are_the_same_where_their_colour_is(find, scenes):
    dots = [Image.new("RGB", (1, 1), colour) for colour in ("red", "red", "blue")]
    found = find([*scenes, *dots]).table
    assert found[found["kind"] == "identical"]["image_id"].tolist() == [13, 14]


def compressed(picture):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=60)
    return Image.open(file).convert("RGB")


def halved(picture):
    return picture.resize((picture.width // 2, picture.height // 2))


def cropped(picture):
    dx, dy = picture.width // 50, picture.height // 50
    return picture.crop((dx, dy, picture.width - dx, picture.height - dy))


def brightened(picture):
    return ImageEnhance.Brightness(picture).enhance(1.2)


def all_of_it(picture):
    return compressed(brightened(halved(cropped(picture))))


@pytest.mark.parametrize("copy", [compressed, halved, cropped, brightened, all_of_it])
def test_copies_are_found_and_different_scenes_are_not(find, scenes, copy):
    found = find([*scenes, copy(scenes[3]), copy(scenes[5])])
    assert found.table.to_dict("list") == {
        "image_id": [4, 6, N_SCENES + 1, N_SCENES + 2],
        "group": [4, 6, 4, 6],
        "kind": ["near"] * 4,
    }
    assert found.n_unjoined == 0


def test_different_scenes_have_no_duplicates(find, scenes):
    found = find(scenes)
    assert found.table.empty
    assert found.describe() == ""
    assert list(conform(found.table, DUPLICATES).columns) == DUPLICATES.names


def test_identical_pictures_are_told_from_near_ones(find, scenes):
    ids = [50, 40, 30, 20, *range(60, 70)]
    found = find([scenes[0], scenes[0], compressed(scenes[0]), *scenes[1:]], ids)
    assert found.table.to_dict("list") == {
        "image_id": [30, 40, 50],
        "group": [30, 30, 30],
        "kind": ["near", "identical", "identical"],
    }
    assert found.as_tree() == {"identical": 2, "near": 1, "photographs": 1, "unjoined": 0}
    assert found.describe() == (
        "2 identical and 1 near-identical pictures of 1 photograph share a fold"
    )


def test_one_file_in_two_formats_is_identical(tmp_path, scenes):
    scenes[0].save(tmp_path / "1.png")
    scenes[0].save(tmp_path / "2.bmp")
    found = find_duplicates([1, 2], describe_pictures([tmp_path / "1.png", tmp_path / "2.bmp"]))
    assert set(found.table["kind"]) == {"identical"}


def test_even_pictures_of_different_colours_or_shapes_are_different(find, scenes):
    def even(size, colour):
        return Image.new("RGB", size, colour)

    found = find([even((40, 30), "red"), even((40, 30), "blue"), even((30, 40), "red"), *scenes])
    assert found.table.empty


def test_pictures_of_a_fixed_camera_are_left_apart_and_counted(find, scenes):
    """A quarter shows the same street, each with another object in front of it."""
    street = np.asarray(scenes[0])
    frames = []
    for number in range(4):
        frame = street.copy()
        frame[40:60, 20 * number : 20 * number + 15] = 255
        frames.append(Image.fromarray(frame))
    found = find([*frames, frames[0], *scenes[1:]])
    assert found.table.to_dict("list") == {
        "image_id": [1, 5],
        "group": [1, 1],
        "kind": ["identical"] * 2,
    }
    assert found.n_unjoined == 3
    assert found.as_tree()["unjoined"] == 3
    assert "3 near-identical pictures seem to be of a fixed camera" in found.describe()


def test_order_and_workers_do_not_matter(find, scenes, monkeypatch):
    pictures = [*scenes, halved(scenes[2]), scenes[7]]
    ids = np.arange(1, len(pictures) + 1)
    due = find(pictures, ids.tolist()).table
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "2")
    order = np.random.default_rng(0).permutation(len(pictures))
    shuffled = find([pictures[place] for place in order], ids[order].tolist()).table
    pd.testing.assert_frame_equal(shuffled, due)


def test_a_single_picture_has_no_duplicate(find, scenes):
    assert find(scenes[:1]).table.empty


def test_pictures_without_a_duplicate_are_their_own_group():
    none = Duplicates(pd.DataFrame({"image_id": [], "group": [], "kind": []})).table
    assert groups_of(pd.Series([8, 5, 8]), none).tolist() == [8, 5, 8]
