"""The files of a study of three objects, written by hand."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from smallsight.analysis.failures import FAILURES
from smallsight.analysis.majority_votes import VOTES
from smallsight.api.study_objects import Files
from smallsight.runtime import files
from smallsight.saliency.tables import MAP_LIST
from smallsight.sampling.sample import SAMPLE

OBJECTS = {
    (7, 70): ("car", "small", (10, 20, 30, 40)),
    (7, 71): ("bus", "large", (0, 0, 200, 100)),
    (3, 30): ("bus", "medium", (50, 50, 100, 25)),
}
"""image_id and ann_id: category, size group, box in pixels of a picture of 200 x 100."""

CONDITIONS = [
    ("scene", "orig_full"),
    ("object", "orig_full"),
    ("object", "downscale/scale=0.125"),
]
FAILED = {("scene", "orig_full", 70), ("object", "downscale/scale=0.125", 70)}
"""What is wrong, by three of four seeds; all else is right by all of them."""


def write_small_study(folder):
    """Write the study; return the paths of its files."""
    folder = Path(folder)
    paths = Files(
        sample=folder / "sample.csv",
        predictions=folder / "predictions.parquet",
        answers=folder / "answers.csv",
        failures=folder / "failures.csv",
        maps=folder / "maps.csv",
        map_values=folder / "maps.npz",
    )
    for image in (3, 7):
        Image.new("RGB", (200, 100)).save(folder / f"{image}.png")
    sample = [
        {
            **dict(zip(("bbox_x", "bbox_y", "bbox_w", "bbox_h"), box, strict=True)),
            "image_id": image,
            "ann_id": ann,
            "file_name": f"{image}.png",
            "image_path": str(folder / f"{image}.png"),
            "category_id": 1,
            "category_name": category,
            "bbox_area": box[2] * box[3],
            "img_area": 20_000,
            "area_ratio": box[2] * box[3] / 20_000,
            "size_group": group,
        }
        for (image, ann), (category, group, box) in OBJECTS.items()
    ]
    _write(sample, SAMPLE, paths.sample)
    predictions, votes, maps = [], [], []
    for (task, condition), (image, ann) in itertools.product(CONDITIONS, OBJECTS):
        category, group, _ = OBJECTS[image, ann]
        other = {"car": "bus", "bus": "car"}[category]
        failed = (task, condition, ann) in FAILED
        key = {"task": task, "condition": condition, "image_id": image, "ann_id": ann}
        for seed in range(4):
            wrong = failed and seed > 0
            share = {other if wrong else category: 0.75, category if wrong else other: 0.25}
            predictions.append(
                key
                | {"regime": "fixed", "seed": seed, "p_car": share["car"], "p_bus": share["bus"]}
            )
            predictions.append(predictions[-1] | {"regime": "retrained", "p_car": 0, "p_bus": 0})
        votes.append(
            key
            | {
                "category_name": category,
                "size_group": group,
                "side": 5.0,
                "failed": failed,
                "predicted": other if failed else category,
                "right": 0.25 if failed else 1.0,
            }
        )
        maps.append(key)
    pd.DataFrame(predictions).to_parquet(paths.predictions)
    _write(votes, VOTES, paths.answers)
    _write([{"image_id": 7, "ann_id": 70, "cause": "no_window", "stable": True}], FAILURES,
           paths.failures)  # fmt: skip
    _write(maps, MAP_LIST, paths.maps)
    cams = np.arange(9 * 4, dtype=np.float32).reshape(3, 3, 2, 2)
    cams[0, 1] = 0
    files.write_arrays({"cams": cams}, paths.map_values)
    return paths


def _write(rows, table, path):
    """Write a table; what is not given is empty."""
    files.write_table(pd.DataFrame(rows).reindex(columns=table.names), path)
