"""The ladder: the numbers of its tables, and sentences by what they decide."""

import math
import re

import numpy as np
import pandas as pd
import pytest

from builders.study_files import CLIMBED, DETECTOR, INPUTS, edited, with_tables
from readers.drawings import tooltips
from readers.report_pages import body_of, rows_of, section, text_of
from smallsight.analysis.ladder import NOT_IDENTIFIED
from smallsight.analysis.terms import PARTS, describe_part
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import BASELINES, RUNGS, STEPS
from smallsight.report import text
from smallsight.report.sections import ladder
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS

STEP_OF = {step.name: rung for rung, step in STEPS.items()}


@pytest.fixture
def climbed(reported_study):
    return reported_study(**CLIMBED)


def judged(study, **verdicts):
    """Give parts of the gap other verdicts: a direction, or that they are not identified."""
    table = study.tables["gap_parts"].copy()
    for part, found in verdicts.items():
        chosen = table["part"] == part
        assert chosen.sum() == 1
        table.loc[chosen, "direction"] = 0 if found == NOT_IDENTIFIED else found
        table.loc[chosen, "verdict"] = (
            found
            if found == NOT_IDENTIFIED
            else {1: "favours large", -1: "favours small", 0: "not decided"}[found]
        )
    return with_tables(study, gap_parts=table)


def undecided(study):
    return judged(study, **dict.fromkeys(study.tables["gap_parts"]["part"], 0))


def test_every_number_of_the_ladder_stands_in_the_page(report_page):
    made = report_page(**CLIMBED)
    table = pd.read_csv(INPUTS.table("ladder")).set_index(["rung", "size_group"])
    body = body_of(made, "The ladder: accuracy")
    for cells, rung in zip(body, RUNGS, strict=True):
        assert cells[0].startswith(rung.label)
        assert ("step: " in cells[0]) == (rung.name in STEPS)
        for cell, group in zip(cells[1:], ALL_AND_GROUPS, strict=True):
            row = table.loc[rung.name, group]
            accuracy = text.percent(row.accuracy)
            assert cell.startswith(f"{accuracy} ({text.percent_span(row.ci_low, row.ci_high)})")
            assert ("near chance" in cell) == row.near_chance
            assert f"mix {text.percent(row.standardised)}" in cell
            assert f"bal. {text.percent(row.balanced)}" in cell
            change = f"Δ {text.signed(row.delta)} ({text.signed(row.delta_low)} to "
            assert (change in cell) == (rung.name in STEPS)
    assert table["near_chance"].nunique() == 2


def test_every_part_of_the_gap_stands_in_the_page_with_cause_and_remedy(report_page):
    made = report_page(**CLIMBED)
    parts = pd.read_csv(INPUTS.table("gap_parts"))
    changes = pd.read_csv(INPUTS.table("ladder")).set_index(["rung", "size_group"])
    assert list(parts["part"]) == ["gap", "class_mix", *STEP_OF, "not_explained"]
    body = body_of(made, "The gap of whole pictures and the parts")
    for cells, row in zip(body, parts.itertuples(), strict=True):
        term = describe_part(row.part)
        assert cells[0] == f"{term.label} {term.description}"
        assert text.signed(row.value) in cells[1]
        assert f"p {text.p_value(row.p_holm)}" in cells[1]
        assert row.verdict in cells[1]
        rung = STEP_OF.get(row.part)
        for cell, group in zip(cells[2:4], ("small", "large"), strict=True):
            if rung is None:
                assert cell == "–"
            else:
                change = changes.loc[rung, group]
                ends = f"{text.signed(change.delta_low)} to {text.signed(change.delta_high)}"
                assert cell == f"{text.signed(change.delta)} ({ends})"
        assert cells[4] == (STEPS[rung].remedy if rung else "–")


def test_the_parts_sum_to_the_gap_and_the_gaps_at_one_mix_are_their_running_sum(climbed):
    values = {part.row["part"]: part.row["value"] for part in ladder.parts(climbed)}
    gap = values.pop("gap")
    assert sum(values.values()) == pytest.approx(gap)
    left = gap - values["class_mix"]
    for row, step in zip(ladder.rungs(climbed), [None, *STEP_OF], strict=True):
        left -= values[step] if step else 0
        assert row.gap["standardised"] == pytest.approx(left)
    assert row.gap["standardised"] == pytest.approx(values["not_explained"])


