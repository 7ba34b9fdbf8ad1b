"""Galleries: which instances are shown, drawn by seed and never picked by hand, and how."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from PIL import Image

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.conditions.rendered.store import picture_name, read_file
from smallsight.imaging.jpeg import jpeg
from smallsight.imaging.pictures import decoded, read_picture
from smallsight.runtime.files import write_table
from smallsight.runtime.randomness import derive
from smallsight.saliency import thumbnails
from smallsight.saliency.measures import enlarge
from smallsight.saliency.tables import GALLERY, MAP_LIST
from smallsight.vocabulary import INSTANCE, SCENE, SIZE_GROUPS

COLORMAP = "magma"
ALPHA = 0.5
"""Opacity of a map over its picture."""

SCALE = {"colormap": COLORMAP, "alpha": ALPHA}
"""How overlays are coloured; the value of the brightest colour is each card's own."""

_WIDEST = 400
"""Width, in pixels, above which an untouched picture is reduced."""


def write_galleries(
    shown: pd.DataFrame,
    saliency: np.ndarray,
    sources: Mapping[int, str],
    *,
    place: Path,
    folder: Path,
    count: int,
    size: int,
    seed: int,
) -> None:
    """Draw and write the gallery, the strips, and thumbnails of all objects, with their tables.

    The gallery shows untouched objects in both tasks, a strip one object in all that is shown. The
    brightest colour of a map in the gallery is its own maximum; in a strip it is the greatest of
    all its maps, so that conditions compare.

    Parameters
    ----------
    shown
        Predictions joined to their views, measures and pictures, one row per task, condition and
        instance, the scene task first; its index says where its map is.
    saliency, sources
        As for `write_pictures`.
    size
        As for `make_cards`.
    place, folder
        Where `gallery.csv` and `strips.csv` with a folder for each, `maps.csv` and `thumbnails`
        will be, as the tables name them, and an existing folder to write them into.
    count
        Objects shown per size group whose whole pictures are correct, and as many that failed.
    """
    untouched = shown[shown["condition"] == UNTOUCHED]
    whole = untouched[untouched["task"] == SCENE]
    drawn = in_both_tasks(draw_outcomes(whole, count=count, rng=derive(seed, "gallery")), untouched)
    strips = draw_strips(shown, rng=derive(seed, "strips"))
    together = strips.groupby(INSTANCE)["peak"].transform("max")
    for name, part, scale in (("gallery", drawn, drawn["peak"]), ("strips", strips, together)):
        cards = make_cards(part, scale=scale, folder=place / name, size=size)
        write_pictures(cards, saliency, sources, folder / name)
        write_table(cards, folder / f"{name}.csv")
    kept = thumbnails.draw_whole(whole, rng=derive(seed, "thumbnails"))
    thumbnails.write_thumbnails(shown, kept, folder=folder / "thumbnails", size=size)
    maps = shown.assign(thumbnail=thumbnails.thumbnail_paths(shown, place / "thumbnails"))
    write_table(maps[MAP_LIST.names], folder / "maps.csv")


