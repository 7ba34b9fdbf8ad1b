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
samples = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from("abc"), st.sampled_from(GROUPS)),
    min_size=1,
    max_size=40,
)


def table(rows):
    """A sample of (image_id, category_name, size_group)."""
    sample = pd.DataFrame(rows, columns=["image_id", "category_name", "size_group"])
    return sample.assign(ann_id=np.arange(len(sample)) + 500)


def fitting(sample, instance, kind):
    """Those that may be an instance's donors, by the words of the module."""
    able = sample[sample["image_id"] != instance.image_id]
    alike = able["category_name"] == instance.category_name
    able = able[alike if kind == "same" else ~alike]
    near = able[able["size_group"] == instance.size_group]
    return near if len(near) else able


@given(samples, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_a_donor_is_of_the_kind_asked_for_in_another_picture_and_of_the_size_where_there_is_one(
    rows, seed
):
    sample = table(rows)
    drawn = draw_donors(sample, seed=seed)
    assert list(drawn.columns) == DONORS.names
    assert len(drawn) == 2 * len(sample)
    by_ids = drawn.set_index([*IDS, "donor"])
    assert by_ids.index.is_unique
    for instance in sample.itertuples():
        for kind in KINDS:
            chosen = by_ids.loc[(instance.image_id, instance.ann_id, kind)]
            able = fitting(sample, instance, kind)
            if able.empty:
                assert chosen.isna().all()
            else:
                assert tuple(chosen) in set(able[IDS].itertuples(index=False, name=None))
                assert chosen["donor_image_id"] != instance.image_id


@given(samples, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_neither_order_nor_names_of_rows_matter(rows, order):
    sample = table(rows)
    drawn = draw_donors(sample, seed=3)
    shuffled = sample.sample(frac=1, random_state=order)
    assert draw_donors(shuffled, seed=3).equals(drawn)
    assert draw_donors(shuffled.reset_index(drop=True), seed=3).equals(drawn)
    assert drawn[IDS].equals(drawn[IDS].sort_values(IDS))


def test_the_seed_decides(population):
    sample = population()
    one, again, other = (draw_donors(sample, seed=seed) for seed in (1, 1, 2))
    assert one.equals(again)
    assert (one[DONOR_IDS] != other[DONOR_IDS]).any(axis=1).mean() > 0.5


def test_the_sample_is_left_as_it_is(population):
    sample = population().sample(frac=1, random_state=0)
    before = sample.copy()
    draw_donors(sample, seed=0)
    pd.testing.assert_frame_equal(sample, before)


@pytest.mark.simulation
@pytest.mark.parametrize("kind", KINDS)
def test_each_that_fits_is_equally_likely_however_many_its_picture_has(kind):
    category = {"same": "a", "other": "b"}[kind]
    fit = [(2, category, "small")] * 4 + [(3, category, "small"), (4, category, "small")]
    unfit = [(1, category, "small"), (5, category, "large")]
    unfit += [(6, "b" if kind == "same" else "a", "small")]
    sample = table([(1, "a", "small"), *fit, *unfit])
    draws = pd.concat(draw_donors(sample, seed=seed) for seed in range(240))
    chosen = draws[(draws["ann_id"] == 500) & (draws["donor"] == kind)]
    counts = chosen["donor_ann_id"].value_counts()
    assert set(counts.index) == set(range(501, 507))
    assert chisquare(counts).pvalue > 0.001


def test_kinds_and_instances_draw_apart():
    """Where all fit alike, two instances or two kinds do not always have the same donor."""
    sample = table([(n, "ab"[n % 2], "small") for n in range(40)])
    drawn = draw_donors(sample, seed=0)
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
    drawn = draw_donors(table(rows), seed=0)
    missing = drawn[DONOR_IDS].isna()
    assert (missing.all(axis=1) == missing.any(axis=1)).all()
    assert (missing.all(axis=1) == drawn["donor"].isin(empty)).all()
    assert (drawn[DONOR_IDS].dtypes == "Int64").all()


def test_another_size_serves_where_no_other_does():
    sample = table([(1, "a", "small"), (2, "a", "large"), (3, "b", "medium")])
    drawn = draw_donors(sample, seed=0).set_index(["ann_id", "donor"])["donor_ann_id"]
    assert drawn[500, "same"] == 501
    assert drawn[502, "other"] in (500, 501)


@pytest.mark.parametrize("last", ["a", "b"])
def test_the_manifest_comes_back_from_its_file(tmp_path, last):
    """Ids beyond what a float holds among them, and some of them empty."""
    sample = table([(1, "a", "small"), (2, "a", "large"), (3, last, "small")])
    sample[IDS] += 2**62
    drawn = draw_donors(sample, seed=0)
    assert drawn[DONOR_IDS].isna().any(axis=None)
    known = set(sample["ann_id"])
    assert set(drawn["donor_ann_id"].dropna()) <= known
    files.write_table(drawn, tmp_path / "donors.csv")
    back = read_donors(tmp_path / "donors.csv")
    pd.testing.assert_frame_equal(back, drawn)
    files.write_table(back, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "donors.csv").read_bytes()
