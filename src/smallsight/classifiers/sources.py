"""The sources of classifiers, each in a module of its own that is imported when needed.

Nothing here loads torch, onnxruntime or a library of networks.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from smallsight import params
from smallsight.classifiers.facts import ClassifierFacts

if TYPE_CHECKING:
    from smallsight.classifiers.asked import AskedClassifier
    from smallsight.classifiers.own import OwnClassifier


class Wanted(NamedTuple):
    """What a study asks of a classifier beside its own parameters.

    Attributes
    ----------
    seed
        The study's; weights drawn at random depend on it.
    is_preview
        Whether weights are drawn at random where they may have to be downloaded.
    layer
        The layer whose maps are looked at; `last`: the last one with maps.
    """

    seed: int
    is_preview: bool
    layer: str


class Source(Protocol):
    """What a module of this folder offers for one source."""

    @staticmethod
    def collect(settings: params.Classifier, model: Path, wanted: Wanted) -> ClassifierFacts:
        """Read or download a classifier, check it, and write `model`, of which it can be opened.

        Raises
        ------
        SmallsightError
            One line, where it cannot be had or does not answer as it declares.
        """

    @staticmethod
    def open_(facts: ClassifierFacts, model: Path) -> "OwnClassifier | AskedClassifier":
        """Open what `collect` wrote."""


SOURCES = {
    "torchvision": "library",
    "timm": "library",
    "state_dict": "state_dict",
    "export": "exported",
    "onnx": "onnx_graph",
    "torchscript": "torchscript",
    "command": "program",
    "predictions": "table",
}
"""By the name that the parameters give: the module of this folder."""


def source_of(name: str) -> Source:
    """Return the source of classifiers that the parameters name."""
    return cast(Source, importlib.import_module(f"{__package__}.{SOURCES[name]}"))
