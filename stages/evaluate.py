"""Predict test data under every condition, in every regime of the protocol."""

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
from smallsight.protocols import PROTOCOLS

SAMPLE = "data/samples_step1_person_limited.csv"
FEATURES = Path("data/features")
HEADS = Path("data/heads")
PREDICTIONS = "data/predictions.parquet"
RESULTS = "data/results_conditions.csv"


def main() -> str:
    parameters = params.load()
    device = backbones.pick_device(parameters.device)
    protocol = PROTOCOLS[parameters.protocol]
    splits = protocol.splits(
        sampling.read(SAMPLE),
        parameters.data.categories,
        settings=parameters.evaluation,
        seed=parameters.seed,
    )
    untouched = heads.read(HEADS / "fixed.npz")
    steps = protocol.conditions(conditions.ladders(parameters.conditions))
    tables: dict[str, list[pd.DataFrame]] = {regime: [] for regime in protocol.regimes}
    for condition in progress(iter(steps), total=len(steps), description="evaluating"):
        seen = features.read(FEATURES / condition.family / f"{condition.level}.npz")
        for regime, part in tables.items():
            fitted = splits.heads_of(
                regime, untouched, seen, settings=parameters.heads, device=device
            )
            part.append(splits.predictions(fitted, seen, condition, regime=regime))
    predictions = pd.concat([table for part in tables.values() for table in part])
    files.write_table(predictions, PREDICTIONS)
    files.write_table(evaluation.results(predictions), RESULTS)
    return f"{len(predictions)} predictions of {len(steps)} conditions, {device}"


if __name__ == "__main__":
    stage.run(main)
