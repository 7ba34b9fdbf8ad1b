"""What the page says in sentences."""

import dataclasses
import re

import pytest

from builders.compared_studies import BETTER, HOSTILE, predicted
from readers.comparison_pages import text_of
from readers.report_pages import rows_of
from smallsight.comparison import sentences
from smallsight.comparison.comparison import compare_studies
from smallsight.comparison.page import build
from smallsight.report.text import percent, signed, size

pytestmark = pytest.mark.page


def numbers_in(text):
    return re.findall(r"[−+]?\d+(?:\.\d+)?", text)


TABLES = {
    "object": "Window: the headline numbers, computed",
    "scene": "Whole picture: the headline numbers, computed",
}
"""What begins the captions of the tables of headline numbers, by task."""

SHOWN = {"object": "Shown a window round each object, ", "scene": "Shown the whole picture, "}


@pytest.mark.parametrize("number", [0, 1], ids=SHOWN)
def test_the_answer_is_one_sentence_whose_numbers_stand_in_the_table(comparison, page, number):
    compared = comparison.tasks[number]
    sentence = sentences.verdict(comparison, compared)
    row = compared.number["accuracy_small"]
    assert row["verdict"] == "higher"
    assert sentence.startswith(SHOWN[compared.task])
    assert f"B ({HOSTILE}) recognises small objects more often than A (default)" in sentence
    told = sentence.rpartition("than A (default): ")[2]
    due = [percent(row["b"]), percent(row["a"]), "60", signed(row["difference"])]
    due += [signed(row["ci_low"]), signed(row["ci_high"])]
    assert told.endswith(", shown.")
    assert numbers_in(told) == [number.strip("%< ") for number in due]
    rows = rows_of(page, TABLES[compared.task])
    cells = next(one for one in rows if "Accuracy, small" in one[0])
    assert set(numbers_in(told)) <= set(numbers_in(" ".join(cells)))
    assert sentence in text_of(page)


def test_the_headline_is_about_the_window_and_the_whole_picture_has_a_point(comparison, page):
    text = text_of(page)
    headline, scene = (sentences.verdict(comparison, one) for one in comparison.tasks)
    assert text.index(headline) < text.index(scene)
    points = sentences.points(comparison)
    assert scene in points
    assert headline not in points
    assert all(point.startswith("Window: ") for point in points if point != scene)


def test_without_a_verdict_no_direction_is_told(other, sample):
    noise = predicted(sample, seed=7)
    comparison = other(sample, noise)
    sentence = sentences.verdict(comparison, comparison.headline)
    row = comparison.headline.number["accuracy_small"]
    assert row["verdict"] == "not decided"
    assert (
        "it is not decided whether B (other) recognises small objects more often than" in sentence
    )
    assert sentence.endswith(f"80% of such studies would find {size(row['mde'])} points.")
    assert "less often" not in sentence
    page = build(comparison, most=0)
    assert "No difference is shown" not in page
    cells = rows_of(page, TABLES["object"])[2]
    assert cells[0].strip() == "Accuracy, small"
    assert not {"▲", "▼"} & set(cells[3])


def test_the_reverse_is_told_as_less_often(sides):
    comparison = compare_studies(*reversed(sides))
    sentence = sentences.verdict(comparison, comparison.headline)
    assert "recognises small objects less often than" in sentence
    assert "The difference is −" in sentence


def with_source(side, source):
    """Say of a study that it examines a classifier of this source."""
    return dataclasses.replace(side, tree={**side.tree, "classifier": {"source": source}})


@pytest.mark.parametrize(
    ("sources", "due"),
    [
        (("head", "head"), "fixed head"),
        (("timm", "onnx"), "as it is"),
        (("head", "timm"), "fixed head or classifier"),
    ],
)
def test_what_is_examined_is_called_what_it_is(sides, sources, due):
    comparison = compare_studies(*map(with_source, sides, sources))
    assert f"Nothing is changed: {due}." in sentences.shared(comparison)
    text = text_of(build(comparison, most=0))
    assert f"Window, {due}: accuracy in A" in text
    assert ("fixed head" in text) == ("head" in sources)
    assert ("of the seeds" in text) == ("head" in sources)


def test_a_larger_input_is_told(other, sample):
    table = predicted(sample, odds=BETTER, seed=1)
    comparison = other(sample, table.assign(side=2 * table["side"]), size=64)
    text = text_of(build(comparison, most=2))
    assert "B’s input has 2.00 times as many pixels to a side as A’s" in text
    assert "Sides in pixels of A’s input of whole pictures" in text


def test_other_settings_of_intervals_are_those_of_b_and_told(other, sample):
    changes = {"analysis.confidence": 0.9}
    comparison = other(sample, predicted(sample), changes=changes)
    assert comparison.pair.a.settings.confidence == 0.9
    text = text_of(build(comparison, most=0))
    assert "analysis.confidence is 0.9 there and 0.95 in A" in text
    assert "90% interval" in text
    assert "95% interval" not in text
