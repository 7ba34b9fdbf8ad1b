"""Render one family over the sample."""

import json
import sys
from pathlib import Path

from smallsight import conditions, donors, files, masks, materials, params, render, sampling, stage

SAMPLE = "data/samples_step1_person_limited.csv"
MASKS = "data/masks.json"
DONORS = "data/donors.csv"
COLOUR = Path("data/colour.json")
CONDITIONS = Path("data/conditions")


def main(family: str) -> str:
    parameters = params.load()
    ladder = conditions.ladder(family, parameters.conditions)
    sample = sampling.read(SAMPLE)
    size = parameters.backbone.input_pixels
    shared = materials.materials(
        sample,
        colour=tuple(json.loads(COLOUR.read_text(encoding="utf-8"))["mean_colour"]),
        input_size=size,
    )
    instances = materials.with_materials(sample, masks.read(MASKS), donors.read(DONORS))
    with files.new_folder(CONDITIONS / family) as folder:
        views = render.render(ladder, instances, shared, folder=folder)
        files.write_table(views, folder / "views.csv")
    levels = ", ".join(condition.level for condition in ladder)
    return f"{len(views)} pictures of {size} x {size} at {levels}"


if __name__ == "__main__":
    stage.run(main, *sys.argv[1:])
