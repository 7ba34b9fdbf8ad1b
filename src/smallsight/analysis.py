"""Outcomes to the table of accuracies, and the few numbers that compare experiments."""

import numpy as np
import pandas as pd

from smallsight import statistics
from smallsight.conditions import UNTOUCHED
from smallsight.outcomes import CONDITION, GROUPS, Outcomes
from smallsight.vocabulary import SIZE_GROUPS

ACCURACY_COLUMNS = (
    *CONDITION,
    *("size_group", "n", "images", "acc", "ci_low", "ci_high", "balanced"),
)


def accuracy(outcomes: Outcomes) -> pd.DataFrame:
    """Accuracy by regime, condition and size group, with intervals by bootstrap over images.

    An instance counts by the share of seeds that predict it correctly.

    Returns
    -------
    DataFrame
        `ACCURACY_COLUMNS`; `n` counts instances, `balanced` is the mean of the categories'
        accuracies. An empty group has n 0 and nothing else.
    """
    rows = []
    for condition in outcomes.conditions.to_dict("records"):
        key = condition["regime"], condition["condition"]
        for group in GROUPS:
            row = condition | {"size_group": group} | outcomes.size(group)
            if row["n"]:
                draws = outcomes.accuracy(*key, group)
                low, high = statistics.share_interval(
                    draws[0], draws[1:], outcomes.settings.confidence, images=row["images"]
                )
                row |= {"acc": draws[0], "ci_low": low, "ci_high": high}
                row["balanced"] = outcomes.balanced(*key, group)
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=list(ACCURACY_COLUMNS))


def headline(
    accuracies: pd.DataFrame, effects: pd.DataFrame, thresholds: pd.DataFrame
) -> dict[str, float | str | None]:
    """Pick what a person compares between experiments, numbers rounded to 4 digits.

    Parameters
    ----------
    accuracies, effects, thresholds
        What `accuracy`, `effects.effects` and `curves.thresholds` made.

    Returns
    -------
    dict
        In the headline regime: accuracy on untouched pictures, all and by size group; large minus
        small; the threshold in pixels; the changes that take most from small objects and give
        them most, with their effects. None where there is no such number.
    """
    regime = accuracies["regime"].iloc[0]
    chosen = (accuracies["regime"] == regime) & (accuracies["condition"] == UNTOUCHED)
    untouched = accuracies[chosen].set_index("size_group")["acc"]
    numbers = {f"accuracy_{group}": untouched[group] for group in ("all", *SIZE_GROUPS)}
    numbers["size_gap"] = untouched["large"] - untouched["small"]
    chosen = (thresholds["regime"] == regime) & (thresholds["condition"] == UNTOUCHED)
    threshold = thresholds.loc[chosen, "threshold"].iloc[0]
    numbers["threshold_pixels"] = threshold if threshold > 0 else None
    on_small = effects[(effects["regime"] == regime) & (effects["size_group"] == "small")]
    deltas = on_small.set_index("condition")["delta"].dropna()
    for name, pick in (("worst", "idxmin"), ("best", "idxmax")):
        condition = getattr(deltas, pick)() if len(deltas) else None
        numbers[f"{name}_effect_on_small"] = np.nan if condition is None else deltas[condition]
        numbers[f"{name}_condition_for_small"] = condition
    return {
        name: value if isinstance(value, str) else _rounded(value)
        for name, value in numbers.items()
    }


def _rounded(value: float | None) -> float | None:
    return round(float(value), 4) if value is not None and np.isfinite(value) else None
