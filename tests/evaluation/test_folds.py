import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.drawn_sample import CATEGORIES, dataset, draw
from smallsight.evaluation.folds import image_grouped_folds, instance_split, reference_split
from smallsight.runtime.errors import SampleError
from smallsight.vocabulary import SIZE_GROUPS

SAMPLES = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(CATEGORIES), st.sampled_from(list(SIZE_GROUPS))),
    min_size=1,
    max_size=120,
).map(lambda rows: pd.DataFrame(rows, columns=["image_id", "category_name", "size_group"]))


@pytest.fixture(scope="module")
def sample(population):
    return population(images=60)


@pytest.mark.parametrize("share", [0.001, 0.5, 0.999])
def test_both_sides_of_a_split_have_an_instance(sample, share):
    test = instance_split(sample, test_share=share, rng=np.random.default_rng(0))
    assert 0 < test.sum() < len(sample)
    assert test.sum() == min(max(round(share * len(sample)), 1), len(sample) - 1)


def test_one_instance_cannot_be_split(sample):
    with pytest.raises(SampleError, match="1 instances; expected at least 2"):
        instance_split(sample[:1], test_share=0.2, rng=np.random.default_rng(0))


@pytest.mark.filterwarnings("error")
@settings(max_examples=40, deadline=None)
@given(SAMPLES, st.integers(2, 6), st.integers(0, 2**32))
def test_folds_hold_whole_pictures_and_are_never_empty(sample, folds, seed):
    pictures = sample["image_id"].nunique()
    if pictures < folds:
        with pytest.raises(SampleError, match=f"{pictures} pictures; expected at least {folds}"):
            image_grouped_folds(sample, folds=folds, rng=np.random.default_rng(seed))
        return
    fold, again = (
        image_grouped_folds(sample, folds=folds, rng=np.random.default_rng(seed)) for _ in range(2)
    )
    assert (fold == again).all()
    assert set(fold) == set(range(folds))
    assert (pd.Series(fold).groupby(sample["image_id"]).nunique() == 1).all()


@pytest.mark.filterwarnings("error")
@settings(max_examples=40, deadline=None)
@given(SAMPLES, st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_reference_split_has_two_sides_and_whole_pictures(sample, share, seed):
    if sample["image_id"].nunique() < 2:
        with pytest.raises(SampleError, match="1 pictures"):
            reference_split(sample, test_share=share, rng=np.random.default_rng(seed))
        return
    test, again = (
        reference_split(sample, test_share=share, rng=np.random.default_rng(seed)) for _ in range(2)
    )
    assert test.dtype == bool
    assert (test == again).all()
    assert test.any()
    assert not test.all()
    assert (pd.Series(test).groupby(sample["image_id"]).nunique() == 1).all()


def test_parts_resemble_the_whole():
    sample = draw(dataset(pictures=120, per_picture=5), per_group=150, person_cap=70).sample
    fold = image_grouped_folds(sample, folds=5, rng=np.random.default_rng(0))
    for column in ("category_name", "size_group"):
        shares = pd.crosstab(fold, sample[column], normalize="columns")
        assert shares.sub(0.2).abs().to_numpy().max() < 0.08


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.35, 0.5])
def test_reference_split_has_about_the_share_asked_for(share):
    sample = draw(dataset(pictures=120, per_picture=5), per_group=150, person_cap=70).sample
    test = reference_split(sample, test_share=share, rng=np.random.default_rng(0))
    assert abs(test.mean() - share) < 0.04
    by_group = pd.Series(test).groupby(sample["size_group"].to_numpy()).mean()
    assert (by_group - share).abs().max() < 0.1


def test_other_seeds_divide_otherwise():
    sample = draw(dataset()).sample
    one, other = (
        image_grouped_folds(sample, folds=5, rng=np.random.default_rng(seed)) for seed in (0, 1)
    )
    assert (one != other).any()
