"""The report's three forms: what stands in them, where, and under which number."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pypdf
import pytest
from PIL import Image

from builders.study_files import HOSTILE, INPUTS, ROOT, STAGE, WHOLE, write_study
from readers.printed import SHEETS
from readers.report_pages import (
    ON_SCREEN,
    Tables,
    captions,
    check_numbers,
    explored,
    forms_of,
    headings,
    percents,
    points,
    rows_of,
    tables_of,
    text_of,
    tooltips,
    unscripted,
)
from smallsight import params
from smallsight.analysis.ladder import NOT_IDENTIFIED
from smallsight.analysis.terms import describe_part
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import BASELINES, RUNGS
from smallsight.report import page as report_page
from smallsight.report import typeset
from smallsight.report.sections.accuracy import SHORT
from smallsight.report.sections.failures import list_failures
from smallsight.report.text import native_pixels
from smallsight.runtime.errors import PictureError
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, TASKS

pytestmark = pytest.mark.page


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A study's folder, after the stage has run in it as DVC runs it."""
    folder = write_study(tmp_path_factory.mktemp("built"), **WHOLE)
    done = subprocess.run(
        [sys.executable, STAGE], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder, done


def test_a_page_is_made_without_torch():
    script = "import sys, smallsight.report.page; print(*{'torch', 'cv2'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT / "src", capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_a_count_that_differs_between_conditions_stands_in_the_cells(report_page):
    def edit():
        table = pd.read_csv(INPUTS.table("accuracy"))
        table.loc[(table.condition != UNTOUCHED) & (table.size_group == "small"), "n"] = 39
        table.to_csv(INPUTS.table("accuracy"), index=False)

    text = text_of(report_page(edit=edit, only=(UNTOUCHED, "downscale")))
    assert "n = 39" in text
    assert "n = 40" in text


def test_nothing_at_all_still_makes_every_form(reported_study):
    def edit():
        names = ("accuracy", "effects", "thresholds", "severity", "claims", "ladder", "baselines")
        names += ("gap_parts", "largest_object", "remedies", "more_examples", "calibration")
        others = (INPUTS.results, INPUTS.curve, INPUTS.strips, INPUTS.sample)
        for path in (*map(INPUTS.table, names), *others):
            pd.read_csv(path).iloc[:0].to_csv(path, index=False)

    reported_study(edit=edit, correct=0, failed=0, only=(UNTOUCHED, "downscale"))
    made = forms_of(Path.cwd())
    left = {"In short", "What to do", "What failures are taken for", "Objects, one by one"}
    left |= {"How it was made", "Limits", "The sample", "Provenance"}
    left.add("Failures that may be the annotator’s")
    assert headings(made.screen) == [title for title in ON_SCREEN if title in left]
    left = {"In short", "Failures, and what would rescue them", "Method and limits", "Provenance"}
    assert set(headings(made.printed)) <= {*left, "Attention: where the network looked, measured"}
    for text in (text_of(made.screen), text_of(made.printed), made.summary):
        assert "cannot be compared" in text
    assert len(tables_of(made.summary)) == 1
    assert "head" not in made.summary


def test_missing_intervals_are_said_to_be_missing(report_page):
    def edit():
        table = pd.read_csv(INPUTS.table("accuracy"))
        table[["ci_low", "ci_high"]] = None
        table.to_csv(INPUTS.table("accuracy"), index=False)

    text = text_of(report_page(edit=edit, only=(UNTOUCHED, "downscale")))
    assert "(no interval)" in text


def test_hostile_names_come_out_as_text(forms):
    for page in (forms.printed, forms.screen):
        assert text_of(page).count(HOSTILE) > 4
        assert "<img src=x" not in page
        assert "onerror" not in Tables(page).seen


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
    typeset.write_pdf(forms.printed, tmp_path / "again.pdf", sheets=forms.sheets)
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
    assert [entry.title for entry in pdf.outline if not isinstance(entry, list)] == SHEETS
    assert "/CreationDate" not in pdf.metadata


def test_the_pdf_has_every_sheet_page_numbers_and_its_own_typefaces(built):
    pdf = pypdf.PdfReader(built[0] / "reports/report.pdf")
    pages = [page.extract_text() for page in pdf.pages]
    whole = re.sub(r"\s+", " ", " ".join(pages))
    for sheet in SHEETS:
        assert sheet in whole
    for number, page in enumerate(pages, start=1):
        assert f"{number} / {len(pages)}" in page
    assert "<img" in whole
    fonts = {
        font.get_object()["/BaseFont"]
        for page in pdf.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts
    assert all("DejaVu" in font for font in fonts)


def test_all_forms_have_their_sections_in_order_and_a_screens_contents_lead_to_them(forms):
    assert headings(forms.printed) == SHEETS
    assert headings(forms.screen) == ON_SCREEN
    for page in (forms.printed, forms.screen):
        nav = page[page.index("<nav") : page.index("</nav>")]
        linked = re.findall(r'href="#(.*?)"', nav)
        sections = re.findall(r'<section id="(.*?)"', page)
        assert linked[0] == sections[0] == "summary"
        assert len(linked) > 5
        assert [anchor for anchor in sections if anchor in linked] == linked


def test_what_moves_is_for_the_screen_alone(forms):
    for mark in ("<script", "<dialog", "<select", "<details", "<noscript"):
        assert mark in forms.screen
        assert mark not in forms.printed
    for mark in ('class="card"', 'class="strip"', "<img "):
        assert mark in forms.printed
        assert mark not in forms.screen
    assert forms.screen.count("<script") == 2
    assert len(explored(forms.screen)["objects"]) == 120


def test_figures_and_tables_have_one_number_each_in_order(forms):
    check_numbers(forms.screen)


WITHOUT_SOURCE = ("The conditions, and", "Versions.", "Files the report was made from")
"""Captions of what comes from the package, and from no file of the study."""


def sources(text):
    """Give the files that a caption names; those after the first lie beside it."""
    found = []
    for names in re.findall(r"<code>(.*?)</code>", text):
        for name in names.split(", "):
            folder = found[-1].parent if found and "/" not in name else Path()
            found.append(folder / name)
    return found


def test_every_caption_names_the_files_it_comes_from(forms):
    known = {*INPUTS.paths(), Path("params.yaml")}
    numbered = captions(forms.screen)
    bare = []
    for _, text in numbered:
        assert set(sources(text)) <= known, text
        bare += [] if sources(text) else [text]
    assert len(bare) == len(WITHOUT_SOURCE)
    assert all(text.startswith(start) for text, start in zip(bare, WITHOUT_SOURCE, strict=True))
    # Little is read that no caption speaks of: the same numbers once more, and the maps' data.
    both = [*numbered, *captions(forms.printed)]
    told = {path for _, text in both for path in sources(text)}
    assert {path.name for path in known - told} <= {
        "results_conditions.csv", "samples_step1_person_limited.csv", "training.json",
        "classifier.json", "preprocessing.csv", "categories.json", "pictures.json",
        "answers.csv", "maps.csv", "maps.npz", "about.json",
    }  # fmt: skip


def due_tooltips(study):
    """Yield what the tables say of every mark."""
    shown = [one for one in study.conditions(HEADLINE_TASK) if not study.is_intervention(one)]
    keys = ["task", "regime", "condition", "size_group"]
    accuracy = study.tables["accuracy"].set_index(keys)

    def estimate(name, row, key="acc"):
        acc, low, high = percents(row[key], row["ci_low"], row["ci_high"])
        return f"{name}: {acc}% ({low}–{high}), n = {row['n']:.0f}"

    yield from due_ladder(study, estimate)
    for row in study.tables["more_examples"].to_dict("records"):
        at = f"{100 * row['share']:.0f}% of the small training objects"
        at += ", extrapolated" * row["is_extrapolated"]
        yield estimate(f"{row['size_group'].capitalize()}, {at}", row | {"n": 40}, "accuracy")
    scalings = {"none": "as it is", "temperature": "temperature by estimated size"}
    for row in study.tables["reliability"].to_dict("records"):
        if row["size_group"] in GROUPS:
            (confidence,) = percents(row["confidence"])
            told = f"Confidence {confidence}%, {scalings[row['scaling']]}, {row['size_group']}"
            yield estimate(told, row, "accuracy")
    baselines = study.tables["baselines"].set_index(["baseline", "size_group"])
    for regime in ("fixed", "retrained"):
        for group in GROUPS:
            for one in shown:
                row = accuracy.loc[HEADLINE_TASK, regime, one.name, group]
                yield estimate(f"{study.label(one.name)}, {group}", row)
            for name in BASELINES:
                row = baselines.loc[name, group]
                yield estimate(f"{SHORT[name]}, {group}", row, "accuracy")
    pixels = study.tables["pixels"]
    for row in pixels[pixels["acc"].notna()].to_dict("records"):
        # A size group's reduced objects are a thin line.
        if row["native"] or row["size_group"] not in GROUPS:
            own = f"own side, {native_pixels(row['side'])} px at the median"
            at = own if row["native"] else f"reduced to {row['side']:g} px"
            yield estimate(f"{row['size_group'].capitalize()}, {at}", row)
    severity = study.tables["severity"]
    for row in severity[severity["task"] == HEADLINE_TASK].to_dict("records"):
        ends = f"{row['ssim_box_q1']:.3f}–{row['ssim_box_q3']:.3f}"
        told = f"{study.label(row['condition'])}, {row['size_group']}: {row['ssim_box']:.3f}"
        yield f"{told} ({ends}), n = {row['n']}"
    kinds = {
        ("predicted", "correct"): "Correct", ("predicted", "failed"): "Failed",
        ("true_class", "failed"): "Failed, true class", ("random_box", "all"): "Box elsewhere",
        ("centre", "all"): "Centre", ("random_weights", "all"): "Random weights",
    }  # fmt: skip
    attention = study.tables["attention"][study.tables["attention"]["condition"] == UNTOUCHED]
    attention = attention.set_index(["task", "map", "outcome", "size_group"])
    for task in TASKS:
        for group in GROUPS:
            for key, label in kinds.items():
                row = attention.loc[(task, *key, group)]
                ends = f"quartiles {row['lift_q1']:.2f}–{row['lift_q3']:.2f}"
                yield f"{label}: median {row['lift']:.2f} ({ends}), n = {row['n']}"
    compared = study.tables["attention_outcomes"]
    for row in compared[compared["task"] == HEADLINE_TASK].to_dict("records"):
        if row["size_group"] in GROUPS:
            share, low, high = percents(row["superiority"], row["ci_low"], row["ci_high"])
            told = f"{study.label(row['condition'])}, {row['size_group']}: {share}% ({low}–{high})"
            yield f"{told}, n = {row['n_correct'] + row['n_failed']:.0f}"
    for row in study.tables["faithfulness"].to_dict("records"):
        for region, whose in (("object", "the object’s region"), ("random", "another region")):
            if row["size_group"] in GROUPS:
                ends = f"{points(row[f'{region}_low'])} to {points(row[f'{region}_high'])}"
                told = f"{whose} {row['change']}, {row['area']:g} × the box"
                yield f"{told}: {points(row[region])} points ({ends}), n = {row['n']}"


def due_ladder(study, estimate):
    """Yield what the tables say of the marks of page one's figure."""
    labels = {"largest_object": f"Rule: {BASELINES['largest_object'].replace('Cat', 'cat')}"}
    labels |= {rung.name: rung.label for rung in RUNGS}
    for row in study.tables["ladder"].to_dict("records"):
        if row["size_group"] in ("small", "large"):
            yield estimate(f"{labels[row['rung']]}, {row['size_group']}", row, "accuracy")
    for row in study.tables["gap_parts"].to_dict("records"):
        vague = " (not identified)" if row["verdict"] == NOT_IDENTIFIED else ""
        ends = f"{points(row['ci_low'])} to {points(row['ci_high'])}"
        name = f"{describe_part(row['part']).label}{vague}"
        yield f"{name}: {points(row['value'])} points ({ends}), n = {row['n']:.0f}"


def test_every_mark_has_its_value_its_interval_and_its_number_of_objects(forms):
    due = Counter(due_tooltips(forms.study))
    assert due.total() > 200
    # Cells of a confusion matrix, which open objects, have a test of their own.
    shown = [told for told in tooltips(forms.screen) if "; open " not in told]
    assert Counter(shown) == due
    # What paper draws is drawn on the screen too.
    assert not Counter(tooltips(forms.printed)) - due


def test_a_screen_lists_every_failure(forms):
    parts = list_failures(forms.study)
    rows = rows_of(forms.screen, "by the step from which on they are right")
    due = [(part, row) for part in parts for row in part.failures]
    assert len(rows) == 1 + len(due) > 20
    for cells, (part, failure) in zip(rows[1:], due, strict=True):
        row = failure.row
        words = [" ".join(cell.split()) for cell in cells]
        assert words[0] == f"{row['image_id']}/{row['ann_id']}"
        assert words[1].startswith(part.term.label)
        assert words[2] == row["size_group"].capitalize()
        assert words[3] == f"{row['side']:.0f} px"
        assert words[4:6] == [row["category_name"], row["predicted"]]
        neighbour = f"{row['neighbour']} {row['neighbour_side']:.0f} px"
        assert words[6] == (neighbour if failure.has_neighbour else "–")
        assert words[7:9] == [failure.rungs or "–", str(failure.n_rescues)]
    number = len(due)
    assert f"All {number} failures, whole picture" in text_of(forms.screen)
    links = re.findall(r'href="#object-(\d+)-(\d+)"', forms.screen)
    assert links == [
        (str(one.row["image_id"]), str(one.row["ann_id"]))
        for part in parts
        for one in part.failures
    ]


PICTURE = "data/gradcam/0_scene_orig_full_picture.png"
OVERLAY = "data/gradcam/1_scene_orig_full_overlay.png"


def test_a_picture_must_be_there_and_have_the_size_of_the_input(report_page):
    with pytest.raises(PictureError, match=r"0_scene_orig_full_picture\.png"):
        report_page(edit=lambda: Path(PICTURE).unlink())
    with pytest.raises(PictureError, match="8 x 9 pixels; expected 64 x 64"):
        report_page(edit=lambda: Image.new("RGB", (8, 9)).save(OVERLAY))


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
    made = report_page.build(INPUTS, params.load())
    assert on_paper in text_of(made.printed())
    assert in_brief in made.summary()
    assert ("Experiment" in made.summary()) == bool(in_brief)
