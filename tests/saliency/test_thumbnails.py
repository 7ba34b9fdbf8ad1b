"""Thumbnails: small files that still show, in order, what the network saw."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from smallsight.saliency import thumbnails
from smallsight.vocabulary import SIZE_GROUPS

PLACES = ("orig_full/default", "orig_full/object/default", "downscale/object/scale=0.5")
OBJECTS = [(7, 1), (7, 2), (30, 4), (4, 9)]


def wavy(size, *, seed):
    """A smooth picture, which WebP and resizing leave nearly as it was."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    waves = [np.sin(rng.uniform(2, 5) * x + rng.uniform(2, 5) * y + seed) for _ in range(3)]
    return np.rint(127 + 90 * np.stack(waves, axis=-1)).astype(np.uint8)


def predictions(folder, objects=OBJECTS):
    """Every object in every place, as the stage has them."""
    rows = [
        {
            "place": place,
            "image_id": image_id,
            "ann_id": ann_id,
            "picture": f"{folder}/{place}/{image_id}_{ann_id}.png",
        }
        for place in PLACES
        for image_id, ann_id in objects
    ]
    return pd.DataFrame(rows, columns=["place", "image_id", "ann_id", "picture"])


def render(table, size):
    """Write the pictures that the table speaks of; give them by place and object."""
    seen = {}
    for number, row in enumerate(table.itertuples(index=False)):
        path = Path(row.picture)
        path.parent.mkdir(parents=True, exist_ok=True)
        seen[row.place, row.image_id, row.ann_id] = wavy(size, seed=number)
        Image.fromarray(seen[row.place, row.image_id, row.ann_id]).save(path)
    return seen


def write(folder, *, size=64, objects=OBJECTS, drawn=OBJECTS, target="new/thumbnails"):
    table = predictions(folder, objects)
    seen = render(table, size)
    chosen = pd.DataFrame(drawn, columns=["image_id", "ann_id"])
    out = folder / target
    thumbnails.write_thumbnails(table, chosen, folder=out, size=size)
    return seen, out


def read(path):
    with Image.open(path) as picture:
        assert (picture.format, picture.mode) == ("WEBP", "RGB")
        return np.asarray(picture).astype(float)


def reduced(pixels, side):
    picture = Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(picture).astype(float)


@pytest.mark.parametrize(("size", "side"), [(24, 24), (96, 96), (160, 96), (224, 96)])
def test_pictures_of_an_object_stand_side_by_side_in_the_tables_order(tmp_path, size, side):
    seen, folder = write(tmp_path, size=size)
    for image_id, ann_id in OBJECTS:
        row = read(folder / f"{image_id}_{ann_id}.webp")
        assert row.shape == (side, side * len(PLACES), 3)
        for number, place in enumerate(PLACES):
            shown = row[:, side * number : side * (number + 1)]
            due = reduced(seen[place, image_id, ann_id], side)
            # WebP is lossy: about the same everywhere, and far from any other picture.
            assert np.abs(shown - due).mean() < 6
            others = [key for key in seen if key != (place, image_id, ann_id)]
            away = [np.abs(shown - reduced(seen[key], side)).mean() for key in others]
            assert min(away) > 15


def test_only_what_is_drawn_is_kept_whole_and_of_the_rest_the_first(tmp_path):
    seen, folder = write(tmp_path, drawn=[(7, 2), (4, 9)])
    for image_id, ann_id in OBJECTS:
        row = read(folder / f"{image_id}_{ann_id}.webp")
        count = len(PLACES) if (image_id, ann_id) in [(7, 2), (4, 9)] else 1
        assert row.shape == (64, 64 * count, 3)
        first = seen[PLACES[0], image_id, ann_id].astype(float)
        assert np.abs(row[:, :64] - first).mean() < 4


