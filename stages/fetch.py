"""Fetch the sampled pictures, and no others; average their colour."""

import json

import own_library  # noqa: F401

from smallsight import params
from smallsight.datasets import coco
from smallsight.datasets.registry import make_source
from smallsight.imaging import pictures
from smallsight.runtime import files, script
from smallsight.sampling.sample import read_sample

ANNOTATIONS = "data/source/instances.json"
SAMPLE = "data/samples_step1_person_limited.csv"
PICTURES = "data/images"
COLOUR = "data/colour.json"


def main() -> str:
    parameters = params.load()
    sample = read_sample(SAMPLE)
    images = coco.read(ANNOTATIONS, parameters.data.categories).images
    images = images[images["image_id"].isin(sample["image_id"])]
    make_source(parameters.data, seed=parameters.seed).fetch(images, PICTURES)
    colour = pictures.mean_colour(sample["image_path"].unique())
    files.write_text(json.dumps({"mean_colour": colour}) + "\n", COLOUR)
    return f"{len(images)} pictures from source {parameters.data.source}"


if __name__ == "__main__":
    script.run(main)
