"""Choose the engine that runs the frozen network, and check it against torch on real pictures."""

from pathlib import Path

import own_library  # noqa: F401

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.backbones.engine import Engine, write_engine
from smallsight.backbones.engine_choice import choose_engine
from smallsight.backbones.features import BOX
from smallsight.backbones.networks.weights import read_weights
from smallsight.classifiers.facts import read_classifier_facts
from smallsight.conditions.rendered.names import UNTOUCHED, read_facts
from smallsight.conditions.rendered.store import read_pictures
from smallsight.conditions.rendered.views import read_views
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device
from smallsight.sampling.sample import read_sample
from smallsight.vocabulary import INSTANCE

SAMPLE = "data/samples_step1_person_limited.csv"
BACKBONE = Path("data/backbone.pth")
CLASSIFIER = "data/classifier.json"
CONDITIONS = Path("data/conditions")
ENGINE = "data/engine.json"
GRAPH = Path("data/backbone.onnx")

ENOUGH = 32
"""Pictures of each task that show whether features agree to rounding."""


def main() -> str:
    parameters = params.load()
    engine, graph = Engine("own"), b""
    if read_classifier_facts(CLASSIFIER) is None:
        engine, graph = choose(parameters)
    with files.new_file(GRAPH) as new:
        new.write_bytes(graph)
    write_engine(engine, ENGINE)
    return engine.describe()


def choose(parameters: params.Params) -> tuple[Engine, bytes]:
    """Choose an engine by pictures of both tasks: by all of them where predictions count."""
    sample = read_sample(SAMPLE)
    pictures, views = [], []
    for condition in read_facts(CONDITIONS, UNTOUCHED).conditions:
        seen = read_views(CONDITIONS, condition)
        if parameters.engine.precision == "float32":
            seen = seen.iloc[:: max(len(seen) // ENOUGH, 1)]
        pictures.append(read_pictures(CONDITIONS / condition.folder, seen))
        views.append(seen)
    rows = pd.concat(views).merge(sample, on=INSTANCE)
    return choose_engine(
        parameters.engine,
        read_weights(BACKBONE),
        np.concatenate(pictures),
        rows[BOX].to_numpy(float),
        rows["category_name"].to_numpy(),
        device=pick_device(parameters.device),
    )


if __name__ == "__main__":
    script.run(main)
