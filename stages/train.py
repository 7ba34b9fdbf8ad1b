"""Train the reference head, and every fold's head, on untouched pictures."""

import json
from pathlib import Path

from smallsight import (
    backbones,
    conditions,
    evaluation,
    features,
    files,
    heads,
    params,
    sampling,
    stage,
    training,
)
from smallsight.randomness import derive

SAMPLE = "data/samples_step1_person_limited.csv"
BACKBONE = "data/backbone.pth"
FEATURES = Path("data/features")
CHECKPOINT = "data/step3_checkpoint.pth"
CURVE = "data/training_curve.csv"
SUMMARY = "data/training.json"
HEADS = Path("data/heads")


def main() -> str:
    parameters = params.load()
    settings, seed = parameters.evaluation, parameters.seed
    categories = parameters.data.categories
    device = backbones.pick_device(parameters.device)
    sample = sampling.read(SAMPLE)
    untouched = conditions.ladder(conditions.UNTOUCHED, parameters.conditions)[0]
    seen = features.read(FEATURES / untouched.family / f"{untouched.level}.npz")

    test = sampling.reference_split(
        sample, test_share=settings.test_share, rng=derive(seed, "reference split")
    )
    reference, curve = training.reference_head(
        seen,
        evaluation.class_indices(sample["category_name"], categories),
        test,
        derive(seed, "reference head"),
        classes=len(categories),
        settings=parameters.heads,
        device=device,
    )
    about = {"condition": untouched.name, "seed": seed, "device": device.type}
    weights = backbones.read_weights(BACKBONE)
    training.write_checkpoint(CHECKPOINT, weights, reference, classes=categories, about=about)
    files.write_table(curve, CURVE)
    accuracy = curve["test_accuracy"].iloc[-1]
    counts = {"n_train": int((~test).sum()), "n_test": int(test.sum()), "test_accuracy": accuracy}
    about |= {"weights": parameters.backbone.weights}
    files.write_text(json.dumps(about | counts, indent=2) + "\n", SUMMARY)

    folds = evaluation.cross_validation(sample, categories, settings=settings, seed=seed)
    fitted = folds.fit(seen, settings=parameters.heads, device=device)
    with files.new_folder(HEADS) as folder:
        heads.write(fitted, folder / "fixed.npz")
    return f"reference head {accuracy:.3f} on {test.sum()} instances; {len(fitted)} heads, {device}"


if __name__ == "__main__":
    stage.run(main)
