"""A scene without its pixels: camera, light, street and the things that stand in it."""

from dataclasses import dataclass

import numpy as np

from smallsight.phantom.camera import Camera, Light, Patch, Pose, shadow, view
from smallsight.phantom.dials import Dials
from smallsight.phantom.solids import Model
from smallsight.phantom.streets import Street

UPRIGHT = (0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Thing:
    """Anything that stands in a scene; `category` is empty for what is no object of the study.

    `depth` is in metres; `patches`, `shadow` and `contact` are polygons in pixels.
    """

    category: str
    depth: float
    patches: tuple[Patch, ...]
    shadow: tuple[np.ndarray, ...]
    contact: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Layout:
    """A scene without its pixels: things stand sorted from far to near.

    `offset` is the x of the street's axis and `end` the distance where its walls end, in metres;
    `seed` decides the look of the backdrop.
    """

    dials: Dials
    street: Street
    camera: Camera
    light: Light
    offset: float
    end: float
    seed: int
    things: tuple[Thing, ...]


def draw_camera(rng: np.random.Generator, width: int, height: int) -> Camera:
    """Camera at eye level, its horizon in the picture's upper half."""
    return Camera(
        width=width,
        height=height,
        focal=width * rng.uniform(0.85, 1.15),
        horizon=height * rng.uniform(0.36, 0.48),
        eye=rng.uniform(1.35, 1.9),
    )


def draw_light(rng: np.random.Generator) -> Light:
    """Sun behind or beside the camera, from overcast to bright, from noon to evening."""
    azimuth, height = rng.uniform(-2.6, -0.5), rng.uniform(0.5, 1.1)
    direction = np.array([np.cos(azimuth), np.tan(height), np.sin(azimuth)])
    x, y, z = (direction / np.sqrt(direction @ direction)).tolist()
    sun = rng.uniform(0.15, 1.0)
    warm = rng.uniform(-0.04, 0.06) * sun
    return Light(direction=(x, y, z), sun=sun, sky=(1.0 + warm, 1.0, 1.0 - warm))


def put(category: str, model: Model, pose: Pose, camera: Camera, light: Light) -> Thing:
    """Thing that a camera sees where a model stands."""
    return Thing(
        category,
        pose.z,
        view(model, pose, camera, light),
        shadow(model, pose, camera, light.direction),
        shadow(model, pose, camera, UPRIGHT),
    )
