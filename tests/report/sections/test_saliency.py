"""Saliency maps in the report: the numbers of their tables, and sentences by their directions."""

import dataclasses
import functools
import re

import numpy as np
import pandas as pd
import pytest

from builders.map_tables import CELLS, LAYERS, TABLES, without
from builders.study_files import DETECTOR, INPUTS, LITE, with_tables
from readers.drawings import dots, intervals, places, scale
from readers.report_pages import body_of, captions_of, section, text_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import text
from smallsight.report.figures.style import FAINT, INK
from smallsight.report.rows import keyed
from smallsight.report.sections import controls, deletion, outcomes, saliency
from smallsight.vocabulary import GROUPS

KINDS = {
    "Correct": ("predicted", "correct"),
    "Failed": ("predicted", "failed"),
    "Failed, true class": ("true_class", "failed"),
    "Box elsewhere": ("random_box", "all"),
    "Centre": ("centre", "all"),
    "Random weights": ("random_weights", "all"),
}
SENTENCES = (
    saliency.in_window,
    *(
        functools.partial(say, task=task)
        for say in (outcomes.claim_sentence, controls.sentence)
        for task in ("scene", "object")
    ),
    *(deletion.change_sentence, deletion.rank_sentence),
)
TASKS = {"scene": "Whole picture", "object": "Window"}
"""What the page calls them."""


def number(value):
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def summaries(study):
    """Rows of the table of maps, by task, map, condition, size group and outcome."""
    return keyed(study.tables["attention"], "task", "map", "condition", "size_group", "outcome")


@pytest.mark.parametrize("task", TASKS)
def test_what_maps_measure_stands_in_the_page_beside_controls(any_numbers, task):
    page, study = any_numbers("last")
    rows = summaries(study)
    due, missing = [], 0
    for group in GROUPS:
        due.append([f"{group.capitalize()} objects"])
        for label, (name, outcome) in KINDS.items():
            row = rows[task, name, UNTOUCHED, group, outcome]
            missing += np.isnan(row["lift"])
            lift = f"{number(row['lift'])} ({number(row['lift_q1'])}–{number(row['lift_q3'])})"
            signed = text.signed(row["signed_in_box"])
            shares = (row[key] for key in ("energy_in_box", "pointing_hit", "no_evidence"))
            energy, pointing, nothing = map(text.percent, shares)
            due.append([
                label, str(row["n"]), energy, lift.replace(" (–––)", ""), number(row["mask_lift"]),
                pointing, nothing, signed if signed == "–" else f"{signed}%",
            ])  # fmt: skip
    assert missing
    found = body_of(page, f"{TASKS[task]}, untouched: what maps measure")
    assert [[cell.replace(" (–––)", "") for cell in cells] for cells in found] == due


@pytest.mark.parametrize("layer", CELLS)
def test_captions_of_maps_name_the_layer_and_its_cell(any_numbers, layer):
    cell = f"{LAYERS[layer]}, one cell {CELLS[layer]:g} × {CELLS[layer]:g} input pixels"
    found = captions_of(section(any_numbers(layer)[0], "saliency"))
    # Regions are removed without looking at any map.
    about_maps = [caption for caption in found if "elow 0, brown" not in caption]
    assert len(about_maps) == len(found) - 1 == 8
    for caption in about_maps:
        assert cell.lower() in caption.lower()


def test_only_the_last_layers_maps_are_in_logits_and_say_where_finer_ones_are(any_numbers):
    last, finer = (text_of(any_numbers(layer)[0]) for layer in CELLS)
    for phrase in (
        "Finer cells: dvc exp run -S explain.layer=blocks.4",
        "share a scale, in logits",
    ):
        assert phrase in last
        assert phrase not in finer
    assert "share a scale, in units of the map" in finer
    # Sums are exact on the last layer, whichever layer's maps are shown.
    for whole in (last, finer):
        assert "logits; the last layer, one cell 32 × 32 input pixels)" in whole


NO_SUM = "in no map, and cells and bias do not sum to the logit."


@pytest.mark.parametrize("readout", ["box", "pyramid", "fpn"])
def test_maps_that_show_more_than_heads_read_say_so(mapped_study, readout):
    page, study = mapped_study(readout=readout, network=DETECTOR if readout == "fpn" else LITE)
    whole = text_of(f"<body>{section(page, 'saliency')}")
    assert (
        "They are Grad-CAM maps of the whole picture, while heads read the object’s box alone"
        in whole
    )
    # A sum that is none has no error, and a part that is not known has no share.
    is_sum = readout == "box"
    assert (NO_SUM in whole) != is_sum
    assert ("largest deviation 6e-07 logits" in whole) == is_sum
    assert ("Signed share not known" in whole) == (readout == "fpn")
    rows = body_of(page, "Whole picture, untouched: what maps measure")
    shares = {cells[-1] for cells in rows if len(cells) > 1}
    assert (shares == {"–"}) == (readout == "fpn")
    lifts = {cells[3] for cells in rows if len(cells) > 1}
    assert "–" not in lifts
    assert not re.search(r"\bnan\b|None", whole)
    assert "share a scale, in units of the map" in text_of(page)
    assert study.about["largest_sum_error"] is None or is_sum


def test_maps_of_what_heads_read_need_no_such_sentence(any_numbers):
    whole = text_of(any_numbers("last")[0])
    assert "while heads read" not in whole
    assert "largest deviation 6e-07 logits" in whole


@pytest.mark.parametrize(
    ("cells", "due"),
    [
        ({"a": 8, "b": 4, "c": 2, "last": 2}, "b"),
        ({"a": 7, "b": 7, "last": 7}, ""),
        ({"last": 1}, ""),
    ],
)
def test_the_finer_layer_is_the_next_with_more_cells(telling_study, cells, due):
    facts = dataclasses.replace(telling_study.backbone, cells=cells)
    assert saliency.finer_layer(dataclasses.replace(telling_study, backbone=facts)) == due


