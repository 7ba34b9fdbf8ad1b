import itertools

import numpy as np
import pandas as pd
import pytest

from builders.predictions import named, outcomes_of, predicted
from smallsight.analysis.effects import compute_effects
from smallsight.analysis.failures import (
    CAUSE_COUNTS,
    FAILURES,
    RESCUES,
    compute_rescues,
    count_causes,
    find_failures,
)
from smallsight.analysis.majority_votes import compute_votes, untouched_votes
from smallsight.analysis.neighbours import find_named_neighbours
from smallsight.analysis.statistics import bootstrap
from smallsight.analysis.terms import FAILURE_CAUSES

CONDITIONS = {
    "orig_full": 0.5, "bg_blur/sigma=8,margin=0.5": 0.2, "zoom_matched": 0.7, "object_only": 0.6,
    "zoom_object": 0.7,
}  # fmt: skip
PROBES = ["zoom_matched", "object_only", "zoom_object"]
GROUPS = ["all", "small", "medium", "large"]
CAUSES = {
    # pixels, alone, both at once: not named, named
    (0, 0, 0): ("unexplained", "unexplained"),
    (0, 0, 1): ("both", "both"),
    (0, 1, 0): ("context", "neighbour"),
    (0, 1, 1): ("context", "neighbour"),
    (1, 0, 0): ("resolution", "resolution"),
    (1, 0, 1): ("resolution", "resolution"),
    (1, 1, 0): ("either", "neighbour"),
    (1, 1, 1): ("either", "neighbour"),
}
"""What is right, and the causes that this suggests."""


def beside(sample):
    """Put an object of category a beside each instance, larger than every other one."""
    own = sample[["image_id", "ann_id", "category_name"]].assign(bbox_w=8.0, bbox_h=2.0)
    other = own.assign(ann_id=own["ann_id"] + 9000, category_name="a", bbox_h=18.0)
    return pd.concat([own, other[other["ann_id"] % 2 == 0]], ignore_index=True)


def tables(predictions, objects=None):
    """Outcomes, answers, named neighbours, and failures."""
    found = outcomes_of(predictions)
    answered = untouched_votes(compute_votes(predictions, found))
    if objects is None:
        objects = beside(found.instances)
    taken = find_named_neighbours(answered, objects)
    return found, answered, taken, find_failures(found, answered, taken)


@pytest.fixture(scope="module")
def predictions(population):
    """Both regimes answer alike where pictures are untouched."""
    table = named(predicted(population(images=60), conditions=CONDITIONS))
    untouched = table["condition"] == "orig_full"
    again = table[untouched & (table["regime"] == "fixed")].assign(regime="retrained")
    changed = table[~(untouched & (table["regime"] == "retrained"))]
    return pd.concat([changed, again], ignore_index=True)


@pytest.fixture(scope="module")
def made(predictions):
    return tables(predictions)


def right(predictions):
    """Whether most seeds are right, by regime, condition and instance."""
    shares = predictions.groupby(["regime", "condition", "image_id", "ann_id"])["correct"].mean()
    return (shares > 0.5).to_dict()


# Failures one by one.


def test_one_row_per_regime_and_failed_instance(made, predictions):
    found, answered, taken, table = made
    assert list(table.columns) == FAILURES.names
    is_right = right(predictions)
    due = [
        (regime, row.image_id, row.ann_id)
        for regime in ("fixed", "retrained")
        for row in found.instances.itertuples()
        if not is_right["fixed", "orig_full", row.image_id, row.ann_id]
    ]
    assert list(table[["regime", "image_id", "ann_id"]].itertuples(index=False, name=None)) == due
    assert 20 < len(due) / 2 < len(answered)
    for _, part in table.groupby("regime"):
        keyed = part.set_index("ann_id")
        about = ["category_name", "size_group", "side", "predicted"]
        ids = keyed.index
        pd.testing.assert_frame_equal(keyed[about], answered.set_index("ann_id").loc[ids, about])
        about = ["neighbour", "neighbour_ann_id", "neighbour_side"]
        pd.testing.assert_frame_equal(keyed[about], taken.set_index("ann_id").loc[ids, about])
        assert 0 < (keyed["neighbour"] != "").sum() < len(keyed)


def test_rescuers_are_exactly_what_most_seeds_are_right_under(made, predictions):
    *_, table = made
    is_right = right(predictions)
    for row in table.itertuples():
        due = [
            name
            for name in list(CONDITIONS)[1:]
            if is_right[row.regime, name, row.image_id, row.ann_id]
        ]
        assert row.rescued_by == "; ".join(due)
    assert (table["rescued_by"] == "").any()
    assert table["rescued_by"].str.contains("; ").any()


