"""What a claim is: a sentence of one or several parts, and the margins that test them.

A margin is a number above zero where the sentence holds and below zero where the contrary does. A
sentence of several parts holds only where all of them do, so that its margin is the smallest of
theirs. It is supported where every part is (an intersection-union test: Berger and Hsu, Statistical
Science 1996), and contradicted where one part is, by a test that allows for their number
(Bonferroni): the smallest of several noisy margins alone would be below zero by chance.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.saliency import MapMeasures


class Grounds(NamedTuple):
    """What claims are tested on in one task; `map_measures` is None without saliency maps."""

    outcomes: Outcomes
    map_measures: MapMeasures | None


Margin = Callable[[Grounds, str], np.ndarray]
"""Returns (1 + draws,) margins in a regime, the estimate first; or (k, 1 + draws), all of which
must be above zero."""


@dataclass(frozen=True)
class Part:
    """A sentence, or a part of one, that is tested by itself.

    Attributes
    ----------
    measure
        The margin in words.
    margin
        Its test; None where it is one of the effects.
    effect
        Family and size group of that effect.
    conditions
        Families whose reference levels it is about, beside the untouched one.
    beside
        Families that it is compared with, at least one of which must be known.
    groups
        Size groups it needs.
    needs_sides
        Whether it needs the objects' sides.
    """

    measure: str
    margin: Margin | None = None
    effect: tuple[str, str] | None = None
    conditions: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    groups: tuple[str, ...] = ("small", "large")
    needs_sides: bool = False


@dataclass(frozen=True)
class Claim:
    """One sentence and its tests.

    Attributes
    ----------
    name
        Its key in tables.
    sentence
        The claim.
    contrary
        The sentence that holds where the claim is contradicted.
    parts
        By label. A single one, without a label, is the whole sentence.
    measure
        The margin of the whole sentence in words, where it has several parts.
    whole
        The test of the whole sentence, where it is not that all parts hold.
    needs_maps
        Whether it is about saliency maps, which are of the headline regime.
    """

    name: str
    sentence: str
    contrary: str
    parts: Mapping[str, Part]
    measure: str = ""
    whole: Part | None = None
    needs_maps: bool = False
