import base64
import builtins
import html as markup
import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pypdf
import pytest
from PIL import Image

from reported import HOSTILE, INPUTS, ROOT, STAGE, conditions, write_study
from smallsight import params, report, report_pictures, typeset
from smallsight.conditions import UNTOUCHED
from smallsight.errors import PictureError, SmallsightError
from smallsight.report_inputs import read
from smallsight.report_study import GROUPS

SECTIONS = [
    "In short",
    "Claims and verdicts",
    "Where the gap comes from",
    "What failures are taken for",
    "What would rescue a failure",
    "Where the network looked",
    "Objects, recognised and failed",
    "What each change does",
    "Dose and response",
    "Thresholds in pixels",
    "How much of a change reaches the network",
    "Accuracy by size and condition",
    "Training of the reference head",
    "The conditions, on the same objects",
    "How it was made",
    "Limits",
    "The sample",
    "Provenance",
]


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A study's folder, after the stage has run in it as DVC runs it."""
    folder = write_study(tmp_path_factory.mktemp("built"), category=HOSTILE)
    done = subprocess.run(
        [sys.executable, STAGE], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder, done


class Tables(HTMLParser):
    """Every table of a page: its caption and the text of its cells, row by row."""

    def __init__(self, page):
        super().__init__()
        self.tables, self.stack, self.seen = [], [], set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        self.seen.update(name for name, _ in attributes)
        if tag == "table":
            self.tables.append(["", []])
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][1][-1].append("")
        if tag in ("caption", "th", "td"):
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if self.stack and self.stack[-1] == tag:
            self.stack.pop()

    def handle_data(self, data):
        if self.stack == ["caption"]:
            self.tables[-1][0] += data
        elif self.stack:
            self.tables[-1][1][-1][-1] += f" {data.strip()}".replace("\xa0", " ")


def text_of(page):
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", markup.unescape(re.sub(r"<[^>]*>", " ", body)))


def test_every_number_of_the_table_of_accuracies_is_in_the_page(report_page):
    page = report_page()
    table = pd.read_csv(INPUTS.accuracy).set_index(["regime", "condition", "size_group"])
    found = {caption: rows for caption, rows in Tables(page).tables if "head: accuracy" in caption}
    assert len(found) == 2
    for regime, word in (("fixed", "Fixed"), ("retrained", "Retrained")):
        head, *body = next(rows for caption, rows in found.items() if word in caption)
        for cells, step in zip(body, conditions(), strict=True):
            for title, cell, group in zip(head[1:], cells[1:], ("all", *GROUPS), strict=True):
                row = table.loc[regime, step.name, group]
                ends = f"({100 * row.ci_low:.1f}–{100 * row.ci_high:.1f})"
                numbers = [word for word in cell.split() if word not in "∅⊙"]
                acc, balanced = (f"{100 * value:.1f}%" for value in (row.acc, row.balanced))
                assert numbers == [acc, ends, "balanced", balanced]
                assert f"n = {row.n:.0f}," in title


def test_a_count_that_differs_between_conditions_stands_in_the_cells(report_page):
    def edit():
        table = pd.read_csv(INPUTS.accuracy)
        table.loc[(table.condition != UNTOUCHED) & (table.size_group == "small"), "n"] = 39
        table.to_csv(INPUTS.accuracy, index=False)

    text = text_of(report_page(edit=edit))
    assert "n = 39" in text
    assert "n = 40" in text


def test_an_empty_group_has_its_place_in_the_tables(report_page):
    text = text_of(report_page(counts={"small": 0}))
    assert "no objects" in text
    assert "0 of 0" in text
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)


@pytest.mark.parametrize(
    ("correct", "failed", "said"),
    [
        (2, 0, "No further failed object was drawn"),
        (0, 1, "No further recognised object was drawn"),
    ],
)
def test_a_gallery_may_lack_anything(report_page, correct, failed, said):
    assert said in text_of(report_page(correct=correct, failed=failed))


