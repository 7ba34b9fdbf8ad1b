"""Predict test data under every condition, in every regime of the protocol."""

from pathlib import Path

import own_library  # noqa: F401

import pandas as pd

from smallsight import params
from smallsight.backbones.feature_store import read_features
from smallsight.conditions.rendered.names import Condition, read_all_facts
from smallsight.evaluation import heads
from smallsight.evaluation.crossfit import heads_for_regime
from smallsight.evaluation.predictions import predict, summarise_results
from smallsight.evaluation.protocols import PROTOCOLS
from smallsight.evaluation.splits import read_splits
from smallsight.runtime import files, script
from smallsight.runtime.device import map_batches, pick_device
from smallsight.sampling.sample import read_sample

SAMPLE = "data/samples_step1_person_limited.csv"
SPLITS = "data/splits.csv"
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")
HEADS = Path("data/heads")
PREDICTIONS = "data/predictions.parquet"
RESULTS = "data/results_conditions.csv"


def main() -> str:
    parameters = params.load()
    device = pick_device(parameters.device)
    protocol = PROTOCOLS[parameters.protocol]
    splits = read_splits(SPLITS, read_sample(SAMPLE), parameters.data.categories)
    untouched = heads.read(HEADS / "fixed.npz")
    chosen = protocol.conditions(read_all_facts(CONDITIONS, parameters.conditions))

    def evaluate(condition: Condition) -> list[pd.DataFrame]:
        path = FEATURES / condition.family / f"{condition.level}.npz"
        seen = read_features(path, parameters.heads.readout)
        return [
            predict(
                splits,
                heads_for_regime(
                    splits, regime, untouched, seen, settings=parameters.heads, device=device
                ),
                seen,
                condition,
                regime=regime,
            )
            for regime in protocol.regimes
        ]

    tables = map_batches(evaluate, chosen, device=device, description="evaluating")
    predictions = pd.concat([part for regime in zip(*tables, strict=True) for part in regime])
    files.write_table(predictions, PREDICTIONS)
    files.write_table(summarise_results(predictions), RESULTS)
    return f"{len(predictions)} predictions of {len(chosen)} conditions, {device}"


if __name__ == "__main__":
    script.run(main)
