"""Heads fitted on the other folds, and what they make of the instances left out."""

import numpy as np

from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.splits import Splits


def out_of_fold_head(
    splits: Splits, fitted: LinearHeads, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give what the head that did not learn from an instance's image knows of one class.

    Parameters
    ----------
    fitted
        Seeds x folds heads, as `Splits.fit` gives them.
    classes
        (n,), one class for each instance that is the first seed's test data.

    Returns
    -------
    weight, bias
        (n, dimensions) and (n,): of the first seed's head.
    """
    fold = splits.fold_of[0]
    fold = fold[fold >= 0]
    return fitted.weight[fold, classes], fitted.bias[fold, classes]
