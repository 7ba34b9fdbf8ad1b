"""A whole study's maps, by networks of two libraries and with heads that read two things."""

import functools
import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from builders.readings import Unread, extracted
from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.facts import LAST
from smallsight.backbones.feature_store import place_of_maps, read_features, write_features
from smallsight.backbones.networks.weight_sources import random_weights
from smallsight.backbones.networks.weights import Weights
from smallsight.conditions.rendered.names import Condition
from smallsight.conditions.rendered.store import packed_mask, picture_name, read_masks, write_masks
from smallsight.conditions.rendered.views import read_views
from smallsight.evaluation.crossfit import fit_heads
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.predictions import predict
from smallsight.evaluation.splitting import cross_validation
from smallsight.runtime.files import write_table
from smallsight.saliency.explain import HeadExplainer, explain_condition
from smallsight.saliency.run import explain_study, write_study_maps
from smallsight.saliency.tables import OTHER_MAPS, PREDICTED_CLASS_MAPS
from smallsight.vocabulary import TASKS

SIZE, CATEGORIES = 64, ("a", "b", "c")
CONDITIONS = tuple(
    Condition(family, level, is_reference=True, task=task)
    for task in TASKS
    for family, level in (("orig_full", "default"), ("downscale", "scale=0.5"))
)
KEYS = [(one.task, one.name) for one in CONDITIONS]
SHOWN = [("scene", "orig_full"), ("object", "orig_full"), ("object", "downscale")]
"""Of which maps are kept."""
READOUTS = {"resnet18": "scene", "timm:convnext_atto": "pyramid"}
FINER = {"resnet18": "layer2", "timm:convnext_atto": "stages.1"}
STRIDES = {LAST: 32, "layer2": 8, "stages.1": 8}


@pytest.fixture(scope="module", params=READOUTS.items(), ids=READOUTS)
def made(request, population, noise, cpu, tmp_path_factory):
    """A small study of one network, as the stages before `explain` leave it."""
    patch = pytest.MonkeyPatch()
    request.addfinalizer(patch.undo)
    patch.setenv("SMALLSIGHT_WORKERS", "1")
    patch.delenv("SMALLSIGHT_DASK", raising=False)
    folder = tmp_path_factory.mktemp("study")
    network, readout = request.param
    due = Weights(network, is_dilated=False, state={}, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.1))
    weights = random_weights(due, np.random.default_rng(0))
    sample = population(images=5, categories=CATEGORIES)
    sample["image_path"] = [str(folder / f"{number}.png") for number in sample["image_id"]]
    for path in set(sample["image_path"]):
        Image.fromarray(noise(30, 40)).save(path)
    settings = params.Evaluation(test_share=0.2, folds=3, repeats=2)
    splits = cross_validation(sample, CATEGORIES, settings=settings, seed=0)
    rng = np.random.default_rng(1)
    features, tables, lying, untouched = folder / "features", [], {}, {}
    for number, condition in enumerate(CONDITIONS):
        place = folder / "rendered" / condition.folder
        place.mkdir(parents=True)
        for image_id, ann_id in sample[["image_id", "ann_id"]].to_numpy():
            picture = noise(SIZE, SIZE, 1000 * number + ann_id)
            Image.fromarray(picture).save(place / picture_name(image_id, ann_id))
        corners = rng.uniform(0, 30, (len(sample), 2))
        views = sample[["image_id", "ann_id"]].assign(
            task=condition.task, level=condition.level, box_x=corners[:, 0], box_y=corners[:, 1],
            box_w=rng.uniform(2, 30, len(sample)), box_h=9.0, view_w=40, view_h=30,
            ssim_box=1.0, ssim_picture=1.0,
        )  # fmt: skip
        lying.setdefault(condition.family, []).append(views)
        masked = {
            tuple(ids): packed_mask(np.full((SIZE, SIZE), 255, np.uint8))
            for ids in views.iloc[:3, :2].to_numpy()
        }
        write_masks(masked, place.parent / "masks.npz", size=SIZE)
        maps = features / condition.family / place_of_maps(condition)
        found, _ = extracted(views, place, Backbone(weights), maps)
        write_features(found, condition, features / condition.family)
        seen = read_features(features, condition, readout)
        if condition.name == "orig_full":
            shape = (6, len(CATEGORIES), seen.plain.shape[1])
            weight = rng.normal(0, 0.5, shape).astype(np.float32)
            untouched[condition.task] = LinearHeads(weight, np.zeros(shape[:2], np.float32))
        fitted = untouched[condition.task]
        tables.append(predict(splits, fitted, seen, condition, regime="fixed"))
    for family, parts in lying.items():
        write_table(pd.concat(parts), folder / "rendered" / family / "views.csv")
    predictions = pd.concat(tables)
    return SimpleNamespace(
        folder=folder, sample=sample, splits=splits, untouched=untouched, weights=weights,
        drawn=random_weights(weights, np.random.default_rng(1)),
        predictions=predictions[predictions["seed"] == 0],
        layers={"last": LAST, "finer": FINER[network]},
        settings=params.Heads(readout=readout, epochs=1, batch_size=8, learning_rate=0.01),
    )  # fmt: skip


