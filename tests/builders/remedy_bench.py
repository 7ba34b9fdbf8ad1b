"""Benches of remedies: drawn pictures, rendered and seen by networks whose rule is known.

Pictures, views, facts and features are written by the study's own writers.
"""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from builders.evaluations import CPU
from builders.readings import extracted, opener_of
from smallsight import params
from smallsight.backbones.engine import Engine
from smallsight.backbones.facts import LAST
from smallsight.backbones.feature_store import place_of_maps, write_features
from smallsight.backbones.networks.weights import Weights, write_weights
from smallsight.backbones.tensor_pooling import mean_over_boxes, mean_over_cells
from smallsight.backbones.trunk_file import TrunkFile
from smallsight.conditions.rendered.views import read_views
from smallsight.conditions.rendering.instance_views import InstanceViews, with_inputs
from smallsight.conditions.rendering.levels import facts_of, levels_by_family
from smallsight.conditions.rendering.render import render_family
from smallsight.evaluation.splitting import cross_validation
from smallsight.imaging.pictures import InputFormat
from smallsight.remedies.bench import Bench
from smallsight.runtime import files
from smallsight.sampling.donors import DONORS

INK = {"car": (230, 20, 20), "bus": (20, 200, 20), "person": (30, 30, 240)}
"""Colours of the objects."""
NAMES = tuple(INK)
SIZE, MARGIN = 32, 0.25
FOLDS, REPEATS = 3, 2
HEADS = params.Heads(readout="scene", epochs=4, batch_size=8, learning_rate=0.05)
FAMILIES = ("orig_full", "crop_low")
WITHOUT_A_NETWORK = Weights("efficientnet_lite0", is_dilated=False, state={}, mean=(), std=())
"""Weights of a network that cannot be dilated."""


class Stub(nn.Module):
    """A network without weights; `strides` of its cells, in input pixels, from fine to coarse.

    `made` holds what it was shown: the width of every input, in the order of work.
    """

    mean: torch.Tensor
    strides = (8,)

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1))
        self.made = []

    def evidence(self, pictures):
        """(n, dimensions, size, size), of pictures (n, size, size, 3), uint8."""
        raise NotImplementedError

    def forward(self, pictures):
        self.made.extend([pictures.shape[1]] * len(pictures))
        return functional.avg_pool2d(self.evidence(pictures), self.strides[-1])

    batch_size = 8

    def scene(self, pictures, names=()):
        return mean_over_cells(self(pictures))

    def read_out(self, pictures, regions, names=()):
        size, last = pictures.shape[1], self(pictures)
        parts = {
            LAST: last,
            "scene": mean_over_cells(last),
            "box": mean_over_boxes(last, regions, size=size),
        }
        if len(self.strides) == 1:
            return parts
        evidence = self.evidence(pictures)
        finer = [functional.avg_pool2d(evidence, stride) for stride in self.strides[:-1]]
        pooled = [mean_over_boxes(maps, regions, size=size) for maps in finer]
        return parts | {"finer": torch.cat(pooled, dim=1)}


class Colours(Stub):
    """Sees colours, and how much brighter each pixel is than the one to its right."""

    strides = (2, 4, 8)

    def evidence(self, pictures):
        colours = pictures.permute(0, 3, 1, 2).float() / 255 - 0.5
        grey = colours.mean(dim=1, keepdim=True)
        return torch.cat([colours, functional.relu(grey - grey.roll(-1, dims=3))], dim=1)


def drawn(*, images=10, height=60, width=80, seed=0):
    """Draw two objects, each in its category's colour, on the coarse ground of every picture."""
    rng = np.random.default_rng(seed)
    rows, pictures = [], {}
    for image_id in 3 * np.arange(images) + 7:
        coarse = rng.integers(60, 200, (6, 8, 3), np.uint8)
        picture = np.array(
            Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        )
        boxes = [(3.5, 2.25, 30.0, 37.5), (width - 14.5, height - 17.0, 14.5, 12.75)]
        for number, (box, group) in enumerate(zip(boxes, ("large", "small"), strict=True)):
            category = NAMES[rng.integers(len(NAMES))]
            rows.append(row_of(image_id, 10 * image_id + number, category, group, box))
            x, y, w, h = np.array(box).astype(int)
            picture[y : y + h, x : x + w] = INK[category]
        pictures[image_id] = picture
    return pd.DataFrame(rows), pictures


