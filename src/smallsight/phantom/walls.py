"""What lines a street: painters of one building's face, or of a stretch of trees."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from smallsight.phantom.solids import GLASS, Colour, hsv, pane, tint

Surface = tuple[np.ndarray, Colour]
"""Polygon in world metres (n, 3) and its colour."""


def _grid(quad: np.ndarray, columns: int, rows: int, low: float, colour: Colour) -> list[Surface]:
    """Windows in a regular grid on the part of a wall above the share `low` of its height."""
    u = ((np.arange(columns) + 0.25) / columns)[None, :, None] + np.array(
        [0, 1, 1, 0]
    ) * 0.5 / columns
    step = (1 - low) / rows
    v = (low + (np.arange(rows) + 0.22) * step)[:, None, None] + np.array(
        [0, 0, 1, 1]
    ) * 0.55 * step
    u, v = np.broadcast_arrays(u, v)
    weights = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=-1)
    return [(window, colour) for window in (weights @ quad).reshape(-1, 4, 3)]


def _shops(quad: np.ndarray, size: tuple[float, float], rng: np.random.Generator) -> list[Surface]:
    wide, tall = size
    body = hsv(rng.uniform(0.05, 0.12), rng.uniform(0.1, 0.35), rng.uniform(0.7, 0.9))
    low = min(0.5, 3.6 / tall)
    awning = hsv(rng.random(), 0.65, 0.65)
    return [
        (quad, body),
        *_grid(
            quad, max(2, int(wide / 2.2)), max(1, int((tall - 3.6) / 2.8)), low, tint(GLASS, 1.9)
        ),
        (pane(quad, 0.06, 0.02, 0.94, low * 0.68), GLASS),
        (pane(quad, 0.1, 0.1 * low, 0.44, low * 0.6), tint(GLASS, 2.4)),
        (pane(quad, 0.03, low * 0.68, 0.97, low * 0.88), awning),
    ]


def _stucco(quad: np.ndarray, size: tuple[float, float], rng: np.random.Generator) -> list[Surface]:
    wide, tall = size
    body = hsv(rng.uniform(0.02, 0.13), rng.uniform(0.4, 0.65), rng.uniform(0.75, 0.92))
    low = min(0.5, 3.2 / tall)
    shutter = hsv(rng.uniform(0.3, 0.6), 0.5, 0.4)
    awning = hsv(rng.choice([0.0, 0.33, 0.1]), 0.7, 0.7)
    out: list[Surface] = [(quad, body), (pane(quad, 0.0, 0.95, 1.0, 1.0), (0.62, 0.33, 0.22))]
    out += _grid(quad, max(2, int(wide / 2.6)), max(1, int((tall - 3.2) / 3.0)), low, shutter)
    out.append((pane(quad, 0.12, 0.0, 0.4, low * 0.75), tint(GLASS, 0.9)))
    out.append((pane(quad, 0.55, 0.0, 0.75, low * 0.7), (0.4, 0.25, 0.15)))
    for stripe in range(8):
        u = 0.05 + 0.1 * stripe
        colour = awning if stripe % 2 else (0.95, 0.93, 0.88)
        out.append((pane(quad, u, low * 0.76, u + 0.1, low * 0.95), colour))
    return out


def _offices(
    quad: np.ndarray, size: tuple[float, float], rng: np.random.Generator
) -> list[Surface]:
    wide, tall = size
    body = hsv(rng.uniform(0.55, 0.65), rng.uniform(0.05, 0.2), rng.uniform(0.45, 0.75))
    glass = tint(GLASS, rng.uniform(1.6, 2.8))
    columns, rows = max(3, int(wide / 1.7)), max(3, int(tall / 2.6))
    return [
        (quad, body),
        *_grid(quad, columns, rows, min(0.3, 4.0 / tall), glass),
        (pane(quad, 0.02, 0.0, 0.98, 3.2 / tall), GLASS),
    ]


def _sheds(quad: np.ndarray, size: tuple[float, float], rng: np.random.Generator) -> list[Surface]:
    wide, tall = size
    body = hsv(rng.choice([0.58, 0.1, 0.35]), rng.uniform(0.05, 0.25), rng.uniform(0.55, 0.78))
    out: list[Surface] = [(quad, body)]
    for rib in range(int(wide / 0.9)):
        u = rib * 0.9 / wide
        out.append((pane(quad, u, 0.0, u + 0.25 / wide, 1.0), tint(body, 0.92)))
    out.append((pane(quad, 0.0, 0.9, 1.0, 1.0), hsv(rng.choice([0.6, 0.02, 0.13]), 0.6, 0.6)))
    for u in (0.12, 0.58):
        out.append((pane(quad, u - 0.02, 0.0, u + 0.32, 4.4 / tall), (0.25, 0.25, 0.26)))
        out.append((pane(quad, u, 0.0, u + 0.28, 4.1 / tall), (0.82, 0.82, 0.8)))
        for v in (0.2, 0.4, 0.6, 0.8):
            out.append(
                (pane(quad, u, v * 4.1 / tall, u + 0.28, v * 4.1 / tall + 0.012), (0.6, 0.6, 0.6))
            )
    return out


def _houses(quad: np.ndarray, size: tuple[float, float], rng: np.random.Generator) -> list[Surface]:
    wide = size[0]
    brick = rng.random() < 0.5
    body = (
        hsv(rng.uniform(0.0, 0.06), 0.45, rng.uniform(0.5, 0.65))
        if brick
        else hsv(0.12, 0.15, rng.uniform(0.75, 0.92))
    )
    roof = hsv(rng.uniform(0.0, 0.08), rng.uniform(0.2, 0.5), rng.uniform(0.3, 0.45))
    wall = pane(quad, 0.05, 0.0, 0.95, 0.66)
    gable = np.array(
        [
            pane(quad, 0.0, 0.64, 1.0, 0.64)[0],
            pane(quad, 0.0, 0.64, 1.0, 0.64)[1],
            pane(quad, 0.82, 1.0, 1.0, 1.0)[0],
            pane(quad, 0.18, 1.0, 1.0, 1.0)[0],
        ]
    )
    frame = (0.93, 0.92, 0.88)
    out: list[Surface] = [(wall, body), (gable, roof)]
    out += _grid(wall, max(2, int(wide / 3.2)), 2, 0.1, frame)
    out += [(pane(p, 0.12, 0.1, 0.88, 0.9), tint(GLASS, 1.3)) for p, _ in out[2:]]
    out.append((pane(wall, 0.44, 0.0, 0.56, 0.4), hsv(rng.random(), 0.6, 0.4)))
    return out


def _trees(quad: np.ndarray, size: tuple[float, float], rng: np.random.Generator) -> list[Surface]:
    wide, tall = size
    green = hsv(rng.uniform(0.22, 0.34), rng.uniform(0.45, 0.65), rng.uniform(0.28, 0.42))
    turn = np.linspace(0, 2 * np.pi, 9, endpoint=False)
    out: list[Surface] = [(pane(quad, -0.1, 0.0, 1.1, 0.45), tint(green, 0.55))]
    for u in rng.uniform(0.1, 0.9, 2):
        out.append((pane(quad, u, 0.0, u + 0.5 / wide, 0.5), (0.27, 0.2, 0.15)))
    blobs = np.sort(rng.uniform(0.3, 0.95, 26))[::-1]
    for v in blobs:
        u, r = rng.uniform(0.0, 1.0), rng.uniform(0.08, 0.16)
        ring = np.column_stack([u + r * np.cos(turn) * tall / wide, v + r * np.sin(turn)])
        base = quad[0] + (quad[1] - quad[0]) * ring[:, :1] + (quad[3] - quad[0]) * ring[:, 1:]
        out.append((base, tint(green, 0.6 + 0.65 * v + rng.uniform(-0.12, 0.12))))
    return out


@dataclass(frozen=True, slots=True)
class Lining:
    """Painter of one building's face, and the widths and heights of buildings, in metres."""

    paint: Callable[[np.ndarray, tuple[float, float], np.random.Generator], list[Surface]]
    wide: tuple[float, float]
    tall: tuple[float, float]


WALLS: dict[str, Lining] = {
    "shops": Lining(_shops, (7.0, 12.0), (8.0, 14.0)),
    "houses": Lining(_houses, (8.0, 12.0), (6.5, 8.5)),
    "sheds": Lining(_sheds, (12.0, 20.0), (7.0, 10.0)),
    "offices": Lining(_offices, (9.0, 15.0), (14.0, 28.0)),
    "trees": Lining(_trees, (6.0, 9.0), (6.0, 11.0)),
    "stucco": Lining(_stucco, (6.0, 10.0), (6.0, 9.5)),
}
"""What lines a street, by name."""
