import numpy as np
import pytest

from builders.compared_studies import facts_of, paired, pairs_of, predicted, sampled
from smallsight.comparison.numbers import compare_conditions, compare_numbers
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.errors import SmallsightError


def test_draws_are_paired(pair):
    assert (pair.a.weights == pair.b.weights).all()
    table = compare_conditions(pair)
    row = table[(table["family"] == UNTOUCHED) & (table["size_group"] == "large")].iloc[0]
    draws = [one.accuracy("fixed", UNTOUCHED, "large")[1:] for one in (pair.a, pair.b)]
    alone = np.sqrt(sum(np.var(one) for one in draws))
    assert (row["ci_high"] - row["ci_low"]) / 2 < 0.6 * 1.96 * alone


def test_a_condition_is_its_level_whatever_it_is_called(plain_sample):
    a, b = (
        predicted(plain_sample, conditions=names, interventions=())
        for names in (
            ("occlusion/ratio=0.35", "occlusion/ratio=0.6"),
            ("occlusion/ratio=0.6", "occlusion/ratio=0.85"),
        )
    )
    pair = paired((plain_sample, a), (plain_sample, b))
    table = compare_conditions(pair)
    assert set(table["level"]) == {"default", "ratio=0.6"}
    names = table.loc[table["level"] == "ratio=0.6", ["name_a", "name_b"]].drop_duplicates()
    assert names.to_numpy().tolist() == [["occlusion/ratio=0.6", "occlusion"]]


def test_only_what_both_test_is_compared(two, plain_sample):
    (_, a), (_, b) = two
    part = plain_sample.sample(frac=0.6, random_state=1)
    kept = b[b["ann_id"].isin(part["ann_id"])]
    pair = paired((plain_sample, a), (plain_sample, kept))
    assert pair.a.instances.equals(pair.b.instances)
    assert len(pair.a.instances) == len(part)
    assert pair.alone == (len(plain_sample) - len(part), 0)
    ids = set(part["ann_id"])
    numbers = compare_numbers(pair).set_index("number")
    untouched = a[(a["condition"] == UNTOUCHED) & (a["task"] == "object") & a["ann_id"].isin(ids)]
    due = untouched.groupby("size_group")["correct"].mean()
    assert numbers.loc["accuracy_small", "a"] == pytest.approx(due["small"])


def test_regimes_are_those_of_both_the_headline_first(plain_sample):
    a = predicted(plain_sample, regimes=("retrained", "fixed"))
    b = predicted(plain_sample, regimes=("fixed", "retrained"), seed=1)
    assert paired((plain_sample, a), (plain_sample, b)).regimes == ["fixed", "retrained"]
    alone = predicted(plain_sample, regimes=("retrained",), seed=1)
    pair = paired((plain_sample, a), (plain_sample, alone))
    assert pair.regimes == ["retrained"]
    assert set(compare_conditions(pair)["regime"]) == {"retrained"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bbox_x": 7777.0}, "at 7777"),
        ({"category_name": "boat"}, "boat"),
        ({"size_group": "large"}, "a large"),
    ],
    ids=str,
)
def test_ids_that_stand_for_other_objects_are_refused(two, plain_sample, change, words):
    (_, a), (_, b) = two
    other = plain_sample.copy()
    first = plain_sample.index[plain_sample["size_group"] == "small"][0]
    other.loc[first, list(change)] = list(change.values())
    with pytest.raises(SmallsightError) as caught:
        paired((plain_sample, a), (other, b))
    line = str(caught.value)
    assert "\n" not in line
    assert f"1 of {len(plain_sample)} ids" in line
    assert f"object {plain_sample.loc[first, 'ann_id']}" in line
    assert words in line


def test_studies_without_a_common_regime_are_refused(plain_sample):
    a, b = (predicted(plain_sample, regimes=(regime,)) for regime in ("fixed", "retrained"))
    with pytest.raises(SmallsightError, match=r"no regime in common: fixed .* retrained"):
        paired((plain_sample, a), (plain_sample, b))


