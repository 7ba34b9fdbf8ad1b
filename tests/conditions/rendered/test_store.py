import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from smallsight.conditions.rendered.names import read_all_facts, read_facts, write_facts
from smallsight.conditions.rendered.store import (
    picture_name,
    read_masks,
    read_pictures,
    write_masks,
)
from smallsight.conditions.rendered.views import VIEWS, read_changed_views, read_views
from smallsight.conditions.rendering.levels import facts_of, levels_by_family, levels_of

FAMILIES = {
    "orig_full": {}, "zoom": {"factor": [4, 2]}, "downscale": {"scale": [0.5]},
}  # fmt: skip


def conditions():
    return {
        name: facts_of(levels).conditions for name, levels in levels_by_family(FAMILIES).items()
    }


@pytest.fixture
def folder(tmp_path):
    """Tables of views, as rendering leaves them: two objects under every condition."""
    for number, (name, steps) in enumerate(conditions().items()):
        rows = [
            dict.fromkeys(VIEWS.names, 10 * number + place)
            | {"level": step.level, "image_id": 7, "ann_id": ann_id}
            for place, step in enumerate(steps)
            for ann_id in (70, 71)
        ]
        (tmp_path / name).mkdir()
        pd.DataFrame(rows).to_csv(tmp_path / name / "views.csv", index=False)
    return tmp_path


def evaluated(*names):
    """Rows of the conditions of these names in both regimes."""
    steps = {step.name: step for steps in conditions().values() for step in steps}
    rows = [
        {"regime": regime, "condition": name, "family": steps[name].family,
         "level": steps[name].level}
        for regime in ("fixed", "retrained") for name in names
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_conditions_views_are_those_of_its_level(folder):
    for number, steps in enumerate(conditions().values()):
        for place, step in enumerate(steps):
            views = read_views(folder, step)
            assert list(views.columns) == VIEWS.names[1:]
            assert views["ann_id"].tolist() == [70, 71]
            assert (views["ssim_box"] == 10 * number + place).all()


def test_changed_views_are_those_of_all_conditions_but_the_untouched_one(folder):
    names = ["zoom/factor=2", "orig_full", "zoom", "downscale"]
    views = read_changed_views(folder, evaluated(*names))
    assert list(views["condition"].unique()) == ["zoom/factor=2", "zoom", "downscale"]
    seen = views.set_index(["condition", "ann_id"])["ssim_box"].to_dict()
    due = {"zoom": 10, "zoom/factor=2": 11, "downscale": 20}
    assert seen == {(name, ann_id): due[name] for name in due for ann_id in (70, 71)}


def test_untouched_pictures_alone_have_no_changed_views(folder):
    views = read_changed_views(folder, evaluated("orig_full"))
    assert len(views) == 0
    assert {*VIEWS.names, "condition"} <= set(views.columns)


def test_pictures_are_named_by_both_ids():
    assert picture_name(3, 30) == "3_30.png"


@pytest.mark.usefixtures("single_worker")
def test_pictures_are_those_of_the_instances_in_their_order(tmp_path, noise):
    instances = pd.DataFrame({"image_id": [7, 3, 7], "ann_id": [70, 30, 71]}, index=[5, 1, 9])
    for ann_id in (30, 31, 70, 71):
        name = picture_name(ann_id // 10, ann_id)
        Image.fromarray(noise(8, 8, ann_id)).save(tmp_path / name)
    pictures = read_pictures(tmp_path, instances)
    assert pictures.dtype == np.uint8
    assert (pictures == np.stack([noise(8, 8, ann_id) for ann_id in (70, 30, 71)])).all()


# Masks.


@pytest.fixture
def covers():
    rng = np.random.default_rng(0)
    keys = [(7, 70), (7, 71), (3, 30), (30, 3)]
    return {key: rng.integers(0, 256, (6, 6), np.uint8) for key in keys}


@pytest.fixture
def step():
    return levels_of("zoom", FAMILIES)[0].condition


def test_written_masks_come_back_in_the_order_of_the_instances(tmp_path, covers, step):
    write_masks(covers, tmp_path / "zoom/masks.npz")
    other = {key: 255 - cover for key, cover in covers.items()}
    write_masks(other, tmp_path / "downscale/masks.npz")
    instances = pd.DataFrame(
        {"image_id": [30, 7, 3, 70, 7], "ann_id": [3, 71, 30, 7, 70]}, index=[4, 4, 0, 1, 2]
    )
    found = read_masks(tmp_path, step, instances)
    assert len(found) == 5
    for key, cover in zip(instances.itertuples(index=False, name=None), found, strict=True):
        if key in covers:
            assert cover.dtype == np.uint8
            assert (cover == covers[key]).all()
        else:
            assert not cover.any()


def test_no_masks_can_be_written_and_read(tmp_path, step):
    write_masks({}, tmp_path / "zoom/masks.npz")
    instances = pd.DataFrame({"image_id": [7, 3], "ann_id": [70, 30]})
    assert [cover.any() for cover in read_masks(tmp_path, step, instances)] == [False] * 2
    assert read_masks(tmp_path, step, instances[:0]) == []


def test_masks_written_again_are_the_same_bytes(tmp_path, covers):
    for name in ("one", "other"):
        write_masks(covers, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


# Facts.


@pytest.mark.parametrize("name", ["orig_full", "orig_crop", "downscale", "bg_swap", "zoom_object"])
def test_written_facts_come_back(tmp_path, study, name):
    facts = facts_of(levels_of(name, study.conditions))
    (tmp_path / name).mkdir()
    write_facts(facts, tmp_path / name)
    assert read_facts(tmp_path, name) == facts


def test_facts_are_strict_json_and_an_infinite_neutral_value_survives(tmp_path, study):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    assert facts_of(levels_of("orig_crop", study.conditions)).neutral == {"margin": np.inf}
    write_facts(facts_of(levels_of("orig_crop", study.conditions)), tmp_path)
    content = json.loads((tmp_path / "family.json").read_text(), parse_constant=refuse)
    assert content == {
        "family": "orig_crop",
        "label": "Crop",
        "description": "the object's box and a margin around it, nothing else",
        "is_intervention": False,
        "neutral": {"margin": "inf"},
        "levels": ["margin=0.25"],
        "reference": "margin=0.25",
    }


def test_the_reference_is_a_level_of_its_own_name(tmp_path):
    write_facts(facts_of(levels_of("zoom", FAMILIES)), tmp_path)
    content = json.loads((tmp_path / "family.json").read_text())
    assert (content["levels"], content["reference"]) == (["factor=4", "factor=2"], "factor=4")
    assert content["neutral"] == {"factor": 1}


def test_the_facts_of_several_families_come_in_the_order_asked_for(tmp_path):
    for name, levels in levels_by_family(FAMILIES).items():
        (tmp_path / name).mkdir()
        write_facts(facts_of(levels), tmp_path / name)
    for names in (("zoom", "orig_full", "downscale"), ("downscale", "zoom")):
        facts = read_all_facts(tmp_path, names)
        assert tuple(facts) == names
        assert all(facts[name] == read_facts(tmp_path, name) for name in names)
