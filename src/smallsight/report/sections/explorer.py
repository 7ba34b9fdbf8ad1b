"""The gallery of the screen: every object, whole and under every condition, with its maps.

Everything the browser needs is one JSON text. Pictures are thumbnails, one copy of each; maps are
the values of their cells, which the browser colours.
"""

import base64
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from markupsafe import Markup
from PIL import Image

from smallsight.analysis.failures import SEPARATOR
from smallsight.evaluation.rungs import RUNGS
from smallsight.report import traits
from smallsight.report.cards import shown_label
from smallsight.report.figures import style
from smallsight.report.marks import condition_marks
from smallsight.report.rows import Row, records
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES
from smallsight.runtime.errors import PictureError, SmallsightError
from smallsight.vocabulary import GROUPS, INSTANCE, SCENE

VIEW = (
    *("failed", "named", "right", "predicted", "confidence", "lift", "peak"),
    *("x", "y", "w", "h", "ratio"),
)
"""What the page knows of an object under a condition, in this order: whether it failed and what it
was named, both by most seeds; the share of seeds that are right; the first seed's prediction, with
its confidence, and lift and greatest cell of its map; the box, as shares of the picture; the
picture's width over its height."""


@dataclass(frozen=True)
class Choice:
    """One thing to choose: its value in the data, and its label."""

    value: str
    label: str


@dataclass(frozen=True)
class Choices:
    """Things to choose from, under one label; `name` is that of a trait, or a task's."""

    name: str
    label: str
    choices: list[Choice]


@dataclass(frozen=True)
class Explorer:
    """What the section shows.

    Attributes
    ----------
    scene, window
        What the two tasks are called; the latter is empty where no windows were shown.
    filters
        What the gallery can be narrowed down by.
    shown
        The conditions to choose from with their marks, by task.
    data
        JSON for the page's script.
    """

    scene: str
    window: str
    filters: list[Choices]
    shown: list[Choices]
    data: Markup


def data(study: Study) -> Markup:
    """Write what the gallery shows as JSON that may stand inside a `<script>` element.

    Raises
    ------
    SmallsightError
        Where there is not one map for each row of the table of maps.
    PictureError
        Where thumbnails are missing.
    """
    tree = {
        "view": VIEW,
        "seeds": study.n_seeds,
        "task": TASK_NAMES[study.headline_task],
        "groups": GROUPS,
        "conditions": conditions(study),
        "categories": list(traits.categories(study)),
        "causes": traits.causes(study),
        "rescuers": traits.rescuers(study),
        "filters": [trait.name for trait in traits.TRAITS],
        "traits": [trait.name for trait in traits.TRAITS if trait.values is not None],
        "stops": style.gradient(str(study.about["colormap"])),
        "alpha": study.about["alpha"],
        "cells": study.map_values.shape[-1],
        "objects": _objects(study),
    }
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Inside a script element, `</script>` and `<!--` would be markup.
    return Markup(text.replace("<", "\\u003c"))


def filters(study: Study) -> list[Choices]:
    """Return what the gallery can be narrowed down by: the traits that have a choice."""
    found = [
        Choices(one.name, one.label, [Choice(*item) for item in one.choices(study).items()])
        for one in traits.TRAITS
    ]
    return [one for one in found if one.choices]


def shown(study: Study) -> list[Choices]:
    """Return the conditions to choose from, by task."""
    by_task: dict[str, list[Choice]] = {}
    for one in conditions(study):
        choice = Choice(f"{one['task']}/{one['name']}", one["label"])
        by_task.setdefault(one["task"], []).append(choice)
    return [Choices(task, TASK_NAMES[task].capitalize(), of) for task, of in by_task.items()]


def conditions(study: Study) -> list[dict[str, str]]:
    """Return what has maps, in order: tasks and conditions, with their labels and marks."""
    found = []
    for task, name in dict.fromkeys(zip(study.maps["task"], study.maps["condition"], strict=True)):
        label = f"{shown_label(study, task, name)} {condition_marks(study, task, name)}"
        found.append({"task": task, "name": name, "label": label.strip()})
    return found


