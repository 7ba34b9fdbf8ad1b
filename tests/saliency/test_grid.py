import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import resize

from smallsight.imaging.boxes import Box
from smallsight.saliency.grid import Grid, Region, region_of_box, region_of_mask

WHOLE_CELLS = [Grid(12, 1), Grid(16, 2), Grid(21, 7), Grid(20, 5), Grid(9, 9)]
BROKEN_CELLS = [Grid(14, 4), Grid(17, 3), Grid(23, 7), Grid(13, 11)]
every_grid = pytest.mark.parametrize("grid", WHOLE_CELLS + BROKEN_CELLS, ids=str)
every_shape = pytest.mark.parametrize("ragged", [False, True], ids=["box", "mask"])


def ragged_cover(rng, height, width):
    """Pixels covered in part or not at all, but some in every outermost row and column."""
    cover = rng.random((height, width)) * rng.integers(0, 2, (height, width))
    cover[0, 0] = cover[-1, -1] = 0.5
    return cover


def draw(grid, *, ragged, seed=0, n=5):
    """Regions of different sizes at different places in the input."""
    rng, regions = np.random.default_rng(seed), []
    for height, width in rng.integers(1, grid.size + 1, (n, 2)):
        top, left = rng.integers(grid.size - height + 1), rng.integers(grid.size - width + 1)
        cover = ragged_cover(rng, height, width) if ragged else np.ones((height, width))
        regions.append(Region(int(top), int(left), cover))
    return regions


def laid_out(region, size):
    """The region's cover as a picture of the input."""
    whole = np.zeros((size, size))
    height, width = region.cover.shape
    whole[region.top :, region.left :][:height, :width] = region.cover
    return whole


def enlarged_units(grid):
    """(cells, cells, size, size): every map that is 1 in one cell, enlarged."""
    units = np.eye(grid.cells**2).reshape(-1, grid.cells, grid.cells)
    shape = (grid.size, grid.size)
    large = [resize(unit, shape, order=1, mode="edge") for unit in units]
    return np.reshape(large, (grid.cells, grid.cells, *shape))


def everywhere(grid, region):
    """The region at every place in the input that has room for it."""
    height, width = region.cover.shape
    return [
        Region(top, left, region.cover)
        for top in range(grid.size - height + 1)
        for left in range(grid.size - width + 1)
    ]


def compare(one, other, **tolerance):
    for name in ("share", "area", "hit"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), **tolerance)


# Regions.


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [(Box(2, 3, 4, 5), (3, 8), (2, 6)), (Box(2.9, 3.1, 0.2, 0.1), (3, 4), (2, 4)),
     (Box(-3, 7, 5, 90), (7, 10), (0, 2)), (Box(9.5, 9.5, 0, 0), (9, 10), (9, 10))],
)  # fmt: skip
def test_a_boxs_region_is_all_pixels_that_it_touches(box, rows, columns):
    due = np.zeros((10, 10))
    due[slice(*rows), slice(*columns)] = 1
    assert (laid_out(region_of_box(box, 10), 10) == due).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_masks_region_is_the_mask_and_no_larger_than_it_must_be(seed):
    (region,) = draw(Grid(30, 1), ragged=True, seed=seed, n=1)
    mask = np.rint(255 * laid_out(region, 30)).astype(np.uint8)
    found = region_of_mask(mask)
    np.testing.assert_allclose(laid_out(found, 30), mask / 255)
    assert found.cover.shape == region.cover.shape


@pytest.mark.parametrize("size", [1, 8])
def test_a_mask_of_nothing_is_no_region(size):
    assert region_of_mask(np.zeros((size, size), np.uint8)) is None


# Where they lie.


@every_grid
@every_shape
def test_shares_are_those_of_a_cells_map_enlarged(grid, ragged):
    regions, large = draw(grid, ragged=ragged), enlarged_units(grid)
    shares = grid.locate(regions)
    for region, share, area in zip(regions, shares.share, shares.area, strict=True):
        inside = laid_out(region, grid.size)
        due = (large * inside).sum(axis=(2, 3)) / large.sum(axis=(2, 3))
        np.testing.assert_allclose(share, due, atol=1e-5)
        assert area == pytest.approx(inside.mean())


@every_grid
def test_the_whole_input_holds_everything(grid):
    whole = Region(0, 0, np.ones((grid.size, grid.size)))
    for shares in (grid.locate([whole]), grid.averaged_over_positions([whole])):
        for part in (shares.share, shares.area, shares.hit):
            np.testing.assert_allclose(part, 1)


@every_grid
def test_shares_of_regions_that_do_not_overlap_add_up(grid):
    rng = np.random.default_rng(1)
    for region in draw(grid, ragged=True):
        part = rng.integers(0, 2, region.cover.shape)
        whole, one, other = (
            grid.locate([region._replace(cover=cover)])
            for cover in (region.cover, region.cover * part, region.cover * (1 - part))
        )
        np.testing.assert_allclose(one.share + other.share, whole.share, atol=1e-12)
        np.testing.assert_allclose(one.area + other.area, whole.area, atol=1e-12)


