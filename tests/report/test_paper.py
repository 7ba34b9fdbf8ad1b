"""The report on paper: short, legible, filled, and naming the files of what it shows."""

import contextlib
import re
from pathlib import Path

import pytest

from builders.study_files import INPUTS, OWN, TABLE, WHOLE, write_study
from readers.printed import SHEETS, check_paper, pages_of
from readers.report_pages import captions, check_numbers, headings, text_of
from smallsight import params
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import page, typeset

pytestmark = pytest.mark.page

FEW = (UNTOUCHED, "orig_crop", "downscale", "crop_low", "object_alone")
STUDIES = {
    "whole": WHOLE,
    "few conditions": {"only": FEW},
    "no large objects": {"only": FEW, "counts": {"large": 0}},
    "one condition": {"only": (UNTOUCHED,)},
    "the original protocol": {
        "protocol": "original", "counts": {"small": 40, "medium": 39, "large": 41},
    },
    "a classifier of one's own": {"own": OWN},
    "a table of predictions": {"own": TABLE},
}  # fmt: skip


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Return a study's report on paper as HTML, and as a PDF's path."""
    made = {}

    def make(name):
        if name not in made:
            folder = write_study(tmp_path_factory.mktemp("paper"), **STUDIES[name])
            with contextlib.chdir(folder):
                report = page.build(INPUTS, params.load())
                html, path = report.printed(), folder / "report.pdf"
            typeset.write_pdf(html, path, sheets=report.anchors)
            made[name] = html, path
        return made[name]

    return make


@pytest.mark.parametrize("name", STUDIES)
def test_paper_is_short_legible_and_filled(printed, name):
    _, path = printed(name)
    check_paper(path)


def test_every_sheet_stands_once_in_order(printed):
    html, path = printed("whole")
    assert headings(html) == SHEETS
    text = " ".join(" ".join(one.extract_text().split()) for one in pages_of(path))
    assert all(title in text for title in SHEETS)


def test_page_one_holds_the_answer_and_nothing_of_the_next_sheet(printed):
    _, path = printed("whole")
    first = " ".join(pages_of(path)[0].extract_text().split())
    for said in ("In short", "Figure 1.", "What to do", "named rightly", "95% interval"):
        assert said in first
    assert "Table 1." not in first
    assert "Figure 2." not in first


def test_every_caption_names_a_file_that_the_report_was_made_from(printed):
    html, _ = printed("whole")
    known = {path.as_posix() for path in INPUTS.paths()}
    found = captions(html)
    assert len(found) > 12
    for key, text in found:
        names = [
            name for code in re.findall(r"<code>(.*?)</code>", text) for name in code.split(", ")
        ]
        assert names, (key, text)
        folder = Path()
        for name in names:
            folder = Path(name).parent if "/" in name else folder
            assert (folder / Path(name).name).as_posix() in known, (key, name)


def test_figures_and_tables_are_numbered_in_order(printed):
    html, _ = printed("whole")
    check_numbers(html)


@pytest.mark.parametrize("name", STUDIES)
def test_no_number_is_missing_from_a_sentence(printed, name):
    html, _ = printed(name)
    assert not re.search(r"\b(nan|inf|Undefined|None)\b", text_of(html))
