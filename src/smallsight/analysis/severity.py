"""Severity of every condition, after preprocessing: severity.csv."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import N
from smallsight.runtime.tables import Table, flag, number
from smallsight.vocabulary import CONDITION, NO_VISIBLE_CHANGE, SIZE_GROUP, SIZE_GROUPS, TASK

SEVERITY = Table(
    "severity",
    "how much of each condition reaches the network, by size group",
    (
        TASK,
        CONDITION,
        SIZE_GROUP,
        N,
        number("ssim_box", "median similarity of the object's box to itself untouched, up to 1"),
        number("ssim_box_q1", "its lower quartile"),
        number("ssim_box_q3", "its upper quartile"),
        number("ssim_picture", "median similarity of the whole picture to itself untouched"),
        number("side", "median side of the objects under the condition, in input pixels"),
        number("side_untouched", "the same in the untouched whole picture"),
        flag("vacuous", f"no visible change: ssim_box is above {NO_VISIBLE_CHANGE:g}"),
    ),
)


def summarise_severity(views: pd.DataFrame) -> pd.DataFrame:
    """Summarise what every condition does to the objects of each size group.

    Parameters
    ----------
    views
        task, condition, size_group, ssim_box, ssim_picture, box_w, box_h and side_untouched of
        every instance under every condition of one task but the untouched one.

    Returns
    -------
    DataFrame
        The columns of `SEVERITY`, a row per condition and size group: n, medians, and the
        quartiles of the in-box similarity. `vacuous` marks a median above `NO_VISIBLE_CHANGE`: the
        network can see no change in the box; a low `ssim_picture` then means that its surroundings
        changed.
    """
    rows = []
    views = views.assign(side=np.sqrt(views["box_w"] * views["box_h"]))
    for (task, condition), part in views.groupby(["task", "condition"], sort=False):
        for group in SIZE_GROUPS:
            chosen = part[part["size_group"] == group]
            row: dict[str, Any] = {"task": task, "condition": condition, "size_group": group}
            row["n"] = len(chosen)
            if len(chosen):
                low, row["ssim_box"], high = chosen["ssim_box"].quantile([0.25, 0.5, 0.75])
                row |= {"ssim_box_q1": low, "ssim_box_q3": high}
                for name in ("ssim_picture", "side", "side_untouched"):
                    row[name] = chosen[name].median()
            rows.append(row | {"vacuous": row.get("ssim_box", 0.0) > NO_VISIBLE_CHANGE})
    table = pd.DataFrame(rows).reindex(columns=SEVERITY.names)
    return table.astype({"vacuous": bool})


def find_unchanged(severities: pd.DataFrame) -> set[tuple[str, str]]:
    """Return the conditions, each with a size group, that make no visible change to its objects.

    Parameters
    ----------
    severities
        As `summarise_severity` returns them, of one task.
    """
    found = severities[severities["vacuous"]]
    return set(zip(found["condition"], found["size_group"], strict=True))