def row_of(image_id, ann_id, category, group, box):
    names = ("bbox_x", "bbox_y", "bbox_w", "bbox_h")
    ids = {"image_id": image_id, "ann_id": ann_id}
    about = {"category_name": category, "size_group": group}
    return ids | about | dict(zip(names, map(float, box), strict=True))


def bench_on(
    folder,
    scenes,
    network,
    *,
    size=SIZE,
    families=FAMILIES,
    settings=HEADS,
    divide=cross_validation,
    weights=WITHOUT_A_NETWORK,
    plant=lambda condition, seen, maps: (seen, maps),
):
    """Set up a bench in a folder, which is empty or not there.

    `scenes` are a sample without paths, and its pictures by image_id; `plant` changes what is
    stored of the pictures of a condition.
    """
    sample, pictures = scenes
    folder.mkdir(exist_ok=True)
    paths = {}
    for image_id, picture in pictures.items():
        paths[image_id] = str(folder / f"{image_id}.png")
        Image.fromarray(picture).save(paths[image_id], compress_level=1)
    areas = {image_id: picture[..., 0].size for image_id, picture in pictures.items()}
    sample = sample.assign(
        image_path=sample["image_id"].map(paths), img_area=sample["image_id"].map(areas)
    )
    shared = InstanceViews((128, 128, 128), InputFormat(size), MARGIN)
    instances = with_inputs(sample, {}, pd.DataFrame(columns=DONORS.names))
    tasks = params.Tasks(scene=("orig_full",), window_margin=MARGIN)
    conditions, features = folder / "conditions", folder / "features"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLSIGHT_WORKERS", "1")
        for family, levels in levels_by_family({name: {} for name in families}, tasks).items():
            (conditions / family).mkdir(parents=True)
            views = render_family(levels, instances, shared, seed=0, folder=conditions / family)
            files.write_table(views, conditions / family / "views.csv")
            for one in facts_of(levels).conditions:
                place = features / family / place_of_maps(one)
                seen, maps = extracted(
                    read_views(conditions, one), conditions / one.folder, network, place
                )
                seen, maps = plant(one, seen, maps)
                write_features(seen, one, features / family)
                np.save(place, maps)
    split = params.Evaluation(test_share=0.3, folds=FOLDS, repeats=REPEATS)
    network.made.clear()
    return Bench(
        splits=divide(sample, tuple(sorted(set(sample["category_name"]))), settings=split, seed=0),
        settings=settings,
        trunk=trunk_of(weights, folder, size=size),
        opener=opener_of(network),
        input_format=InputFormat(size),
        window_margin=MARGIN,
        conditions=conditions,
        features=features,
        device=CPU,
    )


def trunk_of(weights, folder, *, size=SIZE):
    """Write a trunk's weights into a folder; return what opens it."""
    path = folder / "backbone.pth"
    write_weights(weights, path)
    return TrunkFile(path, Engine("torch"), size, "cpu")


def shown_by(bench):
    """Return what the network of a bench was shown: the width of every input."""
    return bench.reader.network.made


def anew(bench, **changes):
    """Return the same bench, or a changed one, that has computed nothing yet."""
    shown_by(bench).clear()
    public = {one.name: getattr(bench, one.name) for one in fields(bench) if one.name[0] != "_"}
    return Bench(**public | changes)


def untouched_logits(bench, task):
    """(seeds, n, classes), of untouched pictures by heads of their own."""
    return bench.logits(bench.heads(task), bench.stored(task).plain)


def seen_by(network, pictures, *, size=SIZE):
    """The features, (n, dimensions), of pictures of any sizes that are resized to the input."""
    inputs = [np.array(Image.fromarray(one).resize((size, size), Image.Resampling.BILINEAR))
              for one in pictures]  # fmt: skip
    return network(torch.from_numpy(np.stack(inputs))).mean(dim=(2, 3)).numpy()
