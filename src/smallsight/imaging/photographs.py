"""Which pictures are the same photograph: the table that says so, and what it is read for."""

import pandas as pd

from smallsight.runtime.tables import Table, identifier, text
from smallsight.vocabulary import IMAGE_ID

DUPLICATES = Table(
    "duplicates",
    "sampled pictures that are the same photograph as another one: they share a fold",
    (
        IMAGE_ID,
        identifier("group", "the smallest image_id of the pictures that are the same photograph"),
        text("kind", "`identical`: the same pixels as another one of the group; or `near`"),
    ),
)


def groups_of(image_id: pd.Series, duplicates: pd.DataFrame) -> pd.Series:
    """Return which photograph each picture is of: the group of duplicates, else the picture itself.

    Examples
    --------
    >>> found = pd.DataFrame({"image_id": [3, 8], "group": [3, 3], "kind": ["near", "near"]})
    >>> groups_of(pd.Series([8, 5, 3]), found).tolist()
    [3, 5, 3]
    """
    known = dict(zip(duplicates["image_id"], duplicates["group"], strict=True))
    return image_id.map(lambda one: known.get(one, one))
