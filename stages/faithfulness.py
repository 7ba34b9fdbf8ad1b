"""Remove the object and other regions, restore them alone, and see what the heads make of it."""

import json
from pathlib import Path

from smallsight import (
    backbones,
    conditions,
    features,
    files,
    heads,
    params,
    removal,
    rendered,
    sampling,
    stage,
)
from smallsight.protocols import PROTOCOLS

SAMPLE = "data/samples_step1_person_limited.csv"
COLOUR = Path("data/colour.json")
BACKBONE = "data/backbone.pth"
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")
HEADS = Path("data/heads")
FAITHFULNESS = "data/faithfulness.csv"


def main() -> str:
    parameters = params.load()
    device = backbones.pick_device(parameters.device)
    untouched = conditions.ladder(conditions.UNTOUCHED, parameters.conditions)[0]
    level = Path(untouched.family) / untouched.level
    sample = sampling.read(SAMPLE)
    splits = PROTOCOLS[parameters.protocol].splits(
        sample, parameters.data.categories, settings=parameters.evaluation, seed=parameters.seed
    )
    table = removal.removals(
        sample,
        rendered.read_views(CONDITIONS, untouched),
        CONDITIONS / level,
        colour=tuple(json.loads(COLOUR.read_text(encoding="utf-8"))["mean_colour"]),
        seed=parameters.seed,
        splits=splits,
        fitted=heads.read(HEADS / "fixed.npz"),
        seen=features.read(FEATURES / f"{level}.npz"),
        backbone=backbones.Backbone(backbones.read_weights(BACKBONE)),
        device=device,
    )
    files.write_table(table, FAITHFULNESS)
    lost = table[(table["change"] == "removed") & (table["area"] == 1)]
    change = (lost["p_after"] - lost["p_before"]).groupby(lost["region"]).mean()
    told = ", ".join(f"{name} {value:+.3f}" for name, value in change.items())
    return f"{len(table)} edits; the true class's probability without a region: {told}"


if __name__ == "__main__":
    stage.run(main)
