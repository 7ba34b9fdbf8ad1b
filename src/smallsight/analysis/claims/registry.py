"""What a claim is: a sentence, and the margin that tests it.

A margin is a number above zero where the sentence holds and below zero where the contrary does. A
sentence of several parts holds only where all of them do, so that its margin is the smallest of
theirs. It is supported where every part is (an intersection-union test: Berger and Hsu, Statistical
Science 1996), and contradicted where one part is, by a test that allows for their number
(Bonferroni): the smallest of several noisy margins alone would be below zero by chance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.saliency import MapMeasures


class Evidence(NamedTuple):
    """Data that claims are tested on; `map_measures` is None without saliency maps."""

    outcomes: Outcomes
    map_measures: MapMeasures | None


Margin = Callable[[Evidence, str], np.ndarray]
"""Returns (1 + draws,) margins in a regime, the estimate first; or (parts, 1 + draws)."""


@dataclass(frozen=True)
class Claim:
    """One sentence and its test.

    Attributes
    ----------
    name
        Its key in tables.
    sentence
        The claim.
    contrary
        The sentence that holds where the claim is contradicted.
    measure
        The margin in words.
    conditions
        Families whose reference levels it is about, beside the untouched one.
    groups
        Size groups it needs.
    needs_maps
        Whether it is about saliency maps, which are of the headline regime.
    margin
        Its test.
    """

    name: str
    sentence: str
    contrary: str
    measure: str
    conditions: tuple[str, ...]
    groups: tuple[str, ...]
    needs_maps: bool
    margin: Margin


def claim(
    claims: dict[str, Claim],
    *,
    sentence: str,
    contrary: str,
    measure: str,
    conditions: tuple[str, ...] = (),
    groups: tuple[str, ...] = ("small", "large"),
    needs_maps: bool = False,
) -> Callable[[Margin], Margin]:
    """Decorate a margin: add it to `claims`, under its own name."""

    def register(margin: Margin) -> Margin:
        name = margin.__name__
        claims[name] = Claim(
            name, sentence, contrary, measure, conditions, groups, needs_maps, margin
        )
        return margin

    return register
