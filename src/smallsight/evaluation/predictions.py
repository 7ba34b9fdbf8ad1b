"""Out-of-fold predictions as a table, and accuracies in the original study's columns."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.backbones.feature_store import Features
from smallsight.classifiers.mapping import OTHER
from smallsight.conditions.rendered.names import Condition
from smallsight.evaluation.crossfit import out_of_fold
from smallsight.evaluation.heads import Heads
from smallsight.evaluation.splits import Splits
from smallsight.evaluation.tables import PREDICTIONS, RESULTS
from smallsight.vocabulary import ALL_AND_GROUPS, INSTANCE, TASKS


def predicted_rows(
    splits: Splits, classes: np.ndarray, **columns: np.ndarray | float | str
) -> pd.DataFrame:
    """Arrange what was predicted of test data as rows.

    Parameters
    ----------
    classes
        (seeds, n), the predicted class of every instance; one above the last category stands for
        `OTHER`.
    columns
        By name, further columns: a value for all rows, or (seeds, n) of them.

    Returns
    -------
    DataFrame
        A row per seed and instance of test data: the sample's columns, seed, fold, predicted,
        correct, and the further ones.
    """
    names = np.array([*splits.categories, OTHER])
    truth = splits.sample["category_name"].to_numpy()
    tables = []
    for place, (seed, fold) in enumerate(zip(splits.seeds, splits.fold_of, strict=True)):
        predicted = names[classes[place]]
        own: dict[str, Any] = {
            name: value[place] if isinstance(value, np.ndarray) else value
            for name, value in columns.items()
        }
        table = splits.sample.assign(
            seed=seed, fold=fold, predicted=predicted, correct=predicted == truth, **own
        )
        tables.append(table[fold >= 0])
    return pd.concat(tables, ignore_index=True)


def predict(
    splits: Splits, fitted: Heads, features: Features, condition: Condition, *, regime: str
) -> pd.DataFrame:
    """Predict the test data of every seed under one condition.

    Parameters
    ----------
    fitted
        Seeds x folds heads, as `crossfit.fit_heads` returns them, or what stands in their place.
    features
        Those of the condition's pictures.

    Returns
    -------
    DataFrame
        The columns of `PREDICTIONS`, a row per seed and instance of test data.
    """
    probabilities = out_of_fold(splits, fitted, features)
    by_category = {
        f"p_{name}": probabilities[:, :, place] for place, name in enumerate(splits.categories)
    }
    table = predicted_rows(
        splits,
        probabilities.argmax(axis=2),
        regime=regime,
        family=condition.family,
        level=condition.level,
        condition=condition.name,
        side=np.tile(features.side, (len(splits.seeds), 1)),
        confidence=probabilities.max(axis=2),
        task=condition.task,
        **by_category,
    )
    return table[[*PREDICTIONS.names, *by_category]]


def summarise_results(table: pd.DataFrame) -> pd.DataFrame:
    """Compute the accuracy by condition and size group, in the original study's columns first.

    Parameters
    ----------
    table
        The columns of `PREDICTIONS`.

    Returns
    -------
    DataFrame
        The columns of `RESULTS`: condition; val_acc_all, val_acc_small, val_acc_medium,
        val_acc_large: means over the seeds of the out-of-fold predictions, empty for a group
        without instances; regime, family, level; n_all, n_small, n_medium, n_large: numbers of
        instances; task. The scene task's rows come first.
    """
    keys = ["task", "regime", "condition", "family", "level"]
    rows = []
    for key, part in table.groupby(keys, sort=False):
        row = dict(zip(keys, key, strict=True))
        for group in ALL_AND_GROUPS:
            members = part if group == "all" else part[part["size_group"] == group]
            row[f"val_acc_{group}"] = members["correct"].mean()
            row[f"n_{group}"] = len(members.drop_duplicates(INSTANCE))
        rows.append(row)
    order = {task: place for place, task in enumerate(TASKS)}
    rows.sort(key=lambda row: order[str(row["task"])])
    return pd.DataFrame(rows)[RESULTS.names]
