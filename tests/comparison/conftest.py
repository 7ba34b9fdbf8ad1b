"""Pairs of studies that several test modules compare."""

import pytest

from builders.compared_studies import (
    BETTER,
    FORMULA,
    HOSTILE,
    pairs_of,
    predicted,
    sampled,
    side_of,
    write_study,
)
from smallsight.comparison.comparison import compare_studies
from smallsight.comparison.page import build


@pytest.fixture(scope="session")
def plain_sample():
    return sampled(each=60)


@pytest.fixture(scope="session")
def two(plain_sample):
    """A study, and one that is better on small objects: the sample and predictions of each."""
    better = predicted(plain_sample, odds=BETTER, seed=1)
    return (plain_sample, predicted(plain_sample)), (plain_sample, better)


@pytest.fixture(scope="session")
def pairs(two):
    """Those studies paired, by task."""
    return pairs_of(*two)


@pytest.fixture(scope="session")
def pair(pairs):
    """Those studies paired in the headline task."""
    return pairs["object"]


@pytest.fixture(scope="session")
def sample():
    return sampled(each=60, categories=("car", HOSTILE, FORMULA))


@pytest.fixture(scope="session")
def studies(sample, tmp_path_factory):
    """Folders of a study, and of one that is better on small objects."""
    folders = [tmp_path_factory.mktemp(name) for name in "ab"]
    write_study(folders[0], sample, predicted(sample))
    better = predicted(sample, odds=BETTER, seed=1)
    changes = {"heads.epochs": 20, "new.key": HOSTILE}
    write_study(folders[1], sample, better, changes=changes)
    return folders


@pytest.fixture(scope="session")
def sides(studies):
    return (
        side_of(studies[0], name="default", commit="abc1234"),
        side_of(studies[1], name=HOSTILE, commit="def5678", experiment=HOSTILE),
    )


@pytest.fixture(scope="session")
def comparison(sides):
    return compare_studies(*sides)


@pytest.fixture(scope="session")
def page(comparison):
    return build(comparison, most=12)


@pytest.fixture
def other(sides, tmp_path):
    """Write another study beside the first, and compare the two."""

    def other(sample, predictions, *, first=None, name="other", **properties):
        write_study(tmp_path / name, sample, predictions, **properties)
        return compare_studies(
            first or sides[0], side_of(tmp_path / name, name=name, commit="fff0000")
        )

    return other
