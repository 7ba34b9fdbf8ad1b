"""Compares two studies: their parameters and files; by task, numbers, conditions and flips."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import pandas as pd

from smallsight.comparison.flips import count_flips, list_flips
from smallsight.comparison.inputs import Side
from smallsight.comparison.numbers import compare_conditions, compare_numbers
from smallsight.comparison.pairs import Pair, SharedCondition, Tables, pair_studies
from smallsight.report.rows import Row, keyed, records
from smallsight.report.subject import (
    AS_IT_IS,
    EITHER,
    HEADS,
    TRAINED_ELSEWHERE,
    RegimeWords,
    Subject,
)
from smallsight.runtime.errors import SmallsightError
from smallsight.runtime.randomness import derive
from smallsight.vocabulary import ALL_AND_GROUPS

_SAME_SCALE = 1e-6


class Difference(NamedTuple):
    """A parameter or a file that differs; the value is None where a study has none of that name."""

    name: str
    a: str | None
    b: str | None


@dataclass(frozen=True)
class ComparedTask:
    """Two studies compared in one task.

    Attributes
    ----------
    pair
        Their outcomes on the instances that both test.
    subject
        Words for what is examined in them.
    numbers, conditions
        The tables of `numbers.compare_numbers` and `numbers.compare_conditions`.
    flips, counts
        The tables of `flips.list_flips` and `flips.count_flips`.
    """

    pair: Pair
    subject: Subject
    numbers: pd.DataFrame
    conditions: pd.DataFrame
    flips: pd.DataFrame
    counts: pd.DataFrame

    @property
    def task(self) -> str:
        """The task."""
        return self.pair.task

    @cached_property
    def number(self) -> dict[str, Row]:
        """Rows of the table of numbers, by number."""
        return {row["number"]: row for row in records(self.numbers)}

    def by_condition(self, regime: str) -> list[tuple[SharedCondition, dict[str, Row]]]:
        """Return the conditions compared in one regime, each with its rows by size group."""
        rows = keyed(self.conditions, "regime", "family", "level", "size_group")
        return [
            (
                one,
                {group: rows[regime, one.family, one.level, group] for group in ALL_AND_GROUPS},
            )
            for one in self.pair.conditions
            if one.regime == regime and (regime, one.family, one.level, "all") in rows
        ]

    def condition_label(self, family: str, level: str) -> str:
        """Return a condition's label: its family's, and its level where either study has others.

        Of a level, only the options are named that vary between the levels of this comparison.
        """
        name = self.pair.family_label(family)
        same = {one.level: one for one in self.pair.conditions if one.family == family}
        if same[level].a == same[level].b == family:
            return name
        options = {other: other.split(",") for other in same}
        varying = [
            one for one in options[level] if not all(one in parts for parts in options.values())
        ]
        return f"{name}, {', '.join(varying) or level}"


@dataclass(frozen=True)
class Comparison:
    """Everything that the page shows.

    Attributes
    ----------
    sides
        The two studies, A and B.
    tasks
        The comparison in each task, the headline's first.
    """

    sides: tuple[Side, Side]
    tasks: tuple[ComparedTask, ...]

    @property
    def headline(self) -> ComparedTask:
        """The comparison in the task that the headline is about."""
        return self.tasks[0]

    @property
    def pair(self) -> Pair:
        """The outcomes in that task."""
        return self.headline.pair

    @property
    def names(self) -> tuple[str, str]:
        """The names of A and B in sentences."""
        a, b = (side.revision.title for side in self.sides)
        return f"A ({a})", f"B ({b})"

    @property
    def regime(self) -> str:
        """The regime of the headline."""
        return self.pair.regimes[0]

    @property
    def words(self) -> RegimeWords:
        """What that regime is called."""
        return self.headline.subject.regimes[self.regime]

    @cached_property
    def parameters(self) -> list[Difference]:
        """The parameters that differ: A's in the order of its file, then those of B alone."""
        a, b = self.sides
        return _differing(a.parameters, b.parameters)

    @cached_property
    def sources(self) -> list[Difference]:
        """The code and data made by no stage that differ, by DVC's record of the two runs."""
        a, b = self.sides
        return _differing(a.sources, b.sources)

    @property
    def has_same_input(self) -> bool:
        """Whether both networks see pictures of one size."""
        return abs(self.pair.scale - 1) < _SAME_SCALE


def compare_studies(a: Side, b: Side) -> Comparison:
    """Compare two studies on the instances that both test, with intervals made as B's are.

    Raises
    ------
    SmallsightError
        If the studies are of different data, or share too little.
    """
    _check_source(a, b)
    pairs = pair_studies(
        _tables(a), _tables(b), settings=b.analysis, rng=derive(b.seed, "bootstrap")
    )
    are_own = a.is_own, b.is_own
    return Comparison(
        sides=(a, b),
        tasks=tuple(_compare(pair, _subject(are_own, pair)) for pair in pairs.values()),
    )


def _subject(are_own: tuple[bool, bool], pair: Pair) -> Subject:
    """Return the words for what two studies examine, of which each may be the user's own."""
    if not any(are_own):
        return HEADS
    if not all(are_own):
        return EITHER
    return AS_IT_IS if set(pair.regimes) <= set(AS_IT_IS.regimes) else TRAINED_ELSEWHERE


def _compare(pair: Pair, subject: Subject) -> ComparedTask:
    numbers = compare_numbers(pair)
    return ComparedTask(
        pair=pair,
        subject=subject,
        numbers=numbers,
        conditions=compare_conditions(pair),
        flips=list_flips(pair),
        counts=count_flips(pair, numbers),
    )


def _tables(side: Side) -> Tables:
    return Tables(
        name=side.revision.title,
        sample=side.sample,
        predictions=side.predictions,
        rungs=side.rungs,
        failures=side.failures,
        families=side.families,
    )


def _check_source(a: Side, b: Side) -> None:
    first, second = (side.parameters.get("data.source", "none") for side in (a, b))
    if first != second:
        raise SmallsightError(
            f"data.source of {a.revision.title} and {b.revision.title}",
            f"{first} and {second}",
            "two studies of the same data",
        )


def _differing(a: Mapping[str, str], b: Mapping[str, str]) -> list[Difference]:
    return [
        Difference(key, a.get(key), b.get(key))
        for key in dict.fromkeys((*a, *b))
        if a.get(key) != b.get(key)
    ]
