"""Out-of-fold predictions as a table, and accuracies in the original study's columns."""

import numpy as np
import pandas as pd

from smallsight.backbones.feature_store import Features
from smallsight.conditions.rendered.names import Condition
from smallsight.evaluation.crossfit import out_of_fold
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.splits import Splits
from smallsight.evaluation.tables import PREDICTIONS, RESULTS
from smallsight.vocabulary import ALL_AND_GROUPS, INSTANCE, TASKS


def predict(
    splits: Splits, fitted: LinearHeads, features: Features, condition: Condition, *, regime: str
) -> pd.DataFrame:
    """Predict the test data of every seed under one condition.

    Parameters
    ----------
    fitted
        Seeds x folds heads, as `crossfit.fit_heads` returns them.
    features
        Those of the condition's pictures.

    Returns
    -------
    DataFrame
        The columns of `PREDICTIONS`, a row per seed and instance of test data.
    """
    names = np.array(splits.categories)
    truth = splits.sample["category_name"].to_numpy()
    tables = []
    for seed, fold, probabilities in zip(
        splits.seeds, splits.fold_of, out_of_fold(splits, fitted, features), strict=True
    ):
        predicted = names[probabilities.argmax(axis=1)]
        table = splits.sample.assign(
            regime=regime,
            seed=seed,
            fold=fold,
            family=condition.family,
            level=condition.level,
            condition=condition.name,
            side=features.side,
            predicted=predicted,
            correct=predicted == truth,
            confidence=probabilities.max(axis=1),
            task=condition.task,
        )[PREDICTIONS.names]
        columns = [f"p_{name}" for name in splits.categories]
        by_category = pd.DataFrame(probabilities, columns=columns, index=table.index)
        tables.append(pd.concat([table, by_category], axis=1)[fold >= 0])
    return pd.concat(tables, ignore_index=True)


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
