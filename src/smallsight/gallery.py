"""Which instances are shown, drawn by seed and never picked by hand, and their overlays."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from PIL import Image

from smallsight.attention import enlarge
from smallsight.pictures import read_picture
from smallsight.rendered import picture_name
from smallsight.vocabulary import SIZE_GROUPS

COLORMAP = "magma"
ALPHA = 0.5
SCALE = {
    "colormap": COLORMAP,
    "alpha": ALPHA,
    "scale": "each map by its own maximum",
}
"""What a reader of an overlay has to know."""

CARD_COLUMNS = (
    *("image_id", "ann_id", "condition", "size_group", "category_name", "outcome"),
    *("predicted", "confidence", "side", "energy_in_box", "box_area_share", "lift"),
    *("picture", "overlay", "box_x", "box_y", "box_w", "box_h", "view_w", "view_h", "input_size"),
)


def cards(table: pd.DataFrame, *, pictures: Path, overlays: Path, size: int) -> pd.DataFrame:
    """Make `CARD_COLUMNS` of predictions that are joined to their views and measures.

    Parameters
    ----------
    table
        One row per condition and instance; its index says where its map is.
    pictures
        Holds `<family>/<level>/<image_id>_<ann_id>.png`.
    overlays
        Where overlays will be.
    size
        Width and height of pictures and overlays, in pixels.
    """
    names = [
        picture_name(image_id, ann_id)
        for image_id, ann_id in zip(table["image_id"], table["ann_id"], strict=True)
    ]
    levels = table["family"] + "/" + table["level"]
    return table.assign(
        outcome=np.where(table["correct"], "correct", "failed"),
        picture=[f"{pictures.as_posix()}/{at}" for at in levels + "/" + names],
        overlay=[f"{overlays.as_posix()}/{at}" for at in table["family"] + "_" + names],
        input_size=size,
    )[list(CARD_COLUMNS)]


def draw_outcomes(cards: pd.DataFrame, *, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw up to `count` correct and `count` failed cards; fewer where there are fewer."""
    drawn = [
        part.sample(min(count, len(part)), random_state=rng)
        for outcome in ("correct", "failed")
        for part in [cards[cards["outcome"] == outcome]]
    ]
    return pd.concat(drawn)


def draw_strips(cards: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw one instance of each size group; keep its cards under all conditions."""
    instances = cards[["size_group", "image_id", "ann_id"]].drop_duplicates()
    drawn = instances.groupby("size_group", sort=True).sample(1, random_state=rng)
    order = drawn["size_group"].map({group: index for index, group in enumerate(SIZE_GROUPS)})
    parts = [
        cards[(cards["image_id"] == image_id) & (cards["ann_id"] == ann_id)]
        for image_id, ann_id in drawn.loc[order.sort_values().index, ["image_id", "ann_id"]].values
    ]
    return pd.concat(parts)


def write_overlays(cards: pd.DataFrame, cams: np.ndarray, folder: Path) -> None:
    """Write the overlay of each card.

    Parameters
    ----------
    cards
        Rows of `CARD_COLUMNS`; a row's index is its map's.
    cams
        (maps, rows, columns), 0 or more.
    folder
        An existing folder; stands for the parent of the one that the cards name.
    """
    for index, card in cards[["picture", "overlay"]].drop_duplicates().iterrows():
        path = folder / Path(card["overlay"]).parent.name / Path(card["overlay"]).name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(blend(read_picture(card["picture"]), cams[index])).save(path)


def blend(picture: np.ndarray, cam: np.ndarray) -> np.ndarray:
    """Blend a heat map into a picture.

    Parameters
    ----------
    picture
        (size, size, 3), uint8.
    cam
        (rows, columns), 0 or more; shown relative to its own maximum.

    Returns
    -------
    ndarray
        As `picture`.
    """
    peak = cam.max()
    heat = enlarge((cam / peak if peak > 0 else cam)[None], len(picture))[0]
    colours = mpl.colormaps[COLORMAP](heat)[..., :3] * 255
    return np.rint((1 - ALPHA) * picture + ALPHA * colours).astype(np.uint8)
