"""Boxes: rectangles in a picture."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A rectangle in a picture: left, top, width and height, in pixels, as COCO has it.

    Pixel column `c` covers `c` to `c + 1`; the values need not be whole.

    Examples
    --------
    >>> box = Box(x=20, y=10, w=40, h=30)
    >>> box.grown(0.25)
    Box(x=10.0, y=2.5, w=60.0, h=45.0)
    >>> box.shifted(50, 0).clipped(width=100, height=100)
    Box(x=70, y=10, w=30, h=30)
    """

    x: float
    y: float
    w: float
    h: float

    @property
    def side(self) -> float:
        """Square root of the area, in pixels."""
        return math.sqrt(self.w * self.h)

    def grown(self, share: float) -> "Box":
        """Move each side outwards by a share of the box's own width or height."""
        dx, dy = share * self.w, share * self.h
        return Box(self.x - dx, self.y - dy, self.w + 2 * dx, self.h + 2 * dy)

    def shrunk_to(self, ratio: float) -> "Box":
        """Keep the centre; width and height become `ratio` of what they are."""
        return self.grown((ratio - 1) / 2)

    def shifted(self, dx: float, dy: float) -> "Box":
        """Move by so many pixels, whole or not."""
        return Box(self.x + dx, self.y + dy, self.w, self.h)

    def scaled(self, across: float, down: float) -> "Box":
        """Return the box in the same picture resized by factors across and down."""
        return Box(self.x * across, self.y * down, self.w * across, self.h * down)

    def clipped(self, width: int, height: int) -> "Box":
        """Cut off what lies outside a picture of this size."""
        left, top = min(max(self.x, 0), width), min(max(self.y, 0), height)
        right = min(max(self.x + self.w, 0), width)
        bottom = min(max(self.y + self.h, 0), height)
        return Box(left, top, right - left, bottom - top)

    def pixels(self) -> tuple[slice, slice]:
        """Return rows and columns whose pixel centres lie in the box, without those below 0."""
        rows = (math.ceil(edge - 0.5) for edge in (self.y, self.y + self.h))
        columns = (math.ceil(edge - 0.5) for edge in (self.x, self.x + self.w))
        return slice(*(max(row, 0) for row in rows)), slice(*(max(column, 0) for column in columns))

    def touched_pixels(self, width: int, height: int) -> tuple[slice, slice]:
        """Return rows and columns of a picture that the box touches, at least one of each."""
        left = min(max(math.floor(self.x), 0), width - 1)
        top = min(max(math.floor(self.y), 0), height - 1)
        right = min(max(math.ceil(self.x + self.w), left + 1), width)
        bottom = min(max(math.ceil(self.y + self.h), top + 1), height)
        return slice(top, bottom), slice(left, right)
