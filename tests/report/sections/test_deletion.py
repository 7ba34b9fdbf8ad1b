"""Deletion and insertion in the report: the numbers of their table, and sentences."""

import itertools
import re

import numpy as np
import pytest

from builders.map_tables import with_directions
from builders.study_files import with_tables
from readers.drawings import scale
from readers.report_pages import body_of
from smallsight.report import text
from smallsight.report.rows import keyed
from smallsight.report.sections import deletion
from smallsight.vocabulary import GROUPS

ARROWS = {1: "▲ ", -1: "▼ ", 0: ""}


def number(value):
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def mde(row):
    return f"mde {text.size(row['mde'])}" if row["direction"] == 0 else ""


def test_regions_removed_and_restored_stand_in_the_page(any_numbers):
    page, study = any_numbers("last")
    rows = keyed(study.tables["faithfulness"], "change", "area", "size_group")
    due = []
    for change, area in itertools.product(("removed", "restored"), (0.5, 1.0, 4.0)):
        due.append([f"{change.capitalize()}, {area:g} × the box"])
        for group in GROUPS:
            row = rows[change, area, group]
            difference = f"{ARROWS[row['direction']]}{text.signed(row['difference'])}"
            p = ", ".join(filter(None, (f"p {text.p_value(row['p_holm'])}", mde(row))))
            kinds = [f"{kind} {text.signed(row[kind])}" for kind in ("object", "random")]
            ranks = f"{number(row['rank_low'])} to {number(row['rank_high'])}"
            shared = f"[{100 * row['overlap']:.0f}%]" if row["overlap"] else ""
            found = [", ".join(kinds), shared, f"rank {number(row['rank'])} ({ranks})"]
            numbers = " ".join(filter(None, found))
            due[-1].append(f"{difference} ({text.span(row)}), {p} {numbers}")
    assert 0 < (study.tables["faithfulness"]["overlap"] > 0).mean() < 1
    assert body_of(page, "Whole picture: mean change of the true class’s probability") == due


def test_panels_of_regions_have_one_axis_that_holds_every_interval(telling_study):
    panels = deletion.panels(telling_study)
    for panel, group in zip(panels, GROUPS, strict=True):
        assert f"Whole picture, {group} objects" in panel
        up = scale(panel, "y")
        np.testing.assert_allclose(up([0, 100]), scale(panels[0], "y")([0, 100]))
        frame = re.search(r'<rect x="\S+" y="(\S+)" .*height="(\S+)"', panel).groups()
        top, bottom = up(float(frame[0])), up(sum(map(float, frame)))
        table = telling_study.tables["faithfulness"]
        part = table[table["size_group"] == group]
        assert 100 * part["object_high"].max() < top
        assert 100 * part["object_low"].min() > bottom


@pytest.mark.parametrize("directions", [(1, -1, 0), (0, 1, -1)])
def test_removal_is_written_with_its_numbers_and_undecided_ones_as_such(any_numbers, directions):
    study = with_directions(any_numbers("last")[1], "faithfulness", directions)
    rows = keyed(study.tables["faithfulness"], "change", "area", "size_group")
    _, said = deletion.change_sentence(study).split("? ")
    parts = re.findall(r"(\w+) objects: (.*?), (shown|not decided)\.", said)
    for (name, numbers, verdict), group, direction in zip(parts, GROUPS, directions, strict=True):
        row = rows["removed", 1.0, group]
        assert name == group.capitalize()
        lost = text.amount(-row["difference"], -row["ci_high"], -row["ci_low"])
        assert numbers == lost
        assert (verdict == "shown") == (direction != 0)


def test_ranks_are_written_as_far_as_there_are_any(any_numbers):
    study = any_numbers("last")[1]
    rows = keyed(study.tables["faithfulness"], "change", "area", "size_group")
    assert min(rows["removed", 1.0, group]["rank"] for group in GROUPS) < 0
    for missing in GROUPS:
        made = study.tables["faithfulness"].copy()
        made.loc[made["size_group"] == missing, ["rank", "rank_low", "rank_high"]] = np.nan
        sentence = deletion.rank_sentence(with_tables(study, faithfulness=made))
        for group in GROUPS:
            row = rows["removed", 1.0, group]
            ends = f"{number(row['rank_low'])} to {number(row['rank_high'])}"
            due = f"{group.capitalize()} objects: {number(row['rank'])} ({ends})."
            assert (due in sentence) == (group != missing)
        assert "nan" not in sentence
    none = with_tables(study, faithfulness=study.tables["faithfulness"].assign(rank=np.nan))
    assert deletion.rank_sentence(none) == ""
