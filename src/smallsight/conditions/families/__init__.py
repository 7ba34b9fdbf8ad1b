"""The families: pure functions from a view to a view, at native resolution.

To add a family, write its function under `@family` (see `conditions.rendering.registry`) into a
module of this folder that has the function's name, and list the family in params.yaml. No module of
this folder imports another one: what several families share lies in `conditions.rendering`.
"""

import importlib
import pkgutil

from smallsight.conditions.rendering.registry import REGISTERED

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

FAMILIES = REGISTERED
"""Every family by name."""
