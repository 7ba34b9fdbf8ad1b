"""Failures listed by cause: each once, small objects first, counted as the tables count them."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from builders.study_files import with_tables
from readers.parts import page_of
from readers.report_pages import body_of, rows_of, unscripted
from smallsight.analysis.terms import NOT_EXPLAINED, describe_part
from smallsight.evaluation.rungs import RUNGS, STEPS
from smallsight.report import text
from smallsight.report.sections import failures
from smallsight.report.sections.failures import SECTION, list_failures
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, HEADLINE_TASK

CAUSES = [*(step.name for step in STEPS.values()), NOT_EXPLAINED]


@pytest.fixture(scope="module")
def study(forms):
    return forms.study


def failed(study, **columns):
    """Give the study other failures, one for each value."""
    n = len(next(iter(columns.values())))
    table = pd.DataFrame(
        {
            "image_id": [i // 2 for i in range(n)], "ann_id": list(range(n)),
            "category_name": "car", "size_group": "small", "side": 5.0, "predicted": "bus",
            "neighbour": "", "neighbour_ann_id": "", "neighbour_side": np.nan, "rungs": "",
            "rescued_by": "", "cause": NOT_EXPLAINED, "stable": False,
        }
    ).assign(**columns)  # fmt: skip
    return with_tables(study, failures=table)


def ids(part):
    return [one.row["ann_id"] for one in part.failures]


def test_every_failure_stands_once_under_its_cause(study):
    table = study.tables["failures"].set_index(["image_id", "ann_id"])
    rows = [(part.cause, one.row) for part in list_failures(study) for one in part.failures]
    keys = [(row["image_id"], row["ann_id"]) for _, row in rows]
    assert len(keys) == len(set(keys)) == len(table) > 10
    for (cause, row), key in zip(rows, keys, strict=True):
        due = table.loc[key]
        assert cause == due["cause"]
        for name in ("size_group", "side", "category_name", "predicted", "neighbour"):
            assert row[name] == due[name]


def test_counts_are_those_of_the_table_of_causes(study):
    table = study.tables["failure_causes"]
    found = {part.cause: part for part in list_failures(study)}
    assert len(found) > 2
    for group in ALL_AND_GROUPS:
        counts = table[table["size_group"] == group].set_index("cause")["n"]
        for cause, number in counts.items():
            listed = found[cause].failures if cause in found else []
            here = [one for one in listed if group in ("all", one.row["size_group"])]
            assert len(here) == number
    due = table.drop_duplicates("size_group").set_index("size_group")["failed"]
    assert failures.count_failures(study) == [due[group] for group in ALL_AND_GROUPS]


def test_causes_stand_in_the_order_of_the_ladder_and_only_those_that_occur(study):
    made = failed(study, cause=[CAUSES[i] for i in (5, 0, 3, 2, 0)])
    found = list_failures(made)
    assert [part.cause for part in found] == [CAUSES[i] for i in (0, 2, 3, 5)]
    assert [len(part.failures) for part in found] == [2, 1, 1, 1]
    assert [part.term for part in found] == [describe_part(part.cause) for part in found]


def test_within_a_cause_small_objects_come_first_and_keep_the_tables_order(study):
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(GROUPS, (12, 5, 2)))
    (part,) = list_failures(failed(study, size_group=list(groups)))
    rows = [one.row for one in part.failures]
    assert [row["size_group"] for row in rows] == sorted(groups, key=GROUPS.index)
    for group in GROUPS:
        found = [int(row["ann_id"]) for row in rows if row["size_group"] == group]
        assert found == sorted(found)


def test_each_cause_has_its_own_small_objects_first(study):
    made = failed(
        study,
        size_group=["large"] * 2 + ["small"] * 3,
        cause=[CAUSES[1], CAUSES[0], CAUSES[1], CAUSES[0], CAUSES[1]],
    )
    first, second = list_failures(made)
    assert (ids(first), ids(second)) == ([3, 1], [2, 4, 0])


def test_where_nothing_failed_the_page_says_so(study):
    made = with_tables(study, failures=study.tables["failures"][:0])
    assert list_failures(made) == []
    assert "Nothing failed." in page_of(made, SECTION)


def test_rungs_are_numbered_and_conditions_are_counted(study):
    names = [rung.name for rung in RUNGS]
    made = failed(
        study,
        rungs=["", names[5], "; ".join(names[2:5]), "; ".join([names[1], *names[3:6]])],
        rescued_by=["", "downscale", "downscale; bg_swap; bg_swap/donor=other", ""],
    )
    (part,) = list_failures(made)
    assert [one.rungs for one in part.failures] == ["", "6", "3–5", "2, 4–6"]
    assert [one.n_rescues for one in part.failures] == [0, 1, 3, 0]


def test_only_a_neighbour_that_is_there_is_named(study):
    made = failed(study, neighbour=["bus", ""], neighbour_side=[12.0, np.nan])
    (part,) = list_failures(made)
    assert [one.has_neighbour for one in part.failures] == [True, False]


def test_suggested_causes_stand_beside_what_chance_gives(study):
    causes = study.tables["failure_causes"].set_index(["cause", "size_group"])
    page = page_of(study, SECTION)
    head, *body = rows_of(page, "by the step of the ladder from which on they are right")
    remedies = {step.name: step.remedy for step in STEPS.values()}
    names = list(dict.fromkeys(study.tables["failure_causes"]["cause"]))
    assert names == [name for name in CAUSES if name in names]
    for cells, cause in zip(body, names, strict=True):
        term = describe_part(cause)
        found = [" ".join(cell.split()) for cell in cells]
        assert found[:3] == [term.label, term.description, remedies.get(cause, "–")]
        for title, cell, group in zip(head[3:], found[3:], ALL_AND_GROUPS, strict=True):
            row = causes.loc[cause, group]
            shares = f"{100 * row.share:.1f}% chance {100 * row.chance:.1f}%"
            assert cell == f"{row.n:.0f} {shares}"
            assert f"{row.failed:.0f} failure" in title


def test_the_page_speaks_of_no_context_and_no_resolution(study):
    page = unscripted(page_of(study, SECTION)).lower()
    assert "context" not in page
    assert "resolution" not in page


def test_what_conditions_rescue_and_break_stands_beside_their_verdicts(study):
    page = page_of(study, SECTION)
    keys = ["task", "regime", "condition", "size_group"]
    rescues, effects = (study.tables[name].set_index(keys) for name in ("rescues", "effects"))
    arrows = Counter()
    for regime in study.regimes:
        steps = [one for one in study.changed_conditions(HEADLINE_TASK) if one.is_reference]
        body = body_of(page, f"Window, {regime} head: share of the objects that fail untouched")
        for cells, step in zip(body, steps, strict=True):
            for number, group in enumerate(GROUPS):
                row = rescues.loc[HEADLINE_TASK, regime, step.name, group]
                rescued, broken = cells[1 + 2 * number : 3 + 2 * number]
                assert rescued.endswith(
                    f"{text.percent(row.rescue_rate)} {row.rescued:.0f}/{row.failed:.0f}"
                )
                assert (
                    broken == f"{text.percent(row.break_rate)} {row.broken:.0f}/{row.correct:.0f}"
                )
                direction = effects.loc[HEADLINE_TASK, regime, step.name, group].direction
                arrow = {1: "▲", -1: "▼"}.get(direction, "")
                assert re.findall("[▲▼]", rescued) == list(arrow)
                arrows[arrow] += 1
    assert arrows["▼"]
