"""Levels in order, each family of several in a panel."""

import pandas as pd
import pytest

from builders.study_files import INPUTS, conditions
from readers.report_pages import text_of
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.sections import dose_response


def relabelled(family, levels):
    """Return the levels of one family other names, in every table."""
    old = [step for step in conditions() if step.family == family]
    new = [family, *(f"{family}/{level}" for level in levels[1:])]
    names = {step.name: name for step, name in zip(old, new, strict=True)}
    for path in (
        INPUTS.table("accuracy"),
        INPUTS.table("effects"),
        INPUTS.table("thresholds"),
        INPUTS.table("bins"),
        INPUTS.table("severity"),
    ):
        changed = pd.read_csv(path)
        if "level" in changed:
            told = {step.level: level for step, level in zip(old, levels, strict=True)}
            here = changed["family"] == family
            changed.loc[here, "level"] = changed.loc[here, "level"].map(told)
        changed["condition"] = changed["condition"].replace(names)
        changed.to_csv(path, index=False)
    wide = pd.read_csv(INPUTS.results)
    wide["condition"] = wide["condition"].replace(names)
    wide.to_csv(INPUTS.results, index=False)


@pytest.mark.parametrize(
    ("family", "option", "levels"),
    [
        ("zoom", "factor", ["0.5", "untouched", "2", "4"]),
        ("downscale", "scale", ["untouched", "0.5", "0.25", "0.125"]),
        ("motion_blur", "length", ["untouched", "15", "31", "61"]),
        ("bg_blur", "sigma", ["untouched", "3.5", "8"]),
    ],
)
def test_levels_start_at_the_untouched_pictures(reported_study, family, option, levels):
    found, ticks = dose_response.order_levels(reported_study(), family)
    assert found == option
    assert list(ticks.values()) == levels


def test_levels_of_several_options_keep_the_order_listed(reported_study):
    levels = ["length=0.5,unit=object", "length=15", "length=0.2,unit=object"]
    made = reported_study(edit=lambda: relabelled("motion_blur", levels))
    option, ticks = dose_response.order_levels(made, "motion_blur")
    assert option == "length, unit"
    assert list(ticks.values()) == ["untouched", "0.5\nobject", "15\n–", "0.2\nobject"]


def test_levels_in_shares_of_the_object_make_a_page(report_page):
    levels = [f"length={value},unit=object" for value in (0.1, 0.5, 1)]
    made = report_page(edit=lambda: relabelled("motion_blur", levels))
    text = text_of(made)
    assert "length=0.5, unit=object" in text
    assert "Motion blur, length=0.5" in text


def test_a_family_of_one_level_has_no_panel(reported_study):
    made = reported_study()
    families = {step.family for step in conditions() if not FAMILIES[step.family].is_intervention}
    families -= {UNTOUCHED, "orig_crop"}
    assert len(dose_response.panels(made)) == len(families)