def draw_outcomes(table: pd.DataFrame, *, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw up to `count` correct and `count` failed rows of each size group.

    Categories take turns, in random order, as long as they have objects left.

    Parameters
    ----------
    table
        One row per instance: size_group, category_name, correct.
    """
    drawn = []
    for group in SIZE_GROUPS:
        for correct in (True, False):
            pool = table[(table["size_group"] == group) & (table["correct"] == correct)]
            pool = pool.sample(frac=1, random_state=rng)
            names = rng.permutation(sorted(pool["category_name"].unique()))
            order = pool["category_name"].map({name: place for place, name in enumerate(names)})
            turn = pool.groupby("category_name", sort=False).cumcount()
            places = np.lexsort([order.to_numpy(), turn.to_numpy()])
            drawn.append(pool.iloc[places[:count]])
    return pd.concat(drawn)


def in_both_tasks(drawn: pd.DataFrame, untouched: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of drawn instances in every task, those of one instance together.

    Parameters
    ----------
    drawn
        One row per instance.
    untouched
        One row per task and instance, the scene task first; its index stays.
    """
    rows = drawn[INSTANCE].merge(untouched.reset_index(), on=INSTANCE)
    return rows.set_index("index").rename_axis(index=None)


def draw_strips(table: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw one instance of each size group, and return all its rows."""
    instances = table[["size_group", *INSTANCE]].drop_duplicates()
    drawn = instances.groupby("size_group", sort=True).sample(1, random_state=rng)
    order = drawn["size_group"].map({group: index for index, group in enumerate(SIZE_GROUPS)})
    parts = [
        table[(table["image_id"] == image_id) & (table["ann_id"] == ann_id)]
        for image_id, ann_id in drawn.loc[order.sort_values().index, INSTANCE].to_numpy()
    ]
    return pd.concat(parts)


def make_cards(table: pd.DataFrame, *, scale: pd.Series, folder: Path, size: int) -> pd.DataFrame:
    """Make the table `GALLERY` of drawn predictions, joined to their views, measures and pictures.

    Parameters
    ----------
    table
        One row per task, condition and instance; its index says where its map is.
    scale
        The value of each one's map that has the brightest colour.
    folder
        Where overlays and untouched pictures will be, as the cards name them.
    size
        Width and height of pictures and overlays, in pixels.
    """
    names = [
        picture_name(image_id, ann_id)
        for image_id, ann_id in zip(table["image_id"], table["ann_id"], strict=True)
    ]
    at = folder.as_posix()
    return table.assign(
        outcome=np.where(table["correct"], "correct", "failed"),
        scale=scale,
        overlay=[
            f"{at}/overlays/{name}" for name in table["task"] + "_" + table["family"] + "_" + names
        ],
        untouched=[f"{at}/untouched/{image_id}.jpg" for image_id in table["image_id"]],
        input_size=size,
    )[GALLERY.names]


def write_pictures(
    cards: pd.DataFrame, saliency: np.ndarray, sources: Mapping[int, str], folder: Path
) -> None:
    """Write the overlay of each card, and the untouched picture of each image.

    Parameters
    ----------
    cards
        Rows of `GALLERY`; a row's index is its map's.
    saliency
        (maps, rows, columns), 0 or more.
    sources
        Where the untouched picture of each image_id lies.
    folder
        A new folder, for the files that the cards name elsewhere.
    """
    for name in ("overlays", "untouched"):
        (folder / name).mkdir(parents=True)
    rows: Any = cards.itertuples()
    for card in rows:
        overlay = blend(decoded(read_file(card.picture)), saliency[card.Index], top=card.scale)
        Image.fromarray(overlay).save(folder / "overlays" / Path(card.overlay).name)
    images = cards.drop_duplicates("image_id")
    for image_id, path in zip(images["image_id"], images["untouched"], strict=True):
        picture = Image.fromarray(read_picture(sources[image_id]))
        picture.thumbnail((_WIDEST, _WIDEST), Image.Resampling.LANCZOS)
        (folder / "untouched" / Path(path).name).write_bytes(jpeg(picture, quality=90))


def blend(picture: np.ndarray, saliency: np.ndarray, *, top: float) -> np.ndarray:
    """Blend a saliency map, in colours, into a picture.

    Parameters
    ----------
    picture
        (size, size, 3), uint8.
    saliency
        (rows, columns), 0 or more.
    top
        The value of the map that has the brightest colour; 0 for a map of zeros only.

    Returns
    -------
    ndarray
        As `picture`.
    """
    heat = enlarge((saliency / top if top > 0 else saliency)[None], len(picture))[0]
    colours = mpl.colormaps[COLORMAP](heat)[..., :3] * 255
    return np.rint((1 - ALPHA) * picture + ALPHA * colours).astype(np.uint8)
