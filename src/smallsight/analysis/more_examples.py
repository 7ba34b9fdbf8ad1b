"""Whether more small examples would help: more_examples.csv and more_examples_gain.csv.

Heads learned from some of the small training objects, and from all others as before. The slope of
the accuracy over the logarithm of their number says what twice as many would be worth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import P_HOLM, P_VALUE, interval, judged
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap
from smallsight.analysis.statistics.verdicts import judge
from smallsight.runtime.tables import Table, flag, number
from smallsight.vocabulary import GROUPS, INSTANCE, SIZE_GROUP, TASK

VERDICTS = {1: "gain expected", -1: "loss expected", 0: "no gain expected", None: ""}
"""Of the categories' mean accuracy with twice as many small training objects.

Heads that learned from more of them name the categories that small objects mostly are, which is no
gain.
"""

MORE_EXAMPLES = Table(
    "more_examples",
    "accuracy by the number of small objects that heads learned from, and with twice as many",
    (
        TASK,
        SIZE_GROUP,
        number("share", "share of the small training objects that heads learned from"),
        number("n_train", "their number, the mean over the heads"),
        number("accuracy", "share of the predictions that are correct, the mean over the seeds"),
        *interval(),
        flag("is_extrapolated", "whether no head learned from so many, so that it is expected"),
    ),
)

MORE_EXAMPLES_GAIN = Table(
    "more_examples_gain",
    "what twice as many small training objects would be worth",
    (
        TASK,
        SIZE_GROUP,
        number("gain", "accuracy expected from twice as many, minus that now"),
        *interval(of="gain"),
        number("balanced", "the same of the mean of the categories' accuracies"),
        *interval("balanced_low", "balanced_high", of="balanced"),
        P_VALUE,
        P_HOLM,
        *judged(VERDICTS),
    ),
)

TWICE = 2.0
"""The share for which the accuracy is extrapolated."""


@dataclass(frozen=True)
class LearningCurve:
    """Accuracy on one size group by the number of small training objects, in every draw.

    Attributes
    ----------
    shares
        (m,), in ascending order; the last is all of them.
    n_train
        (m,): the mean numbers of small training objects.
    accuracies, balanced
        (1 + draws, m), the estimate first; and the mean of the categories' accuracies.
    """

    shares: np.ndarray
    n_train: np.ndarray
    accuracies: np.ndarray
    balanced: np.ndarray


def expected(accuracies: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the accuracies, (1 + draws,), to expect from twice as many as there are.

    Those of today and the slope of the least-squares line over the binary logarithm of the share,
    which is what doubling the number is worth; no less than 0 and no more than 1.

    Parameters
    ----------
    accuracies
        (1 + draws, m).
    shares
        (m,), in ascending order.

    Examples
    --------
    >>> expected(np.array([[0.5, 0.6, 0.7]]), np.array([0.25, 0.5, 1])).round(3).tolist()
    [0.8]
    """
    steps = np.log2(shares) - np.log2(shares).mean()
    slope = accuracies @ steps / (steps @ steps)
    return (accuracies[:, -1] + slope).clip(0, 1)


