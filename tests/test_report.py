import base64
import contextlib
import dataclasses
import functools
import html as markup
import io
import json
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pypdf
import pytest
from PIL import Image

from reported import HOSTILE, INPUTS, ROOT, STAGE, conditions, write_study
from smallsight import (
    params,
    report,
    report_attention_words,
    report_cause_words,
    report_evidence,
    report_failures,
    report_pictures,
    report_words,
    typeset,
)
from smallsight.conditions import UNTOUCHED
from smallsight.errors import PictureError, SmallsightError
from smallsight.report_inputs import read
from smallsight.report_study import GROUPS, Study
from smallsight.terms import PARTS

OBJECTS = ["Objects, recognised and failed", "The conditions, on the same objects"]
"""Sections that a screen has one gallery for."""
SECTIONS = [
    "In short",
    "Accuracy by size and condition",
    "What each change does",
    "Dose and response",
    "Thresholds in pixels",
    "How much of a change reaches the network",
    "Claims and verdicts",
    "Where the gap comes from",
    "What failures are taken for",
    "Where the network looked",
    *OBJECTS,
    "What would rescue a failure",
    "How it was made",
    "Limits",
    "The sample",
    "Training of the reference head",
    "Provenance",
]
ON_SCREEN = [name for name in SECTIONS if name not in OBJECTS]
ON_SCREEN.insert(SECTIONS.index(OBJECTS[0]), "Objects, one by one")
PROTOCOL = "The original study’s protocol"

WHOLE = {
    "category": HOSTILE,
    "changes": {
        ("fixed", "orig_crop"): {"small": -0.2, "large": 0.1},
        ("fixed", "downscale/scale=0.25"): {"large": -0.3},
        ("fixed", "zoom_matched"): {"small": 0.4},
        ("fixed", "zoom_object"): {"small": 0.45},
        ("retrained", "object_only"): {"medium": -0.3},
        ("retrained", "motion_blur"): {"small": 0.1},
    },
}
"""A study under all conditions, with numbers that differ."""


@dataclasses.dataclass(frozen=True)
class Forms:
    """One study's report, in its three forms."""

    study: Study
    screen: str
    printed: str
    summary: str


def forms_of(folder):
    with contextlib.chdir(folder):
        made = report.build(INPUTS, params.load())
        study = read(INPUTS, params.load())
        return Forms(study, made.screen(), made.printed(), made.summary())


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A study's folder, after the stage has run in it as DVC runs it."""
    folder = write_study(tmp_path_factory.mktemp("built"), **WHOLE)
    done = subprocess.run(
        [sys.executable, STAGE], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.fixture(scope="session")
def forms(tmp_path_factory):
    """The same study's report, made later, elsewhere, in this process."""
    return forms_of(write_study(tmp_path_factory.mktemp("forms"), **WHOLE))


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


def unscripted(page):
    return re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)


def text_of(page):
    body = unscripted(page[page.index("<body>") :])
    return re.sub(r"\s+", " ", markup.unescape(re.sub(r"<[^>]*>", " ", body)))


def rows_of(page, caption):
    return next(rows for found, rows in Tables(page).tables if caption in found)


def headings(page):
    return [markup.unescape(title) for title in re.findall(r"<h2>(.*?)</h2>", page)]


def explored(page):
    """Read the data of a screen's gallery."""
    (text,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def captions(page):
    """Give what stands with each number, by kind and number, in order; as markup."""
    begin, number = r"<(caption|figcaption|p)\b[^>]*>\s*", r"(Figure|Table) (\d+)\."
    pattern = rf'{begin}<b class="number">{number}</b>(.*?)</\1>'
    found = re.findall(pattern, page, re.DOTALL)
    assert len(found) == page.count('<b class="number">')
    return [((kind, int(number)), text.strip()) for _, kind, number, text in found]


def tips(page):
    return [markup.unescape(said) for said in re.findall(r'data-tip="([^"]*)"', page)]


def cells_of(line):
    """Split a row of a Markdown table at the bars that are none of the text."""
    assert re.match(r"\|.*\|\s*$", line)
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def tables_of(text):
    """Give the tables of Markdown: rows of cells, without the line below the heading."""
    tables = []
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if line.strip()]
        if not any(line.startswith("|") for line in lines):
            continue
        # A table is a block of its own, of equally long rows, the second of which rules the first.
        rows = [cells_of(line) for line in lines]
        assert len({len(row) for row in rows}) == 1
        assert all(re.fullmatch(r"-{3,}:?", cell) for cell in rows[1])
        tables.append([rows[0], *rows[2:]])
    return tables


