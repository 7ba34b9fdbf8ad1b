"""Turn predictions into tables with intervals, tests and verdicts, and into headline numbers."""

import json
from pathlib import Path

import pandas as pd

from smallsight import (
    analysis,
    claims,
    donors,
    files,
    outcomes,
    params,
    plots,
    rendered,
    stage,
    tables,
)
from smallsight.randomness import derive

PREDICTIONS = "data/predictions.parquet"
CONDITIONS = Path("data/conditions")
DONORS = "data/donors.csv"
OBJECTS = "data/objects.csv"
ATTENTION = "data/attention.csv"
MAPS = "data/attention_maps.csv"
FAITHFULNESS = "data/faithfulness.csv"
ANALYSIS = "data/analysis"
PLOTS = "data/plots"
METRICS = "reports/metrics.json"


def main() -> str:
    parameters = params.load()
    predictions = pd.read_parquet(PREDICTIONS)
    found = outcomes.outcomes(
        predictions, settings=parameters.analysis, rng=derive(parameters.seed, "bootstrap")
    )
    made = tables.tables(
        predictions,
        found,
        views=rendered.read_changed_views(CONDITIONS, found.conditions),
        objects=pd.read_csv(OBJECTS, keep_default_na=False),
        donors=donors.read(DONORS),
        attention=pd.read_csv(ATTENTION),
        maps=pd.read_csv(MAPS),
        removals=pd.read_csv(FAITHFULNESS),
        categories=parameters.data.categories,
        rng=derive(parameters.seed, "neighbours"),
    )
    for place, written in ((ANALYSIS, made), (PLOTS, plots.tables(made))):
        with files.new_folder(place) as folder:
            for name, table in written.items():
                files.write_table(table, folder / f"{name}.csv")
    headline = analysis.headline(*(made[name] for name in analysis.HEADLINE_TABLES))
    files.write_text(json.dumps(headline, indent=2) + "\n", METRICS)
    verdicts = made["claims"]["verdict"].value_counts()
    names = dict.fromkeys(claims.VERDICTS.values())
    counted = ", ".join(f"{verdicts.get(name, 0)} {name}" for name in names)
    return f"{len(made['effects'])} effects; claims: {counted}"


if __name__ == "__main__":
    stage.run(main)
