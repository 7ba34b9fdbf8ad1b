"""Where an object lies on the cells of a map, and where it might as well have lain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from smallsight.imaging.boxes import Box


class Region(NamedTuple):
    """Part of the network's input.

    Attributes
    ----------
    top, left
        Its first row and column, in input pixels.
    cover
        (height, width), 0 to 1: how much of each pixel from there on belongs to it.
    """

    top: int
    left: int
    cover: np.ndarray


@dataclass(frozen=True)
class RegionShares:
    """Where the regions of n objects lie on a map of cells x cells.

    Attributes
    ----------
    share
        (n, cells, cells), 0 to 1: how much of what a cell stands for lies in the region. A cell
        stands for what bilinear enlargement to the input spreads its value over. NaN where there
        is no region.
    area
        (n,), 0 to 1: the region's share of the input.
    hit
        (n, cells, cells), 0 to 1: whether the cell itself touches the region's rows and columns,
        or how often.
    """

    share: np.ndarray
    area: np.ndarray
    hit: np.ndarray


def of_box(box: Box, size: int) -> Region:
    """Give the pixels of the input that a box touches."""
    rows, columns = box.touched_pixels(size, size)
    cover = np.ones((rows.stop - rows.start, columns.stop - columns.start))
    return Region(rows.start, columns.start, cover)


def of_mask(cover: np.ndarray) -> Region | None:
    """Give the pixels that a mask, (size, size) from 0 to 255, covers; None where it is empty."""
    rows, columns = (np.flatnonzero(cover.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    part = cover[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Region(int(rows[0]), int(columns[0]), part / 255)


@dataclass(frozen=True)
class Grid:
    """The cells of a map over the network's input.

    Attributes
    ----------
    size
        Width and height of the input, in pixels.
    cells
        Rows and columns of the map.
    """

    size: int
    cells: int

    def places(self, regions: Sequence[Region | None]) -> RegionShares:
        """Find where regions lie."""
        return self._places(regions, lambda region: (self._lying(region), self._touching(region)))

    def anywhere(self, regions: Sequence[Region | None]) -> RegionShares:
        """Average over all places in the input where regions of this shape might lie.

        Each is as likely as any other. What a measure gives here is what chance would.
        """
        return self._places(regions, lambda region: (self._moving(region), self._met(region)))

    def _places(
        self,
        regions: Sequence[Region | None],
        find: Callable[[Region], tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]],
    ) -> RegionShares:
        shape = (len(regions), self.cells, self.cells)
        places = RegionShares(
            np.full(shape, np.nan), np.full(len(regions), np.nan), np.zeros(shape)
        )
        for row, region in enumerate(regions):
            if region is not None:
                (down, across), (rows, columns) = find(region)
                places.share[row] = down.T @ region.cover @ across
                places.area[row] = region.cover.sum() / self.size**2
                places.hit[row] = np.outer(rows, columns)
        return places

    def _lying(self, region: Region) -> tuple[np.ndarray, ...]:
        height, width = region.cover.shape
        return self._spread[region.top :][:height], self._spread[region.left :][:width]

    def _moving(self, region: Region) -> tuple[np.ndarray, ...]:
        """Average what each row, and each column, of a region shares with the cells as it moves."""
        return tuple(
            (self._sums[self.size - length + 1 :] - self._sums[:length]) / (self.size - length + 1)
            for length in region.cover.shape
        )

    def _touching(self, region: Region) -> tuple[np.ndarray, ...]:
        starts = (region.top, region.left)
        return tuple(
            self._touched(np.array([start]), length)[0]
            for start, length in zip(starts, region.cover.shape, strict=True)
        )

    def _met(self, region: Region) -> tuple[np.ndarray, ...]:
        return tuple(
            self._touched(np.arange(self.size - length + 1), length).mean(axis=0)
            for length in region.cover.shape
        )

    def _touched(self, starts: np.ndarray, length: int) -> np.ndarray:
        """Tell which cells of one axis a region touches: (starts, cells), 0 or 1."""
        # In cells of a pixel: whole numbers, so that an edge is an edge.
        first = np.arange(self.cells) * self.size
        starts = starts[:, None] * self.cells
        ends = starts + length * self.cells
        return ((starts < first + self.size) & (ends > first)).astype(float)

    @cached_property
    def enlarging(self) -> np.ndarray:
        """(size, cells): what of each cell's value a pixel of one axis gets; rows sum to 1."""
        unit = torch.eye(self.cells, dtype=torch.float64)[None]
        return functional.interpolate(unit, self.size, mode="linear")[0].numpy().T

    @cached_property
    def _spread(self) -> np.ndarray:
        """(size, cells): how what a cell stands for is spread over one axis; columns sum to 1."""
        return self.enlarging / self.enlarging.sum(axis=0)

    @cached_property
    def _sums(self) -> np.ndarray:
        """(size + 1, cells): what of a cell lies before each pixel."""
        return np.concatenate([np.zeros((1, self.cells)), self._spread.cumsum(axis=0)])