def _objects(study: Study) -> list[dict[str, Any]]:
    if len(study.maps) != len(study.map_values):
        raise SmallsightError(
            "data/gradcam/maps.npz",
            f"{len(study.map_values)} maps",
            f"{len(study.maps)} as in maps.csv",
        )
    votes = study.tables["answers"]
    size = study.about["input_size"]
    table = study.maps.assign(map=np.arange(len(study.maps)))
    table = table.merge(
        votes.drop(columns=["category_name", "size_group", "side"]),
        on=["task", "condition", *INSTANCE],
        suffixes=("", "_by_most"),
        validate="one_to_one",
    )
    of_category = {name: number for number, name in enumerate(traits.categories(study))}
    table = table.assign(
        named=table["predicted_by_most"].map(of_category),
        predicted=table["predicted"].map(of_category),
    )
    files = study.sample.set_index(INSTANCE)["file_name"].to_dict()
    failures, instances = traits.failures(study), traits.instances(study)
    known = {one.name: one.values(study) for one in traits.TRAITS if one.values is not None}
    maps = _bytes(study.map_values)
    found = []
    for key, views in table.groupby(INSTANCE, sort=False):
        thumbnails, shown = _thumbnails(views["thumbnail"].iloc[0])
        image, ann = key
        found.append(
            {
                "image": str(image),
                "object": str(ann),
                "file": files.get(key, ""),
                "side": round(float(instances[key]["side"]), 1),
                **{name: values[key] for name, values in known.items() if key in values},
                **_failure(study, failures.get(key)),
                "views": [_view(row, size) for row in records(views)],
                "maps": base64.b64encode(maps[views["map"][:shown]].tobytes()).decode("ascii"),
                "pictures": thumbnails,
            }
        )
    return found


def _view(row: Row, size: int) -> list[Any]:
    """Return `VIEW` of an object under one condition."""
    rounded = [_rounded(row[name]) for name in ("confidence", "lift", "peak")]
    box = [round(float(row[f"box_{key}"]) / size, 4) for key in "xywh"]
    right, ratio = round(float(row["right"]), 3), round(row["view_w"] / row["view_h"], 4)
    named, predicted = int(row["named"]), int(row["predicted"])
    return [int(row["failed"]), named, right, predicted, *rounded, *box, ratio]


def _rounded(value: float) -> float | None:
    return float(f"{value:.3g}") if np.isfinite(value) else None


def _failure(study: Study, row: Row | None) -> dict[str, Any]:
    """Return whose name a failure has, and on which rungs it is right."""
    found: dict[str, Any] = {}
    if row is None:
        return found
    if np.isfinite(row["neighbour_side"]):
        side = f"{row['neighbour_side']:.1f}"
        found["neighbour"] = f"{row['neighbour']}, object {row['neighbour_ann_id']}, side {side} px"
    if study.has_ladder:
        rungs = row["rungs"].split(SEPARATOR)
        found["given"] = [rung.label.lower() for rung in RUNGS if rung.name in rungs]
    return found


def _bytes(maps: np.ndarray) -> np.ndarray:
    """Return each map as bytes, (maps, cells), 255 for its greatest value."""
    flat = maps.reshape(len(maps), maps.shape[-2] * maps.shape[-1])
    top = flat.max(axis=1, keepdims=True, initial=0)
    return np.rint(255 * np.divide(flat, top, out=np.zeros_like(flat), where=top > 0)).astype(
        np.uint8
    )


def _thumbnails(path: str) -> tuple[str, int]:
    """Read an object's thumbnails: their `data:` address, and of how many conditions they are."""
    try:
        content = Path(path).read_bytes()
        with Image.open(io.BytesIO(content)) as row:
            width, height = row.size
    except OSError as error:
        raise PictureError(path, error.strerror or "no picture", "a WebP file") from None
    address = "data:image/webp;base64," + base64.b64encode(content).decode("ascii")
    return address, width // height


def build(study: Study) -> Explorer | None:
    """Return what the section shows of a study; None where no object has pictures."""
    if not study.has_gallery:
        return None
    return Explorer(
        scene=TASK_NAMES[SCENE],
        window=study.window,
        filters=filters(study),
        shown=shown(study),
        data=data(study),
    )


def address(**wanted: str) -> str:
    """Return where the page shows the gallery, narrowed down; a fragment of its address.

    Parameters
    ----------
    wanted
        Values by the names of traits; and `condition`, a task and a condition with a slash between.
    """
    return f"{SECTION.anchor}?{urlencode(wanted)}"


SECTION = Section(
    name="explorer",
    build=build,
    anchor="galleries",
    title="Objects, one by one",
)
