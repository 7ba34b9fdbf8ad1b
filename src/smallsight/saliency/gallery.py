"""Which instances are shown, drawn by seed and never picked by hand, and their pictures."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from PIL import Image

from smallsight.conditions.names import UNTOUCHED
from smallsight.conditions.store import picture_name
from smallsight.imaging.pictures import read_picture
from smallsight.runtime.files import write_table
from smallsight.runtime.randomness import derive
from smallsight.saliency import thumbnails
from smallsight.saliency.measures import enlarge
from smallsight.vocabulary import SIZE_GROUPS

COLORMAP = "magma"


ALPHA = 0.5


SCALE = {"colormap": COLORMAP, "alpha": ALPHA}
"""What a reader of an overlay has to know, beside each card's own scale."""


CARD_COLUMNS = (
    *("image_id", "ann_id", "condition", "size_group", "category_name", "outcome"),
    *("predicted", "confidence", "side", "energy_in_box", "box_area_share", "lift", "peak"),
    *("scale", "picture", "overlay", "untouched", "box_x", "box_y", "box_w", "box_h"),
    *("view_w", "view_h", "input_size"),
)


MAP_COLUMNS = (
    *("condition", "image_id", "ann_id", "predicted", "confidence", "lift", "peak"),
    *("box_x", "box_y", "box_w", "box_h", "view_w", "view_h", "thumbnail"),
)
"""Of `maps.csv`, whose rows are those of `maps.npz`."""


_WIDEST = 400
"""Width, in pixels, above which an untouched picture is reduced."""


def write(
    shown: pd.DataFrame,
    cams: np.ndarray,
    sources: Mapping[int, str],
    *,
    pictures: Path,
    place: Path,
    folder: Path,
    count: int,
    size: int,
    seed: int,
) -> None:
    """Draw the gallery and the strips, with all objects in small; write what pages show of them.

    Each map of the gallery is shown by its own maximum; those of a strip by the greatest of them
    all, so that conditions compare.

    Parameters
    ----------
    shown
        Predictions joined to their views and measures, one row per condition and instance; its
        index says where its map is.
    cams, sources
        As for `write_pictures`.
    pictures, size
        As for `cards`.
    place, folder
        Where `gallery.csv` and `strips.csv` with a folder for each, `maps.csv` and `thumbnails`
        will be, and where they are written.
    count
        Correct, and as many failed, objects shown per size group.
    """
    untouched = shown[shown["condition"] == UNTOUCHED]
    drawn = draw_outcomes(untouched, count=count, rng=derive(seed, "gallery"))
    strips = draw_strips(shown, rng=derive(seed, "strips"))
    together = strips.groupby(["image_id", "ann_id"])["peak"].transform("max")
    for name, part, scale in (("gallery", drawn, drawn["peak"]), ("strips", strips, together)):
        made = cards(part, scale=scale, pictures=pictures, folder=place / name, size=size)
        write_pictures(made, cams, sources, folder / name)
        write_table(made, folder / f"{name}.csv")
    whole = thumbnails.draw(untouched, rng=derive(seed, "thumbnails"))
    small = folder / "thumbnails"
    thumbnails.write(shown, whole, pictures=pictures, folder=small, size=size)
    maps = shown.assign(thumbnail=thumbnails.paths(shown, place / "thumbnails"))
    write_table(maps[list(MAP_COLUMNS)], folder / "maps.csv")


def draw_outcomes(table: pd.DataFrame, *, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw up to `count` correct and `count` failed rows of each size group.

    Categories take turns, in random order, as long as they have objects left: none is shown more
    often than another that could have been.

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


def draw_strips(table: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw one instance of each size group; keep its rows under all conditions."""
    instances = table[["size_group", "image_id", "ann_id"]].drop_duplicates()
    drawn = instances.groupby("size_group", sort=True).sample(1, random_state=rng)
    order = drawn["size_group"].map({group: index for index, group in enumerate(SIZE_GROUPS)})
    parts = [
        table[(table["image_id"] == image_id) & (table["ann_id"] == ann_id)]
        for image_id, ann_id in drawn.loc[order.sort_values().index, ["image_id", "ann_id"]].values
    ]
    return pd.concat(parts)


def cards(
    table: pd.DataFrame, *, scale: pd.Series, pictures: Path, folder: Path, size: int
) -> pd.DataFrame:
    """Make `CARD_COLUMNS` of drawn predictions that are joined to their views and measures.

    Parameters
    ----------
    table
        One row per condition and instance; its index says where its map is.
    scale
        What value of each one's map is shown in the brightest colour.
    pictures
        Holds `<family>/<level>/<image_id>_<ann_id>.png`.
    folder
        Where overlays and untouched pictures will be.
    size
        Width and height of pictures and overlays, in pixels.
    """
    names = [
        picture_name(image_id, ann_id)
        for image_id, ann_id in zip(table["image_id"], table["ann_id"], strict=True)
    ]
    levels = table["family"] + "/" + table["level"]
    at = folder.as_posix()
    return table.assign(
        outcome=np.where(table["correct"], "correct", "failed"),
        scale=scale,
        picture=[f"{pictures.as_posix()}/{path}" for path in levels + "/" + names],
        overlay=[f"{at}/overlays/{name}" for name in table["family"] + "_" + names],
        untouched=[f"{at}/untouched/{image_id}.jpg" for image_id in table["image_id"]],
        input_size=size,
    )[list(CARD_COLUMNS)]


def write_pictures(
    cards: pd.DataFrame, cams: np.ndarray, sources: Mapping[int, str], folder: Path
) -> None:
    """Write the overlay of each card, and the untouched picture it comes from.

    Parameters
    ----------
    cards
        Rows of `CARD_COLUMNS`; a row's index is its map's.
    cams
        (maps, rows, columns), 0 or more.
    sources
        Where the untouched picture of each image_id lies.
    folder
        A new folder; stands for the one that the cards name.
    """
    for name in ("overlays", "untouched"):
        (folder / name).mkdir(parents=True)
    for index, card in cards.iterrows():
        overlay = blend(read_picture(card["picture"]), cams[index], top=card["scale"])
        Image.fromarray(overlay).save(folder / "overlays" / Path(card["overlay"]).name)
    for image_id, path in cards.groupby("image_id")["untouched"].first().items():
        picture = Image.fromarray(read_picture(sources[image_id]))
        picture.thumbnail((_WIDEST, _WIDEST), Image.Resampling.LANCZOS)
        picture.save(folder / "untouched" / Path(path).name, quality=90)


def blend(picture: np.ndarray, cam: np.ndarray, *, top: float) -> np.ndarray:
    """Blend a heat map into a picture.

    Parameters
    ----------
    picture
        (size, size, 3), uint8.
    cam
        (rows, columns), 0 or more.
    top
        The value of the map that has the brightest colour; 0 only where the map is.

    Returns
    -------
    ndarray
        As `picture`.
    """
    heat = enlarge((cam / top if top > 0 else cam)[None], len(picture))[0]
    colours = mpl.colormaps[COLORMAP](heat)[..., :3] * 255
    return np.rint((1 - ALPHA) * picture + ALPHA * colours).astype(np.uint8)
