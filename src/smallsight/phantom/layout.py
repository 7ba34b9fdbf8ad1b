"""What stands where in a scene: objects by perspective, then furniture and clutter."""

from dataclasses import replace

import numpy as np

from smallsight.phantom.camera import Pose, extent
from smallsight.phantom.clutter import CLUTTER
from smallsight.phantom.dials import Dials
from smallsight.phantom.kinds import KINDS, draw_yaw
from smallsight.phantom.plan import RATIOS, Wish, draw_plan, group_of
from smallsight.phantom.scene import Layout, Thing, draw_camera, draw_light, put
from smallsight.phantom.silhouettes import visible_masks
from smallsight.phantom.solids import Model
from smallsight.phantom.streets import STREETS

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

MIN_SIDE, MIN_PIXELS, MIN_VISIBLE = 5, 25, 0.3
"""Least box side and area in pixels, and share of the silhouette, that an object must show."""

WIDEST = 0.65
"""Largest share of the picture's width that a near object takes."""


class _Stage:
    """A scene while it is being filled."""

    def __init__(self, rng: np.random.Generator, dials: Dials) -> None:
        self.rng, self.dials = rng, dials
        self.street = STREETS[rng.integers(len(STREETS))]
        self.camera = draw_camera(rng, dials.width, dials.height)
        self.light = draw_light(rng)
        self.end = rng.uniform(14.0, 32.0)
        self.offset = float(rng.uniform(-0.6, 0.6) * self.street.wall)
        self.things: list[Thing] = []
        self.boxes: list[Box] = []
        self.depths: list[float] = []

    def add(self, category: str, model: Model, pose: Pose) -> None:
        self.things.append(put(category, model, pose, self.camera, self.light))

    def distance(self, model: Model, yaw: float, ratio: float, nearest: float) -> float:
        """Distance at which a model's box fills the share `ratio` of the picture."""
        camera = self.camera
        z = 30.0
        for _ in range(3):
            left, top, right, bottom = extent(model, Pose(0.0, z, yaw), camera)
            share = (right - left) * (bottom - top) / (camera.width * camera.height)
            z = max(nearest, z * np.sqrt(share / ratio))
        feet = camera.focal * camera.eye / (1.03 * camera.height - camera.horizon)
        half = np.abs(Pose(0.0, 0.0, yaw).turn(model.points)[:, 2]).max()
        return float(max(z, feet + 0.8 * half))

    def settle(self, wish: Wish, host: Box | None) -> Box | None:
        """Place an object in the freest of some spots; None if all are taken.

        Where there is no room, the heading is drawn again and the object moved away, so that long
        vehicles are not lost more often than people.
        """
        rng, kind = self.rng, KINDS[wish.category]
        model = kind.build(rng)
        best, least = None, 0.6
        floor = RATIOS[group_of(wish.ratio)][0]
        for attempt in range(6):
            yaw = draw_yaw(kind, rng)
            ratio = max(min(floor, wish.ratio), wish.ratio * 0.75**attempt)
            z = self.distance(model, yaw, ratio, kind.nearest)
            ahead = extent(model, Pose(0.0, z, yaw), self.camera)
            for _ in range(8):
                x = self.spot(kind.zone, z, ahead, host if attempt < 4 else None)
                if x is None:
                    continue
                box = shifted(ahead, self.camera.focal * x / z)
                cover = self.cover(box, z)
                if cover < least:
                    best, least = Pose(x, z, yaw), cover
                if cover < 0.08:
                    break
            if least < 0.2:
                break
        if best is None:
            return None
        return self.enter(wish, model, best)

    def lead(self, wish: Wish) -> Box:
        """Place the near object amid the picture, and the street around it."""
        rng, camera, kind = self.rng, self.camera, KINDS[wish.category]
        model, yaw = kind.build(rng), draw_yaw(kind, rng)
        z = self.distance(model, yaw, wish.ratio, kind.nearest)
        left, _, right, _ = extent(model, Pose(0.0, z, yaw), camera)
        # A long vehicle across the whole picture would hide all that stands behind it.
        z *= max(1.0, (right - left) / (WIDEST * camera.width))
        pose = Pose(float(rng.normal(0.0, 0.09) * camera.width * z / camera.focal), z, yaw)
        aside = rng.choice([-1, 1]) * rng.uniform(*self.street.strip(kind.zone))
        reach = self.street.wall - 1.5
        self.offset = float(np.clip(pose.x - aside, -reach, reach))
        return self.enter(wish, model, pose)

    def enter(self, wish: Wish, model: Model, pose: Pose) -> Box:
        """Put an object where it was found to fit, and return its box."""
        self.add(wish.category, model, pose)
        self.boxes.append(extent(model, pose, self.camera))
        self.depths.append(pose.z)
        return self.boxes[-1]

    def cover(self, box: Box, z: float) -> float:
        """Largest share that a box at a distance would hide of an object, or an object of it."""
        shares = [
            covered(box, other) if z > depth else covered(other, box)
            for other, depth in zip(self.boxes, self.depths, strict=True)
        ]
        return max(shares, default=0.0)

    def spot(self, zone: str, z: float, ahead: Box, host: Box | None) -> float | None:
        """Return an x to try, in a zone or right beside a host's box; None if it is out of bounds.

        `ahead` is the object's box were it straight ahead, at x = 0.
        """
        rng = self.rng
        low, high = self.bounds(z, ahead)
        if low > high:
            return None
        if host is not None:
            gap = rng.uniform(-0.12, 0.25) * (ahead[2] - ahead[0])
            right = rng.random() < 0.5
            shift = host[2] + gap - ahead[0] if right else host[0] - gap - ahead[2]
            x = float(shift * z / self.camera.focal)
            return x if low <= x <= high else None
        if z < self.end:
            inner, outer = self.street.strip(zone)
            for _ in range(6):
                x = float(self.offset + rng.choice([-1, 1]) * rng.uniform(inner, outer))
                if low <= x <= high:
                    return x
        return float(rng.uniform(low, high))

    def bounds(self, z: float, ahead: Box) -> tuple[float, float]:
        """Least and largest x at a distance such that a box is in sight and no wall hides it.

        A fifth of the box may be cut by the picture's edge.
        """
        camera = self.camera
        wide, middle = ahead[2] - ahead[0], camera.width / 2
        deep = max(1.0, z / self.end)
        walls = [(self.offset + side * self.street.wall) * deep for side in (-1, 1)]
        left = max(-0.2 * wide, middle + walls[0] * camera.focal / z) - ahead[0]
        right = min(camera.width + 0.2 * wide, middle + walls[1] * camera.focal / z) - ahead[2]
        return left * z / camera.focal, right * z / camera.focal

    def furnish(self) -> None:
        """Set the street's own furniture along both kerbs."""
        rng, street = self.rng, self.street
        for side in (-1, 1):
            z = rng.uniform(5.0, 14.0)
            while z < self.end:
                name = street.furniture[rng.integers(len(street.furniture))]
                x = self.offset + side * (street.wall - rng.uniform(0.8, 1.6))
                self.stand(name, x, z, -side * np.pi / 2 if name == "bench" else 0.0)
                z += rng.uniform(7.0, 16.0)

    def scatter(self) -> None:
        """Strew clutter: half of it on the pavement, half close to objects."""
        rng = self.rng
        for _ in range(rng.poisson(14.0 * self.dials.clutter)):
            name = self.street.clutter[rng.integers(len(self.street.clutter))]
            target = self.boxes[rng.integers(len(self.boxes))] if self.boxes else None
            if target is None or rng.random() < 0.5:
                z = float(np.exp(rng.uniform(np.log(4.5), np.log(45.0))))
                inner, outer = self.street.strip("walk")
                x = float(self.offset + rng.choice([-1, 1]) * rng.uniform(inner, outer))
            else:
                row = max(target[3], self.camera.horizon + 6.0)
                z = self.camera.focal * self.camera.eye / (row - self.camera.horizon)
                z *= rng.uniform(0.85, 1.4)
                column = rng.uniform(2 * target[0] - target[2], 2 * target[2] - target[0])
                x = (column - self.camera.width / 2) * z / self.camera.focal
            self.stand(name, x, max(z, 3.5), rng.uniform(-np.pi, np.pi))

    def stand(self, name: str, x: float, z: float, yaw: float) -> None:
        """Put up a piece of clutter unless it would hide much of an object behind it."""
        model, pose = CLUTTER[name](self.rng), Pose(x, z, yaw)
        box = extent(model, pose, self.camera)
        low, high = self.bounds(z, shifted(box, -self.camera.focal * x / z))
        if (
            low <= x <= high
            and max((covered(other, box) for other in self.boxes), default=0.0) < 0.35
        ):
            self.add("", model, pose)


