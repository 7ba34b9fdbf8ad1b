"""Protocols: how a study divides its sample, and what it trains and tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol as Shape

import pandas as pd

from smallsight import params
from smallsight.conditions.names import ORIGINAL
from smallsight.conditions.registry import Condition
from smallsight.evaluation.splits import Splits, cross_validation, single_split
from smallsight.vocabulary import REGIMES


class Splitter(Shape):
    """Divides a sample."""

    def __call__(
        self,
        sample: pd.DataFrame,
        categories: Sequence[str],
        *,
        settings: params.Evaluation,
        seed: int,
    ) -> Splits:
        """Divide a sample into training and test data."""


@dataclass(frozen=True)
class EvaluationProtocol:
    """One way to get predictions.

    Attributes
    ----------
    splits
        Divides the sample.
    regimes
        What is evaluated, the headline regime first.
    families
        The only families evaluated, at their reference levels; None for all levels of all.
    """

    splits: Splitter
    regimes: tuple[str, ...]
    families: tuple[str, ...] | None

    def conditions(self, ladders: Mapping[str, Sequence[Condition]]) -> list[Condition]:
        """Choose what is evaluated from every family's ladder."""
        if self.families is None:
            return [step for ladder in ladders.values() for step in ladder]
        return [ladders[name][0] for name in self.families if name in ladders]


PROTOCOLS = {
    "cross_validation": EvaluationProtocol(cross_validation, tuple(REGIMES), None),
    "original": EvaluationProtocol(single_split, ("retrained",), ORIGINAL),
}
"""By the name that the parameters choose. `original` is the protocol of the study that smallsight
grew from: one split by instance, and a head of its own for each condition."""
