"""Predict test data under every condition and from every rung, in every regime of the protocol."""

from pathlib import Path

import own_library  # noqa: F401

import pandas as pd

from smallsight import params
from smallsight.backbones.feature_store import read_features
from smallsight.classifiers.facts import asked_tasks, read_classifier_facts
from smallsight.conditions.rendered.names import Condition, read_all_facts
from smallsight.evaluation import heads
from smallsight.evaluation.crossfit import heads_for_regime
from smallsight.evaluation.ladder import predict_rungs
from smallsight.evaluation.predictions import predict, summarise_results
from smallsight.evaluation.protocols import find_protocol
from smallsight.evaluation.splits import read_splits
from smallsight.runtime import files, script
from smallsight.runtime.parallel import map_here
from smallsight.runtime.tables import read_table
from smallsight.sampling.sample import OBJECTS as ALL_OBJECTS
from smallsight.sampling.sample import read_categories, read_sample
from smallsight.vocabulary import SCENE

CATEGORIES = "data/categories.json"
SAMPLE = "data/samples_step1_person_limited.csv"
OBJECTS = "data/objects.csv"
SPLITS = "data/splits.csv"
CLASSIFIER = "data/classifier.json"
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")
HEADS = Path("data/heads")
PREDICTIONS = "data/predictions.parquet"
RUNGS = "data/rungs.parquet"
RESULTS = "data/results_conditions.csv"


def main() -> str:
    parameters = params.load()
    classifier = read_classifier_facts(CLASSIFIER)
    protocol = find_protocol(parameters.protocol, is_own=classifier is not None)
    tasks = asked_tasks(classifier)
    splits = read_splits(SPLITS, read_sample(SAMPLE), read_categories(CATEGORIES))
    untouched = {task: heads.read(HEADS / f"{task}.npz") for task in tasks}
    facts = read_all_facts(CONDITIONS, parameters.conditions)
    chosen = protocol.conditions(facts, tasks)

    def evaluate(condition: Condition) -> list[pd.DataFrame]:
        seen = read_features(FEATURES, condition, parameters.heads.readout)
        suited = splits.of_instances(seen.image_id, seen.ann_id)
        return [
            predict(
                suited,
                heads_for_regime(
                    suited,
                    regime,
                    untouched[condition.task],
                    seen,
                    settings=parameters.heads,
                ),
                seen,
                condition,
                regime=regime,
            )
            for regime in protocol.regimes
        ]

    tables = map_here(evaluate, chosen, description="evaluating")
    predictions = pd.concat(
        [
            part
            for task in tasks
            for regime in zip(*tables, strict=True)
            for condition, part in zip(chosen, regime, strict=True)
            if condition.task == task
        ]
    )
    rungs = predict_rungs(
        splits,
        facts,
        read_table(OBJECTS, ALL_OBJECTS),
        features=FEATURES,
        settings=parameters.heads,
        as_it_is=None if classifier is None else untouched[SCENE],
    )
    files.write_table(predictions, PREDICTIONS)
    files.write_table(rungs, RUNGS)
    files.write_table(summarise_results(predictions), RESULTS)
    n_rungs = rungs["rung"].nunique()
    return f"{len(predictions)} predictions of {len(chosen)} conditions, {n_rungs} rungs"


if __name__ == "__main__":
    script.run(main)
