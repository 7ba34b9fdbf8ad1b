import base64
import builtins
import dataclasses
import html as markup
import io
import json
import re
import runpy
import shutil
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

from smallsight import params, report, report_pictures, report_words
from smallsight.conditions import UNTOUCHED, ladders
from smallsight.errors import PictureError, SmallsightError
from smallsight.report_inputs import GROUPS, Inputs, read

ROOT = Path(__file__).parents[1]
STAGE = ROOT / "stages" / "report.py"
INPUTS: Inputs = runpy.run_path(str(STAGE))["INPUTS"]
HOSTILE = "<img src=x onerror=alert(1)>"
SECTIONS = [
    "In short",
    "Accuracy by size and condition",
    "Training of the reference head",
    "The conditions, on the same objects",
    "Where the network looked at small objects",
    "How it was made",
    "Limits",
    "The sample",
    "Provenance",
]
APART = {"small": 0.3, "medium": 0.5, "large": 0.8}
ALIKE = {"small": 0.50, "medium": 0.52, "large": 0.54}
OPPOSITE = {"small": 0.8, "medium": 0.5, "large": 0.3}


def conditions():
    chosen = params.load(ROOT / "params.yaml").model_dump()["conditions"]
    return [step for steps in ladders(chosen).values() for step in steps]


def write_study(
    folder,
    *,
    accuracy=APART,
    changes=None,
    counts=None,
    category="car",
    correct=2,
    failed=2,
    size=64,
):
    """Write every input of the report into a folder, in the places where the stage looks.

    `accuracy` is by size group; `changes` is added to it, by (regime, condition); `counts` are
    numbers of objects, by size group.
    """
    rng = np.random.default_rng(0)
    counts = dict.fromkeys(GROUPS, 40) | (counts or {})
    for path in INPUTS.paths():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "params.yaml", folder)
    names = [category, "bus"]
    sample = pd.DataFrame(
        [
            {"image_id": f"{group}{i // 2}", "category_name": names[i % 2], "size_group": group}
            for group in GROUPS
            for i in range(counts[group])
        ],
        columns=["image_id", "category_name", "size_group"],
    )
    sample.to_csv(folder / INPUTS.sample, index=False)
    eligible = {
        group: dict(Counter(sample[sample.size_group == group].category_name)) for group in GROUPS
    }
    write_json(
        folder / INPUTS.sampling,
        requested_per_group=40,
        person_cap=70,
        drawn=counts,
        eligible=eligible,
        excluded={"crowd": 3, "degenerate": 1, "outside": 0},
    )
    rows, wide = [], []
    for regime in ("fixed", "retrained"):
        for step in conditions():
            acc = {
                g: a + (changes or {}).get((regime, step.name), 0.0) for g, a in accuracy.items()
            }
            acc["all"] = float(np.mean(list(acc.values())))
            n = counts | {"all": sum(counts.values())}
            names = {"regime": regime, "condition": step.name, "family": step.family}
            for group in ("all", *GROUPS):
                known = n[group] > 0
                rows.append(
                    {
                        **names,
                        "level": step.level,
                        "size_group": group,
                        "n": n[group],
                        "images": -(-n[group] // 2),
                        "acc": acc[group] if known else None,
                        "ci_low": acc[group] - 0.0731 if known else None,
                        "ci_high": acc[group] + 0.0692 if known else None,
                    }
                )
            shown = {f"val_acc_{g}": acc[g] if n[g] else None for g in ("all", *GROUPS)}
            wide.append({"condition": step.name, **shown, "regime": regime, "family": step.family})
    pd.DataFrame(rows).to_csv(folder / INPUTS.accuracy, index=False)
    pd.DataFrame(wide).to_csv(folder / INPUTS.conditions, index=False)
    epochs = np.arange(1, 4)
    pd.DataFrame(
        {
            "epoch": epochs,
            "train_loss": 1 / epochs,
            "train_accuracy": 0.5,
            "test_loss": 1.2 / epochs,
            "test_accuracy": 0.4,
        }
    ).to_csv(folder / INPUTS.curve, index=False)
    write_json(
        folder / INPUTS.training,
        condition=UNTOUCHED,
        seed=0,
        device="cpu",
        n_train=96,
        n_test=24,
        test_accuracy=0.6125,
        weights="phantom",
    )
    write_json(folder / INPUTS.metrics, acc_small=0.3, gap=None)
    write_json(
        folder / INPUTS.scale,
        layer="layer4",
        cell=32,
        alpha=0.5,
        colormap="magma",
        scale="each map by its own maximum",
    )

    def row(number, group, condition, outcome):
        paths = {}
        for kind in ("picture", "overlay"):
            paths[kind] = f"data/gradcam/{number}_{kind}.png"
            pixels = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / paths[kind])
        return {
            **{"image_id": number, "ann_id": number, "condition": condition, "size_group": group},
            **{"category_name": category, "outcome": outcome, "confidence": 0.61, "side": 6.2},
            "predicted": category if outcome == "correct" else "bus",
            **{"lift": 1.5 if number % 2 else None, **paths, "input_size": size},
            **{
                "box_x": 3.0,
                "box_y": 20.0,
                "box_w": 6.0,
                "box_h": 5.0,
                "view_w": 640,
                "view_h": 480,
            },
        }

    outcomes = ["correct"] * correct + ["failed"] * failed
    gallery = [row(i, "small", UNTOUCHED, outcome) for i, outcome in enumerate(outcomes)]
    columns = list(row(99, "small", UNTOUCHED, "correct"))
    pd.DataFrame(gallery, columns=columns).to_csv(folder / INPUTS.gallery, index=False)
    strips = [
        row(100 + 10 * i + j, group, step.name, "correct" if j else "failed")
        for i, group in enumerate(GROUPS)
        for j, step in enumerate(step for step in conditions() if step.is_reference)
        if counts[group]
    ]
    pd.DataFrame(strips, columns=columns).to_csv(folder / INPUTS.strips, index=False)
    return folder


