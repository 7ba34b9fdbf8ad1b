from pathlib import Path

import numpy as np
import pandas as pd
import plain_study
import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).parents[2]
N = 20
EPOCHS = 5
BOX = (16, 12, 32, 24)


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The study of pictures that are red where they show a bus, and blue where a car."""
    folder = tmp_path_factory.mktemp("plain")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(N):
        name, colour = (("bus", (220, 20, 20)), ("car", (20, 20, 220)))[number % 2]
        noise = rng.integers(-20, 20, (48, 64, 3))
        path = folder / f"{number}.png"
        Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8)).save(path)
        rows.append((number, path, number, name, 20, 16, 24, 16))
    box = ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]
    names = ["image_id", "image_path", "ann_id", "category_name", *box]
    settings = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    settings["backbone"] |= {"name": "resnet18", "input_size": 32}
    settings["heads"] |= {"epochs": EPOCHS, "batch_size": 4, "learning_rate": 0.02}
    rendered = folder / "rendered"
    rendered.mkdir()
    found = plain_study.study(pd.DataFrame(rows, columns=names), settings, rendered)
    return found, rendered


def test_every_condition_has_its_pictures_and_a_head_that_learns(done):
    found, rendered = done
    assert list(found["accuracies"]) == list(plain_study.CONDITIONS)
    assert found["heads"] == 6
    assert found["accuracies"]["orig_full"] == 1
    assert all(0 <= accuracy <= 1 for accuracy in found["accuracies"].values())
    for name in plain_study.CONDITIONS:
        assert len(list((rendered / name).glob("*.jpg"))) == N


def test_every_epoch_runs_the_network_over_all_training_pictures(done):
    found, _ = done
    assert found["pictures"] == 6 * N
    assert found["passes"] == 6 * (EPOCHS * 16 + 4)
    assert set(found["steps"]) == {"render", "decode", "network"}
    assert all(seconds > 0 for seconds in found["steps"].values())


def test_conditions_change_what_they_name(picture):
    before = picture.copy()
    made = {
        name: plain_study.CONDITIONS[name](picture, BOX, **options)
        for name, options in {
            "orig_full": {}, "orig_crop": {"margin": 0.25}, "downscale": {"scale": 0.5},
            "motion_blur": {"length": 15}, "occlusion": {"ratio": 0.5},
            "bg_blur": {"sigma": 3.5, "margin": 0.0},
        }.items()
    }  # fmt: skip
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(made["orig_full"], picture)
    np.testing.assert_array_equal(made["orig_crop"], picture[6:42, 8:56])
    black = (made["occlusion"] == 0).all(axis=-1)
    assert black[18:30, 24:40].all()
    assert black.sum() == 12 * 16
    sharp = (slice(12, 36), slice(16, 48))
    np.testing.assert_array_equal(made["bg_blur"][sharp], picture[sharp])
    for name in ("downscale", "motion_blur", "bg_blur"):
        assert made[name].shape == picture.shape
        assert made[name][40:].std() < picture[40:].std() / 1.5


def test_a_box_outside_the_picture_is_one_pixel(picture):
    assert plain_study.orig_crop(picture, (200, 100, 5, 5), margin=0).shape == (1, 1, 3)
