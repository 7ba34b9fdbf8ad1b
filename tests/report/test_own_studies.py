"""Reports of a user's own classifier: whole in every form, and silent of what was not done."""

import contextlib
import dataclasses
import functools
import re

import pytest

from builders.study_files import ASKED, GRADIENT, OWN, TABLE, WHOLE, write_study
from readers.report_pages import (
    TIP,
    Tables,
    check_numbers,
    explored,
    forms_of,
    headings,
    plain,
    rows_of,
    section,
    tables_of,
    text_of,
    tooltips,
    unscripted,
)
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import typeset
from smallsight.report.sections import classifier, left_out, summary
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, OTHER, SCENE

pytestmark = pytest.mark.page


def of(own, **properties):
    return {**WHOLE, "category": "car", "own": own, **properties}


def whole_pictures(own):
    return dataclasses.replace(own, input="scene")


NO_MAPS = dataclasses.replace(
    OWN, maps="none", layer="", cells=0, no_maps="no layer returns maps of more than one cell"
)
STUDIES = {
    "closed form": of(OWN),
    "gradients": of(GRADIENT, wrong=0.9),
    "no maps": of(NO_MAPS),
    "a program": of(ASKED),
    "a table": of(TABLE),
    "the rest kept": of(GRADIENT, rest=OTHER),
    "whole pictures": of(whole_pictures(OWN), rest=OTHER),
    "whole pictures, gradients": of(whole_pictures(GRADIENT)),
    "whole pictures, a table": of(whole_pictures(TABLE)),
    "untouched alone": of(OWN, only=(UNTOUCHED,), gains=None),
    "no small objects": of(OWN, counts={"small": 0}),
    "nothing failed": of(GRADIENT, accuracy=dict.fromkeys(GROUPS, 1.0), scene=None, failed=0,
                         changes={}),
}  # fmt: skip
"""Studies of a user's classifier."""

OBJECTS = "Objects, one by one"
MAPS = ["Where the saliency maps lie", OBJECTS]
SWEPT = ["How many pixels an object needs", "How stable the answers are"]
LADDER = ["The ladder: where the gap goes"]
CHANGED = ["How much of a change reaches the network"]
SECTIONS = [
    "In short",
    OBJECTS,
    "What to do",
    *LADDER,
    "The original question: whole pictures",
    "What would rescue a failure",
    "Failures that may be the annotator’s",
    "What failures are taken for",
    "Accuracy by size and condition",
    "What each condition does",
    SWEPT[0],
    *CHANGED,
    SWEPT[1],
    "Confidence",
    "Claims and verdicts",
    MAPS[0],
    "The classifier",
    "Left out, and why",
    "How it was made",
    "Limits",
    "The sample",
    "Provenance",
]
LACKING = {
    "closed form": [],
    "gradients": LADDER,
    "no maps": [*LADDER, *MAPS],
    "a program": [*LADDER, *MAPS],
    "a table": [*LADDER, *MAPS],
    "the rest kept": LADDER,
    "whole pictures": SWEPT,
    "whole pictures, gradients": [*LADDER, *SWEPT],
    "whole pictures, a table": [*LADDER, *SWEPT, *MAPS],
    "untouched alone": [*SWEPT, *CHANGED],
    "no small objects": [],
    "nothing failed": LADDER,
}
"""Sections that a study has nothing for."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the forms of one of `STUDIES`."""

    @functools.cache
    def made(name):
        return forms_of(write_study(tmp_path_factory.mktemp("own"), **STUDIES[name]))

    return made


@pytest.mark.parametrize("name", STUDIES)
def test_the_page_is_whole_and_has_the_sections_that_there_is_evidence_for(made, name):
    forms = made(name)
    page = forms.screen
    assert headings(page) == [title for title in SECTIONS if title not in LACKING[name]]
    text = text_of(page.partition('<section id="provenance"')[0] + "<body>")
    assert not re.search(r"\b(nan|inf|None|Undefined)\b", text)
    assert summary.verdict_sentence(forms.study) in text
    ids = re.findall(r'\bid="([^"]*)"', unscripted(page))
    assert len(ids) == len(set(ids))
    anchors = set(re.findall(r'href="#([^"]*)"', unscripted(page)))
    assert {one for one in anchors if not one.startswith("object-")} <= set(ids)
    if "explorer-data" not in page:
        assert not any(one.startswith("object-") for one in anchors)
        assert "data-to=" not in page
    assert all(TIP.search(tip) for tip in tooltips(page))
    assert not any(re.search(r"\b(nan|inf)\b|–%", tip) for tip in tooltips(page))
    check_numbers(page)
    assert f"**{summary.verdict_sentence(forms.study)}**" in plain(forms.summary)
    assert not re.search(r"\b([Nn]a[Nn]|inf|None|Undefined)\b", forms.summary)
    assert tables_of(forms.summary)


