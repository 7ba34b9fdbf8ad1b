"""Solids: the small vocabulary of shapes in metres from which every thing is built.

A thing's own axes: x forward, y up, z to its left side; the origin lies on the ground under its
middle. Two kinds of part are enough: flat faces (vehicles, boxes) and limbs, which are tubes with
round ends (people, cycles, posts, foliage).
"""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

Colour = tuple[float, float, float]
Points = np.ndarray
GLASS: Colour = (0.13, 0.17, 0.21)
RUBBER: Colour = (0.07, 0.07, 0.08)
STEEL: Colour = (0.62, 0.64, 0.66)


@dataclass(frozen=True, slots=True)
class Part:
    """One face or limb.

    `points` has shape (n, 3); a limb has two points and a `radii` pair; a face with a point
    `inside` is seen only from the side away from it, one without is seen from both.
    """

    points: Points
    colour: Colour
    inside: Points | None = None
    radii: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Parts painted together, in order. Lower tiers first; within a tier, the farther first."""

    parts: tuple[Part, ...]
    centre: Points
    tier: int = 0


@dataclass(frozen=True)
class Model:
    """A thing in its own axes."""

    blocks: tuple[Block, ...]

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Parts of all blocks."""
        return tuple(part for block in self.blocks for part in block.parts)

    @cached_property
    def points(self) -> Points:
        """Every point of every part, shape (n, 3)."""
        return np.concatenate([part.points for part in self.parts])

    @cached_property
    def radii(self) -> Points:
        """The radius around every point, shape (n,); 0 on faces."""
        return np.array([r for p in self.parts for r in (p.radii or (0.0,) * len(p.points))])

    @cached_property
    def starts(self) -> Points:
        """Index of every part's first point, and the number of points: shape (parts + 1,)."""
        return np.cumsum([0] + [len(part.points) for part in self.parts])

    @cached_property
    def normals(self) -> Points:
        """Unit normal of every part, outward by its `inside`; straight up where it has none."""
        after = np.arange(1, len(self.points) + 1)
        after[self.starts[1:] - 1] = self.starts[:-1]
        turns = np.cross(self.points, self.points[after])
        normals = np.add.reduceat(turns, self.starts[:-1])
        means = np.add.reduceat(self.points, self.starts[:-1]) / np.diff(self.starts)[:, None]
        up = np.array([0.0, 1.0, 0.0])
        inside = np.array(
            [m if p.inside is None else p.inside for p, m in zip(self.parts, means, strict=True)]
        )
        length = np.sqrt((normals**2).sum(axis=1)) + 1e-12
        outward = np.where((normals * (means - inside)).sum(axis=1) >= 0, 1.0, -1.0)
        normals *= (outward / length)[:, None]
        normals[[part.inside is None for part in self.parts]] = up
        return normals


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Colour from hue, saturation and value, each 0..1 (hue wraps around)."""
    return colorsys.hsv_to_rgb(hue % 1.0, saturation, value)


def tint(colour: Colour, factor: float) -> Colour:
    """Lighter (factor > 1) or darker copy of a colour."""
    red, green, blue = (min(1.0, channel * factor) for channel in colour)
    return red, green, blue


def face(points: Sequence[Sequence[float]] | Points, colour: Colour, inside: Points) -> Part:
    """Flat polygon that looks away from the point `inside`."""
    return Part(np.asarray(points, dtype=float), colour, inside=inside)


def sheet(points: Sequence[Sequence[float]] | Points, colour: Colour) -> Part:
    """Flat polygon seen from both sides."""
    return Part(np.asarray(points, dtype=float), colour)


def limb(
    start: Sequence[float],
    end: Sequence[float],
    radius: float | tuple[float, float],
    colour: Colour,
    *,
    tier: int = 0,
) -> Block:
    """Tube with round ends; a ball where both ends coincide."""
    points = np.array([start, end], dtype=float)
    radii = radius if isinstance(radius, tuple) else (radius, radius)
    return Block((Part(points, colour, radii=radii),), 0.5 * (points[0] + points[1]), tier)


def patch_on(quad: Points, uv: Sequence[tuple[float, float]]) -> Points:
    """Polygon given in the unit square, laid on a quad by bilinear interpolation.

    `quad` is (4, 3) with corners at uv (0, 0), (1, 0), (1, 1), (0, 1).
    """
    weights = [((1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v) for u, v in uv]
    return np.array(weights) @ quad


def pane(quad: Points, u0: float, v0: float, u1: float, v1: float) -> Points:
    """Rectangle u0..u1 by v0..v1 of a quad's unit square."""
    return patch_on(quad, [(u0, v0), (u1, v0), (u1, v1), (u0, v1)])


