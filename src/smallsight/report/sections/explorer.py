"""What the page's gallery shows: every object, under every reference condition, with its maps.

Everything the browser needs is one JSON text. Pictures are thumbnails, one copy of each; maps are
the values of their cells, which the browser colours.
"""

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from PIL import Image

from smallsight.analysis.terms import FAILURE_CAUSES
from smallsight.report.figures import style
from smallsight.report.marks import marks
from smallsight.report.rows import Row
from smallsight.report.study import Study
from smallsight.runtime.errors import PictureError, SmallsightError
from smallsight.vocabulary import GROUPS

_INSTANCE = ["image_id", "ann_id"]


VIEW = (
    *("failed", "named", "right", "predicted", "confidence", "lift", "peak"),
    *("x", "y", "w", "h", "ratio"),
)
"""What is told of an object under a condition, in this order: whether it failed and what it was
named, both by most seeds; the share of seeds that are right; the first seed's prediction, with its
confidence, and lift and greatest cell of its map; the box, as shares of the picture; the picture's
width over its height."""


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
        "seeds": study.seeds,
        "groups": GROUPS,
        "conditions": conditions(study),
        "categories": categories(study),
        "causes": {key: term.label for key, term in FAILURE_CAUSES.items()},
        "stops": style.gradient(str(study.about["colormap"])),
        "alpha": study.about["alpha"],
        "cells": study.cams.shape[-1],
        "objects": _objects(study),
    }
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Inside a script element, `</script>` and `<!--` would be markup.
    return Markup(text.replace("<", "\\u003c"))


def filters(study: Study) -> list[dict[str, Any]]:
    """Give what the gallery can be narrowed down by: name, label, and (value, text) of choices."""
    known = set(study.failures.loc[study.failures["regime"] == study.headline, "cause"])
    causes = [(key, term.label) for key, term in FAILURE_CAUSES.items() if key in known]
    choices = {
        "group": ("Size", [(group, group.capitalize()) for group in GROUPS]),
        "category": ("Category", list(enumerate(categories(study)))),
        "outcome": ("Outcome", [(0, "Recognised"), (1, "Failed")]),
        "cause": ("Suggested cause", causes),
    }
    return [
        {"name": name, "label": label, "options": options}
        for name, (label, options) in choices.items()
        if options
    ]


def conditions(study: Study) -> list[dict[str, str]]:
    """Give the conditions that have maps, in order, with their labels and marks."""
    return [
        {"name": name, "label": f"{study.label(name)} {marks(study, name)}".strip()}
        for name in dict.fromkeys(study.maps["condition"])
    ]


def categories(study: Study) -> list[str]:
    """Give all names that objects have or are given: as in the parameters, then the rest."""
    named = [study.answers["category_name"], study.answers["predicted"], study.maps["predicted"]]
    found = sorted({name for column in named for name in column})
    return list(dict.fromkeys([*study.params.data.categories, *found]))


def _objects(study: Study) -> list[dict[str, Any]]:
    if len(study.maps) != len(study.cams):
        raise SmallsightError(
            "data/gradcam/maps.npz", f"{len(study.cams)} maps", f"{len(study.maps)} as in maps.csv"
        )
    answers = study.answers.drop(columns=["category_name", "size_group", "side"])
    size = study.about["input_size"]
    table = study.maps.assign(map=np.arange(len(study.maps)))
    table = table.merge(
        answers, on=["condition", *_INSTANCE], suffixes=("", "_by_most"), validate="one_to_one"
    )
    of_category = {name: number for number, name in enumerate(categories(study))}
    table = table.assign(
        named=table["predicted_by_most"].map(of_category),
        predicted=table["predicted"].map(of_category),
    )
    labels = {step.name: study.label(step.name) for step in study.conditions}
    files = study.sample.set_index(_INSTANCE)["file_name"].to_dict()
    failures = study.failures[study.failures["regime"] == study.headline]
    failed = {(row["image_id"], row["ann_id"]): row for row in failures.to_dict("records")}
    about = study.answers.drop_duplicates(_INSTANCE).set_index(_INSTANCE).to_dict("index")
    maps = _bytes(study.cams)
    found = []
    for key, views in table.groupby(_INSTANCE, sort=False):
        thumbnails, shown = _thumbnails(views["thumbnail"].iloc[0])
        instance = about[key]
        found.append(
            {
                "image": key[0],
                "object": key[1],
                "file": files.get(key, ""),
                "group": instance["size_group"],
                "category": of_category[instance["category_name"]],
                "side": round(float(instance["side"]), 1),
                **_failure(failed.get(key), labels),
                "views": [_view(row, size) for row in views.to_dict("records")],
                "maps": base64.b64encode(maps[views["map"][:shown]].tobytes()).decode("ascii"),
                "pictures": thumbnails,
            }
        )
    return found


def _view(row: Row, size: int) -> list[Any]:
    """Give `VIEW` of an object under one condition."""
    rounded = [_rounded(row[name]) for name in ("confidence", "lift", "peak")]
    box = [round(float(row[f"box_{key}"]) / size, 4) for key in "xywh"]
    right, ratio = round(float(row["right"]), 3), round(row["view_w"] / row["view_h"], 4)
    named, predicted = int(row["named"]), int(row["predicted"])
    return [int(row["failed"]), named, right, predicted, *rounded, *box, ratio]


def _rounded(value: float) -> float | None:
    return float(f"{value:.3g}") if np.isfinite(value) else None


def _failure(row: Row | None, labels: Mapping[str, str]) -> dict[str, Any]:
    """Say what may have made a failure, whose name it has, and what rescues it."""
    if row is None:
        return {}
    found: dict[str, Any] = {"cause": row["cause"]}
    if np.isfinite(row["neighbour_side"]):
        side = f"{row['neighbour_side']:.1f}"
        found["neighbour"] = f"{row['neighbour']}, object {row['neighbour_ann_id']}, side {side} px"
    rescues = [name for name in row["rescued_by"].split("; ") if name]
    return found | {"rescued": [labels.get(name, name) for name in rescues]}


def _bytes(cams: np.ndarray) -> np.ndarray:
    """Give each map as bytes, (maps, cells), 255 for its greatest value."""
    flat = cams.reshape(len(cams), cams.shape[-2] * cams.shape[-1])
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
