"""What several test modules share; only the number of torch's threads applies to all."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from builders import views
from builders.families import level
from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import Features
from smallsight.backbones.networks.libraries import make_network
from smallsight.backbones.networks.weights import Weights
from smallsight.backbones.registry import find_backbone
from smallsight.imaging import masks
from smallsight.imaging.boxes import Box

ROOT = Path(__file__).parents[1]
CHROMIUM = Path("/usr/bin/chromium")


def pytest_collection_modifyitems(items):
    """Start with the module that takes longest: all others run beside it."""
    items.sort(key=lambda item: item.path.name != "test_study.py")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Keep torch's threads from waiting for cores that other processes hold: 15 times faster."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def single_worker(monkeypatch):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "1")
    monkeypatch.delenv("SMALLSIGHT_DASK", raising=False)


@pytest.fixture(scope="session")
def study():
    """The repository's own parameters."""
    return params.load(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def cpu():
    return torch.device("cpu")


@pytest.fixture(scope="session")
def weights():
    """Random weights, with statistics of batch normalisation that are not the first ones."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = make_network(find_backbone("resnet18")).module
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.uniform_(-0.1, 0.1)
                layer.running_var.uniform_(0.5, 1.5)
    return Weights(
        "resnet18",
        is_dilated=False,
        state=network.state_dict(),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )


@pytest.fixture(scope="session")
def backbone(weights):
    return Backbone(weights)


@pytest.fixture(scope="session")
def noise():
    """Make a random picture that cannot be written to."""

    def noise(height, width, seed=0):
        picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
        picture.setflags(write=False)
        return picture

    return noise


@pytest.fixture
def study_sample(tmp_path, noise):
    """Three pictures with two objects each, as a sample has them."""
    rows = []
    for image_id in (7, 3, 12):
        path = tmp_path / "pictures" / f"{image_id}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(noise(60, 80, image_id)).save(path)
        boxes = [(4.0, 8.0, 24.0, 20.0), (70.5, 48.25, 10.0, 12.5)]
        for number, (x, y, w, h) in enumerate(boxes):
            box = {"bbox_x": x, "bbox_y": y, "bbox_w": w, "bbox_h": h}
            ids = {"image_id": image_id, "ann_id": 10 * image_id + number}
            rows.append(ids | {"image_path": str(path)} | box)
    return pd.DataFrame(rows).sort_values(["image_id", "ann_id"], ignore_index=True)


@pytest.fixture
def sample(study_sample):
    """Those objects in two categories; the first of each picture is large, the other small."""
    area = study_sample["bbox_w"] * study_sample["bbox_h"]
    return study_sample.assign(
        category_name=list("aababb"), area_ratio=area / 4800, size_group=["large", "small"] * 3
    )


@pytest.fixture
def known(sample):
    """Masks of all its objects but the last."""
    known = {}
    for row in sample[:-1].itertuples():
        box = Box(row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h)
        known[row.image_id, row.ann_id] = masks.encode(views.ellipse(box, 60, 80))
    return known


@pytest.fixture(scope="session")
def population():
    """Make a sample without pictures: images of several instances, categories and sizes."""

    def population(images=40, categories=("a", "b", "c", "d", "e", "f"), seed=0):
        rng = np.random.default_rng(seed)
        image_id = np.repeat(np.arange(images) * 3 + 1, rng.integers(1, 6, images))
        n = len(image_id)
        return pd.DataFrame(
            {
                "image_id": image_id,
                "ann_id": np.arange(n) + 500,
                "category_name": rng.choice(categories, n),
                "size_group": rng.choice(["small", "medium", "large"], n),
            }
        )

    return population


@pytest.fixture(scope="session")
def features_of():
    """Wrap arrays of features, one row per instance of a sample."""

    def features_of(sample, plain, mirrored=None, maps=None):
        n = len(sample)
        return Features(
            image_id=sample["image_id"].to_numpy(),
            ann_id=sample["ann_id"].to_numpy(),
            side=np.linspace(2, 60, n),
            row=np.arange(n),
            plain=plain,
            mirrored=plain if mirrored is None else mirrored,
            maps=np.empty((0, plain.shape[1], 0, 0), np.float32) if maps is None else maps,
        )

    return features_of


@pytest.fixture(scope="session")
def condition():
    """Make a family's only condition in a task from its options."""

    def condition(name, task="object", **options):
        return level(name, task, **options).condition

    return condition


@pytest.fixture(scope="session")
def browser():
    """Chromium, driven by Playwright; tests that want it are skipped where it is not there."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield started
        started.close()