class Hull:
    """A convex solid drawn from a side profile, and the details laid on its faces."""

    def __init__(
        self,
        profile: Sequence[tuple[float, float]],
        half: float | Sequence[float],
        colour: Colour,
        *,
        z: float = 0.0,
    ) -> None:
        outline = np.asarray(profile, dtype=float)
        width = np.broadcast_to(np.asarray(half, dtype=float), (len(outline),))
        self.left = np.column_stack([outline, z + width])
        self.right = np.column_stack([outline, z - width])
        self.inside = np.append(outline.mean(axis=0), z)
        self.parts: list[Part] = []
        for index in range(len(outline)):
            self.add(self.strip(index), colour)
        self.add(self.left, colour)
        self.add(self.right, colour)

    def strip(self, index: int) -> Points:
        """Quad between profile corners `index` and `index + 1`: u runs right to left, v along."""
        after = (index + 1) % len(self.left)
        return np.array([self.right[index], self.left[index], self.left[after], self.right[after]])

    def sides(self, x0: float, y0: float, x1: float, y1: float) -> list[Points]:
        """Upright rectangle on each flank, as two quads (u along x, v up)."""
        return [
            np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]])
            for z in (self.left[:, 2].max() + 0.005, self.right[:, 2].min() - 0.005)
        ]

    def add(self, points: Points, colour: Colour) -> None:
        """Lay a polygon on the solid, above what is there."""
        self.parts.append(face(points, colour, self.inside))

    def glaze(self, quad: Points, u0: float, v0: float, u1: float, v1: float) -> None:
        """Lay a window pane with a bright reflection on a quad."""
        self.add(pane(quad, u0, v0, u1, v1), GLASS)
        cut = [(0.12, 1.0), (0.0, 1.0), (0.0, 0.55), (0.3, 0.0), (0.62, 0.0)]
        span = [(u0 + (u1 - u0) * u, v0 + (v1 - v0) * v) for u, v in cut]
        self.add(patch_on(quad, span), tint(GLASS, 2.3))

    def block(self, tier: int = 0) -> Block:
        """Finished block."""
        return Block(tuple(self.parts), self.inside, tier)


def box(
    x: tuple[float, float], y: tuple[float, float], half: float, colour: Colour, *, z: float = 0.0
) -> Hull:
    """Upright cuboid from x[0] to x[1], y[0] to y[1], `half` wide to either side of `z`."""
    (x0, x1), (y0, y1) = x, y
    return Hull([(x0, y0), (x0, y1), (x1, y1), (x1, y0)], half, colour, z=z)


@cache
def _unit_circle(count: int) -> Points:
    angle = np.linspace(0.0, 2 * np.pi, count, endpoint=False)
    return np.column_stack([np.cos(angle), np.sin(angle), 0 * angle])


def circle(x: float, y: float, z: float, radius: float, count: int = 20) -> Points:
    """Points of an upright circle across the z axis, shape (count, 3)."""
    return _unit_circle(count) * radius + [x, y, z]


def wheels(x: float, half: float, radius: float, width: float, rim: Colour) -> list[Block]:
    """Pair of car-like wheels: treads below the body (tier 0), outer discs above it (tier 3)."""
    blocks = []
    for side in (-1.0, 1.0):
        middle = side * (half - width / 2)
        tread = box(
            (x - radius * 0.8, x + radius * 0.8), (0.0, radius), width / 2, RUBBER, z=middle
        )
        blocks.append(tread.block())
        inside = np.array([x, radius, 0.0])
        outer = side * (half + 0.01)
        discs = (
            face(circle(x, radius, outer, radius * 1.1), (0.05, 0.05, 0.05), inside),
            face(circle(x, radius * 0.98, outer, radius), RUBBER, inside),
            face(circle(x, radius, outer, radius * 0.62, 14), rim, inside),
            face(circle(x, radius, outer, radius * 0.2, 8), tint(rim, 0.45), inside),
        )
        blocks.append(Block(discs, np.array([x, radius, outer]), 3))
    return blocks