def write_json(path, **tree):
    path.write_text(json.dumps(tree), encoding="utf-8")


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Make a study with the given properties in the working folder, and read it."""

    def make(**properties):
        write_study(tmp_path, **properties)
        monkeypatch.chdir(tmp_path)
        return read(INPUTS, params.load())

    return make


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Make a study and build its page."""

    def make(*, edit=None, **properties):
        write_study(tmp_path, **properties)
        monkeypatch.chdir(tmp_path)
        if edit is not None:
            edit()
        return report.build(INPUTS, params.load())

    return make


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
            self.tables[-1][1][-1][-1] += f" {data.strip()}"


def text_of(page):
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", markup.unescape(re.sub(r"<[^>]*>", " ", body)))


def test_every_number_of_the_table_of_accuracies_is_in_the_page(build):
    page = build()
    table = pd.read_csv(INPUTS.accuracy).set_index(["regime", "condition", "size_group"])
    found = {caption: rows for caption, rows in Tables(page).tables if "accuracy" in caption}
    assert len(found) == 2
    for regime, word in (("fixed", "Fixed"), ("retrained", "Retrained")):
        head, *body = next(rows for caption, rows in found.items() if word in caption)
        for cells, step in zip(body, conditions(), strict=True):
            for title, cell, group in zip(head[1:], cells[1:], ("all", *GROUPS), strict=True):
                row = table.loc[regime, step.name, group]
                ends = f"({100 * row.ci_low:.1f}–{100 * row.ci_high:.1f})"
                assert cell.split() == [f"{100 * row.acc:.1f}%", ends]
                assert f"n = {row.n:.0f}," in title


def test_a_count_that_differs_between_conditions_stands_in_the_cells(build):
    def edit():
        table = pd.read_csv(INPUTS.accuracy)
        table.loc[(table.condition != UNTOUCHED) & (table.size_group == "small"), "n"] = 39
        table.to_csv(INPUTS.accuracy, index=False)

    text = text_of(build(edit=edit))
    assert "n = 39" in text
    assert "n = 40" in text


@pytest.mark.parametrize(
    ("accuracy", "said", "unsaid"),
    [
        (
            APART,
            "less often than large ones: 30.0% of 40, against 80.0% of 40",
            "more often than large",
        ),
        (
            OPPOSITE,
            "more often than large ones: 80.0% of 40, against 30.0% of 40",
            "less often than large",
        ),
        (ALIKE, "not told apart", "often than large"),
    ],
)
def test_the_verdict_follows_the_intervals(study, accuracy, said, unsaid):
    made = study(accuracy=accuracy)
    words = " ".join([report_words.verdict(made), *report_words.points(made)])
    assert said in words
    assert unsaid not in words
    assert ("leaves either order open" in words) == (accuracy is ALIKE)


def test_a_change_has_a_direction_only_where_the_intervals_lie_apart(study):
    name, other = (step.name for step in conditions()[1:3])
    made = study(changes={("fixed", name): -0.2, ("fixed", other): 0.2, ("retrained", name): 0.15})
    changes, regimes = report_words.points(made)[-2:]
    below, above = made.label(name), made.label(other)
    assert f"fall from 30.0% to 10.0% under “{below}”" in changes
    assert f"rise from 30.0% to 50.0% under “{above}”" in changes
    assert "overlap" in changes.partition(". ")[2]
    assert f"reach more: 45.0% under “{below}”" in regimes
    assert f"reach less: 30.0% under “{above}”" in regimes


def test_equal_conditions_give_no_direction_at_all(study):
    words = " ".join(report_words.points(study()))
    for word in (" fall ", " rise ", "reach more", "reach less"):
        assert word not in words
    assert words.count("no clear change") == 2


