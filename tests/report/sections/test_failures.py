"""Failures listed by cause: each once, size groups by turns, counted as the tables count them."""

import contextlib
import dataclasses
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from builders.study_files import INPUTS, write_study
from smallsight import params
from smallsight.analysis.terms import FAILURE_CAUSES
from smallsight.conditions.names import UNTOUCHED
from smallsight.report.inputs import read_study
from smallsight.report.sections.failures import NO_CAUSE, listed
from smallsight.vocabulary import GROUPS

PROBES = ("object_only", "zoom_matched", "zoom_object")
SOME = (UNTOUCHED, "downscale", "downscale/scale=0.25", "orig_crop", *PROBES)
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
            "image_id": [str(i // 2) for i in range(n)], "ann_id": [str(i) for i in range(n)],
            "category_name": "car", "size_group": "small", "side": 5.0, "predicted": "bus",
            "neighbour": "", "neighbour_ann_id": "", "neighbour_side": np.nan, "rescued_by": "",
            "cause": "unexplained",
        }
    ).assign(**columns)  # fmt: skip
    other = table[:1].assign(regime="retrained", ann_id="other")
    return dataclasses.replace(study, failures=pd.concat([other, table], ignore_index=True))


def ids(part):
    return [row["ann_id"] for row in part["rows"]]


def test_every_failure_of_the_headline_regime_stands_once_under_its_cause(study):
    table = study.failures[study.failures["regime"] == "fixed"].set_index(["image_id", "ann_id"])
    found = listed(study)
    rows = [(part["cause"], row) for part in found for row in part["rows"]]
    keys = [(row["image_id"], row["ann_id"]) for _, row in rows]
    assert len(keys) == len(set(keys)) == len(table)
    for (cause, row), key in zip(rows, keys, strict=True):
        due = table.loc[key]
        assert cause == due["cause"]
        for name in ("size_group", "side", "category_name", "predicted", "neighbour"):
            assert row[name] == due[name]


def test_counts_are_those_of_the_table_of_causes(study):
    table = study.failure_causes[study.failure_causes["regime"] == "fixed"]
    found = {part["cause"]: part for part in listed(study)}
    assert len(found) > 2
    for group in ("all", *GROUPS):
        counts = table[table["size_group"] == group].set_index("cause")["n"]
        for cause, number in counts.items():
            part = found.get(cause, {"rows": [], "number": 0})
            here = [row for row in part["rows"] if group in ("all", row["size_group"])]
            assert len(here) == number
            if group == "all":
                assert part["number"] == number
    assert sum(part["number"] for part in found.values()) == table["failed"].max()


def test_causes_stand_in_one_order_and_only_those_that_occur(study):
    causes = [*FAILURE_CAUSES, ""]
    made = failed(study, cause=[causes[i] for i in (5, 0, 6, 2, 0)])
    found = listed(made)
    assert [part["cause"] for part in found] == [causes[i] for i in (0, 2, 5, 6)]
    assert [part["number"] for part in found] == [2, 1, 1, 1]
    terms = FAILURE_CAUSES | {"": NO_CAUSE}
    assert [part["term"] for part in found] == [terms[part["cause"]] for part in found]


@pytest.mark.parametrize("most", [1, 2, 6, 100, None])
def test_of_each_cause_no_more_are_listed_than_asked_and_all_are_counted(study, most):
    made = failed(study, cause=["unexplained"] * 9 + ["both"] * 2 + [""])
    for part, number in zip(listed(made, most=most), (2, 9, 1), strict=True):
        assert part["number"] == number
        assert len(part["rows"]) == min(number, number if most is None else most)


def test_size_groups_take_turns_and_keep_the_tables_order(study):
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(GROUPS, (12, 5, 2)))
    made = failed(study, size_group=list(groups))
    (part,) = listed(made)
    pools = Counter(groups)
    seen = Counter()
    for row in part["rows"]:
        seen[row["size_group"]] += 1
        for group in GROUPS:
            # Who has been told of less often has none left.
            assert seen[group] >= min(max(seen.values()) - 1, pools[group])
    for group in GROUPS:
        told = [int(row["ann_id"]) for row in part["rows"] if row["size_group"] == group]
        assert told == sorted(told)


def test_turns_are_taken_within_each_cause(study):
    made = failed(
        study,
        size_group=["small"] * 6 + ["large"] * 2,
        cause=["both"] * 3 + ["either"] * 3 + ["both", "either"],
    )
    either, both = listed(made, most=2)
    assert [row["size_group"] for row in both["rows"]] == ["small", "large"]
    assert [row["size_group"] for row in either["rows"]] == ["small", "large"]
    assert (ids(both), ids(either)) == (["0", "6"], ["3", "7"])


def test_of_nothing_nothing_is_listed(study):
    assert listed(dataclasses.replace(study, failures=study.failures[:0])) == []
    # Failures of the other regime alone are none of the headline's.
    others = study.failures[study.failures["regime"] != "fixed"]
    assert len(others)
    assert listed(dataclasses.replace(study, failures=others)) == []


def test_without_the_probes_no_cause_is_suggested_and_failures_still_stand(tmp_path):
    made = read(write_study(tmp_path, only=(UNTOUCHED, "downscale")))
    (part,) = listed(made, most=4)
    assert part["cause"] == ""
    assert part["term"].label == "None suggested"
    assert part["number"] == (made.failures["regime"] == "fixed").sum() == 56
    assert len(part["rows"]) == 4


def test_rescues_are_labelled_and_of_many_the_first_are_told(study):
    names = [step.name for step in study.changes]
    labels = [study.label(name) for name in names]
    assert len(names) == 6
    cases = {0: "", 1: labels[0], 4: "; ".join(labels[:4]), 6: "; ".join([*labels[:4], "2 more"])}
    made = failed(study, rescued_by=["; ".join(names[:count]) for count in cases])
    (part,) = listed(made)
    assert [row["rescues"] for row in part["rows"]] == list(cases.values())


def test_only_a_neighbour_that_is_there_is_told_of(study):
    made = failed(study, neighbour=["bus", ""], neighbour_side=[12.0, np.nan])
    (part,) = listed(made)
    assert [row["has_neighbour"] for row in part["rows"]] == [True, False]
