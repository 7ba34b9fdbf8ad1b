"""Remedies of a classifier of the user's own: nothing is fitted, whatever is tried."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from builders.readings import opener_of
from builders.remedy_bench import NAMES, Colours, anew, bench_on, drawn, shown_by
from smallsight.backbones.facts import LAST
from smallsight.classifiers.answers import NotAskedError
from smallsight.classifiers.facts import STUDY_HEADS
from smallsight.classifiers.mapping import ClassMapping
from smallsight.evaluation.protocols import AS_IT_IS
from smallsight.evaluation.splitting import make_splits
from smallsight.remedies.bench import ImpossibleError
from smallsight.remedies.facts import UNTREATED
from smallsight.remedies.registry import REMEDIES
from smallsight.remedies.run import try_remedies

BY_NAME = {one.name: one for one in REMEDIES}
ALL = dict.fromkeys(BY_NAME, True)
MAPPING = ClassMapping(np.eye(len(NAMES), 4, dtype=bool))
"""Categories in the order of their names; a fourth class is of none."""


class Classifier(Colours):
    """Names the colour that a picture has most of: its features are its logits."""

    linear = (
        np.array([[0, 9, 0, 0], [9, 0, 0, 0], [0, 0, 9, 0], [0, 0, 0, 1]], np.float32),
        np.arange(4, dtype=np.float32) / 9,
    )

    def scene(self, pictures, names=()):
        weight, bias = map(torch.from_numpy, self.linear)
        return super().scene(pictures) @ weight.T + bias

    def read_out(self, pictures, regions, names=()):
        weight, bias = map(torch.from_numpy, self.linear)
        parts = super().read_out(pictures, regions)
        del parts["finer"]
        logits = {name: parts[name] @ weight.T + bias for name in ("scene", "box")}
        return logits | {LAST: parts[LAST]}


def without_mirrored(condition, seen, maps):
    return replace(seen, mirrored={}), maps


def one_split(sample, categories, *, settings, seed):
    return make_splits(AS_IT_IS, sample, categories, settings=settings, seed=seed)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = bench_on(
        tmp_path_factory.mktemp("bench"), drawn(), Classifier(), divide=one_split,
        plant=without_mirrored,
    )  # fmt: skip
    assert made.splits.categories == tuple(sorted(NAMES))
    return replace(made, mapping=MAPPING, trunk=None)


@pytest.fixture(scope="module")
def tried(bench):
    return try_remedies(bench, REMEDIES, ALL)


def test_what_needs_heads_is_not_had_and_says_so(tried):
    facts = {one.name: one for one in tried.facts}
    for name in ("small_weighted", "refit_input_150", "strides", "pyramid", "window", "dilated"):
        assert facts[name].state == "impossible"
        assert (facts[name].reason, facts[name].command) == (
            "it needs heads fitted anew", STUDY_HEADS
        )  # fmt: skip
        assert name not in set(tried.predictions["remedy"])
    assert all(
        one.state != "impossible" for one in facts.values() if "nothing" in one.needs.values()
    )


def test_the_box_is_pooled_by_the_classifiers_own_last_layer(bench, tried):
    assert {one.name: one.needs for one in tried.facts}["box_pooling"] == {
        "scene": "box", "object": "box"
    }  # fmt: skip
    due = MAPPING.probabilities(bench.stored("scene", "box").plain)[0].argmax(axis=1)
    found = tried.predictions.query("remedy == 'box_pooling' and task == 'scene'")
    assert found["predicted"].tolist() == [bench.splits.categories[index] for index in due]


def test_untreated_predictions_are_the_classifiers(bench, tried):
    for task in ("scene", "object"):
        due = MAPPING.probabilities(bench.stored(task).plain)[0]
        found = tried.predictions.query("remedy == @UNTREATED and task == @task")
        np.testing.assert_allclose(found["confidence"], due.max(axis=1), rtol=1e-6)
        assert set(found["fold"]) == {0}


def test_flipping_looks_at_every_mirror_image(bench):
    own = anew(bench)
    shown_by(own).clear()
    answer = BY_NAME["flip"].answer(own, "object")
    assert len(shown_by(own)) >= len(own.splits.sample)
    plain = MAPPING.logits(own.stored("object").plain)
    # Means of colours are those of the mirror image, but for the fourth class, which is of no name.
    np.testing.assert_allclose(answer.logits, plain, atol=1e-5)


def test_a_guided_zoom_follows_the_class_that_leads(bench):
    answer = BY_NAME["guided_zoom"].answer(anew(bench), "scene")
    assert answer.logits.shape == (1, len(bench.splits.sample), len(NAMES))
    assert np.isfinite(answer.logits).all()


def test_without_maps_nothing_is_guided(bench):
    own = anew(bench, opener=opener_of(WithoutMaps()))
    with pytest.raises(ImpossibleError, match="no maps that sum"):
        BY_NAME["guided_zoom"].answer(own, "scene")


class WithoutMaps(Classifier):
    """Has no last layer that reads the mean of maps."""

    linear = None


class Table(Classifier):
    """Has answers to what was rendered alone."""

    def scene(self, pictures, names=()):
        raise NotAskedError("predictions.csv", names[0][1], "an answer")


def test_a_table_of_predictions_is_asked_nothing_new(bench):
    own = anew(bench, opener=opener_of(Table()), is_timed=False)
    found = try_remedies(own, REMEDIES, ALL)
    facts = {one.name: one for one in found.facts}
    assert facts["clahe"].reason == "a table of predictions cannot be asked again"
    assert facts["window_same_head"].state == "tried"
    assert set(found.predictions["remedy"]) == {UNTREATED, "window_same_head", "box_pooling"}
    assert found.times["seconds"].isna().all()


def test_a_classifier_of_whole_pictures_is_tried_on_these_alone(bench):
    found = try_remedies(anew(bench, tasks=("scene",)), REMEDIES, ALL)
    assert set(found.predictions["task"]) == {"scene"}
    assert "window_same_head" in set(found.predictions["remedy"])
    assert all(set(one.passes) <= {"scene"} for one in found.facts)


def test_names_tell_a_program_which_picture_it_is(bench):
    asked = []

    class Asked(Classifier):
        def scene(self, pictures, names=()):
            asked.extend(names)
            assert len(names) == len(pictures)
            return super().scene(pictures)

    own = anew(bench, opener=opener_of(Asked()), is_timed=False)
    own.look("scene", lambda picture, number: [picture, picture[::-1]])
    images = own.splits.sample.drop_duplicates("image_id")
    names = [f"{row.image_id}_{row.ann_id}.png" for row in images.itertuples()]
    due = [(name, f"remedy scene {place}") for name in names for place in (0, 1)]
    assert sorted(asked) == sorted(due)
