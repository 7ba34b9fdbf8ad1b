"""All claims tested: claims.csv."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.claims.original_study import CLAIMS
from smallsight.analysis.claims.registry import Claim, Evidence
from smallsight.analysis.columns import IMAGES, MDE, P_HOLM, P_VALUE, N, interval, judged
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.saliency import MapMeasures
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, number, text
from smallsight.vocabulary import REGIME

VERDICTS = verdicts.verdict_words("supported", "contradicted") | {None: "inconclusive"}

TESTED_CLAIMS = Table(
    "claims",
    "the original study's sentences, each tested in every regime that has its conditions",
    (
        text("claim", "name of the claim"),
        REGIME,
        text("sentence", "the claim"),
        text("contrary", "the sentence that holds where the claim is contradicted"),
        text("measure", "the effect in words"),
        N,
        IMAGES,
        number("effect", "the margin: above 0 where the sentence holds, below 0 where it does not"),
        *interval(),
        P_VALUE,
        P_HOLM,
        number("probability", "share of the bootstrap draws in which the sentence holds"),
        MDE,
        *judged(VERDICTS),
        text(
            "vacuous_conditions",
            "its conditions without a visible change to the objects it is about, separated by ', '",
        ),
    ),
)


def compute_claims(
    outcomes: Outcomes, unchanged: pd.DataFrame, map_measures: MapMeasures | None = None
) -> pd.DataFrame:
    """Test every claim that the evaluated conditions, the size groups and the maps allow.

    Claims about untouched pictures are tested once, since the regimes agree on them; others in each
    regime. `p_value` is Wald's, by the bootstrap's standard error: of several parts the largest
    where all margins are above zero, else the smallest of those below times the number of parts.
    `p_holm` takes all claims as one family. A verdict needs both the interval and `p_holm`.

    Parameters
    ----------
    unchanged
        condition and size_group of conditions that make no visible change to objects of that size.
    map_measures
        Of saliency maps; without, no claim about them is tested.

    Returns
    -------
    DataFrame
        The columns of `TESTED_CLAIMS`. `effect` is the margin, above 0 where the sentence holds;
        `probability` the share of draws in which it does; `mde` the smallest margin that one test
        would find with 80 % power, empty where nothing scatters; `vacuous_conditions` its
        conditions that make no visible change to the objects it is about.
    """
    marked = set(zip(unchanged["condition"], unchanged["size_group"], strict=True))
    rows = []
    for one in CLAIMS.values():
        regimes = outcomes.regimes if one.conditions else outcomes.regimes[:1]
        for regime in regimes:
            known = {UNTOUCHED, *outcomes.changed_conditions(regime)}
            if (
                known.issuperset(one.conditions)
                and all(map(_filled(outcomes), one.groups))
                and not (one.needs_maps and map_measures is None)
            ):
                rows.append(_row(one, Evidence(outcomes, map_measures), regime, marked))
    table = pd.DataFrame(rows).reindex(columns=TESTED_CLAIMS.names)
    return verdicts.judge(table, VERDICTS, confidence=outcomes.settings.confidence)


def _filled(outcomes: Outcomes) -> Callable[[str], bool]:
    return lambda group: bool(outcomes.members[group].any())


def _row(
    one: Claim, evidence: Evidence, regime: str, unchanged: set[tuple[str, str]]
) -> dict[str, Any]:
    """Test one claim in one regime."""
    outcomes = evidence.outcomes
    parts = np.atleast_2d(one.margin(evidence, regime))
    confidence = outcomes.settings.confidence
    images = min(outcomes.size(group)["images"] for group in one.groups)
    if one.needs_maps and evidence.map_measures is not None:
        images = evidence.map_measures.n_images_effective("predicted", UNTOUCHED, "all")
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
        "vacuous_conditions": ", ".join(
            name
            for name in one.conditions
            if any((name, group) in unchanged for group in one.groups)
        ),
    }
