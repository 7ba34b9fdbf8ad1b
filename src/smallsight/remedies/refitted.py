"""Remedies that need heads fitted anew: on other features, or with other weights."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import cast

import numpy as np

from smallsight.backbones.facts import LAST
from smallsight.backbones.feature_store import Features, StoredMaps
from smallsight.backbones.features import batches, gathered, passes
from smallsight.backbones.readouts import joined
from smallsight.conditions.rendered.store import Pictures
from smallsight.conditions.rendered.views import read_views
from smallsight.remedies import pooling
from smallsight.remedies.bench import MAPS_AT_ONCE, Bench, ImpossibleError, Look
from smallsight.remedies.facts import Needs
from smallsight.remedies.inputs import FACTORS, both_ways, features_of, look_larger
from smallsight.remedies.remedy import Answer, Remedy, cost
from smallsight.runtime.errors import ParameterError
from smallsight.vocabulary import HEADLINE_TASK, INSTANCE, SCENE, TASKS

IN_BOTH: Mapping[str, Needs] = {SCENE: "head", HEADLINE_TASK: "box_head"}
"""In the object task, the window already takes the object's box."""

SMALL_WEIGHT = 3.0
"""How many times as much as others small objects count in the training of `small_weighted`."""

Pool = Callable[[np.ndarray], np.ndarray]
"""From maps, (n, dimensions, rows, columns), to features, (n, dimensions)."""

POOLINGS: tuple[Pool, ...] = (
    pooling.maximum_over_cells,
    pooling.top_quarter_over_cells,
    pooling.log_sum_exp_over_cells,
    pooling.generalised_mean_over_cells,
)

RESNET = "dvc exp run -S backbone.name=resnet50"
"""Tests what takes a ResNet."""


def input_refitted(factor: float) -> Callable[[Bench, str], Answer]:
    """Return the remedy that shows the picture at a larger input, to heads fitted there.

    The step of FixRes that fits the classifier at the test's resolution (Touvron et al., NeurIPS
    2019).
    """

    def answer(bench: Bench, task: str) -> Answer:
        look = look_larger(bench, task, factor)
        return _refitted(
            bench, _seen_both_ways(bench, task, look), *cost(look, inputs=1, area=factor**2)
        )

    return answer


def dilated(bench: Bench, task: str) -> Answer:
    """Read cells half as wide: the last stage's stride is taken out, its filters widened."""
    assert bench.trunk is not None, "tried on a frozen backbone alone"
    if bench.trunk.weights().is_dilated:
        raise ImpossibleError(
            "the study’s last stage is dilated", "dvc exp run -S backbone.dilated=false"
        )
    try:
        backbone = bench.backbone(is_dilated=True)
    except ParameterError:
        reason = "only a ResNet of torchvision’s can be dilated"
        raise ImpossibleError(reason, f"{RESNET} -S remedies.dilated=true") from None
    look = bench.look(task, both_ways, other=backbone)
    return _refitted(bench, _seen_both_ways(bench, task, look), *cost(look, inputs=1))


def pooled(pool: Pool) -> Callable[[Bench, str], Answer]:
    """Return the remedy that pools the last layer's maps otherwise than by their mean."""

    def answer(bench: Bench, task: str) -> Answer:
        found = bench.shelved(
            ("pooled", task), pool.__name__, lambda: _pooled_both_ways(bench, task)
        )
        row = bench.stored(task).row
        plain, turned = (one[row] for one in cast(tuple[np.ndarray, np.ndarray], found))
        return _refitted(bench, _seen(bench, task, plain, turned))

    return answer


def check_readout(bench: Bench, task: str, readout: str) -> None:
    """Refuse a readout that a task's features are not stored in, which `pyramid` may be.

    Raises
    ------
    ImpossibleError
        Where they are not.
    """
    if readout == "pyramid" and not bench.has_readout(task, readout):
        raise ImpossibleError("the network has no layers of strides 8, 16 and 32", RESNET)


def strides(bench: Bench, task: str) -> Answer:
    """Read strides 8, 16 and 32 out over all that is shown, without any box."""
    check_readout(bench, task, "pyramid")
    row, size = bench.stored(task).row, float(bench.input_format.size)
    everything = np.tile([0.0, 0.0, size, size], (len(row), 1))
    found = passes(
        bench.opener,
        _different_pictures(bench, task).read,
        everything,
        row,
        keep_mirrored=True,
        description=f"strides of {task}",
    )
    both = (joined(gathered(parts, row), "pyramid") for parts in zip(*found, strict=True))
    return _refitted(bench, _seen(bench, task, *both))


def small_weighted(bench: Bench, task: str) -> Answer:
    """Let small objects count `SMALL_WEIGHT` times in the heads' training."""
    is_small = bench.splits.sample["size_group"].to_numpy() == "small"
    importance = np.where(is_small, SMALL_WEIGHT, 1.0)
    seen = bench.stored(task)
    return Answer(bench.logits(bench.fit(seen, importance=importance), seen.plain))


