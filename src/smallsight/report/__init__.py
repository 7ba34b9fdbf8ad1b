"""Tables turned into pages.

The package can be called: `smallsight.report(tables, folder)` is `api.reports.report`. One name
stands for both, and either may be asked for first.
"""

import importlib
import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> None:
        # By its name, because no folder imports one that stands above it.
        importlib.import_module("smallsight.api.reports").report(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
