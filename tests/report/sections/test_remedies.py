"""What to do: remedies by what they need, with the table's numbers, and directions it gives."""

import dataclasses

import numpy as np
import pytest

from builders.study_files import GAINS, WAYS, with_tables
from readers.report_pages import body_of, rows_of, section, text_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.remedies.facts import NEEDS
from smallsight.report import text
from smallsight.report.sections import remedies
from smallsight.report.sections.remedies import IN_WINDOWS, KINDS, WITH_BOX, WITHOUT_BOX
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, SCENE

LABELS = {one.name: one.label for one in WAYS}


@pytest.fixture(scope="module")
def study(forms):
    return forms.study


def chosen(study, kind):
    """Return the table's rows of one kind, by remedy and size group."""
    table = study.tables["remedies"]
    rows = table[(table["task"] == kind.task) & table["needs"].isin(kind.needs)]
    return rows.set_index(["remedy", "size_group"])


def judged(study, kind, **directions):
    """Give small objects' rows of some remedies a direction; all others of all kinds have none."""
    table = study.tables["remedies"].copy()
    small = table["size_group"] == "small"
    table.loc[small, "direction"] = 0
    for remedy, direction in directions.items():
        rows = small & (table["remedy"] == remedy) & (table["task"] == kind.task)
        assert rows.sum() == 1
        table.loc[rows, "direction"] = direction
    return with_tables(study, remedies=table)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.place)
def test_every_number_of_a_kind_stands_in_its_table(forms, kind):
    table = chosen(forms.study, kind)
    part = section(forms.screen, "remedies")
    body = body_of(part, f"{kind.place.capitalize()} (40 small, 40 medium and 40 large): ")
    *body, permuted = body
    found = [cells for cells in body if len(cells) > 1]
    assert len(found) == len(table) / len(GROUPS)
    has_factor = table["size_factor"].notna().any()
    assert has_factor == (kind is IN_WINDOWS)
    by_label = {cells[0]: cells[1:] for cells in found}
    for remedy in table.index.unique("remedy"):
        rows = [table.loc[remedy, group] for group in GROUPS]
        cells = by_label[LABELS[remedy]]
        before, after = (text.percent(rows[0][key]) for key in ("before", "after"))
        assert cells[0] == f"{before} → {after}"
        arrow = {1: "▲ ", -1: "▼ "}.get(rows[0]["direction"], "")
        for number, row in enumerate(rows):
            sign = arrow if number == 0 else ""
            assert cells[1 + number] == f"{sign}{text.signed(row.delta)} ({text.span(row)})"
        assert cells[4] == ", ".join(f"{row.rescued:.0f}/{row.broken:.0f}" for row in rows)
        passes = next(one for one in WAYS if one.name == remedy).passes[kind.task]
        serves = " per object" if (kind.task, remedy) == (SCENE, "window") else ""
        assert cells[5:7] == [text.passes(passes) + serves, text.times(1.07 * passes)]
        assert cells[7:] == ([text.factor(rows[0].size_factor)] if has_factor else [])
    assert permuted[0] == f"Best of {len(found)}, by luck"
    first = table.index[0][0]
    assert permuted[2:5] == [text.signed(table.loc[first, group].permuted) for group in GROUPS]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.place)
def test_remedies_are_ranked_within_what_they_need_the_least_first(forms, kind):
    table = chosen(forms.study, kind)
    part = section(forms.screen, "remedies")
    needs, ranked = "", {}
    for cells in body_of(part, f"{kind.place.capitalize()} (")[:-1]:
        if len(cells) == 1:
            needs = cells[0].removeprefix("Needs ")
        else:
            ranked.setdefault(needs, []).append(cells[0])
    due = {
        NEEDS[needs].replace("'", "’"): rows
        for needs in kind.needs
        if len(rows := table[table["needs"] == needs])
    }
    assert list(ranked) == list(due)
    for needs, rows in due.items():
        small = rows.xs("small", level="size_group").sort_values("delta", ascending=False)
        assert sorted(ranked[needs]) == sorted(LABELS[name] for name in small.index)
        by_label = dict(zip(small.index.map(LABELS), small["delta"], strict=True))
        gains = [by_label[label] for label in ranked[needs]]
        assert gains == sorted(gains, reverse=True)


