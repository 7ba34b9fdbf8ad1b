"""Claims: every one in both tasks, with its parts, verdict, numbers and small print."""

import pandas as pd

from builders.study_files import INPUTS, WHOLE, edited
from readers.report_pages import body_of, rows_of, section, text_of
from smallsight.report.sections import claims
from smallsight.report.text import TASK_NAMES, p_value, signed, span
from smallsight.vocabulary import HEADLINE_TASK, SCENE, TASKS

SIGNS = {"supported": "✓", "contradicted": "✗", "not decided": "○"}
VACUOUS = {"downscale": "Downscale ∅", "bg_blur": "Background blur ⊙"}


def test_every_row_of_the_table_stands_with_its_verdict_and_numbers(report_page):
    made = report_page(**WHOLE)
    table = pd.read_csv(INPUTS.table("claims"), keep_default_na=False)
    rows = rows_of(made, "✓ supported")
    found = [row for row in rows[1:] if len(row) > 1]
    assert len(found) == len(table)
    assert set(table["task"]) == set(TASKS)
    for cells, row in zip(found, table.itertuples(), strict=True):
        text = " ".join(cells)
        assert f"{SIGNS[row.verdict]} {row.verdict}" in text
        assert (row.contrary in text) == (row.verdict == "contradicted" and not row.part)
        assert signed(row.effect) in text
        for p in (row.p_value, row.p_holm):
            assert p_value(float(p)) in text
        for name in filter(None, row.vacuous_conditions.split(", ")):
            assert VACUOUS[name] in text
        assert ("by itself decided" in text) == row.adjusted
        place = row.part or f"{TASK_NAMES[row.task].capitalize()}, {row.regime} head"
        assert " ".join(cells[0].split()) == place
    for sentence in table["sentence"]:
        assert sentence in text_of(made)


def test_whole_sentences_and_parts_come_first_in_both_tasks_with_small_print(forms):
    table = forms.study.tables["claims"]
    part = section(forms.screen, "claims")
    assert part.index("The original study’s sentences") < part.index("Draws: share")
    body = body_of(f"<body>{part}", "The original study’s sentences")
    due = []
    for _, rows in table.groupby("claim", sort=False):
        for part in dict.fromkeys(rows["part"]):
            cells = [part or rows["sentence"].iloc[0]]
            for task in TASKS:
                chosen = rows[(rows["part"] == part) & (rows["task"] == task)]
                cells.append(cell_of(chosen.iloc[0]) if len(chosen) else "–")
            due.append(cells)
    assert len({cells[0] for cells in due}) > 6
    assert body == due


def cell_of(row):
    names = [VACUOUS[name] for name in row["vacuous_conditions"].split(", ") if name]
    notes = [f"objects hardly changed: {' and '.join(names)}"] if names else []
    notes += ["by itself decided"] if row["adjusted"] else []
    printed = "".join(f"; {note}" for note in notes)
    return f"{SIGNS[row['verdict']]} {row['verdict']} ({span(row)}){printed}"


def test_small_print_travels_with_the_verdict(report_page):
    made = report_page(edit=edited(INPUTS.table("claims"), adjusted=True))
    table = pd.read_csv(INPUTS.table("claims"), keep_default_na=False)
    assert text_of(made).count("by itself decided") >= len(table)


def test_a_contradicted_claim_gives_the_contrary(report_page):
    made = report_page(accuracy={"small": 0.8, "medium": 0.5, "large": 0.3})
    assert "Small objects are recognised more often than large ones, untouched." in text_of(made)


def test_a_claim_is_found_by_task(reported_study):
    study = reported_study(
        accuracy={"small": 0.8, "medium": 0.5, "large": 0.3},
        scene={"small": 0.3, "medium": 0.5, "large": 0.8},
    )
    for task, direction in ((SCENE, 1), (HEADLINE_TASK, -1)):
        row = claims.find_row(study, task, "small_worse_untouched")
        assert (row["task"], row["part"], row["direction"]) == (task, "", direction)
    assert claims.find_row(study, SCENE, "anything_else") is None


def test_a_sentence_that_only_one_task_can_test_has_a_dash_in_the_other(reported_study):
    study = reported_study()
    cropping = next(one for one in claims.rows(study) if "Cropping" in one.sentence)
    scene, window = cropping.cells
    assert scene.row["task"] == SCENE
    # The window is the crop.
    assert window is None


def test_every_part_says_which_task_regime_and_sentence_it_is_of(reported_study):
    study = reported_study(**WHOLE)
    for claim in claims.rows(study):
        for test in claim.tests:
            for one in (test.whole, *test.parts):
                assert (one.row["task"], one.row["regime"]) == (test.task, test.regime)
                assert one.row["sentence"] == claim.sentence
        assert all(any(part.cells) for part in claim.parts)
