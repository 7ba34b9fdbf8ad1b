"""People: a jointed figure in clothes, standing or walking."""

import numpy as np

from smallsight.phantom.solids import Block, Colour, Hull, Model, hsv, limb, tint

SKIN: tuple[Colour, ...] = (
    (0.95, 0.78, 0.67),
    (0.87, 0.66, 0.52),
    (0.68, 0.47, 0.34),
    (0.45, 0.3, 0.21),
    (0.32, 0.21, 0.15),
)

HAIR: tuple[Colour, ...] = (
    (0.1, 0.08, 0.07),
    (0.28, 0.18, 0.1),
    (0.62, 0.46, 0.24),
    (0.5, 0.5, 0.5),
    (0.5, 0.22, 0.1),
)


def _cloth(rng: np.random.Generator) -> Colour:
    if rng.random() < 0.3:
        grey = rng.uniform(0.15, 0.95)
        return grey, grey, grey
    return hsv(rng.random(), rng.uniform(0.35, 0.9), rng.uniform(0.3, 0.9))


def _joint(
    start: tuple[float, float, float], length: float, swing: float
) -> tuple[float, float, float]:
    """End of a bone that hangs from `start`, swung forward by `swing` radians."""
    return (
        start[0] + length * float(np.sin(swing)),
        start[1] - length * float(np.cos(swing)),
        start[2],
    )


def person(rng: np.random.Generator) -> Model:
    """Adult or child, 1.25 to 1.9 m tall, mid-stride or standing."""
    tall = rng.uniform(1.58, 1.9) if rng.random() < 0.88 else rng.uniform(1.25, 1.45)
    s = tall / 1.75
    girth = s * rng.uniform(0.92, 1.2)
    skin = SKIN[rng.integers(len(SKIN))]
    hair = HAIR[rng.integers(len(HAIR))]
    shirt, trousers, shoes = _cloth(rng), tint(_cloth(rng), 0.75), tint(_cloth(rng), 0.5)
    sleeves, shorts = rng.random() < 0.6, rng.random() < 0.2
    stride = rng.uniform(0.25, 0.55) if rng.random() < 0.75 else rng.uniform(0.0, 0.1)
    sleeve = tint(shirt, 0.93)
    blocks: list[Block] = []
    hip_height, shoulder_height = 0.9 * s, 1.42 * s
    for side in (-1, 1):
        swing = side * stride
        hip = (0.0, hip_height, side * 0.09 * girth)
        knee = _joint(hip, 0.43 * s, swing)
        ankle = _joint(knee, 0.41 * s, swing - (0.5 * stride if swing < 0 else 0.1 * stride))
        lift = max(0.0, 0.06 * s - ankle[1])
        knee, ankle = (knee[0], knee[1] + lift, knee[2]), (ankle[0], ankle[1] + lift, ankle[2])
        blocks.append(limb(hip, knee, (0.088 * girth, 0.064 * girth), trousers))
        blocks.append(
            limb(knee, ankle, (0.06 * girth, 0.045 * girth), skin if shorts else trousers)
        )
        toe = (ankle[0] + 0.17 * s, max(0.035, ankle[1] - 0.05 * s), ankle[2])
        blocks.append(
            limb((ankle[0], toe[1] + 0.005, ankle[2]), toe, (0.045 * s, 0.035 * s), shoes)
        )
        shoulder = (0.0, shoulder_height - 0.04 * s, side * 0.2 * girth)
        reach = -side * stride * 0.9 + rng.uniform(-0.1, 0.15)
        elbow = _joint(shoulder, 0.29 * s, reach)
        elbow = (elbow[0], elbow[1], elbow[2] + side * 0.05)
        wrist = _joint(elbow, 0.26 * s, reach + rng.uniform(0.1, 0.6))
        blocks.append(limb(shoulder, elbow, (0.06 * girth, 0.048 * girth), sleeve, tier=1))
        blocks.append(
            limb(
                elbow,
                wrist,
                (0.046 * girth, 0.036 * girth),
                sleeve if sleeves else skin,
                tier=1,
            )
        )
        blocks.append(limb(wrist, _joint(wrist, 0.07 * s, reach), 0.042 * s, skin, tier=1))
    blocks += _trunk(rng, s, girth, hip_height, shoulder_height, shirt, trousers)
    blocks += _head(rng, s, shoulder_height, skin, hair)
    return Model(tuple(blocks))


