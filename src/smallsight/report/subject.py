"""Words for what is examined: heads on a frozen network, or a classifier as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from smallsight.vocabulary import REGIMES


@dataclass(frozen=True)
class RegimeWords:
    """What a regime is called.

    Attributes
    ----------
    caption
        In captions, titles and tables.
    start, clause, aside, column
        Before a sentence, before a part of one, behind words that it goes with, and behind those of
        a column's heading; empty where there is but one regime to speak of.
    lead
        Begins a sentence about effects.
    meaning, question
        What is tested on what, and what that answers.
    """

    caption: str
    start: str
    clause: str
    aside: str
    column: str
    lead: str
    meaning: str
    question: str


@dataclass(frozen=True)
class Subject:
    """What is examined, in words.

    Attributes
    ----------
    name, several, network
        What answers, and several of them; and what is shown pictures.
    regimes
        What each regime is called.
    tested
        What is asked, as a sentence.
    predicted
        Whose prediction a saliency map is of.
    each_rung, rungs
        What stands on each rung of the ladder: in a caption, and in a sentence.
    given
        Title of the ladder's figure.
    """

    name: str
    several: str
    network: str
    regimes: Mapping[str, RegimeWords]
    tested: str
    predicted: str
    each_rung: str
    rungs: str
    given: str


_BEARS = "what a change does to a model that is already there"


def _words(noun: str, regime: str, lead: str, question: str) -> RegimeWords:
    name = f"{regime} {noun}"
    return RegimeWords(
        caption=name,
        start=f"{name.capitalize()}: ",
        clause=f"{name}, ",
        aside=f", {name}",
        column=f", {regime}",
        lead=lead,
        meaning=REGIMES[regime].removeprefix("head "),
        question=question,
    )


def _both(noun: str) -> dict[str, RegimeWords]:
    """Return what both regimes are called."""
    return {
        "fixed": _words(noun, "fixed", f"With the {noun} left as it is", _BEARS),
        "retrained": _words(
            noun,
            "retrained",
            f"With a {noun} trained again under each condition",
            "what can still be learnt from pictures changed that way",
        ),
    }


HEADS = Subject(
    name="a head",
    several="heads",
    network="network",
    regimes=_both("head"),
    tested="A head, a linear layer trained on the features of the network, names it.",
    predicted="the prediction of a head that saw no object of that image",
    each_rung="with heads of its own for each rung",
    rungs="Each rung has heads of its own, so that no head meets pictures foreign to it.",
    given="What heads are given, and how often they are right",
)
"""Linear heads on a frozen network, which the study trains."""

AS_IT_IS = Subject(
    name="the classifier",
    several="classifiers",
    network="classifier",
    regimes={
        "fixed": RegimeWords(
            caption="as it is",
            start="",
            clause="",
            aside="",
            column="",
            lead="With the classifier as it is",
            meaning="the same classifier under every condition",
            question=_BEARS,
        )
    },
    tested="The classifier names it, as it is.",
    predicted="the classifier’s prediction",
    each_rung="the same classifier on each rung",
    rungs=(
        "The classifier is the same on both rungs. Its last layer averages over the whole picture, "
        "then over the object’s box."
    ),
    given="What it is given, and how often it is right",
)
"""A classifier of the user's own, or predictions that are given: nothing is trained."""

TRAINED_ELSEWHERE = replace(
    AS_IT_IS,
    regimes=_both("classifier"),
    tested="Classifiers name it. Every object is test data.",
)
"""Predictions that are given, in another regime or in both."""

EITHER = replace(TRAINED_ELSEWHERE, regimes=_both("head or classifier"))
"""Heads in one study and a user's own classifier in another, compared."""
