"""Protocols: how a study divides its sample, and which conditions it trains and tests on."""

from collections.abc import Mapping
from dataclasses import dataclass

from smallsight import params
from smallsight.conditions.rendered.names import ORIGINAL, Condition, FamilyFacts
from smallsight.vocabulary import REGIMES


@dataclass(frozen=True)
class EvaluationProtocol:
    """One way to get predictions.

    Attributes
    ----------
    name
        What the parameters call it.
    label
        What people call it.
    regimes
        What is evaluated, the headline regime first.
    families
        The only families evaluated, at their reference levels; None for all levels of all. In
        either case in every task that they have a part in.
    is_instance_split
        Whether the sample is divided once, by instance, so that instances of one image may lie on
        both sides; else it is divided into folds by image, once per repeat.
    """

    name: str
    label: str
    regimes: tuple[str, ...]
    families: tuple[str, ...] | None
    is_instance_split: bool

    def conditions(self, facts: Mapping[str, FamilyFacts]) -> list[Condition]:
        """Choose the conditions that are evaluated, in order.

        Parameters
        ----------
        facts
            By family, in the order of the parameters.
        """
        if self.families is None:
            return [condition for family in facts.values() for condition in family.conditions]
        chosen = [facts[name] for name in self.families if name in facts]
        return [one for family in chosen for one in family.conditions if one.is_reference]

    def n_seeds(self, settings: params.Evaluation) -> int:
        """Return the number of seeds that predict each instance of test data."""
        return 1 if self.is_instance_split else settings.repeats

    def split_description(self, settings: params.Evaluation) -> str:
        """Describe in a few words how the sample is divided into training and test data."""
        if self.is_instance_split:
            test = round(100 * settings.test_share)
            return f"one {100 - test}/{test} split by instance"
        return f"{settings.repeats} × {settings.folds}-fold cross-validation by image"


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        EvaluationProtocol(
            name="cross_validation",
            label="Cross-validation",
            regimes=tuple(REGIMES),
            families=None,
            is_instance_split=False,
        ),
        EvaluationProtocol(
            name="original",
            label="Original protocol",
            regimes=("retrained",),
            families=ORIGINAL,
            is_instance_split=True,
        ),
    )
}
"""By the name that the parameters choose. `original` is the protocol of the study that smallsight
grew from: one split by instance, and a head of its own for each condition."""
