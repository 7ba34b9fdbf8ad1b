"""Cars, trucks and buses, each built anew from `rng`: shape, colour and details."""

import numpy as np

from smallsight.phantom.solids import STEEL, Block, Colour, Hull, Model, box, hsv, pane, wheels
from smallsight.phantom.solids import tint as shaded

LAMP: Colour = (0.98, 0.96, 0.85)
TAIL: Colour = (0.75, 0.05, 0.05)
DARK: Colour = (0.1, 0.1, 0.11)
PLATE: Colour = (0.9, 0.9, 0.85)


def paintwork(rng: np.random.Generator) -> Colour:
    """Body colour: half of all vehicles white, grey or black, the rest of any hue."""
    if rng.random() < 0.45:
        grey = float(rng.choice([0.93, 0.88, 0.65, 0.42, 0.2]))
        return grey, grey, min(1.0, grey * 1.03)
    return hsv(rng.random(), rng.uniform(0.5, 0.9), rng.uniform(0.45, 0.9))


def _ends(body: Hull, front: int, rear: int) -> None:
    """Lamps, grille and plates on the front and rear strips of a body."""
    nose, tail = body.strip(front), body.strip(rear)
    for u0, u1 in ((0.04, 0.24), (0.76, 0.96)):
        body.add(pane(nose, u0, 0.08, u1, 0.42), LAMP)
        body.add(pane(tail, u0, 0.55, u1, 0.92), TAIL)
    body.add(pane(nose, 0.3, 0.12, 0.7, 0.5), DARK)
    body.add(pane(nose, 0.02, 0.72, 0.98, 1.0), DARK)
    body.add(pane(nose, 0.38, 0.58, 0.62, 0.74), PLATE)
    body.add(pane(tail, 0.38, 0.35, 0.62, 0.55), PLATE)
    body.add(pane(tail, 0.02, 0.0, 0.98, 0.18), DARK)


def car(rng: np.random.Generator) -> Model:
    """Saloon, hatchback or off-roader, 3.7 to 4.7 m long."""
    style = rng.integers(3)
    length = (rng.uniform(4.3, 4.7), rng.uniform(3.7, 4.1), rng.uniform(4.2, 4.6))[style]
    top = (rng.uniform(1.4, 1.46), rng.uniform(1.46, 1.54), rng.uniform(1.66, 1.8))[style]
    belt = top * 0.63
    floor = 0.2 if style < 2 else 0.3
    half = rng.uniform(0.84, 0.92)
    back, front = -length / 2, length / 2
    colour = paintwork(rng)
    nose = belt * 0.78
    profile = [
        (back + 0.05, floor),
        (back, belt * 0.62),
        (back + 0.08, belt),
        (length * 0.2, belt),
        (front - 0.2, belt * 0.9),
        (front, nose),
        (front, floor + 0.02),
    ]
    body = Hull(
        profile, [half, half, half * 0.93, half * 0.96, half * 0.9, half * 0.97, half], colour
    )
    _ends(body, front=5, rear=1)
    for flank in body.sides(back, floor, front, belt):
        body.add(pane(flank, 0.02, 0.0, 0.98, 0.12), DARK)
        body.add(pane(flank, 0.25, 0.5, 0.75, 0.54), shaded(colour, 0.72))
        for u in (0.31, 0.5, 0.69):
            body.add(pane(flank, u, 0.14, u + 0.008, 0.97), shaded(colour, 0.6))
        body.add(pane(flank, 0.93, 0.6, 0.99, 0.78), LAMP)
        body.add(pane(flank, 0.005, 0.62, 0.05, 0.85), TAIL)
    reach = ((-0.38, -0.22, 0.07, 0.24), (-0.48, -0.38, 0.06, 0.25), (-0.49, -0.43, 0.08, 0.22))[
        style
    ]
    cabin = Hull(
        [
            (reach[0] * length, belt),
            (reach[1] * length, top),
            (reach[2] * length, top),
            (reach[3] * length, belt),
        ],
        [half * 0.92, half * 0.72, half * 0.72, half * 0.92],
        colour,
    )
    cabin.glaze(cabin.strip(0), 0.08, 0.12, 0.92, 0.88)
    cabin.glaze(cabin.strip(2), 0.06, 0.1, 0.94, 0.95)
    for flank in (cabin.left, cabin.right):
        quad = flank[[0, 3, 2, 1]]
        cabin.glaze(quad, 0.07, 0.06, 0.47, 0.88)
        cabin.glaze(quad, 0.52, 0.06, 0.93, 0.88)
    mirror = (reach[3] * length - 0.35, reach[3] * length - 0.2)
    mirrors = [
        box(mirror, (belt, belt + 0.15), 0.09, colour, z=s * half * 1.02).block(2) for s in (-1, 1)
    ]
    radius = 0.31 if style < 2 else 0.37
    rim = shaded(STEEL, rng.uniform(0.7, 1.3))
    rolling = [b for x in (0.31, -0.3) for b in wheels(x * length, half, radius, 0.2, rim)]
    return Model((*rolling, body.block(1), cabin.block(2), *mirrors))


