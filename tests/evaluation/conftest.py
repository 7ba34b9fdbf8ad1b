"""A sample without pictures, its splits, and random features of it."""

import numpy as np
import pytest

from builders.evaluations import CATEGORIES, DIMENSIONS, SETTINGS
from smallsight.evaluation.splitting import cross_validation


@pytest.fixture(scope="module")
def sample(population):
    return population()


@pytest.fixture(scope="module")
def folds(sample):
    return cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=4)


@pytest.fixture(scope="module")
def seen(sample, features_of):
    rng = np.random.default_rng(0)
    return features_of(sample, rng.standard_normal((len(sample), DIMENSIONS)).astype(np.float32))
