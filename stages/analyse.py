"""Turn predictions into tables with intervals, tests and verdicts, and into headline numbers."""

import json
from pathlib import Path

import pandas as pd

from smallsight import params
from smallsight.analysis import dvc_plots, tables
from smallsight.analysis.claims.table import VERDICTS
from smallsight.analysis.headline import HEADLINE_TABLES, compute_headline
from smallsight.analysis.outcomes import arrange_outcomes
from smallsight.conditions.store import read_changed_views
from smallsight.runtime import files, script
from smallsight.runtime.randomness import derive
from smallsight.sampling.donors import read_donors

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
    found = arrange_outcomes(
        predictions, settings=parameters.analysis, rng=derive(parameters.seed, "bootstrap")
    )
    made = tables.compute_tables(
        predictions,
        found,
        views=read_changed_views(CONDITIONS, found.conditions),
        objects=pd.read_csv(OBJECTS, keep_default_na=False),
        donors=read_donors(DONORS),
        attention=pd.read_csv(ATTENTION),
        maps=pd.read_csv(MAPS),
        removals=pd.read_csv(FAITHFULNESS),
        categories=parameters.data.categories,
        rng=derive(parameters.seed, "neighbours"),
    )
    for place, written in ((ANALYSIS, made), (PLOTS, dvc_plots.plot_tables(made))):
        with files.new_folder(place) as folder:
            for name, table in written.items():
                files.write_table(table, folder / f"{name}.csv")
    headline = compute_headline(*(made[name] for name in HEADLINE_TABLES))
    files.write_text(json.dumps(headline, indent=2) + "\n", METRICS)
    verdicts = made["claims"]["verdict"].value_counts()
    names = dict.fromkeys(VERDICTS.values())
    counted = ", ".join(f"{verdicts.get(name, 0)} {name}" for name in names)
    return f"{len(made['effects'])} effects; claims: {counted}"


if __name__ == "__main__":
    script.run(main)
