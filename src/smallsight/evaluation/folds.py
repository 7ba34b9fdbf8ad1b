"""Divisions of a sample that keep a photograph's instances together."""

import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from smallsight.runtime.errors import SampleError

FINEST_SPLIT = 20
"""Into this many parts, at most, the reference split divides the pictures."""


def image_grouped_folds(
    sample: pd.DataFrame,
    photographs: pd.Series | None = None,
    *,
    folds: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Assign every instance to a fold, all instances of a photograph to the same one.

    Folds resemble each other in category x size group as well as whole photographs allow
    (scikit-learn's StratifiedGroupKFold).

    Parameters
    ----------
    photographs
        Which photograph each row is of; its image_id where no two pictures are the same one.

    Returns
    -------
    array of int, shape (instances,)
        Fold of each row, 0 to `folds` - 1; every fold has a row.

    Raises
    ------
    SampleError
        Where there are fewer photographs than folds.
    """
    photographs = sample["image_id"] if photographs is None else photographs
    _check_enough(sample, photographs, folds, "one per fold")
    strata = sample.groupby(["category_name", "size_group"]).ngroup().to_numpy()
    if np.bincount(strata).max() < folds:
        # scikit-learn refuses where every stratum is this rare: balance the folds' sizes alone.
        strata = np.zeros_like(strata)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=int(rng.integers(2**32)))
    fold = np.empty(len(sample), dtype=int)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        for number, (_, test) in enumerate(splitter.split(strata, strata, photographs)):
            fold[test] = number
    return fold


def _check_enough(sample: pd.DataFrame, photographs: pd.Series, least: int, why: str) -> None:
    """Refuse a sample of fewer photographs than that."""
    n_pictures, n_photographs = sample["image_id"].nunique(), photographs.nunique()
    if n_photographs < least:
        repeated = f" of {n_photographs} photographs" if n_photographs < n_pictures else ""
        raise SampleError("sample", f"{n_pictures} pictures{repeated}", f"at least {least}, {why}")


def reference_split(
    sample: pd.DataFrame,
    photographs: pd.Series | None = None,
    *,
    test_share: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Mark about `test_share` of the instances as test data, photographs kept whole, stratified.

    Parameters
    ----------
    photographs
        As in `image_grouped_folds`.

    Returns
    -------
    array of bool, shape (instances,)
        True for test data; both sides have a row.

    Raises
    ------
    SampleError
        Where there are fewer than two photographs.
    """
    photographs = sample["image_id"] if photographs is None else photographs
    _check_enough(sample, photographs, 2, "one per side")
    finest = min(FINEST_SPLIT, photographs.nunique())
    share = Fraction(test_share).limit_denominator(finest)
    share = min(max(share, Fraction(1, finest)), 1 - Fraction(1, finest))
    folds = image_grouped_folds(sample, photographs, folds=share.denominator, rng=rng)
    return folds < share.numerator


def instance_split(
    sample: pd.DataFrame, *, test_share: float, rng: np.random.Generator
) -> np.ndarray:
    """Mark `test_share` of the instances as test data, whatever their pictures.

    Returns
    -------
    array of bool, shape (instances,)
        True for test data; both sides have a row.

    Raises
    ------
    SampleError
        Where there are fewer than two instances.
    """
    if len(sample) < 2:
        raise SampleError("sample", f"{len(sample)} instances", "at least 2, one per side")
    count = min(max(round(test_share * len(sample)), 1), len(sample) - 1)
    return rng.permutation(len(sample)) < count
