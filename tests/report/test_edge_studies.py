"""Reports of studies that lack something: whole in every form, and claiming nothing of it."""

import functools
import re

import pytest

from builders.study_files import DETECTOR, write_study
from readers.report_pages import (
    ON_SCREEN,
    PROTOCOL,
    SWEPT,
    TIP,
    check_accuracies,
    check_claims,
    check_numbers,
    check_rungs,
    explored,
    forms_of,
    headings,
    plain,
    rows_of,
    tables_of,
    text_of,
    tooltips,
    unscripted,
)
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import BASELINES
from smallsight.report.sections import (
    accuracy,
    background,
    confidence,
    deletion,
    effects,
    ladder,
    more_examples,
    neighbours,
    remedies,
    saliency,
    scene,
    stability,
    summary,
    thresholds,
)
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, HEADLINE_TASK, SCENE

pytestmark = pytest.mark.page

FEW = (UNTOUCHED, "orig_crop", "downscale", "crop_low", "object_alone")
"""The conditions that a whole ladder takes, and a few."""
EDGES = {
    "one category": {"category": "bus", "only": FEW},
    "no small": {"counts": {"small": 0}, "only": FEW},
    "no medium": {"counts": {"medium": 0}, "only": FEW},
    "no large": {"counts": {"large": 0}, "only": FEW},
    "nothing failed": {"accuracy": dict.fromkeys(GROUPS, 1.0), "failed": 0, "only": FEW},
    "nothing recognised": {
        "accuracy": dict.fromkeys(GROUPS, 0.0), "correct": 0, "failed": 1, "only": FEW,
    },
    "no interventions": {"only": FEW[:3]},
    "no pyramid": {"only": FEW, "network": DETECTOR, "readout": "fpn"},
    "one condition": {"only": (UNTOUCHED,)},
    "no remedy": {"only": FEW, "gains": None},
    "original": {"protocol": "original", "counts": {"small": 40, "medium": 39, "large": 41}},
}  # fmt: skip
"""Studies that lack something."""
CHANGED = "How much of a change reaches the network"
"""The section about what is changed, which a study of untouched pictures has not."""


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    """Return the forms of one of `EDGES`."""

    @functools.cache
    def edge(name):
        return forms_of(write_study(tmp_path_factory.mktemp("edge"), **EDGES[name]))

    return edge


def sentences(study):
    """Return every sentence that is made for a study, but the verdict and what was drawn."""
    found = [*summary.sentences(study), *accuracy.sentences(study), *saliency.sentences(study)]
    found += [*effects.sentences(study), *thresholds.sentences(study), stability.sentence(study)]
    found += [scene.rule_sentence(study), scene.split_sentence(study)]
    found += [deletion.change_sentence(study), deletion.rank_sentence(study)]
    found += [*remedies.sentences(study), more_examples.sentence(study), confidence.sentence(study)]
    found += [ladder.small_cell_sentence(study), background.sentence(study)]
    found += [neighbours.sentence(study, group) for group in ALL_AND_GROUPS]
    return [sentence for sentence in found if sentence]


@pytest.mark.parametrize("name", EDGES)
def test_an_unusual_study_makes_every_form_whole(edge, name):
    made = edge(name)
    page = made.screen
    # None of these studies has a sweep.
    lacking = [*SWEPT, *([CHANGED] if name == "one condition" else [])]
    sections = [title for title in ON_SCREEN if title not in lacking]
    at = sections.index("The original question: whole pictures") + 1
    own = [PROTOCOL] if name == "original" else []
    sections = [*sections[:at], *own, *sections[at:]]
    if name == "one category":
        # Of one category no other can be suspected, which is said.
        sections.remove("Failures that may be the annotator’s")
        sections.insert(sections.index("How it was made"), "Left out, and why")
    assert headings(page) == sections
    text = text_of(page)
    assert not re.search(r"\b(nan|inf|Undefined)\b", text, re.IGNORECASE)
    assert summary.verdict_sentence(made.study) in text
    ids = re.findall(r'\bid="([^"]*)"', unscripted(page))
    assert len(ids) == len(set(ids))
    assert tooltips(page)
    assert not any(re.search(r"\b(nan|inf)\b|–%", text) for text in tooltips(page))
    assert all(TIP.search(text) for text in tooltips(page))
    check_numbers(page)
    metrics, rungs, claims, accuracy = tables_of(made.summary)
    assert len(metrics) == 4
    check_rungs(made.study, rungs)
    check_claims(made.study, claims)
    check_accuracies(made.study, accuracy)
    assert f"**{summary.verdict_sentence(made.study)}**" in plain(made.summary)
    assert not re.search(r"\b([Nn]a[Nn]|inf|None|Undefined)\b", made.summary)
    objects = explored(made.screen)["objects"]
    keys = made.study.tables["answers"][["image_id", "ann_id"]].drop_duplicates()
    assert [(one["image"], one["object"]) for one in objects] == [
        (str(image), str(ann)) for image, ann in keys.to_numpy()
    ]


