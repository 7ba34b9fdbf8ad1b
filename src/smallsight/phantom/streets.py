"""The six kinds of street: how each looks, and where things stand on it."""

from dataclasses import dataclass

from smallsight.phantom.solids import Colour

ASPHALT: Colour = (0.33, 0.33, 0.35)
PAVING: Colour = (0.6, 0.58, 0.55)
GRASS: Colour = (0.36, 0.47, 0.24)


@dataclass(frozen=True, kw_only=True)
class Street:
    """A kind of street.

    Lengths in metres: `road` is half the carriageway's width and `walk` the width of the pavement
    on either side. `walls` names the painter of what lines the street, `markings` those of the
    signs on the ground, both in their registries. `furniture` stands along the kerb in every
    street of the kind; `clutter` is what the dial of that name adds.
    """

    name: str
    own: str
    road: float
    walk: float
    road_colour: Colour
    walk_colour: Colour
    beyond: Colour
    walls: str
    markings: str
    furniture: tuple[str, ...]
    clutter: tuple[str, ...]

    @property
    def wall(self) -> float:
        """Distance of the walls from the street's axis."""
        return self.road + self.walk

    def strip(self, zone: str) -> tuple[float, float]:
        """Distances from the axis between which things of a zone stand, on either side."""
        return {
            "road": (0.0, max(1.5, self.road - 1.2)),
            "kerb": (max(0.5, self.road - 1.6), self.road + 1.0),
            "walk": (max(0.3, self.road - 1.0), self.wall - 0.6),
        }[zone]


STREETS: tuple[Street, ...] = (
    Street(
        name="plaza",
        own="person",
        road=3.5,
        walk=6.0,
        road_colour=(0.7, 0.65, 0.58),
        walk_colour=(0.62, 0.55, 0.48),
        beyond=(0.66, 0.61, 0.55),
        walls="shops",
        markings="tiles",
        furniture=("planter", "parasol", "bench"),
        clutter=("bin", "sign", "bollard", "planter", "bench", "crate"),
    ),
    Street(
        name="residential street",
        own="car",
        road=4.5,
        walk=4.0,
        road_colour=ASPHALT,
        walk_colour=PAVING,
        beyond=(0.42, 0.44, 0.38),
        walls="houses",
        markings="parking",
        furniture=("hedge", "tree", "lamp"),
        clutter=("bin", "hedge", "cabinet", "sign", "bollard"),
    ),
    Street(
        name="goods yard",
        own="truck",
        road=8.0,
        walk=3.0,
        road_colour=(0.55, 0.54, 0.51),
        walk_colour=(0.5, 0.48, 0.45),
        beyond=(0.52, 0.5, 0.46),
        walls="sheds",
        markings="yard",
        furniture=("container", "crate", "lamp"),
        clutter=("crate", "cone", "cabinet", "bin", "sign"),
    ),
    Street(
        name="avenue",
        own="bus",
        road=7.0,
        walk=4.5,
        road_colour=(0.3, 0.3, 0.32),
        walk_colour=(0.66, 0.65, 0.63),
        beyond=(0.4, 0.4, 0.41),
        walls="offices",
        markings="bus lane",
        furniture=("shelter", "lamp", "tree"),
        clutter=("sign", "bollard", "bin", "cabinet", "planter"),
    ),
    Street(
        name="park",
        own="bicycle",
        road=2.2,
        walk=8.0,
        road_colour=(0.62, 0.4, 0.31),
        walk_colour=GRASS,
        beyond=(0.4, 0.5, 0.27),
        walls="trees",
        markings="cycle path",
        furniture=("tree", "bench", "rack"),
        clutter=("hedge", "bin", "bench", "sign", "bollard"),
    ),
    Street(
        name="cafe strip",
        own="motorcycle",
        road=4.0,
        walk=3.5,
        road_colour=(0.42, 0.39, 0.36),
        walk_colour=(0.72, 0.6, 0.45),
        beyond=(0.6, 0.52, 0.38),
        walls="stucco",
        markings="stripes",
        furniture=("parasol", "planter", "sign"),
        clutter=("crate", "planter", "bin", "cone", "sign"),
    ),
)
