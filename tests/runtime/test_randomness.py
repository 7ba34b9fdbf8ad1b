import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from smallsight.runtime.randomness import derive

KEYS = st.lists(st.integers(-(2**70), 2**70) | st.text(max_size=8), min_size=1, max_size=4)


def start(*keys):
    return derive(*keys).integers(2**63, size=4).tolist()


@given(KEYS)
@settings(deadline=None, max_examples=50)
def test_equal_keys_give_equal_streams(keys):
    assert start(*keys) == start(*keys)


@given(KEYS, KEYS)
@settings(deadline=None, max_examples=100)
def test_other_keys_give_other_streams(one, other):
    assert (start(*one) == start(*other)) == (one == other)


def test_keys_do_not_run_together():
    keys = [(1, 23), (12, 3), (123,), ("1", 23), ("1", "23"), ("12", "3"), (1, "23"), (23, 1)]
    keys += [("a", "b"), ("a,b",), ("a', 'b",), ("ab",), ("", "ab")]
    starts = [tuple(start(*key)) for key in keys]
    assert len(set(starts)) == len(keys)


def test_neighbouring_seeds_are_unrelated():
    streams = [derive(seed, "folds").standard_normal(2000) for seed in range(8)]
    pairs = itertools.combinations(streams, 2)
    # Standard error 0.022; five of them.
    assert max(abs(np.corrcoef(one, other)[0, 1]) for one, other in pairs) < 0.11


def test_global_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    derive(0, "x").random(10)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
