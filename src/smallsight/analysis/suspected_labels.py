"""Labels that are suspected, and how well labels are found that are made wrong on purpose.

A label is suspected where confident learning flags it and no other object in view explains the
answer. How well this finds wrong labels is measured on the study itself, with labels that are made
wrong. In a category or a size group in which these are suspected hardly more often than others,
nothing is: there, the classifier is in the wrong too often to accuse anyone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from smallsight.analysis.confident_learning import Labels
from smallsight.vocabulary import GROUPS

PLANTED = 0.05
"""The share of the labels that are made wrong at a time; in turn, all of them are."""

EVIDENCE = {10.0: "strong", 5.0: "moderate", 2.0: "weak", 0.0: "none"}
"""Least likelihood ratio of each word (Jaeschke et al., JAMA 1994): how much suspicion tells."""


@dataclass(frozen=True)
class SelfCheck:
    """How often labels are suspected that were made wrong, and others.

    Attributes
    ----------
    recall
        Share of the labels that are suspected when they are made wrong.
    false_positive_rate
        Share suspected of those that are not, `PLANTED` being made wrong at a time.
    likelihood_ratio
        Of the two, with one more mistake.
    """

    recall: float
    false_positive_rate: float
    likelihood_ratio: float

    @property
    def evidence(self) -> str:
        """How much suspicion tells, a word of `EVIDENCE`."""
        return _word(self.likelihood_ratio)


@dataclass(frozen=True)
class Suspicions:
    """Which of n labels are suspected.

    Attributes
    ----------
    is_flagged
        (n,), bool: by confident learning.
    is_told
        (n,), bool: whether suspicion tells anything of labels of this size group.
    is_suspected
        (n,), bool: flagged, not explained by a neighbour, and of a category and a size group of
        which suspicion tells something.
    checks
        By size group, `all` too, of those that have objects.
    """

    is_flagged: np.ndarray
    is_told: np.ndarray
    is_suspected: np.ndarray
    checks: Mapping[str, SelfCheck]


def find_suspected(
    labels: Labels, members: Mapping[str, np.ndarray], *, rng: np.random.Generator
) -> Suspicions:
    """Find the labels that are suspected, where labels made wrong show that this tells something.

    Parameters
    ----------
    members
        As `Outcomes.members`: (n,), bool, by size group, `all` too.
    rng
        Draws which labels are made wrong, and how.
    """
    wrong, found, mistaken = _plant(labels, rng)
    judged = [
        one
        for one in np.unique(labels.given)
        if _tells(_ratio(found[wrong == one], mistaken[labels.given == one]))
    ]
    # Of any other category no label is suspected, be it given or made wrong.
    is_judged = np.isin(labels.given, judged)
    found, mistaken = found * np.isin(wrong, judged), mistaken * is_judged
    checks = {
        group: SelfCheck(
            recall=float(found[chosen].mean()),
            false_positive_rate=float(mistaken[chosen].mean()),
            likelihood_ratio=_ratio(found[chosen], mistaken[chosen]),
        )
        for group, chosen in members.items()
        if chosen.any()
    }
    # Without sizes, all objects are one group.
    groups = [group for group in GROUPS if group in checks] or ["all"]
    is_told = np.any(
        [members[group] & _tells(checks[group].likelihood_ratio) for group in groups], axis=0
    )
    is_flagged = labels.flagged(labels.given)
    return Suspicions(
        is_flagged=is_flagged,
        is_told=is_told,
        is_suspected=is_flagged & ~labels.named & is_judged & is_told,
        checks=checks,
    )


def _plant(labels: Labels, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make every label wrong once, a share of them at a time, and see which are suspected.

    Answers stay as they are: of heads that learned from these labels they would be less sure.

    Returns
    -------
    wrong
        (n,): what each label is when it is made wrong, another one of those given.
    found, mistaken
        (n,), 0 to 1: whether each label is suspected when it was made wrong, and how often when
        others were.
    """
    n, rounds = len(labels.given), round(1 / PLANTED)
    known, place = np.unique(labels.given, return_inverse=True)
    wrong = known[(place + rng.integers(1, len(known), n)) % len(known)]
    turn = rng.permutation(n) % rounds
    is_suspected = np.stack(
        [
            labels.flagged(np.where(turn == one, wrong, labels.given)) & ~labels.named
            for one in range(rounds)
        ]
    )
    found = is_suspected[turn, np.arange(n)].astype(float)
    mistaken = (is_suspected.sum(axis=0) - found) / (rounds - 1)
    return wrong, found, mistaken


def _ratio(found: np.ndarray, mistaken: np.ndarray) -> float:
    """Compute a likelihood ratio, with one more mistake, so that few labels prove nothing."""
    if not len(found):
        return 0.0
    return float(found.mean() * (len(mistaken) + 1) / (mistaken.sum() + 1))


def _word(ratio: float) -> str:
    return next(word for least, word in EVIDENCE.items() if ratio >= least)


def _tells(ratio: float) -> bool:
    return _word(ratio) != "none"
