"""What a study examines, opened: the frozen backbone, or the user's own classifier."""

from dataclasses import dataclass
from pathlib import Path

from smallsight.backbones.engine import ONNXRUNTIME, read_engine
from smallsight.backbones.onnx_reader import OnnxReader
from smallsight.backbones.reader import Reader
from smallsight.classifiers.asked import AskedClassifier
from smallsight.classifiers.facts import read_classifier_facts
from smallsight.classifiers.load import open_classifier
from smallsight.runtime.accelerators import may_be_cuda
from smallsight.runtime.opened import opened_once


@dataclass(frozen=True)
class NetworkFiles:
    """The files of the examined network; called, it opens them.

    Other processes can be sent it, and other machines that have the same files.

    Attributes
    ----------
    model, classifier
        What the stage `backbone` wrote: the network, and facts of the user's own classifier.
    engine, graph
        What the stage `engine` wrote.
    device
        As the parameter has it.
    """

    model: Path
    classifier: Path
    engine: Path
    graph: Path
    device: str

    def __call__(self) -> Reader:
        """Open the network, or return what this process opened of the very same files."""
        return _opened(self)


def open_reader(network: NetworkFiles) -> Reader:
    """Open a network on its device: the frozen backbone by the engine that was chosen for it."""
    facts = read_classifier_facts(network.classifier)
    engine = read_engine(network.engine)
    if facts is None and engine.name == ONNXRUNTIME and not may_be_cuda(network.device):
        return OnnxReader(network.graph)
    opened = None if facts is None else open_classifier(facts, network.model)
    if isinstance(opened, AskedClassifier):
        return opened

    # From here on, torch runs the network.
    from smallsight.backbones.backbone import Backbone
    from smallsight.backbones.networks.weights import read_weights
    from smallsight.backbones.tensor_reader import TorchReader
    from smallsight.runtime.device import pick_device

    device = pick_device(network.device)
    if opened is not None:
        return TorchReader(opened, device)
    if engine.name == ONNXRUNTIME and device.type == "cpu":
        return OnnxReader(network.graph)
    is_half = engine.precision == "bfloat16"
    return TorchReader(Backbone(read_weights(network.model)), device, is_half=is_half)


_opened = opened_once(
    open_reader, lambda of: (of.model, of.classifier, of.engine, of.graph), at_most=1
)
