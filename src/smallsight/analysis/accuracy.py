"""Accuracy by regime, condition and size group: accuracy.csv."""

import numpy as np
import pandas as pd

from smallsight.analysis.columns import GROUP, IMAGES, N, interval
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap
from smallsight.runtime.tables import Table, number
from smallsight.vocabulary import ALL_AND_GROUPS, CONDITION, FAMILY, LEVEL, REGIME, TASK

ACCURACY = Table(
    "accuracy",
    "accuracy by regime, condition and size group",
    (
        REGIME,
        CONDITION,
        FAMILY,
        LEVEL,
        GROUP,
        N,
        IMAGES,
        number("acc", "share of the predictions that are correct, the mean over the seeds"),
        *interval(),
        number("balanced", "mean of the categories' accuracies"),
        number(
            "standardised", "accuracy at the mix of categories that small and large objects share"
        ),
        number(
            "side", "median side of the objects in the untouched whole picture, in input pixels"
        ),
        TASK,
    ),
)


def compute_accuracy(outcomes: Outcomes) -> pd.DataFrame:
    """Compute the accuracy by regime, condition and size group, with intervals.

    An instance counts by the share of seeds that predict it correctly. Intervals come from the
    bootstrap over images.

    Returns
    -------
    DataFrame
        The columns of `ACCURACY`: regime, condition, family, level, size_group, n, images, acc,
        ci_low, ci_high, balanced, standardised, side, task. An empty group has n 0, images 0 and
        nothing else; without small or large objects, `standardised` is empty.
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
                row["balanced"] = outcomes.balanced_accuracy(*key, group)
                hit_rates = outcomes.hit_rates[outcomes.row[key]]
                row["standardised"] = outcomes.sample.standardised(hit_rates, group)[0]
                row["side"] = np.median(outcomes.side[outcomes.members[group]])
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=ACCURACY.names)
