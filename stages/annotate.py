"""Write the annotations of the chosen source."""

import own_library  # noqa: F401

from smallsight import params
from smallsight.datasets import coco
from smallsight.datasets.registry import make_source
from smallsight.runtime import files, script

ANNOTATIONS = "data/source/instances.json"


def main() -> str:
    parameters = params.load()
    data = parameters.data
    source = make_source(data, seed=parameters.seed)
    with files.new_file(ANNOTATIONS) as new:
        coco.write(source.annotations(), new)
        dataset = coco.read(new, data.categories, where=source.where)
    counts = dataset.annotations["category_name"].value_counts()
    named = ", ".join(f"{counts.get(name, 0)} {name}" for name in data.categories)
    whole = "; every box is the whole picture" if dataset.are_whole_pictures else ""
    annotations = len(dataset.annotations)
    return f"{len(dataset.images)} pictures, {annotations} annotations ({named}){whole}"


if __name__ == "__main__":
    script.run(main)
