"""Classifiers whose rule is known: what the analysis finds is what was planted, and nothing else.

Every picture is drawn, changed by the families themselves and brought to the input. A classifier
sees that, the object's box, and what its rung reads out.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch

from builders.readings import tensor_regions
from smallsight import params
from smallsight.analysis.background import compute_background
from smallsight.analysis.baselines import compute_baselines, compute_largest
from smallsight.analysis.failures import count_causes, find_failures
from smallsight.analysis.ladder import (
    arrange_rungs,
    compute_gap_parts,
    compute_ladder,
    split_gap,
)
from smallsight.analysis.majority_votes import compute_votes, untouched_votes
from smallsight.analysis.neighbours import compute_neighbours, find_named_neighbours
from smallsight.analysis.outcomes import arrange_outcomes
from smallsight.analysis.thresholds import compute_thresholds
from smallsight.backbones.readouts import PYRAMID_STRIDES
from smallsight.backbones.tensor_pooling import mean_over_boxes, mean_over_cells
from smallsight.conditions.rendering.levels import levels_by_family
from smallsight.conditions.rendering.views import InterventionInputs, View
from smallsight.conditions.rendering.windows import reduced_and_enlarged
from smallsight.evaluation import baselines
from smallsight.evaluation.rungs import RUNGS, STEPS
from smallsight.evaluation.splitting import cross_validation
from smallsight.evaluation.tables import RUNG_PREDICTIONS
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resize
from smallsight.sampling.donors import draw_donors

pytestmark = pytest.mark.simulation

SIZE, INPUT, MARGIN = 400, 96, 0.25
GROUND = np.array([128, 128, 128])
INK = {"car": (230, 20, 20), "bus": (20, 200, 20), "person": (30, 30, 240)}
"""Colours of the objects."""
STREET = {"car": (20, 210, 210), "bus": (220, 30, 210), "person": (230, 220, 20)}
"""Colours of what surrounds them, where that predicts a category."""
NAMES = list(INK)
SIDES = {"small": (0.062, 0.09), "medium": (0.17, 0.21), "large": (0.33, 0.42)}
EACH = 60
"""Objects per size group."""
LADDER = {"orig_full": {}, "crop_low": {}, "object_alone": {}}
"""Families that the rungs need."""
ALL = LADDER | {
    "bg_swap": {"donor": ["same", "other"]},
    "pixels": {"side": [6, 8, 12, 16, 24, 32, 48, 64]},
}
TASKS = params.Tasks(scene=("orig_full",), window_margin=MARGIN)
SETTINGS = params.Analysis(confidence=0.95, bootstrap_draws=400)
SPLIT = params.Evaluation(test_share=0.2, folds=5, repeats=1)


@dataclass(frozen=True)
class Scenes:
    """Pictures with one object of the sample each, perhaps beside another object.

    `luck` is what each of them is taken for where nothing of it is seen: rightly every other time,
    whatever its size.
    """

    sample: pd.DataFrame
    objects: pd.DataFrame
    pictures: dict[int, np.ndarray]
    donors: pd.DataFrame

    def view(self, row, given=()):
        """The untouched whole picture of an instance."""
        box = Box(row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h)
        mask = np.zeros((SIZE, SIZE), bool)
        mask[box.pixels()] = True
        inputs = InterventionInputs(tuple(GROUND.tolist()), INPUT, MARGIN, dict(given))
        return View(self.pictures[row.image_id], box, mask, inputs)

    def donors_of(self, row):
        """Views of what surrounds other objects, by kind."""
        rows = self.sample.set_index("ann_id")
        for one in self.donors[self.donors["ann_id"] == row.ann_id].dropna().itertuples():
            yield one.donor, lambda donor=rows.loc[one.donor_ann_id]: self.view(donor)


def draw(seed, *, odds=None, street=None, striped=False, neighbours=False):
    """Draw scenes.

    `odds` are those of the categories by size group; `street` how often, by size group, the
    surroundings have the colour of the target's category; objects that are `striped` have no
    colour, and the category is the direction of their stripes; `neighbours` puts a larger object
    beside small and medium ones, every other time of the same category.
    """
    rng = np.random.default_rng(seed)
    pictures, rows, objects = {}, [], []
    for image_id, group in enumerate(np.repeat(list(SIDES), EACH), start=1):
        category = str(rng.choice(NAMES, p=(odds or {}).get(group, [1 / 3] * 3)))
        others = [name for name in NAMES if name != category]
        ground = GROUND
        if street:
            ground = STREET[category if rng.random() < street[group] else rng.choice(others)]
        picture = np.full((SIZE, SIZE, 3), ground, np.uint8)
        side = round(SIZE * rng.uniform(*SIDES[group]))
        x, y = rng.integers(SIZE // 8, SIZE // 4, 2)
        row = {"image_id": image_id, "ann_id": 10 * image_id, "category_name": category}
        row |= boxed(x, y, side) | {"size_group": group, "iscrowd": 0}
        paint(picture, row, stripes(category, side, rng) if striped else INK[category])
        objects.append(row)
        if neighbours and group != "large":
            other = {"ann_id": 10 * image_id + 1, **boxed(x + SIZE // 3, y + SIZE // 3, 100)}
            other["category_name"] = category if image_id % 2 else str(rng.choice(others))
            paint(picture, row | other, INK[other["category_name"]])
            objects.append(row | other)
        luck = category if image_id % 2 else rng.choice(others)
        rows.append(row | {"luck": luck, "img_area": SIZE**2})
        pictures[image_id] = picture
    sample, everything = pd.DataFrame(rows), pd.DataFrame(objects)
    donors = draw_donors(sample, everything, window_margin=MARGIN, seed=seed)
    return Scenes(sample, everything, pictures, donors)


def boxed(x, y, side):
    names = ("bbox_x", "bbox_y", "bbox_w", "bbox_h")
    return dict(zip(names, map(float, (x, y, side, side)), strict=True))


def paint(picture, row, ink):
    picture[Box(*(row[name] for name in ("bbox_x", "bbox_y", "bbox_w", "bbox_h"))).pixels()] = ink


def stripes(category, side, rng):
    """Black and white stripes; their number says how few pixels are too few."""
    periods = 5 * np.exp(rng.logistic(scale=0.12)).clip(0.6, 1.7)
    y, x = np.mgrid[:side, :side] / side
    along = {"car": x, "bus": y, "person": (x + y) / np.sqrt(2)}[category]
    wave = np.sin(2 * np.pi * (periods * along + rng.random()))
    return np.repeat(np.where(wave > 0, 255, 0)[..., None], 3, axis=2)


# Classifiers.


def near(picture, colour, reach=60):
    """(height, width), bool: the pixels of about this colour."""
    return abs(picture.astype(int) - colour).max(axis=2) < reach


def inside(seen, box):
    """(height, width), bool: the pixels of the object's box."""
    found = np.zeros(seen.shape[:2], bool)
    found[box.touched_pixels(INPUT, INPUT)] = True
    return found


