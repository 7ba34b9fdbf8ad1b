import pickle
import weakref

import numpy as np
import pytest
from PIL import Image

from builders import views
from smallsight.conditions.rendering import instance_views
from smallsight.conditions.rendering.instance_views import (
    InstanceViews,
    read_picture,
    with_inputs,
)
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import InputFormat
from smallsight.sampling.donors import draw_donors

COLOUR = (120, 30, 7)
INPUT = InputFormat(48, "bicubic")
IDS = ["image_id", "ann_id"]


@pytest.fixture
def drawn(sample):
    return draw_donors(sample, sample, window_margin=0, seed=0)


@pytest.fixture
def shared():
    return InstanceViews(colour=COLOUR, input_format=INPUT, window_margin=0.3)


def box(row):
    return Box(row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h)


def by_ids(table):
    return {(row.image_id, row.ann_id): row for row in table.itertuples()}


# Masks and donors, by ids.


def test_each_row_gets_the_mask_and_the_donors_of_its_own_ids(sample, known, drawn):
    rows = with_inputs(sample, known, drawn)
    assert rows[sample.columns].equals(sample)
    assert list(rows.columns) == [*sample.columns, "mask", "donors"]
    objects = by_ids(sample)
    chosen = drawn.dropna().set_index([*IDS, "donor"])
    for key, row in by_ids(rows).items():
        assert row.mask == known.get(key)
        assert row.donors.keys() == {kind for *ids, kind in chosen.index if tuple(ids) == key}
        for kind, (path, place) in row.donors.items():
            donor = objects[tuple(chosen.loc[(*key, kind)])]
            assert path == donor.image_path
            assert place == box(donor)
    assert rows["mask"].isna().sum() == 1


def test_the_order_of_nothing_matters(sample, known, drawn):
    due = by_ids(with_inputs(sample, known, drawn))
    turned = sample.sample(frac=1, random_state=2)
    reverse = dict(reversed(known.items()))
    rows = with_inputs(turned, reverse, drawn.sample(frac=1, random_state=1))
    assert rows.index.equals(turned.index)
    for key, row in by_ids(rows).items():
        assert (row.mask, row.donors) == (due[key].mask, due[key].donors)


def test_both_ids_name_an_object(sample, known):
    twins = sample.assign(ann_id=[1, 2] * 3)
    rows = with_inputs(
        twins, {(7, 1): known[7, 70]}, draw_donors(twins, twins, window_margin=0, seed=0)
    )
    assert rows.loc[rows["mask"].notna(), IDS].to_numpy().tolist() == [[7, 1]]
    for row in rows.itertuples():
        assert row.donors
        assert all(path != row.image_path for path, _ in row.donors.values())


def test_without_donors_or_masks_there_are_none(sample):
    alone = sample[sample["image_id"] == 3]
    rows = with_inputs(alone, {}, draw_donors(alone, alone, window_margin=0, seed=0))
    assert list(rows["donors"]) == [{}, {}]
    assert list(rows["mask"]) == [None, None]


def test_rows_travel_to_other_processes(sample, known, drawn, shared):
    rows = with_inputs(sample, known, drawn)
    there, again = pickle.loads(pickle.dumps((shared, rows)))
    assert there == shared
    assert again["donors"].tolist() == rows["donors"].tolist()


# Views.


@pytest.fixture
def read(monkeypatch):
    """Paths that are read, in order."""
    paths = []

    def reader(path, read=read_picture):
        paths.append(path)
        return read(path)

    monkeypatch.setattr(instance_views, "read_picture", reader)
    return paths


def test_views_show_the_untouched_picture_and_where_the_object_is(
    sample, known, drawn, shared, read
):
    rows = with_inputs(sample, known, drawn)
    for image_id, image in rows.groupby("image_id"):
        found = list(shared.views(image))
        assert [row.ann_id for row, _ in found] == image["ann_id"].tolist()
        assert read == [image["image_path"].iloc[0]]
        read.clear()
        with Image.open(image["image_path"].iloc[0]) as stored:
            picture = np.asarray(stored)
        for row, view in found:
            assert (view.picture == picture).all()
            assert view.box == box(row)
            if (image_id, row.ann_id) in known:
                assert view.mask.dtype == bool
                assert (view.mask == views.ellipse(view.box, 60, 80)).all()
            else:
                assert view.mask is None
            about = view.inputs
            assert (about.colour, about.input_size) == (COLOUR, 48)
            assert about.window_margin == 0.3
            assert about.donors.keys() == row.donors.keys()


def test_views_of_one_picture_share_what_filters_make_of_it(sample, known, drawn, shared):
    rows = with_inputs(sample, known, drawn)
    once = [
        {id(view.filtered(inverted)) for _, view in list(shared.views(image))}
        for _, image in rows.groupby("image_id")
    ]
    assert [len(made) for made in once] == [1, 1, 1]


def test_what_filters_made_goes_with_the_views(sample, known, drawn, shared):
    rows = with_inputs(sample, known, drawn)
    for _, view in shared.views(rows[rows["image_id"] == 7]):
        view.filtered(inverted)
    kept = weakref.ref(view.filtered_pictures)
    assert kept() is not None
    del view
    assert kept() is None


def inverted(picture):
    return 255 - picture


def test_donors_are_read_only_when_they_are_asked_for(sample, known, drawn, shared, read):
    rows = with_inputs(sample, known, drawn)
    assert read == []
    image = rows[rows["image_id"] == 7]
    for row, view in list(shared.views(image)):
        read.clear()
        assert view.inputs.donors.keys() == {"same", "other"}
        for kind, (path, place) in row.donors.items():
            donor = view.inputs.donors[kind]()
            assert read.pop() == path != image["image_path"].iloc[0]
            assert read == []
            with Image.open(path) as stored:
                assert (donor.picture == np.asarray(stored)).all()
            assert donor.box == place
            assert donor.mask is None
            assert donor.inputs.colour == COLOUR
            assert donor.inputs.donors == {}
