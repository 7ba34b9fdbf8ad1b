"""The page of a comparison: what it says, what it escapes, and that it comes out the same."""

import re

import pypdf
import pytest
from jinja2 import meta

from builders.compared_studies import (
    BETTER,
    CONDITIONS,
    FORMULA,
    HOSTILE,
    climbed,
    predicted,
    sampled,
    side_of,
    write_study,
)
from readers.comparison_pages import text_of
from readers.report_pages import Tables, rows_of
from smallsight.comparison.comparison import compare_studies
from smallsight.comparison.page import build
from smallsight.report import typeset
from smallsight.report.text import p_value, signed

pytestmark = pytest.mark.page


SECTIONS = [
    "In short",
    "The headline numbers",
    "Under which conditions they differ",
    "Positive and negative flips",
    "How it was made",
    "Limits",
    "Provenance",
]


def test_a_study_beside_itself_differs_in_nothing(sides):
    comparison = compare_studies(sides[0], sides[0])
    page = build(comparison, most=12)
    text = text_of(page)
    assert "as many small objects as" in text
    assert "No parameter differs" in text
    assert "A and B are the same commit, abc1234" in text
    assert "all are equal" in text
    assert text.count("No object flipped this way") == 2
    assert "<img" not in page
    assert not {"▲ +", "▼ −"} & set(re.findall(r"[▲▼] [+−]", text))


def test_parameters_that_differ_are_listed_and_no_others(page):
    head, *rows = rows_of(page, "Parameters that differ")
    assert [cell.split() for cell in head[1:]] == [["A", "default"], ["B", *HOSTILE.split()]]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["heads.epochs", "5", "20"],
        ["new.key", "absent", HOSTILE],
    ]


def test_many_parameters_leave_the_first_page_and_stand_at_the_end(other, sample):
    changes = {f"heads.option{number}": number for number in range(20)}
    page = build(other(sample, predicted(sample), changes=changes), most=0)
    assert len(rows_of(page, "the first 8 of 20")) == 9
    assert len(rows_of(page, "All parameters that differ")) == 21


def numbers_in(text):
    return re.findall(r"[−+]?\d+(?:\.\d+)?", text)


NAMES = {"object": "Window", "scene": "Whole picture"}


@pytest.mark.parametrize("number", [0, 1], ids=NAMES)
def test_every_difference_by_condition_stands_in_its_table(comparison, page, number):
    compared = comparison.tasks[number]
    head, *body = rows_of(page, f"{NAMES[compared.task]}, fixed head: accuracy in A")
    assert [cell.split()[0] for cell in head] == ["Condition", "All", "Small", "Medium", "Large"]
    rows = compared.conditions.groupby(["family", "level"], sort=False)
    assert len(rows) == len(body)
    for (_, part), cells in zip(rows, body, strict=True):
        for row, cell in zip(part.itertuples(), cells[1:], strict=True):
            due = [f"{100 * row.a:.1f}", f"{100 * row.b:.1f}", signed(row.difference)]
            due += [signed(row.ci_low), signed(row.ci_high), p_value(row.p_holm).strip("< ")]
            assert numbers_in(cell) == due
            assert ("▲" in cell) == (row.direction == 1)
            assert ("▼" in cell) == (row.direction == -1)


def test_all_flips_are_listed_and_some_are_shown(comparison, page):
    for compared in comparison.tasks:
        listed = rows_of(page, f"{NAMES[compared.task]}: all flips")[1:]
        names = [name for row in listed for name in row[-1].split()]
        ids = zip(compared.flips["image_id"], compared.flips["ann_id"], strict=True)
        assert sorted(names) == sorted(f"{image}_{ann}" for image, ann in ids)
    flips = comparison.headline.flips["flip"]
    positive, negative = ((flips == flip).sum() for flip in ("positive", "negative"))
    shown = min(12, positive)
    assert page.count('class="cell flip"') == shown + min(12, negative)
    assert f"{shown} of {positive}, the size groups taking turns" in text_of(page)


def without_large():
    sample = sampled(each=40, groups=("small", "medium"), categories=("car",))
    return sample, predicted(sample), predicted(sample, odds=BETTER, seed=1)


def without_small():
    sample = sampled(each=40, groups=("medium", "large"))
    return sample, predicted(sample), predicted(sample, seed=1)


def without_conditions():
    sample = sampled(each=40)
    bare = {"conditions": (), "interventions": ()}
    return sample, predicted(sample, **bare), predicted(sample, **bare, seed=1)


def by_the_original_protocol():
    sample = sampled(each=60)
    options = {"conditions": CONDITIONS, "regimes": ("retrained",), "seeds": 1}
    part = sample[::2]
    return sample, predicted(part, **options), predicted(part, odds=BETTER, seed=1, **options)


def without_thresholds():
    sample = sampled(each=40)
    return sample, predicted(sample, threshold=0.5), predicted(sample, threshold=900.0)


def without_sweep():
    sample, table, _ = without_conditions()
    table = table[table["family"] != "pixels"]
    return sample, table, table


