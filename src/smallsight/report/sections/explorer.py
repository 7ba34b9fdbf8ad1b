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

import numpy as np
from markupsafe import Markup
from PIL import Image

from smallsight.analysis.terms import describe_part
from smallsight.evaluation.rungs import RUNGS
from smallsight.report.cards import shown_label
from smallsight.report.figures import style
from smallsight.report.marks import condition_marks
from smallsight.report.rows import Row, keyed, records
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
    """One thing that the gallery can be narrowed down to: its value in the data, and its label."""

    value: str | int
    label: str


@dataclass(frozen=True)
class Filter:
    """What the gallery can be narrowed down by."""

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
    conditions
        Labels of the conditions to choose from, with their marks.
    data
        JSON for the page's script.
    """

    scene: str
    window: str
    filters: list[Filter]
    conditions: list[str]
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
        "categories": categories(study),
        "causes": causes(study),
        "stops": style.gradient(str(study.about["colormap"])),
        "alpha": study.about["alpha"],
        "cells": study.map_values.shape[-1],
        "objects": _objects(study),
    }
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Inside a script element, `</script>` and `<!--` would be markup.
    return Markup(text.replace("<", "\\u003c"))


def filters(study: Study) -> list[Filter]:
    """Return what the gallery can be narrowed down by: those that have a choice."""
    found = [
        Filter("group", "Size", [Choice(group, group.capitalize()) for group in GROUPS]),
        Filter("category", "Category", [Choice(*one) for one in enumerate(categories(study))]),
        Filter("outcome", "Outcome", [Choice(0, "Recognised"), Choice(1, "Failed")]),
        Filter("cause", "Suggested cause", [Choice(*one) for one in causes(study).items()]),
    ]
    return [one for one in found if one.choices]


def conditions(study: Study) -> list[dict[str, str]]:
    """Return what has maps, in order: tasks and conditions, with their labels and marks."""
    found = []
    for task, name in dict.fromkeys(zip(study.maps["task"], study.maps["condition"], strict=True)):
        label = f"{shown_label(study, task, name)} {condition_marks(study, task, name)}"
        found.append({"task": task, "name": name, "label": label.strip()})
    return found


def causes(study: Study) -> dict[str, str]:
    """Return the suggested causes that some failure has, in order, with their labels."""
    known = set(study.tables["failures"]["cause"])
    names = dict.fromkeys(study.tables["failure_causes"]["cause"])
    return {name: describe_part(name).label for name in names if name in known}


def categories(study: Study) -> list[str]:
    """List all names that objects have or are given: as in the parameters, then the rest."""
    votes = study.tables["answers"]
    named = [votes["category_name"], votes["predicted"], study.maps["predicted"]]
    found = sorted({name for column in named for name in column})
    return list(dict.fromkeys([*study.params.data.categories, *found]))


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
    of_category = {name: number for number, name in enumerate(categories(study))}
    table = table.assign(
        named=table["predicted_by_most"].map(of_category),
        predicted=table["predicted"].map(of_category),
    )
    files = study.sample.set_index(INSTANCE)["file_name"].to_dict()
    failures = keyed(study.tables["failures"], *INSTANCE)
    instances = votes.drop_duplicates(INSTANCE).set_index(INSTANCE).to_dict("index")
    maps = _bytes(study.map_values)
    found = []
    for key, views in table.groupby(INSTANCE, sort=False):
        thumbnails, shown = _thumbnails(views["thumbnail"].iloc[0])
        instance = instances[key]
        image, ann = key
        found.append(
            {
                "image": str(image),
                "object": str(ann),
                "file": files.get(key, ""),
                "group": instance["size_group"],
                "category": of_category[instance["category_name"]],
                "side": round(float(instance["side"]), 1),
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
    """Return what may have made a failure, whose name it has, and where it is right."""
    if row is None:
        return {}
    found: dict[str, Any] = {"cause": row["cause"]}
    if np.isfinite(row["neighbour_side"]):
        side = f"{row['neighbour_side']:.1f}"
        found["neighbour"] = f"{row['neighbour']}, object {row['neighbour_ann_id']}, side {side} px"
    if study.has_ladder:
        rungs = row["rungs"].split("; ")
        found["given"] = [rung.label.lower() for rung in RUNGS if rung.name in rungs]
    rescued = [study.label(name) for name in row["rescued_by"].split("; ") if name]
    return found | {"rescued": rescued}


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
        conditions=[one["label"] for one in conditions(study)],
        data=data(study),
    )


SECTION = Section(
    name="explorer",
    build=build,
    anchor="galleries",
    title="Objects, one by one",
    contents="Objects",
    forms=("screen",),
)
