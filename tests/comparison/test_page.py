"""The page of a comparison: what it says, what it escapes, and that it comes out the same."""

import html as markup
import re

import pypdf
import pytest
from PIL import ImageFile

from builders.compared_studies import CONDITIONS, FILES, predicted, sampled, side_of, write_study
from readers.report_pages import Tables, rows_of
from smallsight.comparison import cards, sentences
from smallsight.comparison.comparison import compare_studies
from smallsight.comparison.inputs import WANTED_OF_VIEWS
from smallsight.comparison.page import build
from smallsight.report import typeset
from smallsight.report.text import p_value, percent, signed, size
from smallsight.runtime.errors import PictureError, SmallsightError

pytestmark = pytest.mark.usefixtures("frozen")

HOSTILE = "<img src=x onerror=alert(1)>"
FORMULA = "=cmd()"
BETTER = {"small": 0.57, "medium": 0.6, "large": 0.8}
SECTIONS = [
    "In short",
    "The headline numbers",
    "Under which conditions they differ",
    "Fixed and newly broken",
    "How it was made",
    "Limits",
    "Provenance",
]


@pytest.fixture(scope="session")
def sample():
    return sampled(each=60, categories=("car", HOSTILE, FORMULA))


@pytest.fixture(scope="session")
def studies(sample, tmp_path_factory):
    """Folders of a study, and of one that is better on small objects."""
    folders = [tmp_path_factory.mktemp(name) for name in "ab"]
    write_study(folders[0], sample, predicted(sample))
    better = predicted(sample, odds=BETTER, seed=1)
    changes = {"heads.epochs": 20, "new.key": HOSTILE}
    write_study(folders[1], sample, better, changes=changes)
    return folders


@pytest.fixture(scope="session")
def sides(studies):
    return (
        side_of(studies[0], name="default", commit="abc1234"),
        side_of(studies[1], name=HOSTILE, commit="def5678", experiment=HOSTILE),
    )


@pytest.fixture(scope="session")
def found(sides):
    return compare_studies(*sides)


@pytest.fixture(scope="session")
def page(found):
    return build(found, most=12)


@pytest.fixture
def other(sides, tmp_path):
    """Write another study beside the first, and compare the two."""

    def other(sample, predictions, *, first=None, name="other", **properties):
        write_study(tmp_path / name, sample, predictions, **properties)
        return compare_studies(
            first or sides[0], side_of(tmp_path / name, name=name, commit="fff0000")
        )

    return other


def text_of(page):
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", markup.unescape(re.sub(r"<[^>]*>", "", body)))


def numbers_in(text):
    return re.findall(r"[−+]?\d+(?:\.\d+)?", text)


def test_the_headline_is_one_sentence_whose_numbers_stand_in_the_table(found, page):
    sentence = sentences.verdict(found)
    row = found.number["accuracy_small"]
    assert row["verdict"] == "higher"
    assert f"B ({HOSTILE}) recognises small objects more often than A (default)" in sentence
    told = sentence.rpartition("than A (default): ")[2]
    due = [percent(row["b"]), percent(row["a"]), "60", signed(row["difference"])]
    due += [signed(row["ci_low"]), signed(row["ci_high"]), p_value(row["p_holm"])]
    assert numbers_in(told) == [number.strip("%< ") for number in due]
    cells = next(one for one in rows_of(page, "metrics.json") if "Accuracy, small" in one[0])
    assert set(numbers_in(told)) <= set(numbers_in(" ".join(cells)))
    assert sentence in text_of(page)


def test_without_a_verdict_no_direction_is_told(other, sample):
    noise = predicted(sample, seed=7)
    found = other(sample, noise)
    sentence, row = sentences.verdict(found), found.number["accuracy_small"]
    assert row["verdict"] == "inconclusive"
    assert sentence.startswith("No difference is shown on small objects")
    assert f"{size(row['mde'])} points were detectable" in sentence
    assert "more often" not in sentence
    assert "less often" not in sentence
    cells = rows_of(build(found, most=0), "metrics.json")[2]
    assert cells[0].strip() == "Accuracy, small"
    assert not {"▲", "▼"} & set(cells[3])


