"""Patches to pixels: one supersampled rasteriser serves masks and pictures, so that they agree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from smallsight.phantom.camera import Patch

Ink = int | tuple[int, int, int]
SOLID = 0.3
"""Share of a pixel that must be covered for it to belong to a silhouette."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rectangle of whole pixels, clipped to the picture, and its supersampling factor."""

    left: int
    top: int
    right: int
    bottom: int
    factor: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window in an array of the picture's shape."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Painted window: premultiplied colour (h, w, 3), 0..1, and coverage (h, w), 0..1."""

    window: Window
    colour: np.ndarray
    alpha: np.ndarray


def window_of(patches: Sequence[Patch], size: tuple[int, int], *, margin: int = 1) -> Window | None:
    """Window around all patches in a picture of (width, height); None where they miss it."""
    if not patches:
        return None
    points = np.concatenate([patch.outline for patch in patches])
    low, high = points.min(axis=0), points.max(axis=0)
    left, top = (max(0, int(np.floor(value)) - margin) for value in low)
    right = min(size[0], int(np.ceil(high[0])) + margin)
    bottom = min(size[1], int(np.ceil(high[1])) + margin)
    if left >= right or top >= bottom:
        return None
    side = max(right - left, bottom - top)
    return Window(left, top, right, bottom, 4 if side < 70 else 3 if side < 160 else 2)


def fill(
    image: Image.Image,
    outlines: Sequence[np.ndarray],
    inks: Sequence[Ink],
    *,
    origin: tuple[int, int] = (0, 0),
    factor: int = 1,
) -> None:
    """Fill polygons, each of shape (n, 2) in the picture's pixels, one ink each.

    The image shows the picture from `origin` on, enlarged by `factor`.
    """
    draw = ImageDraw.Draw(image)
    points = (np.concatenate(outlines) - origin) * factor - 0.5
    # Far outside the picture Pillow would still walk every scan line of a polygon.
    flat = np.clip(points, -8000, 8000).ravel().tolist()
    start = 0
    for outline, ink in zip(outlines, inks, strict=True):
        end = start + 2 * len(outline)
        draw.polygon(flat[start:end], fill=ink)
        start = end


def _draw(patches: Sequence[Patch], window: Window, mode: str) -> np.ndarray:
    factor = window.factor
    size = (window.right - window.left) * factor, (window.bottom - window.top) * factor
    image = Image.new(mode, size)
    inks = [patch.colour if mode == "RGB" else 255 for patch in patches]
    if patches:
        outlines = [patch.outline for patch in patches]
        fill(image, outlines, inks, origin=(window.left, window.top), factor=factor)
    return np.asarray(image.reduce(factor), dtype=np.float32) / 255


def coverage(patches: Sequence[Patch], window: Window) -> np.ndarray:
    """Share of each pixel of the window that the patches cover, shape (h, w), 0..1."""
    return _draw(patches, window, "L")


def stamp(patches: Sequence[Patch], window: Window) -> Stamp:
    """Paint patches, in order, into a window."""
    return Stamp(window, _draw(patches, window, "RGB"), coverage(patches, window))
