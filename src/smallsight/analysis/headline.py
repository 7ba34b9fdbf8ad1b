"""The few numbers that compare experiments."""

import numpy as np
import pandas as pd

from smallsight.conditions.names import UNTOUCHED
from smallsight.conditions.registry import FAMILIES
from smallsight.vocabulary import SIZE_GROUPS

HEADLINE_TABLES = ("accuracy", "effects", "thresholds", "ledger")
"""Tables that the headline numbers are picked from, in the order of `headline`'s arguments."""


def compute_headline(
    accuracies: pd.DataFrame,
    effects: pd.DataFrame,
    thresholds: pd.DataFrame,
    ledger: pd.DataFrame,
) -> dict[str, float | str | None]:
    """Pick what a person compares between experiments, numbers rounded to 4 digits.

    Parameters
    ----------
    accuracies, effects, thresholds, ledger
        What `accuracy`, `effects.effects`, `curves.thresholds` and `causes.ledger` made.

    Returns
    -------
    dict
        In the headline regime: accuracy on untouched pictures, all and by size group; large minus
        small, and the parts of that which resolution and context make; the threshold in pixels;
        the change, no probe, that takes most from small objects, and its effect. None where there
        is no such number.
    """
    regime = accuracies["regime"].iloc[0]
    chosen = (accuracies["regime"] == regime) & (accuracies["condition"] == UNTOUCHED)
    untouched = accuracies[chosen].set_index("size_group")["acc"]
    numbers = {f"accuracy_{group}": untouched[group] for group in ("all", *SIZE_GROUPS)}
    numbers["size_gap"] = untouched["large"] - untouched["small"]
    parts = ledger[ledger["regime"] == regime].set_index("part")["value"]
    for name in ("resolution", "context"):
        numbers[f"gap_by_{name}"] = parts.get(name)
    chosen = (thresholds["regime"] == regime) & (thresholds["condition"] == UNTOUCHED)
    threshold = thresholds.loc[chosen, "threshold"].iloc[0]
    numbers["threshold_pixels"] = threshold if threshold > 0 else None
    on_small = effects[(effects["regime"] == regime) & (effects["size_group"] == "small")]
    deltas = on_small.set_index("condition")["delta"].dropna()
    deltas = deltas[[not FAMILIES[name.split("/")[0]].is_probe for name in deltas.index]]
    worst = deltas.idxmin() if len(deltas) else None
    numbers["worst_effect_on_small"] = None if worst is None else deltas[worst]
    numbers["worst_condition_for_small"] = worst
    return {
        name: value if isinstance(value, str) else _rounded(value)
        for name, value in numbers.items()
    }


def _rounded(value: float | None) -> float | None:
    return round(float(value), 4) if value is not None and np.isfinite(value) else None
