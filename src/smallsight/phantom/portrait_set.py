"""Pictures to pretrain the phantom weights on: many portraits, drawn in parallel.

Apart from the training itself, so that the processes that draw need no torch.
"""

import functools

import numpy as np

from smallsight import phantom
from smallsight.runtime.parallel import map_items
from smallsight.runtime.randomness import derive

CHUNK = 100
"""Pictures per work item."""


def draw_portraits(count: int, *, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw object-centred pictures of every category in every street, in turn.

    Returns
    -------
    pictures
        (count, size, size, 3), uint8.
    labels
        (count, 2), indices into `phantom.CATEGORIES` and `phantom.STREET_NAMES`.
    """
    chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    task = functools.partial(_portraits, size=size, seed=seed)
    parts = map_items(task, chunks, description="drawing portraits")
    return np.concatenate(parts), np.array([_labels(number) for number in range(count)])


def _labels(number: int) -> tuple[int, int]:
    category, street = number % len(phantom.CATEGORIES), number // len(phantom.CATEGORIES)
    return category, street % len(phantom.STREET_NAMES)


def _portraits(numbers: range, *, size: int, seed: int) -> np.ndarray:
    pictures = []
    for number in numbers:
        category, street = _labels(number)
        names = phantom.CATEGORIES[category], phantom.STREET_NAMES[street]
        pictures.append(phantom.portrait(*names, derive(seed, "portrait", number), size=size))
    return np.stack(pictures)