def test_every_sentence_stands_in_the_page(any_numbers):
    page, study = any_numbers("last")
    whole = re.sub(r"\s", "", text_of(page))
    sentences = [sentence(study) for sentence in SENTENCES]
    assert all(sentences)
    for sentence in sentences:
        assert re.sub(r"\s", "", sentence) in whole


def test_captions_of_maps_name_their_task(any_numbers):
    page = any_numbers("last")[0]
    for caption in captions_of(section(page, "saliency")):
        assert re.search(r"\. (Whole picture|Window)\b", caption)


def test_how_little_a_window_leaves_to_maps_is_said_with_its_numbers(any_numbers):
    study = any_numbers("last")[1]
    rows = summaries(study)
    own, chance = (
        rows["object", name, UNTOUCHED, "all", "all"] for name in ("predicted", "random_box")
    )
    sentence = saliency.in_window(study)
    assert f"takes {text.percent(own['box_area_share'])} of what is shown" in sentence
    assert f"brightest cell of {text.percent(chance['pointing_hit'])} of the maps" in sentence
    assert saliency.in_window(without(study, "attention", map="random_box")) == ""
    assert saliency.in_window(without(study, "attention", task="object")) == ""


def test_what_no_map_measures_is_a_dash(any_numbers):
    whole = text_of(any_numbers("last")[0])
    assert not re.search(r"\bnan\b", whole, re.IGNORECASE)


def test_without_maps_there_is_no_section_and_deletion_stands_with_whole_pictures(mapped_study):
    def edit():
        for name in {*TABLES, "claims"} - {"faithfulness"}:
            path = INPUTS.table(name)
            pd.read_csv(path)[:0].to_csv(path, index=False)
        path = INPUTS.table("faithfulness")
        unknown = dict.fromkeys(("rank", "rank_low", "rank_high"))
        pd.read_csv(path).assign(**unknown).to_csv(path, index=False)

    page, _ = mapped_study(edit=edit)
    assert "saliency" not in re.findall(r'<section id="(.*?)"', page)
    part = section(page, "scene")
    assert "Deletion and insertion" in part
    assert "saliency map" not in part


@pytest.mark.parametrize("group", GROUPS)
def test_an_empty_size_has_a_dash_in_its_column_and_no_panel(telling_study, group):
    few = without(telling_study, *TABLES, size_group=group)
    left = [name for name in GROUPS if name != group]
    for task in TASKS:
        assert [part.group for part in saliency.rows(few, task)] == left
        assert len(saliency.panels(few, task)) == len(left)
    assert len(deletion.panels(few)) == len(left)
    column = GROUPS.index(group)
    for rows, before in (
        (outcomes.rows(few), 1), (controls.rows(few, "scene"), 1),
        (controls.rows(few, "object"), 1), (deletion.rows(few), 0),
    ):  # fmt: skip
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
    for caption in ("greater lift (predicted class)", "mean share of", "mean change of"):
        rows = body_of(part, caption)
        assert {cells[-2] for cells in rows if len(cells) > 1} == {"–"}
    assert "Medium objects" not in part
    assert not re.search(r"\bnan\b", part, re.IGNORECASE)


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
        side = telling_study.similarity("scene", "downscale", group)["side_untouched"]
        assert telling_study.median_side(group) == side


@pytest.mark.parametrize("name", TABLES)
def test_an_empty_table_leaves_its_parts_out(telling_study, name):
    measured = functools.partial(saliency.rows, task="scene")
    lifts = functools.partial(saliency.panels, task="object")
    excesses = functools.partial(controls.rows, task="scene")
    parts = {
        "attention": (measured, lifts, excesses, outcomes.panels, outcomes.rows),
        "attention_controls": (excesses,),
        "attention_outcomes": (outcomes.panels, outcomes.rows),
        "faithfulness": (deletion.panels, deletion.rows),
    }
    sentences = {
        "attention": (saliency.in_window,),
        "attention_controls": (functools.partial(controls.sentence, task="object"),),
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
    for task in TASKS:
        found = with_tables(telling_study, attention=shuffled).mapped_conditions(task)
        names = [one.name for one in telling_study.conditions(task)]
        assert found == [name for name in names if name != "downscale"]


@pytest.mark.parametrize("task", TASKS)
def test_panels_of_lifts_have_the_tables_numbers_and_one_axis(telling_study, task):
    rows = summaries(telling_study)
    panels = saliency.panels(telling_study, task)
    for panel, group in zip(panels, GROUPS, strict=True):
        assert f"{TASKS[task]}, {group} objects" in panel
        across = scale(panel, "x")
        kinds = list(KINDS.values())
        for colour, part in ((INK, kinds[:3]), (FAINT, kinds[3:])):
            due = [rows[task, name, UNTOUCHED, group, outcome]["lift"] for name, outcome in part]
            np.testing.assert_allclose(across(places(dots(panel, colour), "x")), due, atol=0.01)
        np.testing.assert_allclose(across([60, 160]), scale(panels[0], "x")([60, 160]))


def test_the_axis_of_lifts_holds_every_quartile(telling_study):
    far = with_tables(
        telling_study, attention=telling_study.tables["attention"].assign(lift_q3=9.0)
    )
    for panel in saliency.panels(far, "object"):
        left, width = map(
            float, re.search(r'<rect x="(\S+)" y="\S+" width="(\S+)"', panel).groups()
        )
        assert scale(panel, "x")(left + width) > 9
        ends = [x2 for _, _, x2, _ in intervals(panel, INK)]
        np.testing.assert_allclose(scale(panel, "x")(ends), 9, atol=0.05)
