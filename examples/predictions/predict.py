"""Names the category whose mean colour is nearest: stands for a classifier of your own.

python predict.py REQUESTS ANSWERS
"""

import csv
import math
import sys
from pathlib import Path

from PIL import Image

COLOURS = {
    "person": (134, 133, 129),
    "car": (127, 127, 129),
    "truck": (139, 147, 149),
    "bus": (135, 130, 129),
    "bicycle": (123, 117, 100),
    "motorcycle": (126, 120, 113),
}
"""Mean red, green and blue of windows round such objects."""


def main(requests: Path, answers: Path) -> None:
    """Answer every request: a row per class."""
    with (
        requests.open(newline="", encoding="utf-8") as asked,
        answers.open("w", newline="", encoding="utf-8") as file,
    ):
        table = csv.writer(file)
        table.writerow(["image", "condition", "class", "probability"])
        for request in csv.DictReader(asked):
            # Paths are relative to the list that they stand in.
            for name, probability in classify(requests.parent / request["path"]).items():
                table.writerow([request["image"], request["condition"], name, probability])


def classify(path: Path) -> dict[str, float]:
    """Return how probable each class is: the nearer its colour, the more."""
    with Image.open(path) as picture:
        colour = picture.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    weights = {name: math.exp(-math.dist(colour, mean) / 10) for name, mean in COLOURS.items()}
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
