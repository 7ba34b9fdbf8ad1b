"""Errors that name another object of the picture, compared with chance: neighbours.csv."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis import terms
from smallsight.analysis.columns import GROUP, P_HOLM, P_VALUE, interval, judged
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.runtime.tables import Table, number, text, whole
from smallsight.vocabulary import ALL_AND_GROUPS, INSTANCE, POWER, TASK

VERDICTS = verdicts.verdict_words("more", "less")
"""How often errors name a neighbour, compared with chance."""

NEIGHBOURS = Table(
    "neighbours",
    "how often errors name another object of the picture, compared with chance",
    (
        TASK,
        GROUP,
        text("pictures", "several or one: categories annotated in the pictures that are counted"),
        text("neighbour", "any: another object of the picture; larger: one with a larger box"),
        whole("failed", "number of failed objects"),
        whole("images", "number of images that hold them"),
        whole("named", "number of failed objects that were named as such a neighbour"),
        number("share", "named over failed"),
        number("chance", "the same share if the names were dealt out again among like errors"),
        number("excess", "share minus chance"),
        *interval(of="excess"),
        P_VALUE,
        P_HOLM,
        number("mde", f"smallest excess that {POWER:.0%} of such studies find, by p_holm"),
        *judged(VERDICTS),
    ),
)

NAMED_COLUMNS = (
    *INSTANCE,
    *("pictures", "neighbour", "neighbour_ann_id", "neighbour_side", "larger"),
)


def find_named_neighbours(votes: pd.DataFrame, objects: pd.DataFrame) -> pd.DataFrame:
    """Find the neighbour that each failed instance was named as.

    Parameters
    ----------
    votes
        `majority_votes.VOTE_COLUMNS`, on untouched pictures.
    objects
        Every annotated object of the sampled pictures, crowds and tiny ones too: image_id, ann_id,
        category_name, bbox_w, bbox_h.

    Returns
    -------
    DataFrame
        `NAMED_COLUMNS`, a row per failed instance. `pictures` is a key of `terms.PICTURES`;
        `neighbour` is the predicted name where another object of the picture has it, else empty.
        Of several such objects it is the one with the largest box; `neighbour_side` is its side in
        input pixels, and `larger` says whether its box is larger than the instance's own.
    """
    pairs = _pairs(votes, objects)
    pairs = pairs[pairs["name"] == pairs["predicted"]]
    largest = pairs.sort_values([*INSTANCE, "times", "neighbour_ann_id"]).drop_duplicates(
        INSTANCE, keep="last"
    )
    failed = votes.loc[votes["failed"], [*INSTANCE, "side"]]
    table = failed.merge(largest.drop(columns="side"), on=INSTANCE, how="left")
    return table.assign(
        pictures=_pictures(table["image_id"], objects),
        neighbour=table["name"].fillna(""),
        neighbour_ann_id=table["neighbour_ann_id"].astype("Int64"),
        neighbour_side=table["side"] * table["times"],
        larger=table["times"] > 1,
    )[list(NAMED_COLUMNS)]


def _pictures(image_id: pd.Series, objects: pd.DataFrame) -> np.ndarray:
    """Return the key of `terms.PICTURES` that each image belongs to."""
    kinds = objects.groupby("image_id")["category_name"].nunique()
    return np.where(image_id.map(kinds) > 1, "several", "one")


def _pairs(votes: pd.DataFrame, objects: pd.DataFrame) -> pd.DataFrame:
    """Pair each failed instance with every other object of its picture.

    Returns
    -------
    DataFrame
        The columns of the votes, and name, neighbour_ann_id and times: the neighbour's side over
        the instance's.
    """
    boxes = objects.assign(size=np.sqrt(objects["bbox_w"] * objects["bbox_h"]))
    others = boxes.rename(
        columns={"ann_id": "neighbour_ann_id", "category_name": "name", "size": "other"}
    )
    table = votes[votes["failed"]].merge(boxes[[*INSTANCE, "size"]], on=INSTANCE)
    columns = ["image_id", "neighbour_ann_id", "name", "other"]
    table = table.merge(others[columns], on="image_id")
    table = table[table["ann_id"] != table["neighbour_ann_id"]]
    return table.assign(times=table["other"] / table["size"]).drop(columns=["other", "size"])


def compute_neighbours(
    votes: pd.DataFrame, objects: pd.DataFrame, outcomes: Outcomes, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Compare how often errors name a neighbour with chance.

    Chance keeps the names that were given and deals them out again among the errors of one true
    category and size group, in pictures of several categories: a name that a category often gets is
    no sign of a neighbour. `p_value` is the larger of two: the permutation test's, which takes
    errors of one image as independent, and Wald's by the bootstrap over images, with each error's
    chance as it is in the sample. The interval is the bootstrap's. `p_holm` takes all rows as one
    family, and a verdict needs both; `mde` is by the strictest test of that family.

    Parameters
    ----------
    votes, objects
        As for `find_named_neighbours`.

    Returns
    -------
    DataFrame
        The columns of `NEIGHBOURS`, a row per size group, kind of pictures and kind of neighbour.
        `failed` and `named` count instances; `chance` is the mean over all permutations. Pictures
        of one category have no chance and no test, since no error in them can name a neighbour.
        No rows where no objects are known.
    """
    if objects.empty:
        return NEIGHBOURS.empty()
    errors = votes.assign(position=np.arange(len(votes)))[votes["failed"]]
    errors = errors.assign(pictures=_pictures(errors["image_id"], objects))
    pairs = _pairs(votes, objects)
    beside = {"any": _beside(pairs), "larger": _beside(pairs[pairs["times"] > 1])}
    rows: list[dict[str, Any]] = []
    for group in ALL_AND_GROUPS:
        in_group = (errors["size_group"] == group) | (group == "all")
        for pictures in terms.PICTURES:
            part = errors[in_group & (errors["pictures"] == pictures)].reset_index(drop=True)
            for kind in terms.NEIGHBOURS:
                row: dict[str, Any] = {"task": outcomes.task, "size_group": group}
                row |= {"pictures": pictures, "neighbour": kind}
                row |= {"failed": len(part), "images": part["image_id"].nunique()}
                rows.append(row | _against_chance(part, beside[kind], outcomes, rng))
    table = pd.DataFrame(rows).reindex(columns=[*NEIGHBOURS.names, "error"])
    confidence = outcomes.settings.confidence
    strictest = 1 - (1 - confidence) / max(table["p_value"].notna().sum(), 1)
    table["mde"] = [
        tests.minimum_detectable(error, confidence=strictest, images=images)
        for error, images in zip(table["error"], table["images"], strict=True)
    ]
    return verdicts.judge(table[NEIGHBOURS.names], VERDICTS, confidence=confidence)


