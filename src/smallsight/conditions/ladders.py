"""The conditions that parameters make of the families."""

import itertools
from collections.abc import Mapping

from smallsight import params
from smallsight.conditions import families as families  # each registers itself
from smallsight.conditions.names import UNTOUCHED
from smallsight.conditions.registry import FAMILIES, Condition
from smallsight.params import Option
from smallsight.runtime.errors import ParameterError

Settings = Mapping[str, Mapping[str, Option | list[Option]]]
"""The parameters of all families: by name, each option's value or list of values."""


def ladder(name: str, families: Settings) -> tuple[Condition, ...]:
    """Give a family's conditions, the reference first: every combination of its options' values.

    Raises
    ------
    ParameterError
        Where there is no such family or option, an option is missing, or a value is not allowed.
    """
    where = f"conditions.{name}"
    if name not in FAMILIES:
        raise ParameterError(where, "unknown family", f"one of {', '.join(FAMILIES)}")
    if name not in families:
        raise ParameterError(where, "nothing", f"one of {', '.join(families)}")
    options, settings = FAMILIES[name].options, families[name]
    values = [value if isinstance(value, list) else [value] for value in settings.values()]
    steps: list[Condition] = []
    for combination in itertools.product(*values):
        level = dict(zip(settings, combination, strict=True))
        checked = params.validate(options, level, where=where).model_dump()
        ordered = tuple((option, checked[option]) for option in options.model_fields)
        steps.append(Condition(name, ordered, is_reference=not steps))
    levels = [step.level for step in steps]
    if len(set(levels)) < len(levels) or not steps:
        raise ParameterError(where, repr(dict(settings)), "at least one level, and none twice")
    return tuple(steps)


def ladders(families: Settings) -> dict[str, tuple[Condition, ...]]:
    """Give the conditions of all families, in the order listed.

    Raises
    ------
    ParameterError
        As `ladder` does, and where the untouched family is not among them.
    """
    if UNTOUCHED not in families:
        raise ParameterError("conditions", ", ".join(families) or "nothing", UNTOUCHED)
    return {name: ladder(name, families) for name in families}