def _trunk(
    rng: np.random.Generator,
    s: float,
    girth: float,
    hips: float,
    shoulders: float,
    shirt: Colour,
    trousers: Colour,
) -> list[Block]:
    """Chest, hips, and perhaps a skirt, a coat or a bag."""
    blocks: list[Block] = []
    trunk = [
        limb((0, hips, -0.08 * girth), (0, hips, 0.08 * girth), 0.1 * girth, trousers),
        limb(
            (0, shoulders - 0.05 * s, -0.15 * girth),
            (0, hips + 0.12 * s, -0.09 * girth),
            0.085 * girth,
            shirt,
        ),
        limb(
            (0, shoulders - 0.05 * s, 0.15 * girth),
            (0, hips + 0.12 * s, 0.09 * girth),
            0.085 * girth,
            shirt,
        ),
        limb(
            (0, shoulders - 0.08 * s, 0),
            (0, hips + 0.06 * s, 0),
            (0.13 * girth, 0.115 * girth),
            shirt,
        ),
    ]
    parts = [part for piece in trunk for part in piece.parts]
    wear = rng.random()
    if wear < 0.25:
        low = hips - rng.uniform(0.25, 0.5) * s
        flare = rng.uniform(0.16, 0.24) * girth
        cloth = shirt if rng.random() < 0.5 else trousers
        skirt = Hull(
            [
                (-flare, low),
                (-0.12 * girth, hips + 0.12 * s),
                (0.12 * girth, hips + 0.12 * s),
                (flare, low),
            ],
            [flare, 0.14 * girth, 0.14 * girth, flare],
            cloth,
        )
        parts += skirt.parts
    elif wear < 0.55:
        pack = tint(_cloth(rng), 0.8)
        blocks.append(
            limb(
                (-0.2 * girth, shoulders - 0.12 * s, 0),
                (-0.2 * girth, hips + 0.2 * s, 0),
                0.13 * girth,
                pack,
                tier=1,
            )
        )
    blocks.append(Block(tuple(parts), np.array([0.0, 1.15 * s, 0.0]), 1))
    return blocks


def _head(
    rng: np.random.Generator, s: float, shoulders: float, skin: Colour, hair: Colour
) -> list[Block]:
    """Neck, face and hair, or a hat."""
    crown = shoulders + 0.26 * s
    chin = shoulders + 0.14 * s
    face_parts = limb(
        (0.015, crown - 0.03 * s, 0), (0.03, chin, 0), (0.093 * s, 0.07 * s), skin
    ).parts
    long = rng.random() < 0.4
    back = limb(
        (-0.035, crown, 0),
        (-0.07, chin - (0.12 * s if long else 0.0), 0),
        (0.1 * s, 0.07 * s),
        hair,
    )
    top = limb((-0.02, crown + 0.03 * s, -0.02), (-0.02, crown + 0.03 * s, 0.02), 0.088 * s, hair)
    neck = limb((0, shoulders - 0.03 * s, 0), (0.01, chin, 0), 0.055 * s, tint(skin, 0.88), tier=1)
    blocks = [
        neck,
        Block(back.parts, np.array([-0.08, crown, 0.0]), 2),
        Block(face_parts, np.array([0.03, crown, 0.0]), 2),
        Block(top.parts, np.array([-0.02, crown, 0.0]), 3),
    ]
    if rng.random() < 0.2:
        cap = hsv(rng.random(), 0.7, 0.7)
        blocks.append(
            limb((-0.02, crown + 0.05 * s, 0), (0.02, crown + 0.05 * s, 0), 0.092 * s, cap, tier=3)
        )
        blocks.append(
            limb((0.05, crown + 0.03 * s, 0), (0.15, crown + 0.02 * s, 0), 0.03 * s, cap, tier=3)
        )
    return blocks