@pytest.fixture(scope="module")
def explained(made, cpu):
    """The study's maps of one layer, made once."""
    return functools.cache(lambda layer: explain(made, cpu, layer))


def explain(made, cpu, layer="last", regime="fixed", conditions=CONDITIONS):
    trained, untrained = (
        HeadExplainer(made.layers[layer], made.settings.readout, SIZE, Backbone(each), cpu)
        for each in (made.weights, made.drawn)
    )
    return explain_study(
        made.predictions, conditions, splits=made.splits, regime=regime, untouched=made.untouched,
        explainer=trained, untrained=untrained, settings=made.settings,
        rendered=made.folder / "rendered", features=made.folder / "features",
    )  # fmt: skip


def of(table, key):
    """Choose the rows of a task and condition."""
    return table[(table["task"] == key[0]) & (table["condition"] == key[1])]


def write(made, maps, folder):
    folder.mkdir()
    write_study_maps(
        maps, dict(zip(made.sample["image_id"], made.sample["image_path"], strict=True)),
        place=Path("data/gradcam"), folder=folder, count=2, seed=0,
    )  # fmt: skip
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("layer", ["last", "finer"])
def test_every_condition_is_explained_in_turn(made, explained, layer):
    maps, n = explained(layer), len(made.sample)
    assert list(maps.found) == KEYS
    assert list(maps.predicted_class.columns) == PREDICTED_CLASS_MAPS.names
    assert list(maps.other_maps.columns) == OTHER_MAPS.names
    for table in (maps.predictions, maps.predicted_class):
        assert list(table.index) == list(range(4 * n))
        assert list(zip(table["task"], table["condition"], strict=True)) == list(
            itertools.chain.from_iterable([key] * n for key in KEYS)
        )
        assert (table["ann_id"].to_numpy() == np.tile(made.sample["ann_id"], 4)).all()
    stride = STRIDES[made.layers[layer]]
    peaks = [each.saliency.max(axis=(1, 2)) for each in maps.found.values()]
    assert {each.saliency.shape for each in maps.found.values()} == {(n, *[SIZE // stride] * 2)}
    np.testing.assert_array_equal(maps.predictions["peak"], np.concatenate(peaks))
    for name in ("lift", "logit", "correct", "box_w", "confidence"):
        assert name in maps.predictions
    shared = ["lift", "logit", "predicted"]
    pd.testing.assert_frame_equal(maps.predictions[shared], maps.predicted_class[shared])
    others = maps.other_maps
    kinds = {
        name: list(dict.fromkeys(zip(part["task"], part["condition"], strict=True)))
        for name, part in others.groupby("map")
    }
    untouched = [key for key in KEYS if key[1] == "orig_full"]
    assert kinds == {
        "true_class": KEYS, "random_box": KEYS, "centre": KEYS, "random_weights": untouched
    }  # fmt: skip


def test_every_picture_is_named_that_a_map_is_of(made, explained):
    rows = explained("last").predictions
    folders = {key: one.folder for key, one in zip(KEYS, CONDITIONS, strict=True)}
    for row in rows.itertuples():
        place = made.folder / "rendered" / folders[row.task, row.condition]
        assert Path(row.picture) == place / picture_name(row.image_id, row.ann_id)


def test_a_condition_is_explained_as_if_alone(made, explained, cpu):
    together = explained("finer")
    for key, condition in zip(KEYS, CONDITIONS, strict=True):
        alone = explain(made, cpu, "finer", conditions=[condition])
        for one, other in zip(alone.found[key], together.found[key], strict=True):
            np.testing.assert_array_equal(one, other)
        pd.testing.assert_frame_equal(
            alone.predicted_class, of(together.predicted_class, key).reset_index(drop=True)
        )


@pytest.mark.parametrize("regime", ["fixed", "retrained"])
@pytest.mark.parametrize("number", [1, 3], ids=TASKS)
def test_heads_are_those_of_the_task_and_regime(made, cpu, number, regime):
    """Against the parts that the study is assembled from."""
    condition, key = CONDITIONS[number], KEYS[number]
    seen = read_features(made.folder / "features", condition, made.settings.readout, maps=True)
    fitted = made.untouched[condition.task]
    if regime == "retrained":
        fitted = fit_heads(made.splits, seen, settings=made.settings)
    rows = of(made.predictions, key)
    rows = rows.merge(read_views(made.folder / "rendered", condition), on=["image_id", "ann_id"])
    found, tables = explain_condition(
        rows, seen, splits=made.splits, fitted=fitted, untrained=None, pictures=Unread(),
        covers=read_masks(made.folder / "rendered", condition, rows),
        explainer=HeadExplainer(LAST, made.settings.readout, SIZE, Backbone(made.weights), cpu),
    )  # fmt: skip
    maps = explain(made, cpu, regime=regime)
    np.testing.assert_array_equal(maps.found[key].saliency, found.saliency)
    own = of(maps.predicted_class, key)
    pd.testing.assert_frame_equal(
        own.reset_index(drop=True), tables["predicted"][PREDICTED_CLASS_MAPS.names]
    )
    others = of(maps.other_maps, key).query("map == 'true_class'")
    np.testing.assert_array_equal(others["lift"], tables["true_class"]["lift"])


@pytest.mark.parametrize("layer", ["last", "finer"])
def test_the_description_says_how_large_cells_are(made, explained, layer):
    maps = explained(layer)
    about = maps.describe()
    assert about["layer"] == made.layers[layer]
    assert about["last_layer"] == "last"
    assert about["input_size"] == SIZE
    assert about["cell"] == STRIDES[made.layers[layer]]
    assert about["last_cell"] == 32
    logits = maps.predicted_class[["logit_in_box", "logit_elsewhere", "bias"]].sum(axis=1)
    error = (logits - maps.predicted_class["logit"]).abs().max()
    if made.settings.readout == "scene":
        assert about["largest_sum_error"] == error < 1e-4
    else:
        assert error > 1e-3  # what the finer layers add
        assert about["largest_sum_error"] is None
    for task in TASKS:
        untouched = of(maps.predicted_class, (task, "orig_full"))
        assert maps.pointing(task) == untouched["pointing_hit"].mean()
    assert maps.pointing("scene") != maps.pointing("object")


def test_what_is_written_is_read_by_name(made, explained, tmp_path):
    maps = explained("last")
    write(made, maps, tmp_path / "new")
    with np.load(tmp_path / "new/maps.npz") as file:
        names = zip(file["task"].tolist(), file["condition"].tolist(), strict=True)
        assert list(names) == SHOWN
        stacked = np.stack([maps.found[key].saliency for key in SHOWN])
        np.testing.assert_array_equal(file["cams"], stacked)
        assert file["cams"].dtype == np.float32
    about = json.loads((tmp_path / "new/about.json").read_text())
    assert about == maps.describe() | {"alpha": 0.5, "colormap": "magma"}
    listed = pd.read_csv(tmp_path / "new/maps.csv")
    due = pd.concat([of(maps.predictions, key) for key in SHOWN], ignore_index=True)
    for name in ("task", "condition", "ann_id"):
        assert list(listed[name]) == list(due[name])
    np.testing.assert_allclose(listed["peak"], stacked.max(axis=(2, 3)).ravel(), rtol=1e-6)
    np.testing.assert_allclose(listed[["peak", "lift"]], due[["peak", "lift"]])
    for name in ("gallery", "strips"):
        cards = pd.read_csv(tmp_path / f"new/{name}.csv")
        assert len(cards)
        for path in {*cards["overlay"], *cards["untouched"]}:
            assert (tmp_path / "new" / Path(path).relative_to("data/gradcam")).is_file()
    for path in listed["thumbnail"]:
        assert (tmp_path / "new" / Path(path).relative_to("data/gradcam")).is_file()


def test_another_run_writes_the_same_bytes(made, explained, cpu, tmp_path):
    first, again = explained("finer"), explain(made, cpu, "finer")
    assert write(made, first, tmp_path / "first") == write(made, again, tmp_path / "again")
