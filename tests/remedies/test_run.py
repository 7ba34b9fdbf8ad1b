import numpy as np
import pandas as pd
import pytest

from builders.remedy_bench import REPEATS, Colours, anew, bench_on, drawn, untouched_logits
from smallsight.evaluation.predictions import predict
from smallsight.evaluation.splitting import single_split
from smallsight.remedies.bench import ImpossibleError
from smallsight.remedies.facts import UNTREATED
from smallsight.remedies.registry import REMEDIES
from smallsight.remedies.remedy import Answer, Remedy
from smallsight.remedies.run import try_remedies
from smallsight.remedies.tables import REMEDY_PREDICTIONS, REMEDY_TIMES
from smallsight.runtime.tables import conform
from smallsight.vocabulary import TASKS


def remedy(name, needs, answer):
    return Remedy(name, name.capitalize(), f"{name.capitalize()}.", needs, answer)


def same(bench, task):
    return Answer(untouched_logits(bench, task))


def opposite(bench, task):
    return Answer(-untouched_logits(bench, task), passes=2.5, ratio=3.5)


def impossible(bench, task):
    raise ImpossibleError("it has no wings", "dvc exp run -S backbone.name=bird")


BOTH = {"scene": "nothing", "object": "box"}
OWN = (
    remedy("opposite", BOTH, opposite),
    remedy("wings", {"scene": "head", "object": "box_head"}, impossible),
    remedy("same", {"scene": "head"}, same),
    remedy("not_tried", BOTH, impossible),
    remedy("not_named", BOTH, impossible),
    remedy("window_alone", {"object": "box_head"}, opposite),
)
CHOSEN = {"window_alone": True, "same": True, "not_tried": False, "wings": True, "opposite": True}


@pytest.fixture(scope="module")
def scenes():
    return drawn()


@pytest.fixture(scope="module")
def bench(scenes, tmp_path_factory):
    return bench_on(tmp_path_factory.mktemp("bench"), scenes, Colours())


@pytest.fixture(scope="module")
def tried(bench):
    return try_remedies(bench, OWN, CHOSEN)


def blocks(table):
    """The remedies and tasks of rows that follow each other."""
    keys = table[["remedy", "task"]]
    first = (keys != keys.shift()).any(axis=1)
    return list(keys[first].itertuples(index=False, name=None))


DUE = [
    (UNTREATED, "scene"), ("opposite", "scene"), ("same", "scene"),
    (UNTREATED, "object"), ("opposite", "object"), ("window_alone", "object"),
]  # fmt: skip


def test_every_remedy_has_a_row_per_task_seed_and_instance(tried, bench):
    table = conform(tried.predictions, REMEDY_PREDICTIONS)
    assert blocks(table) == DUE
    for _, part in table.groupby(["remedy", "task"]):
        assert list(part["seed"].unique()) == list(bench.splits.seeds)
        for (_, one), folds in zip(part.groupby("seed"), bench.splits.fold_of, strict=True):
            for name in ("image_id", "ann_id", "category_name", "size_group"):
                assert list(one[name]) == list(bench.splits.sample[name])
            assert (one["fold"].to_numpy() == folds).all()
    assert len(table) == len(DUE) * REPEATS * len(bench.splits.sample)
    assert (table["correct"] == (table["predicted"] == table["category_name"])).all()


def test_untouched_pictures_are_predicted_as_the_evaluation_predicts_them(tried, bench):
    for task in TASKS:
        due = predict(
            bench.splits, bench.heads(task), bench.stored(task), bench.untouched(task),
            regime="fixed",
        )  # fmt: skip
        table = tried.predictions.query("task == @task")
        for name in [UNTREATED] + ["same"] * (task == "scene"):
            own = table[table["remedy"] == name].reset_index(drop=True)
            shared = ["seed", "fold", "image_id", "ann_id", "predicted", "correct"]
            pd.testing.assert_frame_equal(own[shared], due[shared].reset_index(drop=True))
            np.testing.assert_allclose(own["confidence"], due["confidence"], rtol=1e-5)


def test_predictions_are_what_the_remedys_logits_say(tried, bench):
    names = np.array(bench.splits.categories)
    for task in TASKS:
        logits = -untouched_logits(bench, task)
        own = tried.predictions.query("task == @task and remedy == 'opposite'")
        assert (own["predicted"] == names[logits.argmax(axis=2)].ravel()).all()
        shares = np.exp(logits)
        due = (shares.max(axis=2) / shares.sum(axis=2)).ravel()
        np.testing.assert_allclose(own["confidence"], due, rtol=1e-5)