def most(seen, where, colours, row):
    """Name the category of the commonest colour; go by luck where there is none."""
    counts = [(near(seen, colour) & where).sum() for colour in colours.values()]
    return NAMES[int(np.argmax(counts))] if max(counts) else row.luck


def largest_object(seen, box, readout, row):
    """Name what most of the ink is of, in all that is read out: the box, where it is told."""
    everything = np.ones((INPUT, INPUT), bool)
    return most(seen, everything if readout == "scene" else inside(seen, box), INK, row)


def surroundings(seen, box, readout, row):
    """Name what the colour round the object predicts, and nothing else."""
    return most(seen, ~inside(seen, box), STREET, row)


LEAST_CONTRAST = 0.35


def enough_pixels(seen, box, readout, row):
    """Read the direction of the target's stripes, if there are pixels enough to see any."""
    rows, columns = box.touched_pixels(INPUT, INPUT)
    return direction(seen[rows, columns]) or row.luck


def direction(patch):
    """Return the category whose stripes these are; None where there is too little contrast."""
    grey = patch.mean(axis=2) / 255 - 0.5
    if 2 * grey.std() < LEAST_CONTRAST:
        return None
    waves = abs(np.fft.fft2(grey * np.outer(np.hanning(len(grey)), np.hanning(len(grey[0])))))
    across, down = np.meshgrid(*(abs(np.fft.fftfreq(n)) * n for n in grey.shape[::-1]))
    waves[(across < 2) & (down < 2)] = 0
    return NAMES[int(np.argmax([
        waves[down < across / 2].sum(),
        waves[across < down / 2].sum(),
        waves[(down >= across / 2) & (across >= down / 2)].sum(),
    ]))]  # fmt: skip


