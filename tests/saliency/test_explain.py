import functools
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch

from builders.readings import Held, Unread, tensor_regions
from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.facts import LAST
from smallsight.backbones.feature_store import Features
from smallsight.backbones.networks.weight_sources import random_weights
from smallsight.backbones.networks.weights import Weights
from smallsight.backbones.pooling import cell_shares
from smallsight.backbones.readouts import joined
from smallsight.backbones.tensor_pooling import mean_over_boxes
from smallsight.conditions.rendered.names import Condition
from smallsight.evaluation.crossfit import out_of_fold_head
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.predictions import predict
from smallsight.evaluation.splits import Splits, class_indices
from smallsight.evaluation.splitting import cross_validation, single_split
from smallsight.imaging.boxes import Box
from smallsight.saliency import gradcam, measures
from smallsight.saliency.explain import (
    PREDICTION,
    ClassMaps,
    HeadExplainer,
    explain_condition,
    measure_class_maps,
)
from smallsight.saliency.grid import Grid, region_of_box
from smallsight.saliency.measures import contributions
from smallsight.saliency.tables import OTHER_MAPS, PREDICTED_CLASS_MAPS

SIZE, CELLS = 160, 5
GRID = Grid(SIZE, CELLS)
CATEGORIES = tuple("abcdef")
NO_MASK = np.zeros((1, 1), np.uint8)
BOX_COLUMNS = ["box_x", "box_y", "box_w", "box_h"]


def rows_of(boxes):
    """Predictions of which nothing is known but the boxes; their index is not 0, 1, 2."""
    n = len(boxes)
    known = dict.fromkeys(PREDICTION, "any") | {
        "image_id": np.arange(n),
        "ann_id": np.arange(n) + 50,
    }
    return pd.DataFrame(known | dict(zip(BOX_COLUMNS, boxes.T, strict=True)), index=range(9, 9 + n))


def anywhere(rng, width, height, size=SIZE):
    """Boxes of these sizes, each at any place of whole pixels in the input."""
    left, top = (rng.integers(0, size - side + 1) for side in (width, height))
    return np.stack([left, top, width, height], axis=1).astype(float)


def covered(boxes, grid=GRID):
    """(n, cells, cells): how much of each cell a box covers."""
    cell = grid.size / grid.cells
    edges = np.arange(grid.cells) * cell
    across, down = (
        np.minimum(edges + cell, (start + length)[:, None]) - np.maximum(edges, start[:, None])
        for start, length in ((boxes[:, 0], boxes[:, 2]), (boxes[:, 1], boxes[:, 3]))
    )
    return down.clip(0)[:, :, None] * across.clip(0)[:, None, :] / cell**2


def detector(rng, boxes):
    """Maps of a classifier that sees the patches in these boxes, and a little of all else."""
    maps = rng.random((len(boxes), 3, CELLS, CELLS)).astype(np.float32)
    maps[:, 0] = covered(boxes)
    contributed = contributions(maps, np.tile(np.float32([5, 0.1, -0.1]), (len(boxes), 1)))
    return ClassMaps(contributed, np.maximum(contributed, 0))


def measure(boxes, found, covers=None, size=SIZE):
    covers = [NO_MASK] * len(boxes) if covers is None else covers
    return measure_class_maps(rows_of(boxes), {"predicted": found}, covers, size=size)


def errors_above_zero(differences):
    """The mean in standard errors."""
    return differences.mean() / (differences.std() / np.sqrt(len(differences)))


# Measures beside their controls.


