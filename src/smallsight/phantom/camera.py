"""Camera and light: from solids in metres to flat polygons in pixels.

World axes: x right, y up, z away from the camera, which stands at (0, eye, 0) and looks along z.
The horizon's row is free (a shifted lens), so upright lines stay upright.
"""

import math
from dataclasses import dataclass

import numpy as np

from smallsight.phantom.solids import Model

NEAREST = 0.4
"""Metres: points nearer than this are pushed out to it."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Pinhole camera: picture size, focal length and horizon's row in pixels, eye height in m."""

    width: int
    height: int
    focal: float
    horizon: float
    eye: float

    @property
    def first_row(self) -> int:
        """First row of the ground, 0..height; the picture may lie wholly on one side of it."""
        return min(max(int(np.floor(self.horizon)) + 1, 0), self.height)

    def ground_depth(self) -> np.ndarray:
        """Distance in metres at which each row from `first_row` on meets the ground."""
        rows = np.arange(self.first_row, self.height) + 0.5
        return self.focal * self.eye / (rows - self.horizon)

    def project(self, world: np.ndarray) -> np.ndarray:
        """World points (..., 3) in metres to picture points (..., 2) in pixels."""
        scale = self.focal / np.maximum(world[..., 2], NEAREST)
        screen = np.empty((*world.shape[:-1], 2))
        screen[..., 0] = self.width / 2 + scale * world[..., 0]
        screen[..., 1] = self.horizon + scale * (self.eye - world[..., 1])
        return screen


@dataclass(frozen=True, kw_only=True)
class Light:
    """Sun: unit vector towards it, its share of all light (0..1) and the sky's tint."""

    direction: tuple[float, float, float]
    sun: float
    sky: tuple[float, float, float]

    def shade(self, normals: np.ndarray) -> np.ndarray:
        """Brightness of surfaces with unit normals (n, 3); about 0.5 to 1.15."""
        lambert = np.clip(normals @ np.asarray(self.direction), 0.0, None)
        upward = 0.5 + 0.5 * normals[:, 1]
        return (0.62 - 0.17 * self.sun) + 0.26 * upward + self.sun * 0.55 * lambert


