"""Every family rendered in both tasks over a few pictures, in a process of its own too."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from builders import views
from builders.families import EVERY, MARGIN
from smallsight.conditions.rendering.instance_views import InstanceViews, with_inputs
from smallsight.conditions.rendering.render import render_family
from smallsight.imaging import masks
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import InputFormat
from smallsight.runtime import files
from smallsight.sampling.donors import draw_donors

HEIGHT, WIDTH, SIZE = 240, 320, 96
BOXES = [(40.5, 30.25, 90.0, 120.5), (200.0, 60.0, 33.3, 20.0), (150.0, 180.0, 9.5, 12.0)]


def write(folder, storage="auto"):
    """Write JPEGs into a folder, and a folder of each family's pictures beside them."""
    rows, known = [], {}
    for image_id in (1, 2):
        rng = np.random.default_rng(image_id)
        coarse = Image.fromarray(rng.integers(0, 256, (30, 40, 3), np.uint8))
        picture = coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        path = folder / f"{image_id}.jpg"
        picture.save(path, quality=90)
        for number, (x, y, w, h) in enumerate(BOXES):
            area = w * h / (WIDTH * HEIGHT)
            rows.append({
                "image_id": image_id, "ann_id": 10 * image_id + number, "image_path": str(path),
                "category_name": "ab"[number % 2], "size_group": "small" if number else "large",
                "bbox_x": x, "bbox_y": y, "bbox_w": w, "bbox_h": h, "area_ratio": area,
            })  # fmt: skip
            mask = views.ellipse(Box(x, y, w, h), HEIGHT, WIDTH)
            known[image_id, 10 * image_id + number] = masks.encode(mask)
    sample = pd.DataFrame(rows)
    shared = InstanceViews(views.COLOUR, InputFormat(SIZE), MARGIN)
    donors = draw_donors(sample, sample, window_margin=MARGIN, seed=0)
    instances = with_inputs(sample, known, donors)
    for name, levels in EVERY.items():
        (folder / name).mkdir()
        table = render_family(
            levels, instances, shared, seed=0, folder=folder / name, storage=storage
        )
        files.write_table(table, folder / name / "views.csv")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
