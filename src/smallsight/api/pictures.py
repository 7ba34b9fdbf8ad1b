"""One picture under one condition."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from smallsight import params
from smallsight.api.options import as_whole_number, check_number, kind_of
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.names import UNTOUCHED, Condition, split_name
from smallsight.conditions.rendering.levels import Level, levels_of
from smallsight.conditions.rendering.views import InterventionInputs, View
from smallsight.imaging.boxes import Box
from smallsight.imaging.conversion import as_rgb, is_deep_colour
from smallsight.imaging.decoding import decode, reading
from smallsight.imaging.pictures import Interpolation, resize
from smallsight.params import Option
from smallsight.runtime.errors import ParameterError, PictureError
from smallsight.vocabulary import HEADLINE_TASK, SCENE, TASKS

BY_INPUT = ("crop_low", "shift")
"""Families whose options are in pixels of the network's input."""

BY_DONOR = ("bg_swap",)
"""Families that need another picture."""


def render(
    picture: np.ndarray | Image.Image | str | Path,
    box: Sequence[float],
    condition: str | Mapping[str, Option] = UNTOUCHED,
    *,
    task: str = HEADLINE_TASK,
    margin: float = 0.25,
    input_size: int | None = None,
    interpolation: Interpolation = "bilinear",
    mask: np.ndarray | None = None,
    colour: Sequence[int] | None = None,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Show one object of a picture under one condition, as a study renders it.

    Parameters
    ----------
    picture
        (height, width, 3), uint8; or a picture that PIL opened, which is not turned; or the path of
        a file, which is turned upright as its EXIF data say. Both become RGB as a study's own
        pictures do (`smallsight.imaging.conversion`).
    box
        The object's: left, top, width and height, in pixels of the picture.
    condition
        A family and its options, `motion_blur/length=15` or
        `{"family": "motion_blur", "length": 15}`; the families are those of params.yaml, but for
        the swap of backgrounds, which needs another picture.
    task
        What is shown: `object`, a window round the object, or `scene`, the whole picture.
    margin
        The share of the box's width and height by which the window is larger, on each side.
    input_size
        Width and height to which what is shown is resized, in pixels; as it is where None.
    interpolation
        How: `bilinear` or `bicubic`, with antialiasing.
    mask
        (height, width), bool: the object's own pixels; families that take it apart take its box
        where these are not known.
    colour
        Red, green and blue, 0 to 255, of what is filled; the picture's mean colour where None.
    rng
        Needed by families that draw.

    Returns
    -------
    ndarray
        (height, width, 3), uint8.

    Raises
    ------
    ParameterError
        Where there is no such family or option, or the family has no part in the task.
    PictureError
        Where the picture, the box or the mask cannot be used.

    Examples
    --------
    >>> picture = np.zeros((60, 80, 3), np.uint8)
    >>> picture[:, 40:] = 200
    >>> window = render(picture, (30, 20, 20, 20))
    >>> window.shape
    (30, 30, 3)
    >>> blurred = render(picture, (30, 20, 20, 20), "motion_blur/length=5", input_size=6)
    >>> blurred[0, :, 0].tolist()
    [0, 0, 32, 168, 200, 200]
    """
    if task not in TASKS:
        raise ParameterError("render.task", repr(task), f"one of {', '.join(TASKS)}")
    if input_size is not None:
        expected = "a whole number of pixels above 0"
        input_size = as_whole_number("render.input_size", input_size, expected, least=1)
    check_number("render.margin", margin, "a share of the box, 0 or above")
    level = _level(condition, task, margin, has_input=input_size is not None)
    view = _view(picture, box, mask)
    if not level.suits(view):
        raise PictureError(
            "render: box",
            f"a side of {view.box.side:.4g} pixels",
            f"{level.least_side:g} or more, which pixels are taken from",
        )
    if level.family.is_random and rng is None:
        raise ParameterError("render.rng", "None", f"a generator: {level.family.name} draws")
    mean = view.picture.mean(axis=(0, 1)) if colour is None else np.asarray(colour, float)
    red, green, blue = np.rint(mean).astype(int).tolist()
    # Families that would read its size are refused where there is none.
    inputs = InterventionInputs((red, green, blue), input_size or 0, margin, {})
    shown = level.apply(replace(view, inputs=inputs), rng=rng).picture
    return shown if input_size is None else resize(shown, input_size, interpolation=interpolation)


def _level(
    condition: str | Mapping[str, Option], task: str, margin: float, *, has_input: bool
) -> Level:
    """Return the family at the level that is asked for."""
    family, options = _parsed(condition)
    where = f"render.condition: {family}"
    known = FAMILIES.get(family)
    if known is None or family in BY_DONOR:
        found = "unknown family" if known is None else "a family that needs another picture"
        names = ", ".join(name for name in FAMILIES if name not in BY_DONOR)
        raise ParameterError(where, found, f"one of {names}")
    only = {"window": HEADLINE_TASK, "frame": SCENE}.get(known.acts_on, task)
    if task != only:
        raise ParameterError(where, f"no part in the task {task}", f"task={only!r}")
    if family in BY_INPUT and not has_input:
        raise ParameterError("render.input_size", "None", f"pixels, in which {family} is told")
    several = [name for name, value in options.items() if isinstance(value, list | tuple)]
    if several:
        found = repr(options[several[0]])
        raise ParameterError(f"{where}.{several[0]}", found, "one value: a picture has one level")
    shown_whole = family if task == SCENE else UNTOUCHED
    tasks = params.Tasks(scene=(shown_whole,), window_margin=margin)
    levels = levels_of(family, {family: options}, tasks)
    return next(one for one in levels if one.condition.task == task)


def _parsed(condition: str | Mapping[str, Option]) -> tuple[str, dict[str, Option]]:
    """Return family and options."""
    if isinstance(condition, str):
        family, level = split_name(condition)
        told = Condition(family, level, is_reference=False).options
        return family, {name: _value(text) for name, text in told.items()}
    if not isinstance(condition.get("family"), str):
        expected = '"family/option=value", or a mapping with the key family'
        raise ParameterError("render.condition", repr(condition), expected)
    options = {name: value for name, value in condition.items() if name != "family"}
    return str(condition["family"]), options


def _value(text: str) -> Option:
    """Return what an option's text stands for, as params.yaml has it."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _pixels(picture: np.ndarray | Image.Image | str | Path) -> np.ndarray:
    """Return the pixels of an array, a picture of PIL or a file."""
    if isinstance(picture, np.ndarray):
        return picture
    if not isinstance(picture, Image.Image | str | Path):
        expected = "an array, a picture that PIL opened, or a path"
        raise PictureError("render: picture", kind_of(picture), expected)
    if isinstance(picture, Image.Image):
        with reading("render: picture"):
            return np.asarray(as_rgb(picture, is_deep=is_deep_colour(picture))[0])
    return np.asarray(decode(picture, is_upright=True).picture)


def _view(
    picture: np.ndarray | Image.Image | str | Path,
    box: Sequence[float],
    mask: np.ndarray | None,
) -> View:
    """Return a view of the whole picture, checked."""
    pixels = _pixels(picture)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        found = f"{pixels.dtype}, {' x '.join(map(str, pixels.shape))}"
        raise PictureError("render: picture", found, "uint8, height x width x 3")
    height, width = pixels.shape[:2]
    numbers = np.asarray(box, float)
    if numbers.shape != (4,) or not np.isfinite(numbers).all() or (numbers[2:] <= 0).any():
        raise PictureError("render: box", repr(box), "left, top, width and height above 0")
    place = Box(*numbers.tolist())
    inside = place.clipped(width, height)
    if inside.w <= 0 or inside.h <= 0:
        found = f"{box!r}, outside of {width} x {height} pixels"
        raise PictureError("render: box", found, "a box in the picture")
    if mask is not None and mask.shape != (height, width):
        found = " x ".join(map(str, mask.shape))
        raise PictureError("render: mask", found, f"{height} x {width}, as the picture has it")
    return View(pixels, place, None if mask is None else mask.astype(bool))
