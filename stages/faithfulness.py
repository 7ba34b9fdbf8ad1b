"""Remove the object and other regions, restore them alone, and see what the heads make of it."""

import json
from pathlib import Path

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import read_features
from smallsight.backbones.weights import read_weights
from smallsight.conditions.ladders import ladder
from smallsight.conditions.names import UNTOUCHED
from smallsight.conditions.store import read_views
from smallsight.evaluation import heads
from smallsight.evaluation.protocols import PROTOCOLS
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device
from smallsight.saliency import removal
from smallsight.sampling.sample import read_sample

SAMPLE = "data/samples_step1_person_limited.csv"
COLOUR = Path("data/colour.json")
BACKBONE = "data/backbone.pth"
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")
HEADS = Path("data/heads")
FAITHFULNESS = "data/faithfulness.csv"


def main() -> str:
    parameters = params.load()
    device = pick_device(parameters.device)
    untouched = ladder(UNTOUCHED, parameters.conditions)[0]
    level = Path(untouched.family) / untouched.level
    sample = read_sample(SAMPLE)
    splits = PROTOCOLS[parameters.protocol].splits(
        sample, parameters.data.categories, settings=parameters.evaluation, seed=parameters.seed
    )
    table = removal.compute_removals(
        sample,
        read_views(CONDITIONS, untouched),
        CONDITIONS / level,
        colour=tuple(json.loads(COLOUR.read_text(encoding="utf-8"))["mean_colour"]),
        seed=parameters.seed,
        splits=splits,
        fitted=heads.read(HEADS / "fixed.npz"),
        seen=read_features(FEATURES / f"{level}.npz"),
        backbone=Backbone(read_weights(BACKBONE)),
        device=device,
    )
    files.write_table(table, FAITHFULNESS)
    lost = table[(table["change"] == "removed") & (table["area"] == 1)]
    change = (lost["p_after"] - lost["p_before"]).groupby(lost["region"]).mean()
    told = ", ".join(f"{name} {value:+.3f}" for name, value in change.items())
    return f"{len(table)} edits; the true class's probability without a region: {told}"


if __name__ == "__main__":
    script.run(main)
