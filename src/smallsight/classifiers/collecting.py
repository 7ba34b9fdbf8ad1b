"""What all sources of models share: facts that are declared or carried, and what is found out."""

from dataclasses import replace
from typing import NamedTuple

import torch

from smallsight import params
from smallsight.classifiers import anatomy
from smallsight.classifiers.class_names import class_names
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.metadata import Carried
from smallsight.classifiers.own import OwnClassifier
from smallsight.classifiers.preprocessing import resolve
from smallsight.classifiers.probe import check_answers, probe_pictures
from smallsight.classifiers.torch_model import Opened, TorchModel


class Origin(NamedTuple):
    """Where a model comes from, as `facts.ClassifierFacts` has it."""

    label: str
    origin: str
    sha256: str = ""
    architecture: str = ""
    code: str = ""
    code_sha256: str = ""
    notes: tuple[str, ...] = ()


def declared_facts(
    settings: params.Classifier,
    carried: Carried,
    origin: Origin,
    classes: tuple[str, ...] | None = None,
) -> ClassifierFacts:
    """Join what is declared to what the source carries; nothing is known of maps yet.

    Parameters
    ----------
    classes
        Names of the classes where they are known already.

    Raises
    ------
    SmallsightError
        Where something is neither declared nor carried, or a file of names is none.
    """
    if classes is None:
        classes = class_names(settings, carried.class_names)
    preprocessing, notes = resolve(settings.preprocessing, carried.preprocessing, origin.origin)
    if carried.output not in (None, settings.output):
        notes += (f"output: {settings.output} as declared, not {carried.output}",)
    return ClassifierFacts(
        source=settings.source,
        architecture=origin.architecture,
        command="",
        code=origin.code,
        code_sha256=origin.code_sha256,
        label=origin.label,
        origin=origin.origin,
        sha256=origin.sha256,
        notes=(*origin.notes, *notes),
        classes=classes,
        input=settings.input,
        output=settings.output,
        preprocessing=preprocessing,
        maps="none",
        layer="",
        cells=0,
        no_maps="",
    )


def examine(facts: ClassifierFacts, opened: Opened, layer: str) -> ClassifierFacts:
    """Check a network of torch's, and find out what maps it has.

    Parameters
    ----------
    layer
        As `sources.Wanted` has it.

    Raises
    ------
    ClassifierError
        Where it does not answer as it declares.
    ParameterError
        Where the layer is not there.
    """
    classifier = OwnClassifier(facts, TorchModel(opened))
    check_answers(classifier, facts.origin)
    inputs = classifier.inputs(probe_pictures(facts.preprocessing.input_size)[3::2])
    return replace(facts, **anatomy.look_for(opened, layer, inputs, classifier.logits_of)._asdict())


def reopen(facts: ClassifierFacts, opened: Opened) -> OwnClassifier:
    """Return a network that `examine` has seen as what a study reads."""
    size = facts.preprocessing.input_size
    example = torch.zeros((1, 3, size, size))
    return OwnClassifier(facts, anatomy.seeing(opened, facts.maps, facts.layer, example))
