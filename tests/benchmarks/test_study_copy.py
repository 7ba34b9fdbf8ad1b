"""A tiny study by DVC, as the benchmark runs it."""

import pytest
from bench import six_conditions
from plain_study import CONDITIONS
from study_copy import STARTS, StudyCopy

pytestmark = pytest.mark.dvc

SMALL = {
    "data.phantom.scenes": 20,
    "data.phantom.width": 200,
    "data.phantom.height": 150,
    "backbone.input_size": 32,
    "evaluation.folds": 3,
    "evaluation.repeats": 2,
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    made = StudyCopy(tmp_path_factory.mktemp("six"), six_conditions(24, None, None) | SMALL)
    made.repro("sample", "fetch", "backbone")
    made.keep()
    return made


@pytest.fixture(scope="module")
def table(copy):
    found = copy.repro("evaluate")
    return found | {"passes": copy.passes(), "accuracies": copy.accuracies()}


def test_steps_and_starts_add_up_to_the_time_on_the_clock(table):
    assert set(table["steps"]) == {"render", "engine", "features", "train", "evaluate", STARTS}
    assert sum(table["steps"].values()) == pytest.approx(table["seconds"])
    assert table["stages"] == 2 * len(CONDITIONS) + 3
    assert table["steps"][STARTS] > 0
    assert table["peak_gib"] > 0.1


def test_the_table_is_the_original_one(table):
    assert list(table["accuracies"]) == list(CONDITIONS)
    assert all(0 <= accuracy <= 1 for accuracy in table["accuracies"].values())
    assert table["passes"] >= 24 * len(CONDITIONS)


def test_going_on_to_all_evidence_renders_nothing_and_has_more_heads(copy, table):
    copy.change("protocol", "cross_validation")
    found = copy.repro("evaluate")
    assert set(found["steps"]) == {"check", "train", "evaluate", STARTS}
    assert (copy.heads() - 1) % (3 * 2) == 0
    assert copy.heads() > 6 * 3 * 2


def test_restoring_leaves_the_pictures_and_nothing_else(copy, table):
    copy.restore()
    assert not list((copy.folder / "data/features").rglob("*.npz"))
    assert list((copy.folder / "data/images").iterdir())
    again = copy.repro("evaluate")
    assert set(again["steps"]) == set(table["steps"])
    assert copy.accuracies() == table["accuracies"]
