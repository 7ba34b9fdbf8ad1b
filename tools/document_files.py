"""Write docs/files.md: every file that a study makes, and every column of its tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from smallsight.analysis.dvc_plots import PLOTS
from smallsight.analysis.tables import TABLES
from smallsight.classifiers.answers import ANSWERS
from smallsight.classifiers.requests import REQUESTS
from smallsight.classifiers.tables import PREPROCESSINGS
from smallsight.conditions.rendered.views import VIEWS
from smallsight.evaluation.tables import (
    PREDICTIONS,
    RESULTS,
    RUNG_PREDICTIONS,
    SPLITS,
    TRAINING_CURVE,
)
from smallsight.imaging.photographs import DUPLICATES
from smallsight.remedies.tables import (
    ESTIMATED_SIDES,
    MORE_EXAMPLES_PREDICTIONS,
    REMEDY_PREDICTIONS,
    REMEDY_TIMES,
)
from smallsight.saliency.tables import (
    GALLERY,
    MAP_LIST,
    OTHER_MAPS,
    PREDICTED_CLASS_MAPS,
    REMOVALS,
    STRIPS,
)
from smallsight.sampling.donors import DONORS
from smallsight.sampling.sample import OBJECTS, SAMPLE

PAGE = Path(__file__).parents[1] / "docs" / "files.md"

REPORTS = {
    "reports/report.pdf": "the report to print: page one answers, then all tables and figures",
    "reports/report.html": "the same to explore, in one file that needs nothing beside itself",
    "reports/summary.md": "the report in brief, for a pull request's comment",
    "reports/metrics.json": "at most ten numbers that `dvc metrics diff` compares",
    "reports/compare.html": "two experiments compared, to explore (`make compare`)",
    "reports/compare.pdf": "the same to print",
    "reports/inspect.html": "what a study would make of the data (`make inspect`)",
    "reports/limits.xml": "limits that are kept or not, as JUnit XML (`make check`)",
}

FILES = {
    "data/checked.txt": "always the same text: a mark that all parameters were checked",
    "data/source/instances.json": "annotations of the study's categories in the chosen source, "
    "in COCO's format, without what cannot be used; `left_out`: how much of that there is, by "
    "reason, with examples",
    "data/sampling.json": "how the sample was drawn; how many instances were asked for, eligible, "
    "left out by reason (`excluded`, with `examples`) and drawn; least, median and most of each "
    "measure of size by group; how many eligible ones have which side in pixels of their picture",
    "data/categories.json": "names of the study's categories, in its order",
    "data/masks.json": "masks of the sampled instances, in COCO's run-length encoding",
    "data/images/": "the sampled pictures, as the source has them where they are used as they are; "
    "others as PNG under the same name (see [pictures](pictures.md)); of downloaded ones, "
    "`.origin` says where from",
    "data/pictures.json": "`source` of the pictures; `changed`: how many were changed by which "
    "rule, with an example; `in_doubt`: those whose EXIF orientation may not be that of their "
    "boxes; `duplicates`: how many are the same photograph as another one",
    "data/colour.json": "`mean_colour` of these pictures: red, green, blue, 0 to 255",
    "data/backbone.pth": "name, weights and normalisation of the frozen backbone, without its "
    "last layer; `torch.load(..., weights_only=True)` reads it. Of a classifier of your own: its "
    "weights, or its file as it is",
    "data/classifier.json": "your own classifier: where it came from, its classes, its "
    "preprocessing, how maps are made of it; `null` where the study's own heads are examined",
    "data/backbone.json": "what later stages need to know of the backbone: its name, weights and "
    "where they came from, its input, the cells of its layers, its readouts",
    "data/input.json": "size and interpolation of the network's input: all that `render` needs",
    "data/engine.json": "what runs the backbone, in which precision, and how far its features are "
    "from torch's in float32",
    "data/backbone.onnx": "the backbone as a graph of ONNX's, from pictures to features and maps, "
    "where onnxruntime runs it; empty elsewhere",
    "data/conditions/<family>/family.json": "the family's facts: family, label, description, "
    "role, neutral, levels by task, reference",
    "data/conditions/<family>/<level>/<image_id>_<ann_id>.png": "a lossless picture per instance, "
    "as the network sees it: of the scene task. Where `pictures` asks for archives, or the sample "
    "has more than 10,000 objects, `<level>.zip` stands for the folder `<level>`; `make pictures` "
    "unpacks",
    "data/conditions/<family>/object/<level>/<image_id>_<ann_id>.png": "the same of the object "
    "task; `pixels` leaves out objects smaller than its largest side",
    "data/conditions/<family>/masks.npz, data/conditions/<family>/object/masks.npz": "at the "
    "reference level of each task, how much of each pixel the object's mask covers: `ids` (n, 2), "
    "`covers` (n, size, size), 0 to 255",
    "data/features/<family>/<level>.npz": "of the scene task; the object task's lie in "
    "`data/features/<family>/object/`: all readouts' features: `scene` of each "
    "different picture (`row`: each instance's), `box`, `finer` (strides 8 and 16, which `pyramid` "
    "joins to `box`) and `fpn` of each instance, as far as the network has them, and the same "
    "`..._mirrored`. Features of your own "
    "classifier are its logits, or the logarithms of its probabilities, and nothing is mirrored",
    "data/features/<family>/<level>.maps.npy": "the last layer's maps of the different pictures of "
    "a reference level, (pictures, dimensions, rows, columns)",
    "data/step3_checkpoint.pth": "trunk and reference head as one network, with classes, "
    "class_to_idx, condition and seed; `torch.load(..., weights_only=True)` reads it",
    "data/heads/scene.npz, data/heads/object.npz": "every fold's head on untouched pictures of "
    "each task: `weight` (heads, classes, dimensions), `bias` (heads, classes), seed by seed. For "
    "your own classifier, which classes make up each category: `membership` (categories, classes)",
    "data/remedies.json": "of every remedy: name, label, description, what it needs and how many "
    "passes it takes by task, whether it was tried, and what would test it",
    "data/training.json": "how the reference head was trained, and its accuracy",
    "data/gradcam/maps.npz": "saliency maps of the predicted class: `cams` (conditions, "
    "instances, rows, columns), `task` and `condition` their names",
    "data/gradcam/about.json": "layer, cell sizes and colours of the maps, and how exactly cells "
    "sum to the logit",
    "data/gradcam/gallery/": "overlays and untouched pictures of the objects in `gallery.csv`",
    "data/gradcam/strips/": "the same of those in `strips.csv`",
    "data/gradcam/thumbnails/": "a picture of each object, side by side: the whole picture, "
    "then its window under all conditions",
}

PLACES = {
    "data/samples_step1_person_limited.csv": SAMPLE,
    "data/donors.csv": DONORS,
    "data/objects.csv": OBJECTS,
    "data/conditions/<family>/views.csv": VIEWS,
    "data/duplicates.csv": DUPLICATES,
    "data/splits.csv": SPLITS,
    "data/training_curve.csv": TRAINING_CURVE,
    "data/preprocessing.csv": PREPROCESSINGS,
    "data/predictions.parquet": PREDICTIONS,
    "data/results_conditions.csv": RESULTS,
    "data/rungs.parquet": RUNG_PREDICTIONS,
    "data/remedies.parquet": REMEDY_PREDICTIONS,
    "data/remedies_times.csv": REMEDY_TIMES,
    "data/more_examples.parquet": MORE_EXAMPLES_PREDICTIONS,
    "data/estimated_sides.csv": ESTIMATED_SIDES,
    "data/attention.csv": PREDICTED_CLASS_MAPS,
    "data/attention_maps.csv": OTHER_MAPS,
    "data/faithfulness.csv": REMOVALS,
    "data/gradcam/gallery.csv": GALLERY,
    "data/gradcam/strips.csv": STRIPS,
    "data/gradcam/maps.csv": MAP_LIST,
    "requests.csv": REQUESTS,
    "predictions.csv": ANSWERS,
    **{f"data/analysis/{table.name}.csv": table for table in TABLES},
    **{f"data/plots/{table.name}.csv": table for table in PLOTS},
}

INTRODUCTION = """\
# Files

