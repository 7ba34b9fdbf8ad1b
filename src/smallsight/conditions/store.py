"""What rendering leaves in a family's folder: facts, pictures, views and masks."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight.columns import ANN_ID, IMAGE_ID, LEVEL, VIEW
from smallsight.conditions.names import UNTOUCHED, Condition, FamilyFacts
from smallsight.imaging.pictures import read_picture
from smallsight.runtime.files import write_arrays, write_text
from smallsight.runtime.parallel import map_items
from smallsight.runtime.tables import Table, number, read_table

VIEWS = Table(
    "views",
    "where each object lies in its rendered picture: a row per level and instance",
    (
        LEVEL,
        IMAGE_ID,
        ANN_ID,
        *VIEW,
        number("ssim_box", "structural similarity of the box to itself untouched, at the input"),
        number("ssim_picture", "structural similarity of the whole picture to itself untouched"),
    ),
)
"""Similarities are those of `imaging.similarity`."""


FACTS = "family.json"
"""Name of the file of facts in a family's folder."""


def picture_name(image_id: int, ann_id: int) -> str:
    """Name an instance's picture inside the folder of a level."""
    return f"{image_id}_{ann_id}.png"


def read_pictures(folder: Path, instances: pd.DataFrame) -> np.ndarray:
    """Read the pictures of instances under one condition: (n, size, size, 3), uint8."""
    paths = [
        folder / picture_name(image_id, ann_id)
        for image_id, ann_id in zip(instances["image_id"], instances["ann_id"], strict=True)
    ]
    return np.stack(
        map_items(read_picture, paths, description=f"reading {folder}", prefer="threads")
    )


def read_views(conditions: Path, condition: Condition) -> pd.DataFrame:
    """Read one condition's views from the folder that holds all families.

    Returns
    -------
    DataFrame
        The columns of `VIEWS` without the level, one row per instance.
    """
    views = read_table(conditions / condition.family / "views.csv", VIEWS)
    return views[views["level"] == condition.level].drop(columns="level")


def read_changed_views(conditions: Path, evaluated: pd.DataFrame) -> pd.DataFrame:
    """Read the views of all conditions but the untouched one.

    Parameters
    ----------
    conditions
        The folder that holds all families.
    evaluated
        Rows of condition, family and level, in any number of regimes.

    Returns
    -------
    DataFrame
        The columns of `VIEWS` and condition, in the order of `evaluated`.
    """
    steps = evaluated.loc[evaluated["family"] != UNTOUCHED, ["condition", "family", "level"]]
    tables = {
        family: read_table(conditions / family / "views.csv", VIEWS)
        for family in set(steps["family"])
    }
    empty = pd.DataFrame(columns=[*VIEWS.names, "condition"])
    parts = []
    for name, family, level in steps.drop_duplicates().itertuples(index=False, name=None):
        table = tables[family]
        parts.append(table[table["level"] == level].assign(condition=name))
    return pd.concat(parts, ignore_index=True) if parts else empty


def write_masks(covers: Mapping[tuple[int, int], np.ndarray], path: Path) -> None:
    """Write how much of each pixel of the network's input an object's mask covers.

    Parameters
    ----------
    covers
        By image_id and ann_id, (size, size), uint8: 0 to 255.
    """
    covers = dict(sorted(covers.items()))
    ids = np.array(list(covers), np.int64).reshape(-1, 2)
    values = np.array(list(covers.values()), np.uint8)
    write_arrays({"ids": ids, "covers": values}, path, compress=True)


def read_masks(conditions: Path, condition: Condition, instances: pd.DataFrame) -> list[np.ndarray]:
    """Read the masks of a family's reference level, one for each instance.

    Returns
    -------
    list
        (size, size), uint8, as they were passed to `write_masks`; an instance without a mask has
        one of a single pixel, 0.
    """
    with np.load(conditions / condition.family / "masks.npz") as file:
        covers = dict(zip(map(tuple, file["ids"].tolist()), file["covers"], strict=True))
    nothing = np.zeros((1, 1), np.uint8)
    keys = zip(instances["image_id"], instances["ann_id"], strict=True)
    return [covers.get(key, nothing) for key in keys]


def write_facts(facts: FamilyFacts, folder: Path) -> None:
    """Write a family's facts into its own folder, as `family.json`.

    The file is strict JSON with the keys family, label, description, is_intervention, neutral (by
    option, a number; an infinite one is the text "inf" or "-inf"), levels (names, in order) and
    reference (the name of the reference level).
    """
    content = {
        "family": facts.name,
        "label": facts.label,
        "description": facts.description,
        "is_intervention": facts.is_intervention,
        "neutral": {
            option: value if math.isfinite(value) else str(value)
            for option, value in facts.neutral.items()
        },
        "levels": [condition.level for condition in facts.conditions],
        "reference": next(each.level for each in facts.conditions if each.is_reference),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(text + "\n", folder / FACTS)


def read_facts(conditions: Path, family: str) -> FamilyFacts:
    """Read a family's facts from the folder that holds all families."""
    return parse_facts((conditions / family / FACTS).read_text(encoding="utf-8"))


def parse_facts(text: str) -> FamilyFacts:
    """Return the facts that a text holds as `write_facts` wrote it."""
    content = json.loads(text)
    return FamilyFacts(
        name=content["family"],
        label=content["label"],
        description=content["description"],
        is_intervention=content["is_intervention"],
        neutral={option: float(value) for option, value in content["neutral"].items()},
        conditions=tuple(
            Condition(content["family"], level, is_reference=level == content["reference"])
            for level in content["levels"]
        ),
    )


def read_all_facts(conditions: Path, families: Iterable[str]) -> dict[str, FamilyFacts]:
    """Read the facts of several families, in the order given."""
    return {family: read_facts(conditions, family) for family in families}