def bus(rng: np.random.Generator) -> Model:
    """City bus, 9 to 11.5 m long: a tall body with a row of windows along each flank."""
    length, top, half, floor = rng.uniform(9.0, 11.5), rng.uniform(2.95, 3.2), 1.27, 0.32
    back, front = -length / 2, length / 2
    # The town's two lines are red and yellow.
    hue = rng.choice([rng.uniform(-0.02, 0.02) % 1, rng.uniform(0.13, 0.16)])
    colour = hsv(hue, rng.uniform(0.75, 0.95), rng.uniform(0.65, 0.95))
    lower = (0.94, 0.94, 0.92) if rng.random() < 0.4 else shaded(colour, 0.75)
    profile = [(back, floor), (back, top), (front - 0.12, top), (front, top - 0.5), (front, floor)]
    body = Hull(profile, [half, half * 0.97, half * 0.97, half, half], colour)
    rows = int(rng.integers(6, 9))
    for side, flank in zip((1, -1), body.sides(back, floor, front, top), strict=True):
        body.add(pane(flank, 0.0, 0.0, 1.0, 0.3), lower)
        body.add(pane(flank, 0.0, 0.0, 1.0, 0.05), DARK)
        body.add(pane(flank, 0.015, 0.44, 0.985, 0.86), DARK)
        width = 0.96 / rows
        for row in range(rows):
            u = 0.02 + width * row
            body.glaze(flank, u + width * 0.06, 0.47, u + width * 0.94, 0.83)
        if side < 0:
            for u in (0.45, 0.88):
                body.add(pane(flank, u - 0.005, 0.03, u + 0.1, 0.85), DARK)
                body.glaze(flank, u, 0.08, u + 0.045, 0.82)
                body.glaze(flank, u + 0.05, 0.08, u + 0.095, 0.82)
    screen = body.strip(3)
    body.add(pane(screen, 0.0, 0.72, 1.0, 1.0), lower)
    body.glaze(screen, 0.04, 0.02, 0.96, 0.58)
    body.add(pane(screen, 0.02, 0.93, 0.98, 1.0), DARK)
    sign = body.strip(2)
    body.add(pane(sign, 0.1, 0.1, 0.9, 0.85), DARK)
    body.add(pane(sign, 0.2, 0.3, 0.8, 0.65), (1.0, 0.7, 0.1))
    for u in (0.05, 0.79):
        body.add(pane(screen, u, 0.8, u + 0.16, 0.88), LAMP)
    tail = body.strip(0)
    body.add(pane(tail, 0.0, 0.0, 1.0, 0.28), lower)
    body.glaze(tail, 0.12, 0.58, 0.88, 0.88)
    body.add(pane(tail, 0.2, 0.1, 0.8, 0.34), DARK)
    for u in (0.03, 0.87):
        body.add(pane(tail, u, 0.25, u + 0.1, 0.5), TAIL)
    parts: list[Block] = [body.block(1)]
    if rng.random() < 0.7:
        # Painted first: seen from the street, the body hides its foot.
        parts.append(
            box((back + 1.5, back + 4.0), (top, top + 0.28), 0.8, (0.85, 0.85, 0.85)).block(0)
        )
    rolling = [b for x in (0.3, -0.27) for b in wheels(x * length, half, 0.48, 0.3, STEEL)]
    return Model((*rolling, *parts))


