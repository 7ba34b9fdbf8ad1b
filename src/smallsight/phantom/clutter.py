"""Things that are no object of the study: street furniture, boxes and greenery."""

from collections.abc import Callable

import numpy as np

from smallsight.phantom.solids import Block, Colour, Hull, Model, box, hsv, limb, pane, sheet, tint

Builder = Callable[[np.random.Generator], Model]
IRON: Colour = (0.22, 0.24, 0.26)
WOOD: Colour = (0.52, 0.36, 0.22)
ZINC: Colour = (0.6, 0.62, 0.63)


def leaf(rng: np.random.Generator) -> Colour:
    """Draw a green of foliage."""
    return hsv(rng.uniform(0.2, 0.36), rng.uniform(0.4, 0.7), rng.uniform(0.3, 0.55))


def _sign(rng: np.random.Generator) -> Model:
    colour = hsv(rng.choice([0.0, 0.6, 0.12]), 0.85, 0.8)
    pole = limb((0, 0, 0), (0, 2.5, 0), 0.035, ZINC)
    turn = np.linspace(0, 2 * np.pi, int(rng.choice([3, 4, 16])), endpoint=False) + np.pi / 2
    plate = np.column_stack([0 * turn + 0.05, 2.35 + 0.36 * np.sin(turn), 0.36 * np.cos(turn)])
    inner = (plate - [0, 2.35, 0]) * [1, 0.68, 0.68] + [0.01, 2.35, 0]
    block = Block((sheet(plate, colour), sheet(inner, (0.95, 0.95, 0.95))), plate.mean(axis=0), 1)
    return Model((pole, block))


def _bin(rng: np.random.Generator) -> Model:
    colour = hsv(rng.choice([0.33, 0.6, 0.1, 0.0]), 0.5, rng.uniform(0.25, 0.5))
    body = Hull([(-0.24, 0.08), (-0.3, 0.95), (0.3, 0.95), (0.24, 0.08)], 0.28, colour)
    lid = box((-0.33, 0.33), (0.95, 1.05), 0.31, tint(colour, 0.7))
    return Model((body.block(), lid.block(1)))


def _bollard(rng: np.random.Generator) -> Model:
    del rng
    return Model(
        (
            limb((0, 0, 0), (0, 0.85, 0), 0.08, IRON),
            limb((0, 0.7, 0), (0, 0.74, 0), 0.085, (0.9, 0.9, 0.9)),
        )
    )


def _cone(rng: np.random.Generator) -> Model:
    del rng
    base = box((-0.2, 0.2), (0.0, 0.05), 0.2, (0.15, 0.15, 0.15))
    orange, white = (0.95, 0.4, 0.1), (0.95, 0.95, 0.95)
    return Model(
        (
            base.block(),
            limb((0, 0.12, 0), (0, 0.7, 0), (0.15, 0.03), orange, tier=1),
            limb((0, 0.36, 0), (0, 0.46, 0), (0.105, 0.085), white, tier=2),
        )
    )


def _crate(rng: np.random.Generator) -> Model:
    colour = (WOOD, (0.72, 0.55, 0.36), (0.25, 0.42, 0.6))[rng.integers(3)]
    size = rng.uniform(0.35, 0.6)
    crate = box((-size, size), (0.0, size * 1.7), size * 0.9, colour)
    for flank in crate.sides(-size, 0.0, size, size * 1.7):
        for v in (0.3, 0.62):
            crate.add(pane(flank, 0.0, v, 1.0, v + 0.05), tint(colour, 0.6))
    blocks = [crate.block()]
    if rng.random() < 0.4:
        blocks.append(
            box((-0.3, 0.25), (size * 1.7, size * 1.7 + 0.5), 0.3, tint(colour, 1.1)).block(1)
        )
    return Model(tuple(blocks))


def _hedge(rng: np.random.Generator) -> Model:
    length, high, colour = rng.uniform(1.0, 2.4), rng.uniform(0.6, 1.1), leaf(rng)
    body = box((-length, length), (0.0, high), 0.35, tint(colour, 0.8))
    bumps = [
        limb(
            (x, high - 0.1, z),
            (x, high - 0.1, z),
            rng.uniform(0.2, 0.32),
            tint(colour, rng.uniform(0.8, 1.15)),
        )
        for x in np.linspace(-length, length, 7)
        for z in (-0.2, 0.2)
    ]
    return Model((body.block(), *(Block(b.parts, b.centre, 1) for b in bumps)))


def _planter(rng: np.random.Generator) -> Model:
    tub = Hull([(-0.45, 0), (-0.55, 0.55), (0.55, 0.55), (0.45, 0)], 0.45, (0.55, 0.5, 0.46))
    flower = hsv(rng.choice([0.0, 0.9, 0.14, 0.75]), 0.7, 0.85)
    green = leaf(rng)
    blocks = [tub.block()]
    for _ in range(9):
        x, z = rng.uniform(-0.4, 0.4, 2)
        y = rng.uniform(0.6, 0.95)
        blocks.append(
            limb(
                (x, y, z),
                (x, y, z),
                rng.uniform(0.14, 0.22),
                tint(green, rng.uniform(0.8, 1.2)),
                tier=1,
            )
        )
    for _ in range(6):
        x, z = rng.uniform(-0.4, 0.4, 2)
        y = rng.uniform(0.8, 1.1)
        blocks.append(limb((x, y, z), (x, y, z), 0.06, flower, tier=2))
    return Model(tuple(blocks))


def _bench(rng: np.random.Generator) -> Model:
    del rng
    blocks = [box((-0.25, 0.2), (0.42, 0.48), 0.9, WOOD).block(1)]
    blocks += [box((-0.3, -0.25), (y, y + 0.12), 0.9, WOOD).block(1) for y in (0.55, 0.72)]
    blocks += [box((-0.28, 0.15), (0.0, 0.42), 0.04, IRON, z=z).block() for z in (-0.7, 0.7)]
    return Model(tuple(blocks))


