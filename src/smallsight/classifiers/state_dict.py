"""The source state_dict: a file of weights, last layer included, for a network that is named."""

from collections.abc import Mapping
from pathlib import Path

import torch

from smallsight import params
from smallsight.backbones.networks.checkpoints import Checkpoint, read_checkpoint
from smallsight.backbones.networks.fitting import fit_state
from smallsight.classifiers.class_names import class_names
from smallsight.classifiers.collecting import Origin, declared_facts, examine, reopen
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.known_networks import find_network, make_whole
from smallsight.classifiers.metadata import NOTHING, Carried
from smallsight.classifiers.own import OwnClassifier
from smallsight.classifiers.own_code import CODE, make_own
from smallsight.classifiers.sources import Wanted
from smallsight.classifiers.torch_file import read_state, write_state
from smallsight.classifiers.torch_model import Opened, frozen
from smallsight.runtime.errors import ClassifierError
from smallsight.runtime.files import sha256


def collect(settings: params.Classifier, model: Path, wanted: Wanted) -> ClassifierFacts:
    """Read a file of weights, fit it to the network, check that, and write its state.

    Nothing in the file is run. The user's own code is, where `architecture` names some.

    Raises
    ------
    SmallsightError
        Where the file holds something else, does not fit as a whole, or has another number of
        classes than there are names.
    """
    content = read_checkpoint(settings.file)
    classes = class_names(settings, None)
    opened = _made(settings.architecture, settings.code, len(classes))
    is_code = settings.architecture.startswith(CODE)
    label = settings.architecture.removeprefix(CODE)
    if not is_code:
        label = find_network(settings.architecture).label
    expected = opened.module.state_dict()
    _check_classes(content, expected, len(classes), settings.file)
    fitted = fit_state(content, expected, unused=(), path=settings.file, network=label)
    opened.module.load_state_dict(fitted.state)
    said = NOTHING.model_copy(update={"mean": content.mean, "std": content.std})
    origin = Origin(
        label,
        settings.file,
        sha256(settings.file),
        settings.architecture,
        code=settings.code if is_code else "",
        code_sha256=sha256(settings.code) if is_code else "",
        notes=fitted.notes,
    )
    facts = declared_facts(settings, Carried(preprocessing=said), origin, classes)
    facts = examine(facts, opened, wanted.layer)
    write_state(fitted.state, facts, model)
    return facts


def open_(facts: ClassifierFacts, model: Path) -> OwnClassifier:
    """Open what `collect` wrote.

    Raises
    ------
    ClassifierError
        Where the user's own code is not what it was then.
    """
    if facts.code and (not Path(facts.code).is_file() or sha256(facts.code) != facts.code_sha256):
        due = "the code with which the classifier was collected: run that again"
        raise ClassifierError(facts.code, "changed or missing", due)
    opened = _made(facts.architecture, facts.code, len(facts.classes))
    opened.module.load_state_dict(read_state(model))
    return reopen(facts, opened)


def _made(architecture: str, code: str, classes: int) -> Opened:
    """Make the network that is named."""
    if architecture.startswith(CODE):
        # In the memory format that its own code expects.
        return frozen(make_own(code, architecture.removeprefix(CODE), classes))
    network = make_whole(find_network(architecture), classes)
    return frozen(network.module, network, is_channels_last=True)


def _check_classes(
    content: Checkpoint, expected: Mapping[str, torch.Tensor], classes: int, path: str
) -> None:
    """Refuse a file whose last layer has another number of outputs than there are names."""
    for name, due in expected.items():
        if due.ndim < 2 or due.shape[0] != classes:
            continue
        for own, value in content.state.items():
            is_same = own == name or own.endswith(f".{name}")
            if is_same and value.shape[1:] == due.shape[1:] and len(value) != classes:
                found = f"{len(value)} classes in {own}"
                raise ClassifierError(path, found, f"{classes}, as there are class names")
