"""Write the annotations of the chosen source, what cannot be used left out."""

import own_library  # noqa: F401

from smallsight import params
from smallsight.datasets import coco
from smallsight.datasets.identities import SOURCE_ID
from smallsight.datasets.registry import make_source, read_tidied
from smallsight.runtime import files, script

ANNOTATIONS = "data/source/instances.json"


def main() -> str:
    parameters = params.load()
    data = parameters.data
    source = make_source(data, seed=parameters.seed)
    with files.new_file(ANNOTATIONS) as new:
        coco.write(read_tidied(source, data), new)
        dataset = coco.read(new, data.categories, where=source.where)
    counts = dataset.annotations["category_name"].value_counts()
    named = ", ".join(f"{counts.get(name, 0)} {name}" for name in dataset.categories)
    whole = "; every box is the whole picture" if dataset.are_whole_pictures else ""
    annotations = len(dataset.annotations)
    written = coco.load(ANNOTATIONS)
    renumbered = "".join(
        f"; {n} ids of {key} numbered anew"
        for key in ("images", "annotations", "categories")
        if (n := sum(SOURCE_ID in entry for entry in written[key]))
    )
    return f"{len(dataset.images)} pictures, {annotations} annotations ({named}){whole}{renumbered}"


if __name__ == "__main__":
    script.run(main)