@pytest.mark.parametrize("name", EDGES)
def test_no_sentence_lacks_its_number(edge, name):
    made = edge(name)
    for sentence in (summary.verdict_sentence(made.study), *sentences(made.study)):
        assert not re.search(r"(^|[ (])–( |%|\)|$)", sentence), sentence


@pytest.mark.parametrize("group", GROUPS)
def test_an_empty_group_is_said_to_be_empty_and_nothing_is_claimed_of_it(edge, group):
    made = edge(f"no {group}")
    study, column = made.study, 2 + GROUPS.index(group)
    verdict = summary.verdict_sentence(study)
    if group == "medium":
        assert "less often than large ones: 30.0% (" in verdict
    else:
        assert verdict == (
            f"Small and large objects cannot be compared: no accuracy for {group} objects."
        )
    for sentence in sentences(study):
        # "another region as large" is no size group.
        assert not re.search(rf"(?<!as )\b{group}\b", sentence, re.IGNORECASE), sentence
    for row in study.tables["claims"].to_dict("records"):
        told = row["part"] or row["sentence"]
        assert group not in told.lower() or not row["part"]
    page = made.screen
    text = text_of(page)
    for regime in study.regimes:
        head, *body = rows_of(page, f"Window, {regime} head: accuracy, with")
        assert head[column].split() == [group.capitalize(), "n", "=", "0"]
        for cells in body[: len(study.conditions(HEADLINE_TASK))]:
            empty = ["no objects" in cell for cell in cells]
            assert empty == [place == column for place in range(len(cells))]
        _, *body = rows_of(page, f"Whole picture, {regime} head: accuracy")
        for cells in body[: len(study.conditions(SCENE))]:
            empty = ["no objects" in cell for cell in cells]
            assert empty == [place == column - 1 for place in range(len(cells))]
    due = f"{group.capitalize()}: 0 of the 40 requested were drawn, for 0 were eligible."
    assert due in text
    assert "Groups that fell short:" in text
    assert rows_of(page, "Objects drawn")[-1][column - 1].strip() == "0 of 0"
    # Neither a panel nor a gallery is of nothing.
    assert f"{group.capitalize()} objects" not in text.replace(LADDERS_HEADING, "")
    pattern = rf"{group}\b|.*, {group}:"
    assert not any(re.match(pattern, text, re.I) for text in tooltips(page))
    assert ("The gap is not split up" in text) == (group != "medium")
    assert ("The whole picture’s gap, by cause" in text) == (group == "medium")
    _, rungs, _, accuracy = tables_of(made.summary)
    for table, place in ((rungs, column - 1), (accuracy, column)):
        assert {cells[place] for cells in table[1:]} == {"–"}
    assert all("%" in cells[place] for cells in accuracy[1:] for place in {1, 2, 3, 4} - {column})
    assert f"0 {group}" in made.summary
    assert ("In whole pictures the gap is" in made.summary) == (group == "medium")
    assert group not in {one["group"] for one in explored(made.screen)["objects"]}


LADDERS_HEADING = "Of the gap Small objects Large objects What would remedy it"
"""Headings of the table of the gap's parts, which names both groups that it is about."""


def test_where_nothing_failed_nothing_is_said_of_failures(edge):
    made = edge("nothing failed")
    data = explored(made.screen)
    assert all("cause" not in one for one in data["objects"])
    assert {view[0] for one in data["objects"] for view in one["views"]} == {0}
    assert 'select name="cause"' not in made.screen
    page = made.screen
    text = text_of(page)
    assert "Nothing failed." in text
    assert "Failures by cause" not in text
    assert "by the step of the ladder from which on they are right" not in text
    assert "Correct against failed answers" not in text
    for cells in rows_of(page, "Window, fixed head: share of the objects that fail")[1:]:
        rescued, lost = cells[1::2], cells[2::2]
        assert [cell.strip() for cell in rescued] == ["–"] * 3
        assert all(" 0/40" in cell for cell in lost)