def shifted(box: Box, columns: float) -> Box:
    """Box moved to the right."""
    return box[0] + columns, box[1], box[2] + columns, box[3]


def covered(box: Box, other: Box) -> float:
    """Share of a box that lies in another."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(width, 0.0) * max(height, 0.0) / max(area, 1e-9)


def layout(rng: np.random.Generator, dials: Dials) -> Layout:
    """Lay out one scene.

    Parameters
    ----------
    rng
        Decides everything about the scene but the textures of its picture.
    dials
        Settings; `small_blur`, `haze` and `noise` change the picture and not the layout.

    Returns
    -------
    Layout
        Holds only objects that can be annotated: one too small or too hidden is taken out.
    """
    stage = _Stage(rng, dials)
    placed: dict[int, Box] = {}
    for rank, wish in enumerate(draw_plan(rng, dials, stage.street)):
        if wish.lead:
            placed[rank] = stage.lead(wish)
            continue
        host = None if wish.beside is None else placed.get(wish.beside)
        box = stage.settle(wish, host)
        if box is not None:
            placed[rank] = box
    stage.furnish()
    stage.scatter()
    scene = Layout(
        dials=dials,
        street=stage.street,
        camera=stage.camera,
        light=stage.light,
        offset=stage.offset,
        end=stage.end,
        seed=int(rng.integers(2**32)),
        things=tuple(sorted(stage.things, key=lambda thing: -thing.depth)),
    )
    return replace(scene, things=annotatable(scene))


def annotatable(scene: Layout) -> tuple[Thing, ...]:
    """Things without the objects that show too little of themselves to be annotated."""
    size = scene.camera.width, scene.camera.height
    kept = []
    for thing, (visible, full) in zip(
        scene.things, visible_masks([t.patches for t in scene.things], size), strict=True
    ):
        rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
        pixels = int(visible.sum())
        shown = (
            pixels >= max(MIN_PIXELS, MIN_VISIBLE * full)
            and np.ptp(rows) + 1 >= MIN_SIDE
            and np.ptp(columns) + 1 >= MIN_SIDE
        )
        if shown or not thing.category:
            kept.append(thing)
    return tuple(kept)
