"""Every remedy, in the order of tables."""

from collections.abc import Mapping

from smallsight.remedies import boxed, inputs, refitted
from smallsight.runtime.errors import ParameterError

REMEDIES = (*inputs.REMEDIES, *refitted.REMEDIES, *boxed.REMEDIES)
"""To add one, write its function into one of these modules, and list it there and in
params.yaml."""


def check_remedies(chosen: Mapping[str, bool]) -> None:
    """Refuse parameters that name a remedy that there is not.

    Raises
    ------
    ParameterError
        For the first of them.
    """
    known = [one.name for one in REMEDIES]
    for name in chosen:
        if name not in known:
            raise ParameterError(
                f"params.remedies.{name}", "unknown parameter", f"one of {', '.join(known)}"
            )
