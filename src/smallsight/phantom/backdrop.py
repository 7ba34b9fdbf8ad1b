"""Sky, skyline and what lines the street on both sides."""

import numpy as np
from PIL import Image

from smallsight.phantom.camera import Camera, Light, Patch
from smallsight.phantom.scene import Layout
from smallsight.phantom.walls import WALLS, Surface

Face = tuple[list[Surface], float]
"""Surfaces in painting order, and the brightness of the light on all of them."""


def sky(camera: Camera, light: Light, rng: np.random.Generator) -> np.ndarray:
    """Sky with clouds, shape (height, width, 3), 0..1; the whole picture is filled."""
    zenith = np.array([0.36, 0.55, 0.82], dtype=np.float32) * (0.45 + 0.55 * light.sun)
    zenith += 0.42 * (1 - light.sun)
    rows = np.arange(camera.height, dtype=np.float32) / max(camera.horizon, 1.0)
    share = np.minimum(rows, 1.0)[:, None, None] ** 1.3
    plain = zenith * (1 - share) + haze_colour(light) * share
    size = camera.width, camera.height
    field = np.zeros((camera.height, camera.width), dtype=np.float32)
    # A long lens sees fewer clouds.
    count = max(2, round(10 * camera.width / camera.focal))
    for weight, cells in ((1.0, count), (0.55, 2 * count), (0.3, 4 * count)):
        cloud = Image.fromarray(rng.standard_normal((cells * 3 // 2, cells), dtype=np.float32))
        field += weight * np.asarray(cloud.resize(size, Image.Resampling.BICUBIC))
    cover = np.clip((field + 0.6 * (0.6 - light.sun) - 0.5) * 0.8, 0.0, 0.85)[..., None]
    cover = cover * (1 - 0.7 * share)
    return plain * (1 - cover) + np.float32(0.95) * cover


def haze_colour(light: Light) -> np.ndarray:
    """Colour into which the distance fades, shape (3,)."""
    return np.array([0.76, 0.8, 0.85], dtype=np.float32) * np.array(light.sky, dtype=np.float32)


def haze_share(haze: float, depth: np.ndarray) -> np.ndarray:
    """Share of the haze's colour, 0..1, in what is seen at depths in metres."""
    return 1.0 - np.exp(-0.02 * haze * depth)


def _patches(scene: Layout, faces: list[Face]) -> list[Patch]:
    """Patches of faces, haze included; all at once, for the surfaces are a thousand."""
    surfaces = [surface for face, _ in faces for surface in face]
    if not surfaces:
        return []
    light = np.repeat([brightness for _, brightness in faces], [len(face) for face, _ in faces])
    points = np.concatenate([outline for outline, _ in surfaces])
    starts = np.cumsum([0] + [len(outline) for outline, _ in surfaces])
    depth = np.add.reduceat(points[:, 2], starts[:-1]) / np.diff(starts)
    share = haze_share(scene.dials.haze, depth)[:, None]
    colours = np.array([colour for _, colour in surfaces]) * light[:, None]
    mixed = colours * (1 - share) + haze_colour(scene.light) * share
    inks = np.clip(mixed * 255, 0, 255).astype(int).tolist()
    screen = scene.camera.project(points)
    low = np.minimum.reduceat(screen, starts[:-1])
    high = np.maximum.reduceat(screen, starts[:-1])
    size = np.array([scene.camera.width, scene.camera.height])
    shown = np.all((high > 0) & (low < size) & (high - low > 0.4), axis=1)
    return [
        Patch(screen[start:end], (ink[0], ink[1], ink[2]))
        for start, end, ink, show in zip(starts, starts[1:], inks, shown, strict=False)
        if show
    ]


def backdrop_patches(scene: Layout, rng: np.random.Generator) -> list[Patch]:
    """Patches of hills, skyline and walls, from far to near, haze included."""
    lining, camera = WALLS[scene.street.walls], scene.camera
    faces = [(_hills(camera, rng), 1.0), *_skyline(scene, rng)]
    for side in (-1.0, 1.0):
        x = scene.offset + side * scene.street.wall
        light = float(scene.light.shade(np.array([[-side, 0.0, 0.0]]))[0])
        z = scene.end
        while z > 1.2:
            wide, tall = rng.uniform(*lining.wide), rng.uniform(*lining.tall)
            z0, z1 = max(z - wide, 1.2), z
            quad = np.array([[x, 0, z1], [x, 0, z0], [x, tall, z0], [x, tall, z1]], dtype=float)
            look = np.random.default_rng(rng.integers(2**32))
            if in_sight(quad, camera):
                faces.append((lining.paint(quad, (z1 - z0, tall), look), light))
            z -= wide
    return _patches(scene, faces)


def in_sight(quad: np.ndarray, camera: Camera) -> bool:
    """Whether any of an upright wall falls into the picture."""
    screen = camera.project(quad)
    low, high = screen.min(axis=0), screen.max(axis=0)
    size = np.array([camera.width, camera.height])
    return bool(np.all(high > -0.1 * size) and np.all(low < 1.1 * size))


def _hills(camera: Camera, rng: np.random.Generator) -> list[Surface]:
    """Two ridges along the horizon."""
    surfaces: list[Surface] = []
    for depth, height in ((900.0, 55.0), (500.0, 20.0)):
        wave = np.cumsum(rng.normal(0, 1, 60))
        wave = (wave - wave.min()) / max(float(np.ptp(wave)), 1e-6)
        x = np.linspace(-0.9, 0.9, 60) * depth
        ridge = np.column_stack([x, height * (0.25 + 0.75 * wave), 0 * x + depth])
        foot = np.array([[0.9 * depth, 0.0, depth], [-0.9 * depth, 0.0, depth]])
        surfaces.append((np.vstack([ridge, foot]), (0.3, 0.42, 0.34)))
    return surfaces


def _skyline(scene: Layout, rng: np.random.Generator) -> list[Face]:
    """Far row of buildings or trees across the whole view."""
    lining, depth = WALLS[scene.street.walls], rng.uniform(130.0, 260.0)
    reach = 0.5 * scene.camera.width / scene.camera.focal * depth
    faces: list[Face] = []
    x = -reach - rng.uniform(0.0, 20.0)
    while x < reach:
        wide, tall = (float(rng.uniform(*span)) * 1.3 for span in (lining.wide, lining.tall))
        ends = [(x, 0.0), (x + wide, 0.0), (x + wide, tall), (x, tall)]
        quad = np.array([(across, up, depth) for across, up in ends])
        faces.append((lining.paint(quad, (wide, tall), rng), 0.9))
        x += wide * rng.uniform(1.0, 1.5)
    return faces
