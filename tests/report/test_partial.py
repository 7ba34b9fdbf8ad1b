"""Reports of some tables alone: what can be drawn is, and what cannot is named."""

import contextlib
import re

import pandas as pd
import pypdf
import pytest

from builders.study_files import ASKED, HOSTILE, INPUTS, WHOLE, write_study
from readers.report_pages import (
    Tables,
    captions,
    headings,
    rows_of,
    section,
    text_of,
    tooltips,
    unscripted,
)
from smallsight import params
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import partial
from smallsight.report.inputs import read_study
from smallsight.vocabulary import SCENE, TASKS

pytestmark = pytest.mark.page

OF_PREDICTIONS = (
    *("accuracy", "effects", "claims", "ladder", "ladder_gaps", "gap_parts", "baselines"),
    *("largest_object", "thresholds", "pixels", "costs", "stability", "neighbours", "answers"),
    *("failures", "rescues", "confusion", "categories", "reliability", "calibration"),
)
"""Tables that take predictions and boxes and nothing else."""
SECTIONS = [
    "In short",
    "The original question: whole pictures",
    "What would rescue a failure",
    "What failures are taken for",
    "Accuracy by size and condition",
    "What each condition does",
    "How many pixels an object needs",
    "How stable the answers are",
    "Confidence",
    "Claims and verdicts",
    "Left out, and why",
]
"""Sections of the page for a browser that such tables have, in order."""
SHEETS = [
    "In short",
    "Accuracy by size and condition",
    "Doses, shifts and pixels",
    "Claims of the original study",
    "Failures, and what would rescue them",
    "The classifier, and what was left out",
]
"""And the sheets of paper."""
LEFT_OUT = {
    "severity": "it needs the rendered pictures",
    "attention": "it needs the classifier itself",
    "remedies": "it needs the classifier itself",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of one seed, whose tables are taken out of it."""
    folder = write_study(tmp_path_factory.mktemp("whole"), **WHOLE, own=ASKED)
    with contextlib.chdir(folder):
        return read_study(INPUTS, params.load())


@pytest.fixture(scope="module")
def written(study, tmp_path_factory):
    """Write a report of some of its tables, and return the page and its PDF."""

    def written(names=OF_PREDICTIONS, *, title="Mine", change=lambda table: table, **options):
        folder = tmp_path_factory.mktemp("partial") / "made"
        tables = {name: change(study.tables[name]) for name in names}
        settings = {"left_out": LEFT_OUT, "families": study.families, "confidence": 0.9, **options}
        partial.write_report(tables, folder, title=title, **settings)
        page = (folder / "report.html").read_text(encoding="utf-8")
        return page, pypdf.PdfReader(folder / "report.pdf")

    return written


@pytest.fixture(scope="module")
def whole(written):
    return written()


def of_task(task):
    """Keep the rows of one task, in tables that have several."""
    return lambda table: table[table["task"] == task] if "task" in table else table


def check(page):
    """Check that a page is whole: numbers known, tables full, addresses within it."""
    assert not re.search(r"\b(nan|inf|None|Undefined)\b", text_of(page))
    for caption, (_, *body) in Tables(page).tables:
        assert any(re.search(r"\w", cell) for cells in body for cell in cells), caption
    assert not any(re.search(r"\b(nan|inf)\b|–%", tip) for tip in tooltips(page))
    ids = set(re.findall(r'\bid="([^"]*)"', unscripted(page)))
    assert set(re.findall(r'href="#([^"]*)"', unscripted(page))) <= ids
    numbers = [number for (kind, number), _ in captions(page) if kind == "Table"]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_sections_of_the_tables_that_there_are_stand_in_both_forms(whole):
    page, pdf = whole
    assert headings(page) == SECTIONS
    assert [entry.title for entry in pdf.outline if not isinstance(entry, list)] == SHEETS
    check(page)


def test_numbers_are_those_of_the_tables(whole, study):
    page, _ = whole
    assert "Window, as it is: accuracy" in text_of(page)
    rows = rows_of(page, "Window, as it is: accuracy, with its 90% interval")
    found = study.estimate("object", "fixed", UNTOUCHED, "small")
    assert f"{100 * found.acc:.1f}%" in rows[1][2]
    assert "90% interval" in text_of(page)
    assert "95% interval" not in text_of(page)
    assert "Chance: 50.0%" in text_of(page)
    assert "120 objects of 2 categories in 60 pictures: 40 small, 40 medium" in text_of(page)


def test_nothing_stands_there_of_files_pipelines_and_how_it_was_made(whole):
    page, _ = whole
    text = text_of(page)
    for absent in ("data/", ".csv", "dvc ", "params.yaml", "saliency", "original study’s own"):
        assert absent not in text
    assert "<code>accuracy, baselines</code>" in page
    words = r"\b(heads?|folds?|seeds?|trained|frozen|cross-validat\w+)\b"
    assert re.findall(words, text, re.IGNORECASE) == []


def test_what_was_left_out_is_named_with_its_reason(whole):
    page, _ = whole
    rows = [[cell.strip() for cell in cells] for cells in rows_of(page, "What this report cannot")]
    assert rows == [
        ["Left out", "Why"],
        ["Table severity", "It needs the rendered pictures"],
        ["Tables attention, remedies", "It needs the classifier itself"],
    ]
    assert "What this report cannot show, and why." in text_of(page)


def test_where_nothing_was_left_out_nothing_says_so(written):
    page, _ = written(left_out={})
    assert "Left out" not in page


def test_a_title_stands_above_it_as_text(written):
    page, pdf = written(("accuracy",), title=HOSTILE)
    assert "<img src=x" not in page
    assert HOSTILE in text_of(page)
    assert HOSTILE in " ".join(pdf.pages[0].extract_text().split())


@pytest.mark.parametrize("task", TASKS)
def test_one_task_alone_makes_a_report(written, task):
    names = [name for name in OF_PREDICTIONS if name not in ("ladder", "pixels", "thresholds")]
    page, _ = written(names, change=of_task(task))
    check(page)
    text = text_of(section(page, "summary").join(["<body>", ""]))
    place = "In whole pictures, " if task == SCENE else "In windows of their own, "
    assert place in text
    assert (SECTIONS[1] in headings(page)) == (task == SCENE)


def test_accuracies_alone_make_a_report(written):
    page, _ = written(("accuracy",))
    assert headings(page) == [
        "In short",
        "The original question: whole pictures",
        "Accuracy by size and condition",
        "What each condition does",
        "Left out, and why",
    ]
    check(page)
    assert "cannot be compared: nothing tests it" in text_of(page)


def test_without_sizes_only_all_objects_are_shown(written):
    def of_all(table):
        if "size_group" not in table:
            return table
        if set(table["size_group"]) <= {"small", "medium", "large"}:
            return table.assign(size_group="")
        return table[table["size_group"] == "all"]

    names = ("accuracy", "answers", "confusion", "categories", "rescues", "reliability")
    page, _ = written(names, change=of_all)
    check(page)
    text = text_of(page)
    assert "no accuracy for small and large objects" in text
    assert "120 objects of 2 categories in 60 pictures." in text
    assert "<svg" not in section(page, "accuracy")
    assert "What would rescue a failure" not in headings(page)


def test_both_regimes_are_called_by_their_names(written, study):
    def both(table):
        if "regime" not in table:
            return table
        return pd.concat([table, table.assign(regime="retrained")], ignore_index=True)

    page, _ = written(("accuracy", "effects", "stability", "claims"), change=both)
    check(page)
    text = text_of(page)
    for said in (
        "Window, fixed classifier: accuracy",
        "Window, retrained classifier: accuracy",
        "Retrained classifier: trained and tested on the same condition.",
        "Fixed classifier: trained on untouched pictures, tested on every condition.",
    ):
        assert said in text
    assert not re.search(r"\bheads?\b", text)


def test_equal_tables_make_equal_bytes(written, whole):
    page, pdf = whole
    again, same = written()
    assert again == page
    assert len(same.pages) == len(pdf.pages)
