"""Train the reference head, and every fold's head, on untouched pictures."""

import json
from pathlib import Path

import own_library  # noqa: F401

from smallsight import params
from smallsight.backbones.facts import read_backbone_facts
from smallsight.backbones.feature_store import read_features
from smallsight.backbones.networks.weights import read_weights
from smallsight.conditions.rendered.names import UNTOUCHED, read_facts
from smallsight.evaluation import heads
from smallsight.evaluation.crossfit import fit_heads
from smallsight.evaluation.protocols import PROTOCOLS
from smallsight.evaluation.reference_head import reference_head, write_checkpoint
from smallsight.evaluation.splits import make_splits, write_splits
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device
from smallsight.runtime.randomness import derive
from smallsight.sampling.sample import read_sample
from smallsight.vocabulary import SCENE

SAMPLE = "data/samples_step1_person_limited.csv"
BACKBONE = "data/backbone.pth"
FACTS = "data/backbone.json"
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")
CHECKPOINT = "data/step3_checkpoint.pth"
CURVE = "data/training_curve.csv"
SUMMARY = "data/training.json"
HEADS = Path("data/heads")
SPLITS = "data/splits.csv"


def main() -> str:
    parameters = params.load()
    seed, categories = parameters.seed, parameters.data.categories
    device = pick_device(parameters.device)
    sample = read_sample(SAMPLE)
    untouched = read_facts(CONDITIONS, UNTOUCHED)
    seen = {
        one.task: read_features(FEATURES, one, parameters.heads.readout)
        for one in untouched.conditions
    }

    protocol = PROTOCOLS[parameters.protocol]
    splits = make_splits(protocol, sample, categories, settings=parameters.evaluation, seed=seed)
    write_splits(splits, SPLITS)
    test = splits.reference_test
    reference, curve = reference_head(
        seen[SCENE],
        splits.labels,
        test,
        derive(seed, "reference head"),
        classes=len(categories),
        settings=parameters.heads,
        device=device,
    )
    about = {"condition": untouched.name, "seed": seed, "device": device.type}
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
    accuracy = curve["test_accuracy"].iloc[-1]
    images = sample["image_id"]
    counts = {
        "n_train": int((~test).sum()),
        "n_test": int(test.sum()),
        "shared_images": int(images[test].isin(images[~test]).sum()),
        "test_accuracy": accuracy,
    }
    about |= {"protocol": parameters.protocol}
    files.write_text(json.dumps(about | counts, indent=2) + "\n", SUMMARY)

    with files.new_folder(HEADS) as folder:
        for task, features in seen.items():
            fitted = fit_heads(splits, features, settings=parameters.heads, device=device)
            heads.write(fitted, folder / f"{task}.npz")
    n_heads = f"{len(fitted)} heads for each of {len(seen)} tasks"
    return f"reference head {accuracy:.3f} on {test.sum()} instances; {n_heads}, {device}"


if __name__ == "__main__":
    script.run(main)