@pytest.mark.parametrize("side", [8, 16, 32, 48])
def test_a_detector_looks_at_its_patches_and_random_boxes_are_missed(side):
    rng = np.random.default_rng(side)
    boxes = anywhere(rng, *np.full((2, 300), side))
    found = detector(rng, boxes)
    tables = measure(boxes, found)
    seen, chance = tables["predicted"], tables["random_box"]
    assert seen["pointing_hit"].mean() > 0.98
    assert seen["lift"].mean() > 5
    for name in ("lift", "signed_in_box"):
        assert seen[name].mean() > 4 * chance[name].mean()
    assert errors_above_zero(seen["energy_in_box"] - chance["energy_in_box"]) > 20
    # A place of one's own choice for each box is what the control stands for.
    moved = measure(anywhere(rng, *np.full((2, 300), side)), found)["predicted"]
    for name in ("energy_in_box", "pointing_hit", "signed_in_box", "logit_in_box"):
        assert abs(errors_above_zero(moved[name] - chance[name])) < 4


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("where", ["anywhere", "middle"])
def test_boxes_and_masks_that_have_nothing_to_do_with_the_maps_are_at_chance(seed, where):
    rng, n = np.random.default_rng(seed), 800
    boxes = anywhere(rng, *rng.integers(4, 100, (2, n)))
    saliency = rng.random((n, CELLS, CELLS)) ** 8
    if where == "middle":
        saliency = saliency * measures.centre_prior(CELLS)
    covers = np.zeros((n, SIZE, SIZE), np.uint8)
    for cover, box in zip(covers, boxes, strict=True):
        # The right half of the box, and all of its first row and column.
        rows, columns = Box(*box).touched_pixels(SIZE, SIZE)
        cover[rows, (columns.start + columns.stop) // 2 : columns.stop] = 255
        cover[rows.start, columns] = cover[rows, columns.start] = 255
    tables = measure(boxes, ClassMaps(saliency - 0.1, saliency), covers)
    seen, chance = tables["predicted"], tables["random_box"]
    for name in ("energy_in_box", "energy_in_mask", "pointing_hit", "signed_in_box"):
        assert (seen[name] - chance[name]).std() > 0.02
        assert abs(errors_above_zero(seen[name] - chance[name])) < 4
    if where == "middle":
        excess = seen["energy_in_box"] - seen["box_area_share"]
        assert errors_above_zero(excess) > 5  # so that the box's area is no measure of chance


@pytest.mark.parametrize(
    ("box", "cells"), [((2, 1, 4, 5), 3), ((0, 5, 12, 1), 4), ((3, 3, 1, 1), 2)]
)
def test_the_random_box_is_the_mean_over_every_place(box, cells):
    rng, size = np.random.default_rng(0), 12
    coarse, fine = rng.standard_normal((2, 2)), rng.random((cells, cells))
    left, top, width, height = box
    shape = rng.integers(1, 256, (height, width)).astype(np.uint8)
    boxes, covers = [], []
    for y in range(size - height + 1):
        for x in range(size - width + 1):
            boxes.append((x, y, width, height))
            covers.append(np.pad(shape, ((y, size - height - y), (x, size - width - x))))
    n = len(boxes)
    found = ClassMaps(np.stack([coarse] * n), np.stack([fine] * n))
    tables = measure(np.array(boxes, float), found, covers, size=size)
    mean = tables["predicted"].mean(numeric_only=True).drop(["image_id", "ann_id"])
    chance = tables["random_box"][mean.index]
    assert len(mean) == 12
    number = boxes.index((left, top, width, height))
    for row in (0, number, n - 1):
        np.testing.assert_allclose(chance.iloc[row].astype(float), mean, atol=1e-9)


def test_the_centre_prior_looks_at_the_middle_and_knows_no_class():
    boxes = np.array([[70, 70, 20, 20], [0, 0, 20, 20], [140, 0, 20, 20]], float)
    centre = measure(boxes, detector(np.random.default_rng(0), boxes))["centre"]
    assert centre["pointing_hit"].tolist() == [1, 0, 0]
    assert centre["lift"][0] > 1 > centre["lift"][1] == pytest.approx(centre["lift"][2])
    assert centre[["signed_in_box", "logit_in_box", "logit_elsewhere"]].isna().all(axis=None)


def test_a_mask_that_fills_its_box_measures_as_the_box_does():
    rng = np.random.default_rng(0)
    boxes = anywhere(rng, *rng.integers(4, 100, (2, 20)))
    covers = [NO_MASK] * 20
    for number in range(0, 20, 2):
        covers[number] = np.zeros((SIZE, SIZE), np.uint8)
        covers[number][Box(*boxes[number]).touched_pixels(SIZE, SIZE)] = 255
    for table in measure(boxes, detector(rng, boxes), covers).values():
        masks = table[["energy_in_mask", "mask_area_share", "mask_lift"]]
        alike = table[["energy_in_box", "box_area_share", "lift"]]
        np.testing.assert_allclose(masks[::2], alike[::2])
        assert masks[1::2].isna().all(axis=None)


def test_every_map_is_measured_and_every_row_named():
    rng = np.random.default_rng(0)
    boxes = anywhere(rng, *rng.integers(4, 100, (2, 8)))
    one, other = (detector(rng, part) for part in (boxes, boxes[::-1]))
    rows = rows_of(boxes)
    tables = measure_class_maps(rows, {"other": other, "predicted": one}, [NO_MASK] * 8, size=SIZE)
    assert set(tables) == {"predicted", "other", "random_box", "centre"}
    for name, found in (("predicted", one), ("other", other)):
        alone = measure_class_maps(rows, {"predicted": found}, [NO_MASK] * 8, size=SIZE)[
            "predicted"
        ]
        pd.testing.assert_frame_equal(tables[name], alone)
        np.testing.assert_array_equal(tables[name]["peak"], found.saliency.max(axis=(1, 2)))
    for table in tables.values():
        named = rows[list(PREDICTION)].reset_index(drop=True)
        pd.testing.assert_frame_equal(table[list(PREDICTION)], named)


def test_maps_are_measured_on_their_own_cells_and_contributions_on_theirs():
    rng = np.random.default_rng(0)
    boxes = anywhere(rng, *rng.integers(4, 100, (2, 8)))
    contributed, fine = rng.standard_normal((8, CELLS, CELLS)), rng.random((8, 20, 20))
    found = measure(boxes, ClassMaps(contributed, fine))["predicted"]
    regions = [region_of_box(Box(*box), SIZE) for box in boxes]
    energy = (Grid(SIZE, 20).locate(regions).share * fine).sum(axis=(1, 2)) / fine.sum(axis=(1, 2))
    inside = (GRID.locate(regions).share * contributed).sum(axis=(1, 2))
    np.testing.assert_allclose(found["energy_in_box"], energy)
    np.testing.assert_allclose(found["logit_in_box"], inside)


# A condition as a whole.


class Study(NamedTuple):
    """What `explained` is given, and what is known about it."""

    splits: Splits
    fitted: LinearHeads
    seen: Features
    maps: np.ndarray
    rows: pd.DataFrame


def study(splits, fitted, maps, plain, boxes):
    """Lay out maps, one per instance, so that pictures and instances are in opposite orders."""
    sample, stored = splits.sample, maps[::-1].copy()
    seen = Features(
        sample["image_id"].to_numpy(), sample["ann_id"].to_numpy(), np.ones(len(sample)),
        np.arange(len(sample))[::-1], plain, plain, stored,
    )  # fmt: skip
    untouched = Condition("orig_full", "default", is_reference=True)
    rows = predict(splits, fitted, seen, untouched, regime="fixed")
    rows = rows[rows["seed"] == splits.seeds[0]].merge(
        sample[["image_id", "ann_id"]].join(pd.DataFrame(boxes, columns=BOX_COLUMNS)),
        on=["image_id", "ann_id"],
    )
    return Study(splits, fitted, seen, maps, rows)


def one_mask(study, size):
    """The first object covers all of the input; the others have no mask."""
    return [np.full((size, size), 255, np.uint8)] + [NO_MASK] * (len(study.rows) - 1)


def explain(study, explainer, pictures=None, untrained=None):
    pictures = pictures or Unread()
    return explain_condition(
        study.rows, study.seen, splits=study.splits, fitted=study.fitted, pictures=pictures,
        covers=one_mask(study, explainer.size), explainer=explainer, untrained=untrained,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folds(population):
    settings = params.Evaluation(test_share=0.2, folds=4, repeats=2)
    return cross_validation(population(images=25), CATEGORIES, settings=settings, seed=0)


@pytest.fixture(scope="module")
def split(population):
    settings = params.Evaluation(test_share=0.4, folds=4, repeats=2)
    return single_split(population(images=25), CATEGORIES, settings=settings, seed=0)


@pytest.fixture(scope="module", params=["folds", "split"])
def planted(request):
    """Objects whose class the network sees where they are; some lure it elsewhere, to another one.

    The head of fold f is f + 1 times as strong as the first; the other seed's are mute.
    """
    splits = request.getfixturevalue(request.param)
    n, rng = len(splits.sample), np.random.default_rng(3)
    boxes = anywhere(rng, *rng.integers(10, 60, (2, n)))
    inside = covered(boxes)
    maps = rng.random((n, 6, CELLS, CELLS)).astype(np.float32) / 50
    maps[np.arange(n), splits.labels] += inside / inside.max(axis=(1, 2), keepdims=True)
    for number in np.flatnonzero(lured(splits.sample)):
        row, column = np.unravel_index(inside[number].argmin(), (CELLS, CELLS))
        maps[number, (splits.labels[number] + 1) % 6, row, column] = 30
    weight = np.float32(1.2) * np.eye(6, dtype=np.float32) - np.float32(0.2)
    strength = np.array([1, 2, 3, 4, 0, 0, 0, 0], np.float32)[: len(splits.seeds) * splits.folds]
    bias = rng.standard_normal((len(strength), 6)).astype(np.float32) / 1000
    fitted = LinearHeads(strength[:, None, None] * weight, bias)
    return study(splits, fitted, maps, maps.mean(axis=(2, 3)), boxes)


def lured(rows):
    return rows["ann_id"] % 3 == 0


@pytest.fixture(scope="module")
def closed_form(backbone, cpu):
    """How maps of the last layer are made, which is without the network."""
    return HeadExplainer(LAST, "scene", SIZE, backbone, cpu)


def test_a_planted_cause_is_found_where_it_lies(planted, closed_form):
    _, tables = explain(planted, closed_form)
    away = lured(planted.rows)
    seen, true = tables["predicted"], tables["true_class"]
    assert 5 < away.sum() < len(away) - 5
    assert (seen["correct"] == ~away).all()
    assert (seen["pointing_hit"] == ~away).all()
    assert seen["lift"][~away].mean() > 3
    assert seen["lift"][away].mean() < 0.2
    assert (true["pointing_hit"] == 1).all()
    assert true["lift"].mean() > 3
    assert (seen["signed_in_box"][~away] > 0).all()
    # What lures the network away speaks against the object's own class.
    assert (true["logit_elsewhere"][away] < -0.1).all()
    chance = tables["random_box"]
    assert 0.7 < chance["lift"].mean() < 1.3
    # Predicted and true class are the same where the network is right.
    numbers = ["energy_in_box", "pointing_hit", "signed_in_box", "peak"]
    pd.testing.assert_frame_equal(seen[numbers][~away], true[numbers][~away])


def test_each_map_is_by_the_head_that_saw_none_of_its_image(planted, closed_form):
    found, tables = explain(planted, closed_form)
    saliency = found.saliency
    tested = np.flatnonzero(planted.splits.fold_of[0] >= 0)
    strength = planted.splits.fold_of[0][tested] + 1
    classes = class_indices(planted.rows["predicted"], CATEGORIES)
    once = contributions(planted.maps[tested], (1.2 * np.eye(6) - 0.2).astype(np.float32)[classes])
    assert len(saliency) == len(tables["predicted"]) == len(tested)
    np.testing.assert_allclose(
        saliency, strength[:, None, None] * np.maximum(once, 0), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(tables["predicted"]["peak"], saliency.max(axis=(1, 2)))


def test_parts_and_bias_add_up_to_the_logit_of_the_prediction(planted, closed_form):
    found = explain(planted, closed_form)[1]["predicted"]
    tested = np.flatnonzero(planted.splits.fold_of[0] >= 0)
    fold = planted.splits.fold_of[0][tested]
    classes = class_indices(planted.rows["predicted"], CATEGORIES)
    logits = planted.fitted.logits(planted.seen.plain)[fold, tested]
    np.testing.assert_allclose(found["logit"], logits.max(axis=1), atol=1e-5)
    np.testing.assert_array_equal(found["bias"], planted.fitted.bias[fold, classes])
    sums = found["logit_in_box"] + found["logit_elsewhere"] + found["bias"]
    np.testing.assert_allclose(sums, found["logit"], atol=1e-4)


def test_tables_have_the_columns_that_are_written(planted, closed_form):
    _, tables = explain(planted, closed_form)
    assert set(tables) == {"predicted", "true_class", "random_box", "centre"}
    assert set(PREDICTED_CLASS_MAPS.names) <= set(tables["predicted"].columns)
    for table in tables.values():
        assert set(OTHER_MAPS.names) <= {*table.columns, "map"}
        assert table["ann_id"].tolist() == planted.rows["ann_id"].tolist()
        assert table["energy_in_mask"][0] == pytest.approx(1)
        assert table["energy_in_mask"][1:].isna().all()


# With a network that is run.


@pytest.fixture(scope="module")
def few(population):
    settings = params.Evaluation(test_share=0.2, folds=4, repeats=2)
    return cross_validation(population(images=6), CATEGORIES, settings=settings, seed=0)


@pytest.fixture(scope="module")
def pictures(noise, few):
    return np.stack([noise(64, 64, seed) for seed in range(len(few.sample))])


@pytest.fixture(scope="module")
def studied(few, pictures, cpu):
    """Read pictures of noise out as random heads want it, by a network of random weights."""

    @functools.cache
    def studied(backbone, readout):
        rng = np.random.default_rng(0)
        boxes = anywhere(rng, *rng.integers(4, 40, (2, len(few.sample))), 64)
        with torch.inference_mode():
            parts = backbone.read_out(
                torch.from_numpy(pictures), tensor_regions(boxes, np.arange(len(boxes)))
            )
        parts = {name: part.contiguous().numpy() for name, part in parts.items()}
        plain = joined(parts, readout)
        weight, bias = rng.standard_normal((8, 6, plain.shape[1])), rng.standard_normal((8, 6))
        fitted = LinearHeads(weight.astype(np.float32) / 20, bias.astype(np.float32))
        return study(few, fitted, parts[LAST], plain, boxes)

    return studied


def drawn(name):
    """A network of random weights."""
    due = Weights(name, is_dilated=False, state={}, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    return Backbone(random_weights(due, np.random.default_rng(0)))


@pytest.fixture(scope="module")
def pyramidal():
    return drawn("fasterrcnn_mobilenet_v3_large_fpn")


@pytest.fixture(scope="module")
def untrained(cpu):
    backbone = drawn("resnet18")
    return lambda layer, readout="scene": HeadExplainer(layer, readout, 64, backbone, cpu)


def weights_of(study, name):
    classes = class_indices(study.rows[name], CATEGORIES)
    return out_of_fold_head(study.splits, study.fitted, classes)[0]


def cams(study, backbone, pictures, layer, readout, cpu):
    """Grad-CAM maps of the predicted and the true classes."""
    weights = np.stack([weights_of(study, name) for name in ("predicted", "category_name")])
    boxes = study.rows[BOX_COLUMNS].to_numpy()
    return gradcam.grad_cam(
        backbone, pictures, boxes, weights, layer=layer, readout=readout, device=cpu
    )


@pytest.mark.parametrize(
    ("layer", "readout"),
    [("layer3", "scene"), ("layer2", "scene"), ("layer3", "box"), ("layer3", "pyramid")],
)
def test_finer_maps_are_grad_cams_and_logits_stay_the_last_layers(
    studied, backbone, pictures, cpu, layer, readout
):
    study = studied(backbone, readout)
    finer, last = (HeadExplainer(name, readout, 64, backbone, cpu) for name in (layer, LAST))
    fine, tables = explain(study, finer, Held(pictures))
    coarse, last_tables = explain(study, last)
    due = cams(study, backbone, pictures, layer, readout, cpu)
    np.testing.assert_allclose(fine.saliency, due[0], atol=1e-5 * due.max())
    np.testing.assert_allclose(tables["true_class"]["peak"], due[1].max(axis=(1, 2)), rtol=1e-4)
    assert fine.saliency.shape[-1] > coarse.saliency.shape[-1] == 2
    np.testing.assert_array_equal(fine.contributed, coarse.contributed)
    signed = ["logit_in_box", "logit_elsewhere", "signed_in_box"]
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table[signed], last_tables[name][signed])
        assert (table["energy_in_box"] != last_tables[name]["energy_in_box"]).any()


@pytest.mark.parametrize("readout", ["scene", "box"])
def test_parts_and_bias_add_up_whatever_is_averaged(studied, backbone, cpu, readout):
    study = studied(backbone, readout)
    found, tables = explain(study, HeadExplainer(LAST, readout, 64, backbone, cpu))
    table, weight = tables["predicted"], weights_of(study, "predicted")
    # The logit of the feature itself.
    logit = (study.seen.plain * weight).sum(axis=1) + table["bias"]
    np.testing.assert_allclose(found.contributed.sum(axis=(1, 2)) + table["bias"], logit, atol=1e-4)
    np.testing.assert_allclose(table["logit"], logit, atol=1e-4)
    sums = table["logit_in_box"] + table["logit_elsewhere"] + table["bias"]
    np.testing.assert_allclose(sums, logit, atol=1e-4)


def test_a_pyramids_parts_are_what_its_weights_make_of_the_last_layer(studied, backbone, cpu):
    study = studied(backbone, "pyramid")
    found, tables = explain(study, HeadExplainer(LAST, "pyramid", 64, backbone, cpu))
    weight = weights_of(study, "predicted")
    assert weight.shape[1] == 128 + 256 + 512
    regions = tensor_regions(study.rows[BOX_COLUMNS].to_numpy(), np.arange(len(study.rows)))
    box = mean_over_boxes(torch.from_numpy(study.maps), regions, size=64).numpy()
    due = (box * weight[:, -512:]).sum(axis=1)
    np.testing.assert_allclose(found.contributed.sum(axis=(1, 2)), due, atol=1e-4)
    table = tables["predicted"]
    np.testing.assert_allclose(table["logit_in_box"] + table["logit_elsewhere"], due, atol=1e-4)
    # The logit reads the finer layers as well.
    logit = (study.seen.plain * weight).sum(axis=1) + table["bias"]
    np.testing.assert_allclose(table["logit"], logit, atol=1e-4)
    assert np.abs(logit - table["bias"] - due).min() > 1e-3


@pytest.mark.parametrize("readout", ["box", "pyramid"])
def test_what_reads_a_box_shows_the_last_layers_map_of_the_whole_picture(
    studied, backbone, cpu, readout
):
    study = studied(backbone, readout)
    found, _ = explain(study, HeadExplainer(LAST, readout, 64, backbone, cpu))
    weight = torch.from_numpy(weights_of(study, "predicted")[:, -512:])
    regions = tensor_regions(study.rows[BOX_COLUMNS].to_numpy(), np.arange(len(study.rows)))
    values = torch.from_numpy(study.maps).requires_grad_()
    (mean_over_boxes(values, regions, size=64) * weight).sum().backward()
    alpha = values.grad.mean(dim=(2, 3)).numpy()
    due = np.maximum(np.einsum("nd,ndij->nij", alpha, study.maps), 0)
    np.testing.assert_allclose(found.saliency, due, atol=1e-5 * due.max())


@pytest.mark.parametrize("layer", [LAST, "backbone.body.13"])
def test_a_feature_pyramids_logits_are_in_no_parts(studied, pyramidal, pictures, cpu, layer):
    study = studied(pyramidal, "fpn")
    assert study.seen.plain.shape == (len(pictures), 256)
    explainer = HeadExplainer(layer, "fpn", 64, pyramidal, cpu)
    found, tables = explain(study, explainer, Held(pictures), explainer)
    due = cams(study, pyramidal, pictures, layer, "fpn", cpu)
    np.testing.assert_allclose(found.saliency, due[0], atol=1e-5 * due.max())
    assert np.isnan(found.contributed).all()
    assert found.contributed.shape == (len(pictures), 2, 2)
    assert set(tables) == {"predicted", "true_class", "random_weights", "random_box", "centre"}
    for table in tables.values():
        assert table[["signed_in_box", "logit_in_box", "logit_elsewhere"]].isna().all(axis=None)
        assert table.loc[~table["no_evidence"], ["energy_in_box", "lift"]].notna().all(axis=None)
    weight, table = weights_of(study, "predicted"), tables["predicted"]
    logit = (study.seen.plain * weight).sum(axis=1) + table["bias"]
    np.testing.assert_allclose(table["logit"], logit, atol=1e-4)
    # The control was the network itself.
    pd.testing.assert_frame_equal(
        tables["random_weights"], table.drop(columns=["bias", "logit"]), rtol=1e-4
    )


@pytest.mark.parametrize(
    ("layer", "readout"), [(LAST, "scene"), (LAST, "box"), ("layer3", "scene")]
)
def test_random_weights_are_a_network_of_their_own_with_the_same_heads(
    studied, backbone, pictures, cpu, untrained, layer, readout
):
    study, control = studied(backbone, readout), untrained(layer, readout)
    explainer = HeadExplainer(layer, readout, 64, backbone, cpu)
    _, tables = explain(study, explainer, Held(pictures), control)
    _, without = explain(study, explainer, Held(pictures))
    weight, boxes = weights_of(study, "predicted"), study.rows[BOX_COLUMNS].to_numpy()
    with torch.inference_mode():
        maps = control.backbone(torch.from_numpy(pictures)).contiguous().numpy()
    part = whole = contributions(maps, weight)
    if readout == "box":
        part = contributions(maps, weight, cell_shares(boxes, cells=2, size=64))
    saliency = np.maximum(whole, 0)
    if layer != LAST:
        saliency = cams(study, control.backbone, pictures, layer, readout, cpu)[0]
    due = measure_class_maps(
        study.rows, {"predicted": ClassMaps(part, saliency)}, one_mask(study, 64), size=64
    )
    found = tables.pop("random_weights")
    pd.testing.assert_frame_equal(found, due["predicted"], check_exact=False, rtol=1e-3)
    assert (found["peak"] != tables["predicted"]["peak"]).all()
    assert tables.keys() == without.keys()
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, without[name])


@pytest.mark.parametrize(("layer", "readout"), [(LAST, "scene"), ("layer3", "box")])
def test_another_run_gives_the_same_bytes(
    studied, backbone, weights, pictures, cpu, untrained, layer, readout
):
    study, outcomes = studied(backbone, readout), []
    for _ in range(2):
        explainer = HeadExplainer(layer, readout, 64, Backbone(weights), cpu)
        found, tables = explain(study, explainer, Held(pictures), untrained(layer, readout))
        texts = {name: table.to_csv() for name, table in tables.items()}
        outcomes.append((*(part.tobytes() for part in found), texts))
    assert outcomes[0] == outcomes[1]
    assert "random_weights" in texts


def test_maps_of_an_explainer_are_the_networks_in_order(backbone, pictures, cpu, monkeypatch):
    monkeypatch.setattr(Backbone, "batch_size", 5)
    maps = HeadExplainer(LAST, "scene", 64, backbone, cpu).last_maps(Held(pictures[:12]))
    with torch.inference_mode():
        due = backbone(torch.from_numpy(pictures[:12])).numpy()
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps, due, atol=1e-4 * due.max())
