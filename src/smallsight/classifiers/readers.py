"""What a study examines, opened: the frozen backbone, or the user's own classifier."""

from pathlib import Path

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.networks.weights import read_weights
from smallsight.backbones.reader import Reader
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.load import open_classifier


def open_reader(classifier: ClassifierFacts | None, model: Path) -> Reader:
    """Open the file of the examined network.

    Parameters
    ----------
    classifier
        Facts of the user's own; None where the study's own heads read a frozen backbone.
    model
        What the stage `backbone` wrote.
    """
    return (
        Backbone(read_weights(model)) if classifier is None else open_classifier(classifier, model)
    )
