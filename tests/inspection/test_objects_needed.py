"""Numbers of objects, against simulated studies that the analysis's own tests judge."""

import numpy as np
import pandas as pd
import pytest

from smallsight.analysis.statistics.tests import sign_flip_p, wald_p
from smallsight.inspection.objects_needed import (
    GAINED,
    count_needed,
    detectable_by,
    detectable_change,
    detectable_gap,
    gap_needed,
    independent,
    paired_power,
    pairs_needed,
)
from smallsight.vocabulary import POWER

LEVEL = 0.05 / 4
STUDIES = 1500
NEAR = 3 * np.sqrt(POWER * (1 - POWER) / STUDIES)
"""What a share of so many studies may be off by chance."""


def shares_found(n, effect, gained, rng):
    """Simulate studies of n pictures of an object each; return the share with a small p-value."""
    chances = [effect + gained, gained, 1 - effect - 2 * gained]
    changes = rng.choice([-1, 1, 0], size=(STUDIES, n), p=chances)
    return np.mean([sign_flip_p(one) <= LEVEL for one in changes])


@pytest.mark.parametrize("gained", GAINED)
@pytest.mark.parametrize("effect", [0.05, 0.10])
def test_so_many_objects_give_the_power(effect, gained):
    n = pairs_needed(effect, gained=gained, level=LEVEL)
    found = shares_found(n, effect, gained, np.random.default_rng(1))
    assert found == pytest.approx(POWER, abs=NEAR)
    assert shares_found(n // 2, effect, gained, np.random.default_rng(1)) < POWER - 0.15


def test_the_gap_is_found_as_often_as_it_says():
    gap, rng = 0.10, np.random.default_rng(2)
    n = gap_needed(gap, confidence=0.95)
    small = rng.binomial(n, 0.5 - gap / 2, STUDIES) / n
    large = rng.binomial(n, 0.5 + gap / 2, STUDIES) / n
    errors = np.sqrt((small * (1 - small) + large * (1 - large)) / n)
    pairs = zip(large - small, errors, strict=True)
    found = np.mean([wald_p(value, error, images=2 * n) <= 0.05 for value, error in pairs])
    assert found == pytest.approx(POWER, abs=NEAR)


@pytest.mark.parametrize("sizes", [[1] * 150, [3] * 50], ids=["alone", "three to a picture"])
def test_a_sample_shows_what_it_says_it_does(sizes):
    """The ends hold: objects that are right each by itself, and pictures that go as one."""
    rng = np.random.default_rng(3)
    image = pd.Series(np.repeat(np.arange(len(sizes)), sizes))
    told = detectable_by(image, level=LEVEL)
    assert (told.n, told.images) == (150, len(sizes))
    together, gained = told.worst, GAINED[1]
    chances = [together + gained, gained, 1 - together - 2 * gained]
    changes = rng.choice([-1, 1, 0], size=(STUDIES, len(sizes)), p=chances) * np.array(sizes)
    found = np.mean([sign_flip_p(one) <= LEVEL for one in changes])
    assert found == pytest.approx(POWER, abs=NEAR + 0.02)  # numbers of pictures are whole
    assert told.best < told.worst


def test_power_is_that_of_every_outcome():
    """Against a sum over all numbers of objects that are lost and gained."""
    n, lost, gained = 12, 0.6, 0.1
    rng = np.random.default_rng(0)
    changes = rng.choice([-1, 1, 0], size=(40_000, n), p=[lost, gained, 1 - lost - gained])
    nets = {(up, down): sign_flip_p(np.repeat([1, -1], [up, down])) for up in range(n + 1)
            for down in range(n + 1 - up)}  # fmt: skip
    counts = zip((changes > 0).sum(axis=1), (changes < 0).sum(axis=1), strict=True)
    found = np.mean([nets[int(up), int(down)] <= 0.05 for up, down in counts])
    power = paired_power(n, lost - gained, gained=gained, level=0.05)
    assert power == pytest.approx(found, abs=0.01)


def test_numbers_of_the_table():
    needed = count_needed(level=0.05, confidence=0.95)
    assert [one.effect for one in needed] == [0.02, 0.05, 0.10]
    assert all(few < many for few, many in (one.paired for one in needed))
    # 2 (1.96 + 0.84)^2 0.45 0.55 / 0.1^2 = 389, and Student's distribution is a little wider.
    assert needed[2].gap == 390
    assert needed[0].gap / needed[2].gap == pytest.approx(25, rel=0.02)


def test_too_few_objects_show_nothing():
    assert np.isnan(detectable_change(4, gained=0.05, level=LEVEL))
    assert np.isnan(detectable_change(0, gained=0.05, level=LEVEL))
    nothing, some = pd.Series([], dtype=int), pd.Series([1, 2, 3])
    assert np.isnan(detectable_gap(nothing, some, confidence=0.95)).all()
    assert np.isnan(detectable_by(nothing, level=LEVEL).best)


def test_objects_of_one_picture_count_as_one():
    assert independent(pd.Series([5] * 40)) == 1.0
    assert independent(pd.Series(range(40))) == 40.0
    best, worst = detectable_gap(
        pd.Series(range(100)), pd.Series(np.repeat(range(20), 5)), confidence=0.95
    )
    assert best == pytest.approx(0.199, abs=0.002)
    assert worst == pytest.approx(0.349, abs=0.01)
