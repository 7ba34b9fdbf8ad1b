"""Time the stages that read annotations on a file of the numbers of COCO's train2017.

    python benchmarks/annotations.py [--pictures N] [--annotations N]

The file is made in a temporary folder: as many pictures and annotations, as large, and about as
many of each category of the default study; all others are of one further category. Pictures are
empty files, for these stages do not open them. Each stage runs in a process of its own, whose peak
memory counts the pages of the file that it has mapped.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

import numpy as np
import yaml

from smallsight.imaging.pictures import InputFormat, write_input_format

ROOT = Path(__file__).parents[1]
STAGES = ("annotate", "sample")

PICTURES, ANNOTATIONS = 118_287, 860_001
"""Of train2017."""

SHARES = {"person": 0.305, "car": 0.051, "truck": 0.012, "bus": 0.007, "bicycle": 0.008}
SHARES |= {"motorcycle": 0.010, "other": 0.607}
"""Of train2017's annotations, by category."""

CORNERS = 27.3
"""On average, in the polygon of one object: so the file is of train2017's 481 MB."""

WIDTH, HEIGHT = 640, 480


def write_annotations(file: TextIO, pictures: int, annotations: int) -> None:
    """Write a file of annotations as COCO's are written."""
    rng = np.random.default_rng(0)
    file.write('{"info": {"description": "as large as train2017"}, "images": [')
    for number in range(1, pictures + 1):
        file.write(
            f'{", " * (number > 1)}{{"license": 3,"file_name": "{number:012d}.jpg",'
            f'"coco_url": "http://images.cocodataset.org/train2017/{number:012d}.jpg",'
            f'"height": {HEIGHT},"width": {WIDTH},"date_captured": "2013-11-14 11:18:45",'
            '"flickr_url": "http://farm9.staticflickr.com/8186/8119368305_4e622c8349_z.jpg",'
            f'"id": {number}}}'
        )
    polygons = [
        ",".join(f"{value:.2f}" for value in rng.uniform(0, HEIGHT, 2 * rng.geometric(1 / CORNERS)))
        for _ in range(10_000)
    ]
    image_ids = rng.integers(1, pictures + 1, annotations)
    categories = rng.choice(len(SHARES), annotations, p=list(SHARES.values())) + 1
    sides = np.exp(rng.uniform(np.log(5), np.log(400), (annotations, 2))).round(2)
    corners = (rng.random((annotations, 2)) * ((WIDTH, HEIGHT) - sides)).round(2)
    file.write('], "annotations": [')
    for number, (image, category, (x, y), (width, height)) in enumerate(
        zip(image_ids, categories, corners.tolist(), sides.tolist(), strict=True)
    ):
        polygon = polygons[number % len(polygons)]
        if len(polygon) < 30:
            polygon = f"{x},{y},{x + width},{y},{x},{y + height}"
        file.write(
            f'{", " * (number > 0)}{{"segmentation": [[{polygon}]],"area": {width * height / 2},'
            f'"iscrowd": 0,"image_id": {image},"bbox": [{x},{y},{width},{height}],'
            f'"category_id": {category},"id": {900_100_000_000 + number}}}'
        )
    names = ", ".join(f'{{"id": {n},"name": "{name}"}}' for n, name in enumerate(SHARES, start=1))
    file.write(f'], "categories": [{names}]}}')


def make_study(folder: Path, pictures: int, annotations: int) -> int:
    """Make a study of such annotations, and return the size of their file in bytes."""
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    path = folder / "mine/instances.json"
    (folder / "mine/pictures").mkdir(parents=True)
    for number in range(1, pictures + 1):
        (folder / f"mine/pictures/{number:012d}.jpg").touch()
    with path.open("w", encoding="utf-8") as file:
        write_annotations(file, pictures, annotations)
    parameters["data"]["source"] = "local"
    parameters["data"]["instances"] = str(ROOT / parameters["data"]["instances"])
    parameters["data"]["local"] = {
        "format": "coco", "annotations": "mine/instances.json", "images": "mine/pictures",
    }  # fmt: skip
    (folder / "params.yaml").write_text(yaml.safe_dump(parameters), encoding="utf-8")
    write_input_format(InputFormat(224), folder / "data/input.json")
    return path.stat().st_size


def main(pictures: int, annotations: int) -> None:
    """Print a line for each stage."""
    with tempfile.TemporaryDirectory() as folder:
        size = make_study(Path(folder), pictures, annotations)
        print(f"{pictures} pictures, {annotations} annotations, {size / 1e6:.0f} MB", flush=True)
        for stage in STAGES:
            start = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, ROOT / f"stages/{stage}.py"], cwd=folder, stdout=subprocess.DEVNULL
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                sys.exit(f"{stage} failed")
            seconds = time.perf_counter() - start
            # Linux gives kilobytes.
            print(f"{stage:8}  {seconds:6.1f} s  {usage.ru_maxrss / 1e6:5.2f} GB", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--annotations", type=int, default=ANNOTATIONS)
    options = parser.parse_args()
    main(options.pictures, options.annotations)
