"""A whole study's maps, by networks of two libraries and with heads that read two things."""

import functools
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import read_features, write_features
from smallsight.backbones.features import extract_features
from smallsight.backbones.networks.network import LAST
from smallsight.backbones.networks.weight_sources import random_weights
from smallsight.backbones.networks.weights import Weights
from smallsight.conditions.rendered.names import Condition
from smallsight.conditions.rendered.store import picture_name, read_masks, write_masks
from smallsight.conditions.rendered.views import read_views
from smallsight.evaluation.crossfit import fit_heads
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.predictions import predict
from smallsight.evaluation.splits import cross_validation
from smallsight.runtime.files import write_table
from smallsight.saliency.explain import Explainer, explain_condition
from smallsight.saliency.run import explain_study, write_study_maps
from smallsight.saliency.tables import OTHER_MAPS, PREDICTED_CLASS_MAPS

SIZE, CATEGORIES = 64, ("a", "b", "c")
CONDITIONS = (
    Condition("orig_full", "default", is_reference=True),
    Condition("downscale", "scale=0.5", is_reference=True),
)
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
    features, tables = folder / "features", []
    for number, condition in enumerate(CONDITIONS):
        place = folder / "rendered" / condition.family
        (place / condition.level).mkdir(parents=True)
        for image_id, ann_id in sample[["image_id", "ann_id"]].to_numpy():
            picture = noise(SIZE, SIZE, 1000 * number + ann_id)
            Image.fromarray(picture).save(place / condition.level / picture_name(image_id, ann_id))
        corners = rng.uniform(0, 30, (len(sample), 2))
        views = sample[["image_id", "ann_id"]].assign(
            level=condition.level, box_x=corners[:, 0], box_y=corners[:, 1],
            box_w=rng.uniform(2, 30, len(sample)), box_h=9.0, view_w=40, view_h=30,
            ssim_box=1.0, ssim_picture=1.0,
        )  # fmt: skip
        write_table(views, place / "views.csv")
        masked = {
            tuple(ids): np.full((SIZE, SIZE), 255, np.uint8)
            for ids in views.iloc[:3, :2].to_numpy()
        }
        write_masks(masked, place / "masks.npz")
        extracted = extract_features(
            views, place / condition.level, Backbone(weights), keep_maps=True, device=cpu
        )
        write_features(extracted, features / condition.family / f"{condition.level}.npz")
        seen = read_features(features / condition.family / f"{condition.level}.npz", readout)
        if condition is CONDITIONS[0]:
            shape = (6, len(CATEGORIES), seen.plain.shape[1])
            weight = rng.normal(0, 0.5, shape).astype(np.float32)
            untouched = LinearHeads(weight, np.zeros(shape[:2], np.float32))
        tables.append(predict(splits, untouched, seen, condition, regime="fixed"))
    predictions = pd.concat(tables)
    return SimpleNamespace(
        folder=folder, sample=sample, splits=splits, untouched=untouched, weights=weights,
        predictions=predictions[predictions["seed"] == 0],
        layers={"last": LAST, "finer": FINER[network]},
        settings=params.Heads(readout=readout, epochs=1, batch_size=8, learning_rate=0.01),
    )  # fmt: skip


@pytest.fixture(scope="module")
def explained(made, cpu):
    """The study's maps of one layer, made once."""
    return functools.cache(lambda layer: explain(made, cpu, layer))


def explain(made, cpu, layer="last", regime="fixed", conditions=CONDITIONS):
    return explain_study(
        made.predictions, conditions, splits=made.splits, regime=regime, untouched=made.untouched,
        weights=made.weights, layer=made.layers[layer], size=SIZE, settings=made.settings,
        seed=0, device=cpu, rendered=made.folder / "rendered", features=made.folder / "features",
    )  # fmt: skip