def test_nothing_at_all_still_makes_a_page(report_page):
    def edit():
        tables = (INPUTS.accuracy, INPUTS.effects, INPUTS.thresholds, INPUTS.bins, INPUTS.severity)
        others = (INPUTS.claims, INPUTS.conditions, INPUTS.curve, INPUTS.strips, INPUTS.sample)
        for path in (*tables, *others):
            pd.read_csv(path).iloc[:0].to_csv(path, index=False)

    text = text_of(report_page(edit=edit, correct=0, failed=0))
    for section in SECTIONS:
        assert section in text
    assert "cannot be compared" in text
    assert "no object to show" in text


def test_missing_intervals_are_said_to_be_missing(report_page):
    def edit():
        table = pd.read_csv(INPUTS.accuracy)
        table[["ci_low", "ci_high"]] = None
        table.to_csv(INPUTS.accuracy, index=False)

    text = text_of(report_page(edit=edit))
    assert "(no interval)" in text


def test_hostile_names_come_out_as_text(built):
    page = (built[0] / "reports/report.html").read_text(encoding="utf-8")
    assert text_of(page).count(HOSTILE) > 4
    assert "<img src=x" not in page
    assert "onerror" not in Tables(page).seen


def test_a_category_may_be_called_none(reported_study):
    assert set(reported_study(category="None").sample["category_name"]) == {"None", "bus"}


def test_the_page_refers_to_nothing_outside_itself_and_to_no_place(built):
    folder = built[0]
    page = (folder / "reports/report.html").read_text(encoding="utf-8")
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page) + re.findall(r"url\(([^)]*)\)", page)
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert str(folder) not in page
    assert str(ROOT) not in page
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    for anchor in (address for address in addresses if address.startswith("#")):
        assert anchor[1:] in ids


def test_another_folder_another_second_another_process_the_same_bytes(built, tmp_path, monkeypatch):
    # The stage ran earlier, elsewhere, in a process with another hash seed.
    write_study(tmp_path, category=HOSTILE)
    monkeypatch.chdir(tmp_path)
    page = report.build(INPUTS, params.load())
    typeset.write_pdf(page, Path("again.pdf"))
    assert page.encode() == (built[0] / "reports/report.html").read_bytes()
    assert Path("again.pdf").read_bytes() == (built[0] / "reports/report.pdf").read_bytes()


def test_the_stage_closes_with_one_line(built):
    assert re.fullmatch(
        r"report: report\.html \(\d+\.\d MB\), report\.pdf \(\d+ pages\) \[.*\]\n", built[1].stdout
    )
    assert built[1].stderr == ""


def test_the_pdf_is_a4_tagged_titled_and_bookmarked(built):
    pdf = pypdf.PdfReader(built[0] / "reports/report.pdf")
    for page in pdf.pages:
        assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]
    root = pdf.trailer["/Root"]
    assert "smallsight" in pdf.metadata.title
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert [entry.title for entry in pdf.outline if not isinstance(entry, list)] == SECTIONS
    assert "/CreationDate" not in pdf.metadata


def test_the_pdf_has_every_section_page_numbers_and_its_own_typefaces(built):
    pdf = pypdf.PdfReader(built[0] / "reports/report.pdf")
    pages = [page.extract_text() for page in pdf.pages]
    whole = re.sub(r"\s+", " ", " ".join(pages))
    for section in SECTIONS:
        assert section in whole
    for number, page in enumerate(pages, start=1):
        assert f"{number} / {len(pages)}" in page
    assert "less often than large ones" in pages[0]
    assert "Figure 1." in pages[0]
    assert "<img" in whole
    fonts = {
        font.get_object()["/BaseFont"]
        for page in pdf.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts
    assert all("DejaVu" in font for font in fonts)


def test_two_tables_that_disagree_are_an_error(reported_study):
    def make():
        reported_study()
        table = pd.read_csv(INPUTS.conditions)
        table.loc[0, "val_acc_small"] += 0.02
        table.to_csv(INPUTS.conditions, index=False)
        read(INPUTS, params.load())

    with pytest.raises(SmallsightError, match=r"results_conditions.*0\.3200; expected 0\.3000"):
        make()


@pytest.mark.parametrize("path", INPUTS.paths(), ids=lambda path: path.name)
def test_a_missing_or_malformed_input_is_named(reported_study, path):
    reported_study()
    path.write_text("{", encoding="utf-8")
    with pytest.raises(SmallsightError, match=re.escape(str(path))):
        read(INPUTS, params.load())
    path.unlink()
    with pytest.raises(SmallsightError, match=re.escape(str(path))):
        read(INPUTS, params.load())


def test_a_picture_must_be_there_and_have_the_size_of_the_input(report_page):
    with pytest.raises(PictureError, match=r"0_picture\.png"):
        report_page(edit=lambda: Path("data/gradcam/0_picture.png").unlink())
    with pytest.raises(PictureError, match="8 x 9 pixels; expected 64 x 64"):
        report_page(edit=lambda: Image.new("RGB", (8, 9)).save("data/gradcam/1_overlay.png"))


def test_without_pango_the_error_names_the_packages(monkeypatch, tmp_path):
    usual = builtins.__import__

    def without_pango(name, *others):
        if name.startswith("weasyprint"):
            raise OSError("cannot load library 'libpango-1.0-0': not found\nmore\nlines")
        return usual(name, *others)

    monkeypatch.setattr(builtins, "__import__", without_pango)
    with pytest.raises(SmallsightError) as caught:
        typeset.write_pdf("<p>", tmp_path / "x.pdf")
    line = str(caught.value)
    assert "\n" not in line
    for name in ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "dnf", "brew"):
        assert name in line


