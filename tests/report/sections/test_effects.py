"""What the report shows of the analysis, in the page and in its parts."""

import itertools
import re

import pandas as pd
import pytest

from builders.study_files import INPUTS, conditions
from readers.report_pages import Tables, text_of
from smallsight.conditions.names import UNTOUCHED
from smallsight.conditions.registry import FAMILIES
from smallsight.report import text
from smallsight.report.sections import evidence
from smallsight.report.text import p_value, signed
from smallsight.vocabulary import DIFFERENCE, GROUPS


def table(page, caption):
    return next(rows for found, rows in Tables(page).tables if caption in found)


def relabelled(family, levels):
    """Give the levels of one family other names, in every table."""
    old = [step for step in conditions() if step.family == family]
    new = [family, *(f"{family}/{level}" for level in levels[1:])]
    names = {step.name: name for step, name in zip(old, new, strict=True)}
    for path in (INPUTS.accuracy, INPUTS.effects, INPUTS.thresholds, INPUTS.bins, INPUTS.severity):
        changed = pd.read_csv(path)
        if "level" in changed:
            told = {step.level: level for step, level in zip(old, levels, strict=True)}
            here = changed["family"] == family
            changed.loc[here, "level"] = changed.loc[here, "level"].map(told)
        changed["condition"] = changed["condition"].replace(names)
        changed.to_csv(path, index=False)
    wide = pd.read_csv(INPUTS.conditions)
    wide["condition"] = wide["condition"].replace(names)
    wide.to_csv(INPUTS.conditions, index=False)


def test_every_claim_stands_with_its_verdict_and_numbers(report_page):
    made = report_page()
    claims = pd.read_csv(INPUTS.claims, keep_default_na=False)
    rows = table(made, "supported")
    found = [row for row in rows[1:] if len(row) > 1]
    assert len(found) == len(claims)
    for cells, row in zip(found, claims.itertuples(), strict=True):
        text = " ".join(cells)
        sign = {"supported": "✓", "contradicted": "✗", "inconclusive": "○"}[row.verdict]
        assert f"{sign} {row.verdict}" in text
        assert (row.contrary in text) == (row.verdict == "contradicted")
        assert signed(row.effect) in text
        for p in (row.p_value, row.p_holm):
            assert p_value(p) in text
        for name in filter(None, row.vacuous.split(", ")):
            assert {"downscale": "Downscale ∅", "bg_blur": "Background blur ⊙"}[name] in text
    for sentence in claims["sentence"]:
        assert sentence in text_of(made)


def test_a_contradicted_claim_gives_the_contrary(report_page):
    made = report_page(accuracy={"small": 0.8, "medium": 0.5, "large": 0.3})
    assert "Small objects are recognised more often than large ones, untouched." in text_of(made)


def test_every_effect_stands_with_its_sign_and_numbers(report_page):
    made = report_page(changes={("fixed", "orig_crop"): {"large": -0.7}})
    effects = pd.read_csv(INPUTS.effects).set_index(["regime", "condition", "size_group"])
    assert (effects["verdict"] == "lower").any()
    changes = [step for step in conditions() if step.name != UNTOUCHED]
    probes = [step for step in changes if FAMILIES[step.family].is_probe]
    kinds = {"changes": [step for step in changes if step not in probes], "probes": probes}
    for regime, kind in itertools.product(("Fixed", "Retrained"), kinds):
        head, *body = table(made, f"{regime} head: effects of {kind}")
        assert [" ".join(title.split()) for title in head[1:]] == [
            *(f"{group.capitalize()} n = {effects.loc['fixed', 'orig_crop', group].n:.0f}"
              for group in GROUPS),
            "Small − large",
        ]  # fmt: skip
        for cells, step in zip(body, kinds[kind], strict=True):
            for cell, group in zip(cells[1:], (*GROUPS, DIFFERENCE), strict=True):
                row = effects.loc[regime.lower(), step.name, group]
                sign = {"higher": "▲ ", "lower": "▼ ", "inconclusive": ""}[row.verdict]
                assert sign + text.signed(row.delta) in cell
                assert ("▲" in cell or "▼" in cell) == bool(sign)
                assert f"({text.span(row)})" in cell
                assert f"p {text.p_value(row.p_holm)}" in cell
                assert f"bal. {text.signed(row.balanced_delta)}" in cell
                assert ("mde" in cell) == (row.verdict == "inconclusive")
                marks = {"downscale": "∅", "bg_blur": "⊙"}
                assert re.findall("[∅⊙]", cell) == list(marks.get(step.name, ""))
                if group != DIFFERENCE:
                    assert f"{100 * row.acc:.1f}%" in cell


