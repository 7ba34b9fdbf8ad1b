"""Outcomes to the table of accuracies."""

import numpy as np
import pandas as pd

from smallsight.analysis.outcomes import CONDITION, Outcomes
from smallsight.analysis.statistics import bootstrap
from smallsight.vocabulary import ALL_AND_GROUPS

ACCURACY_COLUMNS = (
    *CONDITION,
    *("size_group", "n", "images", "acc", "ci_low", "ci_high", "balanced", "side"),
)


def compute_accuracy(outcomes: Outcomes) -> pd.DataFrame:
    """Accuracy by regime, condition and size group, with intervals by bootstrap over images.

    An instance counts by the share of seeds that predict it correctly.

    Returns
    -------
    DataFrame
        `ACCURACY_COLUMNS`; `n` counts instances, `balanced` is the mean of the categories'
        accuracies, `side` the median side in the untouched picture, in input pixels. An empty
        group has n 0 and nothing else.
    """
    rows = []
    for condition in outcomes.conditions.to_dict("records"):
        key = condition["regime"], condition["condition"]
        for group in ALL_AND_GROUPS:
            row = condition | {"size_group": group} | outcomes.size(group)
            if row["n"]:
                draws = outcomes.accuracy(*key, group)
                low, high = bootstrap.share_interval(
                    draws[0], draws[1:], outcomes.settings.confidence, images=row["images"]
                )
                row |= {"acc": draws[0], "ci_low": low, "ci_high": high}
                row["balanced"] = outcomes.balanced(*key, group)
                row["side"] = np.median(outcomes.side[outcomes.members[group]])
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=list(ACCURACY_COLUMNS))
