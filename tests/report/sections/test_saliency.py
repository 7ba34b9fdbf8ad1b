"""Saliency maps in the report: the numbers of their tables, and sentences by their directions."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest

from builders.map_tables import CELLS, FEW, TABLES, with_directions, without
from builders.study_files import INPUTS, with_tables
from readers.drawings import dots, intervals, places, scale
from readers.report_pages import body_of, captions_of, section, text_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import text
from smallsight.report.figures.style import FAINT, INK, SERIES
from smallsight.report.rows import keyed
from smallsight.report.sections import deletion, saliency
from smallsight.vocabulary import GROUPS

KINDS = {
    "Correct": ("predicted", "correct"),
    "Failed": ("predicted", "failed"),
    "Failed, true class": ("true_class", "failed"),
    "Box elsewhere": ("random_box", "all"),
    "Centre": ("centre", "all"),
    "Random weights": ("random_weights", "all"),
}
CONTROLS = {"random_box": "Box elsewhere", "centre": "Centre", "random_weights": "Random weights"}
AGAINST = {"random_box": "same size anywhere", "centre": "the middle", "random_weights": "random w"}
CLAIMS = {
    1: "Supported: saliency maps lie less on the object where the prediction fails;",
    -1: "Contradicted: saliency maps lie more on the object where the prediction fails;",
    0: "Whether saliency maps lie less on the object where the prediction fails is not decided:",
}
SENTENCES = (
    *(saliency.claim_sentence, saliency.size_sentence, saliency.control_sentence),
    *(deletion.change_sentence, deletion.rank_sentence),
)
ARROWS = {1: "▲ ", -1: "▼ ", 0: ""}


def number(value):
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def mde(row):
    return f"mde {text.size(row['mde'])}" if row["direction"] == 0 else ""


def test_what_maps_measure_stands_in_the_page_beside_controls(any_numbers):
    page, study = any_numbers("layer4")
    rows = keyed(study.tables["attention"], "map", "condition", "size_group", "outcome")
    due, missing = [], 0
    for group in GROUPS:
        due.append([f"{group.capitalize()} objects"])
        for label, (name, outcome) in KINDS.items():
            row = rows[name, UNTOUCHED, group, outcome]
            missing += np.isnan(row["lift"])
            lift = f"{number(row['lift'])} ({number(row['lift_q1'])}–{number(row['lift_q3'])})"
            signed = text.signed(row["signed_in_box"])
            shares = (row[key] for key in ("energy_in_box", "pointing_hit", "no_evidence"))
            energy, pointing, nothing = map(text.percent, shares)
            due.append([
                label, str(row["n"]), energy, lift.replace(" (–––)", ""), number(row["mask_lift"]),
                pointing, nothing, signed if signed == "–" else f"{signed}%",
            ])  # fmt: skip
    assert missing > 1
    found = body_of(page, "What maps of untouched pictures measure")
    assert [[cell.replace(" (–––)", "") for cell in cells] for cells in found] == due


def test_correct_beside_failed_stands_in_the_page(any_numbers):
    page, study = any_numbers("layer4")
    rows = keyed(study.tables["attention_outcomes"], "map", "condition", "size_group")
    due = []
    for condition in FEW:
        due.append([study.label(condition)])
        for group in ("all", *GROUPS):
            row = rows["predicted", condition, group]
            ends = f"({100 * row['ci_low']:.1f}–{100 * row['ci_high']:.1f})"
            p = ", ".join(filter(None, (f"p {text.p_value(row['p_holm'])}", mde(row))))
            medians = ", ".join(
                f"{name} {number(row[f'median_{name}'])} [{row[f'n_{name}']}]"
                for name in ("correct", "failed")
            )
            share = f"{ARROWS[row['direction']]}{100 * row['superiority']:.1f}%"
            due[-1].append(f"{share} {ends}, {p} {medians}")
    assert body_of(page, "The chance that a correct prediction’s map") == due
    assert len({row["direction"] for row in rows.values()}) == 3


def test_all_comparisons_of_one_kind_of_map_are_counted_as_one_family(any_numbers):
    page, study = any_numbers("layer4")
    number = (study.tables["attention_outcomes"]["map"] == "predicted").sum()
    assert 0 < number < len(study.tables["attention_outcomes"])
    assert f"Holm’s method over the {number} comparisons" in text_of(page)


def test_controls_stand_in_the_page(any_numbers):
    page, study = any_numbers("layer4")
    rows = keyed(study.tables["attention_controls"], "control", "condition", "size_group")
    due = []
    for condition in FEW:
        due.append([study.label(condition)])
        for group in ("all", *GROUPS):
            parts = [text.percent(rows["random_box", condition, group]["energy"])]
            for control, label in CONTROLS.items():
                row = rows.get((control, condition, group))
                assert (row is None) == (control == "random_weights" and condition != UNTOUCHED)
                if row is not None:
                    excess = f"{ARROWS[row['direction']]}{text.signed(row['excess'])}"
                    parts += [label, excess, f"({text.span(row)})", mde(row)]
            due[-1].append(" ".join(filter(None, parts)))
    assert body_of(page, "Mean share of the predicted class’s map") == due


@pytest.mark.parametrize("layer", CELLS)
def test_captions_of_maps_name_the_layer_and_its_cell(any_numbers, layer):
    cell = f"{layer}, one cell {CELLS[layer]:g} × {CELLS[layer]:g} input pixels"
    found = captions_of(section(any_numbers(layer)[0], "saliency"))
    # Regions are removed without looking at any map.
    about_maps = [caption for caption in found if "Below 0, brown" not in caption]
    assert len(about_maps) == len(found) - 1 == 6
    for caption in about_maps:
        assert cell in caption.replace("Layer", "layer")


@pytest.mark.parametrize("anchor", ["galleries", "strips"])
@pytest.mark.parametrize("layer", CELLS)
def test_captions_of_pictures_under_maps_name_the_layer_and_its_cell(any_numbers, layer, anchor):
    cell = f"{layer}, one cell {CELLS[layer]:g} × {CELLS[layer]:g} input pixels"
    found = captions_of(section(any_numbers(layer)[0], anchor))
    assert len(found) == len(GROUPS)
    for caption in found:
        assert cell in caption.replace("Layer", "layer")


def test_only_pooled_maps_are_in_logits_and_say_where_finer_ones_are(any_numbers):
    pooled, finer = (text_of(any_numbers(layer)[0]) for layer in ("layer4", "layer3"))
    for phrase in (
        "Finer cells: dvc exp run -S explain.layer=layer3",
        "which the card gives in logits",
    ):
        assert phrase in pooled
        assert phrase not in finer
    assert "which the card gives in units of the map" in finer
    # Sums are exact on the pooled layer, whichever layer's maps are shown.
    for whole in (pooled, finer):
        assert "logits; layer4, one cell 32 × 32 input pixels)" in whole


def test_every_sentence_stands_in_the_page(any_numbers):
    page, study = any_numbers("layer4")
    whole = re.sub(r"\s", "", text_of(page))
    sentences = [sentence(study) for sentence in SENTENCES]
    assert all(sentences)
    for sentence in sentences:
        assert re.sub(r"\s", "", sentence) in whole


def test_what_no_map_measures_is_a_dash(any_numbers):
    whole = text_of(any_numbers("layer4")[0])
    assert not re.search(r"\bnan\b", whole, re.IGNORECASE)


def test_without_maps_the_page_says_so(mapped_study):
    def edit():
        for name in (*TABLES, "claims"):
            path = INPUTS.table(name)
            pd.read_csv(path)[:0].to_csv(path, index=False)

    page, _ = mapped_study(edit=edit)
    part = section(page, "saliency")
    assert "There are no maps." in part
    for absent in ("<table", "<figure", "<h3"):
        assert absent not in part


@pytest.mark.parametrize("group", GROUPS)
def test_an_empty_size_has_a_dash_in_its_column_and_no_panel(telling_study, group):
    few = without(telling_study, *TABLES, size_group=group)
    left = [name for name in GROUPS if name != group]
    assert [part.group for part in saliency.measure_rows(few)] == left
    assert len(saliency.lift_panels(few)) == len(deletion.panels(few)) == len(left)
    column = GROUPS.index(group)
    for rows_of_part, before in (
        (saliency.outcome_rows, 1), (saliency.control_rows, 1), (deletion.rows, 0),
    ):  # fmt: skip
        rows = rows_of_part(few)
        assert rows
        for row in rows:
            assert [bool(cell) for cell in row.cells] == [
                number != column + before for number in range(before + len(GROUPS))
            ]


def test_an_empty_size_makes_a_page(mapped_study):
    def edit():
        for name in TABLES:
            path = INPUTS.table(name)
            pd.read_csv(path).query("size_group != 'medium'").to_csv(path, index=False)

    page, _ = mapped_study(edit=edit)
    part = section(page, "saliency")
    for caption in ("The chance that a correct", "Mean share of", "Mean change of"):
        assert {cells[-2] for cells in body_of(part, caption)} == {"–"}
    assert "Medium objects" not in part
    assert not re.search(r"\bnan\b", part, re.IGNORECASE)


def test_where_nothing_failed_nothing_is_compared(flawless):
    page, study = flawless
    part = section(page, "saliency")
    assert study.tables["attention_outcomes"].empty
    assert "Correct against failed predictions" not in part
    labels = {cells[0] for cells in body_of(part, "What maps of untouched") if len(cells) > 1}
    assert labels == {label for label in KINDS if not label.startswith("Failed")}
    assert saliency.size_sentence(study) == ""
    assert not re.search(r"\bnan\b", text_of(page), re.IGNORECASE)


def test_where_nothing_failed_no_sentence_compares(flawless):
    assert saliency.claim_sentence(flawless[1]) == ""


def test_where_sides_are_unknown_the_next_sentence_is_still_one(mapped_study):
    def edit():
        path = INPUTS.table("accuracy")
        pd.read_csv(path).assign(side=np.nan).to_csv(path, index=False)

    page, study = mapped_study(edit=edit)
    assert np.isnan(study.median_side("small"))
    paragraph = re.search(r"<p>Maps are of.*?</p>", page)[0]
    assert "what is smaller than a cell" in paragraph.lower()
    assert not re.search(r"\. [a-z]", paragraph)


def test_sides_are_those_of_untouched_pictures(telling_study):
    for group in GROUPS:
        side = telling_study.similarity("downscale", group)["side_untouched"]
        assert telling_study.median_side(group) == side


@pytest.mark.parametrize("name", TABLES)
def test_an_empty_table_leaves_its_parts_out(telling_study, name):
    parts = {
        "attention": (
            *(saliency.mapped_conditions, saliency.measure_rows, saliency.lift_panels),
            *(saliency.outcome_panels, saliency.outcome_rows, saliency.control_rows),
        ),
        "attention_controls": (saliency.control_rows,),
        "attention_outcomes": (saliency.outcome_panels, saliency.outcome_rows),
        "faithfulness": (deletion.panels, deletion.rows),
    }
    sentences = {
        "attention_controls": (saliency.control_sentence,),
        "attention_outcomes": (saliency.size_sentence,),
        "faithfulness": (deletion.change_sentence, deletion.rank_sentence),
    }
    for part in parts[name]:
        assert part(telling_study)
        assert part(without(telling_study, name)) == []
    for sentence in sentences.get(name, ()):
        assert sentence(telling_study)
        assert sentence(without(telling_study, name)) == ""


def test_conditions_with_maps_keep_the_studys_order(telling_study):
    table = telling_study.tables["attention"]
    shuffled = table[table["condition"] != "downscale"].sample(frac=1, random_state=0)
    found = saliency.mapped_conditions(with_tables(telling_study, attention=shuffled))
    assert found == [one.name for one in telling_study.conditions if one.name != "downscale"]


def test_panels_of_lifts_have_the_tables_numbers_and_one_axis(telling_study):
    rows = keyed(telling_study.tables["attention"], "map", "condition", "size_group", "outcome")
    panels = saliency.lift_panels(telling_study)
    for panel, group in zip(panels, GROUPS, strict=True):
        assert f"{group.capitalize()} objects" in panel
        across = scale(panel, "x")
        kinds = list(KINDS.values())
        for colour, part in ((INK, kinds[:3]), (FAINT, kinds[3:])):
            due = [rows[name, UNTOUCHED, group, outcome]["lift"] for name, outcome in part]
            np.testing.assert_allclose(across(places(dots(panel, colour), "x")), due, atol=0.01)
        np.testing.assert_allclose(across([60, 160]), scale(panels[0], "x")([60, 160]))


def test_the_axis_of_lifts_holds_every_quartile(telling_study):
    far = with_tables(
        telling_study, attention=telling_study.tables["attention"].assign(lift_q3=9.0)
    )
    for panel in saliency.lift_panels(far):
        left, width = map(
            float, re.search(r'<rect x="(\S+)" y="\S+" width="(\S+)"', panel).groups()
        )
        assert scale(panel, "x")(left + width) > 9
        ends = [x2 for _, _, x2, _ in intervals(panel, INK)]
        np.testing.assert_allclose(scale(panel, "x")(ends), 9, atol=0.05)


def test_a_panel_per_kind_of_map_has_the_chances_hollow_where_inconclusive(telling_study):
    chances = np.linspace(0, 1, len(telling_study.tables["attention_outcomes"]))
    table = telling_study.tables["attention_outcomes"].assign(superiority=chances)
    made = with_tables(telling_study, attention_outcomes=table)
    made = with_directions(made, "attention_outcomes", (0, 1, -1))
    rows = keyed(made.tables["attention_outcomes"], "map", "condition", "size_group")
    panels = saliency.outcome_panels(made)
    for panel, name in zip(panels, ("predicted", "true_class"), strict=True):
        for group in GROUPS:
            marks = dots(panel, SERIES[group].colour)
            due = [100 * rows[name, condition, group]["superiority"] for condition in FEW]
            np.testing.assert_allclose(scale(panel, "x")(places(marks, "x")), due, atol=0.2)
            filled = {f"fill: {SERIES[group].colour}" in mark.get("style") for mark in marks}
            assert filled == {group != "small"}


@pytest.mark.parametrize("direction", CLAIMS)
def test_the_claim_is_written_by_its_direction_whatever_the_numbers(telling_study, direction):
    claims = telling_study.tables["claims"].assign(
        direction=direction, effect=-0.123, ci_low=-0.234, ci_high=0.345, p_holm=0.0456, mde=0.067
    )
    sentence = saliency.claim_sentence(with_tables(telling_study, claims=claims))
    assert [start for start in CLAIMS.values() if start in sentence] == [CLAIMS[direction]]
    assert "in 37.7% of pairs (26.6% to 84.5%, p = 0.046;" in sentence
    assert ("6.7 points was detectable" in sentence) == (direction == 0)


def test_a_claim_that_nothing_tests_is_not_written(telling_study):
    claims = telling_study.tables["claims"]
    others = claims[claims["claim"] != "failed_look_away"]
    assert len(others)
    assert saliency.claim_sentence(with_tables(telling_study, claims=others)) == ""


def clauses(sentence, wordings):
    """Return the size groups that each wording is followed by, up to the next one."""
    found = {wording: [] for wording in wordings}
    pattern = "|".join(map(re.escape, sorted(wordings, key=len, reverse=True)))
    pieces = re.split(f"(?:^|; |, |: )({pattern}) for ", sentence)
    for wording, rest in zip(pieces[1::2], pieces[2::2], strict=True):
        found[wording] += re.findall(r"(small|medium|large) objects", rest)
    return found


@pytest.mark.parametrize("directions", [*itertools.product((1, -1, 0), repeat=3)])
def test_sizes_are_named_by_their_directions(telling_study, directions):
    wordings = {1: "shown", -1: "the reverse shown", 0: "not shown"}
    made = with_directions(telling_study, "attention_outcomes", directions)
    sentence = saliency.size_sentence(made)
    found = clauses(sentence, wordings.values())
    for direction, wording in wordings.items():
        due = [group for group, one in zip(GROUPS, directions, strict=True) if one == direction]
        assert found[wording] == due
    assert ("detectable: " in sentence) == (0 in directions)


def test_sizes_are_named_with_the_numbers_of_the_predicted_classs_untouched_maps(any_numbers):
    study = any_numbers("layer4")[1]
    rows = keyed(study.tables["attention_outcomes"], "map", "condition", "size_group")
    sentence = saliency.size_sentence(study)
    for group in GROUPS:
        row = rows["predicted", UNTOUCHED, group]
        share, low, high = (
            f"{100 * row[key]:.1f}%" for key in ("superiority", "ci_low", "ci_high")
        )
        assert f"{group} objects ({share}, {low} to {high})" in sentence


@pytest.mark.parametrize("directions", [*itertools.product((1, -1, 0), repeat=3)])
def test_controls_are_named_by_their_directions(telling_study, directions):
    wordings = {1: "more", -1: "less", 0: "no difference shown"}
    made = with_directions(telling_study, "attention_controls", directions)
    sentences = saliency.control_sentence(made).split("gainst ")[1:]
    for part, against in zip(sentences, AGAINST.values(), strict=True):
        assert against in part
        found = clauses(part, wordings.values())
        for direction, wording in wordings.items():
            due = [group for group, one in zip(GROUPS, directions, strict=True) if one == direction]
            assert found[wording] == due
        assert ("detectable: " in part) == (0 in directions)


def test_controls_are_named_with_the_numbers_of_untouched_pictures(any_numbers):
    study = any_numbers("layer4")[1]
    rows = keyed(study.tables["attention_controls"], "control", "condition", "size_group")
    parts = saliency.control_sentence(study).split("gainst ")[1:]
    for part, control in zip(parts, CONTROLS, strict=True):
        for group in GROUPS:
            row = rows[control, UNTOUCHED, group]
            excess = f"{text.signed(row['excess'])} points, {text.span(row)}"
            due = f"{group} objects ({excess}, {text.p_equals(row['p_holm'])})"
            assert (due in part) == (row["direction"] != 0)


@pytest.mark.parametrize("missing", AGAINST)
def test_a_control_without_rows_is_not_named(telling_study, missing):
    sentence = saliency.control_sentence(
        without(telling_study, "attention_controls", control=missing)
    )
    assert [against in sentence for against in AGAINST.values()] == [
        name != missing for name in AGAINST
    ]
