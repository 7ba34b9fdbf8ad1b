"""Fetch the sampled pictures, and no others; average their colour, find duplicates."""

import json

import own_library  # noqa: F401

from smallsight import params
from smallsight.datasets import coco
from smallsight.datasets.collecting import Reading
from smallsight.datasets.registry import make_source
from smallsight.imaging.duplicates import describe_pictures, find_duplicates, mean_colour
from smallsight.imaging.photographs import DUPLICATES
from smallsight.runtime import files, script
from smallsight.runtime.tables import conform
from smallsight.sampling.sample import read_sample

ANNOTATIONS = "data/source/instances.json"
SAMPLE = "data/samples_step1_person_limited.csv"
PICTURES = "data/images"
COLOUR = "data/colour.json"
ABOUT = "data/pictures.json"
SAME = "data/duplicates.csv"


def main() -> str:
    parameters = params.load()
    sample = read_sample(SAMPLE)
    images = coco.read_images(ANNOTATIONS)
    images = images[images["image_id"].isin(sample["image_id"])]
    source = make_source(parameters.data, seed=parameters.seed)
    reading = Reading(parameters.data.orientation, parameters.data.max_pixels)
    facts = source.fetch(images, PICTURES, reading)
    paths = sample[["image_id", "image_path"]].drop_duplicates()
    traits = describe_pictures(paths["image_path"].to_list())
    colour = mean_colour(traits)
    found = find_duplicates(paths["image_id"].to_list(), traits)
    files.write_table(conform(found.table, DUPLICATES), SAME)
    about = facts.as_tree() | {"duplicates": found.as_tree()}
    files.write_text(json.dumps(about, indent=2) + "\n", ABOUT)
    files.write_text(json.dumps({"mean_colour": colour}) + "\n", COLOUR)
    fetched = f"{len(images)} pictures from source {parameters.data.source}"
    return "; ".join(filter(None, (fetched, facts.describe(), found.describe())))


if __name__ == "__main__":
    script.run(main)