def test_no_table_and_no_sentence_mixes_what_needs_the_box_with_what_does_not(forms):
    assert {remedy for remedy, _ in chosen(forms.study, WITH_BOX).index} == {"window"}
    part = section(forms.screen, "remedies")
    labels = {cells[0] for cells in body_of(part, "Whole pictures without a box")}
    assert "Window" not in labels
    without, with_box, in_windows, *_ = remedies.sentences(forms.study)
    assert "“Window”" not in without
    assert with_box.startswith("In whole pictures with the object’s box, ")
    assert in_windows.startswith("In windows, cut by the object’s box, ")


def test_page_two_answers_with_sentences_and_table(forms):
    page = "".join(text_of(forms.screen).split())
    for sentence in remedies.sentences(forms.study):
        assert "".join(sentence.split()) in page


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.place)
def test_the_best_lever_is_that_of_the_largest_gain_that_is_shown(study, kind):
    table = chosen(study, kind).xs("small", level="size_group")
    for remedy in table.index:
        row = table.loc[remedy]
        made = judged(study, kind, **{remedy: 1})
        change = text.amount(row.delta, row.ci_low, row.ci_high)
        said = remedies.best_sentence(made, kind)
        assert said == (
            f"In {kind.place}, the largest gain that is shown for small objects is by "
            f"“{LABELS[remedy]}”: {change}."
        )
        assert said in remedies.lines(made)
        price = remedies.price_sentence(made, kind)
        broken = chosen(study, kind).loc[remedy]["broken"]
        small, medium, large = (f"{broken[group]:.0f} {group}" for group in GROUPS)
        serves = study.remedies[remedy].serves[kind.task]
        taken = f"It takes {text.passes(row.passes)} times a plain pass per {serves}"
        if row.passes == 1:
            taken = f"It costs one pass per {serves}"
        needs = NEEDS[row["needs"]].replace("'", "’")
        assert price.startswith(
            f"It needs {needs}. {taken}, and {text.times(1.07 * row.passes)} times its "
            f"time. It breaks objects that were right: {small}, {medium} and {large}."
        )
        worth = f"Objects {text.factor(row.size_factor)} times as wide would gain as much."
        assert (worth in price) == np.isfinite(row.size_factor)
        assert f"{said} {price}" in remedies.sentences(made)


@pytest.mark.parametrize("direction", [0, -1, np.nan])
def test_without_a_gain_that_is_shown_none_is_claimed(study, direction):
    for kind in KINDS:
        names = chosen(study, kind).index.unique("remedy")
        made = judged(study, kind, **dict.fromkeys(names, direction))
        said = remedies.best_sentence(made, kind)
        assert f"In {kind.place}, no gain is shown for small objects. The most " in said
        assert said.endswith("a loss is shown." if direction == -1 else "not decided.")
        assert remedies.price_sentence(made, kind) == ""
        assert "the largest gain" not in said


def test_of_several_gains_that_are_shown_the_largest_is_named(study):
    made = judged(study, WITHOUT_BOX, flip=1, larger=1)
    deltas = chosen(study, WITHOUT_BOX).xs("small", level="size_group")["delta"]
    assert deltas["larger"] > deltas["flip"]
    assert "is by “Larger input" in remedies.best_sentence(made, WITHOUT_BOX)
    # A larger change that is not shown is not the best lever.
    made = judged(study, WITHOUT_BOX, flip=1)
    assert "is by “Flip averaging”" in remedies.best_sentence(made, WITHOUT_BOX)


def test_what_is_shown_to_harm_is_named(study):
    made = judged(study, IN_WINDOWS, larger=1, maximum=-1)
    due = "Shown to harm small objects: “Maximum pooling” in windows, cut by the object’s box."
    assert remedies.harm_sentence(made) == due
    assert remedies.sentences(made)[-1] == due
    assert remedies.harm_sentence(judged(made, WITHOUT_BOX)) == ""


