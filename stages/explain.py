"""Make, measure and draw saliency maps for test data, at every reference level of each task."""

from pathlib import Path

import own_library  # noqa: F401

import pandas as pd
import torch

from smallsight import params
from smallsight.backbones.engine import read_engine
from smallsight.backbones.facts import read_backbone_facts
from smallsight.backbones.trunk_file import TrunkFile
from smallsight.classifiers.facts import ClassifierFacts, asked_tasks, read_classifier_facts
from smallsight.classifiers.load import open_classifier
from smallsight.classifiers.own import OwnClassifier
from smallsight.conditions.rendered.names import read_all_facts
from smallsight.evaluation import heads
from smallsight.evaluation.protocols import find_protocol
from smallsight.evaluation.splits import read_splits
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device
from smallsight.saliency.explain import Explainer, HeadExplainer, trained_and_untrained
from smallsight.saliency.run import StudyMaps, explain_study, write_no_maps, write_study_maps
from smallsight.saliency.tables import OTHER_MAPS, PREDICTED_CLASS_MAPS
from smallsight.sampling.sample import read_categories, read_sample

CATEGORIES = "data/categories.json"
SAMPLE = "data/samples_step1_person_limited.csv"
SPLITS = "data/splits.csv"
BACKBONE = Path("data/backbone.pth")
FACTS = "data/backbone.json"
CLASSIFIER = "data/classifier.json"
ENGINE = "data/engine.json"
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")
HEADS = Path("data/heads")
PREDICTIONS = "data/predictions.parquet"
GRADCAM = Path("data/gradcam")
ATTENTION = "data/attention.csv"
MAPS = "data/attention_maps.csv"


def main() -> str:
    parameters = params.load()
    classifier = read_classifier_facts(CLASSIFIER)
    if classifier is not None and classifier.maps == "none":
        files.write_table(PREDICTED_CLASS_MAPS.empty(), ATTENTION)
        files.write_table(OTHER_MAPS.empty(), MAPS)
        with files.new_folder(GRADCAM) as folder:
            write_no_maps(folder=folder)
        return f"no maps: {classifier.no_maps}"
    sample, tasks = read_sample(SAMPLE), asked_tasks(classifier)
    maps = explain(parameters, classifier, sample, tasks)
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
    shares = ", ".join(f"{task} {maps.pointing(task):.0%}" for task in tasks)
    return f"{len(maps.predictions)} maps of {maps.layer}; untouched that point there: {shares}"


def explain(
    parameters: params.Params,
    classifier: ClassifierFacts | None,
    sample: pd.DataFrame,
    tasks: tuple[str, ...],
) -> StudyMaps:
    """Explain the first seed's predictions in the headline regime."""
    device = pick_device(parameters.device)
    splits = read_splits(SPLITS, sample, read_categories(CATEGORIES))
    protocol = find_protocol(parameters.protocol, is_own=classifier is not None)
    regime = protocol.regimes[0]
    facts = read_all_facts(CONDITIONS, parameters.conditions)
    # The levels of a sweep make one curve: no one of them is looked at by itself.
    conditions = [
        one
        for task in tasks
        for one in protocol.conditions(facts, tasks)
        if one.task == task and one.is_reference and facts[one.family].role != "sweep"
    ]
    explainer, untrained = (
        of_heads(parameters, device) if classifier is None else of_own(classifier, device)
    )
    return explain_study(
        pd.read_parquet(
            PREDICTIONS, filters=[("regime", "==", regime), ("seed", "==", splits.seeds[0])]
        ),
        conditions,
        splits=splits,
        regime=regime,
        untouched={task: heads.read(HEADS / f"{task}.npz") for task in tasks},
        explainer=explainer,
        untrained=untrained,
        settings=parameters.heads,
        rendered=CONDITIONS,
        features=FEATURES,
    )


def of_heads(
    parameters: params.Params, device: torch.device
) -> tuple[Explainer, HeadExplainer | None]:
    """Return what explains heads on the frozen backbone, and on one of random weights."""
    size = read_backbone_facts(FACTS).input_size
    trunk = TrunkFile(BACKBONE, read_engine(ENGINE), size, parameters.device)
    return trained_and_untrained(
        trunk,
        parameters.seed,
        layer=parameters.explain.layer,
        readout=parameters.heads.readout,
        device=device,
    )


def of_own(classifier: ClassifierFacts, device: torch.device) -> tuple[Explainer, None]:
    """Return what explains the user's own classifier; there is none of random weights."""
    # Imported late, for as long as its library takes.
    from smallsight.saliency.own_explainer import OwnExplainer

    opened = open_classifier(classifier, BACKBONE)
    assert isinstance(opened, OwnClassifier), "a classifier without maps"
    return OwnExplainer(opened.to(device), device), None


if __name__ == "__main__":
    script.run(main)
