"""ImageNet's 1,000 classes, and which of COCO's 80 categories they are."""

from functools import cache
from pathlib import Path

import yaml

TABLE = Path(__file__).with_name("imagenet_to_coco.yaml")
"""Classes of each category, as index and name."""


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the names of the classes in their order, as torchvision has them: all differ."""
    # A mapping of other classes does not wait for torchvision.
    from torchvision.models import ResNet18_Weights

    return tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


@cache
def imagenet_by_coco() -> dict[str, tuple[int, ...]]:
    """Return the indices of the classes that each category has; none where ImageNet lacks it."""
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return {
        category: tuple(int(entry.split(" ", 1)[0]) for entry in entries)
        for category, entries in table.items()
    }
