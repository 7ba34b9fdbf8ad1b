"""Make Grad-CAM maps of test data under every reference condition, and measure them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight import (
    attention,
    backbones,
    conditions,
    evaluation,
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
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")
HEADS = Path("data/heads")
PREDICTIONS = "data/predictions.parquet"
GRADCAM = Path("data/gradcam")
ATTENTION = "data/attention.csv"


def main() -> str:
    parameters = params.load()
    device = backbones.pick_device(parameters.device)
    size = parameters.backbone.input_pixels
    sample = sampling.read(SAMPLE)
    protocol = PROTOCOLS[parameters.protocol]
    splits = protocol.splits(
        sample, parameters.data.categories, settings=parameters.evaluation, seed=parameters.seed
    )
    regime = protocol.regimes[0]
    untouched = heads.read(HEADS / "fixed.npz")
    predictions = pd.read_parquet(
        PREDICTIONS, filters=[("regime", "==", regime), ("seed", "==", splits.seeds[0])]
    )
    steps = protocol.conditions(conditions.ladders(parameters.conditions))
    references = [step for step in steps if step.is_reference]
    tables: list[pd.DataFrame] = []
    cams: dict[str, np.ndarray] = {}
    for condition in progress(iter(references), total=len(references), description="Grad-CAM"):
        level = Path(condition.family) / condition.level
        seen = features.read(FEATURES / f"{level}.npz", maps=True)
        rows = predictions[predictions["condition"] == condition.name]
        rows = rows.merge(rendered.read_views(CONDITIONS, condition), on=["image_id", "ann_id"])
        targets = evaluation.class_indices(rows["predicted"], parameters.data.categories)
        fitted = splits.heads_of(regime, untouched, seen, settings=parameters.heads, device=device)
        maps = attention.out_of_fold_cams(splits, fitted, seen, targets, device=device)
        tables.append(rows.join(attention.measure(maps, rows, size=size)))
        cams[condition.name] = maps
    table = pd.concat(tables, ignore_index=True)
    files.write_table(table[list(attention.ATTENTION_COLUMNS)], ATTENTION)

    cards = gallery.cards(table, pictures=CONDITIONS, overlays=GRADCAM / "overlays", size=size)
    drawn = gallery.draw_outcomes(
        cards[(cards["condition"] == conditions.UNTOUCHED) & (cards["size_group"] == "small")],
        count=parameters.explain.gallery_size,
        rng=derive(parameters.seed, "gallery"),
    )
    strips = gallery.draw_strips(cards, rng=derive(parameters.seed, "strips"))
    with files.new_folder(GRADCAM) as folder:
        np.savez(folder / "maps.npz", condition=list(cams), cams=np.stack(list(cams.values())))
        gallery.write_overlays(
            pd.concat([drawn, strips]), np.concatenate(list(cams.values())), folder
        )
        files.write_table(drawn, folder / "gallery.csv")
        files.write_table(strips, folder / "strips.csv")
        about = {"layer": backbones.LAYER, "cell": backbones.CELL} | gallery.SCALE
        files.write_text(json.dumps(about, indent=2) + "\n", folder / "scale.json")
    hits = table.loc[table["condition"] == conditions.UNTOUCHED, "pointing_hit"].mean()
    return f"{len(table)} maps, {len(drawn)} cards; {hits:.0%} of untouched point at the object"


if __name__ == "__main__":
    stage.run(main)
