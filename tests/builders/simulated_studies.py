"""Studies whose truth is known, as outcomes: what simulations analyse again and again.

`SIMULATIONS=5 pytest -s tests/analysis/simulations` makes five times as many, and prints how often
the analysis finds the truth.
"""

import os

import numpy as np
import pandas as pd
from scipy.special import ndtr

from smallsight import params
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, SIZE_GROUPS

MORE = int(os.environ.get("SIMULATIONS", "1"))
N = 200
"""Instances per size group."""

NOISE = {"mostly the scene's": (0.15, 0.65, 0.1, 0.1), "mostly the head's": (0.35, 0.1, 0.35, 0.2)}
"""Shares of the variance: the image, how it takes a condition, the instance's, and the seed's."""
SEEDS = 5
"""Heads that answer each noisy instance."""


def tolerated(share, repetitions):
    """Return how often an event of this share may be seen, by two standard errors."""
    return share + 2 * np.sqrt(share * (1 - share) / repetitions)


def clusters(rng, n, sizes):
    """Give n instances to images of 1 to 5, or other sizes; their numbers count from 0."""
    counts = rng.choice(sizes, n)
    image = np.repeat(np.arange(n), counts)
    return image[:n]


def three_groups(rng, sizes):
    """Make `N` instances of each size group; images hold instances of all three."""
    image = np.concatenate([clusters(rng, N, sizes) for _ in SIZE_GROUPS])
    return image, np.repeat(list(SIZE_GROUPS), N)


def small_and_large(rng, n=N):
    """Make n small and n large instances; images hold instances of both."""
    image = np.concatenate([clusters(rng, n, (1, 2, 3, 4, 5)) for _ in range(2)])
    return image, np.repeat([GROUPS[0], GROUPS[-1]], n)


def ranks(rng, image, *, rho):
    """Draw uniform numbers that instances of an image share to a degree of `rho`."""
    shared = rng.standard_normal(image.max() + 1)[image]
    alone = rng.standard_normal(len(image))
    return ndtr(np.sqrt(rho) * shared + np.sqrt(1 - rho) * alone)


def noisy(rng, image, *, hard, parts, names):
    """Draw shares of right answers that no condition changes, of `SEEDS` heads, by name."""
    scene, scene_by_condition, instance, seed = np.sqrt(parts)
    base = scene * rng.standard_normal(image.max() + 1)
    shares = {}
    for name in names:
        latent = base + scene_by_condition * rng.standard_normal(len(base))
        latent = latent[image] + instance * rng.standard_normal(len(image))
        heads = latent + seed * rng.standard_normal((SEEDS, len(image)))
        shares[name] = (heads > hard).mean(axis=0)
    return shares


def study(
    image,
    group,
    shares,
    *,
    rng,
    draws,
    seeds=1,
    side=None,
    category="a",
    task=HEADLINE_TASK,
    confidence=0.95,
):
    """Arrange shares (by regime and condition) of right answers, as `outcomes` would."""
    n = len(image)
    instances = pd.DataFrame(
        {
            "image_id": image,
            "ann_id": np.arange(n),
            "category_name": category,
            "size_group": group,
        }
    )
    names = [
        {
            "task": task,
            "regime": regime,
            "condition": name,
            "family": name.split("/")[0],
            "level": name.split("/")[-1],
        }
        for regime, name in shares
    ]
    weights = bootstrap.image_weights(image, draws=draws, rng=rng)
    return Outcomes(
        instances=instances,
        conditions=pd.DataFrame(names),
        hit_rates=np.stack(list(shares.values())).astype(float),
        n_seeds=seeds,
        side=np.full(n, 20.0) if side is None else side,
        weights=np.concatenate([np.ones((1, n), np.float32), weights]),
        image=np.unique(image, return_inverse=True)[1],
        chance=1 / 6,
        settings=params.Analysis(confidence=confidence, bootstrap_draws=draws),
    )
