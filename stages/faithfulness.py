"""Remove regions of whole pictures, restore them alone, and measure what the heads then see."""

import json
from pathlib import Path

import own_library  # noqa: F401

from smallsight import params
from smallsight.backbones.feature_store import read_features
from smallsight.classifiers.facts import read_classifier_facts
from smallsight.classifiers.readers import NetworkFiles
from smallsight.conditions.rendered.names import UNTOUCHED, read_facts
from smallsight.conditions.rendered.views import read_views
from smallsight.evaluation import heads
from smallsight.evaluation.splits import read_splits
from smallsight.runtime import files, script
from smallsight.saliency import removal
from smallsight.saliency.tables import REMOVALS
from smallsight.sampling.sample import read_categories, read_sample
from smallsight.vocabulary import SCENE

CATEGORIES = "data/categories.json"
SAMPLE = "data/samples_step1_person_limited.csv"
SPLITS = "data/splits.csv"
COLOUR = Path("data/colour.json")
BACKBONE = Path("data/backbone.pth")
CLASSIFIER = Path("data/classifier.json")
ENGINE = Path("data/engine.json")
GRAPH = Path("data/backbone.onnx")
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")
HEADS = Path("data/heads")
FAITHFULNESS = "data/faithfulness.csv"


def main() -> str:
    parameters = params.load()
    classifier = read_classifier_facts(CLASSIFIER)
    if classifier is not None and classifier.source == "predictions":
        files.write_table(REMOVALS.empty(), FAITHFULNESS)
        return "a table of predictions cannot be asked again: nothing was removed"
    untouched = read_facts(CONDITIONS, UNTOUCHED).in_task(SCENE)[0]
    sample, readout = read_sample(SAMPLE), parameters.heads.readout
    table = removal.compute_removals(
        sample,
        read_views(CONDITIONS, untouched),
        CONDITIONS / untouched.folder,
        colour=tuple(json.loads(COLOUR.read_text(encoding="utf-8"))["mean_colour"]),
        seed=parameters.seed,
        splits=read_splits(SPLITS, sample, read_categories(CATEGORIES)),
        fitted=heads.read(HEADS / f"{SCENE}.npz"),
        seen=read_features(FEATURES, untouched, readout),
        readout=readout,
        opener=NetworkFiles(BACKBONE, CLASSIFIER, ENGINE, GRAPH, parameters.device),
    )
    files.write_table(table, FAITHFULNESS)
    lost = table[(table["change"] == "removed") & (table["area"] == 1)]
    change = (lost["p_after"] - lost["p_before"]).groupby(lost["region"]).mean()
    changes = ", ".join(f"{name} {value:+.3f}" for name, value in change.items())
    return f"{len(table)} edits; the true class's probability without a region: {changes}"


if __name__ == "__main__":
    script.run(main)
