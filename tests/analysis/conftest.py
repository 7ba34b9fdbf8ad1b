"""Outcomes of a sample, and saliency maps measured on the same instances."""

import pandas as pd
import pytest

from builders import map_measures
from builders.predictions import outcomes_of, predicted
from smallsight.analysis.saliency import arrange_measures


@pytest.fixture(scope="module")
def evaluated():
    """Arrange answers to a sample; who was right is told by the maps' tables, not by these."""

    def evaluated(sample):
        return outcomes_of(predicted(sample, conditions={"orig_full": 0.7}, regimes=("fixed",)))

    return evaluated


@pytest.fixture(scope="module")
def found(population, evaluated):
    return evaluated(population(images=60))


@pytest.fixture(scope="module")
def sample(found):
    return found.instances


@pytest.fixture(scope="module")
def measures(sample):
    return map_measures.tables(sample)


@pytest.fixture(scope="module")
def whole(measures):
    attention, maps = measures
    return pd.concat([attention.assign(map="predicted"), maps], ignore_index=True)


@pytest.fixture(scope="module")
def looking(found, measures):
    return arrange_measures(found, *measures)
