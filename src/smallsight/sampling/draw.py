"""The balanced sample: which instances are eligible, and how many of each size are drawn."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.datasets import coco
from smallsight.datasets.left_out import REASONS
from smallsight.runtime.errors import SampleError
from smallsight.runtime.randomness import derive
from smallsight.sampling.listed import take_listed
from smallsight.sampling.sample import SAMPLE
from smallsight.sampling.sizes import measure_sizes, size_groups, summarise_sizes
from smallsight.vocabulary import GROUPS


@dataclass(frozen=True)
class Draw:
    """A balanced sample and how it came about.

    Attributes
    ----------
    sample
        One row per instance, sorted by image_id and ann_id; the columns of `SAMPLE`.
    categories
        The study's, in its order: those asked for, or all that have annotations.
    summary
        Counts, ready for JSON: requested_per_group, caps, balance, sizes (measure and limits),
        listed (the file that lists the sample; empty where it is drawn), drawn[group],
        eligible[group][category], excluded[reason], examples[reason], measures[group][measure],
        and side_counts: of eligible objects by their side, in whole pixels of the picture rounded
        down.
    """

    sample: pd.DataFrame
    categories: tuple[str, ...]
    summary: dict[str, Any]

    @property
    def shortfalls(self) -> dict[str, int]:
        """Size groups with fewer instances than were requested, and how many they have."""
        requested = self.summary["requested_per_group"]
        return {group: n for group, n in self.summary["drawn"].items() if n < requested}


def draw_sample(
    dataset: coco.Dataset,
    settings: params.Sample,
    *,
    picture_folder: str,
    input_size: int,
    seed: int,
    listed: tuple[str, pd.DataFrame] | None = None,
) -> Draw:
    """Draw up to `per_group` eligible instances of each size group, or take those of a list.

    The eligible instances of a group are shuffled and taken in turn; those beyond the cap of their
    category, or beyond its number in balanced groups, are passed over. The random stream depends on
    the seed and the group alone.

    Parameters
    ----------
    picture_folder
        The folder that will hold the pictures, for the column `image_path`.
    input_size
        Width and height of the network's input, in pixels.
    seed
        The study's; that of the settings goes before it.
    listed
        The name and content of a list of instances (`listed.read_listed`).

    Raises
    ------
    SampleError
        Where no instances of two categories can be drawn, or the list does not fit the annotations.

    Examples
    --------
    Four squares in a picture of 100 x 100 pixels, the last of them a bus:

    >>> sides = {1: 8, 2: 9, 3: 15, 4: 40}
    >>> tree = {
    ...     "images": [{"id": 7, "file_name": "a.jpg", "width": 100, "height": 100}],
    ...     "annotations": [
    ...         {"id": n, "image_id": 7, "category_id": 1 + n // 4, "bbox": [5, 5, side, side]}
    ...         for n, side in sides.items()
    ...     ],
    ...     "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}],
    ... }
    >>> dataset = coco.parse(tree, ("car", "bus"), where="example")
    >>> from smallsight.sampling.sizes import DEFAULT
    >>> settings = params.Sample(
    ...     per_group=1, caps={}, balance="natural", seed=None, min_visible_area=0, sizes=DEFAULT
    ... )
    >>> draw = draw_sample(dataset, settings, picture_folder="pictures", input_size=96, seed=0)
    >>> draw.sample[["ann_id", "image_path", "area_ratio", "size_group"]]
       ann_id      image_path  area_ratio size_group
    0       1  pictures/a.jpg      0.0064      small
    1       3  pictures/a.jpg      0.0225     medium
    2       4  pictures/a.jpg      0.1600      large
    """
    instances = _instances(dataset, picture_folder)
    measured = measure_sizes(instances, input_size=input_size)
    instances["size_group"] = size_groups(measured[settings.sizes.measure], settings.sizes)
    reasons = _exclusions(instances, settings)
    eligible = instances[reasons == ""]
    sample = take_listed(eligible, listed[1], listed[0]) if listed else None
    if sample is None:
        own_seed = seed if settings.seed is None else settings.seed
        caps = _caps(eligible, settings)
        drawn = [
            _draw_group(
                eligible[eligible["size_group"] == group],
                settings.per_group,
                caps[group],
                rng=derive(own_seed, "sample", group),
            )
            for group in GROUPS
        ]
        sample = pd.concat(drawn)
    sample = sample.sort_values(["image_id", "ann_id"], ignore_index=True)
    excluded, examples = _left_out(dataset, instances, reasons)
    _check_categories(sample, dataset, settings, excluded=excluded, n_eligible=len(eligible))
    table = pd.crosstab(eligible["size_group"], eligible["category_name"]).reindex(
        index=list(GROUPS), columns=list(dataset.categories), fill_value=0
    )
    of_sample = measure_sizes(sample, input_size=input_size)
    groups = sample["size_group"].to_numpy()
    summary = {
        "requested_per_group": settings.per_group,
        "caps": dict(settings.caps),
        "balance": settings.balance,
        "sizes": settings.sizes.model_dump(mode="json"),
        "listed": listed[0] if listed else "",
        "drawn": {group: int((groups == group).sum()) for group in GROUPS},
        "eligible": {
            group: {category: int(n) for category, n in row.items()}
            for group, row in table.iterrows()
        },
        "excluded": excluded,
        "examples": examples,
        "measures": summarise_sizes(of_sample, groups),
        "side_counts": _count_sides(eligible),
    }
    return Draw(sample[SAMPLE.names], dataset.categories, summary)


def _instances(dataset: coco.Dataset, picture_folder: str) -> pd.DataFrame:
    instances = dataset.annotations.merge(dataset.images, on="image_id", validate="m:1")
    bbox_area = instances["bbox_w"] * instances["bbox_h"]
    img_area = instances["width"] * instances["height"]
    return instances.assign(
        image_path=picture_folder.rstrip("/") + "/" + instances["file_name"],
        bbox_area=bbox_area,
        img_area=img_area,
        area_ratio=bbox_area / img_area,
    ).sort_values(["image_id", "ann_id"], ignore_index=True)


def _exclusions(instances: pd.DataFrame, settings: params.Sample) -> np.ndarray:
    """Return the reason to leave each instance out; empty text where there is none."""
    x, y, w, h = (instances[name] for name in coco.BOX_COLUMNS)
    holds = {
        "crowd": instances["iscrowd"] == 1,
        "degenerate": (w < 1) | (h < 1),
        "outside": (x < -1)
        | (y < -1)
        | (x + w > instances["width"] + 1)
        | (y + h > instances["height"] + 1),
        "hardly_visible": instances["area"] < settings.min_visible_area,
    }
    reasons = [name for name in REASONS if name in holds]
    return np.select([holds[name] for name in reasons], reasons, default="")


def _left_out(
    dataset: coco.Dataset, instances: pd.DataFrame, reasons: np.ndarray
) -> tuple[dict[str, int], dict[str, str]]:
    """Count what is left out, here and where annotations were read, with an example of each."""
    counts = {name: one.count for name, one in dataset.left_out.items()}
    examples = {name: one.example for name, one in dataset.left_out.items()}
    for name in REASONS:
        found = instances[reasons == name]
        if len(found):
            box = [float(value) for value in found.iloc[0][coco.BOX_COLUMNS]]
            counts[name] = counts.get(name, 0) + len(found)
            examples.setdefault(name, f"annotation {found.iloc[0]['ann_id']} (bbox {box})")
    ordered = [name for name in REASONS if name in counts]
    return {name: counts[name] for name in ordered}, {name: examples[name] for name in ordered}


def _check_categories(
    sample: pd.DataFrame,
    dataset: coco.Dataset,
    settings: params.Sample,
    *,
    excluded: dict[str, int],
    n_eligible: int,
) -> None:
    """Refuse a sample of less than two categories: a classifier of one is always right."""
    names = sample["category_name"].unique()
    if len(names) > 1:
        return
    drawn = f"{len(sample)}, all of them {names[0]}," if len(names) else "none"
    counts = ", ".join(f"{n} {REASONS[name].description}" for name, n in excluded.items())
    in_all = " in every size group, as sample.balance asks," if settings.balance == "equal" else ""
    raise SampleError(
        dataset.where,
        f"{drawn} of {len(dataset.annotations)} annotations can be drawn "
        f"(left out: {counts or 'none'}; {n_eligible} eligible)",
        f"instances of at least two of {', '.join(dataset.categories)}{in_all} that no cap forbids",
    )


def _caps(eligible: pd.DataFrame, settings: params.Sample) -> dict[str, dict[str, int]]:
    """Return the most instances of each category that each size group may have."""
    names = [str(name) for name in eligible["category_name"].unique()]
    counts = {}
    for group in GROUPS:
        found = eligible.loc[eligible["size_group"] == group, "category_name"].value_counts()
        there = {name: int(found.get(name, 0)) for name in names}
        counts[group] = {name: min(n, settings.caps.get(name, n)) for name, n in there.items()}
    if settings.balance == "natural":
        return counts
    # A group without any object cannot be balanced with the others.
    filled = [row for row in counts.values() if any(row.values())]
    shared = {name: min(row[name] for row in filled) for name in names}
    return dict.fromkeys(GROUPS, spread_evenly(shared, settings.per_group))


def spread_evenly(available: dict[str, int], total: int) -> dict[str, int]:
    """Divide a total among categories as evenly as there are instances of each.

    Returns
    -------
    dict
        Instances per category; what cannot be divided goes to the categories that come first.

    Examples
    --------
    >>> spread_evenly({"person": 90, "car": 30, "bus": 2}, 20)
    {'person': 9, 'car': 9, 'bus': 2}
    """
    shares = dict.fromkeys(available, 0)
    left = min(total, sum(available.values()))
    while left:
        open_ = [name for name in available if shares[name] < available[name]]
        each = max(left // len(open_), 1)
        for name in open_[:left]:
            more = min(each, available[name] - shares[name], left)
            shares[name] += more
            left -= more
    return shares


def _count_sides(eligible: pd.DataFrame) -> dict[str, int]:
    """Count objects by side in pixels, rounded down; keys are texts, as JSON has them."""
    sides = np.floor(np.sqrt(eligible["bbox_area"])).astype(int)
    return {str(side): int(n) for side, n in sides.value_counts().sort_index().items()}


def _draw_group(
    group: pd.DataFrame, per_group: int, caps: dict[str, int], *, rng: np.random.Generator
) -> pd.DataFrame:
    shuffled = group.iloc[rng.permutation(len(group))]
    place = shuffled.groupby("category_name").cumcount()
    most = np.array([caps[name] for name in shuffled["category_name"]], int)
    return shuffled[place < most].head(per_group)
