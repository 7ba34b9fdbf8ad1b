"""The table of what a classifier makes of untouched pictures that were preprocessed otherwise."""

import pandas as pd

from smallsight.runtime.tables import Table, flag, number, text, whole

PREPROCESSINGS = Table(
    "preprocessing",
    "accuracy on untouched pictures under the declared preprocessing and usual wrong ones",
    (
        text("variant", "what differs from the declared preprocessing"),
        number("accuracy", "share of right predictions; empty where no numbers came out"),
        whole("n", "number of objects"),
        flag("is_declared", "whether it is the declared preprocessing"),
        whole("gained", "objects that are right here and wrong as declared"),
        whole("lost", "objects that are wrong here and right as declared"),
    ),
)


def is_suspicious(table: pd.DataFrame) -> bool:
    """Return whether more is right under a wrong preprocessing than under the declared one.

    `gained` and `lost` say by how much: a few more of many objects may be chance.

    Parameters
    ----------
    table
        The columns of `PREPROCESSINGS`; without rows, nothing is suspicious.

    Examples
    --------
    >>> is_suspicious(PREPROCESSINGS.empty())
    False
    """
    return bool((table["gained"] > table["lost"]).any())
