import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from builders.predictions import outcomes_of, predicted
from smallsight.analysis import neighbours
from smallsight.analysis.majority_votes import VOTE_COLUMNS
from smallsight.analysis.neighbours import (
    NAMED_COLUMNS,
    compute_neighbours,
    find_named_neighbours,
)
from smallsight.analysis.statistics import bootstrap, tests
from smallsight.analysis.terms import NEIGHBOURS, PICTURES
from smallsight.datasets import coco

NAMES = ["bus", "car", "dog", "person"]
KEYS = [
    (group, pictures, kind)
    for group in ("all", "small", "medium", "large")
    for pictures in PICTURES
    for kind in NEIGHBOURS
]
INPUT = 100
"""Input pixels to a picture's side, whose length in its own pixels is 400."""
SEEDS = st.integers(0, 2**32 - 1)

pytestmark = pytest.mark.simulation


def annotated(rng, *, images=30, objects=(1, 2, 3, 4, 5), crowds=0.2, alike=0.2):
    """Make a COCO tree; boxes of a few sizes, so that some are as large as others."""
    tree = {"images": [], "annotations": []}
    tree["categories"] = [{"id": 3 * place, "name": name} for place, name in enumerate(NAMES)]
    for image in rng.permutation(images).tolist():
        tree["images"].append({"id": image, "file_name": f"{image}.jpg", "width": 400,
                               "height": 400})  # fmt: skip
        only = rng.integers(len(NAMES)) if rng.random() < alike else None
        for _ in range(rng.choice(objects)):
            kind = rng.integers(len(NAMES)) if only is None else only
            box = [float(value) for value in (10, 20, *rng.choice([8, 16, 40, 90, 200], 2))]
            row = {"id": len(tree["annotations"]) + 5, "image_id": image, "bbox": box}
            row |= {"category_id": 3 * int(kind), "iscrowd": int(rng.random() < crowds)}
            tree["annotations"].append(row)
    return tree


def objects_of(tree):
    return coco.parse(tree, NAMES, where="tree").annotations


def answered(rng, tree, *, failed=0.6, kept=0.8):
    """Sample some objects that are no crowds, and answer with names by chance."""
    rows = []
    for row in tree["annotations"]:
        width, height = row["bbox"][2:]
        side = math.sqrt(width * height)
        if row["iscrowd"] or rng.random() > kept:
            continue
        category = NAMES[row["category_id"] // 3]
        is_failed = bool(rng.random() < failed)
        said = rng.choice([name for name in NAMES if name != category]) if is_failed else category
        rows.append(
            {"image_id": row["image_id"], "ann_id": row["id"], "category_name": category,
             "size_group": "small" if side < 20 else "medium" if side < 60 else "large",
             "side": side * INPUT / 400, "failed": is_failed, "predicted": str(said)}
        )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(VOTE_COLUMNS))
    return table.sort_values(["image_id", "ann_id"], ignore_index=True)


def outcomes_for(table, *, draws=100):
    sample = table[["image_id", "ann_id", "category_name", "size_group"]]
    return outcomes_of(predicted(sample, conditions={"orig_full": 0.5}, seeds=1), draws=draws)


def counted(table, objects, *, draws=100, seed=0):
    rng = np.random.default_rng(seed)
    found = compute_neighbours(table, objects, outcomes_for(table, draws=draws), rng=rng)
    return found.set_index(["size_group", "pictures", "neighbour"])


@pytest.fixture(scope="module")
def street():
    """Objects, and answers to some of them."""
    rng = np.random.default_rng(4)
    tree = annotated(rng, images=90)
    return objects_of(tree), answered(rng, tree)


# Counted one by one.