@pytest.mark.parametrize("form", ["printed", "screen"])
def test_every_number_of_the_table_of_accuracies_is_in_the_page(forms, form):
    tables = Tables(getattr(forms, form)).tables
    table = forms.study.accuracy.set_index(["regime", "condition", "size_group"])
    found = {caption: rows for caption, rows in tables if "head: accuracy" in caption}
    assert len(found) == 2
    for regime, word in (("fixed", "Fixed"), ("retrained", "Retrained")):
        head, *body = next(rows for caption, rows in found.items() if word in caption)
        for cells, step in zip(body, conditions(), strict=True):
            for title, cell, group in zip(head[1:], cells[1:], ("all", *GROUPS), strict=True):
                row = table.loc[regime, step.name, group]
                ends = f"({100 * row.ci_low:.1f}–{100 * row.ci_high:.1f})"
                numbers = [word for word in cell.split() if word not in "∅⊙"]
                acc, balanced = (f"{100 * value:.1f}%" for value in (row.acc, row.balanced))
                assert numbers == [acc, f"{ends},", "bal.", balanced]
                assert f"n = {row.n:.0f}," in title


def test_a_count_that_differs_between_conditions_stands_in_the_cells(report_page):
    def edit():
        table = pd.read_csv(INPUTS.accuracy)
        table.loc[(table.condition != UNTOUCHED) & (table.size_group == "small"), "n"] = 39
        table.to_csv(INPUTS.accuracy, index=False)

    text = text_of(report_page(edit=edit, only=(UNTOUCHED, "downscale")))
    assert "n = 39" in text
    assert "n = 40" in text


def test_nothing_at_all_still_makes_every_form(reported_study):
    def edit():
        tables = (INPUTS.accuracy, INPUTS.effects, INPUTS.thresholds, INPUTS.bins, INPUTS.severity)
        others = (INPUTS.claims, INPUTS.conditions, INPUTS.curve, INPUTS.strips, INPUTS.sample)
        for path in (*tables, *others):
            pd.read_csv(path).iloc[:0].to_csv(path, index=False)

    reported_study(edit=edit, correct=0, failed=0, only=(UNTOUCHED, "downscale"))
    made = forms_of(Path.cwd())
    for page, sections in ((made.printed, SECTIONS), (made.screen, ON_SCREEN)):
        text = text_of(page)
        assert headings(page) == sections
        assert "cannot be compared" in text
        assert "table of accuracies is empty" in text
    assert "no object to show" in text_of(made.printed)
    assert "cannot be compared" in made.summary
    assert len(tables_of(made.summary)) == 1
    assert "head" not in made.summary


def test_missing_intervals_are_said_to_be_missing(report_page):
    def edit():
        table = pd.read_csv(INPUTS.accuracy)
        table[["ci_low", "ci_high"]] = None
        table.to_csv(INPUTS.accuracy, index=False)

    text = text_of(report_page(edit=edit, only=(UNTOUCHED, "downscale")))
    assert "(no interval)" in text


def test_hostile_names_come_out_as_text(forms):
    for page in (forms.printed, forms.screen):
        assert text_of(page).count(HOSTILE) > 4
        assert "<img src=x" not in page
        assert "onerror" not in Tables(page).seen


def test_a_category_may_be_called_none(reported_study):
    assert set(reported_study(category="None").sample["category_name"]) == {"None", "bus"}


def test_the_pages_refer_to_nothing_outside_themselves_and_to_no_place(built, forms):
    screen = (built[0] / "reports/report.html").read_text(encoding="utf-8")
    objects = {f"object-{one['image']}-{one['object']}" for one in explored(screen)["objects"]}
    for page in (screen, forms.printed):
        body = unscripted(page)
        addresses = re.findall(r'(?:src|href)="([^"]*)"', body)
        addresses += re.findall(r"url\(([^)]*)\)", body)
        assert addresses
        assert all(address.startswith(("data:", "#")) for address in addresses)
        assert str(built[0]) not in page
        assert str(ROOT) not in page
        ids = re.findall(r'\bid="([^"]*)"', body)
        assert len(ids) == len(set(ids))
        anchors = {address[1:] for address in addresses if address.startswith("#")}
        assert anchors <= {*ids, *objects}
        # Objects have no element of their own: the gallery opens them, on a screen.
        assert (anchors & objects != set()) == (page is screen)


def test_another_folder_another_second_another_process_the_same_bytes(built, forms, tmp_path):
    # The stage ran earlier, elsewhere, in a process with another hash seed.
    typeset.write_pdf(forms.printed, tmp_path / "again.pdf")
    assert (tmp_path / "again.pdf").read_bytes() == (built[0] / "reports/report.pdf").read_bytes()
    for text, name in ((forms.screen, "report.html"), (forms.summary, "summary.md")):
        assert text.encode() == (built[0] / "reports" / name).read_bytes()


