"""Suspected labels: every number stands in the page, a result per sentence, and no accusation."""

import dataclasses
import re

import numpy as np
import pytest

from builders.study_files import with_tables
from readers.report_pages import Tables, section
from smallsight.report import text, traits
from smallsight.report.sections import label_errors, left_out
from smallsight.report.text import percent, percent_span
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS


@pytest.fixture(scope="module")
def study(forms):
    """Of the study of all conditions, which cannot judge labels: here some are suspected."""
    study = forms.study
    table = study.tables["label_errors"]
    chosen = np.arange(len(table)) % 5 == 0
    summary = study.tables["label_errors_summary"]
    known = {
        "suspected": 4, "share": 0.1, "share_low": 0.05, "share_high": 0.2, "of_failures": 0.25,
        "of_failures_low": 0.125, "of_failures_high": 0.4, "accuracy_without": 0.7,
        "without_low": 0.6, "without_high": 0.8, "recall": 0.5, "false_positive_rate": 0.04,
        "likelihood_ratio": 9.0, "evidence": "moderate",
    }  # fmt: skip
    gap = {"change": -0.02, "ci_low": -0.05, "ci_high": 0.01, "direction": 0, "verdict": "any"}
    return with_tables(
        study,
        label_errors=table.assign(is_suspected=chosen),
        label_errors_summary=summary.assign(**known),
        label_errors_gap=study.tables["label_errors_gap"].assign(**gap),
    )


def of_source(study, source):
    data = study.params.data.model_copy(update={"source": source})
    return dataclasses.replace(study, params=study.params.model_copy(update={"data": data}))


def test_the_gallery_can_be_narrowed_down_to_suspected_labels(study):
    (trait,) = (one for one in traits.TRAITS if one.name == "label")
    found = trait.values(study)
    table = study.tables["label_errors"]
    assert list(trait.choices(study)) == ["suspected", "plain"]
    for row in table.itertuples():
        assert (found[row.image_id, row.ann_id] == "suspected") == row.is_suspected
    without = with_tables(study, label_errors=table.assign(is_suspected=False))
    assert not trait.choices(without)


def test_every_size_group_stands_in_the_page_with_its_numbers(forms):
    tables = Tables(section(forms.screen, "label-errors")).tables
    caption, rows = next((name, rows) for name, rows in tables if "label_errors_summary" in name)
    summary = forms.study.tables["label_errors_summary"].set_index("size_group")
    assert "confident" not in caption
    for group, cells in zip(ALL_AND_GROUPS, rows[-4:], strict=True):
        row = summary.loc[group]
        cells = [one.strip() for one in cells]
        joined = " ".join(cells)
        assert cells[0] == group.capitalize()
        ends = percent_span(row["accuracy_low"], row["accuracy_high"])
        assert f"{percent(row['accuracy'])} ({ends})" in joined
        assert cells[-1] == row["evidence"]
        assert cells[-3:-1] == [percent(row["recall"]), percent(row["false_positive_rate"])]
        assert f"of {row['n']:.0f}" in joined


def test_the_least_probable_labels_come_first_and_the_others_are_counted(study, monkeypatch):
    monkeypatch.setattr(label_errors, "LISTED", 3)
    found = label_errors.build(study)
    table = study.tables["label_errors"]
    quality = sorted(table.loc[table["is_suspected"], "label_quality"])
    assert [one.row["label_quality"] for one in found.suspects] == quality[:3]
    assert found.n_suspected == len(quality) > 3
    assert all(GROUPS[one.group_number] == one.row["size_group"] for one in found.suspects)


def test_each_sentence_has_one_result_and_its_interval(study):
    failures, gap = label_errors.sentences(of_source(study, "local"))
    assert "25.0% (12.5 to 40.0) have a suspected label" in failures
    assert "changes by −2.0 points (−5.0 to +1.0): not decided." in gap
    for said in (failures, gap):
        assert len(re.findall(r"\([^)]*\d[^)]*\)", said)) == 1
        assert "wrong" not in said


@pytest.mark.parametrize(("direction", "verb"), [(1, "grows"), (-1, "shrinks")])
def test_a_gap_that_changes_is_said_to(study, direction, verb):
    low, high = sorted((0.01 * direction, 0.05 * direction))
    ends = {"change": 0.02 * direction, "ci_low": low, "ci_high": high}
    table = study.tables["label_errors_gap"].assign(direction=direction, **ends)
    said = label_errors.sentences(with_tables(study, label_errors_gap=table))[1]
    assert (
        f"the gap between large and small objects {verb} by 2.0 points (1.0 to 5.0): shown." in said
    )


def test_of_drawn_scenes_all_that_is_suspected_is_a_false_alarm(study):
    assert study.params.data.source == "phantom"
    said = label_errors.sentences(study)[-1]
    n = int(study.tables["label_errors"].shape[0])
    assert said.endswith(
        f"false alarm. That is 10.0% (5.0 to 20.0) of {text.counted(n, 'object')}."
    )
    for source in ("local", "coco"):
        assert "drawn" not in " ".join(label_errors.sentences(of_source(study, source)))


def test_where_suspicion_tells_nothing_that_is_said(study):
    unknown = dict.fromkeys(("suspected", "share", "of_failures", "accuracy_without"), np.nan)
    summary = study.tables["label_errors_summary"].assign(**unknown, evidence="none")
    gap = study.tables["label_errors_gap"].assign(change=np.nan)
    silent = with_tables(study, label_errors_summary=summary, label_errors_gap=gap)
    (said,) = label_errors.sentences(silent)
    assert "cannot be told" in said
    assert "50.0%" in said
    assert "4.0%" in said


def test_without_failures_or_objects_there_is_no_sentence_about_them(study):
    summary = study.tables["label_errors_summary"]
    flawless = summary.assign(failed=0, of_failures=np.nan)
    said = label_errors.sentences(with_tables(study, label_errors_summary=flawless))
    assert not any("failed" in one for one in said)
    is_small = summary["size_group"] == "small"
    none = summary.assign(n=summary["n"].where(~is_small, 0))
    groups = [row["size_group"] for row in label_errors.build(
        with_tables(study, label_errors_summary=none)).rows]  # fmt: skip
    assert groups == ["all", "medium", "large"]


def test_what_could_not_be_examined_is_left_out_with_its_reason(study):
    names = ("label_errors", "label_errors_summary", "label_errors_gap")
    bare = with_tables(study, **{name: study.tables[name][:0] for name in names})
    assert label_errors.build(bare) is None
    assert [one.name for one in left_out.rows(bare)] == ["labels that may be wrong"]
    assert left_out.rows(study) == []
    # A report of tables alone names them and their reasons itself.
    assert left_out.rows(dataclasses.replace(bare, backbone=None)) == []
