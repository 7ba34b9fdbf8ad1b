"""smallsight explains why an image classifier fails on small objects, and what would fix it.

Python's way in: `smallsight.analyse` makes tables of predictions that were made anywhere,
`smallsight.render` shows an object under a condition, and `smallsight.report` writes tables up.
They are imported where they are used first.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smallsight.api.analysis import analyse
    from smallsight.api.pictures import render
    from smallsight.api.reports import report
    from smallsight.api.tables import Tables
    from smallsight.runtime.errors import SmallsightError

__all__ = ["SmallsightError", "Tables", "analyse", "render", "report"]

_HOMES = {
    "SmallsightError": "runtime.errors",
    "Tables": "api.tables",
    "analyse": "api.analysis",
    "render": "api.pictures",
}
"""The modules that have them; `report` is the package of that name, which can be called."""


def __getattr__(name: str) -> Any:
    """Import what is asked for (PEP 562)."""
    if name == "report":
        return importlib.import_module("smallsight.report")
    if name not in _HOMES:
        raise AttributeError(f"module 'smallsight' has no attribute {name!r}")
    return getattr(importlib.import_module(f"smallsight.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