def _beside(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return, per instance and name, whether another object of the picture has that name."""
    return pd.crosstab([pairs[key] for key in INSTANCE], pairs["name"]) > 0


def _against_chance(
    errors: pd.DataFrame, beside: pd.DataFrame, outcomes: Outcomes, rng: np.random.Generator
) -> dict[str, Any]:
    """Compare how often errors name a neighbour with all ways to deal out their names."""
    if errors.empty:
        return {"named": 0}
    names, given = np.unique(errors["predicted"], return_inverse=True)
    keys = pd.MultiIndex.from_frame(errors[INSTANCE])
    beside = beside.reindex(index=keys, columns=names, fill_value=False)
    # hits[i, j]: the name given to error j belongs to a neighbour of error i.
    hits = beside.to_numpy(float)[:, given]
    named = hits.diagonal()
    found: dict[str, Any] = {"named": int(named.sum()), "share": named.mean()}
    if errors["pictures"].iloc[0] == "one":
        return found
    settings = outcomes.settings
    chance, dealt = np.empty(len(errors)), np.zeros(settings.bootstrap_draws)
    for part in errors.groupby(["category_name", "size_group"]).indices.values():
        members = np.asarray(part)
        own = hits[np.ix_(members, members)]
        chance[members] = own.mean(axis=1)
        order = rng.permuted(np.tile(np.arange(len(own)), (len(dealt), 1)), axis=1)
        dealt += own[np.arange(len(own)), order].sum(axis=1)
    weights = outcomes.weights[:, errors["position"]]
    excess = bootstrap.weighted_means((named - chance)[None], weights)[:, 0]
    images = errors["image_id"].nunique()
    by_image = bootstrap.estimate(excess, confidence=settings.confidence, images=images)
    found |= {"chance": chance.mean(), "excess": excess[0]} | by_image
    found["error"] = bootstrap.standard_error(excess[1:], images=images)
    by_error = tests.permutation_p(named.sum(), dealt)
    found["p_value"] = float(np.fmax(by_error, by_image["p_value"]))
    return found
