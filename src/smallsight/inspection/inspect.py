"""Everything that the page says of a study before any work."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.classifiers.facts import asked_tasks
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.conditions.rendering.instance_views import InstanceViews
from smallsight.conditions.rendering.levels import Level, levels_by_family
from smallsight.datasets import coco
from smallsight.datasets.collecting import PictureFacts, Reading
from smallsight.datasets.registry import Source, check_groups, make_source, read_tidied
from smallsight.datasets.watched import check_watched_folders
from smallsight.evaluation.folds import image_grouped_folds
from smallsight.evaluation.protocols import EvaluationProtocol, find_protocol
from smallsight.imaging.duplicates import Duplicates, describe_pictures, find_duplicates
from smallsight.imaging.pictures import InputFormat
from smallsight.inspection import class_mix, objects_needed
from smallsight.inspection.calibration import GREY, time_rendering
from smallsight.inspection.class_mix import GroupMix
from smallsight.inspection.duration import (
    FETCH_SECONDS,
    Duration,
    Measured,
    count_work,
    estimate,
)
from smallsight.inspection.objects_needed import Detectable, Needed
from smallsight.inspection.subject import Examined, examine
from smallsight.remedies.registry import check_remedies
from smallsight.runtime.device import pick_device
from smallsight.runtime.parallel import workers
from smallsight.runtime.randomness import derive
from smallsight.sampling.annotated_masks import collect_masks
from smallsight.sampling.draw import Draw, draw_sample
from smallsight.sampling.listed import read_listed
from smallsight.sampling.sizes import measure_sizes
from smallsight.vocabulary import GROUPS, INSTANCE, headline_task


@dataclass(frozen=True)
class Power:
    """What the study's tests need and can show.

    Attributes
    ----------
    tests
        Corruptions that Holm's method takes as one family, in the headline task.
    level
        Of the strictest of these tests.
    needed
        Objects that effects need.
    detectable
        By size group, what the sample shows of a condition.
    gap
        The least gap between large and small objects that it shows, at best and at worst.
    is_part
        Whether a part of the sample alone is test data.
    """

    tests: int
    level: float
    needed: list[Needed]
    detectable: Mapping[str, Detectable]
    gap: tuple[float, float]
    is_part: bool


@dataclass(frozen=True)
class Inspection:
    """What a study would be made of, for one file of parameters.

    Attributes
    ----------
    parameters
        The study's.
    where
        The annotations.
    network
        What is examined, in a line.
    n_pictures, n_annotations
        Of the source, as they are read: the annotations of the study's categories.
    left_out
        By reason, the number of entries of which some are left out (`left_out.REASONS`).
    unreadable_masks
        Of drawn objects.
    eligible, draw
        All objects that may be drawn, and those that would be.
    category_sizes
        By category, the median of every measure of its eligible objects.
    pictures, duplicates
        What would be done to the pictures of the sample, and which of them are the same photograph;
        None where they are not there yet.
    picture_sides
        (pictures of the sample,): the square root of each one's area, in pixels.
    mixes
        The classes of every size group.
    distance
        Between the mixes of small and of large objects; NaN where there are none of either.
    power
        What the tests need and can show.
    duration
        How long it takes.
    """

    parameters: params.Params
    where: str
    network: str
    n_pictures: int
    n_annotations: int
    left_out: Mapping[str, int]
    unreadable_masks: int
    eligible: Draw
    draw: Draw
    category_sizes: Mapping[str, Mapping[str, float]]
    pictures: PictureFacts | None
    duplicates: Duplicates | None
    picture_sides: np.ndarray
    mixes: Mapping[str, GroupMix]
    distance: float
    power: Power
    duration: Duration


def inspect(parameters: params.Params) -> Inspection:
    """Look at what a study would be made of. Nothing is written, but to temporary folders.

    Raises
    ------
    SmallsightError
        For what would stop the study: a parameter, the annotations, the pictures, the sample.
    """
    data = parameters.data
    check_groups(data)
    check_watched_folders(data)
    families = levels_by_family(parameters.conditions, parameters.tasks)
    check_remedies(parameters.remedies)
    protocol = find_protocol(parameters.protocol, is_own=parameters.classifier.source != "head")
    device = pick_device(parameters.device)
    listed = read_listed(data.instances)
    examined = examine(parameters, device=device)
    source = make_source(data, seed=parameters.seed)
    start = time.perf_counter()
    tree = read_tidied(source, data)
    dataset = coco.parse(tree, data.categories, where=source.where)
    source_seconds = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        given: dict[str, Any] = {
            "picture_folder": f"{folder}/pictures",
            "input_size": examined.network.input_size,
            "seed": parameters.seed,
        }
        draw = draw_sample(
            dataset,
            parameters.sample,
            listed=None if listed is None else (data.instances, listed),
            **given,
        )
        eligible = draw_sample(
            dataset, _all_of(parameters.sample, len(dataset.annotations)), **given
        )
        _, unreadable = collect_masks(dataset, draw.sample, max_bad_share=data.max_bad_share)
        if protocol.split == "folds":
            rng = derive(parameters.seed, "inspection")
            image_grouped_folds(draw.sample, folds=parameters.evaluation.folds, rng=rng)
        images = dataset.images[dataset.images["image_id"].isin(draw.sample["image_id"])]
        start = time.perf_counter()
        pictures, duplicates = _look_at_pictures(
            source, images, draw.sample, Path(folder, "pictures"), data
        )
        fetch_seconds = time.perf_counter() - start
    if duplicates is None:
        fetch_seconds = len(images) * FETCH_SECONDS.get(data.source, np.nan) / workers()
    mixes = class_mix.find_mixes(draw.sample, draw.categories)
    work = count_work(
        families,
        np.sqrt(draw.sample["bbox_area"].to_numpy(float)),
        parameters.remedies,
        images=len(images),
        tasks=asked_tasks(examined.classifier),
        is_fitted=examined.classifier is None,
        regimes=len(protocol.regimes),
        seeds=protocol.n_seeds(parameters.evaluation),
    )
    measured = Measured(
        _time_rendering(parameters, families, draw, images, examined), examined.speed, workers()
    )
    return Inspection(
        parameters=parameters,
        where=source.where,
        network=examined.network.describe(),
        n_pictures=len(dataset.images),
        n_annotations=len(dataset.annotations),
        left_out={
            name: dataset.left_out[name].total
            if name in dataset.left_out
            else len(dataset.annotations)
            for name in draw.summary["excluded"]
        },
        unreadable_masks=unreadable,
        eligible=eligible,
        draw=draw,
        category_sizes=_category_sizes(dataset, eligible, examined.network.input_size),
        pictures=pictures,
        duplicates=duplicates,
        picture_sides=np.sqrt((images["width"] * images["height"]).to_numpy(float)),
        mixes=mixes,
        distance=class_mix.distance(mixes[GROUPS[0]], mixes[GROUPS[-1]]),
        power=_find_power(parameters, families, draw.sample, protocol, examined),
        duration=estimate(
            work, measured, source_seconds=source_seconds, fetch_seconds=fetch_seconds
        ),
    )


def _all_of(settings: params.Sample, n: int) -> params.Sample:
    """Return settings that draw every eligible object."""
    return settings.model_copy(update={"per_group": n + 1, "caps": {}, "balance": "natural"})


def _look_at_pictures(
    source: Source, images: pd.DataFrame, sample: pd.DataFrame, folder: Path, data: params.Data
) -> tuple[PictureFacts | None, Duplicates | None]:
    """Fetch the pictures as the study does, where they lie on disk, and find duplicates."""
    if source.folder is None:
        return None, None
    facts = source.fetch(images, folder, Reading(data.orientation, data.max_pixels))
    paths = sample[["image_id", "image_path"]].drop_duplicates()
    return facts, find_duplicates(
        paths["image_id"].to_list(), describe_pictures(paths["image_path"].to_list())
    )


def _time_rendering(
    parameters: params.Params,
    families: Mapping[str, tuple[Level, ...]],
    draw: Draw,
    images: pd.DataFrame,
    examined: Examined,
) -> float:
    network = examined.network
    shared = InstanceViews(
        GREY, InputFormat(network.input_size, network.interpolation), parameters.tasks.window_margin
    )
    sizes = images[["image_id", "width", "height"]]
    return time_rendering(families, draw.sample.merge(sizes, on="image_id"), shared)


def _category_sizes(
    dataset: coco.Dataset, eligible: Draw, input_size: int
) -> dict[str, dict[str, float]]:
    """Return the medians of every measure, by category with objects."""
    areas = dataset.annotations[[*INSTANCE, "area"]]
    objects = eligible.sample.merge(areas, on=INSTANCE)
    measured = measure_sizes(objects, input_size=input_size)
    names = objects["category_name"].to_numpy()
    return {
        name: {measure: float(np.median(each[names == name])) for measure, each in measured.items()}
        for name in eligible.categories
        if (names == name).any()
    }


def _find_power(
    parameters: params.Params,
    families: Mapping[str, tuple[Level, ...]],
    sample: pd.DataFrame,
    protocol: EvaluationProtocol,
    examined: Examined,
) -> Power:
    task = headline_task(asked_tasks(examined.classifier))
    tests = sum(
        levels[0].family.role == "corruption"
        and any(level.condition.task == task for level in levels)
        and (protocol.families is None or name in protocol.families)
        for name, levels in families.items()
        if name != UNTOUCHED
    )
    confidence = parameters.analysis.confidence
    level = (1 - confidence) / max(tests, 1)
    if protocol.is_instance_split:
        sample = sample.sample(frac=parameters.evaluation.test_share, random_state=0)
    images = {group: sample.loc[sample["size_group"] == group, "image_id"] for group in GROUPS}
    return Power(
        tests=tests,
        level=level,
        needed=objects_needed.count_needed(level=level, confidence=confidence),
        detectable={
            group: objects_needed.detectable_by(one, level=level) for group, one in images.items()
        },
        gap=objects_needed.detectable_gap(
            images[GROUPS[0]], images[GROUPS[-1]], confidence=confidence
        ),
        is_part=protocol.is_instance_split,
    )
