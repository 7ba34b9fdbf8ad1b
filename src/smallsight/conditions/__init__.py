"""Families of changes to a picture, and the levels each is applied at.

A family is a pure function from a view to a view, at native resolution. Its keyword-only
arguments are its options, and their annotations say which values are allowed. To add a family,
write the function under `@family` into `changes` or `probes`; nothing else needs to know. An
option with a default may be left out of the parameters, and is named in a level only where it
differs.
"""

from smallsight.conditions import changes as changes
from smallsight.conditions import probes as probes
from smallsight.conditions.registry import (
    FAMILIES,
    ORIGINAL,
    UNTOUCHED,
    Condition,
    Family,
    ladder,
    ladders,
)
from smallsight.conditions.views import Material, View

__all__ = [
    "FAMILIES",
    "ORIGINAL",
    "UNTOUCHED",
    "Condition",
    "Family",
    "Material",
    "View",
    "ladder",
    "ladders",
]
