"""A study as a FiftyOne dataset, and a view of one as a sample.

The package fiftyone is imported where it is needed: it is an extra, and starts a database.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from smallsight.api.study_objects import StudyObject, StudyObjects
from smallsight.runtime import files
from smallsight.runtime.errors import SampleError, SmallsightError

EXTRA = "pip install 'smallsight[fiftyone]'"
GROUND_TRUTH = "ground_truth"
"""The field that holds the objects; every condition has a field of its own beside it."""

IDS = {"image_id": ("image_id", "coco_id"), "ann_id": ("ann_id", "coco_id")}
"""Names of ids: those of a study, and those that FiftyOne's import of COCO keeps on request."""


def write_dataset(study: StudyObjects, name: str) -> int:
    """Write a persistent dataset into FiftyOne's database; return the number of its samples.

    A sample is a picture with its image_id. `ground_truth` has its sampled objects, labelled with
    their category, with ann_id, size_group, side, and cause (why it failed as a whole picture);
    correct and predicted are of the untouched picture in the headline task, wrong_under lists the
    fields of conditions under which it fails. Every condition of a task has a field with the same
    boxes, labelled with what is predicted. `saliency_1` is the saliency map of the object whose
    index is 1, and so on.

    Raises
    ------
    SmallsightError
        Where fiftyone is missing or has no database, or where there is such a dataset already.
    """
    fo = _open()
    if fo.dataset_exists(name):
        expected = f"another name, or none of it: fiftyone datasets delete {name}"
        raise SmallsightError("fiftyone", f"there is a dataset {name!r}", expected)
    try:
        dataset = fo.Dataset(name)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise SmallsightError("fiftyone", reason, "a name for a dataset") from None
    try:
        _fill(dataset, study, fo)
        dataset.persistent = True
    except BaseException:
        dataset.delete()
        raise
    return len(dataset)


def export_dataset(study: StudyObjects, folder: str | Path) -> int:
    """Write a folder that `fiftyone.Dataset.from_dir` reads (`FiftyOneDataset`), with pictures.

    It holds what `write_dataset` writes; the database keeps nothing of it.

    Raises
    ------
    SmallsightError
        Where fiftyone is missing or has no database, or where there is such a folder already.
    """
    folder = Path(folder)
    if folder.exists():
        raise SmallsightError(folder, "it is there already", "a folder to be made")
    fo = _open()
    dataset = fo.Dataset()
    try:
        _fill(dataset, study, fo)
        with files.new_folder(folder) as new:
            new.rmdir()  # FiftyOne warns of a folder that is there
            kind = fo.types.FiftyOneDataset
            dataset.export(export_dir=str(new), dataset_type=kind, progress=False)
        return len(dataset)
    finally:
        dataset.delete()


def read_instances(source: str, view: str = "") -> pd.DataFrame:
    """List the objects of a dataset or a view of it, for `data.instances`.

    Parameters
    ----------
    source
        The name of a dataset in FiftyOne's database, or the folder of a `FiftyOneDataset` export,
        which is read without fiftyone.
    view
        The name of a saved view of a dataset; all of it where empty.

    Returns
    -------
    DataFrame
        image_id, ann_id and, where all objects have one, size_group: a row per object of
        `ground_truth`, in the order of the ids.

    Raises
    ------
    SmallsightError
        Where there is no such dataset, view or folder, or fiftyone is missing.
    SampleError
        Where the objects have no ids, or there are none.
    """
    if Path(source).is_dir():
        if view:
            raise SmallsightError(source, f"view {view!r}", "no view: export the view itself")
        return _instances(_exported(Path(source)), source)
    fo = _open()
    if not fo.dataset_exists(source):
        known = ", ".join(fo.list_datasets()) or "none is there"
        raise SmallsightError("fiftyone", f"no dataset or folder {source!r}", f"one of {known}")
    collection = fo.load_dataset(source)
    if view:
        if not collection.has_saved_view(view):
            known = ", ".join(collection.list_saved_views()) or "none is saved"
            raise SmallsightError(f"fiftyone: {source}", f"no view {view!r}", f"one of {known}")
        collection = collection.load_saved_view(view)
    return _instances((sample.to_dict() for sample in collection), source)


