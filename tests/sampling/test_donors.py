import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from smallsight.runtime import files
from smallsight.sampling.donors import DONORS, KINDS, draw_donors, read_donors

IDS = ["image_id", "ann_id"]
DONOR_IDS = ["donor_image_id", "donor_ann_id"]
GROUPS = ("small", "medium", "large")
MARGIN = 0.5
SIDE = 4
"""Of all boxes here: windows are twice as wide and high, and of whole pixels."""
places = st.tuples(st.integers(0, 16), st.integers(0, 16))
samples = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from("abc"), st.sampled_from(GROUPS), places),
    min_size=1,
    max_size=40,
)


def table(rows):
    """A sample of (image_id, category_name, size_group, place); without one, far from all."""
    rows = [row if len(row) == 4 else (*row, (100 * n, 0)) for n, row in enumerate(rows)]
    sample = pd.DataFrame(rows, columns=["image_id", "category_name", "size_group", "place"])
    x, y = np.array(sample.pop("place").tolist()).T
    box = {"bbox_x": x, "bbox_y": y, "bbox_w": SIDE, "bbox_h": SIDE}
    return sample.assign(ann_id=np.arange(len(sample)) + 500, **box)


def drawn_for(sample, objects=None, *, seed=0):
    """Donors of a sample whose pictures hold these objects; only its own by default."""
    given = sample if objects is None else objects
    return draw_donors(sample, given, window_margin=MARGIN, seed=seed)


def cells(row, margin=0):
    """The unit squares of a box that is grown by so many pixels."""
    x, y = (int(value) - margin for value in (row.bbox_x, row.bbox_y))
    return {(x + i, y + j) for i in range(SIDE + 2 * margin) for j in range(SIDE + 2 * margin)}


