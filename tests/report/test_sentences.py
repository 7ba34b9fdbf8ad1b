"""Every sentence of the page is one that a reader takes in at once, by docs/writing.md."""

import contextlib
import functools
import re

import pytest

from builders.study_files import (
    APART,
    CLIMBED,
    GRADIENT,
    INPUTS,
    OWN,
    TABLE,
    UNTRAINED,
    WHOLE,
    write_study,
)
from readers.prose import blocks_of, intervals_of, sentences_of, words_of
from readers.report_pages import section, text_of
from smallsight import params
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import page
from smallsight.vocabulary import GROUPS

pytestmark = pytest.mark.page

FEW = (UNTOUCHED, "orig_crop", "downscale", "crop_low", "object_alone")
NAMED = {**WHOLE, "category": "car"}
STUDIES = {
    "whole": NAMED,
    "climbed": CLIMBED,
    "apart": {"accuracy": APART, "scene": APART, "only": FEW},
    "no small": {"counts": {"small": 0}, "only": FEW},
    "nothing failed": {"accuracy": dict.fromkeys(GROUPS, 1.0), "failed": 0, "only": FEW},
    "one condition": {"only": (UNTOUCHED,)},
    "no remedy": {"only": FEW, "gains": None},
    "original": {"protocol": "original", "counts": {"small": 40, "medium": 39, "large": 41}},
    "random weights": {"network": UNTRAINED, "only": FEW},
    "own": {**NAMED, "own": OWN},
    "own, gradients": {**NAMED, "own": GRADIENT, "wrong": 0.9},
    "own, a table": {**NAMED, "own": TABLE},
}
"""Studies that have much, and such as lack something."""

MOST_WORDS = 30
"""A sentence has no more, what stands in brackets and inside of quotation marks aside."""
MOST_IN_A_CAPTION = 30
"""Words of a table's or a figure's title."""
MOST_TO_READ_IT = 75
"""Words of what stands below it, of how to read it."""

VERDICTS = (
    "shown", "not decided", "no verdict", "not explained", "not identified", "no visible change",
    "supported", "contradicted",
)  # fmt: skip
"""What prose calls the outcome of a test."""
OLD = (
    r"\binconclusive\b", r"\bdetectable: ", r"\badjusted p\b", r"\bp [=<] ", r"\bp-value",
    r"\bsignifican", r"head, of \+", r"\bmde\b", r"\brecognised in\b",
)  # fmt: skip
"""What prose says no longer."""

METHOD = ("method", "limits", "provenance", "left-out", "classifier", "training")
"""Sections that say how, whose readers know the field's words."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the page of one of `STUDIES`."""

    @functools.cache
    def made(name):
        folder = write_study(tmp_path_factory.mktemp("sentences"), **STUDIES[name])
        with contextlib.chdir(folder):
            return page.build(INPUTS, params.load()).screen()

    return made


def told(whole):
    """Return the sentences of a page's paragraphs and items, without how tables are read."""
    found = [text for text in blocks_of(whole, "p", "li") if not text.startswith("How to read it")]
    return [sentence for text in found for sentence in sentences_of(text)]


def without(whole, anchors):
    """Return a page without some of its sections."""
    for anchor in anchors:
        if f'<section id="{anchor}"' in whole:
            whole = whole.replace(section(whole, anchor), "")
    return whole


@pytest.mark.parametrize("name", STUDIES)
def test_a_sentence_has_at_most_one_result(made, name):
    found = told(made(name))
    assert len(found) > 20
    for sentence in found:
        # A comparison of two numbers is one result.
        most = 2 if " against " in sentence else 1
        assert len(intervals_of(sentence)) <= most, sentence


@pytest.mark.parametrize("name", STUDIES)
def test_a_sentence_is_short(made, name):
    for sentence in told(made(name)):
        assert len(words_of(sentence)) <= MOST_WORDS, sentence
        assert sentence.count(";") <= 1, sentence


@pytest.mark.parametrize("name", STUDIES)
def test_captions_are_titles_and_how_to_read_them_is_said_in_short(made, name):
    whole = made(name)
    for text in blocks_of(whole, "caption", "figcaption"):
        assert len(words_of(text)) <= MOST_IN_A_CAPTION, text
        assert not intervals_of(text), text
    for text in blocks_of(whole, "p"):
        if text.startswith("How to read it"):
            assert len(words_of(text)) <= MOST_TO_READ_IT, text
            for sentence in sentences_of(text):
                assert len(words_of(sentence)) <= MOST_WORDS, sentence


@pytest.mark.parametrize("name", STUDIES)
def test_no_sentence_has_a_p_value_or_a_word_that_was_given_up(made, name):
    for sentence in told(without(made(name), METHOD)):
        assert not re.search("|".join(OLD), sentence), sentence
        # Formulae and signs are for tables.
        assert not re.search(r"[=<>≥≤±×Δ∑√](?!\S*\d+ (?:input )?pixels)", plain(sentence)), sentence


def plain(sentence):
    """Take from a sentence what is no formula: sizes in pixels, and labels."""
    return re.sub(r"“[^”]*”|\d+ × \d+|\([^()]*\)", "", sentence)


@pytest.mark.parametrize("name", STUDIES)
def test_a_result_with_a_direction_has_its_verdict_as_a_word(made, name):
    whole = without(made(name), METHOD)
    judged = [
        sentence
        for sentence in told(whole)
        if intervals_of(sentence) and re.search(r"\b(gain|loss|change|gap|less often)\b", sentence)
    ]
    if name in ("whole", "apart", "own"):
        assert judged
    for sentence in judged:
        if "less often than large" not in sentence:
            assert any(word in sentence for word in (*VERDICTS, "decided")), sentence


@pytest.mark.parametrize("name", STUDIES)
def test_page_one_says_what_was_tested_and_that_drawn_scenes_are_no_photographs(made, name):
    part = text_of(f"<body>{section(made(name), 'summary')}")
    assert "Tested." in part
    if name != "own, a table":
        assert re.search(r"input \d+ × \d+ pixels", part)
    assert re.search(r"\d+ objects of \d+ categor(y|ies) in \d+ pictures", part)
    assert "The pictures are drawn scenes: the numbers say nothing about photographs." in part


@pytest.mark.parametrize("name", STUDIES)
def test_a_word_is_explained_once_where_it_first_stands(made, name):
    whole = text_of(made(name))
    explained = {
        "At one mix of categories, each category": r"\bbal\. ",
        "The ladder gives more": None,
        "A condition is one change": None,
    }
    for start in explained:
        assert whole.count(start) <= 1
    if "The ladder gives more" in whole:
        before = whole.partition("The ladder gives more")[0].partition("In short")[2]
        assert not re.search(r"\b[Rr]ungs?\b|\bsteps?\b", before)


def test_the_rules_themselves_can_be_broken():
    bad = (
        "Fixed head, of +39.1 points, context +27.0 (+19.5 to +34.2) and residual +1.0 (0.1 to 2)."
    )
    assert len(intervals_of(bad)) == 2
    assert re.search("|".join(OLD), bad)
    assert len(words_of("word " * 31)) > MOST_WORDS
    assert [len(sentences_of(text)) for text in ("One. Two.", "One (no. 1). Two? Three")] == [2, 3]
