from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders.evaluations import CATEGORIES, DIMENSIONS, REPEATS, SETTINGS
from smallsight import params
from smallsight.backbones.feature_store import Extracted, read_features, write_features
from smallsight.conditions.rendered.names import UNTOUCHED, Condition, FamilyFacts
from smallsight.evaluation.crossfit import fit_heads, out_of_fold
from smallsight.evaluation.ladder import predict_rungs
from smallsight.evaluation.rungs import BASELINES, RUNGS, STEPS
from smallsight.evaluation.splitting import single_split
from smallsight.evaluation.tables import RUNG_PREDICTIONS
from smallsight.runtime.tables import conform

HEADS = params.Heads(readout="scene", epochs=10, batch_size=16, learning_rate=0.1)
PARTS = ("scene", "box", "finer")
CONDITIONS = (
    Condition(UNTOUCHED, "default", True, "scene"),
    Condition(UNTOUCHED, "default", True),
    Condition("crop_low", "default", True),
    Condition("object_alone", "region=box", True),
    Condition("object_alone", "default", False),
)
TELLS = {
    "scene": (CONDITIONS[0], "scene"),
    "box": (CONDITIONS[0], "box"),
    "pyramid": (CONDITIONS[0], "finer"),
    "window_few_pixels": (CONDITIONS[2], "scene"),
    "window": (CONDITIONS[1], "scene"),
    "object_alone": (CONDITIONS[3], "scene"),
}
"""The one part of one condition's features in which the category stands."""


def facts():
    """Of the families, each with its levels."""
    by_family = {}
    for one in CONDITIONS:
        by_family.setdefault(one.family, []).append(one)
    return {
        name: FamilyFacts(name, name, name, "intervention", {}, tuple(each))
        for name, each in by_family.items()
    }


@pytest.fixture(scope="module")
def boxed(folds):
    """The sample's boxes, and an object in each picture that is larger than all others."""
    box = {"bbox_x": 0.0, "bbox_y": 0.0, "bbox_w": 8.0, "bbox_h": 8.0}
    sample = folds.sample.assign(**box, img_area=10000)
    other = sample.drop_duplicates("image_id").assign(ann_id=9000, bbox_w=20.0, category_name="e")
    return sample, pd.concat([sample, other]).assign(iscrowd=0)


def written(folder, sample, tells, names=PARTS):
    """Write features in which one part of one condition tells the category, all else nothing."""
    rng = np.random.default_rng(3)
    n = len(sample)
    vectors = 5 * np.eye(len(CATEGORIES), DIMENSIONS, dtype=np.float32)
    code = vectors[sample["category_name"].map(CATEGORIES.index)]
    for one in CONDITIONS:
        parts = {
            name: code
            if (one, name) == tells
            else rng.standard_normal((n, DIMENSIONS)).astype(np.float32)
            for name in names
        }
        ids = sample["image_id"].to_numpy(), sample["ann_id"].to_numpy()
        extracted = Extracted(*ids, np.ones(n), np.arange(n), parts, parts)
        write_features(extracted, one, folder / one.family)
    return folder


def climbed(folds, boxed, folder, known=None):
    sample, objects = boxed
    return predict_rungs(
        replace(folds, sample=sample),
        facts() if known is None else known,
        objects,
        features=folder,
        settings=HEADS,
    )


@pytest.fixture(scope="module")
def nothing_told(boxed, tmp_path_factory):
    return written(tmp_path_factory.mktemp("features"), boxed[0], None)


@pytest.fixture(scope="module")
def table(folds, boxed, nothing_told):
    return climbed(folds, boxed, nothing_told)


def test_every_rung_predicts_every_instance_once_per_seed(table, folds, sample):
    assert list(table["rung"].unique()) == [*BASELINES, *(rung.name for rung in RUNGS)]
    conform(table, RUNG_PREDICTIONS)
    for _, part in table.groupby("rung"):
        assert len(part) == REPEATS * len(sample)
        for (_, one), fold in zip(part.groupby("seed"), folds.fold_of, strict=True):
            assert (one["fold"].to_numpy() == fold).all()
            for name in ("image_id", "ann_id", "category_name", "size_group"):
                assert list(one[name]) == list(sample[name])
    assert (table["correct"] == (table["predicted"] == table["category_name"])).all()
    assert (table.loc[table["rung"] == "largest_object", "predicted"] == "e").all()


def test_a_rung_has_heads_of_its_own_on_the_same_folds(table, folds, nothing_told):
    for rung, condition in (
        ("scene", CONDITIONS[0]),
        ("pyramid", CONDITIONS[0]),
        ("window", CONDITIONS[1]),
    ):
        readout = next(one.readout for one in RUNGS if one.name == rung)
        seen = read_features(nothing_told, condition, readout)
        fitted = fit_heads(folds, seen, settings=HEADS)
        due = np.array(CATEGORIES)[out_of_fold(folds, fitted, seen).argmax(axis=2)]
        found = table.loc[table["rung"] == rung, "predicted"].to_numpy()
        assert (found == due.ravel()).all()


@pytest.mark.parametrize("rung", TELLS)
def test_a_rung_is_given_what_it_says_and_nothing_else(rung, folds, boxed, tmp_path):
    """The category stands in one part of one condition: it is read where that part is given."""
    table = climbed(folds, boxed, written(tmp_path, boxed[0], TELLS[rung]))
    accuracy = table.groupby("rung")["correct"].mean()[[rung.name for rung in RUNGS]]
    knows = {"box": {"box", "pyramid"}}.get(rung, {rung})
    assert (accuracy[list(knows)] > 0.9).all()
    assert (accuracy.drop(list(knows)) < 0.4).all()


def test_what_the_study_or_the_network_lacks_is_left_out(folds, boxed, tmp_path):
    folder = written(tmp_path, boxed[0], None, names=("scene", "box"))
    known = {name: one for name, one in facts().items() if name != "crop_low"}
    few = climbed(folds, boxed, folder, known)
    assert list(few["rung"].unique()) == [*BASELINES, "scene", "box", "window", "object_alone"]


def test_a_family_that_is_not_in_the_rungs_task_is_no_rung(folds, boxed, nothing_told):
    known = facts()
    in_scene = tuple(known[UNTOUCHED].in_task("scene"))
    known[UNTOUCHED] = FamilyFacts(UNTOUCHED, "", "", "corruption", {}, in_scene)
    assert "window" not in set(climbed(folds, boxed, nothing_told, known)["rung"])


def test_of_a_single_split_the_test_data_alone_are_predicted(boxed, nothing_told):
    sample, objects = boxed
    splits = single_split(sample, CATEGORIES, settings=SETTINGS, seed=1)
    table = predict_rungs(
        splits, facts(), objects,
        features=nothing_told, settings=HEADS,
    )  # fmt: skip
    due = sample.loc[splits.reference_test, "ann_id"]
    for _, part in table.groupby("rung"):
        assert list(part["ann_id"]) == list(due)
    assert (table["fold"] == 0).all()


def test_every_rung_but_the_first_has_a_step_of_its_own_name():
    assert list(STEPS) == [rung.name for rung in RUNGS[1:]]
    for key in ("name", "label", "cause", "remedy"):
        assert len({getattr(step, key) for step in STEPS.values()}) == len(STEPS)
