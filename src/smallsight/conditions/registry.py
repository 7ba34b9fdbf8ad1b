"""The register of families, and the conditions that parameters make of them."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import create_model

from smallsight.conditions.views import View
from smallsight.params import Option, Section


class Change(Protocol):
    """The one shape that every family has."""

    def __call__(self, view: View, /, **options: Any) -> View:
        """Change a view by the given options."""


@dataclass(frozen=True)
class Family:
    """One kind of change, as people see it and as code applies it.

    `neutral` holds, of options that go from mild to severe, the value at which nothing changes. A
    probe takes the object and its surroundings apart; other families are what may befall a picture.
    """

    name: str
    label: str
    description: str
    change: Change
    options: type[Section]
    neutral: Mapping[str, float]
    is_probe: bool


@dataclass(frozen=True)
class Condition:
    """A family at a level."""

    family: str
    options: tuple[tuple[str, Option], ...]
    is_reference: bool

    @property
    def level(self) -> str:
        """The options as they stand in folder names and tables: `scale=0.5`, or `default`."""
        fields = FAMILIES[self.family].options.model_fields
        named = (
            f"{name}={_short(value)}"
            for name, value in self.options
            if value != fields[name].default
        )
        return ",".join(named) or "default"

    @property
    def name(self) -> str:
        """The family's name at its reference level, `<family>/<level>` elsewhere."""
        return self.family if self.is_reference else f"{self.family}/{self.level}"

    def apply(self, view: View) -> View:
        """Change a view."""
        return FAMILIES[self.family].change(view, **dict(self.options))


FAMILIES: dict[str, Family] = {}
"""Every family by name, in the order of its definition."""


def family(
    *, label: str, description: str, is_probe: bool = False, **neutral: float
) -> Callable[[Callable[..., View]], Callable[..., View]]:
    """Register a function as the family of its own name."""

    def register(change: Callable[..., View]) -> Callable[..., View]:
        name = change.__name__
        fields: dict[str, Any] = {
            option.name: (
                option.annotation,
                ... if option.default is option.empty else option.default,
            )
            for option in inspect.signature(change).parameters.values()
            if option.kind is inspect.Parameter.KEYWORD_ONLY
        }
        options = create_model(name, __base__=Section, **fields)
        FAMILIES[name] = Family(name, label, description, change, options, neutral, is_probe)
        return change

    return register


def _short(value: Option) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