def _open() -> Any:
    """Import fiftyone, and see that it has a database."""
    try:
        import fiftyone as fo
    except ImportError:
        raise SmallsightError("package fiftyone", "not installed", EXTRA) from None
    try:
        fo.list_datasets()
    # It starts or reaches a MongoDB, and whatever fails there comes through.
    except Exception as error:
        reason = str(error).split("\n")[0] or type(error).__name__
        expected = "a MongoDB that it can start or reach (FIFTYONE_DATABASE_URI)"
        raise SmallsightError("fiftyone", reason, expected) from None
    return fo


def _fill(dataset: Any, study: StudyObjects, fo: Any) -> None:
    samples = []
    for picture in study.pictures:
        sample = fo.Sample(filepath=str(picture.path.resolve()), image_id=picture.image_id)
        sample[GROUND_TRUTH] = fo.Detections(
            detections=[
                fo.Detection(
                    label=one.category,
                    bounding_box=list(one.box),
                    index=number,
                    side=one.side,
                    cause=one.cause or None,
                    wrong_under=[
                        name for name, answer in one.answers.items() if not answer.correct
                    ],
                    **_headline(one, study.headline),
                    **_ids(one),
                )
                for number, one in enumerate(picture.objects, start=1)
            ]
        )
        for name in study.fields:
            sample[name] = fo.Detections(
                detections=[
                    fo.Detection(
                        label=answer.predicted,
                        bounding_box=list(one.box),
                        confidence=answer.confidence,
                        index=number,
                        correct=answer.correct,
                        right=answer.right,
                        **_ids(one),
                    )
                    for number, one in enumerate(picture.objects, start=1)
                    if (answer := one.answers.get(name))
                ]
            )
        for number, one in enumerate(picture.objects, start=1):
            if one.saliency is not None:
                scale = [0, float(one.saliency.max())]
                sample[f"saliency_{number}"] = fo.Heatmap(map=one.saliency, range=scale)
        samples.append(sample)
    dataset.add_samples(samples, dynamic=True, progress=False)


def _ids(one: StudyObject) -> dict[str, Any]:
    return {"ann_id": one.ann_id, "size_group": one.size_group}


def _headline(one: StudyObject, name: str) -> dict[str, Any]:
    answer = one.answers.get(name)
    return {"correct": answer.correct, "predicted": answer.predicted} if answer else {}


def _exported(folder: Path) -> list[dict[str, Any]]:
    path = folder / "samples.json"
    try:
        samples = json.loads(path.read_bytes())["samples"]
    except OSError as error:
        raise SmallsightError(path, error.strerror or "?", "a FiftyOneDataset export") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise SmallsightError(path, "no samples in JSON", "a FiftyOneDataset export") from None
    if not isinstance(samples, list):
        raise SmallsightError(path, "samples that are no list", "a FiftyOneDataset export")
    return samples


def _instances(samples: Iterable[Any], source: str) -> pd.DataFrame:
    rows, lacking = [], 0
    for sample, entry in _objects(samples):
        ids = [_whole(sample, IDS["image_id"]), _whole(entry, IDS["ann_id"])]
        lacking += None in ids
        rows.append((*ids, entry.get("size_group")))
    if lacking:
        found = f"{lacking} of {len(rows)} objects without image_id and ann_id"
        raise SampleError(source, found, "whole numbers, as smallsight writes them")
    if not rows:
        raise SampleError(source, f"no objects in {GROUND_TRUTH}", "at least one")
    table = pd.DataFrame(rows, columns=["image_id", "ann_id", "size_group"])
    table = table.drop_duplicates(["image_id", "ann_id"]).sort_values(["image_id", "ann_id"])
    return table.dropna(axis="columns").reset_index(drop=True)


def _objects(samples: Iterable[Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for sample in samples:
        field = sample.get(GROUND_TRUTH) if isinstance(sample, dict) else None
        entries = field.get("detections") if isinstance(field, dict) else None
        for entry in entries if isinstance(entries, list) else ():
            yield sample, entry if isinstance(entry, dict) else {}


def _whole(entry: dict[str, Any], names: Iterable[str]) -> int | None:
    return next((entry[name] for name in names if type(entry.get(name)) is int), None)
