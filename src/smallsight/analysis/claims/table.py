"""All claims tested, as one table."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.claims import original_study as original_study  # registers its claims
from smallsight.analysis.claims.registry import CLAIMS, Claim, Evidence
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.saliency import MapMeasures
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.conditions.names import UNTOUCHED

CLAIM_COLUMNS = (
    *("claim", "regime", "sentence", "contrary", "measure", "n", "images", "effect"),
    *("ci_low", "ci_high", "p_value", "p_holm", "probability", "mde", "verdict", "vacuous"),
)


VERDICTS = {1: "supported", -1: "contradicted", 0: "inconclusive", None: "inconclusive"}


def compute_claims(
    outcomes: Outcomes, vacuous: pd.DataFrame, looks: MapMeasures | None = None
) -> pd.DataFrame:
    """Test every claim that the evaluated conditions, the size groups and the maps allow.

    Claims about untouched pictures are tested once, for the regimes agree on them; others in each
    regime. `p_value` is Wald's, by the bootstrap's standard error: of several parts the largest
    where all margins are above zero, else the smallest of those below times the number of parts.
    `p_holm` takes all claims as one family. A verdict needs both the interval and `p_holm`.

    Parameters
    ----------
    vacuous
        condition and size_group of what leaves the object as it was.
    looks
        What maps of evidence measure; without, no claim about them is tested.

    Returns
    -------
    DataFrame
        `CLAIM_COLUMNS`. `effect` is the margin, above 0 where the sentence holds; `probability`
        the share of draws in which it does; `mde` the least margin that one test would find with
        80 % power, empty where nothing scatters; `vacuous` names its conditions that leave the
        objects it is about as they were.
    """
    marked = set(zip(vacuous["condition"], vacuous["size_group"], strict=True))
    rows = []
    for one in CLAIMS.values():
        regimes = outcomes.regimes if one.conditions else outcomes.regimes[:1]
        for regime in regimes:
            known = {UNTOUCHED, *outcomes.changes(regime)}
            if (
                known.issuperset(one.conditions)
                and all(map(_filled(outcomes), one.groups))
                and not (one.needs_maps and looks is None)
            ):
                rows.append(_row(one, Evidence(outcomes, looks), regime, marked))
    table = pd.DataFrame(rows).reindex(columns=list(CLAIM_COLUMNS))
    return verdicts.judge(table, VERDICTS, confidence=outcomes.settings.confidence)


def _filled(outcomes: Outcomes) -> Callable[[str], bool]:
    return lambda group: bool(outcomes.members[group].any())


def _row(
    one: Claim, evidence: Evidence, regime: str, vacuous: set[tuple[str, str]]
) -> dict[str, Any]:
    outcomes = evidence.outcomes
    parts = np.atleast_2d(one.margin(evidence, regime))
    confidence = outcomes.settings.confidence
    images = min(outcomes.size(group)["images"] for group in one.groups)
    if one.needs_maps and evidence.looks is not None:
        images = evidence.looks.witnesses("predicted", UNTOUCHED, "all")
    interval = functools.partial(bootstrap.percentile_interval, images=images)
    allowed = 1 - (1 - confidence) / len(parts)
    errors = [bootstrap.standard_error(part[1:], images=images) for part in parts]
    p_values = np.array(
        [
            tests.wald_p(part[0], error, images=images)
            for part, error in zip(parts, errors, strict=True)
        ]
    )
    weakest = parts[:, 0].argmin()
    drawn = parts[:, 1:][:, ~np.isnan(parts[:, 1:]).any(axis=0)]
    effect = parts[weakest, 0]
    against = parts[:, 0] <= 0
    return {
        "claim": one.name,
        "regime": regime,
        "sentence": one.sentence,
        "contrary": one.contrary,
        "measure": one.measure,
        **outcomes.size(*one.groups),
        "effect": effect,
        "ci_low": min(interval(part[1:], confidence)[0] for part in parts),
        "ci_high": min(interval(part[1:], allowed)[1] for part in parts),
        "p_value": p_values.max()
        if not effect <= 0
        else min(p_values[against].min(initial=1) * len(parts), 1.0),
        "probability": float((drawn > 0).all(axis=0).mean()) if drawn.size else np.nan,
        "mde": tests.minimum_detectable(errors[weakest], confidence=confidence),
        "vacuous": ", ".join(
            name for name in one.conditions if any((name, group) in vacuous for group in one.groups)
        ),
    }
