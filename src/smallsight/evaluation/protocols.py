"""Protocols: how a study divides its sample, and which conditions it trains and tests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from smallsight import params
from smallsight.conditions.rendered.names import ORIGINAL, Condition, FamilyFacts
from smallsight.runtime.errors import ParameterError
from smallsight.vocabulary import REGIMES, TASKS


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
    split
        How the sample is divided: into `folds` by image, once per repeat; once by `instance`, so
        that instances of one image may lie on both sides; or not at all (`none`), so that every
        instance is test data, of a classifier that was trained elsewhere.
    """

    name: str
    label: str
    regimes: tuple[str, ...]
    families: tuple[str, ...] | None
    split: Literal["folds", "instance", "none"]

    @property
    def is_instance_split(self) -> bool:
        """Whether instances of one image may lie on both sides."""
        return self.split == "instance"

    @property
    def is_trained(self) -> bool:
        """Whether heads are trained on a part of the sample."""
        return self.split != "none"

    def conditions(
        self, facts: Mapping[str, FamilyFacts], tasks: Sequence[str] = tuple(TASKS)
    ) -> list[Condition]:
        """Choose the conditions that are evaluated, in order.

        Parameters
        ----------
        facts
            By family, in the order of the parameters.
        tasks
            Those that are evaluated.
        """
        names = facts if self.families is None else [one for one in self.families if one in facts]
        every = [condition for name in names for condition in facts[name].conditions]
        return [
            one
            for one in every
            if one.task in tasks and (self.families is None or one.is_reference)
        ]

    def n_seeds(self, settings: params.Evaluation) -> int:
        """Return the number of seeds that predict each instance of test data."""
        return settings.repeats if self.split == "folds" else 1

    def split_description(self, settings: params.Evaluation) -> str:
        """Describe in a few words how the sample is divided into training and test data."""
        if self.split == "none":
            return "every object is test data"
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
            split="folds",
        ),
        EvaluationProtocol(
            name="original",
            label="Original protocol",
            regimes=("retrained",),
            families=ORIGINAL,
            split="instance",
        ),
    )
}
"""By the name that the parameters choose. `original` is the protocol of the study that smallsight
grew from: one split by instance, and a head of its own for each condition."""

AS_IT_IS = EvaluationProtocol(
    name="as_it_is", label="Classifier as it is", regimes=("fixed",), families=None, split="none"
)
"""How a classifier of the user's own is examined: it was trained elsewhere, and is not refitted."""


def find_protocol(name: str, *, is_own: bool) -> EvaluationProtocol:
    """Return the protocol of a study.

    Parameters
    ----------
    name
        As the parameters choose it.
    is_own
        Whether the study examines a classifier of the user's own.

    Raises
    ------
    ParameterError
        Where a protocol that trains heads alone is chosen for a classifier of the user's own.
    """
    if not is_own:
        return PROTOCOLS[name]
    if name != "cross_validation":
        found = f"{name!r} with a classifier of your own"
        raise ParameterError("params.protocol", found, "cross_validation: nothing is refitted")
    return AS_IT_IS
