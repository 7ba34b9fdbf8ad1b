"""Two studies compared: what differs between them, and everything that follows from it."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import pandas as pd

from smallsight.comparison.flips import count_flips, list_flips
from smallsight.comparison.inputs import Side
from smallsight.comparison.numbers import compare_conditions, compare_numbers
from smallsight.comparison.pairs import Pair, Tables, pair_studies
from smallsight.report.rows import Row, keyed
from smallsight.runtime.errors import SmallsightError
from smallsight.runtime.randomness import derive

_SAME_SCALE = 1e-6


class Difference(NamedTuple):
    """One parameter, or one file, that differs; nothing where one side has no such thing."""

    name: str
    a: str | None
    b: str | None


@dataclass(frozen=True)
class Comparison:
    """All that the page shows.

    Attributes
    ----------
    sides
        The two studies, A and B.
    pair
        Their outcomes on the instances that both test.
    numbers, conditions, turned, counts
        What `comparison` and `compare_turned` make of them.
    """

    sides: tuple[Side, Side]
    pair: Pair
    numbers: pd.DataFrame
    conditions: pd.DataFrame
    turned: pd.DataFrame
    counts: pd.DataFrame

    @property
    def names(self) -> tuple[str, str]:
        """What sentences call the two."""
        a, b = (side.revision.title for side in self.sides)
        return f"A ({a})", f"B ({b})"

    @property
    def regime(self) -> str:
        """The regime of the headline."""
        return self.pair.regimes[0]

    @cached_property
    def number(self) -> dict[str, Row]:
        """Rows of the headline numbers, by number."""
        return {row["number"]: row for row in self.numbers.to_dict("records")}

    @cached_property
    def condition(self) -> dict[tuple[str, str, str, str], Row]:
        """Rows of the table of conditions, by regime, family, level and size group."""
        return keyed(self.conditions, "regime", "family", "level", "size_group")

    @cached_property
    def parameters(self) -> list[Difference]:
        """Parameters that differ, in the order of A's file, then those that B alone has."""
        return _differing(*(side.parameters for side in self.sides))

    @cached_property
    def sources(self) -> list[Difference]:
        """Code and data, made by no stage, that differ by what DVC recorded of the two runs."""
        return _differing(*(side.sources for side in self.sides))

    @property
    def has_same_input(self) -> bool:
        """Whether both networks see pictures of one size."""
        return abs(self.pair.scale - 1) < _SAME_SCALE


def compare_studies(a: Side, b: Side) -> Comparison:
    """Compare two studies on the instances that both test, with intervals made as B's are.

    Raises
    ------
    SmallsightError
        Where the studies are of different data, or share too little.
    """
    _check_source(a, b)
    tables = [
        Tables(side.revision.title, side.sample, side.predictions, side.failures) for side in (a, b)
    ]
    pair = pair_studies(*tables, settings=b.analysis, rng=derive(b.seed, "bootstrap"))
    numbers = compare_numbers(pair)
    return Comparison(
        sides=(a, b),
        pair=pair,
        numbers=numbers,
        conditions=compare_conditions(pair),
        turned=list_flips(pair),
        counts=count_flips(pair, numbers),
    )


def _check_source(a: Side, b: Side) -> None:
    first, second = (side.parameters.get("data.source", "none") for side in (a, b))
    if first != second:
        raise SmallsightError(
            f"data.source of {a.revision.title} and {b.revision.title}",
            f"{first} and {second}",
            "two studies of the same data",
        )


def _differing(a: dict[str, str], b: dict[str, str]) -> list[Difference]:
    return [
        Difference(key, a.get(key), b.get(key))
        for key in dict.fromkeys((*a, *b))
        if a.get(key) != b.get(key)
    ]
