"""Fetch the sampled pictures, and no others; average their colour."""

import json

from smallsight import coco, files, params, pictures, sampling, sources, stage

ANNOTATIONS = "data/source/instances.json"
SAMPLE = "data/samples_step1_person_limited.csv"
PICTURES = "data/images"
COLOUR = "data/colour.json"


def main() -> str:
    parameters = params.load()
    sample = sampling.read(SAMPLE)
    images = coco.read(ANNOTATIONS, parameters.data.categories).images
    images = images[images["image_id"].isin(sample["image_id"])]
    sources.open_source(parameters.data, seed=parameters.seed).fetch(images, PICTURES)
    colour = pictures.mean_colour(sample["image_path"].unique())
    files.write_text(json.dumps({"mean_colour": colour}) + "\n", COLOUR)
    return f"{len(images)} pictures from source {parameters.data.source}"


if __name__ == "__main__":
    stage.run(main)
