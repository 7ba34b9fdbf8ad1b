"""Phantoms with one planted cause, and classifiers whose rule is known: what comes out is planted.

Every picture is drawn, changed by the families themselves and brought to the input; the stub
classifiers see nothing but that.
"""

import zlib

import numpy as np
import pandas as pd
import pytest
from skimage.filters import gaussian

from smallsight import params
from smallsight.analysis.background import compute_background
from smallsight.analysis.failures import find_failures
from smallsight.analysis.gap import PARTS, compare_regimes, decompose_gap, gap_parts
from smallsight.analysis.majority_votes import compute_votes, untouched_votes
from smallsight.analysis.neighbours import compute_neighbours, find_named_neighbours
from smallsight.analysis.outcomes import arrange_outcomes
from smallsight.conditions.rendering.levels import levels_by_family
from smallsight.conditions.rendering.views import InterventionInputs, View
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resize
from smallsight.sampling.donors import draw_donors

pytestmark = pytest.mark.simulation

SIZE, INPUT = 240, 48
GROUND = (128, 128, 128)
INK = {"car": (230, 20, 20), "bus": (20, 200, 20), "person": (30, 30, 240)}
"""Colours of the objects."""
STREET = {"car": (20, 210, 210), "bus": (220, 30, 210), "person": (230, 220, 20)}
"""Colours of what surrounds them, where that predicts a category."""
NAMES = list(INK)
SIDES = {"small": (0.06, 0.09), "medium": (0.13, 0.2), "large": (0.32, 0.42)}
EACH = 60
"""Objects per size group."""
LEVELS = levels_by_family(
    {name: {} for name in ("orig_full", "object_only", "context_only", "zoom_matched",
                           "zoom_object")}
    | {"bg_swap": {"donor": ["same", "other"]}, "crop_low": {"margin": 0.25}}
)  # fmt: skip


