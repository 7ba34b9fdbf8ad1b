"""How often an answer flips when the picture is moved a little: stability.csv."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import GROUP, IMAGES, N, interval
from smallsight.analysis.outcomes import Outcomes
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, number, whole
from smallsight.vocabulary import INSTANCE, REGIME, TASK

STABILITY = Table(
    "stability",
    "how often the answer changes when the picture is moved by a few input pixels",
    (
        TASK,
        REGIME,
        GROUP,
        N,
        IMAGES,
        whole("draws", "number of shifts of every picture"),
        number("flip_rate", "share of shifts and seeds whose answer differs from the untouched"),
        *interval(of="flip_rate"),
        number("correct", "accuracy on the untouched pictures"),
        number("correct_shifted", "accuracy on the shifted ones, the mean over the draws"),
        number("always_correct", "share of objects that most seeds get right under every shift"),
    ),
)

_ANSWER = ("predicted", "correct")


@dataclass(frozen=True)
class Answers:
    """Answers of s seeds to n instances, untouched and under k shifts, in one regime.

    Attributes
    ----------
    flipped
        (k, n, s), bool: whether a seed predicts another category than for the untouched picture.
    untouched
        (n, s), bool: whether it is right about the untouched picture.
    shifted
        (k, n, s), bool: whether it is right about the shifted one.
    """

    flipped: np.ndarray
    untouched: np.ndarray
    shifted: np.ndarray

    @property
    def always_correct(self) -> np.ndarray:
        """(n,), bool: the instances that most seeds get right under every shift."""
        return (self.shifted.mean(axis=2) > 0.5).all(axis=0)


def arrange_answers(predictions: pd.DataFrame, regime: str) -> Answers | None:
    """Arrange a regime's answers; None where nothing was shifted.

    Parameters
    ----------
    predictions
        The columns of `evaluation.tables.PREDICTIONS`, of one task: untouched pictures, and the
        same under every shift.
    """
    in_order = predictions[predictions["regime"] == regime].sort_values([*INSTANCE, "seed"])
    seeds = max(in_order["seed"].nunique(), 1)
    parts = dict(list(in_order.groupby("condition", sort=False)))
    untouched = parts.pop(UNTOUCHED, None)
    if untouched is None or not parts:
        return None
    named, right = (untouched[name].to_numpy().reshape(-1, seeds) for name in _ANSWER)
    shifted = [[one[name].to_numpy().reshape(-1, seeds) for name in _ANSWER]
               for one in parts.values()]  # fmt: skip
    return Answers(
        flipped=np.stack([other != named for other, _ in shifted]),
        untouched=right.astype(bool),
        shifted=np.stack([other for _, other in shifted]).astype(bool),
    )


def compute_stability(predictions: pd.DataFrame, outcomes: Outcomes) -> pd.DataFrame:
    """Compute how often answers flip, by regime and size group.

    A flip is another predicted category than the same seed's for the untouched picture, be it
    right or wrong.

    Parameters
    ----------
    predictions
        As `arrange_answers` takes them.
    outcomes
        Of the same task, with the same instances.

    Returns
    -------
    DataFrame
        The columns of `STABILITY`, a row per regime and size group, `all` first; without rows where
        nothing was shifted.
    """
    rows: list[dict[str, Any]] = []
    for regime in outcomes.regimes:
        answers = arrange_answers(predictions, regime)
        if answers is None:
            continue
        flips = answers.flipped.mean(axis=(0, 2))
        for group, chosen in outcomes.members.items():
            row: dict[str, Any] = {"task": outcomes.task, "regime": regime, "size_group": group}
            row |= {**outcomes.size(group), "draws": len(answers.shifted)}
            if chosen.any():
                ends = outcomes.mean_with_interval(flips, chosen)
                row |= dict(zip(("flip_rate", "ci_low", "ci_high"), ends, strict=True))
                row["correct"] = answers.untouched[chosen].mean()
                row["correct_shifted"] = answers.shifted[:, chosen].mean()
                row["always_correct"] = answers.always_correct[chosen].mean()
            rows.append(row)
    return pd.DataFrame(rows, columns=STABILITY.names)


def find_stable(predictions: pd.DataFrame, outcomes: Outcomes) -> np.ndarray:
    """Find the instances that most seeds get right under every shift, in the headline regime.

    Parameters
    ----------
    predictions, outcomes
        As `compute_stability` takes them.

    Returns
    -------
    ndarray
        (n,), bool; none of them where nothing was shifted.
    """
    answers = arrange_answers(predictions, outcomes.regimes[0])
    return np.zeros(len(outcomes.instances), bool) if answers is None else answers.always_correct