def test_where_nothing_is_recognised_every_object_is_listed_as_failed(edge):
    made = edge("nothing recognised")
    data = explored(made.screen)
    assert {view[0] for one in data["objects"] for view in one["views"]} == {1}
    assert {one["cause"] for one in data["objects"]} == {"not_explained"}
    assert all(one["rescued"] == [] for one in data["objects"])
    assert "All 120 failures, whole picture" in text_of(made.screen)
    page = made.screen
    text = text_of(page)
    assert "Nothing failed." not in text
    assert "Correct against failed answers" not in text
    for cells in rows_of(page, "by the step of the ladder")[1:]:
        counts = ["40 100.0%", "0 0.0%"][cells[0].strip() != "Not explained"]
        assert all(" ".join(cell.split()).startswith(counts) for cell in cells[4:])
    for cells in rows_of(page, "Window, fixed head: share of the objects that fail")[1:]:
        rescued, lost = cells[1::2], cells[2::2]
        assert all(" 0/40" in cell for cell in rescued)
        assert [cell.strip() for cell in lost] == ["–"] * 3


def test_without_interventions_the_ladder_says_which_rungs_are_missing(edge):
    made = edge("no interventions")
    assert made.study.interventions(HEADLINE_TASK) == []
    page = made.screen
    text = text_of(page)
    assert "The study lacks “A window, no more pixels than before” and “The object alone" in text
    assert "What the last step would be worth is not explained." in text
    assert "effects of interventions" not in text
    assert "A window of its own and more of its own pixels" in text
    assert "No surroundings, one size" not in text


def test_without_a_pyramid_one_step_stands_for_two(edge):
    made = edge("no pyramid")
    page = made.screen
    text = text_of(page)
    assert "The study lacks “Its strides 8, 16 and 32, over the box”. A step past it" in text
    assert "is not explained." not in text.partition("The study lacks")[2][:200]
    assert "Finer cells and a window of its own" in text
    assert ladder.missing_sentence(made.study)


def test_untouched_pictures_alone_make_every_form(edge):
    made = edge("one condition")
    page = made.screen
    text = text_of(page)
    assert "Only untouched pictures were evaluated" in text
    table = rows_of(page, "Window, fixed head: accuracy, with")
    assert len(table) == 2 + len(BASELINES)
    shown = [(step["task"], step["name"]) for step in explored(made.screen)["conditions"]]
    assert shown == [(SCENE, UNTOUCHED), (HEADLINE_TASK, UNTOUCHED)]
    assert len(tables_of(made.summary)[3]) == 2
    assert not any("under “" in sentence for sentence in sentences(made.study))


def test_one_category_is_said_to_show_no_recognition(edge):
    made = edge("one category")
    page = made.screen
    text = text_of(page)
    assert "The sample holds 1 category: accuracy says nothing about recognition." in text
    # The head knows two names.
    assert "Chance: 50.0%" in text
    assert " of 1 category in " in made.summary


def test_page_ones_chance_is_that_of_the_names_the_heads_know(edge):
    assert "Dashed: chance, 50.0%." in text_of(edge("one category").screen)


def test_under_cross_validation_one_line_speaks_of_the_other_protocol(forms):
    page = forms.screen
    text = text_of(page)
    assert text.count("protocol=original") == 1
    assert "The original study’s protocol" not in text


def test_the_original_protocol_explains_its_intervals(edge):
    made = edge("original")
    page = made.screen
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
    assert "ixed head" not in text
    assert "cross-validation, repeated" not in text
    assert "Background gap" not in text
    assert '<section id="protocol" data-chapter="ladder"' in page
    assert made.study.regimes == ["retrained"]
    assert "retrained head" in made.summary
    assert "ixed head" not in made.summary
    data = explored(made.screen)
    assert data["seeds"] == 1
    # The test objects of one split, not the whole sample, of which there are five times as many.
    assert len(data["objects"]) == sum(counts.values())