def compute_more_examples(
    predictions: pd.DataFrame, outcomes: Mapping[str, Outcomes]
) -> dict[str, pd.DataFrame]:
    """Compute the accuracy by the number of small training objects, and what more are worth.

    The intervals are those of the test objects: which training objects were drawn is a matter of
    the seeds. Learning curves mostly get flatter, so that the gain is more an upper than a lower
    estimate.

    Parameters
    ----------
    predictions
        The columns of `MORE_EXAMPLES_PREDICTIONS`.
    outcomes
        By task.

    Returns
    -------
    dict
        The tables of `MORE_EXAMPLES`, a row per task, size group and share, the extrapolated one
        last, and of `MORE_EXAMPLES_GAIN`, a row per task and size group. `p_value` is Wald's, of
        the balanced gain, and all rows are one family; verdicts are of the same.
        Groups without objects have no rows, and where a single share is known, nothing is expected.
    """
    accuracies: list[dict[str, Any]] = []
    gains: list[dict[str, Any]] = []
    for task, found in outcomes.items():
        of_task = predictions[predictions["task"] == task]
        for group in GROUPS if len(of_task) else ():
            if not found.members[group].any():
                continue
            about = {"task": task, "size_group": group}
            curve = _learning_curve(of_task, found, group)
            accuracies += [about | row for row in _accuracies(curve, found, group)]
            if len(curve.shares) > 1:
                gains.append(about | _gain(curve, found, group))
    made = pd.DataFrame(gains, columns=MORE_EXAMPLES_GAIN.names)
    confidence = next(iter(outcomes.values())).settings.confidence
    ends = {"balanced_low": "ci_low", "balanced_high": "ci_high"}
    tested = made[[*ends, "p_value"]].rename(columns=ends).astype(float)
    verdicts = judge(tested, VERDICTS, confidence=confidence)
    for name in ("p_holm", "direction", "verdict"):
        made[name] = verdicts[name]
    return {
        MORE_EXAMPLES.name: pd.DataFrame(accuracies, columns=MORE_EXAMPLES.names),
        MORE_EXAMPLES_GAIN.name: made,
    }


def _learning_curve(predictions: pd.DataFrame, outcomes: Outcomes, group: str) -> LearningCurve:
    """Arrange the predictions of one task, on the objects of one size group."""
    shares = predictions.groupby(["share", *INSTANCE])["correct"].mean().unstack("share")
    shares = shares.loc[pd.MultiIndex.from_frame(outcomes.instances[INSTANCE])]
    n_train = predictions.groupby("share")["n_train"].mean()
    chosen = outcomes.members[group]
    hit_rates = shares.to_numpy(float)[chosen].T
    accuracies = bootstrap.weighted_means(hit_rates, outcomes.weights[:, chosen])
    balanced = [outcomes.balanced(each, group) for each in shares.to_numpy(float).T]
    return LearningCurve(
        shares.columns.to_numpy(float), n_train.to_numpy(float), accuracies, np.stack(balanced, 1)
    )


def _accuracies(curve: LearningCurve, outcomes: Outcomes, group: str) -> list[dict[str, Any]]:
    """Return the accuracy at every share, and the one to expect from twice as many."""
    confidence, images = outcomes.settings.confidence, outcomes.size(group)["images"]
    columns = [*zip(curve.shares, curve.n_train, curve.accuracies.T, strict=True)]
    if len(columns) > 1:
        columns.append((TWICE, TWICE * curve.n_train[-1], expected(curve.accuracies, curve.shares)))
    rows = []
    for share, n_train, draws in columns:
        low, high = bootstrap.share_interval(draws[0], draws[1:], confidence, images=images)
        row = {"share": share, "n_train": n_train, "accuracy": draws[0]}
        row |= {"ci_low": low, "ci_high": high, "is_extrapolated": share == TWICE}
        rows.append(row)
    return rows


def _gain(curve: LearningCurve, outcomes: Outcomes, group: str) -> dict[str, float]:
    """Compute what twice as many small training objects are worth, with interval and test."""
    confidence, images = outcomes.settings.confidence, outcomes.size(group)["images"]
    row: dict[str, float] = {}
    for accuracies, names in (
        (curve.accuracies, ("gain", "ci_low", "ci_high")),
        (curve.balanced, ("balanced", "balanced_low", "balanced_high")),
    ):
        draws = expected(accuracies, curve.shares) - accuracies[:, -1]
        # Without rounding errors, where all heads answer alike.
        draws = np.where(abs(draws) < 1e-12, 0.0, draws)
        found = bootstrap.estimate(draws, confidence=confidence, images=images)
        values = draws[0], found["ci_low"], found["ci_high"]
        row |= dict(zip(names, values, strict=True)) | {"p_value": found["p_value"]}
    return row
