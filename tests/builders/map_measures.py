"""Measures of saliency maps that several tests analyse."""

import numpy as np
import pandas as pd

from smallsight.analysis.saliency import MapMeasures
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.saliency.tables import OTHER_MAPS, PREDICTED_CLASS_MAPS
from smallsight.vocabulary import HEADLINE_TASK

OTHERS = ("true_class", "random_box", "centre", "random_weights")
"""Maps beside those of the predicted class; those of random weights are of untouched pictures."""
SHARES = {"small": 0.005, "medium": 0.03, "large": 0.15}
"""Areas of the boxes, about."""
WITH_EVIDENCE = ("energy_in_box", "lift", "pointing_hit", "energy_in_mask", "mask_lift")
"""Measures that a map of nothing lacks."""


def measured(
    sample, *, condition=UNTOUCHED, task=HEADLINE_TASK, seed=0, blank=0.1, unmasked=0.3, **planted
):
    """Measure one map of each instance at random, or as planted; some show nothing."""
    rng = np.random.default_rng(seed)
    n = len(sample)
    table = sample[["image_id", "ann_id", "size_group"]].assign(
        task=task,
        condition=condition,
        predicted=rng.choice(list("abcdef"), n),
        correct=rng.random(n) < 0.6,
        box_area_share=sample["size_group"].map(SHARES) * rng.uniform(0.5, 1.5, n),
        lift=rng.uniform(0, 4, n),
        pointing_hit=rng.integers(0, 2, n) * rng.choice([0.5, 1.0], n),
        no_evidence=rng.random(n) < blank,
        mask_lift=rng.uniform(0, 4, n),
        signed_in_box=rng.uniform(-1, 1, n),
        **{name: rng.normal(0, 3, n) for name in ("logit_in_box", "logit_elsewhere", "bias")},
    )
    table = table.assign(
        mask_area_share=table["box_area_share"] * 0.7,
        logit=table["logit_in_box"] + table["logit_elsewhere"] + table["bias"],
    )
    table = table.assign(
        energy_in_box=table["lift"] * table["box_area_share"],
        energy_in_mask=table["mask_lift"] * table["mask_area_share"],
    ).assign(**planted)
    is_unmasked = rng.random(n) < unmasked
    table.loc[is_unmasked, ["energy_in_mask", "mask_area_share", "mask_lift"]] = np.nan
    table.loc[table["no_evidence"], list(WITH_EVIDENCE)] = np.nan
    return table


def tables(sample, *, conditions=(UNTOUCHED, "downscale"), seed=0, **options):
    """Measure every kind of map under every condition: the predicted class's, and all others."""
    own = [
        measured(sample, condition=name, seed=seed + 10 * number, **options)
        for number, name in enumerate(conditions)
    ]
    others = []
    for table in own:
        for number, name in enumerate(OTHERS, start=1):
            condition = table["condition"].iloc[0]
            if name != "random_weights" or condition == UNTOUCHED:
                same = {"condition": condition, "correct": table["correct"]}
                other = measured(sample, seed=seed + 1000 * number, **(options | same))
                if name == "centre":  # adds nothing to a logit
                    other["signed_in_box"] = np.nan
                others.append(other.assign(map=name))
    attended, maps = (pd.concat(parts, ignore_index=True) for parts in (own, others))
    return attended[PREDICTED_CLASS_MAPS.names], maps[OTHER_MAPS.names]


def measures_of(outcomes, lift, correct, *, name="predicted", condition=UNTOUCHED):
    """Arrange lifts of one kind of map, in the order of the outcomes; NaN shows nothing."""
    sample = outcomes.instances
    table = measured(sample, condition=condition, blank=0, lift=lift, correct=correct)
    table = table.assign(no_evidence=table["lift"].isna())
    return MapMeasures(outcomes, {(name, condition): table})
