"""How large an object is: three measures, and the size groups that one of them makes."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.vocabulary import GROUPS, SIZE_GROUPS

MEASURES = {
    "share": "share of the picture's area",
    "area": "area of the object, in square pixels",
    "input": "side at the network's input, in pixels",
}
"""Every measure of an object's size and what it is, as `params.Sizes` names them."""


def written(measure: str, value: float) -> str:
    """Write a size as its measure is usually written.

    Examples
    --------
    >>> written("share", 0.0025), written("area", 12345.6), written("input", 11.24)
    ('0.25%', '12,346', '11.2')
    """
    if measure == "share":
        return f"{100 * value:.3g}%"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


DEFAULT = params.Sizes(measure="share", limits=(SIZE_GROUPS["small"], SIZE_GROUPS["medium"]))
"""Where nothing else is said."""


def measure_sizes(instances: pd.DataFrame, *, input_size: int) -> dict[str, np.ndarray]:
    """Measure objects in every way.

    Parameters
    ----------
    instances
        Columns area_ratio and area: the box's share of the picture, and the object's area in square
        pixels.
    input_size
        Width and height of the network's input, in pixels: whole pictures are resized to it.

    Returns
    -------
    dict
        An array per measure of `MEASURES`, shape (instances,).
    """
    share = instances["area_ratio"].to_numpy(float)
    area = instances["area"].to_numpy(float)
    return {"share": share, "area": area, "input": input_size * np.sqrt(share)}


def size_groups(values: np.ndarray, sizes: params.Sizes = DEFAULT) -> np.ndarray:
    """Return the size group of each object, given its size in the measure of `sizes`.

    Examples
    --------
    >>> size_groups(np.array([0.0099, 0.01, 0.3])).tolist()
    ['small', 'medium', 'large']
    """
    return np.array(GROUPS, dtype=object)[np.searchsorted(sizes.limits, values, side="right")]


def summarise_sizes(measured: dict[str, np.ndarray], groups: np.ndarray) -> dict[str, Any]:
    """Summarise every measure of every size group's objects.

    Returns
    -------
    dict
        least, median and most of each measure, by group and measure; a group without objects is
        missing.
    """
    return {
        group: {
            name: {
                "least": float(values[groups == group].min()),
                "median": float(np.median(values[groups == group])),
                "most": float(values[groups == group].max()),
            }
            for name, values in measured.items()
        }
        for group in GROUPS
        if (groups == group).any()
    }
