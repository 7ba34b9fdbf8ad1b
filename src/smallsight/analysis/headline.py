"""The few numbers that compare experiments: metrics.json."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from smallsight.analysis.ladder import NOT_IDENTIFIED
from smallsight.analysis.terms import PARTS
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.vocabulary import SIZE_GROUPS, headline_task


def compute_headline(tables: Mapping[str, pd.DataFrame]) -> dict[str, float | str | None]:
    """Pick the numbers that a person compares between experiments, rounded to 4 digits.

    Parameters
    ----------
    tables
        Tables of the analysis by name: accuracy, effects, gap_parts and thresholds.

    Returns
    -------
    dict
        Of the headline task and regime: standardised accuracy on untouched pictures by size group,
        and large minus small; the step of the ladder that changes the gap most, among those that
        are identified, and its name; the threshold in native pixels; the greatest loss on small
        objects that is shown, and its condition. None where there is no such number.
    """
    accuracy, effects, parts, thresholds = (
        tables[name] for name in ("accuracy", "effects", "gap_parts", "thresholds")
    )
    regime = accuracy["regime"].iloc[0]
    task = headline_task(set(accuracy["task"]))
    chosen = (accuracy["task"] == task) & (accuracy["regime"] == regime)
    chosen &= accuracy["condition"] == UNTOUCHED
    untouched = accuracy[chosen].set_index("size_group")["standardised"]
    numbers: dict[str, float] = {f"accuracy_{group}": untouched[group] for group in SIZE_GROUPS}
    numbers["size_gap"] = untouched["large"] - untouched["small"]
    is_step = ~parts["part"].isin(list(PARTS)) & (parts["verdict"] != NOT_IDENTIFIED)
    steps = _by(parts[is_step], "part", "value")
    largest = max(steps, key=lambda step: abs(steps[step])) if steps else None
    fitted = thresholds.loc[thresholds["regime"] == regime, "threshold"]
    lost = effects[effects["primary"] & (effects["direction"] == -1)]
    shown = _by(lost, "condition", "delta")
    worst = min(shown, key=lambda condition: shown[condition]) if shown else None
    return {
        **{name: _rounded(value) for name, value in numbers.items()},
        "ladder_largest_step": None if largest is None else _rounded(steps[largest]),
        "ladder_largest_step_name": largest,
        "threshold_pixels": _rounded(fitted.iloc[0]) if len(fitted) else None,
        "worst_effect_on_small": None if worst is None else _rounded(shown[worst]),
        "worst_condition_for_small": worst,
    }


def _by(table: pd.DataFrame, key: str, value: str) -> dict[str, float]:
    """Return the numbers of a column by name."""
    known = table.dropna(subset=value)
    return dict(zip(known[key], known[value], strict=True))


def _rounded(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