@pytest.mark.parametrize("name", STUDIES)
def test_no_table_is_empty_and_no_figure_without_data(made, name):
    for page in (made(name).screen,):
        for caption, (_, *body) in Tables(page).tables:
            assert any(re.search(r"\w", cell) for cells in body for cell in cells), caption
        for figure in re.findall(r"<figure.*?</figure>", page, re.DOTALL):
            assert "<svg" in figure or "<img" in figure
            if 'class="strip"' not in figure:
                drawn = re.findall(r"<svg.*?</svg>", figure, re.DOTALL)
                assert all("data-tip" in one for one in drawn)


TOLD = ("left-out", "method", "limits", "classifier", "provenance")
"""Sections that say what was not done."""


@pytest.mark.parametrize("name", STUDIES)
def test_nothing_speaks_of_heads_folds_seeds_and_training_as_if_they_were_there(made, name):
    forms = made(name)
    words = r"\b(heads?|folds?|seeds?|trained|training|frozen|cross-validat\w+|refitted|learn\w*)\b"
    for page in (forms.screen,):
        for anchor in TOLD:
            page = page.replace(section(page, anchor), "")
        # Objects are drawn by seed, whoever names them; and a method has its name.
        text = re.sub(r"[Dd]rawn by seed|[Cc]onfident learning", "", text_of(page))
        assert re.findall(words, text, re.IGNORECASE) == []
    told = forms.summary.partition("Left out, for reasons")[0]
    assert re.findall(words, told, re.IGNORECASE) == []


@pytest.mark.parametrize("name", STUDIES)
def test_page_one_names_the_classifier(made, name):
    forms = made(name)
    facts = forms.study.classifier
    first = text_of(section(forms.screen, "summary").join(["<body>", ""]))
    due = classifier.describe(forms.study)
    assert f"Tested. {due}" in first
    assert due in plain(forms.summary)
    for said in (facts.label, facts.source, facts.origin, "input 64 × 64 pixels"):
        assert said in due
    told = " ".join(classifier.details(forms.study))
    assert told in text_of(section(forms.screen, "classifier").join(["<body>", ""]))
    assert f"Of its {len(facts.classes)} classes" in told
    assert ("made for whole pictures" in told) == (facts.input == "scene")
    assert (f"layer “{facts.layer}”" in told) == (facts.maps != "none")
    assert facts.no_maps in told


def test_a_wrong_preprocessing_that_scores_higher_is_warned_of_everywhere(made):
    forms = made("gradients")
    due = (
        "The declared preprocessing may be wrong. Of 120 untouched objects, 55.0% are named "
        "rightly as declared, and 90.0% with “blue, green, red”."
    )
    for page in (forms.screen,):
        for anchor in ("summary", "classifier"):
            part = section(page, anchor)
            assert f"<b>{due}</b>" in part
            assert "No usual mistake" not in part
    assert f"**{due}**" in plain(forms.summary)


def test_where_the_declared_preprocessing_is_best_a_plain_line_says_so(made):
    forms = made("closed form")
    due = (
        "No usual mistake of preprocessing scores higher than what is declared. Of 120 untouched "
        "objects, 55.0% are named rightly as declared. Next is “blue, green, red” with 40.0%."
    )
    for page in (forms.screen,):
        assert text_of(page).count(due) == 1
        assert "may be wrong" not in page
    rows = rows_of(forms.screen, "their input made as declared and with the usual mistakes")
    assert [[cell.strip() for cell in cells] for cells in rows[1:]] == [
        ["as declared", "55.0%", "–", "–", "120"],
        ["blue, green, red", "40.0%", "2", "20", "120"],
        ["values 0 to 255", "10.0%", "2", "56", "120"],
    ]


@pytest.mark.parametrize("name", ["a program", "a table"])
def test_of_what_makes_its_own_input_no_preprocessing_is_told(made, name):
    forms = made(name)
    assert "preprocessing scores" not in forms.printed
    assert "with the usual mistakes" not in forms.printed
    assert "Usual mistakes of preprocessing" in section(forms.screen, "left-out")


