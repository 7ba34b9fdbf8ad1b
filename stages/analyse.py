"""Turn predictions into tables with intervals, tests and verdicts, and into headline numbers."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import own_library  # noqa: F401

import pandas as pd

from smallsight import params
from smallsight.analysis.claims.table import VERDICTS
from smallsight.analysis.dvc_plots import PLOTS, plot_tables
from smallsight.analysis.headline import compute_headline
from smallsight.analysis.outcomes import arrange_outcomes
from smallsight.analysis.tables import TABLES, compute_tables
from smallsight.conditions.rendered.names import read_all_facts
from smallsight.conditions.rendered.views import read_changed_views
from smallsight.runtime import files, script
from smallsight.runtime.randomness import derive
from smallsight.runtime.tables import Table, conform, read_table
from smallsight.saliency.tables import OTHER_MAPS, PREDICTED_CLASS_MAPS, REMOVALS
from smallsight.sampling import sample
from smallsight.sampling.donors import read_donors

PREDICTIONS = "data/predictions.parquet"
CONDITIONS = Path("data/conditions")
DONORS = "data/donors.csv"
OBJECTS = "data/objects.csv"
ATTENTION = "data/attention.csv"
MAPS = "data/attention_maps.csv"
FAITHFULNESS = "data/faithfulness.csv"
ANALYSIS = "data/analysis"
DVC_PLOTS = "data/plots"
METRICS = "reports/metrics.json"


def main() -> str:
    parameters = params.load()
    predictions = pd.read_parquet(PREDICTIONS)
    found = arrange_outcomes(
        predictions, settings=parameters.analysis, rng=derive(parameters.seed, "bootstrap")
    )
    made = compute_tables(
        predictions,
        found,
        views=read_changed_views(CONDITIONS, found.conditions),
        objects=read_table(OBJECTS, sample.OBJECTS),
        donors=read_donors(DONORS),
        predicted_class_maps=read_table(ATTENTION, PREDICTED_CLASS_MAPS),
        other_maps=read_table(MAPS, OTHER_MAPS),
        removals=read_table(FAITHFULNESS, REMOVALS),
        categories=parameters.data.categories,
        rng=derive(parameters.seed, "neighbours"),
    )
    facts = read_all_facts(CONDITIONS, found.conditions["family"].unique())
    headline = compute_headline(made, facts)
    write_tables(made, TABLES, ANALYSIS)
    write_tables(plot_tables(made), PLOTS, DVC_PLOTS)
    files.write_text(json.dumps(headline, indent=2) + "\n", METRICS)
    counts = made["claims"]["verdict"].value_counts()
    counted = ", ".join(
        f"{counts.get(word, 0)} {word}" for word in dict.fromkeys(VERDICTS.values())
    )
    return f"{len(made['effects'])} effects; claims: {counted}"


def write_tables(made: Mapping[str, pd.DataFrame], tables: Iterable[Table], place: str) -> None:
    """Write every table into a new folder."""
    with files.new_folder(place) as folder:
        for table in tables:
            files.write_table(conform(made[table.name], table), folder / f"{table.name}.csv")


if __name__ == "__main__":
    script.run(main)
