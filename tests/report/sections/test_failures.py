"""Failures listed by cause: each once, size groups by turns, counted as the tables count them."""

import contextlib
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from builders.study_files import INPUTS, ZOOMED, with_tables, write_study
from readers.report_pages import rows_of
from smallsight import params
from smallsight.analysis.terms import FAILURE_CAUSES
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.inputs import read_study
from smallsight.report.sections.failures import NO_CAUSE, CauseList, list_failures
from smallsight.vocabulary import GROUPS

pytestmark = pytest.mark.page

INTERVENTIONS = ("object_only", "zoom_matched", "zoom_object")
ARROWS = {1: "▲ ", -1: "▼ ", 0: ""}
SOME = (UNTOUCHED, "downscale", "downscale/scale=0.25", "orig_crop", *INTERVENTIONS)
RESCUED = {("fixed", "zoom_matched"): {"small": 0.4}, ("fixed", "object_only"): {"medium": 0.3}}


def read(folder):
    with contextlib.chdir(folder):
        return read_study(INPUTS, params.load())


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Some failures are rescued, in different ways, under one regime."""
    return read(write_study(tmp_path_factory.mktemp("failed"), only=SOME, changes=RESCUED))


def failed(study, **columns):
    """Give the study other failures, one for each value; the other regime has one more."""
    n = len(next(iter(columns.values())))
    table = pd.DataFrame(
        {
            "regime": "fixed",
            "image_id": [i // 2 for i in range(n)], "ann_id": list(range(n)),
            "category_name": "car", "size_group": "small", "side": 5.0, "predicted": "bus",
            "neighbour": "", "neighbour_ann_id": "", "neighbour_side": np.nan, "rescued_by": "",
            "cause": "unexplained",
        }
    ).assign(**columns)  # fmt: skip
    other = table[:1].assign(regime="retrained", ann_id=-1)
    return with_tables(study, failures=pd.concat([other, table], ignore_index=True))


def ids(part):
    return [one.row["ann_id"] for one in part.failures]


def test_every_failure_of_the_headline_regime_stands_once_under_its_cause(study):
    table = study.tables["failures"]
    table = table[table["regime"] == "fixed"].set_index(["image_id", "ann_id"])
    found = list_failures(study)
    rows = [(part.cause, one.row) for part in found for one in part.failures]
    keys = [(row["image_id"], row["ann_id"]) for _, row in rows]
    assert len(keys) == len(set(keys)) == len(table)
    for (cause, row), key in zip(rows, keys, strict=True):
        due = table.loc[key]
        assert cause == due["cause"]
        for name in ("size_group", "side", "category_name", "predicted", "neighbour"):
            assert row[name] == due[name]


def test_counts_are_those_of_the_table_of_causes(study):
    table = study.tables["failure_causes"]
    table = table[table["regime"] == "fixed"]
    found = {part.cause: part for part in list_failures(study)}
    assert len(found) > 2
    for group in ("all", *GROUPS):
        counts = table[table["size_group"] == group].set_index("cause")["n"]
        for cause, number in counts.items():
            part = found.get(cause, CauseList(cause, NO_CAUSE, [], 0))
            here = [one for one in part.failures if group in ("all", one.row["size_group"])]
            assert len(here) == number
            if group == "all":
                assert part.number == number
    assert sum(part.number for part in found.values()) == table["failed"].max()


def test_causes_stand_in_one_order_and_only_those_that_occur(study):
    causes = [*FAILURE_CAUSES, ""]
    made = failed(study, cause=[causes[i] for i in (5, 0, 6, 2, 0)])
    found = list_failures(made)
    assert [part.cause for part in found] == [causes[i] for i in (0, 2, 5, 6)]
    assert [part.number for part in found] == [2, 1, 1, 1]
    terms = FAILURE_CAUSES | {"": NO_CAUSE}
    assert [part.term for part in found] == [terms[part.cause] for part in found]


@pytest.mark.parametrize("most", [1, 2, 6, 100, None])
def test_of_each_cause_no_more_are_listed_than_asked_and_all_are_counted(study, most):
    made = failed(study, cause=["unexplained"] * 9 + ["both"] * 2 + [""])
    for part, number in zip(list_failures(made, most=most), (2, 9, 1), strict=True):
        assert part.number == number
        assert len(part.failures) == min(number, number if most is None else most)


def test_size_groups_take_turns_and_keep_the_tables_order(study):
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(GROUPS, (12, 5, 2)))
    made = failed(study, size_group=list(groups))
    (part,) = list_failures(made)
    pools = Counter(groups)
    seen = Counter()
    for one in part.failures:
        seen[one.row["size_group"]] += 1
        for group in GROUPS:
            # A group that is listed less often has none left.
            assert seen[group] >= min(max(seen.values()) - 1, pools[group])
    for group in GROUPS:
        rows = [one.row for one in part.failures]
        found = [int(row["ann_id"]) for row in rows if row["size_group"] == group]
        assert found == sorted(found)


def test_turns_are_taken_within_each_cause(study):
    made = failed(
        study,
        size_group=["small"] * 6 + ["large"] * 2,
        cause=["both"] * 3 + ["either"] * 3 + ["both", "either"],
    )
    either, both = list_failures(made, most=2)
    assert [one.row["size_group"] for one in both.failures] == ["small", "large"]
    assert [one.row["size_group"] for one in either.failures] == ["small", "large"]
    assert (ids(both), ids(either)) == ([0, 6], [3, 7])


def test_of_nothing_nothing_is_listed(study):
    assert list_failures(with_tables(study, failures=study.tables["failures"][:0])) == []
    # Failures of the other regime alone are none of the headline's.
    others = study.tables["failures"].query("regime != 'fixed'")
    assert len(others)
    assert list_failures(with_tables(study, failures=others)) == []


def test_without_the_interventions_no_cause_is_suggested_and_failures_still_stand(tmp_path):
    made = read(write_study(tmp_path, only=(UNTOUCHED, "downscale")))
    (part,) = list_failures(made, most=4)
    assert part.cause == ""
    assert part.term.label == "None suggested"
    assert part.number == (made.tables["failures"]["regime"] == "fixed").sum() == 56
    assert len(part.failures) == 4


def test_rescues_are_labelled_and_of_many_the_first_are_named(study):
    names = [one.name for one in study.changed_conditions]
    labels = [study.label(name) for name in names]
    assert len(names) == 6
    cases = {0: "", 1: labels[0], 4: "; ".join(labels[:4]), 6: "; ".join([*labels[:4], "2 more"])}
    made = failed(study, rescued_by=["; ".join(names[:count]) for count in cases])
    (part,) = list_failures(made)
    assert [one.rescues for one in part.failures] == list(cases.values())


def test_only_a_neighbour_that_is_there_is_named(study):
    made = failed(study, neighbour=["bus", ""], neighbour_side=[12.0, np.nan])
    (part,) = list_failures(made)
    assert [one.has_neighbour for one in part.failures] == [True, False]


def test_suggested_causes_and_rescues_stand_in_the_page(report_page):
    made = report_page(changes=ZOOMED | {("fixed", "orig_crop"): {"large": -0.7}})
    causes = pd.read_csv(INPUTS.table("failure_causes")).set_index(
        ["regime", "cause", "size_group"]
    )
    rescues = pd.read_csv(INPUTS.table("rescues")).set_index(["regime", "condition", "size_group"])
    effects = pd.read_csv(INPUTS.table("effects")).set_index(["regime", "condition", "size_group"])
    for regime in ("fixed", "retrained"):
        head, *body = rows_of(made, f"{regime.capitalize()} head: suggested causes")
        for cells, (cause, term) in zip(body, FAILURE_CAUSES.items(), strict=True):
            assert cells[0].strip() == term.label
            for title, cell, group in zip(head[2:], cells[2:], ("all", *GROUPS), strict=True):
                row = causes.loc[regime, cause, group]
                assert cell.split() == [f"{row.n:.0f}", f"{100 * row.share:.1f}%"]
                assert f"{row.failed:.0f} failure" in title
        _, *body = rows_of(made, f"{regime.capitalize()} head: share of the failed")
        names = [name for name in rescues.loc[regime].index.unique(0) if "/" not in name]
        for cells, name in zip(body, names, strict=True):
            for number, group in enumerate(GROUPS):
                row = rescues.loc[regime, name, group]
                rescued, lost = cells[1 + 2 * number : 3 + 2 * number]
                assert f"{100 * row.rescue_rate:.1f}%" in rescued
                assert f"{row.rescued:.0f}/{row.failed:.0f}" in rescued
                assert f"{100 * row.break_rate:.1f}%" in lost
                assert f"{row.broken:.0f}/{row.correct:.0f}" in lost
                arrow = ARROWS[effects.loc[regime, name, group].direction].strip()
                assert re.findall("[▲▼]", rescued) == list(arrow)
