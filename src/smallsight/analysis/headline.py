"""The few numbers that compare experiments: metrics.json."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from smallsight.conditions.rendered.names import UNTOUCHED, FamilyFacts, split_name
from smallsight.vocabulary import SIZE_GROUPS


def compute_headline(
    tables: Mapping[str, pd.DataFrame], facts: Mapping[str, FamilyFacts]
) -> dict[str, float | str | None]:
    """Pick the numbers that a person compares between experiments, rounded to 4 digits.

    Parameters
    ----------
    tables
        Tables of the analysis by name: accuracy, effects, thresholds and ledger.
    facts
        By family.

    Returns
    -------
    dict
        In the headline regime: accuracy on untouched pictures, all and by size group; large minus
        small, and the parts of that gap due to resolution and context; the threshold in pixels;
        the corruption that takes most from small objects, and its effect. None where there is no
        such number.
    """
    accuracy, effects, thresholds, ledger = (
        tables[name] for name in ("accuracy", "effects", "thresholds", "ledger")
    )
    regime = accuracy["regime"].iloc[0]
    chosen = (accuracy["regime"] == regime) & (accuracy["condition"] == UNTOUCHED)
    untouched = accuracy[chosen].set_index("size_group")["acc"]
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
    families = [split_name(condition)[0] for condition in deltas.index]
    deltas = deltas[[not facts[family].is_intervention for family in families]]
    worst = str(deltas.idxmin()) if len(deltas) else None
    numbers["worst_effect_on_small"] = None if worst is None else deltas[worst]
    rounded = {name: _rounded(value) for name, value in numbers.items()}
    return rounded | {"worst_condition_for_small": worst}


def _rounded(value: float | None) -> float | None:
    return round(float(value), 4) if value is not None and np.isfinite(value) else None