def test_the_order_of_rows_between_objects_does_not_matter(tmp_path):
    table = predictions(tmp_path)
    _, one = write(tmp_path)
    order = table.sort_values(["ann_id"], kind="stable")
    assert list(order.index) != list(table.index)
    thumbnails.write_thumbnails(
        order, table[["image_id", "ann_id"]], folder=tmp_path / "again", size=64
    )
    assert contents(one) == contents(tmp_path / "again")


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_paths_name_the_files_that_are_written_one_for_each_row(tmp_path):
    table = predictions(tmp_path)
    _, folder = write(tmp_path)
    found = thumbnails.thumbnail_paths(table, Path("data/gradcam/thumbnails"))
    assert len(found) == len(table)
    for path, row in zip(found, table.itertuples(), strict=True):
        assert path == f"data/gradcam/thumbnails/{row.image_id}_{row.ann_id}.webp"
    assert {Path(path).name for path in found} == set(contents(folder))


def test_files_are_small(tmp_path):
    _, folder = write(tmp_path, size=224)
    for path in folder.iterdir():
        assert path.stat().st_size < 0.1 * 96 * 96 * 3 * len(PLACES)


@pytest.mark.parametrize("workers", ["1", "3"])
def test_the_number_of_workers_changes_no_byte(tmp_path, monkeypatch, workers):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "2")
    monkeypatch.delenv("SMALLSIGHT_DASK", raising=False)
    objects = [(image_id, 3) for image_id in range(12)]
    _, one = write(tmp_path, size=32, objects=objects, drawn=objects[::2])
    monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
    _, other = write(tmp_path, size=32, objects=objects, drawn=objects[::2], target="other")
    assert len(contents(one)) == len(objects)
    assert contents(one) == contents(other)


def test_of_nothing_an_empty_folder_is_made(tmp_path):
    _, folder = write(tmp_path, objects=[], drawn=[])
    assert list(folder.iterdir()) == []


def test_a_missing_picture_is_an_error_that_names_it(tmp_path):
    table = predictions(tmp_path)
    render(table, 24)
    (tmp_path / PLACES[1] / "30_4.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"orig_full/object/default/30_4\.png"):
        thumbnails.write_thumbnails(
            table, table[["image_id", "ann_id"]], folder=tmp_path / "new", size=24
        )


def sample(pools):
    groups = np.repeat(list(SIZE_GROUPS), pools)
    table = pd.DataFrame({"image_id": np.arange(len(groups)), "ann_id": 5, "size_group": groups})
    # As in the stage, the index says where an object's map is.
    return table.set_axis(range(1000, 1000 + len(table)))


def draw(table, seed=0):
    return thumbnails.draw_whole(table, rng=np.random.default_rng(seed))


@given(
    pools=st.lists(st.integers(0, 30), min_size=3, max_size=3),
    most=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=60)
def test_size_groups_take_turns_up_to_the_most(pools, most, seed):
    table = sample(pools)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(thumbnails, "MOST", most)
        drawn = draw(table, seed)
    assert len(drawn) == min(most, len(table))
    pd.testing.assert_frame_equal(drawn, table.loc[drawn.index])
    assert drawn.index.is_unique
    shown = Counter(drawn["size_group"])
    for group, pool in zip(SIZE_GROUPS, pools, strict=True):
        # Who has fewer than another has none left.
        if shown[group] < pool:
            assert max(shown.values()) <= shown[group] + 1


def test_all_are_kept_whole_where_there_is_room():
    table = sample([30, 20, 10])
    assert len(table) < thumbnails.MOST
    assert set(draw(table).index) == set(table.index)


def test_a_draw_depends_on_the_seed_and_on_nothing_it_shows(monkeypatch):
    monkeypatch.setattr(thumbnails, "MOST", 12)
    table = sample([30, 20, 10])
    first = list(draw(table).index)
    assert first == list(draw(table).index)
    assert first != list(draw(table, seed=1).index)
    assert first == list(draw(table.assign(correct=True, lift=np.arange(60.0))).index)


def test_every_object_may_be_drawn(monkeypatch):
    monkeypatch.setattr(thumbnails, "MOST", 6)
    table = sample([5, 4, 3])
    seen = Counter(index for seed in range(60) for index in draw(table, seed).index)
    assert set(seen) == set(table.index)
    assert all(seen[index] < 60 for index in table.index)
