"""The register of families, which each family enters itself into by `@family`."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from pydantic import create_model

from smallsight.conditions.rendered.names import Role
from smallsight.conditions.rendering.views import View
from smallsight.params import Section

RNG = "rng"
"""Name of the parameter of a family's function that is no option but a random generator."""


ActsOn = Literal["picture", "window", "frame"]
"""What a family is given and changes.

`picture`: the whole picture, before the object's window is cut out of it; such a family has a part
in both tasks. `window`: the object's window; it has a part in the object task alone. `frame`: the
whole picture, of which it shows another part; it has a part in the scene task alone.
"""


class Change(Protocol):
    """The one shape that every family has."""

    def __call__(self, view: View, /, **options: Any) -> View:
        """Change a view by the given options."""


@dataclass(frozen=True)
class Family:
    """One kind of change.

    Attributes
    ----------
    name, label, description, role, neutral
        As in `names.FamilyFacts`.
    acts_on
        What it is given.
    reduces_to
        The option that says to which side, in pixels of the picture, objects are reduced; objects
        smaller than the greatest of its values are left out at all levels. None for other families.
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
    role: Role
    neutral: Mapping[str, float]
    acts_on: ActsOn
    reduces_to: str | None
    change: Change
    options: type[Section]
    is_random: bool


REGISTERED: dict[str, Family] = {}
"""Families by name, as far as their modules have been imported; `families.FAMILIES` has all."""

ChangeT = TypeVar("ChangeT", bound=Callable[..., View])


def family(
    *,
    label: str,
    description: str,
    role: Role = "corruption",
    acts_on: ActsOn = "picture",
    reduces_to: str | None = None,
    **neutral: float,
) -> Callable[[ChangeT], ChangeT]:
    """Register a function as the family of its own name.

    The function's keyword-only parameters are the family's options: the annotation says which
    values are allowed, and an option with a default may be left out of params.yaml. A parameter
    `rng` is no option. It gets a `np.random.Generator` that belongs to the seed, the family, the
    level and the instance.

    Parameters
    ----------
    label, description, role
        As in `names.FamilyFacts`.
    acts_on, reduces_to
        As in `Family`.
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
            role=role,
            neutral=neutral,
            acts_on=acts_on,
            reduces_to=reduces_to,
            change=change,
            options=create_model(name, __base__=Section, **fields),
            is_random=is_random,
        )
        return change

    return register