def test_the_reverse_is_told_as_less_often(sides):
    sentence = sentences.verdict(compare_studies(*reversed(sides)))
    assert "recognises small objects less often than" in sentence
    assert "a difference of −" in sentence


def test_a_study_beside_itself_differs_in_nothing(sides):
    found = compare_studies(sides[0], sides[0])
    page = build(found, most=12)
    text = text_of(page)
    assert "as many small objects as" in text
    assert "No parameter differs" in text
    assert "A and B are the same commit, abc1234" in text
    assert "all are equal" in text
    assert text.count("No object was") == 2
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


def test_every_difference_by_condition_stands_in_its_table(found, page):
    head, *body = rows_of(page, "Fixed head: accuracy in A")
    assert [cell.split()[0] for cell in head] == ["Condition", "All", "Small", "Medium", "Large"]
    rows = found.conditions.groupby(["family", "level"], sort=False)
    for (_, part), cells in zip(rows, body, strict=True):
        for row, cell in zip(part.itertuples(), cells[1:], strict=True):
            due = [f"{100 * row.a:.1f}", f"{100 * row.b:.1f}", signed(row.difference)]
            due += [signed(row.ci_low), signed(row.ci_high), p_value(row.p_holm).strip("< ")]
            assert numbers_in(cell) == due
            assert ("▲" in cell) == (row.verdict == "higher")
            assert ("▼" in cell) == (row.verdict == "lower")


def test_all_that_turned_are_listed_and_some_are_shown(found, page):
    listed = rows_of(page, "All objects that turned")[1:]
    names = [name for row in listed for name in row[-1].split()]
    ids = zip(found.turned["image_id"], found.turned["ann_id"], strict=True)
    assert sorted(names) == sorted(f"{image}_{ann}" for image, ann in ids)
    shown = min(12, (found.turned["way"] == "fixed").sum())
    assert page.count('class="cell turned"') == shown + min(
        12, (found.turned["way"] == "broken").sum()
    )
    whole = (found.turned["way"] == "fixed").sum()
    assert f"{shown} of {whole}, the size groups taking turns" in text_of(page)


def test_cards_say_what_each_study_names_the_object(found):
    gallery = cards.gallery(found, "broken", most=99)
    assert gallery.shown == gallery.number > 0
    for row in gallery.rows:
        assert row.number == len(row.cards)
        for card in row.cards:
            assert card.row["size_group"] == row.group
            assert card.row["named_a"] == card.row["category_name"] != card.row["named_b"]
            assert card.cause == "Resolution"
            assert list(card.views) == [""]


def test_pictures_that_differ_stand_one_below_the_other(other, sample):
    changes = {"data.phantom.haze": 0.9}
    found = other(sample, predicted(sample, odds=BETTER, seed=1), shade=5, changes=changes)
    gallery = cards.gallery(found, "fixed", most=2)
    assert [list(card.views) for row in gallery.rows for card in row.cards] == [["A", "B"]] * 2
    text = text_of(build(found, most=2))
    assert "The objects are the same, but data.phantom.haze differs" in text


def test_a_larger_input_is_told(other, sample):
    table = predicted(sample, odds=BETTER, seed=1)
    found = other(sample, table.assign(side=2 * table["side"]), size=64)
    text = text_of(build(found, most=2))
    assert "B’s input has 2.00 times as many pixels to a side as A’s" in text
    assert "Sides in pixels of A’s input" in text


def test_other_settings_of_intervals_are_those_of_b_and_told(other, sample):
    changes = {"analysis.confidence": 0.9}
    found = other(sample, predicted(sample), changes=changes)
    assert found.pair.a.settings.confidence == 0.9
    text = text_of(build(found, most=0))
    assert "analysis.confidence is 0.9 there and 0.95 in A" in text
    assert "90% interval" in text
    assert "95% interval" not in text


def stage_of(**deps):
    deps = [{"path": path, "md5": digest} for path, digest in deps.items()]
    return {"stages": {"train": {"deps": deps, "outs": [{"path": "data/made"}]}}}


