"""Networks whose rule is known: a remedy helps what it is for, and nothing else.

Every picture is drawn, rendered, seen and answered for real; the analysis gives the verdicts.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from builders.remedy_bench import INK, NAMES, Stub, bench_on, row_of, untouched_logits
from smallsight import params
from smallsight.analysis.outcomes import arrange_outcomes
from smallsight.analysis.remedies import compute_remedies
from smallsight.analysis.thresholds import THRESHOLDS
from smallsight.evaluation.heads import LinearHeads
from smallsight.remedies.bench import Bench
from smallsight.remedies.facts import UNTREATED
from smallsight.remedies.inputs import IN_BOTH, features_of, guided_zoom, tiles
from smallsight.remedies.registry import REMEDIES
from smallsight.remedies.remedy import Answer, Remedy
from smallsight.remedies.run import try_remedies
from smallsight.vocabulary import TASKS

pytestmark = pytest.mark.simulation

PICTURE, INPUT = 192, 48
EACH = 30
"""Pictures, with one object each, per size group."""
HEADS = params.Heads(readout="scene", epochs=30, batch_size=16, learning_rate=0.05)
SETTINGS = params.Analysis(confidence=0.95, bootstrap_draws=400)
NOTHING = Remedy(
    "nothing_at_all",
    "Nothing at all",
    "Nothing is changed.",
    IN_BOTH,
    lambda bench, task: Answer(untouched_logits(bench, task)),
)


def judged(bench, *names):
    """Try remedies, and one that changes nothing; return what is tried, and the table."""
    chosen = dict.fromkeys([*names, NOTHING.name], True)
    tried = try_remedies(bench, [*REMEDIES, NOTHING], chosen)
    untouched = tried.predictions[tried.predictions["remedy"] == UNTREATED].assign(
        regime="fixed", condition="orig_full", family="orig_full", level="default", side=8.0,
        **{f"p_{name}": 0.5 for name in bench.splits.categories},
    )  # fmt: skip
    outcomes = {
        task: arrange_outcomes(
            untouched, task=task, settings=SETTINGS, rng=np.random.default_rng(0)
        )
        for task in TASKS
    }
    table = compute_remedies(
        tried.predictions, outcomes, tried.facts,
        thresholds=pd.DataFrame(columns=THRESHOLDS.names),
        native_side=np.ones(len(bench.splits.sample)), rng=np.random.default_rng(0),
    )  # fmt: skip
    return tried, table.set_index(["task", "remedy", "size_group"])


def verdicts(table, task):
    """By remedy, the verdict on small objects."""
    return table.xs(task).xs("small", level="size_group")["verdict"].to_dict()


# Objects with too few pixels.


class Stripes(Stub):
    """Sees how steep brightness is across and down, relative to both together."""

    def evidence(self, pictures):
        grey = pictures.float().mean(dim=3)
        across, down = (
            functional.relu((grey - grey.roll(1, dims=axis)).abs() - 30) for axis in (2, 1)
        )
        across[:, :, 0], down[:, 0] = 0, 0
        steep = torch.stack([across, down], dim=1)
        return steep / (steep.sum(dim=1).mean(dim=(1, 2)) + 1e-3)[:, None, None, None]


FINE, FAINT = (PICTURE / INPUT, 100), (16, 14)
"""Period, in pixels of the picture, and height of waves that are not seen at the input: of the one
kind, a period is exactly one pixel there."""


def striped(small, seed=0):
    """Draw patches of stripes: large ones are seen, and these small ones are not."""
    rng = np.random.default_rng(seed)
    rows, pictures = [], {}
    y, x = np.mgrid[:PICTURE, :PICTURE]
    for image_id, group in enumerate(np.repeat(["small", "large"], EACH), start=1):
        category = ("fence", "stairs")[image_id % 2]
        side = {"small": 36, "large": 96}[group]
        period, height = {"small": small, "large": (16, 100)}[group]
        left, top = rng.integers(4, PICTURE - side - 4, 2)
        middle_x, middle_y = left + side / 2, top + side / 2
        wave = np.sin(2 * np.pi * ((x if category == "fence" else y) / period + rng.random()))
        distance = ((x - middle_x) ** 2 + (y - middle_y) ** 2) / (side / 5) ** 2
        slope = 20 * np.sin(x / 90 + y / 70 + 6 * rng.random())
        grey = 128 + slope + height * wave * np.exp(-distance / 2)
        pictures[image_id] = np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)
        rows.append(row_of(image_id, image_id, category, group, (left, top, side, side)))
    return pd.DataFrame(rows), pictures


@pytest.fixture(scope="module")
def few_pixels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fine")
    own = bench_on(folder, striped(FINE), Stripes(), size=INPUT, settings=HEADS)
    return judged(
        own, "window", "window_same_head", "input_200", "refit_input_200", "clahe", "unsharp_mask"
    )


def test_what_gives_objects_more_pixels_helps_those_that_lack_them(few_pixels):
    _, table = few_pixels
    for name in ("window", "window_same_head", "input_200", "refit_input_200"):
        row = table.loc["scene", name, "small"]
        assert row["before"] < 0.65
        assert row["delta"] > 0.3
        assert row["verdict"] == "helps"
        assert row["ci_low"] > 0
        assert row["broken"] <= row["rescued"] / 5
        assert table.loc["scene", name, "large"][["before", "after"]].min() > 0.95


def test_no_filter_brings_back_pixels_that_are_not_there(few_pixels):
    _, table = few_pixels
    for name in ("clahe", "unsharp_mask"):
        row = table.loc["scene", name, "small"]
        assert row["verdict"] == "not decided"
        assert row["ci_low"] <= 0 <= row["ci_high"]


def test_of_faint_objects_it_is_the_other_way_round(tmp_path):
    """So that the filters could have shown an effect."""
    own = bench_on(tmp_path, striped(FAINT), Stripes(), size=INPUT, settings=HEADS)
    _, table = judged(own, "clahe", "input_200", "window")
    due = {"clahe": "helps"} | dict.fromkeys(["input_200", "window", NOTHING.name], "not decided")
    assert verdicts(table, "scene") == due
    assert table.loc["scene", "clahe", "small"]["delta"] > 0.3


def test_in_windows_where_they_have_pixels_nothing_is_left_to_help(few_pixels):
    _, table = few_pixels
    assert (table.loc["object"]["before"].dropna() > 0.95).all()
    assert set(verdicts(table, "object").values()) == {"not decided"}


def test_a_remedy_that_changes_nothing_is_not_decided_and_costs_nothing(few_pixels):
    tried, table = few_pixels
    rows = table.xs(NOTHING.name, level="remedy")
    assert (rows["passes"] == 1).all()
    rows = rows[rows["n"] > 0]
    unmoved = rows[["delta", "ci_low", "ci_high", "rescued", "broken"]].to_numpy(float)
    assert (unmoved == 0).all()
    for task in TASKS:
        assert verdicts(table, task)[NOTHING.name] == "not decided"
    times = tried.times.set_index(["task", "remedy"])
    for task in TASKS:
        pd.testing.assert_series_equal(
            times.loc[task, NOTHING.name], times.loc[task, UNTREATED], check_names=False
        )
    assert (times["ratio"].xs(NOTHING.name, level="remedy") == 1).all()


# Objects that are small for what is shown, and large ones that a tile cuts.

LEAST_SHARE = 0.025
"""Of what is shown, that ink must have to be seen."""


class Inks(Stub):
    """Sees which ink there is; where the edge cuts it, takes it faintly for the next one."""

    def evidence(self, pictures):
        colours = torch.tensor(list(INK.values()))
        near = torch.stack(
            [(pictures.int() - one).abs().amax(dim=3) < 60 for one in colours], dim=1
        ).float()
        all_inks = near.sum(dim=1)
        share = all_inks.mean(dim=(1, 2))
        strength = (share > LEAST_SHARE) / share.clamp(min=LEAST_SHARE)
        edge = torch.stack([all_inks[:, 0], all_inks[:, -1], all_inks[:, :, 0], all_inks[:, :, -1]])
        is_cut = edge.amax(dim=(0, 2)) > 0
        found = near * strength[:, None, None, None]
        return torch.where(is_cut[:, None, None, None], 0.1 * found.roll(1, dims=1), found)


def inked(seed=0):
    """Draw small objects in the corners, and large ones in the middle."""
    rng = np.random.default_rng(seed)
    rows, pictures = [], {}
    for image_id, group in enumerate(np.repeat(["small", "large"], EACH), start=1):
        side = {"small": 24, "large": 120}[group]
        low, high = {"small": (3, 8), "large": (30, 42)}[group]
        left, top = rng.integers(low, high, 2)
        if group == "small":
            left, top = (
                PICTURE - side - one if is_far else one
                for one, is_far in zip((left, top), rng.integers(0, 2, 2), strict=True)
            )
        category = NAMES[image_id % 3]
        picture = np.full((PICTURE, PICTURE, 3), 128, np.uint8)
        picture[top : top + side, left : left + side] = INK[category]
        pictures[image_id] = picture
        rows.append(row_of(image_id, image_id, category, group, (left, top, side, side)))
    return pd.DataFrame(rows), pictures


@pytest.fixture(scope="module")
def off_centre(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inked")
    own = bench_on(folder, inked(), Inks(), size=INPUT, settings=HEADS)
    return own, judged(own, "tiles_mean", "tiles_maximum", "zoom", "flip", "clahe", "window")[1]


def test_tiles_rescue_a_target_off_the_centre_and_windows_at_the_centre_do_not(off_centre):
    _, table = off_centre
    found = verdicts(table, "scene")
    assert found.pop("tiles_mean") == found.pop("tiles_maximum") == found.pop("window") == "helps"
    assert set(found.values()) == {"not decided"}
    for name in ("tiles_mean", "tiles_maximum"):
        row = table.loc["scene", name, "small"]
        assert row["before"] < 0.5
        assert row["after"] > 0.95


def test_the_whole_picture_among_the_tiles_protects_large_objects(off_centre):
    own, table = off_centre
    for name in ("tiles_mean", "tiles_maximum", "zoom"):
        row = table.loc["scene", name, "large"]
        assert row["before"] == row["after"] == 1
        assert row["broken"] == 0
    # By the tiles alone, all of them would be lost.
    look = own.look("scene", tiles)
    alone = sum(own.logits(own.heads("scene"), features_of(own, "scene", look, place))
                for place in range(4))  # fmt: skip
    is_right = alone.argmax(axis=2) == own.splits.labels
    is_large = own.splits.sample["size_group"] == "large"
    assert is_right[:, is_large].mean() < 0.1
    assert is_right[:, ~is_large].mean() > 0.95


@pytest.mark.parametrize("spot", ["target", "opposite"])
def test_a_guided_zoom_goes_where_it_is_sent(spot, tmp_path, monkeypatch):
    """The whole picture tells nothing of small objects; the window at the planted spot does."""
    sample, pictures = inked()

    def plant(condition, seen, maps):
        """Let all channels have their peak in the cell of the target's middle, or opposite it."""
        if condition.task != "scene":
            return seen, maps
        cells = maps.shape[-1]
        middle = (sample[["bbox_y", "bbox_x"]] + sample[["bbox_h"]].to_numpy() / 2) / PICTURE
        row, column = (cells * middle.to_numpy()).astype(int).T
        if spot == "opposite":
            row, column = cells - 1 - row, cells - 1 - column
        maps = np.zeros((len(sample), *maps.shape[1:]), np.float32)
        maps[np.arange(len(sample)), :, row, column] = 1
        # All instances have pictures of their own here: none shares a row.
        plain, mirrored = ({**parts, "scene": parts["scene"][seen.row]}
                           for parts in (seen.plain, seen.mirrored))  # fmt: skip
        own = replace(seen, plain=plain, mirrored=mirrored, row=np.arange(len(sample)))
        return own, maps

    own = bench_on(tmp_path, (sample, pictures), Inks(), size=INPUT, plant=plant)
    # Heads that name the channel, in the order of their classes.
    channel = np.eye(3, dtype=np.float32)[[NAMES.index(name) for name in own.splits.categories]]
    count = own.splits.folds * len(own.splits.seeds)
    named = LinearHeads(np.stack([channel] * count), np.zeros((count, 3), np.float32))
    monkeypatch.setattr(Bench, "heads", lambda bench, task: named)
    is_right = guided_zoom(own, "scene").logits.argmax(axis=2) == own.splits.labels
    before = untouched_logits(own, "scene").argmax(axis=2) == own.splits.labels
    is_large = own.splits.sample["size_group"] == "large"
    assert before[:, is_large].all()
    assert is_right[:, is_large].all()
    assert before[:, ~is_large].mean() < 0.6
    if spot == "target":
        assert is_right[:, ~is_large].all()
    else:
        assert (is_right == before).all()
