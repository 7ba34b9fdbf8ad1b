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
from smallsight.analysis.tables import TABLES, Evidence, RemedyEvidence, compute_tables
from smallsight.conditions.rendered.names import read_all_facts
from smallsight.conditions.rendered.views import read_changed_views
from smallsight.imaging.photographs import DUPLICATES
from smallsight.remedies.facts import read_remedy_facts
from smallsight.remedies.tables import ESTIMATED_SIDES
from smallsight.runtime import files, script
from smallsight.runtime.randomness import derive
from smallsight.runtime.tables import Table, conform, read_table
from smallsight.saliency.tables import OTHER_MAPS, PREDICTED_CLASS_MAPS, REMOVALS
from smallsight.sampling.donors import read_donors
from smallsight.sampling.sample import OBJECTS as OBJECT_TABLE
from smallsight.sampling.sample import read_categories, read_sample
from smallsight.vocabulary import TASKS

CATEGORIES = "data/categories.json"
SAMPLE = "data/samples_step1_person_limited.csv"
SAMPLING = Path("data/sampling.json")
PREDICTIONS = "data/predictions.parquet"
RUNGS = "data/rungs.parquet"
CONDITIONS = Path("data/conditions")
DONORS = "data/donors.csv"
OBJECTS = "data/objects.csv"
DUPLICATE_PICTURES = "data/duplicates.csv"
ATTENTION = "data/attention.csv"
MAPS = "data/attention_maps.csv"
FAITHFULNESS = "data/faithfulness.csv"
REMEDY_FACTS = "data/remedies.json"
REMEDIES = "data/remedies.parquet"
MORE_EXAMPLES = "data/more_examples.parquet"
SIDES = "data/estimated_sides.csv"
ANALYSIS = "data/analysis"
DVC_PLOTS = "data/plots"
METRICS = "reports/metrics.json"


def main() -> str:
    parameters = params.load()
    predictions = pd.read_parquet(PREDICTIONS)
    facts = read_all_facts(CONDITIONS, predictions["family"].unique())
    is_swept = predictions["family"].map(lambda family: facts[family].role == "sweep")
    compared = predictions[~is_swept]
    duplicates = read_table(DUPLICATE_PICTURES, DUPLICATES)
    maps = read_table(ATTENTION, PREDICTED_CLASS_MAPS)
    other_maps = read_table(MAPS, OTHER_MAPS)

    def evidence(task: str) -> Evidence:
        found = arrange_outcomes(
            compared,
            task=task,
            settings=parameters.analysis,
            rng=derive(parameters.seed, "bootstrap"),
            duplicates=duplicates,
        )
        swept = predictions[is_swept & (predictions["task"] == task)]
        return Evidence(
            compared[compared["task"] == task],
            {str(family): part for family, part in swept.groupby("family")},
            found,
            read_changed_views(CONDITIONS, found.conditions),
            maps[maps["task"] == task],
            other_maps[other_maps["task"] == task],
        )

    made = compute_tables(
        {task: evidence(task) for task in TASKS if (predictions["task"] == task).any()},
        rung_predictions=pd.read_parquet(RUNGS),
        sample=read_sample(SAMPLE),
        objects=read_table(OBJECTS, OBJECT_TABLE),
        donors=read_donors(DONORS),
        removals=read_table(FAITHFULNESS, REMOVALS),
        remedies=RemedyEvidence(
            facts=read_remedy_facts(REMEDY_FACTS),
            predictions=pd.read_parquet(REMEDIES),
            more_examples=pd.read_parquet(MORE_EXAMPLES),
            estimated_sides=read_table(SIDES, ESTIMATED_SIDES),
        ),
        side_counts=json.loads(SAMPLING.read_text(encoding="utf-8"))["side_counts"],
        facts=facts,
        categories=read_categories(CATEGORIES),
        window_margin=parameters.tasks.window_margin,
        rng=derive(parameters.seed, "chance"),
    )
    write_tables(made, TABLES, ANALYSIS)
    write_tables(plot_tables(made), PLOTS, DVC_PLOTS)
    files.write_text(json.dumps(compute_headline(made), indent=2) + "\n", METRICS)
    counts = made["claims"].query("part == ''")["verdict"].value_counts()
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