def test_where_times_were_not_measured_a_dash_stands(study):
    made = dataclasses.replace(study, remedy_times=study.remedy_times[:0])
    (row, *_) = remedies.rows(made, WITHOUT_BOX)
    assert np.isnan(row.ratio)
    assert text.times(row.ratio) == "–"
    said = remedies.price_sentence(judged(made, WITHOUT_BOX, larger=1), WITHOUT_BOX)
    assert "It takes 2.25 times a plain pass per picture. It breaks" in said


@pytest.mark.parametrize(
    ("ratio", "due"),
    [
        (1.0, "It costs one pass per object. It breaks"),
        (0.96, "It costs one pass per object. It breaks"),
        (1.3, "It costs one pass per object, and 1.3 times its time. It breaks"),
        (np.nan, "It costs one pass per object. It breaks"),
    ],
)
def test_the_cost_of_one_pass_is_said_once(study, ratio, due):
    table = chosen(study, IN_WINDOWS)
    plain = table.index[table["passes"] == 1].unique("remedy")
    made = judged(study, IN_WINDOWS, **{plain[0]: 1})
    (row,) = [one for one in remedies.rows(made, IN_WINDOWS) if one.name == plain[0]]
    made = dataclasses.replace(made, remedy_times=made.remedy_times.assign(ratio=ratio))
    assert row.serves == "object"
    assert due in remedies.price_sentence(made, IN_WINDOWS)


@pytest.mark.parametrize("task", [SCENE, HEADLINE_TASK])
def test_a_single_task_has_its_own_tables_alone(study, task):
    table = study.tables["remedies"]
    made = with_tables(study, remedies=table[table["task"] == task])
    due = [kind.place for kind in KINDS if kind.task == task]
    assert [one.place for one in remedies.tables(made)] == due
    assert len(remedies.lines(made)) == len(due)


def test_without_a_threshold_nothing_is_worth_a_factor(study):
    table = study.tables["remedies"].assign(size_factor=np.nan)
    made = with_tables(study, remedies=table)
    assert not any(one.has_factor for one in remedies.tables(made))
    assert not any("worth" in sentence for sentence in remedies.sentences(made))


def test_where_none_was_tried_that_is_said(report_page):
    made = report_page(gains=None, only=(UNTOUCHED,))
    part = text_of(f"<body>{section(made, 'remedies')}")
    assert "No remedy was tried." in part
    commands = [
        cells[2]
        for cells in body_of(section(made, "remedies"), "Remedies that were not tested here")
    ]
    assert commands == [f"dvc exp run -S remedies.{one.name}=true" for one in WAYS]


def test_without_small_objects_nothing_is_ranked_and_other_groups_have_numbers(report_page):
    made = report_page(counts={"small": 0}, only=(UNTOUCHED, "downscale"))
    part = section(made, "remedies")
    for cells in body_of(part, "Whole pictures without a box (40 medium and 40 large)"):
        if len(cells) > 1 and not cells[0].startswith("Best of"):
            assert cells[1:3] == ["–", "–"]
            assert all("(" in cell for cell in cells[3:5])
            assert cells[5].startswith("–, ")
    assert "gain is shown" not in part
    assert "Not decided for" not in part


def test_remedies_that_were_not_tested_are_described_with_what_tests_them(forms):
    part = section(forms.screen, "remedies")
    body = body_of(part, "Remedies that were not tested here")
    order = [one for one in WAYS if one.state != "tried"]
    for cells, one in zip(body, order, strict=True):
        assert cells[:2] == [one.label, one.description]
        due = {
            "left_out": one.command,
            "impossible": f"not with this network: {one.reason} {one.command}",
        }
        assert cells[2] == due[one.state].strip()
    assert "<code>dvc exp run -S remedies.tiles=true</code>" in part


def test_the_study_has_every_case_that_is_tested_here():
    assert {one.state for one in WAYS} == {"tried", "left_out", "impossible"}
    assert {needs for one in WAYS for needs in one.needs.values()} == set(NEEDS)
    assert {name for name, _ in GAINS} <= set(LABELS)


def test_the_heading_has_a_column_for_every_cell(forms):
    part = section(forms.screen, "remedies")
    for kind in KINDS:
        head, *body = rows_of(part, f"{kind.place.capitalize()} (")
        assert {len(cells) for cells in body if len(cells) > 1} == {len(head)}