@dataclass(frozen=True, slots=True)
class Patch:
    """Polygon in pixels, shape (n, 2), and its colour, 0..255."""

    outline: np.ndarray
    colour: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a model stands: x and z in metres, `yaw` in radians (0: it faces right)."""

    x: float
    z: float
    yaw: float

    def place(self, points: np.ndarray) -> np.ndarray:
        """Model points (n, 3) to world points (n, 3)."""
        return self.turn(points) + np.array([self.x, 0.0, self.z])

    def turn(self, vectors: np.ndarray) -> np.ndarray:
        """Model directions (n, 3) to world directions (n, 3)."""
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        return vectors @ np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])


def extent(model: Model, pose: Pose, camera: Camera) -> tuple[float, float, float, float]:
    """Box around a posed model in the unbounded picture plane: left, top, right, bottom."""
    world = pose.place(model.points)
    screen = camera.project(world)
    reach = (model.radii * camera.focal / np.maximum(world[:, 2], NEAREST))[:, None]
    left, top = (screen - reach).min(axis=0)
    right, bottom = (screen + reach).max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def capsules(ends: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Outlines of tubes with round ends: ends (m, 2, 2) and radii (m, 2) to (m, 14, 2)."""
    along = ends[:, 1] - ends[:, 0]
    heading = np.arctan2(along[:, 1], along[:, 0])[:, None]
    arc = np.linspace(-np.pi / 2, np.pi / 2, 7)
    angle = np.concatenate([heading + arc, heading + np.pi + arc], axis=1)
    centre = np.repeat(ends[:, ::-1], 7, axis=1)
    reach = np.repeat(radii[:, ::-1], 7, axis=1)
    return centre + reach[:, :, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def view(model: Model, pose: Pose, camera: Camera, light: Light) -> tuple[Patch, ...]:
    """Patches of a posed model in painting order, hidden faces left out, shaded by the light."""
    eye = np.array([0.0, camera.eye, 0.0])
    world = pose.place(model.points)
    screen = camera.project(world)
    normals = pose.turn(model.normals)
    two_sided = np.array([part.inside is None for part in model.parts])
    seen = two_sided | ((normals * (eye - world[model.starts[:-1]])).sum(axis=1) > 0)
    brightness = np.where(two_sided, 0.72 + 0.2 * light.sun, light.shade(normals))
    colours = np.array([part.colour for part in model.parts]) * brightness[:, None] * light.sky
    fills = np.clip(colours * 255, 0, 255).astype(int).tolist()
    rounds = _round(model, world, screen, camera, light)
    starts = model.starts.tolist()
    patches = []
    for index in _painting_order(model, pose, eye):
        if not seen[index]:
            continue
        red, green, blue = fills[index]
        if index not in rounds:
            outline = screen[starts[index] : starts[index + 1]]
            patches.append(Patch(outline, (red, green, blue)))
            continue
        outline, lit = rounds[index]
        patches.append(Patch(outline, (red, green, blue)))
        if lit is not None:
            red, green, blue = (min(255, int(1.16 * channel + 5)) for channel in fills[index])
            patches.append(Patch(lit, (red, green, blue)))
    return tuple(patches)


def _painting_order(model: Model, pose: Pose, eye: np.ndarray) -> list[int]:
    """Sort the parts, given by index, block by block: by tier, then from far to near."""
    centres = pose.place(np.array([block.centre for block in model.blocks]))
    nearness = -((centres - eye) ** 2).sum(axis=1)
    ends = np.cumsum([len(block.parts) for block in model.blocks])
    order = sorted(range(len(ends)), key=lambda i: (model.blocks[i].tier, nearness[i]))
    return [n for i in order for n in range(ends[i] - len(model.blocks[i].parts), ends[i])]


def _round(
    model: Model, world: np.ndarray, screen: np.ndarray, camera: Camera, light: Light
) -> dict[int, tuple[np.ndarray, np.ndarray | None]]:
    """Outline of each limb and, where it is thick enough, of the stripe that the sun lights."""
    limbs = [i for i, part in enumerate(model.parts) if part.radii]
    if not limbs:
        return {}
    ends = model.starts[limbs][:, None] + [0, 1]
    radii = model.radii[ends] * camera.focal / np.maximum(world[ends][..., 2], NEAREST)
    outlines = capsules(screen[ends], radii)
    shift = radii[:, :, None] * np.array([np.sign(light.direction[0]) * 0.32, -0.22])
    stripes = capsules(screen[ends] + shift, radii * 0.55)
    thick = (radii.max(axis=1) > 1.5).tolist()
    return {limb: (outlines[n], stripes[n] if thick[n] else None) for n, limb in enumerate(limbs)}


def shadow(
    model: Model, pose: Pose, camera: Camera, direction: tuple[float, float, float]
) -> tuple[np.ndarray, ...]:
    """Polygons in pixels of a posed model's shadow on the ground; `direction` is the sun's."""
    world = pose.place(model.points)
    fallen = world - world[:, 1:2] / direction[1] * np.asarray(direction)
    fallen[:, 1] = 0.0
    ground = camera.project(fallen)
    spans = zip(model.parts, model.starts, model.starts[1:], strict=False)
    polygons = [ground[start:end] for part, start, end in spans if not part.radii]
    limbs = [i for i, part in enumerate(model.parts) if part.radii]
    if limbs:
        ends = model.starts[limbs][:, None] + [0, 1]
        reach = model.radii[ends] * camera.focal / np.maximum(fallen[ends][..., 2], NEAREST)
        # On the ground a ball looks about a third as high as wide.
        squash = np.array([1.0, 3.0])
        polygons.extend(capsules(ground[ends] * squash, reach) / squash)
    return tuple(polygons)
