"""How much of each cell of a saliency map lies on an object, and how much would by chance."""

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
    """How much of each cell of a map, cells x cells, lies in the regions of n objects.

    Attributes
    ----------
    share
        (n, cells, cells), 0 to 1: how much of a cell's value lies in the region once the map is
        enlarged bilinearly to the input. NaN where there is no region.
    area
        (n,), 0 to 1: the region's share of the input.
    hit
        (n, cells, cells), 0 to 1: whether the cell touches the region's rows and columns; where
        positions are averaged, at what share of them.
    """

    share: np.ndarray
    area: np.ndarray
    hit: np.ndarray


def region_of_box(box: Box, size: int) -> Region:
    """Return the pixels of the input that a box touches.

    Examples
    --------
    >>> region = region_of_box(Box(1.5, 0, 1, 2), size=4)
    >>> region.top, region.left, region.cover.shape
    (0, 1, (2, 2))
    """
    rows, columns = box.touched_pixels(size, size)
    cover = np.ones((rows.stop - rows.start, columns.stop - columns.start))
    return Region(rows.start, columns.start, cover)


def region_of_mask(cover: np.ndarray) -> Region | None:
    """Return the pixels that a mask, (size, size) from 0 to 255, covers; None where it is empty.

    Examples
    --------
    >>> mask = np.zeros((4, 4), np.uint8)
    >>> mask[3, 1:3] = 255, 51
    >>> region = region_of_mask(mask)
    >>> region.top, region.left, region.cover.tolist()
    (3, 1, [[1.0, 0.2]])
    """
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

    Examples
    --------
    A box over the upper left quarter of the input, on a map of 2 x 2 cells: enlargement blurs the
    cells, so that the box holds only most of the first one's value.

    >>> grid = Grid(size=8, cells=2)
    >>> box = [region_of_box(Box(0, 0, 4, 4), grid.size)]
    >>> here = grid.locate(box)
    >>> here.share[0].round(2).tolist(), here.hit[0].tolist(), here.area.tolist()
    ([[0.77, 0.11], [0.11, 0.02]], [[1.0, 0.0], [0.0, 0.0]], [0.25])

    By chance, a box of this size may lie at any position:

    >>> grid.averaged_over_positions(box).share[0].round(2).tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    """

    size: int
    cells: int

    def locate(self, regions: Sequence[Region | None]) -> RegionShares:
        """Compute how much of each cell lies in each region."""
        return self._shares(
            regions, lambda region: (self._spread_there(region), self._touched_there(region))
        )

    def averaged_over_positions(self, regions: Sequence[Region | None]) -> RegionShares:
        """Average what `locate` returns over all positions in the input with room for the region.

        Each position counts alike: a measure of these shares is its expectation by chance.
        """
        return self._shares(
            regions, lambda region: (self._mean_spread(region), self._mean_touched(region))
        )

    def _shares(
        self,
        regions: Sequence[Region | None],
        find: Callable[[Region], tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]],
    ) -> RegionShares:
        """Compute shares from what `find` returns of a region.

        These are, along both axes, how much of each cell's value its rows and columns get, and
        whether they touch the cell.
        """
        shape = (len(regions), self.cells, self.cells)
        shares = RegionShares(
            np.full(shape, np.nan), np.full(len(regions), np.nan), np.zeros(shape)
        )
        for row, region in enumerate(regions):
            if region is not None:
                (down, across), (rows, columns) = find(region)
                shares.share[row] = down.T @ region.cover @ across
                shares.area[row] = region.cover.sum() / self.size**2
                shares.hit[row] = np.outer(rows, columns)
        return shares

    def _spread_there(self, region: Region) -> tuple[np.ndarray, ...]:
        height, width = region.cover.shape
        return self._spread[region.top :][:height], self._spread[region.left :][:width]

    def _mean_spread(self, region: Region) -> tuple[np.ndarray, ...]:
        """Average, over all positions, what each row and column of a region gets of the cells."""
        return tuple(
            (self._sums[self.size - length + 1 :] - self._sums[:length]) / (self.size - length + 1)
            for length in region.cover.shape
        )

    def _touched_there(self, region: Region) -> tuple[np.ndarray, ...]:
        starts = (region.top, region.left)
        return tuple(
            self._touched(np.array([start]), length)[0]
            for start, length in zip(starts, region.cover.shape, strict=True)
        )

    def _mean_touched(self, region: Region) -> tuple[np.ndarray, ...]:
        return tuple(
            self._touched(np.arange(self.size - length + 1), length).mean(axis=0)
            for length in region.cover.shape
        )

    def _touched(self, starts: np.ndarray, length: int) -> np.ndarray:
        """Find the cells of one axis that a region touches: (starts, cells), 0 or 1."""
        # In units of a pixel over the number of cells: whole numbers, so that edges are exact.
        first = np.arange(self.cells) * self.size
        starts = starts[:, None] * self.cells
        ends = starts + length * self.cells
        return ((starts < first + self.size) & (ends > first)).astype(float)

    @cached_property
    def enlarging(self) -> np.ndarray:
        """Weights of bilinear enlargement along one axis, (size, cells); rows sum to 1."""
        unit = torch.eye(self.cells, dtype=torch.float64)[None]
        return functional.interpolate(unit, self.size, mode="linear")[0].numpy().T

    @cached_property
    def _spread(self) -> np.ndarray:
        """Share of a cell's value in each pixel of one axis, (size, cells); columns sum to 1."""
        return self.enlarging / self.enlarging.sum(axis=0)

    @cached_property
    def _sums(self) -> np.ndarray:
        """How much of a cell's value lies before each pixel of one axis, (size + 1, cells)."""
        return np.concatenate([np.zeros((1, self.cells)), self._spread.cumsum(axis=0)])
