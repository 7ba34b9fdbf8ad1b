"""Which pixels show which object."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smallsight.phantom.camera import Patch
from smallsight.phantom.raster import SOLID, coverage, window_of
from smallsight.phantom.scene import Layout


@dataclass(frozen=True, slots=True)
class Silhouette:
    """Visible part of one object: a boolean mask (height, width)."""

    category: str
    mask: np.ndarray


def visible_masks(
    things: Sequence[Sequence[Patch]], size: tuple[int, int]
) -> list[tuple[np.ndarray, int]]:
    """Visible mask and full silhouette's pixel count of things sorted from far to near.

    `size` is the picture's (width, height); each mask has shape (height, width).
    """
    taken = np.zeros((size[1], size[0]), dtype=bool)
    found = []
    for patches in reversed(things):
        visible = np.zeros_like(taken)
        window = window_of(patches, size)
        full = 0
        if window is not None:
            mask = coverage(patches, window) >= SOLID
            visible[window.slices] = mask & ~taken[window.slices]
            taken[window.slices] |= mask
            full = int(mask.sum())
        found.append((visible, full))
    return found[::-1]


def silhouettes(scene: Layout) -> list[Silhouette]:
    """Objects of a scene with the pixels that show them, from far to near."""
    size = scene.camera.width, scene.camera.height
    masks = visible_masks([thing.patches for thing in scene.things], size)
    return [
        Silhouette(thing.category, visible)
        for thing, (visible, _) in zip(scene.things, masks, strict=True)
        if thing.category
    ]