def several_windows(bench: Bench, task: str) -> Answer:
    """Let heads learn from whole pictures and from windows together."""
    seen = bench.stored(task)
    others = [bench.stored(other) for other in TASKS if other != task]
    return Answer(bench.logits(bench.fit(seen, also=others), seen.plain))


def _pooled_both_ways(bench: Bench, task: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pool the maps of a task's different pictures and of their mirror images in all ways, by name.

    Few maps are in memory at a time, for they are large.
    """
    kept, pictures = bench.maps(task), _different_pictures(bench, task)
    nowhere, row = np.zeros((len(kept), 4)), np.arange(len(kept))
    turned = passes(
        bench.opener,
        lambda place: np.ascontiguousarray(pictures.read(place)[:, :, ::-1]),
        nowhere,
        row,
        keep_maps=True,
        description=f"maps of mirrored pictures, {task}",
    )
    streams = (
        (kept[place] for place in batches(len(kept), MAPS_AT_ONCE)),
        (parts[LAST] for parts, _ in turned),
    )
    found = {pool.__name__: (_room_for(kept), _room_for(kept)) for pool in POOLINGS}
    for kind, stream in enumerate(streams):
        begun = 0
        for maps in stream:
            for pool in POOLINGS:
                found[pool.__name__][kind][begun : begun + len(maps)] = pool(maps)
            begun += len(maps)
    return found


def _room_for(maps: np.ndarray | StoredMaps) -> np.ndarray:
    """Return room for a feature of each picture."""
    return np.empty(maps.shape[:2], np.float32)


def _different_pictures(bench: Bench, task: str) -> Pictures:
    """Return a task's different untouched pictures."""
    condition = bench.untouched(task)
    first = np.unique(bench.stored(task).row, return_index=True)[1]
    views = read_views(bench.conditions, condition).iloc[first]
    return Pictures(bench.conditions / condition.folder, views[INSTANCE])


def _seen_both_ways(bench: Bench, task: str, look: Look) -> Features:
    """Return the features of pictures that were looked at `both_ways`."""
    plain, turned = (features_of(bench, task, look, place) for place in (0, 1))
    return _seen(bench, task, plain, turned)


def _seen(bench: Bench, task: str, plain: np.ndarray, turned: np.ndarray) -> Features:
    """Return features of the sample with other values, (n, dimensions), of both kinds."""
    return dataclasses.replace(bench.stored(task), plain=plain, mirrored=turned)


def _refitted(bench: Bench, seen: Features, passes: float = 1.0, ratio: float = 1.0) -> Answer:
    """Answer by heads that are fitted on features and tested on them."""
    return Answer(bench.logits(bench.fit(seen), seen.plain), passes, ratio)


REMEDIES = (
    *(
        Remedy(
            f"refit_input_{round(100 * factor)}",
            f"Input {factor:g} times as wide, head refitted",
            f"The input is {factor:g} times as wide and high; the heads are fitted there.",
            IN_BOTH,
            input_refitted(factor),
        )
        for factor in FACTORS
    ),
    Remedy(
        "dilated",
        "Dilated last stage",
        "The last stage keeps its resolution: cells are half as wide, from the same weights.",
        IN_BOTH,
        dilated,
    ),
    Remedy(
        "pool_maximum",
        "Pooling by the maximum",
        "Each channel’s largest cell stands in for the mean over the cells.",
        IN_BOTH,
        pooled(pooling.maximum_over_cells),
    ),
    Remedy(
        "pool_top_quarter",
        "Pooling by the top quarter",
        "The mean over each channel’s largest quarter of cells stands in for that over all.",
        IN_BOTH,
        pooled(pooling.top_quarter_over_cells),
    ),
    Remedy(
        "pool_log_sum_exp",
        "Pooling by log-sum-exp",
        "A smooth maximum over the cells stands in for their mean.",
        IN_BOTH,
        pooled(pooling.log_sum_exp_over_cells),
    ),
    Remedy(
        "pool_generalised_mean",
        "Pooling by the generalised mean",
        "The cells’ mean of third powers stands in for their mean.",
        IN_BOTH,
        pooled(pooling.generalised_mean_over_cells),
    ),
    Remedy(
        "strides",
        "Strides 8, 16 and 32",
        "The maps of three strides are averaged over all that is shown and joined.",
        IN_BOTH,
        strides,
    ),
    Remedy(
        "small_weighted",
        "Small objects weighted up",
        f"Small objects count {SMALL_WEIGHT:g} times in the heads’ training.",
        IN_BOTH,
        small_weighted,
    ),
    Remedy(
        "several_windows",
        "Trained on pictures and windows",
        "The heads learn from whole pictures and from windows, in twice as many steps.",
        IN_BOTH,
        several_windows,
    ),
)
