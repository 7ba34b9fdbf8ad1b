"""Turn predictions into tables with intervals, and into the headline numbers."""

import json

import pandas as pd

from smallsight import analysis, files, params, stage
from smallsight.randomness import derive

PREDICTIONS = "data/predictions.parquet"
ANALYSIS = "data/analysis"
METRICS = "reports/metrics.json"


def main() -> str:
    parameters = params.load()
    predictions = pd.read_parquet(PREDICTIONS)
    accuracy = analysis.accuracy(
        predictions, settings=parameters.analysis, rng=derive(parameters.seed, "bootstrap")
    )
    numbers = analysis.headline(accuracy)
    with files.new_folder(ANALYSIS) as folder:
        files.write_table(accuracy, folder / "accuracy.csv")
    files.write_text(json.dumps(numbers, indent=2) + "\n", METRICS)
    return f"{len(accuracy)} accuracies; {len(numbers)} headline numbers"


if __name__ == "__main__":
    stage.run(main)
