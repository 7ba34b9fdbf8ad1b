"""Predictions that several tests analyse."""

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.analysis.outcomes import arrange_outcomes

SETTINGS = params.Analysis(confidence=0.95, bootstrap_draws=300)
CONDITIONS = {
    "orig_full": 0.8, "orig_crop": 0.75, "downscale": 0.5, "motion_blur": 0.6, "occlusion": 0.7,
    "bg_blur": 0.7, "downscale/scale=0.25": 0.2,
}  # fmt: skip
"""How often answers are right."""


def predicted(sample, *, conditions=CONDITIONS, regimes=("fixed", "retrained"), seeds=3, seed=0):
    """Make random answers to a population of instances, in the order of an evaluation."""
    rng = np.random.default_rng(seed)
    sample = sample.assign(side=np.exp(rng.normal(3, 0.8, len(sample))).round(2))
    tables = []
    for regime in regimes:
        for condition, chance in conditions.items():
            for number in range(seeds):
                table = sample.assign(
                    regime=regime, seed=number, condition=condition,
                    family=condition.split("/")[0], level=condition.split("/")[-1],
                    correct=rng.random(len(sample)) < chance,
                )  # fmt: skip
                tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    return table.assign(**{f"p_{name}": 0.0 for name in "abcdef"})


def outcomes_of(predictions, *, draws=300, confidence=0.95, seed=0):
    """Arrange predictions as the analysis does."""
    settings = params.Analysis(confidence=confidence, bootstrap_draws=draws)
    return arrange_outcomes(predictions, settings=settings, rng=np.random.default_rng(seed))


def named(predictions, *, seed=0):
    """Add the names that these answers give, wrong ones by chance, and how sure they are."""
    rng = np.random.default_rng(seed)
    names, true = np.unique(predictions["category_name"], return_inverse=True)
    other = (true + rng.integers(1, len(names), len(true))) % len(names)
    given = np.where(predictions["correct"], true, other)
    return predictions.assign(predicted=names[given], confidence=rng.random(len(true)))