def _cab(front: float, top: float, half: float, colour: Colour) -> Hull:
    """Upright lorry cab whose face stands at `front`, 2 m deep."""
    back, floor = front - 2.0, 0.55
    profile = [
        (back, floor),
        (back, top),
        (front - 0.35, top),
        (front - 0.05, 1.55),
        (front, floor),
    ]
    cab = Hull(profile, half, colour)
    cab.glaze(cab.strip(2), 0.06, 0.1, 0.94, 0.97)
    nose = cab.strip(3)
    cab.add(pane(nose, 0.2, 0.1, 0.8, 0.6), DARK)
    for v in (0.2, 0.35, 0.5):
        cab.add(pane(nose, 0.22, v, 0.78, v + 0.05), STEEL)
    cab.add(pane(nose, 0.0, 0.72, 1.0, 1.0), DARK)
    for u in (0.03, 0.8):
        cab.add(pane(nose, u, 0.74, u + 0.17, 0.92), LAMP)
    for flank in cab.sides(back, floor, front, top):
        cab.glaze(flank, 0.42, 0.52, 0.8, 0.88)
        cab.add(pane(flank, 0.38, 0.1, 0.39, 0.92), shaded(colour, 0.6))
        cab.add(pane(flank, 0.42, 0.42, 0.52, 0.45), DARK)
        cab.add(pane(flank, 0.0, 0.0, 0.9, 0.08), DARK)
    return cab


def _cargo(rng: np.random.Generator, x: tuple[float, float], top: float, half: float) -> Hull:
    """Load: a tall ribbed box, or an open tipper's lower tray."""
    if rng.random() < 0.25:
        colour = hsv(rng.uniform(0.3, 0.65), 0.7, rng.uniform(0.45, 0.8))
        low, high = 1.0, min(top, 2.35)
        load = Hull(
            [(x[0] + 0.25, low), (x[0], high), (x[1] + 0.25, high), (x[1], low)], half, colour
        )
        ribs, rib = 7, shaded(colour, 0.7)
    else:
        pale = rng.random() < 0.6
        colour = (
            (0.93, 0.93, 0.91) if pale else hsv(rng.uniform(0.3, 0.65), 0.6, rng.uniform(0.5, 0.85))
        )
        low, high = 0.95, top
        load = box(x, (low, high), half, colour)
        ribs, rib = 10, shaded(colour, 0.88)
    logo = hsv(rng.random(), 0.8, 0.7)
    kind = rng.integers(3)
    for flank in load.sides(x[0] + 0.05, low, x[1] - 0.05, high):
        for rung in range(ribs):
            u = (rung + 0.5) / ribs
            load.add(pane(flank, u, 0.03, u + 0.012, 0.97), rib)
        load.add(pane(flank, 0.0, 0.0, 1.0, 0.04), shaded(colour, 0.5))
        if kind == 0:
            load.add(pane(flank, 0.0, 0.3, 1.0, 0.45), logo)
        elif kind == 1 and ribs == 10:
            load.add(pane(flank, 0.28, 0.35, 0.72, 0.72), logo)
    tail = load.strip(0)
    load.add(pane(tail, 0.485, 0.03, 0.515, 0.97), shaded(colour, 0.55))
    for u in (0.25, 0.72):
        load.add(pane(tail, u, 0.05, u + 0.025, 0.95), shaded(STEEL, 0.8))
    load.add(pane(tail, 0.0, 0.0, 1.0, 0.05), DARK)
    return load


def truck(rng: np.random.Generator) -> Model:
    """Lorry, 6.5 to 9 m long: a cab in front of a load that stands apart from it."""
    length, half = rng.uniform(6.5, 9.0), 1.22
    back, front = -length / 2, length / 2
    cab = _cab(front, rng.uniform(2.45, 2.8), half * 0.96, paintwork(rng))
    load = _cargo(rng, (back, front - 2.3), rng.uniform(3.1, 3.7), half)
    frame = box((back + 0.1, front - 0.4), (0.55, 0.95), half * 0.6, DARK)
    for u in (0.02, 0.78):
        frame.add(pane(frame.strip(0), u, 0.2, u + 0.2, 0.7), TAIL)
    guard = box((back, back + 0.08), (0.45, 0.6), half * 0.95, (0.75, 0.15, 0.1))
    tank = box((-0.5, 0.6), (0.45, 0.95), half * 0.97, shaded(STEEL, 0.75))
    axles = [front - 0.95, back + 1.2]
    if length > 7.4:
        axles.append(back + 2.25)
    rolling = [b for x in axles for b in wheels(x, half, 0.48, 0.34, shaded(STEEL, 0.9))]
    return Model(
        (*rolling, frame.block(1), tank.block(1), guard.block(1), cab.block(2), load.block(2))
    )
