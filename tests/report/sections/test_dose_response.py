"""Levels in order, each family of several in a panel."""

import contextlib
import dataclasses

import pandas as pd
import pytest

from builders.study_files import INPUTS, ROOT, with_tables, write_study
from readers.drawings import tooltips
from smallsight import params
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.conditions.rendering.levels import facts_of, levels_of
from smallsight.report.inputs import read_study
from smallsight.report.sections import dose_response
from smallsight.vocabulary import GROUPS, HEADLINE_TASK

pytestmark = pytest.mark.page

FEW = (UNTOUCHED, "downscale", "motion_blur")


def with_levels(study, family, **options):
    """Give one family several levels; all have the numbers of its reference level."""
    tasks = params.load(ROOT / "params.yaml").tasks
    facts = facts_of(levels_of(family, {family: options}, tasks))
    steps = facts.in_task(HEADLINE_TASK)
    tables = {}
    for name in ("accuracy", "effects", "severity"):
        table = study.tables[name]
        is_own = table["condition"] == family
        here = is_own & (table["task"] == HEADLINE_TASK)
        levels = [table[here].assign(condition=one.name) for one in steps]
        if name == "accuracy":
            levels = [rows.assign(level=one.level) for rows, one in zip(levels, steps, strict=True)]
        tables[name] = pd.concat([table[~is_own], *levels], ignore_index=True)
    families = {**study.families, family: facts}
    return with_tables(dataclasses.replace(study, families=families), **tables)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    with contextlib.chdir(write_study(tmp_path_factory.mktemp("doses"), only=FEW)):
        return read_study(INPUTS, params.load())


@pytest.mark.parametrize(
    ("family", "option", "given", "ticks"),
    [
        ("downscale", "scale", [0.5, 0.25, 0.125], ["untouched", "0.5", "0.25", "0.125"]),
        ("motion_blur", "length", [15, 61, 31], ["untouched", "15", "31", "61"]),
    ],
)
def test_levels_start_at_the_untouched_pictures(study, family, option, given, ticks):
    made = with_levels(study, family, **{option: given})
    found, order = dose_response.order_levels(made, family)
    assert found == option
    assert list(order.values()) == ticks


def test_levels_of_several_options_keep_the_order_listed(study):
    made = with_levels(study, "motion_blur", length=[0.5, 15], unit=["object", "native"])
    option, ticks = dose_response.order_levels(made, "motion_blur")
    assert option == "length, unit"
    assert list(ticks.values()) == ["untouched", "0.5\nobject", "0.5\n–", "15\nobject", "15\n–"]


def test_a_family_of_several_levels_has_a_panel_with_every_level(study):
    made = with_levels(study, "downscale", scale=[0.5, 0.25])
    section = dose_response.build(made)
    assert section.task == "window"
    (panel,) = section.panels
    labels = [made.label(name) for name in (UNTOUCHED, "downscale", "downscale/scale=0.25")]
    found = [told.partition(":")[0] for told in tooltips(panel)]
    assert sorted(found) == sorted(f"{label}, {group}" for label in labels for group in GROUPS)


def test_where_no_family_has_several_levels_there_is_no_section(study):
    assert dose_response.build(study) is None


def test_sweeps_have_no_panel(forms):
    assert len(forms.study.families["pixels"].conditions) > 1
    assert dose_response.build(forms.study) is None
