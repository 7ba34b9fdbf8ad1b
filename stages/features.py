"""Run what is examined over one family's pictures."""

import sys
from pathlib import Path

import own_library  # noqa: F401

from smallsight import params
from smallsight.backbones.feature_store import place_of_maps, write_features
from smallsight.backbones.features import extract_features
from smallsight.backbones.reader import open_alike
from smallsight.classifiers.facts import is_shown, read_classifier_facts
from smallsight.classifiers.readers import NetworkFiles
from smallsight.conditions.rendered.names import read_facts
from smallsight.conditions.rendered.views import read_views
from smallsight.runtime import files, script

BACKBONE = Path("data/backbone.pth")
CLASSIFIER = Path("data/classifier.json")
ENGINE = Path("data/engine.json")
GRAPH = Path("data/backbone.onnx")
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")


def main(family: str) -> str:
    parameters = params.load()
    classifier = read_classifier_facts(CLASSIFIER)
    network = NetworkFiles(BACKBONE, CLASSIFIER, ENGINE, GRAPH, parameters.device)
    known, opener = open_alike(network)
    n_pictures = n_different = 0
    with files.new_folder(FEATURES / family) as folder:
        for condition in read_facts(CONDITIONS, family).conditions:
            if not is_shown(condition, classifier):
                continue
            views = read_views(CONDITIONS, condition)
            extracted = extract_features(
                views,
                CONDITIONS / condition.folder,
                opener,
                maps=folder / place_of_maps(condition) if condition.is_reference else None,
                keep_mirrored=classifier is None,
                asked=condition.asked,
            )
            write_features(extracted, condition, folder)
            n_pictures += len(views)
            n_different += len(extracted.plain["scene"])
    return f"{n_pictures} pictures, {n_different} of them different, on {known.place}"


if __name__ == "__main__":
    script.run(main, *sys.argv[1:])
