"""Each object's side as its features tell it: what is known of it where no box is."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from smallsight.backbones.feature_store import Features
from smallsight.evaluation.crossfit import check_instances, training_data
from smallsight.evaluation.splits import Splits
from smallsight.remedies.tables import ESTIMATED_SIDES

PENALTIES = 10.0 ** np.arange(1, 7)
"""Of the ridge regression: the training data choose among them, by leaving out one at a time. Where
features tell nothing, the largest makes all estimates nearly the mean."""

DECIMALS = 3
"""Of a written side, in input pixels: errors of rounding are far smaller."""


def estimate_sides(
    splits: Splits, features: Mapping[str, Features], sides: np.ndarray
) -> pd.DataFrame:
    """Estimate the side of every instance of test data, by a regression on the other folds.

    It is a ridge regression of the side's logarithm on the standardised features of the untouched
    picture. No estimate lies beyond the sides that it learned from.

    Parameters
    ----------
    features
        By task, of the untouched pictures.
    sides
        (n,), above 0: true sides in the whole picture, in input pixels. That of an instance is not
        used where it is test data.

    Returns
    -------
    DataFrame
        The columns of `ESTIMATED_SIDES`: by task, a row per seed and instance of test data.

    Raises
    ------
    SampleError
        Where features are not those of the sample, in its order.
    """
    tables = []
    for task, seen in features.items():
        check_instances(splits, seen)
        for seed, fold, train in zip(
            splits.seeds, splits.fold_of, training_data(splits), strict=True
        ):
            found = splits.sample.assign(task=task, seed=seed, side=_estimates(seen, sides, train))
            tables.append(found[fold >= 0])
    return pd.concat(tables, ignore_index=True)[ESTIMATED_SIDES.names]


def _estimates(seen: Features, sides: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Estimate the sides, (n,), of what one seed's folds leave out; NaN for all else.

    Parameters
    ----------
    train
        (folds, n), bool: the training data of each fold.
    """
    plain = seen.plain.astype(np.float64)
    found = np.full(len(sides), np.nan)
    for known in train:
        model = make_pipeline(StandardScaler(), RidgeCV(PENALTIES))
        with threadpool_limits(limits=1, user_api="blas"):
            logs = model.fit(plain[known], np.log(sides[known])).predict(plain[~known])
        found[~known] = np.exp(logs).clip(sides[known].min(), sides[known].max())
    return found.round(DECIMALS)