Every file that a study makes, and every column of its tables. This page is made from the tables'
declarations by `python tools/document_files.py`: edit those, not the page.
"""

TABLES_INTRODUCTION = """\
## Tables

Text may be empty, and so may numbers and identifiers. Identifiers are whole numbers that name
something. Flags are `True` or `False`.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8", newline="\n")


def page() -> str:
    """Return the page in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    for heading, files in (("Reports", REPORTS), ("Pictures, arrays and other data", FILES)):
        yield from (f"## {heading}", "")
        yield from _table(("file", "what it holds"), _named(files))
        yield ""
    yield TABLES_INTRODUCTION
    links = ((f"[`{path}`](#{_anchor(path)})", one.meaning) for path, one in PLACES.items())
    yield from _table(("table", "what it says"), links)
    for path, one in PLACES.items():
        yield from ("", f"### `{path}`", "", f"{one.meaning[0].upper()}{one.meaning[1:]}.", "")
        columns = one.columns if one.rest is None else (*one.columns, one.rest)
        rows = ((f"`{column.name}`", column.kind, column.meaning) for column in columns)
        yield from _table(("column", "holds", "meaning"), rows)


def _named(files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((f"`{path}`", meaning) for path, meaning in files.items())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return "".join(one for one in heading.lower().replace(" ", "-") if one.isalnum() or one in "-_")


if __name__ == "__main__":
    main()