def write(made, maps, folder):
    folder.mkdir()
    write_study_maps(
        maps, dict(zip(made.sample["image_id"], made.sample["image_path"], strict=True)),
        rendered=made.folder / "rendered", place=Path("data/gradcam"), folder=folder, count=2,
        seed=0,
    )  # fmt: skip
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("layer", ["last", "finer"])
def test_every_condition_is_explained_in_turn(made, explained, layer):
    maps, n = explained(layer), len(made.sample)
    assert list(maps.found) == ["orig_full", "downscale"]
    assert list(maps.predicted_class.columns) == PREDICTED_CLASS_MAPS.names
    assert list(maps.other_maps.columns) == OTHER_MAPS.names
    for table in (maps.predictions, maps.predicted_class):
        assert list(table.index) == list(range(2 * n))
        assert list(table["condition"]) == ["orig_full"] * n + ["downscale"] * n
        assert (table["ann_id"].to_numpy() == np.tile(made.sample["ann_id"], 2)).all()
    stride = STRIDES[made.layers[layer]]
    peaks = [each.saliency.max(axis=(1, 2)) for each in maps.found.values()]
    assert {each.saliency.shape for each in maps.found.values()} == {(n, *[SIZE // stride] * 2)}
    np.testing.assert_array_equal(maps.predictions["peak"], np.concatenate(peaks))
    for name in ("lift", "logit", "correct", "box_w", "confidence"):
        assert name in maps.predictions
    shared = ["lift", "logit", "predicted"]
    pd.testing.assert_frame_equal(maps.predictions[shared], maps.predicted_class[shared])
    kinds = maps.other_maps.groupby("map")["condition"].agg(set)
    every = {"orig_full", "downscale"}
    assert kinds.to_dict() == {
        "true_class": every, "random_box": every, "centre": every, "random_weights": {"orig_full"}
    }  # fmt: skip


def test_a_condition_is_explained_as_if_alone(made, explained, cpu):
    together = explained("finer")
    for condition in CONDITIONS:
        alone = explain(made, cpu, "finer", conditions=[condition])
        for one, other in zip(
            alone.found[condition.name], together.found[condition.name], strict=True
        ):
            np.testing.assert_array_equal(one, other)
        chosen = together.predicted_class["condition"] == condition.name
        pd.testing.assert_frame_equal(
            alone.predicted_class, together.predicted_class[chosen].reset_index(drop=True)
        )


@pytest.mark.parametrize("regime", ["fixed", "retrained"])
def test_heads_are_those_of_the_regime(made, cpu, regime):
    """Against the parts that the study is assembled from."""
    condition = CONDITIONS[1]
    place = made.folder / "features/downscale/scale=0.5.npz"
    seen = read_features(place, made.settings.readout, maps=True)
    fitted = made.untouched
    if regime == "retrained":
        fitted = fit_heads(made.splits, seen, settings=made.settings, device=cpu)
    rows = made.predictions[made.predictions["condition"] == "downscale"]
    rows = rows.merge(read_views(made.folder / "rendered", condition), on=["image_id", "ann_id"])
    found, tables = explain_condition(
        rows, seen, splits=made.splits, fitted=fitted, untrained=None, pictures=None,
        covers=read_masks(made.folder / "rendered", condition, rows),
        explainer=Explainer(LAST, made.settings.readout, SIZE, Backbone(made.weights), cpu),
    )  # fmt: skip
    maps = explain(made, cpu, regime=regime)
    np.testing.assert_array_equal(maps.found["downscale"].saliency, found.saliency)
    own = maps.predicted_class[maps.predicted_class["condition"] == "downscale"]
    pd.testing.assert_frame_equal(
        own.reset_index(drop=True), tables["predicted"][PREDICTED_CLASS_MAPS.names]
    )
    others = maps.other_maps.query("map == 'true_class' and condition == 'downscale'")
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
    untouched = maps.predicted_class.query("condition == 'orig_full'")
    assert maps.pointing == untouched["pointing_hit"].mean()


def test_what_is_written_is_read_by_name(made, explained, tmp_path):
    maps = explained("last")
    write(made, maps, tmp_path / "new")
    with np.load(tmp_path / "new/maps.npz") as file:
        assert file["condition"].tolist() == ["orig_full", "downscale"]
        stacked = np.stack([each.saliency for each in maps.found.values()])
        np.testing.assert_array_equal(file["cams"], stacked)
        assert file["cams"].dtype == np.float32
    about = json.loads((tmp_path / "new/about.json").read_text())
    assert about == maps.describe() | {"alpha": 0.5, "colormap": "magma"}
    listed = pd.read_csv(tmp_path / "new/maps.csv")
    assert (listed["ann_id"] == maps.predictions["ann_id"]).all()
    np.testing.assert_allclose(listed["peak"], maps.predictions["peak"])
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