def test_causes_are_those_of_the_probes(made, predictions):
    *_, table = made
    is_right = right(predictions)
    for row in table.itertuples():
        probes = (is_right[row.regime, name, row.image_id, row.ann_id] for name in PROBES)
        assert row.cause == CAUSES[tuple(map(int, probes))][row.neighbour != ""]
    assert set(table["cause"]) == set(FAILURE_CAUSES)


@pytest.fixture
def every_answer():
    """One failed instance per row of the truth table, with and without a neighbour named."""
    rows = [
        {"regime": "fixed", "seed": seed, "condition": name, "family": name, "level": "default",
         "image_id": 2 * place + is_named, "ann_id": 2 * place + is_named, "category_name": "b",
         "size_group": "small", "side": 4.0, "correct": is_right, "confidence": 0.5,
         "predicted": "b" if is_right else "a", "p_a": 0.0}
        for place, probes in enumerate(CAUSES)
        for is_named in (0, 1)
        for name, most in zip(["orig_full", *PROBES], (0, *probes), strict=True)
        for seed, is_right in enumerate([bool(most), not most, bool(most)])
    ]  # fmt: skip
    predictions = pd.DataFrame(rows)
    ids = predictions[["image_id", "ann_id", "category_name"]].drop_duplicates()
    objects = ids.assign(bbox_w=4.0, bbox_h=4.0)
    named = objects[objects["image_id"] % 2 == 1]
    extra = named.assign(ann_id=named["ann_id"] + 100, category_name="a")
    return predictions, pd.concat([objects, extra], ignore_index=True)


def test_every_combination_of_answers_suggests_its_cause(every_answer):
    *_, table = tables(*every_answer)
    due = list(itertools.chain.from_iterable(CAUSES.values()))
    assert table["cause"].tolist() == due
    assert (table["neighbour"] != "").tolist() == [False, True] * 8


@pytest.mark.parametrize("probe", PROBES)
def test_without_one_of_the_probes_there_is_no_cause(predictions, probe):
    lacking = (predictions["regime"] == "fixed") & (predictions["condition"] == probe)
    *_, table = tables(predictions[~lacking])
    empty = table["regime"] == "fixed"
    assert (table.loc[empty, "cause"] == "").all()
    assert table.loc[~empty, "cause"].isin(list(FAILURE_CAUSES)).all()
    assert not table.loc[empty, "rescued_by"].str.contains(probe).any()
    counts = count_causes(table)
    assert set(counts["regime"]) == {"retrained"}


def test_order_of_the_predictions_does_not_matter(made, predictions):
    *_, table = made
    *_, shuffled = tables(predictions.sort_values(["seed", "ann_id"], ascending=[True, False]))
    pd.testing.assert_frame_equal(shuffled, table)


def test_without_failures_the_tables_are_empty(predictions):
    untouched = predictions["condition"] == "orig_full"
    correct = predictions["correct"] | untouched
    said = predictions["predicted"].where(~untouched, predictions["category_name"])
    *_, table = tables(predictions.assign(correct=correct, predicted=said))
    assert list(table.columns) == FAILURES.names
    assert len(table) == 0
    counts = count_causes(table)
    assert list(counts.columns) == CAUSE_COUNTS.names
    assert len(counts) == 0


# Counted.


def test_counts_of_causes_sum_to_the_failures_of_each_group(made):
    *_, table = made
    counts = count_causes(table)
    assert list(counts.columns) == CAUSE_COUNTS.names
    keys = itertools.product(["fixed", "retrained"], GROUPS, FAILURE_CAUSES)
    found = counts[["regime", "size_group", "cause"]].itertuples(index=False, name=None)
    assert list(found) == list(keys)
    for (regime, group), part in counts.groupby(["regime", "size_group"]):
        chosen = table[table["regime"] == regime]
        chosen = chosen if group == "all" else chosen[chosen["size_group"] == group]
        assert part["n"].sum() == len(chosen)
        assert (part["failed"] == len(chosen)).all()
        assert part["share"].sum() == pytest.approx(1)
        for row in part.itertuples():
            assert row.n == (chosen["cause"] == row.cause).sum()
            assert row.share == pytest.approx(row.n / len(chosen))


