"""Annotations of a made-up study, and samples drawn from them."""

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.datasets import coco
from smallsight.sampling.draw import draw_sample
from smallsight.sampling.sizes import DEFAULT

CATEGORIES = ("person", "car", "bus")
SIDE = 100
"""Of every picture here, in pixels."""


def dataset(*, pictures=60, per_picture=8, seed=0, **overrides):
    """Annotations of all sizes and categories; `overrides` set columns of the annotations."""
    rng = np.random.default_rng(seed)
    n = pictures * per_picture
    category = rng.choice(len(CATEGORIES), n, p=[0.6, 0.3, 0.1])
    side = np.sqrt(rng.choice([30.0, 300.0, 900.0], n))
    annotations = pd.DataFrame(
        {
            "image_id": np.repeat(np.arange(pictures) + 10, per_picture),
            "ann_id": np.arange(n) + 1000,
            "category_id": category,
            "category_name": np.array(CATEGORIES)[category],
            "bbox_x": 1.0,
            "bbox_y": 2.0,
            "bbox_w": side,
            "bbox_h": side,
            "area": side**2,
            "iscrowd": 0,
        }
    ).assign(**overrides)
    images = pd.DataFrame(
        {
            "image_id": np.arange(pictures) + 10,
            "file_name": [f"p{i}.jpg" for i in range(pictures)],
            "width": SIDE,
            "height": SIDE,
        }
    )
    return coco.Dataset(
        where="x.json", categories=CATEGORIES, images=images, annotations=annotations
    )


def sample_settings(*, per_group=20, person_cap=7, seed_=None, **others):
    given = {"balance": "natural", "seed": seed_, "min_visible_area": 0, "sizes": DEFAULT}
    given["caps"] = {"person": person_cap}
    return params.Sample(per_group=per_group, **given | others)


def draw(data, *, seed=0, folder="data/images", input_size=96, listed=None, **settings):
    return draw_sample(
        data,
        sample_settings(**settings),
        picture_folder=folder,
        input_size=input_size,
        seed=seed,
        listed=listed,
    )
