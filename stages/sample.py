"""Draw the balanced sample and donors for it; keep its masks and all objects of its pictures."""

import json

import own_library  # noqa: F401

from smallsight import params
from smallsight.datasets import coco
from smallsight.imaging.pictures import read_input_format
from smallsight.runtime import files, script
from smallsight.sampling.annotated_masks import collect_masks
from smallsight.sampling.console import left_out_table, sizes_table, unknown_caps
from smallsight.sampling.donors import draw_donors
from smallsight.sampling.draw import draw_sample
from smallsight.sampling.instance_masks import write_masks
from smallsight.sampling.listed import read_listed
from smallsight.sampling.sample import write_categories

ANNOTATIONS = "data/source/instances.json"
INPUT = "data/input.json"
PICTURES = "data/images"
SAMPLE = "data/samples_step1_person_limited.csv"
SUMMARY = "data/sampling.json"
CATEGORIES = "data/categories.json"
DONORS = "data/donors.csv"
MASKS = "data/masks.json"
OBJECTS = "data/objects.csv"


def main() -> str:
    parameters = params.load()
    data = parameters.data
    dataset = coco.read(ANNOTATIONS, data.categories)
    listed = read_listed(data.instances)
    draw = draw_sample(
        dataset,
        parameters.sample,
        picture_folder=PICTURES,
        input_size=read_input_format(INPUT).size,
        seed=parameters.seed,
        listed=None if listed is None else (data.instances, listed),
    )
    masks, unreadable = collect_masks(dataset, draw.sample, max_bad_share=data.max_bad_share)
    summary = draw.summary | {"unreadable_masks": unreadable}
    files.write_table(draw.sample, SAMPLE)
    write_categories(draw.categories, CATEGORIES)
    write_masks(masks, MASKS)
    objects = dataset.annotations[dataset.annotations["image_id"].isin(draw.sample["image_id"])]
    margin = parameters.tasks.window_margin
    donors = draw_donors(draw.sample, objects, window_margin=margin, seed=parameters.seed)
    files.write_table(donors, DONORS)
    files.write_table(objects, OBJECTS)
    files.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", SUMMARY)
    unknown = unknown_caps(summary["caps"], draw.categories)
    for told in (left_out_table(summary), unknown, sizes_table(summary)):
        print(told, end="")
    groups = ", ".join(f"{n} {group}" for group, n in draw.summary["drawn"].items())
    closing = f"{len(draw.sample)} instances of {draw.sample['image_id'].nunique()} pictures"
    if listed is None and (short := ", ".join(draw.shortfalls)):
        return f"{closing} ({groups}; short of {parameters.sample.per_group}: {short})"
    return f"{closing} ({groups})"


if __name__ == "__main__":
    script.run(main)
