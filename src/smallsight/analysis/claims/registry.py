"""Claims: the original study's sentences, each as a test with a verdict.

A claim is a margin: a number that is above zero where its sentence holds and below where the
contrary does. A sentence of several parts holds only where all of them do, so that its margin is
the smallest of theirs: it is supported where every part is (an intersection-union test: Berger and
Hsu, Statistical Science 1996), and contradicted where one part is by a test that allows for their
number (Bonferroni). The smallest of several noisy margins alone would be below zero by luck.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.saliency import MapMeasures


class Evidence(NamedTuple):
    """What claims are tested on: who was right, and where the maps lie; None without maps."""

    outcomes: Outcomes
    looks: MapMeasures | None


Margin = Callable[[Evidence, str], np.ndarray]
"""Gives (1 + draws,) margins in a regime, the estimate first; or (parts, 1 + draws)."""


@dataclass(frozen=True)
class Claim:
    """One sentence and its test.

    Attributes
    ----------
    name
        Stands in tables.
    sentence
        What is claimed.
    contrary
        What holds where the claim is contradicted.
    measure
        What the effect is, in words.
    conditions
        Families whose reference levels it is about, beside the untouched one.
    groups
        Size groups it needs.
    needs_maps
        Whether it is about maps of evidence, which are of the headline regime.
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


CLAIMS: dict[str, Claim] = {}
"""Every claim by name, in the order of the report."""


def claim(
    *,
    sentence: str,
    contrary: str,
    measure: str,
    conditions: tuple[str, ...] = (),
    groups: tuple[str, ...] = ("small", "large"),
    needs_maps: bool = False,
) -> Callable[[Margin], Margin]:
    """Register a margin as the test of a claim of its own name."""

    def register(margin: Margin) -> Margin:
        name = margin.__name__
        CLAIMS[name] = Claim(
            name, sentence, contrary, measure, conditions, groups, needs_maps, margin
        )
        return margin

    return register
