"""Which engine runs the frozen trunk, as one stage decides it for all that follow."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter

from smallsight.runtime import files

TORCH: Final = "torch"
ONNXRUNTIME: Final = "onnxruntime"


@dataclass(frozen=True)
class Engine:
    """How the frozen trunk is run, and how far that is from torch in float32.

    Attributes
    ----------
    name
        What runs it on a CPU; a GPU is torch's. `own`: a classifier of the user's own, which
        runs as its source has it.
    precision
        In which type convolutions and products are computed.
    notes
        Why it is not what was asked for, or not the fastest, a line each.
    pictures
        How many real pictures it was checked on; 0 where there is nothing to check.
    difference
        The largest difference of a feature's value, as a share of the largest value.
    agreement
        The share of predictions that are the same, by heads of float32 features; None where
        features agree to rounding.
    """

    name: Literal["torch", "onnxruntime", "own"]
    precision: Literal["float32", "bfloat16"] = "float32"
    notes: tuple[str, ...] = ()
    pictures: int = 0
    difference: float = 0.0
    agreement: float | None = None

    def describe(self) -> str:
        """Say in a line what runs, and what its check gave."""
        if self.name == "own":
            return "a classifier of its own runs as it is"
        notes = "".join(f"; {note}" for note in self.notes)
        if not self.pictures:
            return f"{self.name}, {self.precision}{notes}"
        same = "" if self.agreement is None else f", {self.agreement:.2%} of predictions the same"
        share = f"{100 * self.difference:.1g}%"
        checked = f"features of {self.pictures} pictures within {share} of torch’s in float32"
        return f"{self.name}, {self.precision}: {checked}{same}{notes}"


def write_engine(engine: Engine, path: str | Path) -> None:
    """Write what `read_engine` reads, as JSON."""
    files.write_text(json.dumps(asdict(engine), indent=2) + "\n", path)


def read_engine(path: str | Path) -> Engine:
    """Read what `write_engine` wrote."""
    return TypeAdapter(Engine).validate_json(Path(path).read_bytes())
