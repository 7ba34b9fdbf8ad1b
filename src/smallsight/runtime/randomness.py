"""Random generators that depend on what is drawn, never on when or by which worker."""

import hashlib

import numpy as np


def derive(*keys: int | str) -> np.random.Generator:
    """Make the generator that belongs to a tuple of keys, such as (seed, family, image_id).

    The keys are hashed, so that neighbouring seeds give unrelated streams and names may be keys.
    """
    digest = hashlib.sha256(repr(keys).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
