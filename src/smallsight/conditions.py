"""Families of changes to a picture, and the levels each is applied at.

A family is a pure function from a view to a view, at native resolution. Its keyword-only
arguments are its options, and their annotations say which values are allowed. To add a family,
write the function here under `@family`; nothing else needs to know. An option with a default may
be left out of the parameters, and is named in a level only where it differs.
"""

import inspect
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import cv2
import numpy as np
from pydantic import create_model
from skimage import util

from smallsight import params
from smallsight.errors import ParameterError
from smallsight.geometry import Box
from smallsight.params import NotNegative, Option, Positive, PositiveShare, Section, Share

UNTOUCHED = "orig_full"
"""The family that changes nothing: every effect is a difference from it."""

ORIGINAL = (UNTOUCHED, "orig_crop", "downscale", "motion_blur", "occlusion", "bg_blur")
"""The families that the original study compared."""

Unit = Literal["native", "object"]
"""What a length is stated in: native pixels, or shares of the box's side (`Box.side`)."""


@dataclass(frozen=True)
class View:
    """A picture and where the object is in it.

    Attributes
    ----------
    picture
        (height, width, 3), uint8, at native resolution. Never changed in place.
    box
        The object's box, in pixels of `picture`.
    """

    picture: np.ndarray
    box: Box


class Change(Protocol):
    """The one shape that every family has."""

    def __call__(self, view: View, /, **options: Any) -> View:
        """Change a view by the given options."""


@dataclass(frozen=True)
class Family:
    """One kind of change, as people see it and as code applies it.

    `neutral` holds, of options that go from mild to severe, the value at which nothing changes.
    """

    name: str
    label: str
    description: str
    change: Change
    options: type[Section]
    neutral: Mapping[str, float]


@dataclass(frozen=True)
class Condition:
    """A family at a level."""

    family: str
    options: tuple[tuple[str, Option], ...]
    is_reference: bool

    @property
    def level(self) -> str:
        """The options as they stand in folder names and tables: `scale=0.5`, or `default`."""
        fields = FAMILIES[self.family].options.model_fields
        named = (
            f"{name}={_short(value)}"
            for name, value in self.options
            if value != fields[name].default
        )
        return ",".join(named) or "default"

    @property
    def name(self) -> str:
        """The family's name at its reference level, `<family>/<level>` elsewhere."""
        return self.family if self.is_reference else f"{self.family}/{self.level}"

    def apply(self, view: View) -> View:
        """Change a view."""
        return FAMILIES[self.family].change(view, **dict(self.options))


FAMILIES: dict[str, Family] = {}
"""Every family by name, in the order of its definition below."""


def family(
    *, label: str, description: str, **neutral: float
) -> Callable[[Callable[..., View]], Callable[..., View]]:
    """Register a function as the family of its own name."""

    def register(change: Callable[..., View]) -> Callable[..., View]:
        name = change.__name__
        fields: dict[str, Any] = {
            option.name: (
                option.annotation,
                ... if option.default is option.empty else option.default,
            )
            for option in inspect.signature(change).parameters.values()
            if option.kind is inspect.Parameter.KEYWORD_ONLY
        }
        options = create_model(name, __base__=Section, **fields)
        FAMILIES[name] = Family(name, label, description, change, options, neutral)
        return change

    return register


Settings = Mapping[str, Mapping[str, Option | list[Option]]]
"""The parameters of all families: by name, each option's value or list of values."""


def ladder(name: str, families: Settings) -> tuple[Condition, ...]:
    """Give a family's conditions, the reference first: every combination of its options' values.

    Raises
    ------
    ParameterError
        Where there is no such family or option, an option is missing, or a value is not allowed.
    """
    where = f"conditions.{name}"
    if name not in FAMILIES:
        raise ParameterError(where, "unknown family", f"one of {', '.join(FAMILIES)}")
    if name not in families:
        raise ParameterError(where, "nothing", f"one of {', '.join(families)}")
    options, settings = FAMILIES[name].options, families[name]
    values = [value if isinstance(value, list) else [value] for value in settings.values()]
    steps: list[Condition] = []
    for combination in itertools.product(*values):
        level = dict(zip(settings, combination, strict=True))
        checked = params.validate(options, level, where=where).model_dump()
        ordered = tuple((option, checked[option]) for option in options.model_fields)
        steps.append(Condition(name, ordered, is_reference=not steps))
    levels = [step.level for step in steps]
    if len(set(levels)) < len(levels) or not steps:
        raise ParameterError(where, repr(dict(settings)), "at least one level, and none twice")
    return tuple(steps)


def ladders(families: Settings) -> dict[str, tuple[Condition, ...]]:
    """Give the conditions of all families, in the order listed.

    Raises
    ------
    ParameterError
        As `ladder` does, and where the untouched family is not among them.
    """
    if UNTOUCHED not in families:
        raise ParameterError("conditions", ", ".join(families) or "nothing", UNTOUCHED)
    return {name: ladder(name, families) for name in families}


