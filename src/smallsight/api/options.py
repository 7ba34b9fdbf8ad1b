"""Options of the calls, checked before anything is computed: each error is one line."""

import math
import numbers
from collections.abc import Iterable
from typing import SupportsFloat

from smallsight.runtime.errors import ParameterError, SmallsightError


def kind_of(value: object) -> str:
    """Say of what kind a value is that is none of those due.

    Examples
    --------
    >>> kind_of([1]), kind_of(5)
    ('a list', 'an int')
    """
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def check_number(name: str, value: object, expected: str, *, least: float = 0.0) -> None:
    """Refuse what is no finite number, or one below the least: `"100"` is text.

    Raises
    ------
    ParameterError
        With what is expected, as given.
    """
    number = math.nan
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        number = float(value)
    if not least <= number < math.inf:
        raise ParameterError(name, repr(value), expected)


def as_whole_number(name: str, value: object, expected: str, *, least: int) -> int:
    """Return a whole number, of whichever type it is.

    Raises
    ------
    ParameterError
        With what is expected, as given.
    """
    check_number(name, value, expected, least=least)
    if not isinstance(value, SupportsFloat) or not float(value).is_integer():
        raise ParameterError(name, repr(value), expected)
    return int(float(value))


def as_categories(categories: object) -> tuple[str, ...]:
    """Return names of categories, where they are told: each of them once.

    Raises
    ------
    SmallsightError
        For anything but several names: those of a text would be its letters.
    """
    if categories is None:
        return ()
    if isinstance(categories, str) or not isinstance(categories, Iterable):
        raise SmallsightError("categories", repr(categories), "a list of names")
    told = tuple(categories)
    if not all(isinstance(name, str) and name for name in told) or len(set(told)) < len(told):
        raise SmallsightError("categories", repr(list(told)), "names, each of them once")
    return told