def test_times_are_in_units_of_the_plain_pass_and_in_seconds(tried):
    times = conform(tried.times, REMEDY_TIMES)
    assert blocks(times) == DUE
    ratios = {UNTREATED: 1, "same": 1, "opposite": 3.5, "window_alone": 3.5}
    assert list(times["ratio"]) == [ratios[name] for name in times["remedy"]]
    for _, part in times.groupby("task"):
        plain = part["seconds"].iloc[0]
        assert plain > 0
        np.testing.assert_allclose(part["seconds"], plain * part["ratio"])


def test_facts_are_of_all_remedies_in_order(tried):
    assert [one.name for one in tried.facts] == [one.name for one in OWN]
    for fact, own in zip(tried.facts, OWN, strict=True):
        assert (fact.label, fact.description) == (own.label, own.description)
        assert fact.needs == own.needs
    by_name = {one.name: one for one in tried.facts}
    for name in ("opposite", "same", "window_alone"):
        fact = by_name[name]
        assert (fact.state, fact.reason, fact.command) == ("tried", "", "")
        assert list(fact.passes) == list(fact.needs)
    assert by_name["opposite"].passes == {"scene": 2.5, "object": 2.5}
    assert by_name["same"].passes == {"scene": 1}


def test_what_the_network_cannot_have_says_so_and_has_no_rows(tried):
    (fact,) = (one for one in tried.facts if one.name == "wings")
    assert fact.state == "impossible"
    assert fact.reason == "it has no wings"
    assert fact.command == "dvc exp run -S backbone.name=bird"
    assert fact.passes == {}


@pytest.mark.parametrize("name", ["not_tried", "not_named"])
def test_what_is_left_out_says_what_tests_it(tried, name):
    (fact,) = (one for one in tried.facts if one.name == name)
    assert (fact.state, fact.reason, fact.passes) == ("left_out", "", {})
    assert fact.command == f"dvc exp run -S remedies.{name}=true"


def test_where_all_are_left_out_the_untouched_pictures_remain(bench):
    tried = try_remedies(bench, REMEDIES, dict.fromkeys((one.name for one in REMEDIES), False))
    assert blocks(tried.predictions) == [(UNTREATED, task) for task in TASKS]
    assert {one.state for one in tried.facts} == {"left_out"}


def test_any_other_error_of_a_remedy_is_none_of_its_own(bench):
    broken = remedy("broken", BOTH, lambda bench, task: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        try_remedies(bench, [broken], {"broken": True})


def test_remedies_that_are_left_out_do_not_change_the_others(bench, tried):
    fewer = try_remedies(bench, OWN, CHOSEN | {"opposite": False, "wings": False})
    due = tried.predictions[tried.predictions["remedy"] != "opposite"]
    pd.testing.assert_frame_equal(fewer.predictions, due.reset_index(drop=True))


def test_of_a_single_split_the_test_data_alone_are_predicted(scenes, tmp_path):
    """All remedies of the registry, which compute with what is never test data."""
    own = bench_on(tmp_path, scenes, Colours(), divide=single_split)
    chosen = {one.name: True for one in REMEDIES}
    tried = try_remedies(own, REMEDIES, chosen)
    table = conform(tried.predictions, REMEDY_PREDICTIONS)
    due = own.splits.sample.loc[own.splits.reference_test, "ann_id"]
    assert 0 < len(due) < len(own.splits.sample)
    for _, part in table.groupby(["remedy", "task"]):
        assert list(part["ann_id"]) == list(due)
    assert (table["seed"] == 0).all()
    assert (table["fold"] == 0).all()
    assert table["confidence"].between(1 / 3 - 1e-6, 1).all()
    states = {one.name: one.state for one in tried.facts}
    assert states.pop("dilated") == "impossible"
    assert set(states.values()) == {"tried"}


def test_another_run_gives_the_same_but_for_its_times(bench):
    names = ("guided_zoom", "tiles_maximum", "clahe", "refit_input_150", "pool_top_quarter")
    chosen = dict.fromkeys(names, True)
    first, again = (try_remedies(anew(bench), REMEDIES, chosen) for _ in range(2))
    pd.testing.assert_frame_equal(first.predictions, again.predictions, check_exact=True)
    assert first.facts == again.facts