EDGES = {
    "no large objects, one category": (without_large, "Accuracy, large – – no objects 0"),
    "no small objects": (without_small, "Small objects cannot be compared"),
    "no conditions": (without_conditions, "neither has one"),
    "the original protocol": (by_the_original_protocol, "Window, retrained head"),
    "no thresholds": (without_thresholds, "Threshold – – neither has one"),
    "no sweep": (without_sweep, "Threshold – – not of the same objects 0"),
}


@pytest.mark.parametrize(("make", "words"), EDGES.values(), ids=EDGES)
def test_there_is_a_page_whatever_is_lacking(tmp_path, make, words):
    sample, a, b = make()
    for name, table in (("a", a), ("b", b)):
        write_study(tmp_path / name, sample, table)
    a, b = (side_of(tmp_path / name, name=name) for name in "ab")
    text = text_of(build(compare_studies(a, b), most=3))
    assert words in re.sub(r"\s+", " ", text.replace(">", "> "))
    assert not re.search(r"\bnan\b|\binf\b|None", text)


def test_a_threshold_that_one_study_has_not_is_said_to_lack(other, sample):
    comparison = other(sample, predicted(sample, threshold=900.0))
    rows = rows_of(build(comparison, most=0), "Window: the headline numbers, computed")[1:]
    lacking = {row[0].strip(): row[3].strip() for row in rows}
    assert lacking["Threshold"] == "B has none"


def test_the_largest_steps_are_named_and_compared_where_they_are_the_same(other, sample):
    steps = {"window": 0.5}
    comparison = other(sample, predicted(sample), rungs=climbed(sample, steps=steps))
    rows = rows_of(build(comparison, most=0), "Whole picture: the headline numbers, computed")
    (row,) = (row for row in rows if row[0].strip() == "Largest step of the ladder")
    assert "A window of its own" in row[1]
    assert "More of its own pixels" in row[2]
    assert row[3].strip() == "not of the same, not compared"


def test_every_figure_and_table_of_results_names_its_task(page):
    captions = re.findall(r"<(?:fig)?caption>(.*?)</(?:fig)?caption>", page, re.DOTALL)
    told = [re.sub(r"<b class=.*?</b> ", "", one) for one in captions]
    others = ("Parameters that differ", "Files that were compared", "All parameters", "Code and")
    of_results = [one for one in told if not one.startswith(others)]
    assert len(of_results) >= 14
    assert all(one.startswith(("Window", "Whole picture")) for one in of_results)
    for word in ("inconclusive", "No difference is shown"):
        assert word not in text_of(page)


def test_no_name_becomes_markup_or_leaves_the_page(page):
    read = Tables(page)
    assert "onerror" not in read.seen
    assert "script" not in read.seen
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert FORMULA in page
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    assert not re.search(r"url\((?!#)", page)
    assert "/tmp" not in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_figures_and_tables_are_numbered_alike_however_many_objects_are_shown(comparison, page):
    captions = [
        re.findall(r'<b class="number">(?:Figure|Table) \d+\.', one)
        for one in (page, build(comparison, most=3))
    ]
    assert captions[0] == captions[1]
    numbers = [int(re.search(r"\d+", one)[0]) for one in captions[0] if "Figure" in one]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all("<code>" in one for one in re.findall(r"<figcaption>.*?</figcaption>", page))


def test_the_same_studies_give_the_same_page(studies, sides, page):
    again = compare_studies(
        side_of(studies[0], name="default", commit="abc1234"),
        side_of(studies[1], name=HOSTILE, commit="def5678", experiment=HOSTILE),
    )
    assert build(again, most=12) == page


@pytest.fixture(scope="module")
def printed(comparison, tmp_path_factory):
    folder = tmp_path_factory.mktemp("printed")
    page = build(comparison, most=3)
    for name in ("first.pdf", "second.pdf"):
        typeset.write_pdf(page, folder / name)
    return folder


def test_the_pdf_is_tagged_titled_and_the_same_each_time(printed):
    assert (printed / "first.pdf").read_bytes() == (printed / "second.pdf").read_bytes()
    pdf = pypdf.PdfReader(printed / "first.pdf")
    assert pdf.metadata.title == f"default against {HOSTILE}: a smallsight comparison"
    assert pdf.root_object["/Lang"] == "en"
    assert pdf.root_object["/MarkInfo"]["/Marked"]
    assert [one.title for one in pdf.outline if not isinstance(one, list)] == SECTIONS
    assert "/CreationDate" not in pdf.metadata
    first = re.sub(r"\s+", " ", pdf.pages[0].extract_text())
    for words in ("more often than A (default)", "heads.epochs", "Figure 1.", "Shared."):
        assert words in first


def test_the_template_reads_nothing_but_the_page():
    environment = typeset.environment("smallsight.comparison")
    text, *_ = environment.loader.get_source(environment, "compare.html")
    assert meta.find_undeclared_variables(environment.parse(text)) == {"page"}
