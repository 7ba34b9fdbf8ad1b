"""What is examined, as far as it can be had without a download, and how fast it is."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from smallsight import params
from smallsight.backbones.engine_choice import plan_engine
from smallsight.backbones.facts import BackboneFacts
from smallsight.backbones.networks.weight_sources import preview_weights
from smallsight.backbones.probe import find_facts
from smallsight.backbones.reader import Reader
from smallsight.backbones.registry import check_unseen
from smallsight.backbones.tensor_reader import TorchReader
from smallsight.classifiers.asked import AskedClassifier
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.load import collect_classifier, open_classifier
from smallsight.inspection.calibration import Speed, time_network

NOT_RUN_HERE = ("command", "predictions")
"""Sources of classifiers that are no network of this program's."""


@dataclass(frozen=True)
class Examined:
    """What is examined.

    Attributes
    ----------
    network
        Facts of the network.
    classifier
        Facts of the user's own classifier; None where heads are trained.
    speed
        How fast it sees pictures.
    """

    network: BackboneFacts
    classifier: ClassifierFacts | None
    speed: Speed


def examine(parameters: params.Params, *, device: torch.device) -> Examined:
    """Find out what is examined, and time it.

    Weights that would have to be downloaded are drawn at random: they take as long.

    Raises
    ------
    SmallsightError
        Where it cannot be had, or has not what the parameters ask for.
    """
    settings = parameters.classifier
    if settings.source == "head":
        group = parameters.data.groups[parameters.data.source]
        check_unseen(parameters.backbone, map(str, group.values()))
        loaded = preview_weights(parameters.backbone, seed=parameters.seed)
        facts = find_facts(parameters.backbone, loaded)
        facts.check_layer(parameters.explain.layer)
        facts.check_readout(parameters.heads.readout)
        size = facts.input_size
        likely = plan_engine(parameters.engine, loaded.weights, size=size, device=device)
        return Examined(facts, None, _timed(likely.reader, size, device))
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "classifier")
        classifier = collect_classifier(
            settings, model, seed=parameters.seed, layer=parameters.explain.layer, preview=True
        )
        facts, speed = classifier.as_network(), Speed(np.nan, 1.0)
        facts.check_readout(parameters.heads.readout)
        if settings.source not in NOT_RUN_HERE:
            opened = open_classifier(classifier, model)
            assert not isinstance(opened, AskedClassifier), "asked, not run"
            speed = _timed(TorchReader(opened, device), facts.input_size, device)
    return Examined(facts, classifier, speed)


def _timed(reader: Reader, size: int, device: torch.device) -> Speed:
    return time_network(reader, size=size, is_shared=device.type == "cpu")
