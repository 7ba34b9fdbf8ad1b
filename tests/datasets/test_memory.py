"""Annotation files that are larger than what is kept of them."""

import json
import subprocess
import sys
from pathlib import Path

from builders.coco_trees import tree
from smallsight.datasets import coco

N = 30_000
CORNERS = 60

PROGRAM = """
import sys, tracemalloc
from smallsight.datasets import coco
from smallsight.datasets.tidying import tidy

path, new = sys.argv[1:]
tracemalloc.start()
coco.write(tidy(coco.load(path), ["person", "car"], where=path, max_bad_share=0.01), new)
tidied = tracemalloc.get_traced_memory()[1]
tracemalloc.reset_peak()
found = len(coco.read(new, ["person", "car"]).annotations)
print(found, tidied, tracemalloc.get_traced_memory()[1])
"""


def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path):
    """Lists of numbers take eight times the memory of their text: so did the whole file."""
    path = tmp_path / "large.json"
    polygons = [[[(k * 7 + n * 13) / 8 for n in range(2 * CORNERS)]] for k in range(97)]
    annotations = [
        {
            "id": k + 1, "image_id": 7, "category_id": 1 if k % 2 else 3,
            "bbox": [k % 30, k // 30 / 100, 30.5, 4], "segmentation": polygons[k % 97],
        }
        for k in range(N)
    ]  # fmt: skip
    path.write_text(json.dumps(tree() | {"annotations": annotations}))
    size = path.stat().st_size
    assert size > 20e6
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, path, tmp_path / "new.json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found, tidied, read = map(int, done.stdout.split())
    assert found == N
    assert tidied < size
    assert read < size
    written = json.loads(Path(tmp_path / "new.json").read_text())["annotations"]
    assert written == annotations
    dataset = coco.read(tmp_path / "new.json", ["person", "car"])
    assert dataset.annotations["ann_id"].tolist() == list(range(1, N + 1))
    assert all(dataset.segmentation(k) == polygons[k % 97] for k in range(0, N, 1000))
