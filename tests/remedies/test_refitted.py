from dataclasses import replace

import numpy as np
import pytest
import torch

from builders.readings import opener_of
from builders.remedy_bench import (
    HEADS,
    SIZE,
    Colours,
    anew,
    bench_on,
    drawn,
    shown_by,
    trunk_of,
    untouched_logits,
)
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import read_features
from smallsight.backbones.pooling import mean_over_cells
from smallsight.conditions.rendered.store import read_pictures
from smallsight.conditions.rendered.views import read_views
from smallsight.evaluation.crossfit import fit_heads
from smallsight.remedies import refitted
from smallsight.remedies.bench import ImpossibleError
from smallsight.remedies.inputs import FACTORS, larger, look_larger
from smallsight.remedies.pooling import maximum_over_cells
from smallsight.remedies.refitted import (
    REMEDIES,
    RESNET,
    SMALL_WEIGHT,
    dilated,
    input_refitted,
    pooled,
    several_windows,
    small_weighted,
    strides,
)
from smallsight.vocabulary import TASKS

both_tasks = pytest.mark.parametrize("task", TASKS)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return bench_on(tmp_path_factory.mktemp("bench"), drawn(), Colours())


def fitted_on(bench, plain, turned):
    """Logits of heads that are fitted on features, (n, dimensions), and tested on them."""
    seen = replace(bench.stored("scene"), plain=plain, mirrored=turned)
    fitted = fit_heads(bench.splits, seen, settings=HEADS)
    return bench.logits(fitted, plain)


# Larger inputs.


@both_tasks
@pytest.mark.parametrize("factor", FACTORS)
def test_heads_are_fitted_on_larger_inputs_of_both_kinds(bench, task, factor):
    found = input_refitted(factor)(bench, task)
    looks = look_larger(bench, task, factor).features
    plain, turned = (np.stack([one[place] for one in looks])[bench.row(task)] for place in (0, 1))
    np.testing.assert_allclose(found.logits, fitted_on(bench, plain, turned), atol=1e-6)
    assert found.passes == factor**2
    assert (turned != plain).any()


@both_tasks
def test_heads_fitted_on_an_input_that_is_not_larger_are_those_of_untouched_pictures(bench, task):
    found = input_refitted(1.0)(bench, task)
    np.testing.assert_allclose(found.logits, untouched_logits(bench, task), atol=1e-4)


def test_larger_inputs_are_seen_once_for_both_kinds_of_heads(bench):
    own = anew(bench)
    fixed = larger(1.5)(own, "scene")
    shown = len(shown_by(own))
    refitted = input_refitted(1.5)(own, "scene")
    assert len(shown_by(own)) == shown
    assert (fixed.passes, fixed.ratio) == (refitted.passes, refitted.ratio)
    assert (fixed.logits != refitted.logits).any()


# A network that is changed.


def test_a_resnet_is_dilated(bench, weights, tmp_path):
    own = anew(bench, trunk=trunk_of(weights, tmp_path))
    found = dilated(own, "object")
    changed = Backbone(weights._replace(is_dilated=True))
    looks = own.look(
        "object", lambda picture, _: [picture, picture[:, ::-1]], other=opener_of(changed)
    )
    plain, turned = (np.stack([one[place] for one in looks.features]) for place in (0, 1))
    np.testing.assert_allclose(found.logits, fitted_on(bench, plain, turned), atol=1e-3)
    assert found.passes == 1
    assert found.ratio > 1
    # The study's own network is only shown plain pictures, beside.
    assert set(shown_by(own)) == {SIZE}


@both_tasks
def test_what_cannot_be_dilated_says_why_and_what_would_test_it(bench, task):
    with pytest.raises(ImpossibleError, match="only a ResNet") as caught:
        dilated(bench, task)
    assert caught.value.reason == str(caught.value)
    assert caught.value.command == f"{RESNET} -S remedies.dilated=true"


# Other pooling.


@both_tasks
def test_heads_are_fitted_on_pooled_maps_of_pictures_and_mirror_images(bench, task, monkeypatch):
    """By the mean, they are those of untouched pictures."""
    monkeypatch.setattr(refitted, "POOLINGS", (mean_over_cells,))
    by_mean = pooled(mean_over_cells)(anew(bench), task)
    monkeypatch.undo()
    np.testing.assert_allclose(by_mean.logits, untouched_logits(bench, task), atol=1e-4)
    found = pooled(maximum_over_cells)(bench, task)
    seen = read_features(bench.features, bench.untouched(task), "scene", maps=True)
    rendered = read_pictures(
        bench.conditions / bench.untouched(task).folder,
        read_views(bench.conditions, bench.untouched(task)),
    )
    with torch.inference_mode():
        maps = Colours()(torch.from_numpy(rendered[:, :, ::-1].copy())).numpy()
    due = fitted_on(bench, maximum_over_cells(seen.maps[:])[seen.row], maximum_over_cells(maps))
    np.testing.assert_allclose(found.logits, due, atol=1e-4)
    assert (found.passes, found.ratio) == (1, 1)


def test_maps_are_made_once_for_all_kinds_of_pooling(bench):
    own = anew(bench)
    for _ in range(2):
        pooled(maximum_over_cells)(own, "object")
    assert shown_by(own) == [SIZE] * len(own.row("object"))


# Other training.


@both_tasks
def test_small_objects_count_as_several_in_training(bench, task):
    is_small = (bench.splits.sample["size_group"] == "small").to_numpy()
    fitted = fit_heads(
        bench.splits, bench.stored(task), settings=HEADS,
        importance=np.where(is_small, SMALL_WEIGHT, 1),
    )  # fmt: skip
    found = small_weighted(bench, task)
    due = bench.logits(fitted, bench.stored(task).plain)
    np.testing.assert_array_equal(found.logits, due)
    assert (found.logits != untouched_logits(bench, task)).any()


@both_tasks
def test_heads_learn_from_pictures_and_windows_together(bench, task):
    also = [bench.stored("object" if task == "scene" else "scene")]
    fitted = fit_heads(bench.splits, bench.stored(task), settings=HEADS, also=also)
    found = several_windows(bench, task)
    due = bench.logits(fitted, bench.stored(task).plain)
    np.testing.assert_array_equal(found.logits, due)
    assert (found.passes, found.ratio) == (1, 1)


@both_tasks
def test_strides_are_read_out_over_all_that_is_shown(bench, task):
    """As over the box, where that is the whole picture; by heads of their own."""
    found = strides(bench, task)
    assert np.isfinite(found.logits).all()
    assert (found.logits != untouched_logits(bench, task)).any()
    over_the_box = bench.stored(task, "pyramid")
    fitted = fit_heads(bench.splits, over_the_box, settings=HEADS)
    assert (found.logits != bench.logits(fitted, over_the_box.plain)).any()
    assert (found.passes, found.ratio) == (1, 1)


def test_every_remedy_needs_a_head_and_in_the_window_also_the_box():
    for one in REMEDIES:
        assert dict(one.needs) == {"scene": "head", "object": "box_head"}