@pytest.mark.parametrize(
    ("family", "option", "steps"),
    [
        ("zoom", "factor", ["0.5", "untouched", "2", "4"]),
        ("downscale", "scale", ["untouched", "0.5", "0.25", "0.125"]),
        ("motion_blur", "length", ["untouched", "15", "31", "61"]),
        ("bg_blur", "sigma", ["untouched", "3.5", "8", "16"]),
    ],
)
def test_a_ladder_starts_at_the_untouched_pictures(reported_study, family, option, steps):
    found, named = evidence.ladder(reported_study(), family)
    assert found == option
    assert list(named.values()) == steps


def test_levels_of_several_options_keep_the_order_listed(reported_study):
    levels = ["length=0.5,unit=object", "length=15", "length=0.2,unit=object"]
    made = reported_study(edit=lambda: relabelled("motion_blur", levels))
    option, named = evidence.ladder(made, "motion_blur")
    assert option == "length, unit"
    assert list(named.values()) == ["untouched", "0.5\nobject", "15\n–", "0.2\nobject"]


def test_levels_in_shares_of_the_object_make_a_page(report_page):
    levels = [f"length={value},unit=object" for value in (0.1, 0.5, 1)]
    made = report_page(edit=lambda: relabelled("motion_blur", levels))
    text = text_of(made)
    assert "length=0.5, unit=object" in text
    assert "Motion blur, length=0.5" in text


def test_a_family_of_one_level_has_no_panel(reported_study):
    made = reported_study()
    families = {step.family for step in conditions() if not FAMILIES[step.family].is_probe}
    families -= {UNTOUCHED, "orig_crop"}
    assert len(evidence.dose_response(made)) == len(families)


def test_every_threshold_and_cost_stands_in_the_page(report_page):
    made = report_page(changes={("fixed", "orig_crop"): -0.25})
    thresholds = pd.read_csv(INPUTS.thresholds).set_index(["regime", "condition"])
    _, *body = table(made, "Thresholds in input pixels")
    steps = [step for step in conditions() if not FAMILIES[step.family].is_probe]
    for cells, step in zip(body, steps, strict=True):
        for number, regime in enumerate(("fixed", "retrained")):
            row = thresholds.loc[regime, step.name]
            assert f"{text.threshold(row)} px" in cells[1 + 2 * number]
            assert f"({text.threshold_span(row)})" in cells[1 + 2 * number]
            cost = text.factor(row.cost)
            assert cells[2 + 2 * number].split()[0] == cost


def test_the_audit_stands_in_the_page(report_page):
    made = report_page()
    severity = pd.read_csv(INPUTS.severity).set_index(["condition", "size_group"])
    _, *body = table(made, "Median similarity")
    changes = [step for step in conditions() if step.name != UNTOUCHED]
    for cells, step in zip(body, changes, strict=True):
        for cell, group in zip(cells[1:], GROUPS, strict=True):
            row = severity.loc[step.name, group]
            assert f"{row.ssim_box:.3f}" in cell
            assert f"picture {row.ssim_picture:.3f}; side {row.side:.1f} px" in cell
            assert ("∅" in cell or "⊙" in cell) == row.vacuous


def test_the_text_says_where_only_the_surroundings_change(report_page):
    text = text_of(report_page())
    assert "Whole pictures under ⊙: median similarity “Background blur” 0.90." in text


def test_strips_mark_what_is_vacuous(report_page):
    made = report_page()
    headings = re.findall(r"<h4>(.*?)</h4>", made)
    assert headings.count("Downscale ∅") == headings.count("Background blur ⊙") == len(GROUPS)
    assert "Downscale" not in headings
