"""Make maps of evidence for test data under every reference condition, measure and show them."""

import json
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import read_features
from smallsight.backbones.resnet import LAYER
from smallsight.backbones.weights import random_weights, read_weights
from smallsight.conditions.ladders import ladders
from smallsight.conditions.names import UNTOUCHED
from smallsight.conditions.store import read_masks, read_pictures, read_views
from smallsight.evaluation import heads
from smallsight.evaluation.protocols import PROTOCOLS
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device
from smallsight.runtime.parallel import progress
from smallsight.runtime.randomness import derive
from smallsight.saliency import gallery, measures
from smallsight.saliency.explain import Explainer, explain_condition
from smallsight.sampling.sample import read_sample

SAMPLE = "data/samples_step1_person_limited.csv"
BACKBONE = "data/backbone.pth"
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")
HEADS = Path("data/heads")
PREDICTIONS = "data/predictions.parquet"
GRADCAM = Path("data/gradcam")
ATTENTION = "data/attention.csv"
MAPS = "data/attention_maps.csv"


def main() -> str:
    parameters = params.load()
    size, categories = parameters.backbone.input_pixels, parameters.data.categories
    layer, device = parameters.explain.layer, pick_device(parameters.device)
    sample = read_sample(SAMPLE)
    protocol = PROTOCOLS[parameters.protocol]
    splits = protocol.splits(
        sample, categories, settings=parameters.evaluation, seed=parameters.seed
    )
    regime = protocol.regimes[0]
    untouched = heads.read(HEADS / "fixed.npz")
    predictions = pd.read_parquet(
        PREDICTIONS, filters=[("regime", "==", regime), ("seed", "==", splits.seeds[0])]
    )
    explainer, untrained = (
        Explainer(layer, size, Backbone(weights), device)
        for weights in (
            read_weights(BACKBONE),
            random_weights(derive(parameters.seed, "random weights")),
        )
    )
    steps = protocol.conditions(ladders(parameters.conditions))
    references = [step for step in steps if step.is_reference]
    tables: dict[str, list[pd.DataFrame]] = defaultdict(list)
    cams: dict[str, np.ndarray] = {}
    for condition in progress(iter(references), total=len(references), description="Grad-CAM"):
        level = Path(condition.family) / condition.level
        seen = read_features(FEATURES / f"{level}.npz", maps=True)
        rows = predictions[predictions["condition"] == condition.name]
        rows = rows.merge(read_views(CONDITIONS, condition), on=["image_id", "ann_id"])
        cams[condition.name], measured = explain_condition(
            rows,
            seen,
            splits=splits,
            fitted=splits.heads_of(
                regime, untouched, seen, settings=parameters.heads, device=device
            ),
            covers=read_masks(CONDITIONS, condition, rows),
            pictures=partial(read_pictures, CONDITIONS / level, rows),
            explainer=explainer,
            untrained=untrained if condition.family == UNTOUCHED else None,
        )
        for name, table in measured.items():
            tables[name].append(table)
        tables["rows"].append(rows)
    whole = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    rows, found = whole.pop("rows"), whole.pop("predicted")
    files.write_table(found[list(measures.ATTENTION_COLUMNS)], ATTENTION)
    others = pd.concat([table.assign(map=name) for name, table in whole.items()])
    files.write_table(others[list(measures.MAP_COLUMNS)], MAPS)

    shown = rows.join(found[found.columns.difference(rows.columns)])
    every = np.concatenate(list(cams.values()))
    with files.new_folder(GRADCAM) as folder:
        np.savez(folder / "maps.npz", condition=list(cams), cams=np.stack(list(cams.values())))
        gallery.write(
            shown,
            every,
            dict(zip(sample["image_id"], sample["image_path"], strict=True)),
            pictures=CONDITIONS,
            place=GRADCAM,
            folder=folder,
            count=parameters.explain.gallery_size,
            size=size,
            seed=parameters.seed,
        )
        sums = found["logit_in_box"] + found["logit_elsewhere"] + found["bias"]
        about = {
            "layer": layer,
            "input_size": size,
            "cell": size / every.shape[-1],
            "pooled_layer": LAYER,
            "pooled_cell": size / seen.maps.shape[-1],
            "largest_sum_error": float((sums - found["logit"]).abs().max()),
        }
        files.write_text(json.dumps(about | gallery.SCALE, indent=2) + "\n", folder / "about.json")
    hits = found.loc[found["condition"] == UNTOUCHED, "pointing_hit"].mean()
    return f"{len(found)} maps of {layer}; {hits:.0%} of untouched point at the object"


if __name__ == "__main__":
    script.run(main)