def test_code_that_differs_is_told_and_what_stages_made_is_not(sides, sample, tmp_path):
    found = []
    for name, digest in (("a", "1" * 32), ("b", "2" * 32)):
        lock = stage_of(**{"src/heads.py": digest, "src/same.py": "3" * 32, "data/made": digest})
        (tmp_path / name).mkdir()
        (tmp_path / name / "dvc.yaml").write_text("stages: {train: {cmd: x}}\n")
        write_study(tmp_path / name, sample, predicted(sample), lock=lock)
        found.append(side_of(tmp_path / name, name=name))
    made = compare_studies(*found)
    assert [tuple(one) for one in made.sources] == [("src/heads.py", "1" * 12, "2" * 12)]
    text = text_of(build(made, most=0))
    assert "Code or data beside the parameters differs, by dvc.lock: src/heads.py." in text


CHANGED = {
    "another value": ({"heads": {"epochs": 4}}, "heads.epochs: 5; expected 4, as when stage train"),
    "a key too many": ({"heads": {}}, "heads.epochs: 5; expected absent"),
    "a key too few": ({"heads": {"epochs": 5, "rate": 1}}, "heads.rate: absent; expected 1"),
}


@pytest.mark.parametrize(("recorded", "words"), CHANGED.values(), ids=CHANGED)
def test_parameters_changed_since_the_run_are_refused(sample, tmp_path, recorded, words):
    lock = {"stages": {"train": {"params": {"params.yaml": recorded}}}}
    (tmp_path / "dvc.yaml").write_text("stages: {train: {cmd: x}}\n")
    write_study(tmp_path, sample, predicted(sample), lock=lock)
    with pytest.raises(SmallsightError) as caught:
        side_of(tmp_path, name="workspace")
    assert f"params.yaml at workspace: {words}" in str(caught.value)


def test_what_is_left_of_stages_long_gone_says_nothing(sample, tmp_path):
    lock = {"stages": {
        "train": {"params": {"params.yaml": {"heads": {"epochs": 5}, "seed": 0}}},
        "gone": {"params": {"params.yaml": {"seed": 77}}},
        "render@gone": {"params": {"params.yaml": {"seed": 78}}},
    }}  # fmt: skip
    (tmp_path / "dvc.yaml").write_text("stages: {train: {cmd: x}, render: {foreach: {}}}\n")
    write_study(tmp_path, sample, predicted(sample), lock=lock)
    assert list(side_of(tmp_path, name="workspace").stages) == ["train"]


def test_other_sources_are_refused(other, sample):
    with pytest.raises(SmallsightError, match=r"data\.source .*: phantom and local; expected"):
        other(sample, predicted(sample), changes={"data.source": "local"})


DAMAGE = {
    "no predictions": (FILES.predictions, None, f"{FILES.predictions} at damaged: no such file"),
    "no pipeline": (FILES.pipeline, None, f"{FILES.pipeline} at damaged: no such file"),
    "no table": (FILES.predictions, "x", f"{FILES.predictions} at damaged"),
    "an empty table": (FILES.sample, "", f"{FILES.sample} at damaged"),
    "no column": (FILES.failures, "a\n1\n", f"{FILES.failures} at damaged: no column regime"),
    "no parameters": (FILES.parameters, "- 1", "params.yaml at damaged: list"),
    "no settings": (FILES.parameters, "data: {source: phantom}", "damaged: analysis.confidence"),
}


@pytest.mark.parametrize(("path", "text", "words"), DAMAGE.values(), ids=DAMAGE)
def test_a_file_that_is_missing_or_malformed_is_named(sides, sample, tmp_path, path, text, words):
    write_study(tmp_path, sample, predicted(sample))
    (tmp_path / path).unlink()
    if text is not None:
        (tmp_path / path).write_text(text)
    with pytest.raises(SmallsightError) as caught:
        compare_studies(sides[0], side_of(tmp_path, name="damaged"))
    line = str(caught.value)
    assert "\n" not in line
    assert words in line
    assert "damaged" in line


