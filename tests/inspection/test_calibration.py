"""Short measurements: what takes longer measures longer, and nothing is left behind."""

import errno

import numpy as np
import pandas as pd
import pytest

from builders.full_disk import room_for
from builders.readings import opener_of
from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.networks.weight_sources import load_weights
from smallsight.conditions.rendering.instance_views import InstanceViews
from smallsight.conditions.rendering.levels import levels_by_family
from smallsight.imaging.pictures import InputFormat
from smallsight.inspection.calibration import GREY, time_network, time_rendering

SHARED = InstanceViews(GREY, InputFormat(32), 0.25)
TASKS = params.Tasks(scene=("orig_full",), window_margin=0.25)


def sample(**columns):
    table = pd.DataFrame(
        {
            "image_id": [1, 2, 3],
            "ann_id": [1, 2, 3],
            "bbox_x": 20.0,
            "bbox_y": 20.0,
            "bbox_w": [6.0, 20.0, 60.0],
            "bbox_h": [6.0, 20.0, 60.0],
            "category_name": "car",
            "size_group": ["small", "medium", "large"],
            "width": 160,
            "height": 120,
        }
    )
    return table.assign(**columns)


def seconds(settings, table):
    return time_rendering(levels_by_family(settings, TASKS), table, SHARED)


def test_more_levels_and_larger_pictures_take_longer(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    few = {"orig_full": {}}
    many = few | {"shift": {"reach": [9], "draw": list(range(1, 21))}, "bg_swap": {"donor": "same"}}
    once = seconds(few, sample())
    assert 0 < once < seconds(many, sample())
    assert once < seconds(few, sample(width=1600, height=1200))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_as_such():
    with pytest.raises(OSError) as caught, room_for(1000):
        seconds({"orig_full": {}}, sample())
    assert caught.value.errno == errno.EFBIG


def test_objects_too_small_for_a_family_are_passed_over():
    settings = {"orig_full": {}, "pixels": {"side": [6, 48]}}
    assert seconds(settings, sample().iloc[:2]) > 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_larger_inputs_take_longer(monkeypatch, workers):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
    settings = params.load().backbone.model_copy(update={"weights": "random"})
    backbone = Backbone(load_weights(settings, seed=0).weights)
    reader = opener_of(backbone)()
    narrow, wide = (time_network(reader, size=size, is_shared=True) for size in (32, 160))
    assert 0 < 2 * narrow.seconds < wide.seconds
    assert 0 < wide.share <= 1
    assert np.isfinite(narrow.seconds)
