"""Bicycles and motorcycles, parked or ridden by nobody."""

import numpy as np

from smallsight.phantom.solids import (
    RUBBER,
    STEEL,
    Block,
    Colour,
    Hull,
    Model,
    circle,
    hsv,
    limb,
    sheet,
    tint,
)

BLACK: Colour = (0.09, 0.09, 0.1)


def _wheel(x: float, radius: float, tyre: float, spokes: int, rim: Colour) -> list[Block]:
    """Open wheel in the plane z = 0: a tyre of short tubes, spokes and a hub."""
    ring = circle(x, radius, 0.0, radius - tyre, 18)
    blocks = [
        limb(a, b, tyre, RUBBER) for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True)
    ]
    ends = circle(x, radius, 0.0, radius - 1.6 * tyre, spokes)
    hub = (x, radius, 0.0)
    blocks += [limb(hub, end, tyre * 0.16 + 0.002, rim) for end in ends]
    blocks.append(limb((x, radius, -0.05), (x, radius, 0.05), tyre + 0.015, tint(rim, 0.8)))
    return blocks


def bicycle(rng: np.random.Generator) -> Model:
    """Bicycle, 1.7 m long: diamond or step-through frame, two spoked wheels."""
    radius = rng.uniform(0.33, 0.36)
    colour = hsv(rng.random(), rng.uniform(0.6, 0.95), rng.uniform(0.45, 0.9))
    if rng.random() < 0.2:
        colour = (0.12, 0.12, 0.13)
    rear, front = -0.53, 0.53
    crank = (-0.08, 0.29, 0.0)
    seat_post, head_low, head_top = (-0.2, 0.8, 0.0), (0.36, 0.66, 0.0), (0.32, 0.84, 0.0)
    top_at = 0.8 if rng.random() < 0.65 else 0.52
    joint = (-0.08 - 0.12 * (top_at - 0.29) / 0.51, top_at, 0.0)
    hub, axle = (rear, radius, 0.0), (front, radius, 0.0)
    tube = 0.022
    blocks = _wheel(rear, radius, 0.022, 10, STEEL) + _wheel(front, radius, 0.022, 10, STEEL)
    for a, b in (
        (crank, seat_post),
        (joint, head_top),
        (crank, head_low),
        (crank, hub),
        (joint, hub),
        (head_low, head_top),
    ):
        blocks.append(limb(a, b, tube, colour, tier=1))
    blocks.append(limb(head_low, axle, tube * 0.85, tint(colour, 0.85), tier=1))
    blocks.append(limb(seat_post, (-0.23, 0.93, 0.0), 0.015, STEEL, tier=1))
    blocks.append(limb((-0.36, 0.95, 0.0), (-0.1, 0.94, 0.0), (0.06, 0.025), BLACK, tier=2))
    blocks.append(limb(head_top, (0.3, 0.98, 0.0), 0.016, STEEL, tier=1))
    drop = rng.random() < 0.4
    for side in (-1, 1):
        grip = (0.42, 0.98, side * 0.22) if drop else (0.2, 1.0, side * 0.29)
        blocks.append(limb((0.33, 0.99, 0.0), (0.33, 1.0, side * 0.2), 0.014, STEEL, tier=2))
        blocks.append(limb((0.33, 1.0, side * 0.2), grip, 0.018, BLACK, tier=2))
        foot = (-0.08 + side * 0.13, 0.29 - side * 0.1, side * 0.1)
        blocks.append(limb((-0.08, 0.29, side * 0.05), foot, 0.012, STEEL, tier=2))
        blocks.append(limb(foot, (foot[0], foot[1], side * 0.18), 0.025, BLACK, tier=2))
    ring = limb((-0.08, 0.29, -0.03), (-0.08, 0.29, 0.03), 0.09, tint(STEEL, 0.6), tier=1)
    blocks.append(ring)
    if rng.random() < 0.35:
        wire = tint(STEEL, 0.55)
        basket = Hull([(0.4, 0.8), (0.36, 1.02), (0.7, 1.02), (0.64, 0.8)], 0.17, wire)
        blocks.append(basket.block(2))
    if rng.random() < 0.4:
        blocks.append(limb((-0.75, 0.74, 0.0), (-0.25, 0.74, 0.0), 0.03, BLACK, tier=2))
        blocks.append(limb((-0.68, 0.74, 0.0), hub, 0.012, BLACK, tier=1))
    return Model(tuple(blocks))


