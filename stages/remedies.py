"""Try remedies on the sample; see what more examples would do, and how large objects seem."""

from pathlib import Path

import own_library  # noqa: F401

import numpy as np

from smallsight import params
from smallsight.backbones.engine import read_engine
from smallsight.backbones.reader import open_alike
from smallsight.backbones.trunk_file import TrunkFile
from smallsight.classifiers.facts import asked_tasks, read_classifier_facts
from smallsight.classifiers.mapping import read_mapping
from smallsight.classifiers.readers import NetworkFiles
from smallsight.evaluation.splits import read_splits
from smallsight.imaging.pictures import read_input_format
from smallsight.remedies.bench import Bench
from smallsight.remedies.facts import write_remedy_facts
from smallsight.remedies.more_examples import predict_more_examples
from smallsight.remedies.registry import REMEDIES
from smallsight.remedies.run import try_remedies
from smallsight.remedies.sides import estimate_sides
from smallsight.remedies.tables import ESTIMATED_SIDES, MORE_EXAMPLES_PREDICTIONS
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device
from smallsight.sampling.sample import read_categories, read_sample
from smallsight.vocabulary import SCENE, TASKS

CATEGORIES = "data/categories.json"
SAMPLE = "data/samples_step1_person_limited.csv"
SPLITS = "data/splits.csv"
BACKBONE = Path("data/backbone.pth")
CLASSIFIER = Path("data/classifier.json")
ENGINE = Path("data/engine.json")
GRAPH = Path("data/backbone.onnx")
HEADS = Path("data/heads")
INPUT = "data/input.json"
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")
PREDICTIONS = "data/remedies.parquet"
FACTS = "data/remedies.json"
TIMES = "data/remedies_times.csv"
MORE_EXAMPLES = "data/more_examples.parquet"
SIDES = "data/estimated_sides.csv"


def main() -> str:
    parameters = params.load()
    device = pick_device(parameters.device)
    classifier = read_classifier_facts(CLASSIFIER)
    mapping = None if classifier is None else read_mapping(HEADS / f"{SCENE}.npz")
    input_format = read_input_format(INPUT)
    trunk = TrunkFile(BACKBONE, read_engine(ENGINE), input_format.size, parameters.device)
    bench = Bench(
        splits=read_splits(SPLITS, read_sample(SAMPLE), read_categories(CATEGORIES)),
        settings=parameters.heads,
        trunk=trunk if classifier is None else None,
        opener=NetworkFiles(BACKBONE, CLASSIFIER, ENGINE, GRAPH, parameters.device),
        input_format=input_format,
        window_margin=parameters.tasks.window_margin,
        conditions=CONDITIONS,
        features=FEATURES,
        device=device,
        mapping=mapping,
        tasks=asked_tasks(classifier),
        is_timed=classifier is None or not classifier.is_asked,
    )
    more, sides = MORE_EXAMPLES_PREDICTIONS.empty(), ESTIMATED_SIDES.empty()
    if classifier is None:
        untouched = {task: bench.stored(task) for task in TASKS}
        more = predict_more_examples(
            bench.splits, untouched, settings=parameters.heads, seed=parameters.seed
        )
        sides = estimate_sides(bench.splits, untouched, np.asarray(untouched[SCENE].side))
    # Last, since pictures and networks stay in memory from then on.
    tried = try_remedies(bench, REMEDIES, parameters.remedies)
    files.write_table(tried.predictions, PREDICTIONS)
    files.write_table(tried.times, TIMES)
    files.write_table(more, MORE_EXAMPLES)
    files.write_table(sides, SIDES)
    write_remedy_facts(tried.facts, FACTS)
    counts = [sum(one.state == state for one in tried.facts) for state in ("tried", "impossible")]
    place = open_alike(bench.opener)[0].place
    return f"{counts[0]} remedies, {counts[1]} that this network cannot have, on {place}"


if __name__ == "__main__":
    script.run(main)
