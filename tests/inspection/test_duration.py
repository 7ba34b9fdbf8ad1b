"""What is counted, and what the times come to."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from smallsight import params
from smallsight.conditions.rendering.levels import levels_by_family
from smallsight.datasets.registry import SOURCES
from smallsight.inspection.calibration import Speed
from smallsight.inspection.duration import (
    FETCH_SECONDS,
    REMEDY_PASSES,
    STAGES_BESIDE_FAMILIES,
    Measured,
    count_work,
    estimate,
)
from smallsight.remedies.registry import REMEDIES
from smallsight.vocabulary import SCENE, TASKS

ROOT = Path(__file__).parents[2]
DEFAULT = params.load(ROOT / "params.yaml")
FAMILIES = levels_by_family(DEFAULT.conditions, DEFAULT.tasks)


def work(sides, *, remedies=DEFAULT.remedies, tasks=tuple(TASKS), is_fitted=True, images=337):
    return count_work(
        FAMILIES,
        np.asarray(sides, float),
        remedies,
        images=images,
        tasks=tasks,
        is_fitted=is_fitted,
        regimes=2,
        seeds=5,
    )


def test_the_default_study_is_counted_as_it_ran():
    # 371 of its 600 objects have 64 pixels and more, which is what `pixels` needs.
    found = work([100.0] * 371 + [10.0] * 229)
    assert found.rendered == found.shown == 13768
    assert found.passes == 2 * 13768
    assert found.answers == 137680
    assert found.references * 600 == 9600
    assert found.families == 11


def test_a_classifier_of_ones_own_has_no_heads_and_no_mirrored_pictures():
    found = work([100.0] * 10, tasks=(SCENE,), is_fitted=False)
    assert found.shown == found.passes == 10 * len(DEFAULT.tasks.scene)
    assert found.fits == 0
    assert found.rendered > found.shown


def test_remedies_that_look_again_cost_passes_of_pictures_or_objects():
    assert work([1.0] * 10, remedies={}).remedies == 0
    one = work([1.0] * 10, remedies={"clahe": True, "zoom": False}, images=4)
    assert (one.remedies, one.fits) == (4 + 10, 0)
    fitted = work([1.0] * 10, remedies={"pool_maximum": True})
    assert (fitted.remedies, fitted.fits) == (0, 2)


def test_what_is_known_beforehand_is_of_what_there_is():
    assert REMEDY_PASSES.keys() <= {one.name for one in REMEDIES}
    assert FETCH_SECONDS.keys() == SOURCES.keys() - {"local"}
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].values()
    assert sum("foreach" not in one for one in stages) == STAGES_BESIDE_FAMILIES
    assert sum("foreach" in one for one in stages) == 2


def test_the_default_study_takes_what_docs_say():
    """Of two cores, with the times per object and picture that its stages took there."""
    found = estimate(
        work([100.0] * 371 + [10.0] * 229),
        Measured(render=0.17, network=Speed(0.00113, 1.0), workers=2),
        source_seconds=8.7,
        fetch_seconds=20.3,
    )
    parts = {one.name: one.seconds for one in found.parts}
    assert parts["rendering"] == pytest.approx(51, rel=0.1)
    assert parts["the network, conditions"] == pytest.approx(31, rel=0.1)
    remedies = parts["the network, remedies"] + parts["heads and predictions"]
    assert remedies == pytest.approx(44 + 7, rel=0.15)
    assert parts["saliency maps"] == pytest.approx(9, abs=3)
    assert parts["removing the object"] == pytest.approx(8, abs=2)
    assert found.seconds == pytest.approx(285, rel=0.1)
    assert found.in_words() == "about 5 minutes (3 to 7)"


def test_a_network_that_is_not_run_here_leaves_parts_unknown():
    found = estimate(
        work([10.0] * 5),
        Measured(render=0.1, network=Speed(float("nan"), 1.0), workers=1),
        source_seconds=1.0,
        fetch_seconds=1.0,
    )
    assert found.unknown == (
        "the network, conditions",
        "the network, remedies",
        "removing the object",
    )
    assert np.isfinite(found.seconds)


def test_a_busy_machine_is_told():
    measured = Measured(render=0.1, network=Speed(0.001, 0.25), workers=1)
    found = estimate(work([10.0]), measured, source_seconds=1.0, fetch_seconds=1.0)
    assert found.taken == 0.75
    alone = Measured(render=0.1, network=Speed(0.001, 0.9), workers=1)
    assert estimate(work([10.0]), alone, source_seconds=1, fetch_seconds=1).taken == 0