def motorcycle(rng: np.random.Generator) -> Model:
    """Motorcycle, 2.1 m long: fat wheels, engine, tank and seat; naked, sport or scooter-like."""
    sport = rng.random() < 0.45
    colour = hsv(rng.random(), rng.uniform(0.65, 0.95), rng.uniform(0.5, 0.95))
    if rng.random() < 0.25:
        colour = (0.13, 0.13, 0.15)
    rear, front, radius, tyre = -0.7, 0.74, 0.315, 0.075
    blocks = _wheel(rear, radius, tyre + 0.015, 7, tint(STEEL, 0.8))
    blocks += _wheel(front, radius, tyre, 7, tint(STEEL, 0.8))
    for x in (rear, front):
        disc = sheet(circle(x, radius, 0.0, 0.14, 12), tint(STEEL, 0.9))
        blocks.append(Block((disc,), np.array([x, radius, 0.0]), 1))
    engine = Hull(
        [(-0.3, 0.2), (-0.36, 0.55), (0.3, 0.6), (0.36, 0.3), (0.2, 0.17)], 0.2, (0.28, 0.28, 0.3)
    )
    for flank in engine.sides(-0.3, 0.2, 0.3, 0.58):
        for v in (0.5, 0.62, 0.74, 0.86):
            engine.add(
                flank[0]
                + (flank[1] - flank[0]) * np.array([[0.45], [0.95], [0.95], [0.45]])
                + (flank[3] - flank[0]) * np.array([[v], [v], [v + 0.06], [v + 0.06]]),
                STEEL,
            )
    z = 0.21
    for side in (-1, 1):
        hub = circle(-0.05, 0.33, side * z, 0.11, 12)
        engine.add(hub, tint(STEEL, 0.95))
    blocks.append(engine.block(1))
    tank = Hull(
        [(-0.2, 0.66), (-0.16, 0.84), (0.1, 0.98), (0.34, 0.94), (0.4, 0.72), (0.2, 0.6)],
        [0.14, 0.13, 0.15, 0.14, 0.13, 0.15],
        colour,
    )
    for flank in tank.sides(-0.1, 0.7, 0.32, 0.9):
        tank.add(flank, tint(colour, 0.7) if sport else (0.85, 0.85, 0.82))
    blocks.append(tank.block(2))
    lift = 0.12 if sport else 0.0
    seat = Hull(
        [
            (-0.85, 0.74 + lift),
            (-0.82, 0.84 + lift),
            (-0.5, 0.8),
            (-0.14, 0.82),
            (-0.16, 0.66),
            (-0.6, 0.64),
        ],
        0.13,
        BLACK,
    )
    blocks.append(seat.block(2))
    tail = Hull(
        [(-1.05, 0.68 + lift), (-0.95, 0.76 + lift), (-0.4, 0.7), (-0.4, 0.58)], 0.1, colour
    )
    tail.add(tail.strip(0), (0.8, 0.08, 0.06))
    blocks.append(tail.block(2))
    blocks.append(limb((-0.25, 0.42, 0.0), (rear, radius, 0.0), 0.05, (0.3, 0.3, 0.32), tier=1))
    for side in (-1, 1):
        blocks.append(
            limb((front, radius, side * 0.11), (0.44, 0.92, side * 0.1), 0.03, STEEL, tier=1)
        )
        blocks.append(limb((0.42, 0.97, 0.0), (0.3, 1.05, side * 0.3), 0.02, BLACK, tier=3))
        blocks.append(limb((0.3, 1.05, side * 0.3), (0.2, 1.05, side * 0.39), 0.03, BLACK, tier=3))
        blocks.append(
            limb((0.34, 1.05, side * 0.26), (0.37, 1.22, side * 0.34), 0.01, BLACK, tier=3)
        )
        blocks.append(
            limb((0.37, 1.22, side * 0.32), (0.37, 1.22, side * 0.4), 0.035, BLACK, tier=3)
        )
    blocks.append(limb((0.25, 0.3, -0.23), (-0.35, 0.27, -0.24), 0.04, tint(STEEL, 1.1), tier=2))
    blocks.append(
        limb((-0.35, 0.27, -0.24), (-0.9, 0.42, -0.25), (0.06, 0.075), tint(STEEL, 1.15), tier=2)
    )
    fender = [
        (front - 0.28, 0.58),
        (front - 0.16, 0.67),
        (front + 0.1, 0.68),
        (front + 0.28, 0.55),
        (front, 0.6),
    ]
    blocks.append(Hull(fender, 0.07, colour).block(1))
    if sport:
        fairing = Hull(
            [(0.2, 0.42), (0.36, 0.98), (0.5, 1.12), (0.74, 0.84), (0.62, 0.62), (0.4, 0.34)],
            [0.19, 0.16, 0.1, 0.1, 0.15, 0.19],
            colour,
        )
        fairing.add(fairing.strip(2) * [1, 1, 0.8], (0.2, 0.22, 0.25))
        blocks.append(fairing.block(2))
        blocks.append(limb((0.72, 0.8, 0.0), (0.72, 0.8, 0.0), 0.06, (1.0, 0.97, 0.8), tier=2))
    else:
        blocks.append(limb((0.5, 0.88, 0.0), (0.58, 0.88, 0.0), 0.1, tint(STEEL, 0.6), tier=2))
        blocks.append(limb((0.63, 0.88, 0.0), (0.63, 0.88, 0.0), 0.075, (1.0, 0.97, 0.8), tier=3))
    return Model(tuple(blocks))