def test_a_group_without_failures_has_counts_of_zero_and_no_shares(predictions):
    """Nor does it matter that there are failures in the others."""
    easy = (predictions["size_group"] == "large") & (predictions["condition"] == "orig_full")
    said = predictions["predicted"].where(~easy, predictions["category_name"])
    changed = predictions.assign(correct=predictions["correct"] | easy, predicted=said)
    *_, table = tables(changed)
    large = count_causes(table).query("size_group == 'large'")
    assert len(large) == 2 * len(FAILURE_CAUSES)
    assert (large[["n", "failed"]] == 0).to_numpy().all()
    assert large["share"].isna().all()


# Rescues.

RESCUED = {"rescue": ("failed", "rescued"), "break": ("correct", "broken")}


@pytest.fixture(scope="module")
def rescues(made):
    return compute_rescues(made[0])


def test_one_row_of_rescues_per_regime_change_and_group(rescues):
    assert list(rescues.columns) == RESCUES.names
    keys = itertools.product(["fixed", "retrained"], list(CONDITIONS)[1:], GROUPS)
    found = rescues[["regime", "condition", "size_group"]].itertuples(index=False, name=None)
    assert list(found) == list(keys)


def test_rescued_and_broken_are_what_effects_call_gained_and_lost(made, rescues):
    keys = ["regime", "condition", "size_group"]
    table = compute_effects(made[0]).set_index(keys)
    rows = rescues[rescues["size_group"] != "all"].set_index(keys)
    due = table.loc[rows.index]
    assert (rows["rescued"] == due["gained"]).all()
    assert (rows["broken"] == due["lost"]).all()
    assert (rows["rescued"] - rows["broken"] == due["gained"] - due["lost"]).all()
    assert (rows["failed"] + rows["correct"] == due["n"]).all()
    assert rows["rescued"].sum() > 0 < rows["broken"].sum()


def test_the_groups_sum_to_all(rescues):
    counts = ["failed", "rescued", "correct", "broken"]
    by_group = rescues.set_index(["regime", "condition", "size_group"])[counts].unstack()
    for name in counts:
        assert (by_group[name][GROUPS[1:]].sum(axis=1) == by_group[name]["all"]).all()


def test_rates_are_of_what_could_be_rescued_or_broken(rescues):
    for rate, (whole, part) in RESCUED.items():
        due = rescues[part] / rescues[whole]
        assert rescues[f"{rate}_rate"].to_numpy() == pytest.approx(due.to_numpy())
        assert (rescues[f"{rate}_low"] < rescues[f"{rate}_rate"]).all()
        assert (rescues[f"{rate}_rate"] < rescues[f"{rate}_high"]).all()
        assert rescues[[f"{rate}_low", f"{rate}_high"]].stack().between(0, 1).all()


def test_intervals_of_rates_are_by_bootstrap_over_images(made, rescues):
    found = made[0]
    for row in rescues.query("condition == 'zoom_matched'").itertuples():
        before, after = (
            found.majority_correct(row.regime, name) for name in ("orig_full", "zoom_matched")
        )
        chosen = found.members[row.size_group] & ~before
        weights = found.weights[1:, chosen].astype(float)
        total = weights.sum(axis=1)
        draws = (weights @ after[chosen])[total > 0] / total[total > 0]
        images = found.instances.loc[chosen, "image_id"].nunique()
        due = bootstrap.share_interval(row.rescue_rate, draws, 0.95, images=images)
        assert (row.rescue_low, row.rescue_high) == pytest.approx(due, abs=1e-9)


@pytest.mark.parametrize("answer", [True, False])
def test_where_there_is_nothing_to_rescue_or_to_break_the_rate_is_empty(predictions, answer):
    untouched = predictions["condition"] == "orig_full"
    correct = np.where(untouched, answer, predictions["correct"])
    rows = compute_rescues(outcomes_of(predictions.assign(correct=correct)))
    for rate, (whole, part) in RESCUED.items():
        numbers = [f"{rate}_rate", f"{rate}_low", f"{rate}_high"]
        empty = (whole == "failed") == answer
        assert (rows[whole] == 0).all() == empty
        assert rows[numbers].isna().to_numpy().all() == empty
        assert (rows[part] == 0).all() == empty


def test_failed_and_correct_are_those_of_the_same_regime(predictions):
    """Untouched, the regimes agree in a study; here they do not."""
    turned = (predictions["regime"] == "retrained") & (predictions["condition"] == "orig_full")
    found = outcomes_of(predictions.assign(correct=predictions["correct"] ^ turned))
    rows = compute_rescues(found).set_index(["regime", "condition", "size_group"])
    fixed, retrained = (
        rows.loc[(regime, "zoom_matched", "all")] for regime in ("fixed", "retrained")
    )
    assert fixed["failed"] == retrained["correct"]
    assert fixed["correct"] == retrained["failed"]
