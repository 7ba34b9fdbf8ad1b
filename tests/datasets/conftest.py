import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smallsight.datasets import coco

CATEGORIES = ("person", "car")
SIZE = (48, 32)


@pytest.fixture(autouse=True)
def one_worker(monkeypatch):
    """Two threads or processes are a matter of single tests."""
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "1")


@pytest.fixture
def tree():
    """Four pictures, each with a person and a car."""
    pictures = [
        {"id": n, "file_name": f"{n:012d}.jpg", "width": SIZE[0], "height": SIZE[1]}
        for n in (5, 2, 9, 4)
    ]
    return {
        "images": pictures,
        "annotations": [
            {
                "id": 10 * picture["id"] + category,
                "image_id": picture["id"],
                "category_id": category,
                "bbox": [1.0, 2.0, 10.0 * category, 8.0],
                "area": 70.0,
                "iscrowd": 0,
            }
            for picture in pictures
            for category in (1, 2)
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "car"}],
    }


@pytest.fixture
def images(tree):
    return coco.parse(tree, CATEGORIES, where="x").images


@pytest.fixture
def paint():
    """Write noise, which JPEG cannot shrink away, as a picture."""

    def paint(path, *, size=SIZE, seed=0, **options):
        pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, **options)

    return paint


@pytest.fixture
def snapshot():
    """Give every file below a folder with its bytes."""

    def snapshot(folder):
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file()
        }

    return snapshot


@pytest.fixture
def real():
    """The folder of real COCO photographs."""
    folder = os.environ.get("SMALLSIGHT_COCO_REAL")
    if not folder:
        pytest.skip("SMALLSIGHT_COCO_REAL names no folder of COCO photographs")
    return Path(folder)
