import dataclasses

import numpy as np
import pandas as pd
import pytest

from builders.compared_studies import climbed, failed, tables_of
from smallsight import params
from smallsight.comparison.flips import choose_shown, count_flips, list_flips
from smallsight.comparison.numbers import compare_numbers
from smallsight.comparison.pairs import pair_studies
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.vocabulary import ALL_AND_GROUPS, TASKS


@pytest.mark.parametrize("task", TASKS)
def test_an_object_flips_where_most_seeds_are_right_in_one_study_alone(pairs, task):
    pair = pairs[task]
    table = list_flips(pair)
    assert set(table["task"]) == {task}
    right = [
        side.predictions[side.predictions["condition"] == UNTOUCHED]
        .groupby(["image_id", "ann_id"])["correct"]
        .mean()
        for side in pair.tables
    ]
    due = {
        key: "positive" if right[1][key] > 0.5 else "negative"
        for key in right[0].index
        if (right[0][key] > 0.5) != (right[1][key] > 0.5)
    }
    keys = list(zip(table["image_id"], table["ann_id"], strict=True))
    assert dict(zip(keys, table["flip"], strict=True)) == due
    assert table["right_a"].tolist() == pytest.approx([right[0][key] for key in keys])
    is_positive = table["flip"] == "positive"
    assert (table.loc[is_positive, "named_b"] == table.loc[is_positive, "category_name"]).all()
    assert (table.loc[is_positive, "named_a"] != table.loc[is_positive, "category_name"]).all()
    assert (table.loc[~is_positive, "named_a"] == table.loc[~is_positive, "category_name"]).all()
    swing = (table["right_b"] - table["right_a"]).abs().round(9)
    assert swing.is_monotonic_decreasing


def test_a_cause_is_that_of_the_study_in_which_the_object_fails(two):
    (sample, a), (_, b) = two
    sides = [
        dataclasses.replace(
            tables_of(sample, table, name=name), failures=failed(table).assign(cause=name)
        )
        for name, table in (("in A", a), ("in B", b))
    ]
    settings = params.Analysis(confidence=0.95, bootstrap_draws=100)
    made = pair_studies(*sides, settings=settings, rng=np.random.default_rng(0))
    table = list_flips(made["scene"])
    assert set(table.loc[table["flip"] == "positive", "cause"]) == {"in A"}
    assert set(table.loc[table["flip"] == "negative", "cause"]) == {"in B"}


def test_an_object_that_is_recognised_in_the_whole_picture_has_no_cause(two):
    sides = [
        tables_of(*study, name=name, rungs=climbed(study[0]))
        for study, name in zip(two, "ab", strict=True)
    ]
    settings = params.Analysis(confidence=0.95, bootstrap_draws=100)
    made = pair_studies(*sides, settings=settings, rng=np.random.default_rng(0))
    table = list_flips(made["object"])
    for flip, side in (("positive", sides[0]), ("negative", sides[1])):
        failures = set(side.failures["ann_id"])
        for row in table[table["flip"] == flip].itertuples():
            assert (row.cause == "own_pixels") == (row.ann_id in failures)


def test_counts_are_those_of_the_flips(pair):
    numbers = compare_numbers(pair)
    counts = count_flips(pair, numbers).set_index("size_group")
    flips = list_flips(pair)
    for group in ALL_AND_GROUPS:
        part = flips if group == "all" else flips[flips["size_group"] == group]
        row = counts.loc[group]
        assert row["positive_flips"] == (part["flip"] == "positive").sum() <= row["failed"]
        assert row["negative_flips"] == (part["flip"] == "negative").sum() <= row["right"]
        assert row["failed"] + row["right"] == row["n"]
        assert row["net"] == row["positive_flips"] - row["negative_flips"]
        assert row["p_value"] == numbers.set_index("number").loc[f"accuracy_{group}", "p_value"]


@pytest.mark.parametrize(("most", "due"), [(6, (2, 2, 2)), (8, (3, 3, 2)), (99, (9, 5, 2))])
def test_size_groups_take_turns_and_keep_their_order(most, due):
    groups = ["large"] * 2 + ["small"] * 9 + ["medium"] * 5
    table = pd.DataFrame({"size_group": groups, "ann_id": range(16)})
    shown = choose_shown(table, most=most)
    counts = shown["size_group"].value_counts().reindex(["small", "medium", "large"]).tolist()
    assert tuple(counts) == due
    for group, part in shown.groupby("size_group"):
        first = table[table["size_group"] == group]["ann_id"][: len(part)]
        assert part["ann_id"].tolist() == first.tolist()