@pytest.mark.parametrize("grid", WHOLE_CELLS, ids=str)
@every_shape
def test_cells_together_hold_the_regions_share_of_the_input(grid, ragged):
    regions = draw(grid, ragged=ragged)
    for shares in (grid.locate(regions), grid.averaged_over_positions(regions)):
        np.testing.assert_allclose(shares.share.mean(axis=(1, 2)), shares.area)


@pytest.mark.parametrize("grid", BROKEN_CELLS, ids=str)
def test_cells_of_broken_pixels_hold_about_that_share(grid):
    # Their enlarged maps do not all have one sum; a large region shows how little it matters.
    regions = [region for region in draw(grid, ragged=False, n=30) if region.cover.size > 20]
    shares = grid.locate(regions)
    np.testing.assert_allclose(shares.share.mean(axis=(1, 2)), shares.area, rtol=0.1)


@every_grid
def test_each_pixel_is_spread_over_cells_by_weights_that_sum_to_one(grid):
    assert grid.enlarging.shape == (grid.size, grid.cells)
    assert grid.enlarging.min() >= 0
    np.testing.assert_allclose(grid.enlarging.sum(axis=1), 1)
    np.testing.assert_allclose(grid.enlarging, grid.enlarging[::-1, ::-1], atol=1e-12)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_cell_is_hit_where_it_and_the_box_share_some_area(data):
    cells = data.draw(st.integers(1, 30), label="cells")
    size = data.draw(st.integers(cells, 100), label="size")
    top, left = (data.draw(st.integers(0, size - 1), label="start") for _ in range(2))
    height = data.draw(st.integers(1, size - top), label="height")
    width = data.draw(st.integers(1, size - left), label="width")
    (hit,) = Grid(size, cells).locate([Region(top, left, np.ones((height, width)))]).hit
    assert (hit == np.outer(overlaps(size, cells, top, height),
                            overlaps(size, cells, left, width))).all()  # fmt: skip


def overlaps(size, cells, start, length):
    """Whether each cell of one axis shares some length with a stretch, in whole numbers."""
    return [
        min((cell + 1) * size, (start + length) * cells) > max(cell * size, start * cells)
        for cell in range(cells)
    ]


@pytest.mark.parametrize(
    ("size", "cells"), [(115, 15), (214, 14), (237, 30), (224, 7), (224, 28), (200, 7)]
)
def test_boxes_that_end_on_the_edge_of_a_cell_do_not_touch_the_next(size, cells):
    grid = Grid(size, cells)
    edges = [size * cell // cells for cell in range(1, cells) if size * cell % cells == 0]
    before = [Region(edge - 1, 0, np.ones((1, 1))) for edge in edges]
    after = [Region(edge, 0, np.ones((1, 1))) for edge in edges]
    for regions in (before, after):
        for region, hit in zip(regions, grid.locate(regions).hit, strict=True):
            assert hit[:, 0].tolist() == overlaps(size, cells, region.top, 1)


# Where they might lie by chance.


@every_grid
@every_shape
def test_the_average_is_the_mean_over_all_places(grid, ragged):
    regions = draw(grid, ragged=ragged, seed=2, n=3)
    found = grid.averaged_over_positions(regions)
    for number, region in enumerate(regions):
        moved = grid.locate(everywhere(grid, region))
        for name in ("share", "area", "hit"):
            due = getattr(moved, name).mean(axis=0)
            np.testing.assert_allclose(getattr(found, name)[number], due, atol=1e-12)


@every_grid
@every_shape
def test_the_average_does_not_depend_on_where_a_region_lies(grid, ragged):
    regions = draw(grid, ragged=ragged)
    corner = [region._replace(top=0, left=0) for region in regions]
    compare(grid.averaged_over_positions(regions), grid.averaged_over_positions(corner), rtol=0)


@every_grid
def test_without_a_region_there_is_no_share_and_the_others_are_as_if_alone(grid):
    one, other = draw(grid, ragged=True, n=2)
    for find in (grid.locate, grid.averaged_over_positions):
        together = find([one, None, other])
        assert np.isnan(together.share[1]).all()
        assert np.isnan(together.area[1])
        assert not together.hit[1].any()
        for number, region in ((0, one), (2, other)):
            alone = find([region])
            for name in ("share", "area", "hit"):
                assert (getattr(together, name)[number] == getattr(alone, name)[0]).all()


def test_no_regions_give_no_places():
    for shares in (Grid(8, 2).locate([]), Grid(8, 2).averaged_over_positions([])):
        assert shares.share.shape == shares.hit.shape == (0, 2, 2)
        assert shares.area.shape == (0,)
