"""The families: pure functions from a view to a view, at native resolution.

A family's keyword-only arguments are its options, and their annotations say which values are
allowed. To add a family, write the function under `@family` into one of these modules, or into a
module of its own that is imported here. An option with a default may be left out of the
parameters, and is named in a level only where it differs.
"""

from smallsight.conditions.families import corruptions as corruptions
from smallsight.conditions.families import interventions as interventions
