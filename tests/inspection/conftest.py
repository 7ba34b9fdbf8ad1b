import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from smallsight.inspection.calibration import Speed

ROOT = Path(__file__).parents[2]
SIZE = 64, 48
"""Of every picture here, in pixels; boxes of 5, 10 and 20 pixels are small, medium and large."""

PICTURES = 12
SPEED = Speed(seconds=0.01, share=1.0)


@pytest.fixture
def tree():
    """Twelve pictures with a small car, a medium car or bus, and a large bus each.

    Beside them stand a crowd, what is to be ignored, and a box of less than a pixel.
    """
    annotations = []
    for image in range(1, PICTURES + 1):
        for category, side in ((1, 5), (1 + image % 2, 10), (2, 20)):
            box = [2.0 * side, 4.0, float(side), float(side)]
            annotations.append({"image_id": image, "category_id": category, "bbox": box})
    more = {"image_id": 1, "category_id": 1, "bbox": [1.0, 1.0, 9.0, 9.0]}
    annotations += [more | {"iscrowd": 1}, more | {"ignore": 1}]
    annotations.append(more | {"bbox": [3.0, 3.0, 0.5, 9.0]})
    return {
        "images": [
            {"id": n, "file_name": f"{n}.png", "width": SIZE[0], "height": SIZE[1]}
            for n in range(1, PICTURES + 1)
        ],
        "annotations": [{"id": n, **one} for n, one in enumerate(annotations, start=1)],
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}],
    }


@pytest.fixture
def project(tmp_path, monkeypatch, tree):
    """Enter a project over the tree, whose two last pictures are the same; write it anew by a call.

    The call takes changes of sections of the parameters. Nothing is timed, but by commands.
    """
    monkeypatch.setattr("smallsight.inspection.inspect.time_rendering", lambda *_: 0.1)
    monkeypatch.setattr("smallsight.inspection.subject.time_network", lambda *_, **__: SPEED)
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "1")
    (tmp_path / "mine").mkdir()
    for image in tree["images"]:
        rng = np.random.default_rng(min(image["id"], PICTURES - 1))
        pixels = rng.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "mine" / image["file_name"])
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    parameters["data"] |= {
        "source": "local",
        "categories": ["car", "bus"],
        "instances": str(ROOT / parameters["data"]["instances"]),
        "local": {"format": "coco", "annotations": "mine.json", "images": "mine"},
    }
    kept = ("orig_full", "downscale", "occlusion", "pixels")
    parameters["conditions"] = {name: parameters["conditions"][name] for name in kept}
    parameters["tasks"]["scene"] = ["orig_full", "downscale"]

    def write(**changes):
        for section, values in changes.items():
            parameters[section] |= values
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(parameters))
        (tmp_path / "mine.json").write_text(json.dumps(tree))

    monkeypatch.chdir(tmp_path)
    write()
    return write