@pytest.mark.parametrize("lenient", [False, True])
def test_a_picture_that_is_missing_or_broken_is_named(
    sample, sides, tmp_path, monkeypatch, lenient
):
    # As WeasyPrint sets it for good.
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    write_study(tmp_path, sample, predicted(sample, odds=BETTER, seed=1))
    found = compare_studies(sides[0], side_of(tmp_path, name="damaged"))
    first = found.turned[found.turned["way"] == "fixed"].iloc[0]
    path = tmp_path / FILES.pictures / f"{first['image_id']}_{first['ann_id']}.png"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(PictureError, match=rf"{path.name} at damaged: no picture"):
        cards.gallery(found, "fixed", most=999)
    path.unlink()
    with pytest.raises(SmallsightError, match=rf"{path.name} at damaged: no such file"):
        cards.gallery(found, "fixed", most=999)
    path.write_bytes(content)
    (tmp_path / FILES.views).write_text(",".join(WANTED_OF_VIEWS) + "\n")
    with pytest.raises(PictureError, match=r"no row of \d+_\d+\.png"):
        cards.gallery(found, "fixed", most=999)


def without_large():
    sample = sampled(each=40, groups=("small", "medium"), categories=("car",))
    return sample, predicted(sample), predicted(sample, odds=BETTER, seed=1)


def without_small():
    sample = sampled(each=40, groups=("medium", "large"))
    return sample, predicted(sample), predicted(sample, seed=1)


def without_conditions():
    sample = sampled(each=40)
    return sample, predicted(sample, conditions=()), predicted(sample, conditions=(), seed=1)


def by_the_original_protocol():
    sample = sampled(each=60)
    options = {"conditions": CONDITIONS, "regimes": ("retrained",), "seeds": 1}
    part = sample[::2]
    return sample, predicted(part, **options), predicted(part, odds=BETTER, seed=1, **options)


def beyond_all_sides():
    sample = sampled(each=40)
    never = dict.fromkeys(BETTER, 0.0)
    return sample, predicted(sample, odds=never), predicted(sample, odds=dict.fromkeys(BETTER, 1.1))


EDGES = {
    "no large objects, one category": (without_large, "Accuracy, large – – no objects 0"),
    "no small objects": (without_small, "Small objects cannot be compared"),
    "no conditions": (without_conditions, "neither has one"),
    "the original protocol": (by_the_original_protocol, "Retrained head"),
    "thresholds beyond all sides": (beyond_all_sides, "a threshold beyond all sides"),
}


@pytest.mark.parametrize(("make", "words"), EDGES.values(), ids=EDGES)
def test_there_is_a_page_whatever_is_lacking(tmp_path, make, words):
    sample, a, b = make()
    for name, table in (("a", a), ("b", b)):
        write_study(tmp_path / name, sample, table)
    found = compare_studies(side_of(tmp_path / "a", name="a"), side_of(tmp_path / "b", name="b"))
    text = text_of(build(found, most=3))
    assert words in re.sub(r"\s+", " ", text.replace(">", "> "))
    assert not re.search(r"\bnan\b|\binf\b|None", text)


def test_a_ledger_that_one_study_lacks_is_told(other, sample):
    found = other(sample, predicted(sample, conditions=CONDITIONS))
    rows = rows_of(build(found, most=0), "metrics.json")[1:]
    told = {row[0].strip(): row[3].strip() for row in rows}
    assert told["Gap by resolution"] == told["Gap by context"] == "B has none"


def test_no_name_becomes_markup_or_leaves_the_page(page):
    found = Tables(page)
    assert "onerror" not in found.seen
    assert "script" not in found.seen
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert FORMULA in page
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    assert not re.search(r"url\((?!#)", page)
    assert "/tmp" not in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_figures_and_tables_are_numbered_alike_however_many_objects_are_shown(found, page):
    captions = [
        re.findall(r'<b class="number">(?:Figure|Table) \d+\.', one)
        for one in (page, build(found, most=3))
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
def printed(found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("printed")
    page = build(found, most=3)
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
