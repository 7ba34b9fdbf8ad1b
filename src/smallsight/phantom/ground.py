"""The ground: strips of road and pavement in perspective, what is painted on them, their grain."""

from collections.abc import Callable

import numpy as np

from smallsight.phantom.camera import Patch
from smallsight.phantom.scene import Layout
from smallsight.phantom.solids import Colour, tint

FAR = 3000.0
WHITE: Colour = (0.87, 0.87, 0.84)
YELLOW: Colour = (0.85, 0.68, 0.15)
Strip = tuple[float, float, float, float, Colour]
"""Rectangle on the ground: x0, x1 from the street's axis, z0, z1 in metres, and a colour."""


def _dashes(
    x: float, width: float, end: float, colour: Colour, *, step: float = 6.0
) -> list[Strip]:
    return [(x - width, x + width, z, z + step / 2, colour) for z in np.arange(1.0, end, step)]


def _tiles(scene: Layout) -> list[Strip]:
    wall, joint = scene.street.wall, tint(scene.street.road_colour, 0.82)
    across = [(-wall, wall, z, z + 0.05 + z * 0.004, joint) for z in np.arange(1.0, scene.end, 1.5)]
    along = [(x, x + 0.05, 0.5, scene.end, joint) for x in np.arange(-wall, wall, 1.5)]
    inlay = tint(scene.street.walk_colour, 0.75)
    return [*across, *along, (-3.6, -3.2, 0.5, scene.end, inlay), (3.2, 3.6, 0.5, scene.end, inlay)]


def _parking(scene: Layout) -> list[Strip]:
    road = scene.street.road
    bays = [
        (side * road, side * (road - 2.1), z, z + 0.12, WHITE)
        for z in np.arange(1.0, scene.end, 5.5)
        for side in (-1, 1)
    ]
    lines = [(s * (road - 2.1), s * (road - 2.2), 0.5, scene.end, WHITE) for s in (-1, 1)]
    return bays + lines


def _yard(scene: Layout) -> list[Strip]:
    road = scene.street.road
    slabs = [(-road, road, z, z + 0.06, (0.44, 0.43, 0.4)) for z in np.arange(1.0, scene.end, 5.0)]
    docks = [
        (side * road, side * (road - 5.0), z, z + 0.2, YELLOW)
        for z in np.arange(2.0, scene.end, 4.5)
        for side in (-1, 1)
    ]
    edges = [(s * (road - 5.0), s * (road - 5.2), 0.5, scene.end, YELLOW) for s in (-1, 1)]
    return slabs + docks + edges


def _bus_lane(scene: Layout) -> list[Strip]:
    road = scene.street.road
    lanes = [(s * road, s * (road - 3.4), 0.5, scene.end, (0.5, 0.22, 0.19)) for s in (-1.0, 1.0)]
    edges = [(s * (road - 3.4), s * (road - 3.6), 0.5, scene.end, WHITE) for s in (-1.0, 1.0)]
    zigzag = [
        (s * (road - 1.6), s * (road - 1.8), z, z + 2.5, YELLOW)
        for z in np.arange(3.0, scene.end, 5.0)
        for s in (-1.0, 1.0)
    ]
    return lanes + edges + zigzag + _dashes(0.0, 0.09, scene.end, WHITE)


def _cycle_path(scene: Layout) -> list[Strip]:
    road = scene.street.road
    edges = [(s * road, s * (road - 0.12), 0.5, scene.end, WHITE) for s in (-1, 1)]
    return edges + _dashes(0.0, 0.06, scene.end, WHITE, step=3.0)


def _stripes(scene: Layout) -> list[Strip]:
    road = scene.street.road
    bays = [
        (side * road, side * (road - 2.0), z, z + 0.5, WHITE)
        for z in np.arange(1.0, scene.end, 1.5)
        for side in (-1, 1)
    ]
    return bays + _dashes(0.0, 0.08, scene.end, YELLOW)


MARKINGS: dict[str, Callable[[Layout], list[Strip]]] = {
    "tiles": _tiles,
    "parking": _parking,
    "yard": _yard,
    "bus lane": _bus_lane,
    "cycle path": _cycle_path,
    "stripes": _stripes,
}
"""Painters of the signs on the ground, by name."""


def ground_patches(scene: Layout) -> list[Patch]:
    """Patches of the ground, from the open land beyond the street to the markings at our feet."""
    street, camera = scene.street, scene.camera
    if camera.first_row == camera.height:
        return []
    near = 0.9 * float(camera.ground_depth()[-1])
    across = scene.end + 9.0
    wide = 2.0 * FAR
    strips: list[Strip] = [
        (-wide, wide, near, FAR, street.beyond),
        (-wide, wide, scene.end, across, street.road_colour),
        (-wide, wide, across, across + 0.5, tint(street.walk_colour, 1.1)),
        (-street.wall, street.wall, near, scene.end, street.walk_colour),
        (-street.road - 0.15, street.road + 0.15, near, scene.end, tint(street.walk_colour, 1.2)),
        (-street.road, street.road, near, scene.end, street.road_colour),
        *MARKINGS[street.markings](scene),
    ]
    patches = []
    for x0, x1, z0, z1, colour in strips:
        if z1 < near:
            continue
        x0, x1, z0 = x0 + scene.offset, x1 + scene.offset, max(z0, near)
        corners = np.array([[x0, 0, z0], [x1, 0, z0], [x1, 0, z1], [x0, 0, z1]], dtype=float)
        red, green, blue = (int(255 * channel) for channel in colour)
        patches.append(Patch(camera.project(corners), (red, green, blue)))
    return patches


def smooth(tile: np.ndarray) -> np.ndarray:
    """Tile with each entry averaged over its neighbours, wrapped around, at unit deviation."""
    for _ in range(2):
        for axis in (0, 1):
            tile = tile + np.roll(tile, 1, axis)
    return tile / tile.std()


def grain(scene: Layout, rng: np.random.Generator) -> np.ndarray:
    """Brightness of the ground below the horizon, shape (rows, width), around 1.

    Noise lies on the ground itself, so that it draws together towards the horizon.
    """
    camera = scene.camera
    depth = camera.ground_depth()
    columns = (np.arange(camera.width) - camera.width / 2) / camera.focal
    x = columns[None, :] * depth[:, None] + 500.0
    # Cells are smooth: each spans three entries of the tile, which wraps around.
    tile = smooth(rng.standard_normal((256, 256), dtype=np.float32))
    total = np.ones_like(x, dtype=np.float32)
    for cells, strength in ((14.0, 0.055), (2.1, 0.04), (0.45, 0.035)):
        z_cell = (depth * cells * 3).astype(np.int64) & 255
        x_cell = (x * cells * 3).astype(np.int64) & 255
        fade = np.minimum(1.0, 0.004 * camera.focal / cells * 8.0 / depth).astype(np.float32)
        total += strength * fade[:, None] * tile[z_cell[:, None], x_cell]
    return total