def _short(value: Option) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


@family(label="Untouched", description="the whole picture as it is")
def orig_full(view: View) -> View:
    """Change nothing."""
    return view


@family(
    label="Crop",
    description="the object's box and a margin around it, nothing else",
    margin=math.inf,
)
def orig_crop(view: View, *, margin: NotNegative) -> View:
    """Cut out the box, grown on each side by a share of its width and height, and clipped."""
    height, width = view.picture.shape[:2]
    rows, columns = view.box.grown(margin).touched_pixels(width, height)
    return View(view.picture[rows, columns], view.box.shifted(-columns.start, -rows.start))


@family(label="Downscale", description="the whole picture reduced and enlarged again", scale=1)
def downscale(view: View, *, scale: PositiveShare) -> View:
    """Reduce the picture to `scale` by area averaging, then enlarge it bilinearly."""
    height, width = view.picture.shape[:2]
    few = (max(round(width * scale), 1), max(round(height * scale), 1))
    picture = util.img_as_float32(view.picture)
    reduced = cv2.resize(picture, few, interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR)
    return View(_as_bytes(enlarged), view.box)


@family(
    label="Motion blur", description="a horizontal, uniform smear of the whole picture", length=0
)
def motion_blur(view: View, *, length: Positive, unit: Unit = "native") -> View:
    """Average along a centred horizontal line of `length`; the border is reflected.

    Pixels that the line covers in part count in part.
    """
    half = _native(length, unit, view.box) / 2
    reach = math.ceil(half - 0.5)
    line = (half + 0.5 - abs(np.arange(-reach, reach + 1))).clip(0, 1).astype(np.float32)
    picture = util.img_as_float32(view.picture)
    blurred = cv2.sepFilter2D(
        picture, -1, line / line.sum(), np.ones(1, np.float32), borderType=cv2.BORDER_REFLECT
    )
    return View(_as_bytes(blurred), view.box)


@family(label="Occlusion", description="a black rectangle over the middle of the object", ratio=0)
def occlusion(view: View, *, ratio: PositiveShare) -> View:
    """Black out a centred rectangle of `ratio` times the box's width and height."""
    picture = view.picture.copy()
    picture[view.box.shrunk_to(ratio).pixels()] = 0
    return View(picture, view.box)


@family(label="Background blur", description="everything but the object is out of focus", sigma=0)
def bg_blur(view: View, *, sigma: Positive, margin: Share, unit: Unit = "native") -> View:
    """Blur by a Gaussian of `sigma`; the box grown by `margin` stays sharp."""
    spread = _native(sigma, unit, view.box)
    extent = 2 * math.ceil(_GAUSSIAN_REACH * spread) + 1
    picture = _as_bytes(
        cv2.GaussianBlur(
            util.img_as_float32(view.picture),
            (extent, extent),
            spread,
            borderType=cv2.BORDER_REFLECT,
        )
    )
    sharp = view.box.grown(margin).pixels()
    picture[sharp] = view.picture[sharp]
    return View(picture, view.box)


@family(
    label="Zoom", description="a window around the object, in the size of the picture", factor=1
)
def zoom(view: View, *, factor: Positive) -> View:
    """Show a window that is `factor` times narrower and lower than the picture.

    The object stands in the middle and appears `factor` times larger. Beyond its edges the picture
    is reflected. Where enlarging would cut a large object, it stops at a window half as wide and
    high again as the box, or at the picture's own size.
    """
    height, width = view.picture.shape[:2]
    box = view.box
    fitting = min(width / box.w, height / box.h) / _ROOM
    shrink = min(factor, max(fitting, 1.0))
    across, down = math.ceil(width / shrink), math.ceil(height / shrink)
    left = math.floor(box.x + (box.w - across) / 2)
    top = math.floor(box.y + (box.h - down) / 2)
    rows, columns = _reflected(top, down, height), _reflected(left, across, width)
    return View(view.picture[rows][:, columns], box.shifted(-left, -top))


_ROOM = 1.5
"""Width and height of the tightest window of `zoom`, over those of the box."""
_GAUSSIAN_REACH = 4
"""Standard deviations at which a Gaussian is cut off."""


def _native(length: float, unit: Unit, box: Box) -> float:
    """Turn a length into native pixels."""
    return length * box.side if unit == "object" else length


def _reflected(start: int, count: int, size: int) -> np.ndarray:
    """Give `count` indices from `start` on into an axis of `size`, mirrored beyond its ends."""
    indices = np.arange(start, start + count) % (2 * size)
    return np.minimum(indices, 2 * size - 1 - indices)


def _as_bytes(picture: np.ndarray) -> np.ndarray:
    """Round values in 0..1 to uint8."""
    return np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
