"""Render one family over the sample."""

import json
import sys
from pathlib import Path

import own_library  # noqa: F401

from smallsight import params
from smallsight.conditions.rendering.instance_views import InstanceViews, with_inputs
from smallsight.conditions.rendering.levels import levels_of
from smallsight.conditions.rendering.render import render_family
from smallsight.imaging.pictures import read_input_format
from smallsight.runtime import files, script
from smallsight.sampling.donors import read_donors
from smallsight.sampling.instance_masks import read_masks
from smallsight.sampling.sample import read_sample

SAMPLE = "data/samples_step1_person_limited.csv"
MASKS = "data/masks.json"
DONORS = "data/donors.csv"
COLOUR = Path("data/colour.json")
INPUT = "data/input.json"
CONDITIONS = Path("data/conditions")


def main(family: str) -> str:
    parameters = params.load()
    levels = levels_of(family, parameters.conditions, parameters.tasks)
    sample = read_sample(SAMPLE)
    input_format = read_input_format(INPUT)
    shared = InstanceViews(
        colour=tuple(json.loads(COLOUR.read_text(encoding="utf-8"))["mean_colour"]),
        input_format=input_format,
        window_margin=parameters.tasks.window_margin,
    )
    instances = with_inputs(sample, read_masks(MASKS), read_donors(DONORS))
    with files.new_folder(CONDITIONS / family) as folder:
        views = render_family(
            levels,
            instances,
            shared,
            seed=parameters.seed,
            folder=folder,
            storage=parameters.pictures,
        )
        files.write_table(views, folder / "views.csv")
    named = ", ".join(str(level.condition.place) for level in levels)
    size = input_format.size
    return f"{len(views)} pictures of {size} x {size} at {named}"


if __name__ == "__main__":
    script.run(main, *sys.argv[1:])