class Scenes:
    """Pictures with one object of the sample each, and perhaps a neighbour."""

    def __init__(self, seed, *, odds=None, street=None, neighbour=False, blur=()):
        """Draw them.

        `odds` are those of the categories by size group; `street` names groups whose surroundings
        have the colour of their category, all others have a colour by chance; `neighbour` puts a
        larger object of another category beside each small one; `blur` names groups.
        """
        rng = np.random.default_rng(seed)
        self.pictures, objects, everything = {}, [], []
        groups = np.repeat(list(SIDES), EACH)
        for image_id, group in enumerate(groups, start=1):
            category = rng.choice(NAMES, p=(odds or {}).get(group, [1 / 3] * 3))
            ground = GROUND
            if street is not None:
                ground = STREET[category if group in street else rng.choice(NAMES)]
            picture = np.full((SIZE, SIZE, 3), ground, np.uint8)
            side = round(SIZE * rng.uniform(*SIDES[group]))
            x, y = rng.integers(SIZE // 3, SIZE // 2, 2)
            box = Box(float(x), float(y), float(side), float(side))
            boxes = [(category, box)]
            if neighbour and group == "small":
                other = rng.choice([name for name in NAMES if name != category])
                boxes.insert(0, (other, Box(x + side, y - side, 3.0 * side, 3.0 * side)))
            for name, place in boxes:
                picture[place.pixels()] = INK[name]
            if group in blur:
                smooth = gaussian(picture, sigma=side, channel_axis=-1, preserve_range=True)
                picture = np.rint(smooth).astype(np.uint8)
            self.pictures[image_id] = picture
            for number, (name, place) in enumerate(reversed(boxes)):
                row = {"image_id": image_id, "ann_id": 10 * image_id + number}
                row |= {"category_name": name, "size_group": group}
                row |= dict(zip(("bbox_x", "bbox_y", "bbox_w", "bbox_h"), vars(place).values(),
                                strict=True))  # fmt: skip
                everything.append(row | {"iscrowd": 0})
                objects += [row] if number == 0 else []
        self.sample, self.annotations = pd.DataFrame(objects), pd.DataFrame(everything)
        self.donors = draw_donors(self.sample, seed=seed)

    def view(self, row, given=()):
        large = self.sample[self.sample["size_group"] == "large"]
        side = float(np.sqrt(large["bbox_w"] * large["bbox_h"]).median() / SIZE)
        box = Box(row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h)
        return View(self.pictures[row.image_id], box, None,
                    InterventionInputs(GROUND, INPUT, side, dict(given)))  # fmt: skip

    def donors_of(self, row):
        rows = self.sample.set_index("ann_id")
        for one in self.donors.query("ann_id == @row.ann_id").itertuples():
            donor = rows.loc[one.donor_ann_id]
            yield one.donor, lambda donor=donor: self.view(donor)

    def found(self, classify, draws=400):
        """Predictions of a stub under every condition, as the stage writes them, and outcomes."""
        rows = []
        for row in self.sample.itertuples():
            view = self.view(row, self.donors_of(row))
            for level in (level for levels in LEVELS.values() for level in levels):
                condition = level.condition
                seen = resize(level.apply(view).picture, INPUT)
                predicted = classify(seen, row)
                rows.append({
                    "seed": 0, "fold": 0, "family": condition.family, "level": condition.level,
                    "condition": condition.name, "image_id": row.image_id, "ann_id": row.ann_id,
                    "category_name": row.category_name, "size_group": row.size_group,
                    "side": INPUT * view.side, "predicted": predicted,
                    "correct": predicted == row.category_name, "confidence": 1.0,
                } | {f"p_{name}": float(name == predicted) for name in NAMES})  # fmt: skip
        once = pd.DataFrame(rows)
        table = pd.concat([once.assign(regime=name) for name in ("fixed", "retrained")])
        settings = params.Analysis(confidence=0.95, bootstrap_draws=draws)
        made = arrange_outcomes(table, settings=settings, rng=np.random.default_rng(0))
        return table, made


def near(picture, colour, reach=60):
    """Count the pixels of about this colour."""
    return int((abs(picture.astype(int) - colour).max(axis=2) < reach).sum())


def most(picture, row, colours, least):
    """Name the category of the commonest colour; guess where there are too few such pixels."""
    counts = [near(picture, colour) for colour in colours.values()]
    if max(counts) < least:
        return NAMES[zlib.crc32(picture.tobytes() + bytes(str(row.ann_id), "ascii")) % 3]
    return NAMES[int(np.argmax(counts))]


def many_pixels(picture, row):
    return most(picture, row, INK, 60)


def a_pixel(picture, row):
    return most(picture, row, INK, 1)


def surroundings(picture, row):
    return most(picture, row, STREET, 20)


def one_category_never(picture, row):
    """Know cars and buses whatever the picture, and take each person for a car."""
    return "car" if row.category_name == "person" else row.category_name


MOSTLY_PERSONS = {"small": [0.1, 0.1, 0.8], "large": [0.45, 0.45, 0.1]}
PLANTED = {
    "resolution": (Scenes(1), many_pixels),
    "context": (Scenes(2, street=("large",)), surroundings),
    "neighbour": (Scenes(3, neighbour=True), a_pixel),
    "class_mix": (Scenes(4, odds=MOSTLY_PERSONS), one_category_never),
    "residual": (Scenes(5, blur=("small",)), a_pixel),
}
NAMED = {name: name for name in PLANTED} | {"neighbour": "context"}
"""The part of the ledger that holds each planted cause: a neighbour is context."""


@pytest.fixture(scope="module", params=PLANTED)
def planted(request):
    scenes, classify = PLANTED[request.param]
    return request.param, scenes, *scenes.found(classify)


def test_the_ledger_names_the_planted_cause_and_no_other(planted):
    name, _, _, found = planted
    table = decompose_gap(found)
    assert set(table["regime"]) == {"fixed", "retrained"}
    for _, part in table.groupby("regime"):
        rows = part.set_index("part")
        gap = rows.loc["gap", "value"]
        assert gap > 0.4
        assert rows.loc[NAMED[name], "verdict"] == "favours large"
        assert rows.loc[NAMED[name], "ci_low"] > 0
        assert rows.loc[NAMED[name], "value"] == pytest.approx(gap, abs=0.15)
        for other in set(PARTS) - {NAMED[name]}:
            assert rows.loc[other, "verdict"] == "inconclusive"
            assert rows.loc[other, "ci_low"] <= 0 <= rows.loc[other, "ci_high"]
            assert abs(rows.loc[other, "value"]) < 0.15


def test_the_clean_estimate_of_resolution_is_there_only_where_pixels_lack(planted):
    name, _, _, found = planted
    rows = decompose_gap(found).query("regime == 'fixed'").set_index("part")
    verdict = rows.loc["resolution_without_context", "verdict"]
    assert verdict == ("favours large" if name == "resolution" else "inconclusive")


def test_the_parts_sum_to_the_gap_in_every_draw(planted):
    *_, found = planted
    parts = gap_parts(found, "fixed")
    total = sum(parts[name] for name in PARTS)
    assert len(total) == 401
    np.testing.assert_allclose(total, parts["gap"], atol=1e-9)


def test_the_regimes_agree_where_their_predictions_do(planted):
    *_, found = planted
    assert (compare_regimes(found)["verdict"] == "inconclusive").all()


def test_neighbours_are_named_only_where_they_were_planted(planted):
    name, scenes, predictions, found = planted
    table = compute_neighbours(
        untouched_votes(compute_votes(predictions, found)), scenes.annotations, found,
        rng=np.random.default_rng(1),
    ).set_index(["size_group", "pictures", "neighbour"])  # fmt: skip
    verdicts = table["verdict"].to_dict()
    for kind in ("any", "larger"):
        row = table.loc[("small", "several", kind)]
        assert row["failed"] == (EACH if name == "neighbour" else 0)
        if name == "neighbour":
            assert row["share"] == 1
            assert row["ci_low"] > 0
            # Of two wrong names, chance finds the neighbour's every other time.
            assert row["chance"] == pytest.approx(0.5, abs=0.1)
            assert verdicts.pop(("small", "several", kind)) == "more"
            assert verdicts.pop(("all", "several", kind)) == "more"
    assert "more" not in verdicts.values()


@pytest.mark.parametrize("name", ["neighbour", "resolution"])
def test_failures_suggest_the_planted_cause(name):
    scenes, classify = PLANTED[name]
    predictions, found = scenes.found(classify, draws=100)
    answered = untouched_votes(compute_votes(predictions, found))
    named = find_named_neighbours(answered, scenes.annotations)
    table = find_failures(found, answered, named)
    small = table[table["size_group"] == "small"]
    assert len(small) > EACH
    assert (small["cause"] == name).mean() > 0.9
    if name == "neighbour":
        assert (small["neighbour"] == small["predicted"]).all()
        assert (small["neighbour_side"] / small["side"]).to_numpy() == pytest.approx(3)


def test_the_background_gap_is_there_only_where_context_predicts(planted):
    name, scenes, _, found = planted
    table = compute_background(found, scenes.donors).query("regime == 'fixed'")
    rows = table.set_index("size_group")
    predicts = name == "context"
    assert rows.loc["large", "verdict"] == ("higher" if predicts else "inconclusive")
    assert rows.loc["large", "gap"] == pytest.approx(1.0 if predicts else 0.0, abs=0.2)
    if name != "neighbour":  # there, donors' neighbours are named
        assert rows.loc["small", "verdict"] == "inconclusive"
    if predicts:
        assert rows.loc["large", "acc_context"] == 1
        assert rows.loc["small", "context_low"] < 1 / 3 < rows.loc["small", "context_high"]