@pytest.mark.parametrize("kept", [0, 29])
def test_too_few_shared_objects_are_refused(two, plain_sample, kept):
    (_, a), (_, b) = two
    first = a[a["ann_id"].isin(plain_sample["ann_id"][:90])]
    last = b[b["ann_id"].isin(plain_sample["ann_id"][90 - kept :])]
    a, b, due = first, last, f"of 90 in the first and {90 + kept} in the second"
    line = rf"{kept} objects in \d+ images .* {due}; expected at least 30 objects"
    with pytest.raises(SmallsightError, match=line):
        paired((plain_sample, a), (plain_sample, b))


def test_too_few_images_are_refused():
    sample = sampled(each=20, per_image=10)
    table = predicted(sample)
    with pytest.raises(SmallsightError, match=r"60 objects in 6 images .* in 10 images"):
        paired((sample, table), (sample, table))


def test_a_family_is_called_as_b_calls_it_else_as_a_does(plain_sample):
    study, other = (
        predicted(plain_sample, conditions=names)
        for names in (("downscale/scale=0.5", "occlusion/ratio=0.35"), ("downscale/scale=0.5",))
    )
    in_a = facts_of(study, labels={"downscale": "Smaller", "occlusion": "Covered"})
    in_b = facts_of(other, labels={"downscale": "Shrunk"})
    pair = paired((plain_sample, study), (plain_sample, other), families=(in_a, in_b))
    assert [pair.family_label(name) for name in ("downscale", "occlusion")] == ["Shrunk", "Covered"]


def test_both_tasks_have_the_same_objects_draws_and_sides(pairs):
    assert list(pairs) == ["object", "scene"]
    thing, scene = pairs.values()
    assert thing.a.instances.equals(scene.a.instances)
    assert (thing.a.weights == scene.b.weights).all()
    assert (thing.a.side == scene.a.side).all()
    for task, pair in pairs.items():
        for tables, outcomes in zip(pair.tables, (pair.a, pair.b), strict=True):
            assert set(tables.predictions["task"]) == {task} == {outcomes.task}
    # What is answered in one task is no answer in the other.
    assert (thing.a.hit_rates[0] != scene.a.hit_rates[0]).any()


@pytest.mark.parametrize("task", ["scene", "object"])
def test_a_study_without_a_task_is_refused(two, plain_sample, task):
    (_, a), (_, b) = two
    alone = a[a["task"] != task]
    with pytest.raises(SmallsightError) as caught:
        pairs_of((plain_sample, alone), (plain_sample, b))
    line = str(caught.value)
    assert f"a: no predictions of untouched pictures in the task {task}" in line
    assert "\n" not in line


def test_changes_are_counted_in_answers_that_both_numbers_of_seeds_divide(plain_sample):
    a, b = (predicted(plain_sample, seeds=seeds, seed=seeds) for seeds in (2, 3))
    pair = paired((plain_sample, a), (plain_sample, b))
    assert pair.answers == 6
    for group in ("all", "small"):
        changes = pair.changes(pair.untouched, group)
        means = []
        for one in (a, b):
            chosen = (one["condition"] == UNTOUCHED) & (one["task"] == "object")
            chosen &= (one["size_group"] == group) | (group == "all")
            means.append(one[chosen].groupby(["image_id", "ann_id"])["correct"].mean())
        due = 6 * (means[1] - means[0]).groupby("image_id").sum()
        assert sorted(changes[changes != 0]) == sorted(due[due.abs() > 0.5].round().astype(int))


def test_a_flip_is_positive_where_b_alone_is_right(pair):
    flips = pair.flips(pair.untouched)
    right = [one.majority_correct("fixed", UNTOUCHED) for one in (pair.a, pair.b)]
    assert (flips[right[1] & ~right[0]] == 1).all()
    assert (flips[right[0] & ~right[1]] == -1).all()
    assert (flips[right[0] == right[1]] == 0).all()
    assert {-1, 0, 1} == set(flips)