def test_the_stage_closes_with_one_line(built):
    files = r"report\.html \(\d+\.\d MB\), report\.pdf \(\d+ pages\), summary\.md"
    assert re.fullmatch(rf"report: {files} \[.*\]\n", built[1].stdout)
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
    # Page one answers, by itself.
    for said in ("less often than large ones", "Figure 1.", "Figure 2.", "Table 1.", "Sample."):
        assert said in pages[0]
    assert "Figure 3." not in pages[0]
    assert SECTIONS[1] in pages[1]
    assert "<img" in whole
    fonts = {
        font.get_object()["/BaseFont"]
        for page in pdf.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts
    assert all("DejaVu" in font for font in fonts)


def test_all_forms_have_their_sections_in_order_and_a_screens_contents_lead_to_them(forms):
    assert headings(forms.printed) == SECTIONS
    assert headings(forms.screen) == ON_SCREEN
    for page in (forms.printed, forms.screen):
        nav = page[page.index("<nav") : page.index("</nav>")]
        linked = re.findall(r'href="#(.*?)"', nav)
        sections = re.findall(r'<section id="(.*?)"', page)
        assert [anchor for anchor in sections if anchor in linked] == linked
        assert set(sections) - set(linked) <= {"training", "conditions"}


def test_what_moves_is_for_the_screen_alone(forms):
    for mark in ("<script", "<dialog", "<select", "<details", "<noscript"):
        assert mark in forms.screen
        assert mark not in forms.printed
    for mark in ('class="card"', 'class="strip"', "<img "):
        assert mark in forms.printed
        assert mark not in forms.screen
    assert forms.screen.count("<script") == 2
    assert len(explored(forms.screen)["objects"]) == 120


def test_figures_and_tables_have_one_number_each_in_order_the_same_on_screen_and_paper(forms):
    check_numbers(forms)
    on_paper, on_screen = dict(captions(forms.printed)), dict(captions(forms.screen))
    # The gallery stands for what it replaces.
    missing = [text for key, text in on_paper.items() if key not in on_screen]
    assert len(missing) == 2 * len(GROUPS)
    assert all("data/gradcam/" in text for text in missing)


def check_numbers(forms):
    """Check that every number stands once, in order, and for the same on screen and paper."""
    on_paper, on_screen = captions(forms.printed), captions(forms.screen)
    for kind in ("Figure", "Table"):
        numbers = [number for (one, number), _ in on_paper if one == kind]
        assert numbers == list(range(1, len(numbers) + 1))
        shown = [number for (one, number), _ in on_screen if one == kind]
        assert shown == sorted(set(shown))
        assert set(shown) <= set(numbers)
        assert kind == "Figure" or shown == numbers
    both = dict(on_paper)
    assert all(both[key] == text for key, text in on_screen)


WITHOUT_SOURCE = ("The conditions.", "Versions.", "Files the report was made from")
"""Captions of what comes from the package, and from no file of the study."""


def sources(text):
    """Give the files that a caption names; those after the first lie beside it."""
    found = []
    for names in re.findall(r"<code>(.*?)</code>", text):
        for name in names.split(", "):
            folder = found[-1].parent if found and "/" not in name else Path()
            found.append(folder / name)
    return found


def test_every_caption_on_paper_names_the_files_it_comes_from(forms):
    known = {*INPUTS.paths(), Path("params.yaml")}
    numbered = captions(forms.printed)
    bare = []
    for _, text in numbered:
        assert set(sources(text)) <= known, text
        bare += [] if sources(text) else [text]
    assert len(bare) == len(WITHOUT_SOURCE)
    assert all(text.startswith(start) for text, start in zip(bare, WITHOUT_SOURCE, strict=True))
    # Little is read that no caption speaks of: the same numbers once more, and the maps' data.
    told = {path for _, text in numbered for path in sources(text)}
    assert {path.name for path in known - told} <= {
        "results_conditions.csv", "samples_step1_person_limited.csv", "training.json",
        "answers.csv", "maps.csv", "maps.npz", "about.json",
    }  # fmt: skip


def percents(*values):
    return [f"{100 * value:.1f}" for value in values]


def points(value):
    text = f"{100 * value:+.1f}".replace("-", "−")
    return "0.0" if text in ("+0.0", "−0.0") else text


def due_tips(study):
    """Say of every mark what the tables have of it."""
    happenings = [step for step in study.conditions if not step.is_probe]
    references = [step.name for step in happenings if step.is_reference]
    accuracy = study.accuracy.set_index(["regime", "condition", "size_group"])

    def estimate(name, row):
        acc, low, high = percents(row["acc"], row["ci_low"], row["ci_high"])
        return f"{name}: {acc}% ({low}–{high}), n = {row['n']}"

    for regime in ("fixed", "retrained"):
        parts = study.ledger[study.ledger["regime"] == regime].set_index("part")
        for part, label in [*((key, term.label) for key, term in PARTS.items()), ("gap", "Gap")]:
            row = parts.loc[part]
            ends = f"{points(row['ci_low'])} to {points(row['ci_high'])}"
            yield f"{label}: {points(row['value'])} points ({ends}), n = {row['n']:.0f}"
        for name in references:
            for group in GROUPS:
                told = f"{study.label(name)}, {group}"
                yield estimate(told, accuracy.loc[regime, name, group])
    for family in dict.fromkeys(step.family for step in happenings):
        names = [UNTOUCHED, *(step.name for step in study.ladder(family))]
        for name in names if len(names) > 2 else []:
            for group in GROUPS:
                told = f"{study.label(name)}, {group}"
                yield estimate(told, accuracy.loc["fixed", name, group])
    bins = study.bins[study.bins["regime"] == "fixed"].groupby("condition")
    # Untouched pictures stand on page one, and beside every change.
    panels = [UNTOUCHED, *(one for name in references[1:] for one in (UNTOUCHED, name))]
    for name in panels:
        for row in bins.get_group(name).to_dict("records"):
            yield estimate(f"{study.label(name)}, side about {row['side']:.1f} px", row)
    for group in GROUPS:
        yield estimate(group.capitalize(), accuracy.loc["fixed", UNTOUCHED, group])
    for row in study.severity.to_dict("records"):
        ends = f"{row['ssim_box_q1']:.3f}–{row['ssim_box_q3']:.3f}"
        told = f"{study.label(row['condition'])}, {row['size_group']}: {row['ssim_box']:.3f}"
        yield f"{told} ({ends}), n = {row['n']}"
    kinds = {
        ("predicted", "correct"): "Correct", ("predicted", "failed"): "Failed",
        ("true_class", "failed"): "Failed, true class", ("random_box", "all"): "Box elsewhere",
        ("centre", "all"): "Centre", ("random_weights", "all"): "Random weights",
    }  # fmt: skip
    attention = study.attention[study.attention["condition"] == UNTOUCHED]
    attention = attention.set_index(["map", "outcome", "size_group"])
    for group in GROUPS:
        for key, label in kinds.items():
            row = attention.loc[(*key, group)]
            ends = f"quartiles {row['lift_q1']:.2f}–{row['lift_q3']:.2f}"
            yield f"{label}: median {row['lift']:.2f} ({ends}), n = {row['n']}"
    for row in study.attention_outcomes.to_dict("records"):
        if row["size_group"] in GROUPS:
            share, low, high = percents(row["superiority"], row["ci_low"], row["ci_high"])
            told = f"{study.label(row['condition'])}, {row['size_group']}: {share}% ({low}–{high})"
            yield f"{told}, n = {row['n_correct'] + row['n_failed']:.0f}"
    for row in study.faithfulness.to_dict("records"):
        for region, whose in (("object", "the object’s region"), ("random", "another region")):
            if row["size_group"] in GROUPS:
                ends = f"{points(row[f'{region}_low'])} to {points(row[f'{region}_high'])}"
                told = f"{whose} {row['change']}, {row['area']:g} × the box"
                yield f"{told}: {points(row[region])} points ({ends}), n = {row['n']}"


def test_every_mark_says_its_value_its_interval_and_its_number_of_objects(forms):
    due = Counter(due_tips(forms.study))
    assert due.total() > 300
    for page in (forms.printed, forms.screen):
        assert Counter(tips(page)) == due


def test_a_screen_lists_every_failure_and_paper_the_first_of_each_cause(forms):
    parts = report_failures.listed(forms.study)
    assert max(part["number"] for part in parts) > report_failures.PRINTED
    for page, most in ((forms.screen, None), (forms.printed, report_failures.PRINTED)):
        rows = rows_of(page, "by suggested cause")
        due = [(part, row) for part in parts for row in part["rows"][:most]]
        assert len(rows) == 1 + len(due)
        for cells, (part, row) in zip(rows[1:], due, strict=True):
            words = [" ".join(cell.split()) for cell in cells]
            assert words[0] == f"{row['image_id']}/{row['ann_id']}"
            assert words[1].startswith(part["term"].label)
            assert words[2] == row["size_group"].capitalize()
            assert words[3] == f"{row['side']:.0f} px"
            assert words[4:6] == [row["category_name"], row["predicted"]]
            neighbour = f"{row['neighbour']} {row['neighbour_side']:.0f} px"
            assert words[6] == (neighbour if row["has_neighbour"] else "–")
            assert words[7] == (row["rescues"] or "–")
    for part in parts:
        assert f"{part['number']} in all" in text_of(forms.printed)
    number = sum(part["number"] for part in parts)
    assert f"All {number} failures of the fixed head" in text_of(forms.screen)
    links = re.findall(r'href="#object-(\d+)-(\d+)"', forms.screen)
    assert links == [(row["image_id"], row["ann_id"]) for part in parts for row in part["rows"]]


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


def plain(text):
    """Give what Markdown shows of a text whose signs are escaped."""
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", text)


def paragraphs_of(text):
    return [" ".join(block.split()) for block in plain(text).split("\n\n")]


def test_the_summary_has_the_pages_sentences_and_the_tables_numbers(forms):
    study = forms.study
    said = [f"**{report_words.verdict(study)}**", *report_words.finding(study)]
    assert len(said) == 2
    assert [one for one in paragraphs_of(forms.summary) if one in said] == said
    metrics, claims, accuracy = tables_of(forms.summary)
    assert metrics[0] == ["Number", "Value"]
    values = {name: "–" if value is None else str(value) for name, value in study.metrics.items()}
    assert {plain(name): plain(value) for name, value in metrics[1:]} == values
    check_claims(study, claims)
    check_accuracies(study, accuracy)
    assert "Percent with 95% intervals. ∅ vacuous; ⊙ vacuous in the box" in forms.summary
    assert "120 objects in 60 images: 40 small, 40 medium, 40 large; 2 categories" in forms.summary


def check_claims(study, rows):
    """Check that every claim stands with its verdict and interval, under its regime."""
    table = study.claims.set_index(["claim", "regime"])
    names = list(dict.fromkeys(study.claims["claim"]))
    assert [title.strip() for title in rows[0][1:]] == [
        f"{regime.capitalize()} head" for regime in study.regimes
    ]
    for cells, name in zip(rows[1:], names, strict=True):
        assert plain(cells[0]) == table.loc[name].iloc[0]["sentence"]
        for cell, regime in zip(cells[1:], study.regimes, strict=True):
            if (name, regime) not in table.index:
                assert cell == "–"
                continue
            row = table.loc[name, regime]
            known = np.isfinite([row["ci_low"], row["ci_high"]]).all()
            ends = (
                f"{points(row['ci_low'])} to {points(row['ci_high'])}" if known else "no interval"
            )
            assert cell == f"{row['verdict']} ({ends})"


def check_accuracies(study, rows):
    """Check that every reference level stands with its accuracies; of empty groups a dash."""
    table = study.accuracy.set_index(["regime", "condition", "size_group"])
    steps = [step for step in study.conditions if step.is_reference]
    assert rows[0] == [f"Accuracy, {study.headline} head", "All", "Small", "Medium", "Large"]
    for cells, step in zip(rows[1:], steps, strict=True):
        assert plain(cells[0]) == study.label(step.name)
        for cell, group in zip(cells[1:], ("all", *GROUPS), strict=True):
            row = table.loc[study.headline, step.name, group]
            acc, low, high = percents(row["acc"], row["ci_low"], row["ci_high"])
            told = f"{acc}% ({low}–{high})" if row["n"] else "–"
            mark = study.mark(step.name, *([] if group == "all" else [group]))
            assert cell == " ".join(filter(None, (told, mark if row["n"] else "")))


def test_hostile_words_leave_the_summarys_tables_whole(reported_study, monkeypatch):
    words = f"a | b | {HOSTILE} | `c` \\| **d**\n\n| e |"
    monkeypatch.setenv("DVC_EXP_NAME", words)

    def edit():
        INPUTS.metrics.write_text(json.dumps({words: words, "n": 3}), encoding="utf-8")
        table = pd.read_csv(INPUTS.claims)
        table["sentence"] += words
        table.to_csv(INPUTS.claims, index=False)

    changes = {("fixed", "downscale"): {"small": 0.6}}
    study = reported_study(edit=edit, only=(UNTOUCHED, "downscale"), changes=changes)
    text = report.build(INPUTS, params.load()).summary()
    (said,) = report_words.finding(study)
    assert "recognised more often under “Downscale” ∅" in said
    assert said in paragraphs_of(text)
    metrics, claims, _ = tables_of(text)
    one_line = " ".join(words.split())
    assert [[plain(cell) for cell in cells] for cells in metrics[1:]] == [
        [one_line, one_line], ["n", "3"],
    ]  # fmt: skip
    assert all(plain(cells[0]).endswith(one_line) for cells in claims[1:])
    assert plain(text.strip().splitlines()[-1]) == f"Experiment: {one_line}."
    assert "<" not in text.replace("\\<", "")


@pytest.mark.parametrize(
    ("variables", "on_paper", "in_brief"),
    [
        (
            {"DVC_EXP_NAME": "bold-owl", "DVC_EXP_BASELINE_REV": "0f1e2d"},
            "Made by DVC in the experiment bold-owl , from the commit 0f1e2d .",
            "Experiment: bold-owl, from 0f1e2d.",
        ),
        pytest.param(
            {"DVC_EXP_NAME": "bold-owl"},
            "Made by DVC in the experiment bold-owl .",
            "Experiment: bold-owl.",
        ),
        pytest.param(
            {"DVC_EXP_BASELINE_REV": "0f1e2d"},
            "Made by DVC, from the commit 0f1e2d .",
            "Experiment: 0f1e2d.",
        ),
        ({}, "Made outside of a DVC experiment; dvc.lock holds the hashes", ""),
    ],
)
def test_an_experiment_is_named_in_all_forms(
    reported_study, monkeypatch, variables, on_paper, in_brief
):
    for key in ("DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(key, raising=False)
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    reported_study(only=(UNTOUCHED,))
    made = report.build(INPUTS, params.load())
    assert on_paper in text_of(made.printed())
    assert in_brief in made.summary()
    assert ("Experiment" in made.summary()) == bool(in_brief)


PROBED = (UNTOUCHED, "orig_crop", "downscale", "object_only", "zoom_matched", "zoom_object")
"""The conditions that a ledger takes, and a few."""
EDGES = {
    "one category": {"category": "bus", "only": PROBED},
    "no small": {"counts": {"small": 0}, "only": PROBED},
    "no medium": {"counts": {"medium": 0}, "only": PROBED},
    "no large": {"counts": {"large": 0}, "only": PROBED},
    "nothing failed": {"accuracy": dict.fromkeys(GROUPS, 1.0), "failed": 0, "only": PROBED},
    "nothing recognised": {
        "accuracy": dict.fromkeys(GROUPS, 0.0), "correct": 0, "failed": 1, "only": PROBED,
    },
    "no probes": {"only": PROBED[:3]},
    "one condition": {"only": (UNTOUCHED,)},
    "original": {"protocol": "original", "counts": {"small": 40, "medium": 39, "large": 41}},
}  # fmt: skip
"""Studies that lack something."""


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    """Give the forms of one of `EDGES`."""

    @functools.cache
    def edge(name):
        return forms_of(write_study(tmp_path_factory.mktemp("edge"), **EDGES[name]))

    return edge


def sentences(study):
    """Give every sentence that is made for a study, but the verdict and what was drawn."""
    told = [*report_words.finding(study), *report_words.points(study)]
    about_maps = ("claim", "by_size", "controls", "removal", "ranks")
    told += [getattr(report_attention_words, name)(study) for name in about_maps]
    causes = ("disagreement", "disagreeing", "thinnest", "clean", "background", "native")
    told += [getattr(report_cause_words, name)(study) for name in causes]
    told += [report_cause_words.neighbours(study, group) for group in ("all", *GROUPS)]
    return [sentence for sentence in told if sentence]


@pytest.mark.parametrize("name", EDGES)
def test_an_unusual_study_makes_every_form_whole(edge, name):
    made = edge(name)
    for page, sections in ((made.printed, SECTIONS), (made.screen, ON_SCREEN)):
        own = [PROTOCOL] if name == "original" else []
        assert headings(page) == [*sections[:1], *own, *sections[1:]]
        text = text_of(page)
        assert not re.search(r"\b(nan|inf|Undefined)\b", text, re.IGNORECASE)
        assert report_words.verdict(made.study) in text
        ids = re.findall(r'\bid="([^"]*)"', unscripted(page))
        assert len(ids) == len(set(ids))
        assert tips(page)
        assert not any(re.search(r"\b(nan|inf)\b|–%", said) for said in tips(page))
        assert all(re.search(r"\), n = [\d,]+$", said) for said in tips(page))
    check_numbers(made)
    metrics, claims, accuracy = tables_of(made.summary)
    assert len(metrics) == 4
    check_claims(made.study, claims)
    check_accuracies(made.study, accuracy)
    assert f"**{report_words.verdict(made.study)}**" in plain(made.summary)
    assert not re.search(r"\b([Nn]a[Nn]|inf|None|Undefined)\b", made.summary)
    objects = explored(made.screen)["objects"]
    keys = made.study.answers[["image_id", "ann_id"]].drop_duplicates()
    assert [(one["image"], one["object"]) for one in objects] == list(map(tuple, keys.to_numpy()))


@pytest.mark.parametrize("name", EDGES)
def test_no_sentence_lacks_its_number(edge, name):
    made = edge(name)
    for sentence in (report_words.verdict(made.study), *sentences(made.study)):
        assert not re.search(r"(^|[ (])–( |%|\)|$)", sentence), sentence


@pytest.mark.parametrize("group", GROUPS)
def test_an_empty_group_is_said_to_be_empty_and_nothing_is_claimed_of_it(edge, group):
    made = edge(f"no {group}")
    study, column = made.study, 2 + GROUPS.index(group)
    verdict = report_words.verdict(study)
    if group == "medium":
        assert "less often than large ones: 30.0% of 40" in verdict
    else:
        assert verdict == (
            f"Small and large objects cannot be compared: no accuracy for {group} objects."
        )
    for sentence in sentences(study):
        # "another region as large" is no size group.
        assert not re.search(rf"(?<!as )\b{group}\b", sentence, re.IGNORECASE), sentence
    for row in study.claims.to_dict("records"):
        assert group not in row["sentence"].lower()
    for page in (made.printed, made.screen):
        text = text_of(page)
        for regime in ("Fixed", "Retrained"):
            head, *body = rows_of(page, f"{regime} head: accuracy")
            assert head[column].split() == [group.capitalize(), "n", "=", "0"]
            for cells in body:
                empty = ["no objects" in cell for cell in cells]
                assert empty == [place == column for place in range(len(cells))]
        due = f"{group.capitalize()}: 0 of the 40 requested were drawn; 0 were eligible."
        assert due in text
        assert "Groups that fell short:" in text
        assert rows_of(page, "Objects drawn")[-1][column - 1].strip() == "0 of 0"
        # Neither a panel nor a gallery is of nothing.
        assert f"{group.capitalize()} objects" not in text
        assert not any(re.match(rf"{group}\b|.*, {group}:", said, re.I) for said in tips(page))
        assert ("Figure 1 draws them." in text) == (group == "medium")
    accuracy = tables_of(made.summary)[2]
    assert {cells[column] for cells in accuracy[1:]} == {"–"}
    assert all("%" in cells[place] for cells in accuracy[1:] for place in {1, 2, 3, 4} - {column})
    assert f"0 {group}" in made.summary
    assert ("Where the gap comes from" in made.summary) == (group == "medium")
    assert group not in {one["group"] for one in explored(made.screen)["objects"]}


def test_where_nothing_failed_nothing_is_said_of_failures(edge):
    made = edge("nothing failed")
    data = explored(made.screen)
    assert all("cause" not in one for one in data["objects"])
    assert {view[0] for one in data["objects"] for view in one["views"]} == {0}
    assert 'select name="cause"' not in made.screen
    for page in (made.printed, made.screen):
        text = text_of(page)
        assert "Nothing failed." in text
        assert "Failures by cause" not in text
        assert "suggested causes of the failures" not in text
        assert "Correct against failed predictions" not in text
        for cells in rows_of(page, "Fixed head: share of the failed")[1:]:
            rescued, broken = cells[1::2], cells[2::2]
            assert [cell.strip() for cell in rescued] == ["–"] * 3
            assert all(" 0/40" in cell for cell in broken)
    assert "No further failed object was drawn" in text_of(made.printed)
    assert "No further recognised object" not in text_of(made.printed)


def test_where_nothing_failed_no_probe_is_said_to_be_missing(edge):
    assert "that takes the conditions zoom_matched" not in text_of(edge("nothing failed").printed)


def test_where_nothing_is_recognised_every_object_is_listed_as_failed(edge):
    made = edge("nothing recognised")
    data = explored(made.screen)
    assert {view[0] for one in data["objects"] for view in one["views"]} == {1}
    assert {one["cause"] for one in data["objects"]} == {"unexplained"}
    assert all(one["rescued"] == [] for one in data["objects"])
    assert "All 120 failures of the fixed head" in text_of(made.screen)
    for page in (made.printed, made.screen):
        text = text_of(page)
        assert "Nothing failed." not in text
        assert "Correct against failed predictions" not in text
        for cells in rows_of(page, "Fixed head: suggested causes")[1:]:
            counts = ["40 100.0%", "0 0.0%"][cells[0].strip() != "Unexplained"]
            assert [" ".join(cell.split()) for cell in cells[3:]] == [counts] * 3
        for cells in rows_of(page, "Fixed head: share of the failed")[1:]:
            rescued, broken = cells[1::2], cells[2::2]
            assert all(" 0/40" in cell for cell in rescued)
            assert [cell.strip() for cell in broken] == ["–"] * 3
    assert "No further recognised object was drawn" in text_of(made.printed)


def test_without_probes_there_is_no_ledger_and_no_cause(edge):
    made = edge("no probes")
    assert made.study.probes == []
    for page in (made.printed, made.screen):
        text = text_of(page)
        assert "No ledger: it takes small and large objects under the conditions" in text
        assert "No causes are suggested: that takes the conditions zoom_matched" in text
        assert "effects of probes" not in text
        assert "Figure 1 draws them" not in text
        assert "Figure 1. Accuracy against size" in text
        causes = {" ".join(cells[1].split()) for cells in rows_of(page, "by suggested cause")[1:]}
        assert causes <= {"None suggested", "None suggested 56 in all"}
    assert "Where the gap comes from" not in made.summary
    assert {one["cause"] for one in explored(made.screen)["objects"] if "cause" in one} == {""}
    assert 'select name="cause"' not in made.screen


def test_untouched_pictures_alone_make_every_form(edge):
    made = edge("one condition")
    for page in (made.printed, made.screen):
        text = text_of(page)
        assert "There is no change to audit" in text
        assert "Only untouched pictures were evaluated" in text
        assert "No family was evaluated at more than one level" in text
        assert len(rows_of(page, "Fixed head: accuracy")) == 2
    assert [step["name"] for step in explored(made.screen)["conditions"]] == [UNTOUCHED]
    assert len(tables_of(made.summary)[2]) == 2
    assert not any("under “" in sentence for sentence in sentences(made.study))


def test_untouched_pictures_alone_show_size_groups_on_page_one(edge):
    made = edge("one condition")
    assert "In colour, at their median sides: the size groups" in text_of(made.printed)
    drawn = report_evidence.headline(made.study)
    assert drawn in made.printed
    assert all(f">{group.capitalize()} " in drawn for group in GROUPS)


def test_one_category_is_said_to_show_no_recognition(edge):
    made = edge("one category")
    for page in (made.printed, made.screen):
        text = text_of(page)
        assert "The sample holds 1 category: accuracy says nothing about recognition." in text
        # The head knows two names.
        assert "Chance: 50.0%" in text
    assert "; 1 category; source" in made.summary


def test_page_ones_chance_is_the_floor_of_its_curve(edge):
    made = edge("one category")
    floor = made.study.threshold("fixed", UNTOUCHED)["floor"]
    assert floor == 0.5
    assert "half-way from chance (dashed, 50.0%)" in text_of(made.printed)


def test_under_cross_validation_one_line_speaks_of_the_other_protocol(forms):
    for page in (forms.printed, forms.screen):
        text = text_of(page)
        assert text.count("protocol=original") == 1
        assert "The original study’s protocol" not in text


def test_the_original_protocol_explains_its_intervals(edge):
    made = edge("original")
    for page in (made.printed, made.screen):
        text = text_of(page)
        rows = rows_of(page, "Objects tested")
        counts = EDGES["original"]["counts"]
        for cells, (group, n) in zip(rows[1:], counts.items(), strict=True):
            here, whole = (f"± {196 * (0.25 / number) ** 0.5:.1f}" for number in (n, 5 * n))
            assert [cell.strip() for cell in cells] == [
                group.capitalize(), str(n), here, str(5 * n), whole,
            ]  # fmt: skip
        assert "7 of the 24 test objects lie in images" in text
        assert "dvc exp run -S protocol=cross_validation" in text
        assert "Fixed head" not in text
        assert "cross-validation, repeated" not in text
        assert "Zoom" not in text
        assert "No family was evaluated at more than one level" in text
        assert "No ledger: it takes small and large objects" in text
        assert "No causes are suggested" in text
        assert "Background gap" not in text
        nav = page[page.index("<nav") : page.index("</nav>")]
        assert 'href="#protocol"' in nav
    assert made.study.regimes == ["retrained"]
    assert "Retrained head" in made.summary
    assert "Fixed" not in made.summary
    data = explored(made.screen)
    assert data["seeds"] == 1
    # The test objects of one split, not the whole sample, of which there are five times as many.
    assert len(data["objects"]) == sum(counts.values())


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
