"""Predictions from rungs of the ladder, as the evaluation writes them."""

from dataclasses import replace

import numpy as np
import pandas as pd

from builders.simulated_studies import study
from smallsight.evaluation.rungs import RUNGS
from smallsight.evaluation.tables import RUNG_PREDICTIONS

RUNG_NAMES = [rung.name for rung in RUNGS]


def sampled(*, images=25, mixes=None, groups=("small", "medium", "large"), seed=0):
    """Make images of one to four instances, whose categories may depend on their size."""
    rng = np.random.default_rng(seed)
    image_id = np.repeat(np.arange(images) * 2, rng.integers(1, 5, images))
    group = rng.choice(groups, len(image_id))
    mixes = mixes or {name: [0.6, 0.3, 0.1] for name in groups}
    category = [rng.choice(list("abc"), p=mixes[key]) for key in group]
    table = {"image_id": image_id, "ann_id": np.arange(len(image_id)) + 7}
    return pd.DataFrame(table | {"category_name": category, "size_group": group})


def predicted_names(sample, names, *, seeds=3):
    """Predict these names, by rung (seeds, n) or (n,), of a sample's instances."""
    tables = [
        sample.assign(
            rung=rung, seed=seed, fold=0, predicted=one, correct=one == sample["category_name"]
        )
        for rung, given in names.items()
        for seed, one in enumerate(np.broadcast_to(given, (seeds, len(sample))))
    ]
    return pd.concat(tables, ignore_index=True)[RUNG_PREDICTIONS.names]


def answered(sample, odds, *, seeds=3, seed=0):
    """Answer rightly with these odds, by rung a number or (n,) of them; wrongly at random."""
    rng = np.random.default_rng(seed)
    truth = sample["category_name"].to_numpy()
    names = {}
    for rung, chance in odds.items():
        is_right = rng.random((seeds, len(sample))) < chance
        wrong = rng.choice(list("def"), (seeds, len(sample)))
        names[rung] = np.where(is_right, truth, wrong)
    return predicted_names(sample, names, seeds=seeds)


def outcomes_of(sample, *, draws=200, conditions=None, task="scene", chance=1 / 6):
    """Arrange outcomes of the sample, never right untouched, or hit rates (n,) by condition."""
    sample = sample.sort_values(["image_id", "ann_id"], ignore_index=True)
    hits = {"orig_full": np.zeros(len(sample))} | (conditions or {})
    found = study(
        sample["image_id"].to_numpy(),
        sample["size_group"].to_numpy(),
        {("fixed", name): one for name, one in hits.items()},
        rng=np.random.default_rng(0),
        draws=draws,
        category=sample["category_name"].to_numpy(),
        task=task,
        side=np.linspace(3, 40, len(sample)),
    )
    return replace(found, instances=found.instances.assign(ann_id=sample["ann_id"]), chance=chance)