@pytest.mark.parametrize(
    ("small", "said"),
    [(0.9, "more often than by"), (0.1, "less often than by"), (0.5, "not told apart")],
)
def test_small_objects_are_compared_with_the_commonest_category(study, small, said):
    made = study(accuracy=APART | {"small": small})
    assert any(said in point and "commonest" in point for point in report_words.points(made))


def test_lists_read_as_sentences_do():
    assert report_words.listed([]) == ""
    assert report_words.listed(["a"]) == "a"
    assert report_words.listed(["a", "b", "c"]) == "a, b and c"
    assert report_words.listed(list("abcdefgh")) == "a, b, c, d, e and 3 more"


def test_touching_intervals_are_not_apart():
    one, other = (
        report_words.Estimate(10, 5, acc, low, high)
        for acc, low, high in ((0.4, 0.3, 0.5), (0.6, 0.5, 0.7))
    )
    assert report_words.order(one, other) == "overlapping"
    assert report_words.order(dataclasses.replace(one, high=0.49), other) == "below"
    assert report_words.order(dataclasses.replace(one, n=0), other) == "unknown"


@pytest.mark.parametrize("group", GROUPS)
def test_an_empty_group_is_named_and_never_compared(study, group):
    made = study(counts={group: 0})
    words = " ".join([report_words.verdict(made), *report_words.points(made)])
    assert ("cannot be compared" in words) == (group != "medium")
    assert "nan" not in words.lower()
    assert report_words.shortfalls(made) == [
        f"{group.capitalize()}: 0 of the 40 requested were drawn; 0 were eligible."
    ]


def test_an_empty_group_has_its_place_in_the_tables(build):
    text = text_of(build(counts={"small": 0}))
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
def test_a_gallery_may_lack_anything(build, correct, failed, said):
    assert said in text_of(build(correct=correct, failed=failed))


def test_nothing_at_all_still_makes_a_page(build):
    def edit():
        for path in (
            INPUTS.accuracy,
            INPUTS.conditions,
            INPUTS.curve,
            INPUTS.strips,
            INPUTS.sample,
        ):
            pd.read_csv(path).iloc[:0].to_csv(path, index=False)

    text = text_of(build(edit=edit, correct=0, failed=0))
    for section in SECTIONS:
        assert section in text
    assert "cannot be compared" in text
    assert "no small object to show" in text


def test_one_category_says_nothing_about_recognition(study):
    assert any("1 category" in point for point in report_words.points(study(category="bus")))


def test_missing_intervals_are_said_to_be_missing(build):
    def edit():
        table = pd.read_csv(INPUTS.accuracy)
        table[["ci_low", "ci_high"]] = None
        table.to_csv(INPUTS.accuracy, index=False)

    text = text_of(build(edit=edit))
    assert "(no interval)" in text
    assert "cannot be compared" in text


def test_hostile_names_come_out_as_text(built):
    page = (built[0] / "reports/report.html").read_text(encoding="utf-8")
    assert text_of(page).count(HOSTILE) > 4
    assert "<img src=x" not in page
    assert "onerror" not in Tables(page).seen


def test_a_category_may_be_called_none(study):
    assert set(study(category="None").sample["category_name"]) == {"None", "bus"}


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
    report.write_pdf(page, Path("again.pdf"))
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


def test_two_tables_that_disagree_are_an_error(study):
    def make():
        study()
        table = pd.read_csv(INPUTS.conditions)
        table.loc[0, "val_acc_small"] += 0.02
        table.to_csv(INPUTS.conditions, index=False)
        read(INPUTS, params.load())

    with pytest.raises(SmallsightError, match=r"results_conditions.*0\.3200; expected 0\.3000"):
        make()


@pytest.mark.parametrize("path", INPUTS.paths(), ids=lambda path: path.name)
def test_a_missing_or_malformed_input_is_named(study, path):
    study()
    path.write_text("{", encoding="utf-8")
    with pytest.raises(SmallsightError, match=re.escape(str(path))):
        read(INPUTS, params.load())
    path.unlink()
    with pytest.raises(SmallsightError, match=re.escape(str(path))):
        read(INPUTS, params.load())


def test_a_picture_must_be_there_and_have_the_size_of_the_input(build):
    with pytest.raises(PictureError, match=r"0_picture\.png"):
        build(edit=lambda: Path("data/gradcam/0_picture.png").unlink())
    with pytest.raises(PictureError, match="8 x 9 pixels; expected 64 x 64"):
        build(edit=lambda: Image.new("RGB", (8, 9)).save("data/gradcam/1_overlay.png"))


def test_without_pango_the_error_names_the_packages(monkeypatch, tmp_path):
    usual = builtins.__import__

    def without_pango(name, *others):
        if name.startswith("weasyprint"):
            raise OSError("cannot load library 'libpango-1.0-0': not found\nmore\nlines")
        return usual(name, *others)

    monkeypatch.setattr(builtins, "__import__", without_pango)
    with pytest.raises(SmallsightError) as caught:
        report.write_pdf("<p>", tmp_path / "x.pdf")
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
