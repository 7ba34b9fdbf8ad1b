"""Predict every instance under every condition, out of fold, in both regimes."""

from pathlib import Path

import pandas as pd

from smallsight import (
    backbones,
    conditions,
    evaluation,
    features,
    files,
    heads,
    params,
    sampling,
    stage,
)
from smallsight.parallel import progress
from smallsight.vocabulary import REGIMES

SAMPLE = "data/samples_step1_person_limited.csv"
FEATURES = Path("data/features")
HEADS = Path("data/heads")
PREDICTIONS = "data/predictions.parquet"
RESULTS = "data/results_conditions.csv"


def main() -> str:
    parameters = params.load()
    device = backbones.pick_device(parameters.device)
    folds = evaluation.cross_validation(
        sampling.read(SAMPLE),
        parameters.data.categories,
        settings=parameters.evaluation,
        seed=parameters.seed,
    )
    fixed = heads.read(HEADS / "fixed.npz")
    families = conditions.ladders(parameters.conditions)
    levels = [condition for ladder in families.values() for condition in ladder]
    tables: dict[str, list[pd.DataFrame]] = {regime: [] for regime in REGIMES}
    for condition in progress(iter(levels), total=len(levels), description="evaluating"):
        seen = features.read(FEATURES / condition.family / f"{condition.level}.npz")
        retrained = folds.fit(seen, settings=parameters.heads, device=device)
        for regime, fitted in (("fixed", fixed), ("retrained", retrained)):
            tables[regime].append(folds.predictions(fitted, seen, condition, regime=regime))
    predictions = pd.concat([table for part in tables.values() for table in part])
    files.write_table(predictions, PREDICTIONS)
    files.write_table(evaluation.results(predictions), RESULTS)
    return f"{len(predictions)} predictions of {len(levels)} conditions, {device}"


if __name__ == "__main__":
    stage.run(main)
