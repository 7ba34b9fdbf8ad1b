"""What later stages and the report need to know of a user's classifier, without opening it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from smallsight.backbones.facts import LAST, BackboneFacts
from smallsight.conditions.rendered.names import UNTOUCHED, Condition
from smallsight.imaging.pictures import Interpolation
from smallsight.runtime import files
from smallsight.runtime.errors import SmallsightError
from smallsight.vocabulary import SCENE, TASKS

STUDY_HEADS = "dvc exp run -S classifier.source=head"
"""Trains heads, and so gives what a classifier of the user's own, taken as it is, cannot have."""

MapKind = Literal["closed_form", "gradient", "none"]
"""How saliency maps are made.

closed_form: the last maps are averaged, and a linear layer reads the mean, so that cells add up to
the logit. gradient: Grad-CAM, at the last layer with spatial maps. none: no maps can be had.
"""


@dataclass(frozen=True)
class Preprocessing:
    """How a classifier's input is made of a picture.

    Attributes
    ----------
    input_size
        Width and height of the input, in pixels.
    mean, std
        Per channel in the order red, green, blue: taken off, and divided by, after `range`.
    interpolation
        How pictures are resized to the input, with antialiasing.
    channels
        The order of the input's channels.
    range
        What a picture's values span before `mean` is taken off.
    """

    input_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: Interpolation
    channels: Literal["rgb", "bgr"]
    range: Literal["0..1", "0..255"]


@dataclass(frozen=True)
class ClassifierFacts:
    """A user's classifier as a study uses it.

    Attributes
    ----------
    source, architecture, command
        As in `params.Classifier`.
    code, code_sha256
        The file of the user's own code that is run, and its SHA-256; empty where none is.
    label
        What people call it.
    origin, sha256
        Where it came from, and the SHA-256 of its file; empty where there is none.
    notes
        What was found on the way, a line each.
    classes
        Its own classes, in the order of its outputs.
    input
        Which picture it was made for: a window round the object, or the whole picture.
    output
        What it returns.
    preprocessing
        How its input is made. A program of the user's own, or a table, makes its own of a picture
        of `input_size`: the other values say nothing then.
    maps
        How saliency maps are made.
    layer
        The submodule, node or tensor whose maps they are; empty where there are none.
    cells
        Rows and columns of these maps; 0 where there are none.
    no_maps
        Why there are none, or why they are no sum; empty where cells add up to the logit.
    """

    source: str
    architecture: str
    command: str
    code: str
    code_sha256: str
    label: str
    origin: str
    sha256: str
    notes: tuple[str, ...]
    classes: tuple[str, ...]
    input: Literal["object", "scene"]
    output: Literal["logits", "probabilities"]
    preprocessing: Preprocessing
    maps: MapKind
    layer: str
    cells: int
    no_maps: str

    @property
    def is_asked(self) -> bool:
        """Whether a program, or a table, answers, so that nothing here makes its input."""
        return self.source in ("command", "predictions")

    def describe(self) -> str:
        """Say in a line which classifier this is."""
        size = self.preprocessing.input_size
        asked = f"{len(self.classes)} classes, input {size} × {size} pixels"
        return f"{self.label} ({self.source}, {self.origin}), {asked}"

    def as_network(self) -> BackboneFacts:
        """Return what of it is known of every network that a study examines."""
        return BackboneFacts(
            name=self.source,
            label=self.label,
            weights="own",
            source=self.origin,
            sha256=self.sha256,
            notes=self.notes,
            input_size=self.preprocessing.input_size,
            interpolation=self.preprocessing.interpolation,
            mean=self.preprocessing.mean,
            std=self.preprocessing.std,
            is_dilated=False,
            cells={LAST: self.cells} if self.cells else {},
            readouts={"scene": len(self.classes)},
            last_layer="",
        )


def asked_tasks(facts: ClassifierFacts | None) -> tuple[str, ...]:
    """Return the tasks that are evaluated: a classifier of whole pictures is shown no windows.

    Parameters
    ----------
    facts
        Of the user's classifier; None for the study's own heads.
    """
    return (SCENE,) if facts is not None and facts.input == SCENE else tuple(TASKS)


def is_shown(condition: Condition, facts: ClassifierFacts | None) -> bool:
    """Return whether the network is shown a condition's pictures.

    These are the evaluated ones, and untouched windows, which are a remedy where whole pictures are
    evaluated alone; but no table of predictions has to have them.
    """
    if condition.task in asked_tasks(facts):
        return True
    return condition.family == UNTOUCHED and facts is not None and facts.source != "predictions"


def write_classifier_facts(facts: ClassifierFacts | None, path: str | Path) -> None:
    """Write facts as JSON; None where the study's own heads are examined."""
    tree = None if facts is None else asdict(facts)
    files.write_text(json.dumps(tree, indent=2, ensure_ascii=False) + "\n", path)


def read_classifier_facts(path: str | Path) -> ClassifierFacts | None:
    """Read facts that `write_classifier_facts` wrote.

    Raises
    ------
    SmallsightError
        Where the file is missing or malformed.
    """
    try:
        return TypeAdapter(ClassifierFacts | None).validate_json(Path(path).read_bytes())
    except OSError as error:
        raise SmallsightError(path, error.strerror or str(error), "a file") from None
    except ValueError:
        raise SmallsightError(path, "malformed", "the facts of a classifier") from None
