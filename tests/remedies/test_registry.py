from pathlib import Path

import numpy as np
import pytest
import yaml

from builders.remedy_bench import Colours, bench_on, drawn
from smallsight.remedies.bench import Look
from smallsight.remedies.facts import NEEDS, UNTREATED
from smallsight.remedies.registry import REMEDIES, check_remedies
from smallsight.remedies.remedy import cost
from smallsight.runtime.errors import ParameterError
from smallsight.vocabulary import TASKS

ROOT = Path(__file__).parents[2]
PASSES = {
    "flip": 2, "zoom": 3, "guided_zoom": 2, "tiles_mean": 5, "tiles_maximum": 5,
    "input_125": 1.5625, "input_150": 2.25, "input_200": 4,
    "refit_input_125": 1.5625, "refit_input_150": 2.25, "refit_input_200": 4,
}  # fmt: skip
"""Of remedies that are not shown as many pixels as there are in one plain picture."""

EVERY = [(one, task) for one in REMEDIES for task in one.needs]


@pytest.fixture(scope="module")
def bench(weights, tmp_path_factory):
    """Its weights are a ResNet's, so that every remedy is possible."""
    return bench_on(tmp_path_factory.mktemp("bench"), drawn(), Colours(), weights=weights)


@pytest.mark.parametrize(
    ("remedy", "task"), EVERY, ids=[f"{one.name}-{task}" for one, task in EVERY]
)
def test_every_remedy_answers_every_instance_and_says_what_it_takes(bench, remedy, task):
    found = remedy.answer(bench, task)
    splits = bench.splits
    assert found.logits.shape == (len(splits.seeds), len(splits.sample), len(splits.categories))
    assert np.isfinite(found.logits).all()
    assert found.passes == PASSES.get(remedy.name, 1)
    assert np.isfinite(found.ratio)
    assert found.ratio > 0
    if remedy.name in ("flip", "zoom", "guided_zoom", "tiles_mean", "tiles_maximum"):
        # The plain pass itself, and some more.
        assert found.ratio > 1


def test_names_and_labels_are_no_others(bench):
    for values in ([one.name for one in REMEDIES], [one.label for one in REMEDIES]):
        assert len(set(values)) == len(values)
    assert UNTREATED not in [one.name for one in REMEDIES]


@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda one: one.name)
def test_what_people_read_of_a_remedy_is_a_label_and_a_sentence(remedy):
    assert remedy.name.replace("_", "").isalnum()
    assert remedy.label[0].isupper()
    assert not remedy.label.endswith(".")
    assert remedy.description[0].isupper()
    assert remedy.description.endswith(".")
    assert ". " not in remedy.description


@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda one: one.name)
def test_a_window_is_never_had_without_the_box(remedy):
    assert set(remedy.needs) <= set(TASKS)
    assert set(remedy.needs.values()) <= set(NEEDS)
    assert remedy.needs.get("object", "box") in ("box", "box_head")


def test_parameters_list_all_remedies_in_order(study):
    listed = yaml.safe_load((ROOT / "params.yaml").read_text())["remedies"]
    assert list(listed) == [one.name for one in REMEDIES]
    assert list(study.remedies) == list(listed)
    check_remedies(study.remedies)


@pytest.mark.parametrize("chosen", [{}, {"flip": False}, {"window": True, "flip": True}], ids=str)
def test_some_of_them_may_be_named(chosen):
    check_remedies(chosen)


@pytest.mark.parametrize("name", ["zooom", "", "Flip", UNTREATED])
def test_an_unknown_remedy_is_one_line_with_those_that_there_are(name):
    with pytest.raises(ParameterError) as caught:
        check_remedies({"flip": True, name: False})
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == f"params.remedies.{name}"
    assert caught.value.expected == f"one of {', '.join(one.name for one in REMEDIES)}"


# What remedies take.

LOOK = Look(features=[], seconds=0.6, plain_seconds=0.2)


@pytest.mark.parametrize(
    ("settings", "due"),
    [
        ({"inputs": 1}, (1, 3)),
        ({"inputs": 4, "plain": 1}, (5, 13)),
        ({"inputs": 1, "area": 2.25}, (2.25, 3)),
        ({"inputs": 2, "area": 4, "plain": 1}, (9, 7)),
    ],
    ids=str,
)
def test_costs_are_in_units_of_the_plain_pass(settings, due):
    """Times are measured as they are; passes count pixels."""
    assert cost(LOOK, **settings) == pytest.approx(due)


def test_what_takes_as_long_as_the_plain_pass_costs_nothing_more():
    assert cost(Look([], 0.2, 0.2), inputs=1) == (1, 1)