def _cabinet(rng: np.random.Generator) -> Model:
    colour = tint((0.6, 0.63, 0.58), rng.uniform(0.7, 1.1))
    body = box((-0.25, 0.25), (0.05, rng.uniform(1.0, 1.4)), rng.uniform(0.35, 0.7), colour)
    body.add(pane(body.strip(2), 0.48, 0.05, 0.52, 0.95), tint(colour, 0.6))
    body.add(pane(body.strip(2), 0.1, 0.1, 0.4, 0.3), tint(colour, 0.75))
    return Model((body.block(),))


def _lamp(rng: np.random.Generator) -> Model:
    high = rng.uniform(5.0, 7.5)
    return Model(
        (
            limb((0, 0, 0), (0, high, 0), (0.09, 0.05), IRON),
            limb((0, high, 0), (1.2, high + 0.25, 0), 0.045, IRON),
            limb((1.0, high + 0.2, 0), (1.5, high + 0.25, 0), 0.1, (0.9, 0.9, 0.82)),
        )
    )


def _tree(rng: np.random.Generator) -> Model:
    high, spread, colour = rng.uniform(4.5, 7.5), rng.uniform(1.3, 2.2), leaf(rng)
    crown = high * 0.68
    blocks = [limb((0, 0, 0), (0, crown, 0), (0.2, 0.1), (0.33, 0.25, 0.18))]
    for index in range(26):
        angle, out = rng.uniform(0, 2 * np.pi), spread * np.sqrt(rng.random())
        y = crown + (high - crown) * rng.uniform(-0.75, 1.0)
        at = (out * np.cos(angle), y, out * np.sin(angle))
        shade = 0.62 + 0.5 * (y - crown * 0.75) / high + rng.uniform(-0.1, 0.12) + 0.006 * index
        blocks.append(
            limb(at, at, rng.uniform(0.45, 0.85) * spread / 1.7, tint(colour, shade), tier=1)
        )
    return Model(tuple(blocks))


def _shelter(rng: np.random.Generator) -> Model:
    del rng
    frame: Colour = (0.2, 0.25, 0.32)
    blocks = [limb((x, 0, z), (x, 2.4, z), 0.05, frame) for x in (-0.6, 0.5) for z in (-1.8, 1.8)]
    blocks.append(box((-0.85, 0.8), (2.4, 2.55), 2.1, frame).block(2))
    poster = box((-0.6, 0.5), (0.4, 2.1), 0.06, (0.85, 0.6, 0.25), z=1.8)
    for flank in poster.sides(-0.6, 0.4, 0.5, 2.1):
        poster.add(pane(flank, 0.12, 0.35, 0.88, 0.92), (0.3, 0.55, 0.75))
    blocks.append(poster.block(1))
    blocks.append(box((-0.45, -0.1), (0.45, 0.52), 1.5, ZINC).block(1))
    return Model(tuple(blocks))


def _rack(rng: np.random.Generator) -> Model:
    blocks = []
    for x in np.arange(int(rng.integers(2, 5))) * 0.8:
        blocks += [limb((x, 0, z), (x, 0.75, z), 0.03, ZINC) for z in (-0.35, 0.35)]
        blocks.append(limb((x, 0.75, -0.35), (x, 0.75, 0.35), 0.03, ZINC))
    return Model(tuple(blocks))


def _parasol(rng: np.random.Generator) -> Model:
    colour = hsv(rng.choice([0.0, 0.08, 0.13, 0.4]), 0.6, 0.85)
    rim, inside = 1.3, np.array([0.0, 2.0, 0.0])
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    edge = np.column_stack([rim * np.cos(angle), 0 * angle + 2.15, rim * np.sin(angle)])
    parts = [
        sheet([edge[i], edge[(i + 1) % 8], (0.0, 2.75, 0.0)], tint(colour, 1.0 if i % 2 else 0.85))
        for i in np.argsort(-edge[:, 2])
    ]
    table = [limb((-0.35, 0.72, 0.0), (0.35, 0.72, 0.0), 0.05, (0.85, 0.85, 0.82), tier=1)]
    pole = limb((0, 0, 0), (0, 2.3, 0), 0.035, (0.8, 0.78, 0.72))
    return Model((pole, *table, Block(tuple(parts), inside, 2)))


def _container(rng: np.random.Generator) -> Model:
    colour = hsv(rng.choice([0.02, 0.58, 0.33, 0.1]), 0.65, rng.uniform(0.4, 0.65))
    body = box((-3.0, 3.0), (0.0, 2.5), 1.2, colour)
    for flank in body.sides(-3.0, 0.0, 3.0, 2.5):
        for u in np.linspace(0.02, 0.96, 22):
            body.add(pane(flank, u, 0.05, u + 0.018, 0.95), tint(colour, 0.75))
    blocks = [body.block()]
    if rng.random() < 0.4:
        blocks.append(box((-2.9, 3.1), (2.5, 5.0), 1.2, hsv(rng.random(), 0.5, 0.5)).block(1))
    return Model(tuple(blocks))


CLUTTER: dict[str, Builder] = {
    "sign": _sign,
    "bin": _bin,
    "bollard": _bollard,
    "cone": _cone,
    "crate": _crate,
    "hedge": _hedge,
    "planter": _planter,
    "bench": _bench,
    "cabinet": _cabinet,
    "lamp": _lamp,
    "tree": _tree,
    "shelter": _shelter,
    "rack": _rack,
    "parasol": _parasol,
    "container": _container,
}
"""Builders of clutter and scenery, by name."""
