import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from smallsight.remedies.pooling import (
    LEAST,
    generalised_mean_over_cells,
    log_sum_exp_over_cells,
    maximum_over_cells,
    top_quarter_over_cells,
)

POOLS = (
    maximum_over_cells,
    top_quarter_over_cells,
    log_sum_exp_over_cells,
    generalised_mean_over_cells,
)
VALUES = st.floats(-20, 20, width=32)
MAPS = array_shapes(min_dims=4, max_dims=4, max_side=5).flatmap(
    lambda shape: arrays(np.float32, shape, elements=VALUES)
)

every_pool = pytest.mark.parametrize("pool", POOLS)


@every_pool
@given(maps=MAPS)
def test_a_pool_lies_between_the_mean_and_the_maximum(pool, maps):
    found = pool(maps)
    assert found.shape == maps.shape[:2]
    assert found.dtype == np.float32
    lowest, highest = maps.mean(axis=(2, 3)), maps.max(axis=(2, 3))
    if pool is generalised_mean_over_cells:
        lowest, highest = (np.maximum(end, LEAST) for end in (lowest, highest))
    assert (found >= lowest - 1e-4).all()
    assert (found <= highest + 1e-4).all()


@every_pool
@given(value=st.floats(0.125, 20, width=32), rows=st.integers(1, 5))
def test_an_even_map_has_its_value(pool, value, rows):
    maps = np.full((2, 3, rows, 4), value, np.float32)
    np.testing.assert_allclose(pool(maps), value, rtol=1e-5)


@every_pool
@given(maps=MAPS, seed=st.integers(0, 99))
def test_the_order_of_cells_does_not_matter(pool, maps, seed):
    flat = maps.reshape(*maps.shape[:2], -1)
    order = np.random.default_rng(seed).permutation(flat.shape[2])
    moved = flat[:, :, order].reshape(maps.shape)
    np.testing.assert_allclose(pool(moved), pool(maps), rtol=1e-4, atol=1e-5)


@every_pool
def test_each_map_is_pooled_by_itself(pool):
    maps = np.random.default_rng(0).normal(1, 1, (4, 5, 3, 3)).astype(np.float32)
    for n in range(4):
        for dimension in range(5):
            alone = pool(maps[n : n + 1, dimension : dimension + 1])
            np.testing.assert_allclose(alone[0, 0], pool(maps)[n, dimension], rtol=1e-6)


@every_pool
def test_one_cell_that_answers_counts_for_more_than_in_the_mean(pool):
    maps = np.full((1, 1, 7, 7), 0.1, np.float32)
    maps[0, 0, 3, 4] = 3.0
    assert pool(maps)[0, 0] > 1.5 * maps.mean()


@pytest.mark.parametrize(
    ("rows", "columns", "count"),
    [(1, 1, 1), (1, 2, 2), (2, 2, 2), (3, 3, 2), (4, 4, 4), (7, 7, 12)],
)
def test_a_quarter_of_the_cells_is_averaged_and_two_at_least(rows, columns, count):
    values = np.random.default_rng(0).permutation(rows * columns).astype(np.float32)
    found = top_quarter_over_cells(values.reshape(1, 1, rows, columns))
    assert found[0, 0] == pytest.approx(np.sort(values)[-count:].mean())


def test_maps_of_any_size_of_value_are_pooled_without_overflow():
    maps = np.array([[[[1e4, -1e4], [5e3, 0]]]], np.float32)
    for pool in POOLS:
        assert np.isfinite(pool(maps)).all()
        assert np.isfinite(pool(-maps)).all()


def test_the_generalised_mean_raises_what_is_not_positive():
    maps = np.array([[[[-5.0, -1.0], [0.0, 2.0]]]], np.float32)
    assert generalised_mean_over_cells(maps)[0, 0] == pytest.approx((8 / 4) ** (1 / 3), rel=1e-5)
    assert generalised_mean_over_cells(-np.ones_like(maps))[0, 0] == pytest.approx(LEAST, rel=1e-4)