def taken_for(tree, row):
    """Find what an error names, in a COCO tree: whether pictures differ, and the neighbour."""
    beside, kinds = [], set()
    for other in tree["annotations"]:
        if other["image_id"] == row.image_id:
            name = NAMES[other["category_id"] // 3]
            kinds.add(name)
            area = other["bbox"][2] * other["bbox"][3]
            if other["id"] == row.ann_id:
                own = area
            elif name == row.predicted:
                beside.append((area, other["id"]))
    largest = max(beside, default=(0, None))
    return len(kinds) > 1, largest[1], math.sqrt(largest[0]), largest[0] > own


@given(SEEDS, st.sampled_from([(1,), (1, 2), (1, 2, 3, 7)]))
@settings(deadline=None, max_examples=40)
def test_the_neighbour_named_is_the_largest_other_object_of_that_name(seed, objects):
    rng = np.random.default_rng(seed)
    tree = annotated(rng, objects=objects)
    table = answered(rng, tree)
    objects = objects_of(tree)
    found = find_named_neighbours(table, objects.iloc[rng.permutation(len(objects))])
    assert list(found.columns) == list(NAMED_COLUMNS)
    failed = table[table["failed"]]
    assert found["ann_id"].tolist() == failed["ann_id"].tolist()
    for row, answer in zip(found.itertuples(), failed.itertuples(), strict=True):
        differ, ann_id, side, larger = taken_for(tree, answer)
        assert row.pictures == ("several" if differ else "one")
        assert (row.neighbour, row.larger) == (answer.predicted if ann_id else "", larger)
        if ann_id is None:
            assert row.neighbour_ann_id is pd.NA
            assert math.isnan(row.neighbour_side)
        else:
            assert differ
            assert row.neighbour_ann_id == ann_id
            assert row.neighbour_side == pytest.approx(side * INPUT / 400)


def test_the_made_up_streets_hold_what_is_to_be_told_apart(street):
    objects, table = street
    found = find_named_neighbours(table, objects)
    assert objects["iscrowd"].sum() > 20
    assert objects.duplicated(["image_id", "category_name"]).sum() > 20
    assert set(found["pictures"]) == set(PICTURES)
    is_named = found["neighbour"] != ""
    assert 10 < found.loc[is_named, "larger"].sum() < is_named.sum() - 10
    sizes = objects.set_index("ann_id").eval("bbox_w * bbox_h")
    named_size = sizes[found.loc[is_named, "neighbour_ann_id"]].to_numpy()
    assert (named_size == sizes[found.loc[is_named, "ann_id"]].to_numpy()).any()
    crowd = objects.set_index("ann_id")["iscrowd"]
    assert crowd[found.loc[is_named, "neighbour_ann_id"]].any()


@given(SEEDS)
@settings(deadline=None, max_examples=8)
def test_rows_count_failures_and_those_that_name_a_neighbour(seed):
    rng = np.random.default_rng(seed)
    tree = annotated(rng)
    table = answered(rng, tree)
    found = counted(table, objects_of(tree))
    assert set(found.reset_index().columns) == set(neighbours.NEIGHBOURS.names)
    assert list(found.index) == KEYS
    for (group, pictures, kind), row in found.iterrows():
        failed, images, hits = 0, set(), 0
        for answer in table[table["failed"]].itertuples():
            differ, ann_id, _, larger = taken_for(tree, answer)
            if group in ("all", answer.size_group) and differ == (pictures == "several"):
                failed += 1
                images.add(answer.image_id)
                hits += larger if kind == "larger" else ann_id is not None
        assert (row["failed"], row["images"], row["named"]) == (failed, len(images), hits)
        due = hits / failed if failed else np.nan
        assert row["share"] == pytest.approx(due, nan_ok=True)


# Against chance.


def dealt_out(table, objects, kind):
    """Give how many errors name a neighbour under all ways of dealing out their names."""
    totals = np.zeros(1)
    for _, cell in table.groupby(["category_name", "size_group"]):
        ways = []
        for names in itertools.permutations(cell["predicted"]):
            dealt = find_named_neighbours(cell.assign(predicted=list(names)), objects)
            ways.append((dealt["larger"] if kind == "larger" else dealt["neighbour"] != "").sum())
        totals = np.add.outer(totals, ways).ravel()
    return totals


FEW = [
    *(("car", "small", said, beside) for said, beside in
      [("dog", "dog+"), ("dog", "dog"), ("person", "person+"), ("person", "bus+")]),
    *(("bus", "small", said, beside) for said, beside in
      [("dog", "dog+"), ("car", "car+"), ("car", "dog+")]),
    *(("car", "large", said, beside) for said, beside in
      [("dog", "person"), ("person", "dog"), ("bus", "bus"), ("dog", "dog+")]),
    *(("dog", "large", said, beside) for said, beside in [("bus", "bus"), ("car", "bus+")]),
]  # fmt: skip
"""True category, size group, the name given, and what is beside it; + where that is larger."""


@pytest.fixture(scope="module")
def few():
    """Errors, few enough to deal out their names in all ways, and one object that is no error."""
    rows, objects = [], []
    for place, (category, group, said, beside) in enumerate([*FEW, ("car", "small", "car", "dog")]):
        row = {"image_id": place // 2, "ann_id": place, "category_name": category}
        is_failed = said != category
        rows.append(row | {"size_group": group, "side": 5.0, "failed": is_failed,
                           "predicted": said})  # fmt: skip
        objects.append(row | {"bbox_w": 20.0, "bbox_h": 20.0})
        side = 30.0 if beside.endswith("+") else 9.0
        other = {"ann_id": 100 + place, "category_name": beside.rstrip("+")}
        objects.append(row | other | {"bbox_w": side, "bbox_h": side})
    return pd.DataFrame(rows), pd.DataFrame(objects)


@pytest.mark.parametrize("group", ["all", "small", "large"])
@pytest.mark.parametrize("kind", NEIGHBOURS)
def test_chance_and_p_are_those_of_all_ways_of_dealing_out_the_names(few, group, kind):
    table, objects = few
    row = counted(table, objects, draws=4000).loc[(group, "several", kind)]
    part = table[table["failed"] & ((table["size_group"] == group) | (group == "all"))]
    sizes = part.groupby(["category_name", "size_group"]).size()
    assert len(sizes) > 1
    assert sizes.max() > 2
    totals = dealt_out(part, objects, kind)
    assert len(set(totals)) > 1
    assert row["failed"] == len(part)
    assert row["chance"] == pytest.approx(totals.mean() / len(part))
    assert row["excess"] == pytest.approx(row["share"] - row["chance"])
    tails = (totals >= row["named"]).mean(), (totals <= row["named"]).mean()
    assert row["p_value"] == pytest.approx(min(2 * min(tails), 1), abs=0.05)


def test_what_a_category_is_mostly_taken_for_is_no_sign_of_a_neighbour(street):
    """All cars are taken for dogs: that names the dog beside some, as often as chance does."""
    objects, table = street
    taken = dict(zip(NAMES, ["car", "dog", "person", "bus"], strict=True))
    said = table["category_name"].map(taken).where(table["failed"], table["category_name"])
    row = counted(table.assign(predicted=said), objects).loc[("all", "several", "any")]
    assert row["named"] > 20
    assert row["chance"] == pytest.approx(row["share"])
    assert row[["excess", "ci_low", "ci_high"]].tolist() == pytest.approx([0, 0, 0])
    assert row[["p_value", "verdict"]].tolist() == [1, "not decided"]


def test_what_is_detectable_is_at_the_level_of_the_strictest_of_all_tests(street):
    """With the same scatter, it is as much greater than the interval at any number of rows."""
    objects, table = street
    found = counted(table, objects)
    tested = found.dropna(subset="p_value")
    assert len(tested) > 4
    level = 0.05 / len(tested)
    for _, row in tested[tested["mde"].notna()].iterrows():
        freedom = row["images"] - 1
        reach = t.isf(level / 2, freedom) + t.ppf(0.8, freedom)
        # The interval is of percentiles, whose scatter is about that of the standard error.
        error = (row["ci_high"] - row["ci_low"]) / 2 / t.isf(0.025, freedom)
        assert row["mde"] == pytest.approx(reach * error, rel=0.25)
    assert found.loc[found["p_value"].isna(), "mde"].isna().all()


def chances(part, objects):
    """Give each error's chance that a name of its cell, its own too, is that of a neighbour."""
    rows = objects[["image_id", "ann_id", "category_name"]].to_numpy().tolist()
    found = []
    for one in part.itertuples():
        beside = {name for image, ann, name in rows if image == one.image_id and ann != one.ann_id}
        names = [
            other.predicted
            for other in part.itertuples()
            if (other.category_name, other.size_group) == (one.category_name, one.size_group)
        ]
        found.append(np.mean([name in beside for name in names]))
    return np.array(found)


@pytest.mark.parametrize("group", ["all", "small", "large"])
def test_intervals_are_by_bootstrap_over_images(street, group):
    objects, table = street
    row = counted(table, objects).loc[(group, "several", "any")]
    failed = (
        find_named_neighbours(table, objects).query("pictures == 'several'").set_index("ann_id")
    )
    in_group = (table["size_group"] == group) | (group == "all")
    part = table[table["ann_id"].isin(failed.index) & in_group]
    excess = (failed.loc[part["ann_id"], "neighbour"] != "").to_numpy() - chances(part, objects)
    weights = outcomes_for(table).weights[1:, part.index]
    draws = (weights @ excess) / weights.sum(axis=1)
    images = part["image_id"].nunique()
    due = bootstrap.student_interval(excess.mean(), draws, 0.95, images=images)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(due, abs=1e-6)
    assert row["excess"] == pytest.approx(excess.mean())
    assert row["ci_low"] < row["excess"] < row["ci_high"]


def test_all_tests_are_one_family_and_verdicts_need_interval_and_test(street):
    objects, table = street
    found = counted(table, objects)
    tested = found["p_value"].notna()
    assert tested.sum() == len(KEYS) / 2
    assert found["p_holm"].to_numpy() == pytest.approx(tests.holm(found["p_value"]), nan_ok=True)
    more = (found["p_holm"] <= 0.05) & (found["ci_low"] > 0)
    assert ((found["verdict"] == "more") == more).all()


def with_names(table, objects, choose):
    """Let each error be named by what is beside it."""
    beside = objects.groupby("image_id")["category_name"].agg(set)
    said = [
        choose(row, sorted(beside[row.image_id] - {row.category_name}))
        if row.failed
        else row.category_name
        for row in table.itertuples()
    ]
    return table.assign(predicted=said)


def test_errors_that_name_a_neighbour_throughout_are_more_than_chance(street):
    objects, table = street
    rng = np.random.default_rng(0)
    table = with_names(table, objects, lambda row, beside: rng.choice(beside or ["none"]))
    found = counted(table, objects, draws=400)
    for group in ("all", "small", "medium", "large"):
        row = found.loc[(group, "several", "any")]
        assert row["share"] == 1
        assert row["chance"] < 0.8
        assert row["verdict"] == "more"


def test_errors_that_never_name_a_neighbour_are_less_than_chance(street):
    objects, table = street
    rng = np.random.default_rng(0)

    def absent(row, beside):
        names = set(NAMES) - {*beside, row.category_name}
        return rng.choice(sorted(names) or ["none"])

    found = counted(with_names(table, objects, absent), objects, draws=400)
    assert found.loc[("all", "several", "any"), ["share", "verdict"]].tolist() == [0, "less"]


def study(rng, *, shared):
    """Make studies, one per size group, whose errors are named whatever is beside them."""
    n = 150
    image, group = np.arange(n) // 2, np.repeat(["small", "medium", "large"], n // 3)
    own, beside = rng.choice(NAMES[:2], n), rng.choice(NAMES, n)
    rank = rng.integers(3, size=n)
    if shared:  # one name for all errors of an image, if it is not their own
        rank = rank[image]
    said = [
        [name for name in NAMES if name != category][place]
        for category, place in zip(own, rank, strict=True)
    ]
    table = pd.DataFrame(
        {"image_id": image, "ann_id": np.arange(n), "category_name": own, "size_group": group,
         "side": 6.0, "failed": True, "predicted": said}
    )  # fmt: skip
    one = table[["image_id", "ann_id", "category_name"]].assign(bbox_w=20.0, bbox_h=20.0)
    other = one.assign(ann_id=one["ann_id"] + 1000, category_name=beside, bbox_w=40.0)
    return table, pd.concat([one, other], ignore_index=True)


@pytest.mark.parametrize(("shared", "times"), [(False, 34), (True, 14)], ids=["each", "by image"])
def test_names_dealt_at_random_seldom_speak(shared, times):
    """Not even where the errors of an image share their names, whatever stands beside them."""
    rng = np.random.default_rng(9)
    rows = [counted(*study(rng, shared=shared), draws=200, seed=rng) for _ in range(times)]
    rows = pd.concat(rows).xs(("several", "any"), level=(1, 2)).drop(index="all")
    sure = rows["p_value"] <= 0.05
    spoken = sure & ((rows["ci_low"] > 0) | (rows["ci_high"] < 0))
    print(f"of {len(rows)}: p at most 0.05 in {sure.mean():.3f}, interval too {spoken.mean():.3f}")
    assert sure.mean() <= 0.08
    assert spoken.mean() <= 0.08


# Order and chance.


def test_order_of_the_objects_does_not_matter(street):
    objects, table = street
    due = counted(table, objects)
    for seed in range(3):
        shuffled = objects.sample(frac=1, random_state=seed)
        pd.testing.assert_frame_equal(counted(table, shuffled), due, check_exact=True)
        pd.testing.assert_frame_equal(
            find_named_neighbours(table, shuffled),
            find_named_neighbours(table, objects),
            check_exact=True,
        )


def test_the_same_seed_gives_the_same_table(street):
    objects, table = street
    one, same, other = (counted(table, objects, seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(one, same, check_exact=True)
    assert (one["p_value"].dropna() != other["p_value"].dropna()).any()
    pd.testing.assert_frame_equal(
        one.drop(columns=["p_value", "p_holm"]), other.drop(columns=["p_value", "p_holm"])
    )


# Little to go on.

TESTED = ["chance", "excess", "ci_low", "ci_high", "p_value", "p_holm"]


def test_pictures_of_one_category_have_no_chance_and_no_test(street):
    objects, table = street
    found = counted(table, objects).xs("one", level="pictures")
    assert (found["failed"] > 0).all()
    assert (found["images"] > 0).all()
    assert (found[["named", "share"]] == 0).to_numpy().all()
    assert found[TESTED].isna().to_numpy().all()
    assert (found["verdict"] == "").all()


def test_objects_alone_in_their_pictures_have_no_neighbours(street):
    objects, table = street
    alone = objects[objects["ann_id"].isin(table["ann_id"])].drop_duplicates("image_id")
    table = table[table["ann_id"].isin(alone["ann_id"])].reset_index(drop=True)
    found = counted(table, alone)
    assert (found.xs("several", level="pictures")["failed"] == 0).all()
    assert found.loc[("all", "one", "any"), "failed"] == table["failed"].sum() > 0
    assert (found["verdict"] == "").all()


def test_without_larger_neighbours_none_is_named(street):
    """As where every object is as large as the others."""
    objects, table = street
    found = counted(table, objects.assign(bbox_w=9.0, bbox_h=4.0))
    larger = found.xs("larger", level="neighbour")
    assert (larger["named"] == 0).all()
    assert (larger.loc[("all", "several"), ["share", "chance", "excess"]] == 0).all()
    assert larger.loc[("all", "several"), "verdict"] == "not decided"
    assert found.loc[("all", "several", "any"), "named"] > 0


def test_without_failures_all_counts_are_zero_and_there_is_no_verdict(street):
    objects, table = street
    right = table.assign(failed=False, predicted=table["category_name"])
    found = counted(right, objects)
    assert list(found.index) == KEYS
    assert (found[["failed", "images", "named"]] == 0).to_numpy().all()
    assert found[["share", *TESTED]].isna().to_numpy().all()
    assert (found["verdict"] == "").all()
    empty = find_named_neighbours(right, objects)
    assert list(empty.columns) == list(NAMED_COLUMNS)
    assert len(empty) == 0
