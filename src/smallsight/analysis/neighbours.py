"""Neighbours: whether the name that a failed object got belongs to another object beside it."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.analysis.terms import NEIGHBOURS, PICTURES
from smallsight.vocabulary import ALL_AND_GROUPS, INSTANCE

NAMED_COLUMNS = (
    *INSTANCE,
    *("pictures", "neighbour", "neighbour_ann_id", "neighbour_side", "larger"),
)


NEIGHBOUR_COLUMNS = (
    *("size_group", "pictures", "neighbour", "failed", "images", "named", "share"),
    *("chance", "excess", "ci_low", "ci_high", "p_value", "p_holm", "mde", "verdict"),
)


VERDICTS = {1: "more", -1: "less", 0: "inconclusive", None: ""}
"""Whether errors name a neighbour more often than chance does, less often, or neither."""


def find_named_neighbours(answered: pd.DataFrame, objects: pd.DataFrame) -> pd.DataFrame:
    """Find the neighbour that each failed instance was taken for.

    Parameters
    ----------
    answered
        `answers.ANSWER_COLUMNS`, on untouched pictures.
    objects
        Every annotated object of the sampled pictures, crowds and tiny ones too: image_id, ann_id,
        category_name, bbox_w, bbox_h.

    Returns
    -------
    DataFrame
        `NAMED_COLUMNS`, a row per failed instance. `pictures` is a key of `PICTURES`; `neighbour`
        the predicted name where another object of the picture has it, else empty; of several such
        objects the one with the largest box, its side in input pixels; `larger` tells whether its
        box is larger than the instance's own.
    """
    pairs = _pairs(answered, objects)
    pairs = pairs[pairs["name"] == pairs["predicted"]]
    largest = pairs.sort_values([*INSTANCE, "times", "neighbour_ann_id"]).drop_duplicates(
        INSTANCE, keep="last"
    )
    failed = answered.loc[answered["failed"], [*INSTANCE, "side"]]
    table = failed.merge(largest.drop(columns="side"), on=INSTANCE, how="left")
    return table.assign(
        pictures=_pictures(table["image_id"], objects),
        neighbour=table["name"].fillna(""),
        neighbour_ann_id=table["neighbour_ann_id"].astype("Int64"),
        neighbour_side=table["side"] * table["times"],
        larger=table["times"] > 1,
    )[list(NAMED_COLUMNS)]


def _pictures(image_id: pd.Series, objects: pd.DataFrame) -> np.ndarray:
    """Give the key of `PICTURES` that each image belongs to."""
    kinds = objects.groupby("image_id")["category_name"].nunique()
    return np.where(image_id.map(kinds) > 1, "several", "one")


def _pairs(answered: pd.DataFrame, objects: pd.DataFrame) -> pd.DataFrame:
    """Pair each failed instance with every other object of its picture.

    Returns
    -------
    DataFrame
        The answer's columns, and name, neighbour_ann_id and times: how many times the instance's
        side the neighbour's is.
    """
    boxes = objects.assign(size=np.sqrt(objects["bbox_w"] * objects["bbox_h"]))
    others = boxes.rename(
        columns={"ann_id": "neighbour_ann_id", "category_name": "name", "size": "other"}
    )
    table = answered[answered["failed"]].merge(boxes[[*INSTANCE, "size"]], on=INSTANCE)
    columns = ["image_id", "neighbour_ann_id", "name", "other"]
    table = table.merge(others[columns], on="image_id")
    table = table[table["ann_id"] != table["neighbour_ann_id"]]
    return table.assign(times=table["other"] / table["size"]).drop(columns=["other", "size"])


def compute_neighbours(
    answered: pd.DataFrame, objects: pd.DataFrame, outcomes: Outcomes, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Count how often errors name a neighbour, against what chance would give.

    Chance leaves the names that were given as they are and deals them out again among the errors of
    one true category and size group, in pictures of several categories: what a category is mostly
    taken for is no sign of a neighbour. `p_value` is the larger of the permutation test's, which
    knows nothing of images, and Wald's by the bootstrap over images, with each error's chance as it
    is in the sample; the interval is the bootstrap's. `p_holm` takes all rows as one family, and a
    verdict needs both.

    Parameters
    ----------
    answered, objects
        As for `named`.

    Returns
    -------
    DataFrame
        `NEIGHBOUR_COLUMNS`, a row per size group, kind of pictures and kind of neighbour. `failed`
        and `named` count instances; `chance` is the mean over all permutations. Pictures of one
        category have no chance and no test, for no error in them can name a neighbour.
    """
    errors = answered.assign(position=np.arange(len(answered)))[answered["failed"]]
    errors = errors.assign(pictures=_pictures(errors["image_id"], objects))
    pairs = _pairs(answered, objects)
    beside = {"any": _beside(pairs), "larger": _beside(pairs[pairs["times"] > 1])}
    rows: list[dict[str, Any]] = []
    for group in ALL_AND_GROUPS:
        in_group = (errors["size_group"] == group) | (group == "all")
        for pictures in PICTURES:
            part = errors[in_group & (errors["pictures"] == pictures)].reset_index(drop=True)
            for kind in NEIGHBOURS:
                row: dict[str, Any] = {"size_group": group, "pictures": pictures, "neighbour": kind}
                row |= {"failed": len(part), "images": part["image_id"].nunique()}
                rows.append(row | _against_chance(part, beside[kind], outcomes, rng))
    table = pd.DataFrame(rows).reindex(columns=list(NEIGHBOUR_COLUMNS))
    return verdicts.judge(table, VERDICTS, confidence=outcomes.settings.confidence)


def _beside(pairs: pd.DataFrame) -> pd.DataFrame:
    """Tell, per instance and name, whether another object has that name."""
    return pd.crosstab([pairs[key] for key in INSTANCE], pairs["name"]) > 0


def _against_chance(
    errors: pd.DataFrame, beside: pd.DataFrame, outcomes: Outcomes, rng: np.random.Generator
) -> dict[str, Any]:
    """Compare how often errors name a neighbour with all ways of dealing out their names."""
    if errors.empty:
        return {"named": 0}
    names, given = np.unique(errors["predicted"], return_inverse=True)
    keys = pd.MultiIndex.from_frame(errors[INSTANCE])
    beside = beside.reindex(index=keys, columns=names, fill_value=False)
    # hits[i, j]: the name given to error j belongs to a neighbour of error i.
    hits = beside.to_numpy(float)[:, given]
    right = hits.diagonal()
    found: dict[str, Any] = {"named": int(right.sum()), "share": right.mean()}
    if errors["pictures"].iloc[0] == "one":
        return found
    settings = outcomes.settings
    chance, dealt = np.empty(len(errors)), np.zeros(settings.bootstrap_draws)
    for members in errors.groupby(["category_name", "size_group"]).indices.values():
        own = hits[np.ix_(members, members)]
        chance[members] = own.mean(axis=1)
        order = rng.permuted(np.tile(np.arange(len(own)), (len(dealt), 1)), axis=1)
        dealt += own[np.arange(len(own)), order].sum(axis=1)
    weights = outcomes.weights[:, errors["position"]]
    excess = bootstrap.weighted_means((right - chance)[None], weights)[:, 0]
    images = errors["image_id"].nunique()
    by_image = bootstrap.estimate(excess, confidence=settings.confidence, images=images)
    found |= {"chance": chance.mean(), "excess": excess[0]} | by_image
    by_error = tests.permutation_p(right.sum(), dealt)
    found["p_value"] = float(np.fmax(by_error, by_image["p_value"]))
    return found
