"""Effects: what a condition does to the same instances, compared pair by pair."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.conditions.names import UNTOUCHED
from smallsight.vocabulary import DIFFERENCE, SIZE_GROUPS

EFFECT_COLUMNS = (
    *("regime", "condition", "size_group", "n", "acc_reference", "acc", "delta"),
    *("ci_low", "ci_high", "p_value", "p_holm", "images", "gained", "lost", "p_mcnemar"),
    *("balanced_reference", "balanced", "balanced_delta", "mde", "verdict"),
)


VERDICTS = {1: "higher", -1: "lower", 0: "inconclusive", None: ""}
"""What interval and adjusted test agree on: the accuracy is higher, lower, or neither."""


def compute_effects(outcomes: Outcomes) -> pd.DataFrame:
    """Compare every condition with the untouched pictures, on the same instances.

    `delta` is the mean over seeds, and its interval comes from the bootstrap over images.
    `p_value` is McNemar's exact test on which instances most of the seeds get right before and
    after, with images in place of single pairs; `p_mcnemar` is the same test as if instances of
    one image had nothing in common. The `p_value` of a difference of differences is Wald's, by
    the bootstrap's standard error. `p_holm` takes all rows of the table as one family. A verdict
    needs both the interval and `p_holm`.

    Returns
    -------
    DataFrame
        `EFFECT_COLUMNS`, a row per regime, condition and size group, `small-large` last. `gained`
        and `lost` count instances that turn right and wrong; `mde` is the least effect that one
        test would find with 80 % power. A row of an empty group has n 0 and nothing else.
    """
    rows = [
        row
        for regime in outcomes.regimes
        for condition in outcomes.changes(regime)
        for row in _rows(outcomes, regime, condition)
    ]
    table = pd.DataFrame(rows).reindex(columns=list(EFFECT_COLUMNS))
    return verdicts.judge(table, VERDICTS, confidence=outcomes.settings.confidence)


def _rows(outcomes: Outcomes, regime: str, condition: str) -> list[dict[str, Any]]:
    deltas, rows = {}, []
    for group in SIZE_GROUPS:
        row: dict[str, Any] = {"regime": regime, "condition": condition, "size_group": group}
        row |= outcomes.size(group)
        if row["n"]:
            reference = outcomes.accuracy(regime, UNTOUCHED, group)
            changed = outcomes.accuracy(regime, condition, group)
            deltas[group] = changed - reference
            chosen, turned = outcomes.members[group], outcomes.turned(regime, UNTOUCHED, condition)
            gained, lost = (int((turned[chosen] == way).sum()) for way in (1, -1))
            row |= {"acc_reference": reference[0], "acc": changed[0]}
            row |= _estimate(outcomes, deltas[group], least=row["n"], images=row["images"])
            row |= {"gained": gained, "lost": lost}
            row["p_mcnemar"] = tests.mcnemar_p(gained, lost)
            row["p_value"] = outcomes.turned_p(turned, chosen)
            row["balanced_reference"] = outcomes.balanced(regime, UNTOUCHED, group)
            row["balanced"] = outcomes.balanced(regime, condition, group)
            row["balanced_delta"] = row["balanced"] - row["balanced_reference"]
        rows.append(row)
    return [*rows, _difference(outcomes, rows, deltas)]


def _difference(
    outcomes: Outcomes, rows: list[dict[str, Any]], deltas: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Subtract the large group's row from the small group's."""
    by_group = {row["size_group"]: row for row in rows}
    small, large = by_group["small"], by_group["large"]
    row = {key: small[key] for key in ("regime", "condition")} | {"size_group": DIFFERENCE}
    if not (small["n"] and large["n"]):
        return row | {"n": 0, "images": 0}
    row |= outcomes.size("small", "large")
    for key in ("acc_reference", "acc", "balanced_reference", "balanced", "balanced_delta"):
        row[key] = small[key] - large[key]
    least, images = (min(small[key], large[key]) for key in ("n", "images"))
    return row | _estimate(outcomes, deltas["small"] - deltas["large"], least=least, images=images)


def _estimate(
    outcomes: Outcomes, draws: np.ndarray, *, least: int, images: int
) -> dict[str, float]:
    """Give an estimate with its interval, Wald's test, and what could have been found.

    Parameters
    ----------
    draws
        (1 + draws,), the estimate first.
    least, images
        Instances and images of the smallest group; a handful of discordant pairs is the least
        that any test finds.
    """
    confidence = outcomes.settings.confidence
    found = bootstrap.estimate(draws, confidence=confidence, images=images)
    floor = min(tests.fewest_discordant(confidence) / least, 1.0)
    found["mde"] = float(np.fmax(found["mde"], floor))
    return {"delta": draws[0]} | found
