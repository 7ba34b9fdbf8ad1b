"""All that the analysis of a study is made of, for tests that leave out a part of it."""

import numpy as np
import pandas as pd

from builders import map_measures, remedies, rungs, study_files
from builders.predictions import CONDITIONS, facts_of, named, outcomes_of, predicted
from smallsight.analysis.tables import Evidence, compute_tables
from smallsight.evaluation.rungs import BASELINES
from smallsight.sampling.donors import draw_donors
from smallsight.vocabulary import TASKS

SWEEPS = {"pixels/side=6": 0.4, "pixels/side=12": 0.6, "pixels/side=24": 0.8, "pixels/side=48": 0.8,
          "shift/reach=31,draw=1": 0.7, "shift/reach=31,draw=2": 0.7}  # fmt: skip
CATEGORIES = ["NA", "None", "nan", *"def"]


def sampled(population):
    """Make a sample with boxes, whose categories have names that mean nothing to pandas."""
    names = dict(zip("abc", CATEGORIES, strict=False))
    table = population(images=40)
    return table.assign(
        category_name=table["category_name"].replace(names),
        bbox_x=10.0, bbox_y=10.0, bbox_w=80.0, bbox_h=80.0, bbox_area=6400.0,
    )  # fmt: skip


def answered(sample, **options):
    """Answer in both tasks, under sweeps too in windows."""
    about = sample[["image_id", "ann_id", "category_name", "size_group"]]
    scene = predicted(about, task="scene", **options)
    windows = CONDITIONS | {"bg_swap": 0.6} | SWEEPS
    window = predicted(about, conditions=windows, seed=1, **options)
    both = named(pd.concat([scene, window], ignore_index=True))
    return both.assign(fold=both["image_id"] % 2, **probabilities_of(both))


def probabilities_of(predictions):
    """Return a column per category: 0.7 for what is named, and as much for each of the others."""
    rest = 0.3 / (len(CATEGORIES) - 1)
    return {
        f"p_{name}": np.where(predictions["predicted"] == name, 0.7, rest) for name in CATEGORIES
    }


def is_swept(predictions):
    return predictions["family"].isin(["pixels", "shift"])


def measured(predictions):
    """Measure maps of a study's instances: of the predicted class, and all others, by task."""
    sample = outcomes_of(predictions[~is_swept(predictions)], draws=100).instances
    return {task: map_measures.tables(sample, task=task) for task in TASKS}


def evidence_of(predictions, task, attention, maps):
    """Arrange what is known of one task."""
    found = outcomes_of(predictions[~is_swept(predictions)], task=task, draws=100)
    one = predictions[predictions["task"] == task]
    swept = one[is_swept(one)]
    views = [
        found.instances[["image_id", "ann_id"]].assign(
            task=task, condition=name, ssim_box=0.9, ssim_picture=0.5, box_w=3.0, box_h=4.0
        )
        for name in found.changed_conditions("fixed")
    ]
    return Evidence(
        predictions=one[~is_swept(one)],
        sweeps=dict(list(swept.groupby("family"))),
        outcomes=found,
        views=pd.concat(views),
        predicted_class_maps=attention,
        other_maps=maps,
    )


def inputs_of(sample, predictions, *, maps=None, **odds):
    """Collect all that `compute_tables` takes but its generator."""
    maps = measured(predictions) if maps is None else maps
    tasks = [task for task in TASKS if (predictions["task"] == task).any()]
    evidence = {task: evidence_of(predictions, task, *maps[task]) for task in tasks}
    some = evidence[tasks[0]].outcomes
    return {
        "evidence": evidence,
        "rung_predictions": rungs.answered(
            sample, dict.fromkeys([*BASELINES, *rungs.RUNG_NAMES], 0.6)
        ),
        "sample": sample,
        "objects": sample,
        "donors": draw_donors(sample, sample, window_margin=0.25, seed=0),
        "remedies": remedies.evidence_of(sample, tasks=tasks, **odds),
        "removals": study_files.removals_of(some.instances.assign(side=some.side)),
        "side_counts": {"5": 3, "80": 40},
        "facts": facts_of(predictions["family"].unique()),
        "categories": CATEGORIES,
        "window_margin": 0.25,
    }


def analysed(inputs, **instead):
    """Compute all tables, some inputs replaced by others."""
    return compute_tables(**inputs | instead, rng=np.random.default_rng(0))