def a_row(**changes):
    box = {"box_x": 16.0, "box_y": 32.0, "box_w": 16.0, "box_h": 8.0}
    return box | {"input_size": 64, "view_w": 640, "view_h": 480} | changes


@pytest.fixture
def picture(tmp_path):
    """A black picture with its object, as `a_row` has it, in white."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[32:40, 16:32] = 255
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return str(tmp_path / "picture.png")


@pytest.mark.parametrize("view", [(640, 480), (480, 640), (1000, 100), (90, 100)])
def test_a_picture_is_shown_at_its_own_proportions_in_the_middle(picture, view):
    shown = report_pictures.shot(picture, a_row(view_w=view[0], view_h=view[1]))
    width, height = shown.width * report_pictures.FRAME, shown.height
    assert width / height == pytest.approx(view[0] / view[1])
    assert max(shown.width, shown.height) == pytest.approx(100)
    assert shown.left * 2 + shown.width == pytest.approx(100)
    assert shown.top * 2 + shown.height == pytest.approx(100)
    # The box keeps its place: a quarter from the left, half-way down.
    assert shown.box.x + shown.box.w / 2 == pytest.approx(shown.view[0] * 24 / 64)
    assert shown.box.y + shown.box.h / 2 == pytest.approx(shown.view[1] * 36 / 64)


def test_only_a_tiny_box_gets_pointers_and_they_stay_outside_it(picture):
    tiny = report_pictures.shot(picture, a_row(box_w=2.0, box_h=2.0))
    assert len(tiny.pointers) == 4
    for x1, y1, x2, y2 in tiny.pointers:
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        inside = tiny.box.x <= x <= tiny.box.x + tiny.box.w
        assert not (inside and tiny.box.y <= y <= tiny.box.y + tiny.box.h)
    assert report_pictures.shot(picture, a_row(box_w=30.0, box_h=30.0)).pointers == ()


@pytest.mark.parametrize("corner", [(16.0, 32.0), (0.0, 0.0), (48.0, 56.0)])
def test_a_close_up_shows_the_object_where_its_box_says(tmp_path, corner):
    x, y = (int(value) for value in corner)
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[y : y + 8, x : x + 16] = 255
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    shown = report_pictures.close_up(
        str(tmp_path / "picture.png"), a_row(box_x=corner[0], box_y=corner[1])
    )
    content = base64.b64decode(shown.uri.partition(",")[2])
    with Image.open(io.BytesIO(content)) as image:
        bright = np.argwhere(np.asarray(image.convert("L")) > 128) / image.width
    units = shown.view[0]
    top, left = bright.min(axis=0) * units
    bottom, right = bright.max(axis=0) * units
    box = shown.box
    tolerance = units / 20
    assert (left, top) == pytest.approx((box.x, box.y), abs=tolerance)
    assert (right, bottom) == pytest.approx((box.x + box.w, box.y + box.h), abs=tolerance)
