"""Predict test data under every condition, in every regime of the protocol."""

from pathlib import Path

import pandas as pd

from smallsight import params
from smallsight.backbones.feature_store import read_features
from smallsight.conditions.ladders import ladders
from smallsight.evaluation import heads
from smallsight.evaluation.predictions import summarise_results
from smallsight.evaluation.protocols import PROTOCOLS
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device
from smallsight.runtime.parallel import progress
from smallsight.sampling.sample import read_sample

SAMPLE = "data/samples_step1_person_limited.csv"
FEATURES = Path("data/features")
HEADS = Path("data/heads")
PREDICTIONS = "data/predictions.parquet"
RESULTS = "data/results_conditions.csv"


def main() -> str:
    parameters = params.load()
    device = pick_device(parameters.device)
    protocol = PROTOCOLS[parameters.protocol]
    splits = protocol.splits(
        read_sample(SAMPLE),
        parameters.data.categories,
        settings=parameters.evaluation,
        seed=parameters.seed,
    )
    untouched = heads.read(HEADS / "fixed.npz")
    steps = protocol.conditions(ladders(parameters.conditions))
    tables: dict[str, list[pd.DataFrame]] = {regime: [] for regime in protocol.regimes}
    for condition in progress(iter(steps), total=len(steps), description="evaluating"):
        seen = read_features(FEATURES / condition.family / f"{condition.level}.npz")
        for regime, part in tables.items():
            fitted = splits.heads_of(
                regime, untouched, seen, settings=parameters.heads, device=device
            )
            part.append(splits.predictions(fitted, seen, condition, regime=regime))
    predictions = pd.concat([table for part in tables.values() for table in part])
    files.write_table(predictions, PREDICTIONS)
    files.write_table(summarise_results(predictions), RESULTS)
    return f"{len(predictions)} predictions of {len(steps)} conditions, {device}"


if __name__ == "__main__":
    script.run(main)
