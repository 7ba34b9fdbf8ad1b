"""Fetch the sampled pictures, and no others."""

from smallsight import coco, params, sampling, sources, stage

ANNOTATIONS = "data/source/instances.json"
SAMPLE = "data/samples_step1_person_limited.csv"
PICTURES = "data/images"


def main() -> str:
    parameters = params.load()
    sample = sampling.read(SAMPLE)
    images = coco.read(ANNOTATIONS, parameters.data.categories).images
    images = images[images["image_id"].isin(sample["image_id"])]
    sources.open_source(parameters.data, seed=parameters.seed).fetch(images, PICTURES)
    return f"{len(images)} pictures from source {parameters.data.source}"


if __name__ == "__main__":
    stage.run(main)
