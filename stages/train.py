"""Divide the sample, and make what turns features into categories: heads, or a mapping."""

import json
from pathlib import Path
from typing import Any

import own_library  # noqa: F401

import torch

from smallsight import params
from smallsight.backbones.facts import read_backbone_facts
from smallsight.backbones.feature_store import read_features
from smallsight.backbones.networks.weights import read_weights
from smallsight.classifiers.facts import ClassifierFacts, asked_tasks, read_classifier_facts
from smallsight.classifiers.load import open_classifier
from smallsight.classifiers.mapping import resolve_mapping, write_mapping
from smallsight.classifiers.own import OwnClassifier
from smallsight.classifiers.tables import PREPROCESSINGS, is_suspicious
from smallsight.classifiers.wrong_preprocessings import compare_preprocessings
from smallsight.conditions.rendered.names import UNTOUCHED, read_facts
from smallsight.conditions.rendered.store import read_pictures
from smallsight.evaluation import heads
from smallsight.evaluation.crossfit import fit_heads, out_of_fold
from smallsight.evaluation.protocols import find_protocol
from smallsight.evaluation.reference_head import (
    reference_head,
    write_checkpoint,
    write_empty_checkpoint,
)
from smallsight.evaluation.splits import Splits, write_splits
from smallsight.evaluation.splitting import make_splits
from smallsight.evaluation.tables import TRAINING_CURVE
from smallsight.imaging.photographs import DUPLICATES
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device
from smallsight.runtime.randomness import derive
from smallsight.runtime.tables import read_table
from smallsight.sampling.sample import read_categories, read_sample
from smallsight.vocabulary import SCENE, TASKS

CATEGORIES = "data/categories.json"
SAMPLE = "data/samples_step1_person_limited.csv"
BACKBONE = Path("data/backbone.pth")
FACTS = "data/backbone.json"
CLASSIFIER = "data/classifier.json"
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")
CHECKPOINT = "data/step3_checkpoint.pth"
CURVE = "data/training_curve.csv"
PREPROCESSING = "data/preprocessing.csv"
SUMMARY = "data/training.json"
HEADS = Path("data/heads")
DUPLICATE_PICTURES = "data/duplicates.csv"
SPLITS = "data/splits.csv"


def main() -> str:
    parameters = params.load()
    device = pick_device(parameters.device)
    sample = read_sample(SAMPLE)
    classifier = read_classifier_facts(CLASSIFIER)
    protocol = find_protocol(parameters.protocol, is_own=classifier is not None)
    splits = make_splits(
        protocol,
        sample,
        read_categories(CATEGORIES),
        settings=parameters.evaluation,
        seed=parameters.seed,
        duplicates=read_table(DUPLICATE_PICTURES, DUPLICATES),
    )
    write_splits(splits, SPLITS)
    if classifier is None:
        return train_heads(parameters, splits, device)
    return map_classes(parameters, classifier, splits, device)


def train_heads(parameters: params.Params, splits: Splits, device: torch.device) -> str:
    """Train the reference head, and every fold's head, on untouched pictures."""
    seed, categories = parameters.seed, splits.categories
    untouched = read_facts(CONDITIONS, UNTOUCHED)
    seen = {
        one.task: read_features(FEATURES, one, parameters.heads.readout)
        for one in untouched.conditions
    }
    test = splits.reference_test
    reference, curve = reference_head(
        seen[SCENE],
        splits.labels,
        test,
        derive(seed, "reference head"),
        classes=len(categories),
        settings=parameters.heads,
    )
    about: dict[str, Any] = {"condition": untouched.name, "seed": seed, "device": device.type}
    about |= {"readout": parameters.heads.readout, "task": SCENE}
    write_checkpoint(
        CHECKPOINT,
        read_weights(BACKBONE),
        reference,
        last_layer=read_backbone_facts(FACTS).last_layer,
        classes=categories,
        about=about,
    )
    files.write_table(curve, CURVE)
    files.write_table(PREPROCESSINGS.empty(), PREPROCESSING)
    accuracy = curve["test_accuracy"].iloc[-1]
    write_summary(about, parameters, splits, accuracy)
    with files.new_folder(HEADS) as folder:
        for task, features in seen.items():
            fitted = fit_heads(splits, features, settings=parameters.heads)
            heads.write(fitted, folder / f"{task}.npz")
    n_heads = f"{len(fitted)} heads for each of {len(seen)} tasks"
    return f"reference head {accuracy:.3f} on {test.sum()} instances; {n_heads}, {device}"


def map_classes(
    parameters: params.Params, classifier: ClassifierFacts, splits: Splits, device: torch.device
) -> str:
    """Map the classifier's own classes to categories, and try the usual wrong preprocessings."""
    settings = parameters.classifier
    mapping = resolve_mapping(
        settings.mapping,
        classifier.classes,
        splits.categories,
        keeps_rest=settings.rest == "other",
    )
    tasks = asked_tasks(classifier)
    (untouched,) = read_facts(CONDITIONS, UNTOUCHED).in_task(tasks[-1])
    seen = read_features(FEATURES, untouched, "scene")
    named = out_of_fold(splits, mapping, seen)[0].argmax(axis=1)
    accuracy = float((named == splits.labels).mean())
    opened = open_classifier(classifier, BACKBONE)
    tried = PREPROCESSINGS.empty()
    if isinstance(opened, OwnClassifier):
        pictures = read_pictures(CONDITIONS / untouched.folder, splits.sample)
        tried = compare_preprocessings(opened, mapping, pictures, splits.labels, device=device)
    about: dict[str, Any] = {"condition": untouched.name, "seed": parameters.seed}
    about |= {"device": device.type, "readout": "scene", "task": untouched.task}
    write_empty_checkpoint(CHECKPOINT, classes=splits.categories, about=about)
    files.write_table(TRAINING_CURVE.empty(), CURVE)
    files.write_table(tried, PREPROCESSING)
    write_summary(about, parameters, splits, accuracy)
    with files.new_folder(HEADS) as folder:
        for task in TASKS:
            write_mapping(mapping, folder / f"{task}.npz")
    n_classes = int(mapping.membership[: len(splits.categories)].sum())
    warning = f"; more is right under a wrong preprocessing: {PREPROCESSING}"
    summary = f"{n_classes} of {len(classifier.classes)} classes mapped; {accuracy:.3f} untouched"
    return summary + (warning if is_suspicious(tried) else "")


def write_summary(
    about: dict[str, Any], parameters: params.Params, splits: Splits, accuracy: float
) -> None:
    """Write what was trained and tested, and how well it did."""
    test, images = splits.reference_test, splits.sample["image_id"]
    counts = {
        "n_train": int((~test).sum()),
        "n_test": int(test.sum()),
        "shared_images": int(images[test].isin(images[~test]).sum()),
        "test_accuracy": accuracy,
    }
    about = about | {"protocol": parameters.protocol}
    files.write_text(json.dumps(about | counts, indent=2) + "\n", SUMMARY)


if __name__ == "__main__":
    script.run(main)
