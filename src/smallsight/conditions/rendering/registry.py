"""The register of families, which each family enters itself into by `@family`."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import create_model

from smallsight.conditions.rendering.views import View
from smallsight.params import Section

RNG = "rng"
"""Name of the parameter of a family's function that is no option but a random generator."""


class Change(Protocol):
    """The one shape that every family has."""

    def __call__(self, view: View, /, **options: Any) -> View:
        """Change a view by the given options."""


@dataclass(frozen=True)
class Family:
    """One kind of change.

    Attributes
    ----------
    name, label, description, is_intervention, neutral
        As in `names.FamilyFacts`.
    change
        Makes the change.
    options
        Checks the options of one level.
    is_random
        Whether `change` takes a random generator.
    """

    name: str
    label: str
    description: str
    is_intervention: bool
    neutral: Mapping[str, float]
    change: Change
    options: type[Section]
    is_random: bool


REGISTERED: dict[str, Family] = {}
"""Families by name, as far as their modules have been imported; `families.FAMILIES` has all."""

ChangeT = TypeVar("ChangeT", bound=Callable[..., View])


def family(
    *, label: str, description: str, is_intervention: bool = False, **neutral: float
) -> Callable[[ChangeT], ChangeT]:
    """Register a function as the family of its own name.

    The function's keyword-only parameters are the family's options: the annotation says which
    values are allowed, and an option with a default may be left out of params.yaml. A parameter
    `rng` is no option. It gets a `np.random.Generator` that belongs to the seed, the family, the
    level and the instance.

    Parameters
    ----------
    label, description, is_intervention
        As in `names.FamilyFacts`.
    neutral
        By option, the value at which nothing changes.
    """

    def register(change: ChangeT) -> ChangeT:
        name = change.__name__
        parameters = {
            each.name: each
            for each in inspect.signature(change).parameters.values()
            if each.kind is inspect.Parameter.KEYWORD_ONLY
        }
        is_random = parameters.pop(RNG, None) is not None
        fields: dict[str, Any] = {
            option: (each.annotation, ... if each.default is each.empty else each.default)
            for option, each in parameters.items()
        }
        REGISTERED[name] = Family(
            name=name,
            label=label,
            description=description,
            is_intervention=is_intervention,
            neutral=neutral,
            change=change,
            options=create_model(name, __base__=Section, **fields),
            is_random=is_random,
        )
        return change

    return register