def test_rules_that_see_no_pixel_come_with_their_gap(climbed):
    table = climbed.tables["baselines"].set_index(["baseline", "size_group"])["accuracy"]
    found = ladder.rules(climbed)
    for row, (name, label) in zip(found, BASELINES.items(), strict=True):
        assert row.label.lower() == f"rule: {label.lower()}"
        assert [cell["accuracy"] for cell in row.cells] == [table[name, group] for group in GROUPS]
        assert row.gap["gap"] == pytest.approx(table[name, "large"] - table[name, "small"])
        # Only the rule that the ladder stands on is known at one mix of categories.
        assert math.isfinite(row.gap["standardised"]) == (name == "largest_object")


def test_the_figure_has_every_rung_and_every_part_with_its_number(climbed):
    lines, bars = ladder.panels(climbed)
    table = climbed.tables["ladder"]
    due = table[table["size_group"].isin(["small", "large"])]
    found = tooltips(lines)
    assert len(found) == len(due)
    for row in due.itertuples():
        label = {rung.name: rung.label for rung in RUNGS}.get(row.rung, "Rule: category")
        numbers = f"{text.percent(row.accuracy)} ({text.percent_span(row.ci_low, row.ci_high)})"
        assert any(
            one.startswith(label) and f", {row.size_group}: {numbers}, n = {row.n}" in one
            for one in found
        )
    names = [one.partition(":")[0] for one in tooltips(bars)]
    parts = list(climbed.tables["gap_parts"]["part"])
    assert names[-1] == PARTS["gap"].label
    plain = [name.removesuffix(" (not identified)") for name in names]
    assert plain == [describe_part(part).label for part in [*parts[1:], "gap"]]
    vague = climbed.tables["gap_parts"]["verdict"] == NOT_IDENTIFIED
    assert sum(name.endswith("(not identified)") for name in names) == vague.sum()


@pytest.mark.parametrize("direction", [1, -1, 0, NOT_IDENTIFIED])
def test_the_sentence_names_parts_by_what_is_decided_of_them(climbed, direction):
    made = judged(undecided(climbed), class_mix=1, own_pixels=direction)
    table = made.tables["gap_parts"].copy()
    table.loc[table["part"] == "class_mix", "value"] = 2.0
    said = ladder.parts_sentence(with_tables(made, gap_parts=table))
    verdicts = {
        1: "Shown to add to the gap as well: more of its own pixels.",
        -1: "Shown to widen it when given: more of its own pixels.",
        NOT_IDENTIFIED: "Not identified, for the step is from near chance: more of its own pixels.",
    }
    for verdict, words in verdicts.items():
        assert (words in said) == (direction == verdict)
    (rest,) = re.findall(r"Not decided: (.*?)\.", said)
    assert "what is not explained" in rest
    assert ("more of its own pixels" in rest) == (direction == 0)
    # The largest part that is shown has a sentence of its own.
    assert "class mix" not in said


def test_what_is_below_zero_and_no_step_hides_part_of_the_gap(climbed):
    made = judged(undecided(climbed), class_mix=-1, not_explained=-1, own_pixels=-1)
    said = ladder.parts_sentence(made)
    assert "Shown to hide part of it: class mix and what is not explained." in said
    assert "Shown to widen it when given: more of its own pixels." in said


