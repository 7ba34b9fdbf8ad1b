"""Turn predictions into tables with intervals, tests and verdicts, and into headline numbers."""

import json
from pathlib import Path

import pandas as pd

from smallsight import (
    analysis,
    audit,
    claims,
    curves,
    effects,
    files,
    outcomes,
    params,
    render,
    stage,
)
from smallsight.randomness import derive

PREDICTIONS = "data/predictions.parquet"
CONDITIONS = Path("data/conditions")
ANALYSIS = "data/analysis"
METRICS = "reports/metrics.json"


def main() -> str:
    parameters = params.load()
    found = outcomes.outcomes(
        pd.read_parquet(PREDICTIONS),
        settings=parameters.analysis,
        rng=derive(parameters.seed, "bootstrap"),
    )
    views = render.read_changed_views(CONDITIONS, found.conditions)
    instances = found.instances.assign(side_untouched=found.side)
    severities = audit.summary(views.merge(instances, on=outcomes.INSTANCE))
    tables = {
        "accuracy": analysis.accuracy(found),
        "effects": effects.effects(found),
        "thresholds": curves.thresholds(found),
        "bins": curves.binned(found),
        "severity": severities,
        "claims": claims.claims(found, severities[severities["vacuous"]]),
    }
    tables["effects"] = audit.mark(tables["effects"], severities)
    numbers = analysis.headline(tables["accuracy"], tables["effects"], tables["thresholds"])
    with files.new_folder(ANALYSIS) as folder:
        for name, table in tables.items():
            files.write_table(table, folder / f"{name}.csv")
    files.write_text(json.dumps(numbers, indent=2) + "\n", METRICS)
    verdicts = tables["claims"]["verdict"].value_counts()
    names = dict.fromkeys(claims.VERDICTS.values())
    counted = ", ".join(f"{verdicts.get(name, 0)} {name}" for name in names)
    return f"{len(tables['effects'])} effects; claims: {counted}"


if __name__ == "__main__":
    stage.run(main)
