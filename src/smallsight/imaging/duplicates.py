"""What pictures look like, and which are the same photograph under several names.

Identical pictures have the same pixels. Near-identical ones, such as those that were compressed,
resized, brightened or slightly cropped anew, have perceptual hashes (phash of the package
imagehash) that differ in few bits, and small views that correlate. Mirror images are not looked
for.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pandas as pd
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from smallsight.imaging.photographs import DUPLICATES
from smallsight.imaging.pictures import read_picture
from smallsight.runtime.parallel import map_items

HASH_SIZE = 16
"""Width and height of a hash: 256 bits."""

MOST_BITS = 60
"""Bits in which hashes of the same photograph may differ.

Of 420 drawn scenes no two differ in fewer than 78, of 509 photographs of COCO val2017 in fewer than
90. Copies of either, compressed to JPEG quality 30, halved or a fifth brighter, differ in 24 at
most; cut by 2 % at each edge, in 60.
"""

LEAST_CORRELATION = 0.75
"""Of small views of the same photograph: without it, even pictures of little content are alike."""

VIEW = 32
"""Width and height of a small view, in pixels."""

LARGEST_SHARE = 0.2
"""Of all pictures that near-identical ones may be, more than three: beyond, a fixed camera took
them, and it is not one photograph that they share but one place."""

BLOCK = 512
"""Pictures that are compared with all others at a time."""


@dataclass(frozen=True)
class Duplicates:
    """Which pictures are the same photograph.

    Attributes
    ----------
    table
        The columns of `DUPLICATES`; pictures without a duplicate are not in it.
    n_unjoined
        Near-identical pictures that were left apart, because a fixed camera took them.
    """

    table: pd.DataFrame
    n_unjoined: int = 0

    def as_tree(self) -> dict[str, Any]:
        """Return what JSON holds of them."""
        counts = self.table["kind"].value_counts()
        return {
            "identical": int(counts.get("identical", 0)),
            "near": int(counts.get("near", 0)),
            "photographs": int(self.table["group"].nunique()),
            "unjoined": self.n_unjoined,
        }

    def describe(self) -> str:
        """Say in one line what was found; empty where nothing was."""
        said = []
        if len(self.table):
            tree = self.as_tree()
            noun = "photograph" if tree["photographs"] == 1 else "photographs"
            said.append(
                f"{tree['identical']} identical and {tree['near']} near-identical pictures of "
                f"{tree['photographs']} {noun} share a fold"
            )
        if self.n_unjoined:
            said.append(
                f"{self.n_unjoined} near-identical pictures seem to be of a fixed camera and may "
                "lie in several folds"
            )
        return "; ".join(said)


@dataclass(frozen=True)
class Traits:
    """What is kept of a picture.

    Attributes
    ----------
    colour
        Its mean colour, (3,), 0 to 255.
    digest
        Of its size and pixels.
    bits
        Its perceptual hash, (256,), bool.
    view
        A small view of it, centred and normed, (3072,).
    """

    colour: np.ndarray
    digest: str
    bits: np.ndarray
    view: np.ndarray


def describe_pictures(paths: Sequence[str | Path]) -> list[Traits]:
    """Describe pictures, as `read_picture` reads them, each of which is decoded once."""
    return map_items(_describe, paths, description="describing pictures", prefer="threads")


def mean_colour(traits: Sequence[Traits]) -> tuple[int, int, int]:
    """Compute the mean colour of pictures, 0 to 255; all count alike, whatever their size."""
    # Exact sums do not depend on the order.
    sums = [math.fsum(values) for values in zip(*(one.colour for one in traits), strict=True)]
    red, green, blue = (round(value / len(traits)) for value in sums)
    return red, green, blue


def find_duplicates(image_id: Sequence[int], traits: Sequence[Traits]) -> Duplicates:
    """Find pictures that are the same photograph.

    Parameters
    ----------
    image_id, traits
        Of n different pictures.
    """
    order = np.argsort(np.asarray(image_id), kind="stable")
    ids = np.asarray(image_id)[order]
    described = [traits[place] for place in order]
    digests = np.array([one.digest for one in described])
    _, same = np.unique(digests, return_inverse=True)
    bits = np.stack([one.bits for one in described])
    views = np.stack([one.view for one in described])
    identical = _linked(same, np.empty((0, 2), int))
    joined = _linked(same, _near_pairs(bits, views))
    n_unjoined = 0
    largest = np.bincount(joined).max()
    is_fixed_camera = largest > max(LARGEST_SHARE * len(ids), 3)
    if is_fixed_camera and largest > np.bincount(identical).max():
        n_unjoined = _n_shared(joined) - _n_shared(identical)
        joined = identical
    table = pd.DataFrame({"image_id": ids, "component": joined, "same": same})
    table["group"] = table.groupby("component")["image_id"].transform("min")
    twins = table.groupby("same")["image_id"].transform("size") > 1
    table["kind"] = np.where(twins, "identical", "near")
    shared = table.groupby("component")["image_id"].transform("size") > 1
    return Duplicates(table.loc[shared, DUPLICATES.names].reset_index(drop=True), n_unjoined)


def _describe(path: str | Path) -> Traits:
    pixels = read_picture(path)
    shape = f"{pixels.shape[0]} {pixels.shape[1]} ".encode()
    digest = hashlib.sha256(shape + pixels.tobytes()).hexdigest()
    picture = Image.fromarray(pixels)
    bits = imagehash.phash(picture, hash_size=HASH_SIZE).hash.ravel()
    small = picture.resize((VIEW, VIEW), Image.Resampling.BILINEAR)
    colours = np.asarray(small, np.float64).reshape(-1, 3)
    view = (colours - colours.mean(axis=0)).ravel()
    view /= max(float(np.linalg.norm(view)), 1)
    return Traits(pixels.mean(axis=(0, 1)), digest, bits, view)


def _near_pairs(bits: np.ndarray, views: np.ndarray) -> np.ndarray:
    """(pairs, 2): the places of pictures whose hashes and small views are alike."""
    signs = 2 * bits.astype(np.float32) - 1
    pairs = []
    for start in range(0, len(bits), BLOCK):
        block = slice(start, start + BLOCK)
        differing = (bits.shape[1] - signs[block] @ signs.T) / 2
        one, other = np.nonzero(differing <= MOST_BITS)
        one += start
        found = np.column_stack([one, other])[one < other]
        alike = (views[found[:, 0]] * views[found[:, 1]]).sum(axis=1) >= LEAST_CORRELATION
        pairs.append(found[alike])
    return np.concatenate(pairs)


def _linked(same: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(n,): components of pictures that are the same or stand in a pair."""
    first = np.unique(same, return_index=True)[1][same]
    edges = np.concatenate([np.column_stack([np.arange(len(same)), first]), pairs])
    links = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (len(same), len(same)))
    components: np.ndarray = connected_components(links, directed=False)[1]
    return components


def _n_shared(components: np.ndarray) -> int:
    """Count the pictures that share a component with another one."""
    sizes = np.bincount(components)
    return int(sizes[sizes > 1].sum())
