"""Effects of conditions, compared on the same instances: effects.csv."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import IMAGES, MDE, P_HOLM, P_VALUE, N, interval, judged
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, flag, number, text
from smallsight.vocabulary import CONDITION, DIFFERENCE, REGIME, SIZE_GROUPS

VERDICTS = verdicts.verdict_words("higher", "lower")
"""Accuracy under the condition, compared with that on untouched pictures."""

EFFECTS = Table(
    "effects",
    "what each condition does to the accuracy on the same objects, compared with untouched",
    (
        REGIME,
        CONDITION,
        text("size_group", f"small, medium or large; {DIFFERENCE} for the difference of effects"),
        N,
        number("acc_reference", "accuracy on the untouched pictures"),
        number("acc", "accuracy under the condition"),
        number("delta", "acc minus acc_reference"),
        *interval(),
        P_VALUE,
        P_HOLM,
        IMAGES,
        number("gained", "number of objects that most seeds get right under the condition alone"),
        number("lost", "number of objects that most seeds get right untouched alone"),
        number("p_mcnemar", "p-value as if objects of one image had nothing in common"),
        number("balanced_reference", "mean of the categories' accuracies, untouched"),
        number("balanced", "the same under the condition"),
        number("balanced_delta", "balanced minus balanced_reference"),
        MDE,
        *judged(VERDICTS),
        flag("vacuous", "whether the condition makes no visible change to objects of this size"),
    ),
)


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
        The columns of `EFFECTS` without `vacuous`, which `severity.mark_unchanged` adds; a row per
        regime, condition and size group, `small-large` last. `gained` and `lost` count positive
        and negative flips; `mde` is the smallest effect that one test would find with 80 % power.
        A row of an empty group has n 0, images 0 and nothing else.

    Examples
    --------
    Downscaling makes all small objects unrecognisable, and leaves the large ones as they were:

    >>> from smallsight import params
    >>> from smallsight.analysis.outcomes import arrange_outcomes
    >>> rows = [
    ...     {"condition": condition, "image_id": image, "size_group": size,
    ...      "correct": condition == "orig_full" or size == "large"}
    ...     for condition in ("orig_full", "downscale")
    ...     for image, size in enumerate(["small"] * 20 + ["large"] * 20)
    ... ]
    >>> outcomes = arrange_outcomes(
    ...     pd.DataFrame(rows).assign(
    ...         regime="fixed", family="any", level="default", ann_id=1, category_name="car",
    ...         side=8.0, p_car=0.5, p_bus=0.5,
    ...     ),
    ...     settings=params.Analysis(confidence=0.95, bootstrap_draws=200),
    ...     rng=np.random.default_rng(0),
    ... )
    >>> effects = compute_effects(outcomes).set_index("size_group")
    >>> effects.loc[["small", "large"], ["delta", "lost", "verdict"]].values.tolist()
    [[-1.0, 20.0, 'lower'], [0.0, 0.0, 'inconclusive']]
    """
    rows = [
        row
        for regime in outcomes.regimes
        for condition in outcomes.changed_conditions(regime)
        for row in _rows(outcomes, regime, condition)
    ]
    names = [name for name in EFFECTS.names if name != "vacuous"]
    table = pd.DataFrame(rows).reindex(columns=names)
    return verdicts.judge(table, VERDICTS, confidence=outcomes.settings.confidence)


def _rows(outcomes: Outcomes, regime: str, condition: str) -> list[dict[str, Any]]:
    """Compare one condition with the untouched pictures, in every size group."""
    flips = outcomes.flips(regime, UNTOUCHED, condition)
    deltas, rows = {}, []
    for group in SIZE_GROUPS:
        row: dict[str, Any] = {"regime": regime, "condition": condition, "size_group": group}
        row |= outcomes.size(group)
        if row["n"]:
            reference = outcomes.accuracy(regime, UNTOUCHED, group)
            changed = outcomes.accuracy(regime, condition, group)
            deltas[group] = changed - reference
            chosen = outcomes.members[group]
            gained, lost = (int((flips[chosen] == way).sum()) for way in (1, -1))
            row |= {"acc_reference": reference[0], "acc": changed[0]}
            row |= _estimate(outcomes, deltas[group], instances=row["n"], images=row["images"])
            row |= {"gained": gained, "lost": lost}
            row["p_mcnemar"] = tests.mcnemar_p(gained, lost)
            row["p_value"] = outcomes.flip_p(flips, chosen)
            row["balanced_reference"] = outcomes.balanced_accuracy(regime, UNTOUCHED, group)
            row["balanced"] = outcomes.balanced_accuracy(regime, condition, group)
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
    instances, images = (min(small[key], large[key]) for key in ("n", "images"))
    return row | _estimate(
        outcomes, deltas["small"] - deltas["large"], instances=instances, images=images
    )


def _estimate(
    outcomes: Outcomes, draws: np.ndarray, *, instances: int, images: int
) -> dict[str, float]:
    """Return an estimate with its interval, Wald's test and the smallest detectable effect.

    Parameters
    ----------
    draws
        (1 + draws,), the estimate first.
    instances, images
        Numbers of the smallest group. No test finds less than a handful of discordant pairs.
    """
    confidence = outcomes.settings.confidence
    found = bootstrap.estimate(draws, confidence=confidence, images=images)
    floor = min(tests.fewest_discordant(confidence) / instances, 1.0)
    found["mde"] = float(np.fmax(found["mde"], floor))
    return {"delta": draws[0]} | found
