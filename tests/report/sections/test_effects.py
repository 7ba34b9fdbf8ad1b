"""Effects: every one in the page; a verdict only for the primary comparisons."""

import re

import numpy as np
import pytest

from builders.study_files import conditions, roles, with_tables
from readers.report_pages import body_of, rows_of, section
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import text
from smallsight.report.sections import effects
from smallsight.vocabulary import DIFFERENCE, GROUPS, HEADLINE_TASK, TASKS

MIDDLE = {"small": 0.5, "medium": 0.5, "large": 0.8}
ROLES = roles()
FEW = (UNTOUCHED, "downscale", "motion_blur", "occlusion", "bg_blur")
KEYS = ["task", "regime", "condition", "size_group"]


def steps(role):
    return [
        one
        for one in conditions()
        if one.task == HEADLINE_TASK and one.name != UNTOUCHED and ROLES[one.family] == role
    ]


@pytest.mark.parametrize("regime", ["fixed", "retrained"])
@pytest.mark.parametrize("kind", ["corruption", "intervention"])
def test_every_effect_stands_with_its_numbers_and_only_primary_ones_with_a_verdict(
    forms, regime, kind
):
    table = forms.study.tables["effects"].set_index(KEYS)
    assert (table["direction"] == -1).any()
    page = section(forms.screen, "effects")
    head, *body = rows_of(page, f"Window, {regime} head: effects of {kind}s")
    assert [" ".join(title.split()) for title in head[1:]] == [
        *(f"{group.capitalize()} n = 40" for group in GROUPS),
        "Small − large",
    ]
    for cells, step in zip(body, steps(kind), strict=True):
        for cell, group in zip(cells[1:], (*GROUPS, DIFFERENCE), strict=True):
            row = table.loc[HEADLINE_TASK, regime, step.name, group]
            due = {1: "▲ ", -1: "▼ "}.get(row.direction, "") + text.signed(row.delta)
            assert due in cell
            assert f"({text.span(row)})" in cell
            assert f"bal. {text.signed(row.balanced_delta)}" in cell
            judged = group == "small" and (regime, kind) == ("fixed", "corruption")
            assert row.primary == (judged and not row.vacuous)
            assert bool(re.search(r"[▲▼]|p [=<]|mde", cell)) == row.primary
            if row.primary:
                assert f"{row.verdict}, {text.p_of(row)}" in cell
                assert ("mde" in cell) == (row.direction == 0)
            groups = group.split("-")
            marks = forms.study.mark(HEADLINE_TASK, step.name, *groups)
            assert re.findall("[∅⊙]", cell) == list(marks)
            if group != DIFFERENCE:
                assert f"{100 * row.acc:.1f}%" in cell


def test_a_verdict_is_written_only_where_a_primary_comparison_has_one(reported_study):
    changes = {
        ("fixed", "motion_blur"): {"small": -0.48},
        ("fixed", "occlusion"): {"small": -0.03},
        ("retrained", "motion_blur"): {"small": -0.48},
    }
    made = reported_study(accuracy=MIDDLE, changes=changes, counts={"small": 80}, only=FEW)
    shown, undecided, unchanged = effects.sentences(made)
    row = made.effect(HEADLINE_TASK, "fixed", "motion_blur", "small")
    lost = text.amount(-row["delta"], -row["ci_high"], -row["ci_low"])
    assert shown == (
        "With the head left as it is, small objects are named rightly less often under “Motion "
        f"blur”: {lost}, shown."
    )
    assert undecided.startswith("Not decided for small objects: “Occlusion”. 80% of such studies")
    assert unchanged.startswith("No visible change at 64 px to small objects, and so no verdict: ")
    assert "verdict: “Downscale” ∅. What surrounds small objects changes alone" in unchanged


def test_more_often_is_said_of_a_gain(reported_study):
    changes = {("fixed", "occlusion"): {"small": 0.48}}
    made = reported_study(accuracy=MIDDLE, changes=changes, counts={"small": 80}, only=FEW)
    shown, undecided, _ = effects.sentences(made)
    assert "more often under “Occlusion”: 4" in shown
    assert "Not decided for small objects: “Motion blur”." in undecided


def test_the_least_p_that_a_test_can_give_is_called_so(reported_study):
    made = reported_study(accuracy=MIDDLE, only=FEW)
    table = made.tables["effects"]
    for p, least, due in ((0.25, 0.25, True), (0.26, 0.25, False), (1e-5, 1e-5, False)):
        told = with_tables(
            made, effects=table.assign(p_value=p, p_holm=p, p_least=least, direction=0)
        )
        (first, *_) = effects.tables(told)
        written = [cell.p for row in first.rows for cell in row.cells if cell.p]
        assert written
        assert all(("the least possible" in p) == due for p in written)


def test_where_all_conditions_leave_the_objects_as_they_were_there_is_no_verdict(reported_study):
    names = [one.name for one in steps("corruption")]
    made = reported_study(seen=dict.fromkeys(names, (0.999, 0.9)), only=FEW)
    assert effects.primary_rows(made) == []
    (said,) = effects.sentences(made)
    assert said.startswith("What surrounds small objects changes alone, and so no verdict: ")
    assert said.count("⊙") == len(names)


def test_every_family_stands_with_its_levels_in_each_task(forms):
    body = body_of(section(forms.screen, "effects"), "The conditions, and their levels")
    for cells, (name, facts) in zip(body, forms.study.families.items(), strict=True):
        assert cells[0] == f"{facts.label} {name}"
        assert cells[1:3] == [facts.description, "–" if name == UNTOUCHED else facts.role]
        for cell, task in zip(cells[3:], TASKS, strict=True):
            levels = [one.level for one in facts.in_task(task)]
            found = [level.rstrip(" ∅⊙") for level in cell.split("; ")]
            assert found == (levels or ["–"])


def test_an_empty_group_has_no_verdict_and_no_number(reported_study):
    made = reported_study(counts={"small": 0}, only=FEW)
    assert effects.primary_rows(made) == []
    assert "nan" not in " ".join(effects.sentences(made)).lower()
    (first, *_) = effects.tables(made)
    assert [cell.effect for row in first.rows for cell in row.cells[:1]] == [None] * len(first.rows)
    assert not np.isfinite(made.tables["effects"].query("size_group == 'small'")["delta"]).any()
