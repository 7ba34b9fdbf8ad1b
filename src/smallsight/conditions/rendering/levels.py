"""The levels that params.yaml makes of the families."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from smallsight import params
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.names import UNTOUCHED, Condition, FamilyFacts, level_name
from smallsight.conditions.rendering.registry import RNG, Change
from smallsight.conditions.rendering.views import View
from smallsight.params import Option
from smallsight.runtime.errors import ParameterError

Settings = Mapping[str, Mapping[str, Option | list[Option]]]
"""The section `conditions` of params.yaml: by family, each option's value or list of values."""


@dataclass(frozen=True)
class Level:
    """A family with all options set, ready to be applied.

    Attributes
    ----------
    condition
        How tables and folders name it.
    options
        The value of every option, in the order of the function's parameters.
    change
        The family's function.
    is_random
        Whether that function takes a random generator.
    """

    condition: Condition
    options: tuple[tuple[str, Option], ...]
    change: Change
    is_random: bool

    def apply(self, view: View, *, rng: np.random.Generator | None = None) -> View:
        """Change a view.

        Parameters
        ----------
        rng
            Needed where the level is random, and ignored elsewhere.
        """
        random = {RNG: rng} if self.is_random else {}
        return self.change(view, **dict(self.options), **random)


def levels_of(family: str, settings: Settings) -> tuple[Level, ...]:
    """Make a family's levels, the reference first: every combination of its options' values.

    Raises
    ------
    ParameterError
        Where there is no such family or option, an option is missing, or a value is not allowed.

    Examples
    --------
    >>> settings = {"bg_blur": {"sigma": [3.5, 8], "margin": 0.1}}
    >>> [level.condition.name for level in levels_of("bg_blur", settings)]
    ['bg_blur', 'bg_blur/sigma=8,margin=0.1']
    """
    where = f"conditions.{family}"
    if family not in FAMILIES:
        raise ParameterError(where, "unknown family", f"one of {', '.join(FAMILIES)}")
    if family not in settings:
        raise ParameterError(where, "nothing", f"one of {', '.join(settings)}")
    known, given = FAMILIES[family], settings[family]
    values = [value if isinstance(value, list) else [value] for value in given.values()]
    levels: list[Level] = []
    for combination in itertools.product(*values):
        tree = dict(zip(given, combination, strict=True))
        checked = params.validate(known.options, tree, where=where).model_dump()
        fields = known.options.model_fields
        told = {name: checked[name] for name in fields if checked[name] != fields[name].default}
        condition = Condition(family, level_name(told), is_reference=not levels)
        options = tuple((name, checked[name]) for name in fields)
        levels.append(Level(condition, options, known.change, known.is_random))
    names = {level.condition.level for level in levels}
    if len(names) < len(levels) or not levels:
        raise ParameterError(where, repr(dict(given)), "at least one level, and none twice")
    return tuple(levels)


def levels_by_family(settings: Settings) -> dict[str, tuple[Level, ...]]:
    """Make the levels of all families listed, in their order.

    Raises
    ------
    ParameterError
        As `levels_of` does, and where the untouched family is not among them.
    """
    if UNTOUCHED not in settings:
        raise ParameterError("conditions", ", ".join(settings) or "nothing", UNTOUCHED)
    return {family: levels_of(family, settings) for family in settings}


def facts_of(levels: Sequence[Level]) -> FamilyFacts:
    """Collect what is known of the family of these levels.

    Parameters
    ----------
    levels
        All levels of one family, the reference first.

    Examples
    --------
    >>> facts = facts_of(levels_of("zoom", {"zoom": {"factor": [4, 2]}}))
    >>> facts.label, facts.is_intervention, facts.neutral
    ('Zoom', False, {'factor': 1})
    """
    known = FAMILIES[levels[0].condition.family]
    return FamilyFacts(
        name=known.name,
        label=known.label,
        description=known.description,
        is_intervention=known.is_intervention,
        neutral=known.neutral,
        conditions=tuple(level.condition for level in levels),
    )