def categories_around(sample, objects):
    """By ann_id, the categories of all objects of which a part lies in the window."""
    return {
        donor.ann_id: {donor.category_name}
        | {
            other.category_name
            for other in objects[objects["image_id"] == donor.image_id].itertuples()
            if cells(donor, margin=SIDE // 2) & cells(other)
        }
        for donor in sample.itertuples()
    }


def fitting(sample, around, instance, kind):
    """Those that may be an instance's donors, by the words of the module."""
    able = sample[sample["image_id"] != instance.image_id]
    alike = able["category_name"] == instance.category_name
    seen = np.array([instance.category_name in around[ann_id] for ann_id in able["ann_id"]], bool)
    able = able[alike if kind == "same" else ~seen]
    near = able[able["size_group"] == instance.size_group]
    return near if len(near) else able


@given(samples, samples, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_a_donor_is_of_the_kind_asked_for_in_another_picture_and_of_the_size_where_there_is_one(
    rows, more, seed
):
    sample = table(rows)
    beside = table(more)
    beside = beside[beside["image_id"].isin(sample["image_id"])]
    objects = pd.concat([sample, beside], ignore_index=True)
    around = categories_around(sample, objects)
    drawn = drawn_for(sample, objects, seed=seed)
    assert list(drawn.columns) == DONORS.names
    assert len(drawn) == 2 * len(sample)
    by_ids = drawn.set_index([*IDS, "donor"])
    assert by_ids.index.is_unique
    for instance in sample.itertuples():
        for kind in KINDS:
            chosen = by_ids.loc[(instance.image_id, instance.ann_id, kind)]
            able = fitting(sample, around, instance, kind)
            if able.empty:
                assert chosen.isna().all()
            else:
                assert tuple(chosen) in set(able[IDS].itertuples(index=False, name=None))
                assert chosen["donor_image_id"] != instance.image_id
            if kind == "other" and not able.empty:
                assert instance.category_name not in around[chosen["donor_ann_id"]]


@pytest.mark.parametrize(
    ("place", "fits"),
    [((52, 0), False), ((44, 0), True), ((45, 0), False), ((55, 0), False), ((56, 0), True),
     ((50, 5), False), ((50, 6), True)],
)  # fmt: skip
def test_another_donors_window_holds_no_part_of_an_object_of_the_category(place, fits):
    """The window reaches two pixels beyond the donor's box, which goes from 50 to 54."""
    sample = table([(1, "a", "small"), (2, "b", "small", (50, 0))])
    near = sample[1:].assign(category_name="a", bbox_x=place[0], bbox_y=place[1], ann_id=900)
    drawn = drawn_for(sample, pd.concat([sample, near])).set_index(["ann_id", "donor"])
    assert drawn["donor_ann_id"].notna()[500, "other"] == fits
    # What is in another picture, or of another category, does not matter.
    for elsewhere in (near.assign(image_id=1), near.assign(category_name="c")):
        found = drawn_for(sample, pd.concat([sample, elsewhere])).set_index(["ann_id", "donor"])
        assert found["donor_ann_id"][500, "other"] == 501


@given(samples, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_neither_order_nor_names_of_rows_matter(rows, order):
    sample = table(rows)
    drawn = drawn_for(sample, seed=3)
    shuffled = sample.sample(frac=1, random_state=order)
    assert drawn_for(shuffled, seed=3).equals(drawn)
    assert drawn_for(sample, shuffled, seed=3).equals(drawn)
    assert drawn_for(shuffled.reset_index(drop=True), seed=3).equals(drawn)
    assert drawn[IDS].equals(drawn[IDS].sort_values(IDS))


@pytest.fixture
def spread(population):
    """A larger sample, of objects far from each other."""
    sample = population()
    return table(sample[["image_id", "category_name", "size_group"]].itertuples(index=False))


def test_the_seed_decides(spread):
    one, again, other = (drawn_for(spread, seed=seed) for seed in (1, 1, 2))
    assert one.equals(again)
    assert (one[DONOR_IDS] != other[DONOR_IDS]).any(axis=1).mean() > 0.5


def test_the_sample_is_left_as_it_is(spread):
    sample = spread.sample(frac=1, random_state=0)
    before = sample.copy()
    drawn_for(sample)
    pd.testing.assert_frame_equal(sample, before)


@pytest.mark.simulation
@pytest.mark.parametrize("kind", KINDS)
def test_each_that_fits_is_equally_likely_however_many_its_picture_has(kind):
    category = {"same": "a", "other": "b"}[kind]
    fit = [(2, category, "small")] * 4 + [(3, category, "small"), (4, category, "small")]
    unfit = [(1, category, "small"), (5, category, "large")]
    unfit += [(6, "b" if kind == "same" else "a", "small")]
    sample = table([(1, "a", "small"), *fit, *unfit])
    draws = pd.concat(drawn_for(sample, seed=seed) for seed in range(240))
    chosen = draws[(draws["ann_id"] == 500) & (draws["donor"] == kind)]
    counts = chosen["donor_ann_id"].value_counts()
    assert set(counts.index) == set(range(501, 507))
    assert chisquare(counts).pvalue > 0.001


def test_kinds_and_instances_draw_apart():
    """Where all fit alike, two instances or two kinds do not always have the same donor."""
    sample = table([(n, "ab"[n % 2], "small") for n in range(40)])
    drawn = drawn_for(sample)
    places = {
        kind: part["donor_ann_id"].to_numpy(int)
        for kind, part in drawn.groupby("donor", sort=False)
    }
    for chosen in places.values():
        assert len(set(chosen)) > 15
    assert (places["same"] // 2 != places["other"] // 2).mean() > 0.7


@pytest.mark.parametrize(
    ("rows", "empty"),
    [
        ([(1, "a", "small"), (2, "a", "large"), (2, "a", "small")], {"other"}),
        ([(1, "a", "small"), (2, "b", "small")], {"same"}),
        ([(1, "a", "small"), (1, "b", "small"), (1, "a", "large")], {"same", "other"}),
        ([(1, "a", "small")], {"same", "other"}),
    ],
    ids=["one category", "one of each category", "one picture", "one instance"],
)
def test_where_none_fits_the_ids_are_empty(rows, empty):
    drawn = drawn_for(table(rows))
    missing = drawn[DONOR_IDS].isna()
    assert (missing.all(axis=1) == missing.any(axis=1)).all()
    assert (missing.all(axis=1) == drawn["donor"].isin(empty)).all()
    assert (drawn[DONOR_IDS].dtypes == "Int64").all()


def test_another_size_serves_where_no_other_does():
    sample = table([(1, "a", "small"), (2, "a", "large"), (3, "b", "medium")])
    drawn = drawn_for(sample).set_index(["ann_id", "donor"])["donor_ann_id"]
    assert drawn[500, "same"] == 501
    assert drawn[502, "other"] in (500, 501)


@pytest.mark.parametrize("last", ["a", "b"])
def test_the_manifest_comes_back_from_its_file(tmp_path, last):
    """Ids beyond what a float holds among them, and some of them empty."""
    sample = table([(1, "a", "small"), (2, "a", "large"), (3, last, "small")])
    sample[IDS] += 2**62
    drawn = drawn_for(sample)
    assert drawn[DONOR_IDS].isna().any(axis=None)
    known = set(sample["ann_id"])
    assert set(drawn["donor_ann_id"].dropna()) <= known
    files.write_table(drawn, tmp_path / "donors.csv")
    back = read_donors(tmp_path / "donors.csv")
    pd.testing.assert_frame_equal(back, drawn)
    files.write_table(back, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "donors.csv").read_bytes()