def test_what_is_no_category_is_a_name_like_the_others(made):
    forms = made("the rest kept")
    confusion = forms.study.tables["confusion"]
    assert OTHER in set(confusion["predicted"])
    data = explored(forms.screen)
    assert OTHER in data["categories"]
    named = {data["categories"][view[1]] for one in data["objects"] for view in one["views"]}
    assert OTHER in named
    for page in (forms.screen,):
        rows = rows_of(page, "what each was named")
        column = [cell.strip() for cell in rows[0]].index("Named")
        assert OTHER in {cells[column].strip() for cells in rows[1:]}
        drawn = re.findall(r"<svg.*?</svg>", section(page, "accuracy"), re.DOTALL)
        (*_, matrix) = [one for one in drawn if "predicted category" in one]
        assert f">{OTHER}<" in matrix or OTHER in matrix
        assert "are kept as “other”" in text_of(page)


@pytest.mark.parametrize("name", [name for name in STUDIES if "whole pictures" in name])
def test_where_whole_pictures_are_shown_alone_headlines_are_about_them(made, name):
    forms = made(name)
    study = forms.study
    assert study.tasks == [SCENE]
    assert study.headline_task == SCENE
    assert summary.verdict_sentence(study).startswith("In whole pictures, small")
    for page in (forms.screen,):
        # A remedy may show windows of its own.
        for anchor in ("left-out", "provenance", "remedies"):
            page = page.replace(section(page, anchor), "")
        assert not re.search(r"\bwindows?\b", text_of(page), re.IGNORECASE)
    assert "One task" in section(forms.screen, "method")


def test_without_windows_objects_are_shown_whole_under_every_condition(made):
    forms = made("whole pictures")
    shown = [(one["task"], one["name"]) for one in explored(forms.screen)["conditions"]]
    assert {task for task, _ in shown} == {SCENE}
    assert len(shown) == len({name for _, name in shown}) > 3
    assert explored(forms.screen)["task"] == "whole picture"


def test_deletion_stands_with_whole_pictures_where_there_are_no_maps(made):
    for name, anchor in (("closed form", "saliency"), ("a program", "scene")):
        for page in (made(name).screen,):
            assert "Deletion and insertion in the" in section(page, anchor)
            assert text_of(page).count("does the object matter?") == 1
    assert "saliency map" not in section(made("a program").screen, "scene")
    assert "Deletion and insertion in the" not in made("a table").screen


def test_page_one_shows_every_task_beside_the_rule(made):
    for name, tasks in (("a table", [SCENE, HEADLINE_TASK]), ("whole pictures, a table", [SCENE])):
        forms = made(name)
        labels = {SCENE: "The whole picture", HEADLINE_TASK: "The window at the whole input"}
        for page in (forms.screen,):
            rows = rows_of(section(page, "summary"), "Accuracy on untouched pictures")
            named = [cells[0].strip() for cells in rows[1:]]
            assert named == [
                "Rule: category of the picture's largest object",
                *(labels[task] for task in tasks),
            ]
            tips = tooltips(section(page, "summary"))
            for cells, task in zip(rows[2:], tasks, strict=True):
                found = forms.study.estimate(task, "fixed", UNTOUCHED, "small")
                assert cells[2].strip() == f"{100 * found.acc:.1f}%"
                assert any(
                    tip.startswith(f"{labels[task]}, small: {cells[2].strip()}") for tip in tips
                )


def test_the_same_again_are_the_same_bytes_and_a_pdf(made, tmp_path):
    forms = made("a table")
    folder = write_study(tmp_path, **STUDIES["a table"])
    with contextlib.chdir(folder):
        again = forms_of(folder)
        count = typeset.write_pdf(again.printed, tmp_path / "report.pdf")
    assert (again.screen, again.printed, again.summary) == (
        forms.screen, forms.printed, forms.summary,
    )  # fmt: skip
    assert count > 5


@pytest.mark.parametrize("name", STUDIES)
def test_what_was_left_out_stands_in_all_forms_with_its_reason(made, name):
    forms = made(name)
    found = left_out.rows(forms.study)
    assert found
    for page in (forms.screen,):
        rows = rows_of(section(page, "left-out"), "What this report cannot show")
        assert len(rows) == 1 + len(found)
        for cells, one in zip(rows[1:], found, strict=True):
            texts = [" ".join(cell.split()) for cell in cells]
            assert texts[0].lower() == one.name.lower()
            assert texts[1].lower() == one.reason.lower()
            assert one.command in texts[2]
            assert one.instead.lower() in texts[2].lower()
            assert one.reason
            assert one.command or one.instead
    assert left_out.sentence(forms.study) in plain(forms.summary)
