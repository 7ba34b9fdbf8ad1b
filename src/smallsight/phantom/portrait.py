"""Object-centred pictures of one category, to pretrain a backbone on."""

import numpy as np
from PIL import Image

from smallsight.phantom.camera import Camera, Pose, extent
from smallsight.phantom.clutter import CLUTTER
from smallsight.phantom.dials import Dials
from smallsight.phantom.kinds import KINDS, draw_yaw
from smallsight.phantom.paint import paint
from smallsight.phantom.scene import Layout, draw_light, put
from smallsight.phantom.solids import Model
from smallsight.phantom.streets import STREET_NAMES, STREETS

SHARES = (0.25, 0.8)
"""Longer side of the object over the picture's, before anything cuts it."""


def portrait(category: str, street: str, rng: np.random.Generator, *, size: int = 96) -> np.ndarray:
    """Paint one object of a category in a street.

    Parameters
    ----------
    category
        One of `CATEGORIES`.
    street
        One of `STREET_NAMES`.
    rng
        Decides everything else.
    size
        Side of the picture in pixels, at least 32.

    Returns
    -------
    ndarray
        Picture, uint8, shape (size, size, 3). A third of them are painted smaller and enlarged.
    """
    drawn = size if rng.random() < 0.7 else int(size * rng.uniform(0.5, 0.9))
    kind, light = KINDS[category], draw_light(rng)
    model, yaw = kind.build(rng), draw_yaw(kind, rng)
    setting = STREETS[STREET_NAMES.index(street)]
    z = kind.nearest * float(np.exp(rng.uniform(0.0, 2.4)))
    camera, pose = frame(model, yaw, z, drawn, rng)
    things = [put(category, model, pose, camera, light)]
    if rng.random() < 0.35:
        name = setting.clutter[rng.integers(len(setting.clutter))]
        near = pose.z * rng.uniform(0.75, 1.3)
        span = drawn / camera.focal * near
        aside = (pose.x / pose.z) * near + rng.choice([-1, 1]) * rng.uniform(0.18, 0.5) * span
        spot = Pose(float(aside), float(near), float(rng.uniform(-np.pi, np.pi)))
        things.append(put("", CLUTTER[name](rng), spot, camera, light))
    low, high = setting.strip(kind.zone)
    scene = Layout(
        dials=Dials(
            width=drawn,
            height=drawn,
            context=0.0,
            clutter=0.0,
            neighbours=0.0,
            class_mix=0.0,
            small_blur=0.0,
            haze=rng.uniform(0.05, 0.45),
            noise=rng.uniform(0.005, 0.035),
        ),
        street=setting,
        camera=camera,
        light=light,
        offset=float(pose.x + rng.choice([-1, 1]) * rng.uniform(low, high)),
        end=float(max(z * rng.uniform(0.7, 3.0), 12.0)),
        seed=int(rng.integers(2**32)),
        things=tuple(sorted(things, key=lambda thing: -thing.depth)),
    )
    picture = paint(scene, rng)
    if drawn == size:
        return picture
    grown = Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(grown)


def frame(
    model: Model, yaw: float, z: float, size: int, rng: np.random.Generator
) -> tuple[Camera, Pose]:
    """Aim a long lens at a model that stands `z` metres away, so that it fills its share."""
    eye = rng.uniform(1.35, 1.9)
    half = np.abs(Pose(0.0, 0.0, yaw).turn(model.points)[:, 2]).max()
    pose = Pose(0.0, float(z + half), yaw)
    level = Camera(width=size, height=size, focal=1.0, horizon=0.0, eye=eye)
    left, top, right, bottom = extent(model, pose, level)
    share = rng.uniform(*SHARES)
    focal = share * size / max(right - left, bottom - top)
    filled = focal * np.array([right - left, bottom - top]) / size
    room = 0.4 * np.clip(1.0 - filled, 0.0, 1.0) + 0.06 * filled
    column, row = (0.5 + rng.uniform(-room, room)) * size
    horizon = float(row - focal * (top + bottom) / 2)
    camera = Camera(width=size, height=size, focal=focal, horizon=horizon, eye=eye)
    for _ in range(2):
        # Perspective moves a deep object's near end more than its middle.
        left, _, right, _ = extent(model, pose, camera)
        aside = pose.x + (column - (left + right) / 2) * pose.z / focal
        pose = Pose(float(aside), pose.z, yaw)
    return camera, pose
