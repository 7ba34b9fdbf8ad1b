"""Make maps of evidence for test data under every reference condition, measure and show them."""

import json
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight import (
    attention,
    backbones,
    conditions,
    explanations,
    features,
    files,
    gallery,
    heads,
    params,
    rendered,
    sampling,
    stage,
)
from smallsight.parallel import progress
from smallsight.protocols import PROTOCOLS
from smallsight.randomness import derive

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
    layer, device = parameters.explain.layer, backbones.pick_device(parameters.device)
    sample = sampling.read(SAMPLE)
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
        explanations.Explainer(layer, size, backbones.Backbone(weights), device)
        for weights in (
            backbones.read_weights(BACKBONE),
            backbones.random_weights(derive(parameters.seed, "random weights")),
        )
    )
    steps = protocol.conditions(conditions.ladders(parameters.conditions))
    references = [step for step in steps if step.is_reference]
    tables: dict[str, list[pd.DataFrame]] = defaultdict(list)
    cams: dict[str, np.ndarray] = {}
    for condition in progress(iter(references), total=len(references), description="Grad-CAM"):
        level = Path(condition.family) / condition.level
        seen = features.read(FEATURES / f"{level}.npz", maps=True)
        rows = predictions[predictions["condition"] == condition.name]
        rows = rows.merge(rendered.read_views(CONDITIONS, condition), on=["image_id", "ann_id"])
        cams[condition.name], measured = explanations.explained(
            rows,
            seen,
            splits=splits,
            fitted=splits.heads_of(
                regime, untouched, seen, settings=parameters.heads, device=device
            ),
            covers=rendered.read_masks(CONDITIONS, condition, rows),
            pictures=partial(rendered.read_pictures, CONDITIONS / level, rows),
            explainer=explainer,
            untrained=untrained if condition.family == conditions.UNTOUCHED else None,
        )
        for name, table in measured.items():
            tables[name].append(table)
        tables["rows"].append(rows)
    whole = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    rows, found = whole.pop("rows"), whole.pop("predicted")
    files.write_table(found[list(attention.ATTENTION_COLUMNS)], ATTENTION)
    others = pd.concat([table.assign(map=name) for name, table in whole.items()])
    files.write_table(others[list(attention.MAP_COLUMNS)], MAPS)

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
            "pooled_layer": backbones.LAYER,
            "pooled_cell": size / seen.maps.shape[-1],
            "largest_sum_error": float((sums - found["logit"]).abs().max()),
        }
        files.write_text(json.dumps(about | gallery.SCALE, indent=2) + "\n", folder / "about.json")
    hits = found.loc[found["condition"] == conditions.UNTOUCHED, "pointing_hit"].mean()
    return f"{len(found)} maps of {layer}; {hits:.0%} of untouched point at the object"


if __name__ == "__main__":
    stage.run(main)
