"""Predictions that several tests analyse."""

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.analysis.outcomes import arrange_outcomes
from smallsight.analysis.severity import SEVERITY
from smallsight.conditions.rendered.names import FamilyFacts
from smallsight.vocabulary import HEADLINE_TASK, SCENE

CONDITIONS = {
    "orig_full": 0.8, "orig_crop": 0.75, "downscale": 0.5, "motion_blur": 0.6, "occlusion": 0.7,
    "bg_blur": 0.7, "downscale/scale=0.25": 0.2,
}  # fmt: skip
"""How often answers are right."""

INTERVENTIONS = ("crop_low", "object_alone", "object_only", "context_only", "bg_swap")
SWEEPS = ("pixels", "shift")
NOTHING_UNCHANGED = pd.DataFrame(columns=SEVERITY.names).astype({"vacuous": bool})
"""Severities of conditions that all make a visible change."""


def predicted(
    sample,
    *,
    conditions=CONDITIONS,
    regimes=("fixed", "retrained"),
    seeds=3,
    seed=0,
    task=HEADLINE_TASK,
):
    """Make random answers to a population of instances, in the order of an evaluation."""
    rng = np.random.default_rng(seed)
    sample = sample.assign(side=np.exp(rng.normal(3, 0.8, len(sample))).round(2))
    tables = []
    for regime in regimes:
        for condition, chance in conditions.items():
            for number in range(seeds):
                table = sample.assign(
                    task=task, regime=regime, seed=number, condition=condition,
                    family=condition.split("/")[0], level=condition.split("/")[-1],
                    correct=rng.random(len(sample)) < chance,
                )  # fmt: skip
                tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    return table.assign(**{f"p_{name}": 0.0 for name in "abcdef"})


def outcomes_of(predictions, *, draws=300, confidence=0.95, seed=0, task=None, duplicates=None):
    """Arrange predictions as the analysis does, those of a task or of the first one.

    Where no picture is shown whole, sides are those of the windows.
    """
    settings = params.Analysis(confidence=confidence, bootstrap_draws=draws)
    task = task or predictions["task"].iloc[0]
    if not (predictions["task"] == SCENE).any():
        untouched = predictions[predictions["condition"] == "orig_full"]
        predictions = pd.concat([predictions, untouched.assign(task=SCENE)], ignore_index=True)
    rng = np.random.default_rng(seed)
    return arrange_outcomes(
        predictions, task=task, settings=settings, rng=rng, duplicates=duplicates
    )


def facts_of(conditions=CONDITIONS):
    """Make facts of the families of these conditions, whose levels nothing needs."""
    facts = {}
    for family in dict.fromkeys(name.split("/")[0] for name in conditions):
        role = "corruption"
        if family in INTERVENTIONS + SWEEPS:
            role = "sweep" if family in SWEEPS else "intervention"
        facts[family] = FamilyFacts(family, family, family, role, {}, ())
    return facts


def vacuous(*pairs):
    """Make severities of conditions of which these, with a size group, make no visible change."""
    table = pd.DataFrame(pairs, columns=["condition", "size_group"]).assign(vacuous=True)
    return table.reindex(columns=SEVERITY.names).astype({"vacuous": bool})


def named(predictions, *, seed=0):
    """Add the names that these answers give, wrong ones by chance, and how sure they are."""
    rng = np.random.default_rng(seed)
    names, true = np.unique(predictions["category_name"], return_inverse=True)
    other = (true + rng.integers(1, len(names), len(true))) % len(names)
    given = np.where(predictions["correct"], true, other)
    return predictions.assign(predicted=names[given], confidence=rng.random(len(true)))
