"""Pictures as the report shows them: in their own proportions, with the object marked.

What the network sees is square, whatever the view's proportions were. Here each picture is given
back its proportions inside a frame that all pictures of a figure share.
"""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from smallsight.conditions.rendered.store import read_file
from smallsight.imaging.boxes import Box
from smallsight.runtime.errors import PictureError

FRAME = 4 / 3
"""Width over height of the frame that a picture is fitted into."""

UNITS = 400.0
"""Width of the frame in the units of the marks; a line of 1 is a hair."""

_TINY = 36.0
"""A box narrower or lower than this many units also gets pointers."""

_GAP, _REACH = 9.0, 34.0
"""Where pointers begin and how long they are, in units."""


@dataclass(frozen=True)
class Shot:
    """One picture inside a frame.

    Attributes
    ----------
    uri
        The picture itself, as a `data:` address.
    left, top, width, height
        Where it lies in the frame, in percent of the frame.
    view
        Width and height of the picture, in units of the marks.
    box
        The object's box in the same units, grown by the outline so that it hides nothing.
    pointers
        Lines (x1, y1, x2, y2) that point at a box too small to be found without.
    """

    uri: str
    left: float
    top: float
    width: float
    height: float
    view: tuple[float, float]
    box: Box
    pointers: tuple[tuple[float, float, float, float], ...]


def shot(path: str, row: Mapping[str, Any]) -> Shot:
    """Fit a picture into the frame and mark its object.

    Parameters
    ----------
    path
        A picture of `input_size` by `input_size` pixels.
    row
        box_x, box_y, box_w, box_h in pixels of the picture, input_size, view_w, view_h.

    Raises
    ------
    PictureError
        Where the picture is missing or has another size.
    """
    content = _content(path, int(row["input_size"]))
    return _fitted(content, _box(row), int(row["input_size"]), _ratio(row), FRAME)


def untouched(path: str, row: Mapping[str, Any]) -> Shot:
    """Fit the untouched picture, of any size, into the frame and mark its object.

    Parameters
    ----------
    path, row
        As for `shot`: the box is where it lies at the network's input.
    """
    content, _ = _read(path)
    return _fitted(content, _box(row), int(row["input_size"]), _ratio(row), FRAME)


def close_up(path: str, row: Mapping[str, Any], *, frame: float = 1.0) -> Shot:
    """Show the object and its surroundings enlarged, every pixel of the input a visible tile.

    Parameters
    ----------
    path, row
        As for `shot`.
    frame
        Width over height of the frame in whose middle it stands, which is a square.
    """
    size = int(row["input_size"])
    box = _box(row)
    # Square as displayed, the object in the middle wherever the picture's edge allows it.
    ratio = _ratio(row)
    down = min(max(1.8 * max(box.w * ratio, box.h), 12 * max(ratio, 1)), size, size * ratio)
    across = down / ratio
    left = min(max(box.x + box.w / 2 - across / 2, 0), size - across)
    top = min(max(box.y + box.h / 2 - down / 2, 0), size - down)
    with Image.open(io.BytesIO(_content(path, size))) as picture:
        region = (left, top, left + across, top + down)
        # Tiles stay sharp in viewers that would smooth them.
        enlarged = picture.convert("RGB").resize((192, 192), Image.Resampling.NEAREST, box=region)
    buffer = io.BytesIO()
    enlarged.save(buffer, "PNG")
    inside = box.shifted(-left, -top).scaled(size / across, size / down)
    return _fitted(buffer.getvalue(), inside, size, 1.0, frame)


def _box(row: Mapping[str, Any]) -> Box:
    return Box(*(float(row[f"box_{key}"]) for key in "xywh"))


def _ratio(row: Mapping[str, Any]) -> float:
    return float(row["view_w"]) / float(row["view_h"])


def _content(path: str, size: int) -> bytes:
    content, found = _read(path)
    if found != (size, size):
        raise PictureError(path, "{} x {} pixels".format(*found), f"{size} x {size}")
    return content


def _read(path: str) -> tuple[bytes, tuple[int, int]]:
    try:
        content = read_file(path)
        with Image.open(io.BytesIO(content)) as picture:
            return content, picture.size
    except OSError as error:
        raise PictureError(path, error.strerror or "no picture", "a PNG or JPEG file") from None


def _fitted(content: bytes, box: Box, size: int, ratio: float, frame: float) -> Shot:
    across, down = min(1.0, ratio / frame), min(1.0, frame / ratio)
    view = (UNITS * across, UNITS / frame * down)
    shown = box.scaled(view[0] / size, view[1] / size)
    kind = "jpeg" if content.startswith(b"\xff\xd8") else "png"
    tiny = min(shown.w, shown.h) < _TINY
    outline = Box(shown.x - 2.5, shown.y - 2.5, shown.w + 5, shown.h + 5)
    return Shot(
        uri=f"data:image/{kind};base64," + base64.b64encode(content).decode("ascii"),
        left=50 * (1 - across),
        top=50 * (1 - down),
        width=100 * across,
        height=100 * down,
        view=view,
        box=outline,
        pointers=_pointers(outline) if tiny else (),
    )


def _pointers(box: Box) -> tuple[tuple[float, float, float, float], ...]:
    x, y = box.x + box.w / 2, box.y + box.h / 2
    near, far = _GAP, _GAP + _REACH
    return (
        (box.x - far, y, box.x - near, y),
        (box.x + box.w + near, y, box.x + box.w + far, y),
        (x, box.y - far, x, box.y - near),
        (x, box.y + box.h + near, x, box.y + box.h + far),
    )
