"""Rules by which any picture becomes 8-bit RGB.

* Grey of 16 or 32 bits and floating numbers: scaled by `scaled`.
* Colour of 16 bits a channel: the upper 8 bits, which is what Pillow reads.
* Transparency: laid on white, so that what it hides stays hidden.
* Palettes, 1 bit, grey, CMYK, YCbCr and LAB: converted by Pillow.
* Animations and files of several pages: the first picture of them.
* ICC profiles: not applied, as pipelines that train networks do not apply them either.
"""

import numpy as np
from PIL import Image

RULES = {
    "turned": "turned as EXIF says",
    "scaled": "scaled to 8 bits, from the 0.01st to the 99.99th percentile of the values",
    "upper_bits": "read by the upper 8 of 16 bits a channel",
    "composited": "laid on white where transparent",
    "converted": "converted to RGB from another colour model, without a colour profile",
    "first": "taken as the first of several frames or pages",
}
"""What may have been done to a picture, by its short name: a picture was ..."""

PERCENTILES = (0.01, 99.99)
"""Of a picture's finite values: what becomes 0, and what becomes 255.

So few pixels are left out that a small object of extreme values keeps them, and enough that a dead
pixel does not squeeze all others together.
"""

FLAT = 128
"""What a picture of one single value becomes."""

LEAST_UPPER = 16
"""The upper 8 bits of a picture of 16 bits a channel must reach this value: below, nothing is left
to see, as where 12 bits are kept in 16."""

_WHITE = (255, 255, 255)
_PLAIN = frozenset({"1", "L", "P", "RGB", "RGBX", "LA", "PA", "La", "RGBA", "RGBa"})


def as_rgb(picture: Image.Image, *, is_deep: bool = False) -> tuple[Image.Image, list[str]]:
    """Convert an opened picture to 8-bit RGB, as it is stored, whatever its orientation.

    Parameters
    ----------
    is_deep
        What `is_deep_colour` said of it before it was loaded.

    Returns
    -------
    picture
        Of the mode RGB.
    done
        What was done of `RULES`. Grey and palettes are no change: every value stays what it was.

    Raises
    ------
    ValueError
        Where there is nothing to see: no value is finite, or all lie in the lower 8 of 16 bits.
        A damaged file raises errors of any type.
    """
    done = []
    # An MPO's further pictures are previews and maps of depth.
    if getattr(picture, "is_animated", False) and picture.format != "MPO":
        done.append("first")
    picture.load()
    if picture.mode in ("I", "F") or picture.mode.startswith("I;"):
        return Image.fromarray(scaled(np.asarray(picture))).convert("RGB"), [*done, "scaled"]
    if picture.mode not in _PLAIN:
        done.append("converted")
    if is_deep:
        done.append("upper_bits")
        if np.asarray(picture.convert("RGB")).max() < LEAST_UPPER:
            raise ValueError(f"16 bits a channel, all values below {LEAST_UPPER * 256} of 65536")
    converted, is_composited = _on_white(picture)
    return converted, [*done, "composited"] if is_composited else done


def is_deep_colour(picture: Image.Image) -> bool:
    """Return whether an opened file, which is not loaded yet, has 16 bits for each channel."""
    return any(";16" in _raw_mode(tile) for tile in getattr(picture, "tile", ()))


def _raw_mode(tile: tuple[object, ...]) -> str:
    """Return how the values of a part of a file are stored, as Pillow names it."""
    arguments = tile[3] if len(tile) > 3 else ""
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _on_white(picture: Image.Image) -> tuple[Image.Image, bool]:
    """Lay a picture on white; return also whether it is transparent anywhere."""
    if not picture.has_transparency_data:
        return picture.convert("RGB"), False
    layered = picture.convert("RGBA")
    alpha = layered.getchannel("A")
    colours = layered.convert("RGB")
    if alpha.getextrema()[0] == 255:
        return colours, False
    return Image.composite(colours, Image.new("RGB", picture.size, _WHITE), alpha), True


def scaled(values: np.ndarray) -> np.ndarray:
    """Scale values of any range linearly to 8 bits.

    The `PERCENTILES` of the finite values become 0 and 255; where these are the same, the least and
    the largest do. Of the others, NaN becomes 0.

    Parameters
    ----------
    values
        (height, width), whole numbers or not.

    Returns
    -------
    ndarray
        (height, width), uint8; `FLAT` everywhere where all finite values are the same.

    Raises
    ------
    ValueError
        Where no value is finite.

    Examples
    --------
    >>> scaled(np.array([[21000, 23500, 26000]], np.uint16)).tolist()
    [[0, 128, 255]]
    >>> scaled(np.array([[7.5, np.nan, 7.5]])).tolist()
    [[128, 0, 128]]
    """
    values = values.astype(np.float64)
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise ValueError("no value that is a finite number")
    low, high = np.percentile(finite, PERCENTILES)
    if low == high:
        low, high = finite.min(), finite.max()
    if low == high:
        shown = np.where(np.isfinite(values), float(FLAT), values)
    else:
        # Halves first: the difference of two numbers may be beyond the largest.
        shown = (values / 2 - low / 2) / (high / 2 - low / 2) * 255
    return np.rint(np.nan_to_num(shown, nan=0).clip(0, 255)).astype(np.uint8)
