"""What later stages and the report need to know of the frozen network, without making it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from smallsight.imaging.pictures import Interpolation
from smallsight.runtime import files
from smallsight.runtime.errors import ParameterError, SmallsightError

LAST = "last"
"""What the last layer is called, whose maps are averaged into features, in every network."""


@dataclass(frozen=True)
class BackboneFacts:
    """A network as a study uses it.

    Attributes
    ----------
    name, label
        What the parameters call the network, and what people call it.
    weights, source, sha256
        What the parameters call the weights; where they came from; and the SHA-256 of their file,
        empty where there is none.
    notes
        What was taken off a checkpoint's names, opened or left out, a line each.
    input_size, interpolation
        Width and height of the input, in pixels, and how pictures are resized to it.
    mean, std
        Per channel, of pictures in 0..1.
    is_dilated
        Whether the last stage is dilated.
    cells
        By layer, from the input on, the number of rows and columns of its maps: all layers whose
        maps can be explained. The last one is pooled into features.
    readouts
        The length of a feature, by readout.
    last_layer
        The layer that the study's own heads stand in for, in the words of the network's library.
    """

    name: str
    label: str
    weights: str
    source: str
    sha256: str
    notes: tuple[str, ...]
    input_size: int
    interpolation: Interpolation
    mean: tuple[float, ...]
    std: tuple[float, ...]
    is_dilated: bool
    cells: Mapping[str, int]
    readouts: Mapping[str, int]
    last_layer: str

    def check_layer(self, layer: str) -> None:
        """Refuse a layer whose maps cannot be explained.

        Raises
        ------
        ParameterError
            Where the network has no such layer.
        """
        if layer not in self.cells:
            known = ", ".join(self.cells)
            raise ParameterError("params.explain.layer", repr(layer), f"one of {known}")

    def check_readout(self, readout: str) -> None:
        """Refuse a readout that the network does not have.

        Raises
        ------
        ParameterError
            Where the network has no such readout.
        """
        if readout not in self.readouts:
            raise ParameterError(
                "params.heads.readout",
                f"{readout!r} with {self.name} at {self.input_size} pixels",
                f"one of {', '.join(self.readouts)}",
            )

    def describe(self) -> str:
        """Say in a line which network, weights and input these are."""
        size = f"{self.input_size} × {self.input_size} pixels"
        dilated = ", its last stage dilated" if self.is_dilated else ""
        return f"{self.label}{dilated}, weights “{self.weights}” ({self.source}), input {size}"


def write_backbone_facts(facts: BackboneFacts, path: str | Path) -> None:
    """Write facts as JSON."""
    files.write_text(json.dumps(asdict(facts), indent=2, ensure_ascii=False) + "\n", path)


def read_backbone_facts(path: str | Path) -> BackboneFacts:
    """Read facts that `write_backbone_facts` wrote.

    Raises
    ------
    SmallsightError
        Where the file is missing or malformed.
    """
    try:
        return TypeAdapter(BackboneFacts).validate_json(Path(path).read_bytes())
    except OSError as error:
        raise SmallsightError(path, error.strerror or str(error), "a file") from None
    except ValueError:
        raise SmallsightError(path, "malformed", "the facts of a backbone") from None
