"""Draw the balanced sample and donors for it; keep its masks and all objects of its pictures."""

import json

import own_library  # noqa: F401

from smallsight import params
from smallsight.datasets import coco
from smallsight.runtime import files, script
from smallsight.sampling.annotated_masks import collect_masks
from smallsight.sampling.donors import draw_donors
from smallsight.sampling.draw import draw_sample
from smallsight.sampling.instance_masks import write_masks

ANNOTATIONS = "data/source/instances.json"
PICTURES = "data/images"
SAMPLE = "data/samples_step1_person_limited.csv"
SUMMARY = "data/sampling.json"
DONORS = "data/donors.csv"
MASKS = "data/masks.json"
OBJECTS = "data/objects.csv"


def main() -> str:
    parameters = params.load()
    dataset = coco.read(ANNOTATIONS, parameters.data.categories)
    draw = draw_sample(
        dataset,
        parameters.sample,
        picture_folder=PICTURES,
        seed=parameters.seed,
    )
    known_masks = collect_masks(dataset, draw.sample)
    files.write_table(draw.sample, SAMPLE)
    write_masks(known_masks, MASKS)
    objects = dataset.annotations[dataset.annotations["image_id"].isin(draw.sample["image_id"])]
    margin = parameters.tasks.window_margin
    donors = draw_donors(draw.sample, objects, window_margin=margin, seed=parameters.seed)
    files.write_table(donors, DONORS)
    files.write_table(objects.drop(columns="segmentation"), OBJECTS)
    files.write_text(json.dumps(draw.summary, indent=2) + "\n", SUMMARY)
    groups = ", ".join(f"{n} {group}" for group, n in draw.summary["drawn"].items())
    closing = f"{len(draw.sample)} instances of {draw.sample['image_id'].nunique()} pictures"
    if short := ", ".join(draw.shortfalls):
        return f"{closing} ({groups}; short of {parameters.sample.per_group}: {short})"
    return f"{closing} ({groups})"


if __name__ == "__main__":
    script.run(main)
