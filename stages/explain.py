"""Make, measure and draw saliency maps for test data, at every reference level of both tasks."""

from pathlib import Path

import own_library  # noqa: F401

import pandas as pd

from smallsight import params
from smallsight.backbones.facts import read_backbone_facts
from smallsight.backbones.networks.weights import read_weights
from smallsight.conditions.rendered.names import read_all_facts
from smallsight.evaluation import heads
from smallsight.evaluation.protocols import PROTOCOLS
from smallsight.evaluation.splits import read_splits
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device
from smallsight.saliency.run import explain_study, write_study_maps
from smallsight.sampling.sample import read_sample
from smallsight.vocabulary import TASKS

SAMPLE = "data/samples_step1_person_limited.csv"
SPLITS = "data/splits.csv"
BACKBONE = "data/backbone.pth"
FACTS = "data/backbone.json"
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")
HEADS = Path("data/heads")
PREDICTIONS = "data/predictions.parquet"
GRADCAM = Path("data/gradcam")
ATTENTION = "data/attention.csv"
MAPS = "data/attention_maps.csv"


def main() -> str:
    parameters = params.load()
    sample = read_sample(SAMPLE)
    splits = read_splits(SPLITS, sample, parameters.data.categories)
    protocol = PROTOCOLS[parameters.protocol]
    regime = protocol.regimes[0]
    facts = read_all_facts(CONDITIONS, parameters.conditions)
    # The levels of a sweep make one curve: no one of them is looked at by itself.
    conditions = [
        one
        for task in TASKS
        for one in protocol.conditions(facts)
        if one.task == task and one.is_reference and facts[one.family].role != "sweep"
    ]
    maps = explain_study(
        pd.read_parquet(
            PREDICTIONS, filters=[("regime", "==", regime), ("seed", "==", splits.seeds[0])]
        ),
        conditions,
        splits=splits,
        regime=regime,
        untouched={task: heads.read(HEADS / f"{task}.npz") for task in TASKS},
        weights=read_weights(BACKBONE),
        layer=parameters.explain.layer,
        size=read_backbone_facts(FACTS).input_size,
        settings=parameters.heads,
        seed=parameters.seed,
        device=pick_device(parameters.device),
        rendered=CONDITIONS,
        features=FEATURES,
    )
    files.write_table(maps.predicted_class, ATTENTION)
    files.write_table(maps.other_maps, MAPS)
    with files.new_folder(GRADCAM) as folder:
        write_study_maps(
            maps,
            dict(zip(sample["image_id"], sample["image_path"], strict=True)),
            place=GRADCAM,
            folder=folder,
            count=parameters.explain.gallery_size,
            seed=parameters.seed,
        )
    shares = ", ".join(f"{task} {maps.pointing(task):.0%}" for task in TASKS)
    return f"{len(maps.predictions)} maps of {maps.layer}; untouched that point there: {shares}"


if __name__ == "__main__":
    script.run(main)