@pytest.mark.parametrize("part", ["own_pixels", "not_explained"])
def test_the_gaps_largest_part_that_is_shown_stands_with_its_interval(climbed, part):
    gap = climbed.tables["gap_parts"].set_index("part").loc["gap"]
    start = f"In whole pictures the gap is {text.amount(gap.value, gap.ci_low, gap.ci_high)}: "
    assert ladder.largest_sentence(undecided(climbed)) == (
        f"{start}not decided. No cause of it is shown."
    )
    made = judged(undecided(climbed), gap=1, **{part: 1})
    row = made.tables["gap_parts"].set_index("part").loc[part]
    said = ladder.largest_sentence(made)
    known = "No cause of it is shown." if part == "not_explained" else "The largest cause that is"
    assert said.startswith(f"{start}shown. {known}")
    assert text.amount(row.value, row.ci_low, row.ci_high) in said
    assert said.endswith(" are not explained.") == (part == "not_explained")
    cause = "the picture’s reduction to the input takes pixels from the object."
    assert said.endswith(cause) == (part == "own_pixels")
    assert (f"“{describe_part(part).label}”" in said) == (part != "not_explained")


def test_a_step_that_raises_both_and_yet_widens_the_gap_is_named(climbed):
    table = climbed.tables["ladder"].copy()
    chosen = (table["rung"] == "window_few_pixels") & table["size_group"].isin(["small", "large"])
    table.loc[chosen, ["delta", "delta_low", "delta_high"]] = [0.1, 0.05, 0.15]
    made = with_tables(undecided(climbed), ladder=table)
    said = "Both groups gain, and large objects more: a window of its own."
    assert ladder.widening_sentence(judged(made, own_window=-1)) == said
    # That large objects gain more must be shown,
    assert ladder.widening_sentence(made) == ""
    assert ladder.widening_sentence(judged(made, own_window=1)) == ""
    # and neither of the two may as well have lost.
    for group in ("small", "large"):
        one = table.copy()
        one.loc[chosen & (table["size_group"] == group), "delta_low"] = -0.01
        doubtful = judged(with_tables(made, ladder=one), own_window=-1)
        assert ladder.widening_sentence(doubtful) == ""


def test_a_step_past_a_rung_that_is_missing_stands_for_both_causes(report_page):
    made = report_page(network=DETECTOR, readout="fpn")
    assert "The study lacks “Its strides 8, 16 and 32, over the box”. A step past it" in text_of(
        made
    )
    labels = [cells[0] for cells in body_of(made, "The gap of whole pictures")]
    assert any(label.startswith("Finer cells and a window of its own ") for label in labels)
    assert "not explained." not in ladder_text(made).partition("The study lacks")[2][:160]
    assert len(rows_of(made, "The ladder: accuracy")) == len(RUNGS)


def ladder_text(page):
    return text_of(f"<body>{section(page, 'ladder')}")


def test_without_the_last_rung_what_it_would_be_worth_is_not_explained(reported_study):
    study = reported_study(only=(UNTOUCHED, "downscale"))
    said = ladder.missing_sentence(study)
    assert said.startswith("The study lacks “A window, no more pixels than before” and “The object")
    assert said.endswith("What the last step would be worth is not explained.")
    assert [row.task for row in ladder.rungs(study)] == ["whole picture"] * 3 + ["window"]


def test_a_whole_ladder_lacks_nothing(climbed):
    assert ladder.missing_sentence(climbed) == ""
    assert all(row.step for row in ladder.rungs(climbed)[1:])


@pytest.mark.parametrize(("count", "warned"), [(0, True), (4, True), (40, False)])
def test_a_rare_category_is_a_warning(reported_study, count, warned):
    made = reported_study(edit=edited(INPUTS.table("gap_parts"), smallest_cell=count))
    said = ladder.small_cell_sentence(made)
    assert (f"{count} objects in one of the two groups" in said) == warned
    assert bool(said) == warned


@pytest.mark.parametrize("group", ["small", "large"])
def test_without_one_of_the_two_groups_there_is_no_gap(reported_study, group):
    study = reported_study(counts={group: 0})
    assert ladder.parts(study) == []
    assert ladder.panels(study) == []
    assert ladder.parts_sentence(study) == ""
    row = ladder.rungs(study)[0]
    assert np.isnan(row.gap["gap"])
    assert row.cells[GROUPS.index(group)] is None


def test_nothing_is_called_by_the_names_of_what_was_not_measured(report_page):
    said = ladder_text(report_page(**CLIMBED))
    assert not re.search(r"\b(context|resolution)\b", said, re.IGNORECASE)
    assert "the picture’s own pixels, and the kind of object" in said
