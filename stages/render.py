"""Render one family over the sample."""

import sys
from pathlib import Path

from smallsight import conditions, files, params, render, sampling, stage

SAMPLE = "data/samples_step1_person_limited.csv"
CONDITIONS = Path("data/conditions")


def main(family: str) -> str:
    parameters = params.load()
    ladder = conditions.ladder(family, parameters.conditions)
    sample = sampling.read(SAMPLE)
    size = parameters.backbone.input_pixels
    with files.new_folder(CONDITIONS / family) as folder:
        views = render.render(ladder, sample, input_size=size, folder=folder)
        files.write_table(views, folder / "views.csv")
    levels = ", ".join(condition.level for condition in ladder)
    return f"{len(views)} pictures of {size} x {size} at {levels}"


if __name__ == "__main__":
    stage.run(main, *sys.argv[1:])
