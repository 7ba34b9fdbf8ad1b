"""Families of changes to a picture, and the levels each is applied at.

A family is a pure function from a view to a view, at native resolution. Its keyword-only
arguments are its options, and their annotations say which values are allowed. To add a family,
write the function here under `@family`; nothing else needs to know.
"""

import inspect
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import cv2
import numpy as np
from pydantic import Field, create_model
from scipy import ndimage
from skimage import filters, util

from smallsight import params
from smallsight.errors import ParameterError
from smallsight.geometry import Box
from smallsight.params import NotNegative, Option, Positive, PositiveShare, Section, Share

UNTOUCHED = "orig_full"
"""The family that changes nothing: every effect is a difference from it."""


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
    """One kind of change, as people see it and as code applies it."""

    name: str
    label: str
    description: str
    change: Change
    options: type[Section]


@dataclass(frozen=True)
class Condition:
    """A family at a level."""

    family: str
    options: tuple[tuple[str, Option], ...]
    is_reference: bool

    @property
    def level(self) -> str:
        """The options as they stand in folder names and tables: `scale=0.5`, or `default`."""
        return ",".join(f"{name}={_short(value)}" for name, value in self.options) or "default"

    @property
    def name(self) -> str:
        """The family's name at its reference level, `<family>/<level>` elsewhere."""
        return self.family if self.is_reference else f"{self.family}/{self.level}"

    def apply(self, view: View) -> View:
        """Change a view."""
        return FAMILIES[self.family].change(view, **dict(self.options))


FAMILIES: dict[str, Family] = {}
"""Every family by name, in the order of its definition below."""


def family(*, label: str, description: str) -> Callable[[Callable[..., View]], Callable[..., View]]:
    """Register a function as the family of its own name."""

    def register(change: Callable[..., View]) -> Callable[..., View]:
        name = change.__name__
        fields: dict[str, Any] = {
            option.name: (option.annotation, ...)
            for option in inspect.signature(change).parameters.values()
            if option.kind is inspect.Parameter.KEYWORD_ONLY
        }
        options = create_model(name, __base__=Section, **fields)
        FAMILIES[name] = Family(name, label, description, change, options)
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


@family(label="Crop", description="the object's box and a margin around it, nothing else")
def orig_crop(view: View, *, margin: NotNegative) -> View:
    """Cut out the box, grown on each side by a share of its width and height, and clipped."""
    height, width = view.picture.shape[:2]
    rows, columns = view.box.grown(margin).touched_pixels(width, height)
    return View(view.picture[rows, columns], view.box.shifted(-columns.start, -rows.start))


@family(label="Downscale", description="the whole picture reduced and enlarged again")
def downscale(view: View, *, scale: PositiveShare) -> View:
    """Reduce the picture to `scale` by area averaging, then enlarge it bilinearly."""
    height, width = view.picture.shape[:2]
    few = (max(round(width * scale), 1), max(round(height * scale), 1))
    picture = util.img_as_float32(view.picture)
    reduced = cv2.resize(picture, few, interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR)
    return View(_as_bytes(enlarged), view.box)


@family(label="Motion blur", description="a horizontal, uniform smear of the whole picture")
def motion_blur(view: View, *, length: Annotated[int, Field(ge=1)]) -> View:
    """Average along a horizontal line of `length` native pixels; the border is reflected."""
    picture = util.img_as_float32(view.picture)
    blurred = ndimage.uniform_filter1d(picture, length, axis=1, mode="reflect")
    return View(_as_bytes(blurred), view.box)


@family(label="Occlusion", description="a black rectangle over the middle of the object")
def occlusion(view: View, *, ratio: PositiveShare) -> View:
    """Black out a centred rectangle of `ratio` times the box's width and height."""
    picture = view.picture.copy()
    picture[view.box.shrunk_to(ratio).pixels()] = 0
    return View(picture, view.box)


@family(label="Background blur", description="everything but the object is out of focus")
def bg_blur(view: View, *, sigma: Positive, margin: Share) -> View:
    """Blur by a Gaussian of `sigma` native pixels; the box grown by `margin` stays sharp."""
    blurred = filters.gaussian(
        util.img_as_float32(view.picture), sigma, mode="reflect", channel_axis=-1
    )
    picture = _as_bytes(blurred)
    sharp = view.box.grown(margin).pixels()
    picture[sharp] = view.picture[sharp]
    return View(picture, view.box)


def _as_bytes(picture: np.ndarray) -> np.ndarray:
    """Round values in 0..1 to uint8."""
    return np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
