"""Draw the balanced sample."""

import json

from smallsight import coco, files, params, sampling, stage

ANNOTATIONS = "data/source/instances.json"
PICTURES = "data/images"
SAMPLE = "data/samples_step1_person_limited.csv"
SUMMARY = "data/sampling.json"


def main() -> str:
    parameters = params.load()
    draw = sampling.draw(
        coco.read(ANNOTATIONS, parameters.data.categories),
        parameters.sample,
        picture_folder=PICTURES,
        seed=parameters.seed,
    )
    files.write_table(draw.sample, SAMPLE)
    files.write_text(json.dumps(draw.summary, indent=2) + "\n", SUMMARY)
    groups = ", ".join(f"{n} {group}" for group, n in draw.summary["drawn"].items())
    closing = f"{len(draw.sample)} instances of {draw.sample['image_id'].nunique()} pictures"
    if short := ", ".join(draw.shortfalls):
        return f"{closing} ({groups}; short of {parameters.sample.per_group}: {short})"
    return f"{closing} ({groups})"


if __name__ == "__main__":
    stage.run(main)