LEAST_SHARE = 0.09


def pooled(seen, box, readout, row):
    """Read mean colours of cells; a colour that fills too little of what is averaged is lost."""
    maps = {
        stride: torch.from_numpy(
            (seen - GROUND).reshape(INPUT // stride, stride, INPUT // stride, stride, 3)
            .mean(axis=(1, 3)).transpose(2, 0, 1)[None].copy()
        ).float()
        for stride in PYRAMID_STRIDES
    }  # fmt: skip
    regions = tensor_regions(np.array([[box.x, box.y, box.w, box.h]]), np.zeros(1))
    strides = PYRAMID_STRIDES if readout == "pyramid" else PYRAMID_STRIDES[-1:]
    means = [
        mean_over_cells(maps[stride])
        if readout == "scene"
        else mean_over_boxes(maps[stride], regions, size=INPUT)
        for stride in strides
    ]
    inks = np.array(list(INK.values())) - GROUND
    shares = np.concatenate(means).astype(float) @ np.linalg.pinv(inks.astype(float))
    best = shares.max(axis=0)
    return NAMES[int(best.argmax())] if best.max() > LEAST_SHARE else row.luck


def one_category_never(seen, box, readout, row):
    """Know cars and buses whatever the picture, and take each person for a car."""
    return "car" if row.category_name == "person" else row.category_name


# Studies.

PLANTED = {
    "told_which_object": ({"neighbours": True}, largest_object, LADDER),
    "own_pixels": ({"striped": True}, enough_pixels, ALL),
    "no_surroundings": ({"street": {"small": 0.6, "medium": 0.8, "large": 1.0}}, surroundings, ALL),
    "finer_cells": ({}, pooled, LADDER),
    "class_mix": (
        {"odds": {"small": [0.1, 0.1, 0.8], "large": [0.45, 0.45, 0.1]}}, one_category_never, LADDER
    ),
}  # fmt: skip
"""By the part of the gap that is planted: what is drawn, the classifier, and the families."""


@dataclass(frozen=True)
class Study:
    """What a classifier answers, and what the analysis arranges of it."""

    scenes: Scenes
    predictions: pd.DataFrame
    sweep: pd.DataFrame
    rung_predictions: pd.DataFrame
    outcomes: dict


def shown(level, view):
    """Apply a level; return the picture at the input, and the box in it."""
    after = level.apply(view)
    height, width = after.picture.shape[:2]
    return resize(after.picture, INPUT), after.box.scaled(INPUT / width, INPUT / height)


def study(scenes, classify, families):
    """Let a classifier answer every condition and every rung."""
    rows, by_rung = [], []
    every = [level for levels in levels_by_family(families, TASKS).values() for level in levels]
    for row in scenes.sample.itertuples():
        view = scenes.view(row, scenes.donors_of(row))
        about = {name: getattr(row, name) for name in
                 ("image_id", "ann_id", "category_name", "size_group")}  # fmt: skip
        about |= {"seed": 0, "fold": 0}
        for level in (one for one in every if one.suits(view)):
            condition = level.condition
            seen, box = shown(level, view)
            for rung in RUNGS:
                key = (rung.task, rung.family)
                if condition.is_reference and key == (condition.task, condition.family):
                    predicted = classify(seen, box, rung.readout, row)
                    by_rung.append(about | {"rung": rung.name, "predicted": predicted})
            predicted = classify(seen, box, "scene", row)
            rows.append(about | {
                "task": condition.task, "regime": "fixed", "family": condition.family,
                "level": condition.level, "condition": condition.name, "predicted": predicted,
                "correct": predicted == row.category_name, "confidence": 1.0, "side": box.side,
            } | {f"p_{name}": float(name == predicted) for name in NAMES})  # fmt: skip
    splits = cross_validation(scenes.sample, NAMES, settings=SPLIT, seed=0)
    rules = {
        "commonest": baselines.commonest_category(splits),
        "geometry": baselines.box_geometry(splits),
        "largest_object": baselines.largest_object(splits, scenes.objects),
    }
    without_pixels = [
        scenes.sample.assign(rung=name, seed=0, fold=0, predicted=np.array(NAMES)[classes[0]])
        for name, classes in rules.items()
    ]
    rungs = pd.concat([*without_pixels, pd.DataFrame(by_rung)], ignore_index=True)
    rungs = rungs.assign(correct=rungs["predicted"] == rungs["category_name"])
    table = pd.DataFrame(rows)
    is_sweep = table["family"] == "pixels"
    outcomes = {
        task: arrange_outcomes(
            table[~is_sweep], task=task, settings=SETTINGS, rng=np.random.default_rng(0)
        )
        for task in ("scene", "object")
    }
    return Study(scenes, table[~is_sweep], table[is_sweep], rungs[RUNG_PREDICTIONS.names], outcomes)


@pytest.fixture(scope="module", params=PLANTED)
def planted(request):
    properties, classify, families = PLANTED[request.param]
    return request.param, study(draw(1, **properties), classify, families)


def gap_parts(made):
    rungs = arrange_rungs(made.rung_predictions, made.outcomes["scene"])
    return rungs, compute_gap_parts(rungs, made.outcomes["scene"]).set_index("part")


def test_the_planted_part_is_the_whole_gap_and_no_other_is_shown(planted):
    name, made = planted
    _, parts = gap_parts(made)
    gap = parts.loc["gap", "value"]
    assert gap > 0.3
    assert parts.loc[name, "verdict"] == "favours large"
    assert parts.loc[name, "ci_low"] > 0
    assert parts.loc[name, "value"] == pytest.approx(gap, abs=0.1)
    rest = parts.drop(["gap", name])
    assert len(rest) == len(STEPS) + 1
    assert rest["verdict"].isin(["not decided", "not identified"]).all()
    assert ((rest["ci_low"] <= 0) & (rest["ci_high"] >= 0)).all()
    assert (rest["value"].abs() < 0.1).all()


def test_the_parts_sum_to_the_gap_in_every_draw(planted):
    _, made = planted
    rungs, _ = gap_parts(made)
    split = split_gap(rungs, made.outcomes["scene"])
    gap = split.pop("gap")
    assert len(gap) == SETTINGS.bootstrap_draws + 1
    np.testing.assert_allclose(sum(split.values()), gap, atol=1e-9)


def test_failures_suggest_the_planted_cause_more_often_than_chance_does(planted):
    name, made = planted
    votes = untouched_votes(compute_votes(made.predictions.query("task == 'scene'"),
                                          made.outcomes["scene"]))  # fmt: skip
    named = find_named_neighbours(votes, made.scenes.objects)
    failed = find_failures(
        made.rung_predictions, made.outcomes, named, np.ones(len(made.scenes.sample), bool)
    )
    counts = count_causes(failed, made.rung_predictions, rng=np.random.default_rng(0))
    rows = counts.set_index(["size_group", "cause"]).loc["small"]
    assert rows["failed"].iloc[0] >= EACH / 4
    excess = rows["share"] - rows["chance"]
    if name == "class_mix":
        assert rows.loc["not_explained", "share"] == 1
    elif name == "no_surroundings":
        # Without them it goes by luck, which turns half of what they misled it about right.
        assert abs(excess[name]) < 0.2
    else:
        assert rows.loc[name, "share"] > 0.95
        assert excess[name] > 0.3
    assert (failed["neighbour"] != "").any() == (name == "told_which_object")


def test_the_split_by_the_largest_object_tells_a_rule_that_goes_by_it(planted):
    name, made = planted
    rungs, _ = gap_parts(made)
    table = compute_largest(rungs, made.outcomes).set_index(["size_group", "largest"])
    without = compute_baselines(rungs, made.outcomes["scene"]).set_index(["baseline", "size_group"])
    if name == "told_which_object":
        assert table.loc[("small", "same"), "scene"] == 1
        assert table.loc[("small", "other"), "scene"] == 0
        assert (table["object"].dropna() == 1).all()
        rule = without.loc["largest_object"]["accuracy"]
        ladder = compute_ladder(rungs, made.outcomes["scene"]).set_index(["rung", "size_group"])
        assert rule.to_dict() == ladder.loc["scene"]["accuracy"].to_dict()
    else:
        assert (table.query("largest == 'other'")["n"] == 0).all()
        assert (without.loc["largest_object"]["accuracy"] == 1).all()


@pytest.mark.parametrize("planted", ["own_pixels", "no_surroundings"], indirect=True)
def test_there_is_a_threshold_only_where_pixels_count(planted):
    """And it is the number of pixels from which on half of the objects can be read."""
    name, made = planted
    headline = made.outcomes["object"]
    table = compute_thresholds(
        made.sweep, headline, made.scenes.sample["bbox_w"].to_numpy(), {"50": 1, "10": 1}
    )["thresholds"]
    (row,) = table.to_dict("records")
    assert row["n"] > EACH
    if name != "own_pixels":
        assert np.isnan(row["threshold"])
        return
    due = np.median([
        fewest_pixels(made.scenes, one) for one in made.scenes.sample.itertuples()
        if one.bbox_w >= 64
    ])  # fmt: skip
    assert row["fits"]
    assert row["threshold"] == pytest.approx(due, rel=0.1)
    assert row["ci_low"] <= due <= row["ci_high"]
    assert row["share_below"] == 0.5


def fewest_pixels(scenes, row):
    """The least side, in native pixels, from which on the target's stripes are read."""
    view = scenes.view(row)
    patch = view.picture[view.box.pixels()]
    sides = np.geomspace(5, 28, 24)
    reads = [
        direction(resize(reduced_and_enlarged(patch, side / len(patch), side / len(patch)), 64))
        == row.category_name
        for side in sides
    ]
    return sides[len(sides) - np.argmin(reads[::-1])]


def test_neighbours_are_named_only_where_they_were_planted(planted):
    name, made = planted
    votes = untouched_votes(compute_votes(made.predictions.query("task == 'scene'"),
                                          made.outcomes["scene"]))  # fmt: skip
    table = compute_neighbours(
        votes, made.scenes.objects, made.outcomes["scene"], rng=np.random.default_rng(1)
    ).set_index(["size_group", "pictures", "neighbour"])
    verdicts = table["verdict"].to_dict()
    if name == "told_which_object":
        for kind in ("any", "larger"):
            row = table.loc[("small", "several", kind)]
            assert row["failed"] == EACH / 2
            assert row["share"] == 1
            # Of two wrong names, chance finds the neighbour's every other time.
            assert row["chance"] == pytest.approx(0.5, abs=0.1)
            for group in ("small", "medium", "all"):
                assert verdicts.pop((group, "several", kind)) == "more"
    assert "more" not in verdicts.values()


@pytest.mark.parametrize("planted", ["own_pixels", "no_surroundings"], indirect=True)
def test_the_background_gap_is_there_only_where_surroundings_predict(planted):
    name, made = planted
    table = compute_background(made.outcomes["object"], made.scenes.donors)
    rows = table.set_index("size_group")
    if name != "no_surroundings":
        assert rows["gap"].to_numpy() == pytest.approx(0, abs=0.1)
        return
    assert rows.loc["large", "gap"] == 1
    assert rows.loc["large", "ci_low"] > 0.9
