"""Checks limits: whether what a study found is within them, beyond, or cannot be told."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from smallsight import params
from smallsight.analysis.accuracy import ACCURACY
from smallsight.analysis.claims.table import TESTED_CLAIMS
from smallsight.analysis.effects import EFFECTS
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.limits.intervals import Interval
from smallsight.report import text
from smallsight.runtime.errors import ParameterError
from smallsight.vocabulary import headline_task

TABLES = (ACCURACY, TESTED_CLAIMS, EFFECTS)
"""The tables of the analysis that limits are checked on."""

GAP_CLAIM = "small_worse_untouched"
"""The claim whose margin is the gap between large and small objects."""

Status = Literal["passed", "failed", "cannot tell"]
"""Within the limit with the whole interval, beyond it with the whole interval, or neither."""

_MOST_TIMES = 100
"""So many times as many objects are no advice any more."""


@dataclass(frozen=True)
class Result:
    """One limit, checked; of the losses, under one condition.

    Attributes
    ----------
    limit
        Its name under `limits` in `params.yaml`.
    condition
        The condition; empty where the limit is about untouched pictures.
    status
        The verdict.
    bound
        The limit, 0 to 1.
    interval
        What was found.
    n
        Number of objects that it is from.
    sentence
        All of it in words.
    """

    limit: str
    condition: str
    status: Status
    bound: float
    interval: Interval
    n: int
    sentence: str


def check_limits(
    limits: params.Limits, tables: Mapping[str, pd.DataFrame], *, confidence: float
) -> list[Result]:
    """Check every limit that is set, in the headline task and regime.

    Losses are those of the primary family: corruptions at their reference levels that visibly
    change small objects. Their intervals hold together (Bonferroni), so that the largest loss is
    within the limit where each of them is, and beyond it where one is.

    Parameters
    ----------
    tables
        Those of `TABLES`, by name.
    confidence
        Of the tables' intervals.

    Raises
    ------
    ParameterError
        Where no limit is set.
    """
    checks = {
        "least_accuracy_small": _check_accuracy,
        "largest_gap": _check_gap,
        "largest_loss_small": _check_losses,
    }
    asked = {name: bound for name, bound in limits.model_dump().items() if bound is not None}
    if not asked:
        expected = f"a number for at least one of {', '.join(checks)}"
        raise ParameterError("params.limits", "no limit is set", expected)
    about = _Headline(tables, level=1 - confidence)
    return [one for name, bound in asked.items() for one in checks[name](about, name, bound)]


def whole_status(results: Sequence[Result]) -> Status:
    """Return what several results are together: failed where one is, passed where all are.

    Examples
    --------
    >>> whole_status([])
    'passed'
    """
    found = {one.status for one in results}
    worst: tuple[Status, ...] = ("failed", "cannot tell")
    return next((status for status in worst if status in found), "passed")


@dataclass(frozen=True)
class _Headline:
    """Tables of the analysis; rows are those of the headline task and regime."""

    tables: Mapping[str, pd.DataFrame]
    level: float

    def rows(self, name: str) -> pd.DataFrame:
        accuracy, table = self.tables[ACCURACY.name], self.tables[name]
        task, regime = headline_task(set(accuracy["task"])), accuracy["regime"].iloc[0]
        return table[(table["task"] == task) & (table["regime"] == regime)]

    def untouched(self, group: str) -> pd.Series:
        rows = self.rows(ACCURACY.name)
        return rows[(rows["condition"] == UNTOUCHED) & (rows["size_group"] == group)].iloc[0]

    def interval(self, row: pd.Series, value: str) -> Interval:
        return Interval(row[value], row["ci_low"], row["ci_high"], self.level)


def _check_accuracy(about: _Headline, name: str, bound: float) -> Iterator[Result]:
    row = about.untouched("small")
    words = _Words(
        "Accuracy on small objects", "at least", text.percent, text.percent_span, "small object"
    )
    yield _judge(name, "", bound, about.interval(row, "acc"), int(row["n"]), words, is_least=True)


def _check_gap(about: _Headline, name: str, bound: float) -> Iterator[Result]:
    rows = about.rows(TESTED_CLAIMS.name)
    row = next(iter(rows[rows["claim"] == GAP_CLAIM].to_dict("records")), None)
    groups = [about.untouched(group) for group in ("small", "large")]
    found, n = _nothing(about.level), sum(int(group["n"]) for group in groups)
    if row is not None:
        fewest = min(int(group["images"]) for group in groups)
        found = about.interval(pd.Series(row), "effect").at_least_of(fewest)
    words = _Words(
        "The gap between large and small objects",
        "at most",
        _points,
        text.points_span,
        "large and small object",
    )
    yield _judge(name, "", bound, found, n, words)


def _check_losses(about: _Headline, name: str, bound: float) -> Iterator[Result]:
    rows = about.rows(EFFECTS.name)
    rows = rows[rows["primary"]]
    if rows.empty:
        n = int(about.untouched("small")["n"])
        sentence = "The loss on small objects cannot be told: " + (
            "no corruption changes them visibly." if n else "there are none."
        )
        yield Result(name, "", "cannot tell", bound, _nothing(about.level), n, sentence)
    for row in rows.to_dict("records"):
        images = int(row["images"])
        found = about.interval(pd.Series(row), "delta").negated()
        found = found.as_one_of(len(rows), images=images).at_least_of(images)
        words = _Words(
            f"The loss on small objects under {row['condition']}",
            "at most",
            _points,
            text.points_span,
            "small object",
        )
        yield _judge(name, row["condition"], bound, found, int(row["n"]), words)


def _nothing(level: float) -> Interval:
    return Interval(math.nan, math.nan, math.nan, level)


@dataclass(frozen=True)
class _Words:
    """How a limit is written: what it is about, and its numbers."""

    subject: str
    asked: str
    number: Callable[[float], str]
    span: Callable[[float, float], str]
    noun: str


def _points(share: float) -> str:
    """Write a difference of shares in percentage points."""
    return f"{text.signed(share).removeprefix('+')} points"


def _judge(
    name: str,
    condition: str,
    bound: float,
    found: Interval,
    n: int,
    words: _Words,
    *,
    is_least: bool = False,
) -> Result:
    """Compare an interval with a limit; an interval that ends at the limit is within it."""
    # NaN is neither.
    inside = found.low >= bound if is_least else found.high <= bound
    outside = found.high < bound if is_least else found.low > bound
    status: Status = "passed" if inside else "failed" if outside else "cannot tell"
    asked = f"{words.asked} {words.number(bound)} is asked"
    if not math.isfinite(found.estimate):
        sentence = f"{words.subject} cannot be told: there are too few objects to measure it."
    elif not math.isfinite(found.low):
        given = words.number(found.estimate)
        sentence = f"{words.subject} is {given}; without an interval it cannot be told if {asked}."
    else:
        given = f"{words.number(found.estimate)} ({words.span(found.low, found.high)})"
        sentence = f"{words.subject} is {given}; {asked}: {status}."
    if status == "cannot tell" and math.isfinite(found.low):
        sentence = sentence.removesuffix("cannot tell.") + _advise(found, bound, n, words.noun)
    return Result(name, condition, status, bound, found, n, sentence)


def _advise(found: Interval, bound: float, n: int, noun: str) -> str:
    """Say that so few objects cannot tell, and about how many would."""
    told = f"cannot be told from {text.counted(n, noun)}; "
    factor = found.factor_to_exclude(bound)
    if factor > _MOST_TIMES:
        return f"{told}the estimate is too close to the limit for any sample."
    needed = math.ceil(n * max(factor, 1))
    digits = max(len(str(needed)) - 2, 0)
    return f"{told}about {math.ceil(needed / 10**digits) * 10**digits:,} would be needed."
