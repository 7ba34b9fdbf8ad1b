"""All claims tested: claims.csv."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.claims.original_study import CLAIMS
from smallsight.analysis.claims.registry import Claim, Grounds, Part
from smallsight.analysis.columns import IMAGES, P_VALUE, N, interval, judged
from smallsight.analysis.effects import compare
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.saliency import MapMeasures
from smallsight.analysis.severity import find_unchanged
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, flag, number, text
from smallsight.vocabulary import POWER, REGIME, TASK

VERDICTS = verdicts.verdict_words("supported", "contradicted") | {None: "not decided"}

TESTED_CLAIMS = Table(
    "claims",
    "the original study's sentences, each tested in every task and regime with its conditions",
    (
        text("claim", "name of the claim"),
        TASK,
        REGIME,
        text("part", "empty for the whole sentence, else what one of its parts says"),
        text("sentence", "the claim"),
        text("contrary", "the sentence that holds where the claim is contradicted"),
        text("measure", "the effect in words"),
        N,
        IMAGES,
        number("effect", "the margin: above 0 where the sentence holds, below 0 where it does not"),
        *interval(),
        P_VALUE,
        number(
            "p_holm", "p_value by Holm's method over all whole sentences; a part stands for its"
        ),
        number("probability", "share of the bootstrap draws in which the sentence holds"),
        number(
            "mde", f"smallest effect found in {POWER:.0%} of such studies, at the verdict's level"
        ),
        *judged(VERDICTS),
        text(
            "vacuous_conditions",
            "its conditions without a visible change to the objects it is about, separated by ', '",
        ),
        flag("adjusted", "whether the verdict would be another one without Holm's method"),
    ),
)


@dataclass(frozen=True)
class _Test:
    """A row of the table: parts of a claim, all of which must hold, in a task and a regime."""

    claim: Claim
    label: str
    parts: tuple[Part, ...]
    measure: str
    grounds: Grounds
    regime: str

    @property
    def conditions(self) -> list[str]:
        """The evaluated conditions that it is about."""
        named = [name for part in self.parts for name in (*part.conditions, *part.beside)]
        known = self.grounds.outcomes.row
        return [name for name in dict.fromkeys(named) if (self.regime, name) in known]

    @property
    def groups(self) -> list[str]:
        """The size groups that it is about."""
        return list(dict.fromkeys(group for part in self.parts for group in part.groups))


def compute_claims(
    outcomes: Mapping[str, Outcomes],
    severities: Mapping[str, pd.DataFrame],
    map_measures: Mapping[str, MapMeasures],
) -> pd.DataFrame:
    """Test every claim that the evaluated conditions, the sizes and the maps allow.

    Claims about untouched pictures are tested once in each task, since the regimes agree on them;
    others in each regime. `p_value` is Wald's, by the bootstrap's standard error, or the effect's
    where the margin is one: of several margins the largest where all are above zero, else the
    smallest of those below times their number. `p_holm` takes all whole sentences as one family; a
    part is adjusted as its sentence would be if it said nothing else. A verdict needs both the
    interval and `p_holm`.

    Parameters
    ----------
    outcomes, severities
        By task.
    map_measures
        By task; one without maps of untouched pictures has no claims about them.

    Returns
    -------
    DataFrame
        The columns of `TESTED_CLAIMS`: a row for each sentence in a task and a regime, after it one
        for each part. `effect` is the smallest margin; `probability` the share of draws in which
        all are above zero; `mde` is at the level of Holm's strictest test, and empty where nothing
        scatters.
    """
    found = list(_tests(outcomes, map_measures))
    strictest = (1 - _confidence(outcomes)) / max(sum(not test.label for test in found), 1)
    unchanged = {task: find_unchanged(table) for task, table in severities.items()}
    rows = [
        _row(test, level=strictest, unchanged=unchanged[test.grounds.outcomes.task])
        for test in found
    ]
    table = pd.DataFrame(rows).reindex(columns=TESTED_CLAIMS.names)
    table["p_holm"] = _adjusted(table)
    table = verdicts.decide(table, VERDICTS, confidence=_confidence(outcomes))
    alone = verdicts.decide(
        table.assign(p_holm=table["p_value"]), VERDICTS, confidence=_confidence(outcomes)
    )
    return table.assign(adjusted=table["verdict"] != alone["verdict"])


def _confidence(outcomes: Mapping[str, Outcomes]) -> float:
    return next(iter(outcomes.values())).settings.confidence


def _tests(
    outcomes: Mapping[str, Outcomes], map_measures: Mapping[str, MapMeasures]
) -> Iterator[_Test]:
    """List the rows of the table."""
    for claim in CLAIMS.values():
        parts = tuple(claim.parts.values())
        whole = (claim.whole,) if claim.whole else parts
        for task, one in outcomes.items():
            grounds = Grounds(one, map_measures.get(task))
            untouched_alone = not any(part.conditions for part in parts)
            for regime in one.regimes[:1] if untouched_alone else one.regimes:
                if all(_is_testable(part, claim, grounds, regime) for part in whole):
                    measure = claim.measure or whole[0].measure
                    yield _Test(claim, "", whole, measure, grounds, regime)
                    for label, part in claim.parts.items():
                        if label and _is_testable(part, claim, grounds, regime):
                            yield _Test(claim, label, (part,), part.measure, grounds, regime)


def _is_testable(part: Part, claim: Claim, grounds: Grounds, regime: str) -> bool:
    """Whether there are the conditions, objects, sides and maps that a test needs."""
    outcomes, measures = grounds
    known = {name for which, name in outcomes.row if which == regime}
    return (
        known.issuperset(part.conditions)
        and (not part.beside or not known.isdisjoint(part.beside))
        and all(outcomes.members[group].any() for group in part.groups)
        and not (part.needs_sides and np.isnan(outcomes.side).any())
        and not (
            claim.needs_maps
            and (measures is None or ("predicted", UNTOUCHED) not in measures.tables)
        )
    )


def _row(test: _Test, *, level: float, unchanged: set[tuple[str, str]]) -> dict[str, Any]:
    """Run one test."""
    outcomes, claim = test.grounds.outcomes, test.claim
    confidence = outcomes.settings.confidence
    images = min(outcomes.size(group)["images"] for group in test.groups)
    if claim.needs_maps and test.grounds.map_measures is not None:
        (group,) = test.groups
        images = test.grounds.map_measures.n_images_effective("predicted", UNTOUCHED, group)
    margins = _margins(test)
    effects = np.array([draws[0] for draws, _ in margins])
    against = effects <= 0
    allowed = 1 - (1 - confidence) / len(margins)
    p_values, mdes = np.array(
        [
            _tested(
                test,
                draws,
                effect,
                images=images,
                level=level / (len(margins) if against.any() else 1),
            )
            for draws, effect in margins
        ]
    ).T
    drawn = np.stack([draws[1:] for draws, _ in margins])
    lows = [_interval(claim, draws, confidence, images=images)[0] for draws, _ in margins]
    highs = [_interval(claim, draws, allowed, images=images)[1] for draws, _ in margins]
    drawn = drawn[:, ~np.isnan(drawn).any(axis=0)]
    return {
        "claim": claim.name,
        "task": outcomes.task,
        "regime": test.regime,
        "part": test.label,
        "sentence": claim.sentence,
        "contrary": claim.contrary,
        "measure": test.measure,
        **outcomes.size(*test.groups),
        "effect": effects.min(),
        "ci_low": np.min(lows),
        "ci_high": np.min(highs),
        "p_value": min(p_values[against].min() * len(margins), 1.0)
        if against.any()
        else p_values.max(),
        "probability": float((drawn > 0).all(axis=0).mean()) if drawn.size else np.nan,
        "mde": _detectable(effects, mdes),
        "vacuous_conditions": ", ".join(
            name
            for name in test.conditions
            if any((name, group) in unchanged for group in test.groups)
        ),
    }


def _margins(test: _Test) -> list[tuple[np.ndarray, tuple[str, str] | None]]:
    """Return (1 + draws,) values of every margin, and the effect that it is, if it is one."""
    found: list[tuple[np.ndarray, tuple[str, str] | None]] = []
    for part in test.parts:
        if part.effect:
            found.append((test.grounds.outcomes.delta(test.regime, *part.effect), part.effect))
        if part.margin:
            values = np.atleast_2d(part.margin(test.grounds, test.regime))
            found += [(draws, None) for draws in values]
    return found


def _tested(
    test: _Test, draws: np.ndarray, effect: tuple[str, str] | None, *, images: int, level: float
) -> tuple[float, float]:
    """Return the p-value of a margin, and its smallest detectable value at a level."""
    if effect:
        found = compare(test.grounds.outcomes, test.regime, *effect, level=level)
        return found["p_value"], found["mde"]
    error = bootstrap.standard_error(draws[1:], images=images)
    return (
        tests.wald_p(draws[0], error, images=images),
        tests.minimum_detectable(error, confidence=1 - level, images=images),
    )


def _interval(
    claim: Claim, draws: np.ndarray, confidence: float, *, images: int
) -> tuple[float, float]:
    """Compute Student's interval of a margin; percentiles of a probability, which has bounds."""
    if claim.needs_maps:
        return bootstrap.percentile_interval(draws[1:], confidence, images=images)
    return bootstrap.student_interval(draws[0], draws[1:], confidence, images=images)


def _detectable(effects: np.ndarray, mdes: np.ndarray) -> float:
    """Return how large the smallest margin must be for all to be found, if they move together."""
    weakest = effects.argmin()
    if np.isnan(mdes[weakest]):
        return np.nan
    return float(np.fmax.reduce(mdes - (effects - effects[weakest])))


def _adjusted(table: pd.DataFrame) -> np.ndarray:
    """(rows,): p-values by Holm's method over the whole sentences."""
    p_values = table["p_value"].to_numpy(float)
    is_whole = (table["part"] == "").to_numpy()
    whole = np.flatnonzero(is_whole)
    adjusted = np.full(len(table), np.nan)
    adjusted[whole] = tests.holm(p_values[whole])
    for row in np.flatnonzero(~is_whole):
        # The sentence that the part is of stands before it.
        place = np.searchsorted(whole, row) - 1
        instead = p_values[whole]
        instead[place] = p_values[row]
        adjusted[row] = tests.holm(instead)[place]
    return adjusted
