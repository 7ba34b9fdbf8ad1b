"""The sources torchvision and timm: a library's classifier with its own head, as published."""

from pathlib import Path
from typing import Any

import torch

from smallsight import params
from smallsight.backbones.networks.fitting import check_finite
from smallsight.backbones.networks.libraries import library_of
from smallsight.backbones.networks.network import Network
from smallsight.backbones.networks.published import Published
from smallsight.backbones.networks.weight_sources import expected_by, read_packaged
from smallsight.backbones.registry import CHECKPOINT, LOCAL, BackboneRecord, Packaged
from smallsight.classifiers.collecting import Origin, declared_facts, examine, reopen
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.imagenet import imagenet_classes
from smallsight.classifiers.known_networks import WHERE, find_network, make_whole
from smallsight.classifiers.metadata import Carried
from smallsight.classifiers.own import OwnClassifier
from smallsight.classifiers.sources import Wanted
from smallsight.classifiers.torch_file import read_state, write_state
from smallsight.classifiers.torch_model import Opened, frozen
from smallsight.runtime.errors import ParameterError
from smallsight.runtime.randomness import derive


def collect(settings: params.Classifier, model: Path, wanted: Wanted) -> ClassifierFacts:
    """Load a library's classifier, check it, and write its state.

    Raises
    ------
    SmallsightError
        Where the library has no such classifier, its weights cannot be had, or something is
        declared that does not fit.
    """
    record = find_network(settings.architecture)
    if record.library != settings.source:
        due = f"one of {settings.source}'s, or classifier.source {record.library}"
        raise ParameterError(WHERE, f"{record.name!r}, a network of {record.library}'s", due)
    network, published = _load(record, settings, wanted)
    origin = Origin(record.label, published.source, published.sha256, record.name)
    facts = declared_facts(settings, _carried(record, network), origin)
    facts = examine(facts, _opened(network), wanted.layer)
    write_state(network.module.state_dict(), facts, model)
    return facts


def open_(facts: ClassifierFacts, model: Path) -> OwnClassifier:
    """Open what `collect` wrote."""
    network = make_whole(find_network(facts.architecture), len(facts.classes))
    network.module.load_state_dict(read_state(model))
    return reopen(facts, _opened(network))


def _opened(network: Network) -> Opened:
    return frozen(network.module, network, is_channels_last=True)


def _load(
    record: BackboneRecord, settings: params.Classifier, wanted: Wanted
) -> tuple[Network, Published]:
    """Make a classifier with the weights that the parameters name."""
    folder = record.architecture.removeprefix(LOCAL)
    is_local = folder != record.architecture
    known = dict(record.weights) | ({CHECKPOINT: "published"} if is_local else {})
    if settings.weights not in known:
        found = f"{settings.weights!r} for {record.name}"
        raise ParameterError("params.classifier.weights", found, f"one of {', '.join(known)}")
    if is_local and settings.file != folder:
        due = f"{folder}, so that DVC sees changes of it"
        raise ParameterError("params.classifier.file", repr(settings.file), due)
    # torch's own generator is the only one that its layers' first weights can come from.
    with torch.random.fork_rng(devices=[]):
        rng = derive(wanted.seed, "classifier")
        torch.default_generator.manual_seed(int(rng.integers(2**63)))
        network = make_whole(record)
    weights = known[settings.weights]
    if weights == "untrained":
        return network, Published({}, "drawn at random, untrained", "")
    if isinstance(weights, Packaged):
        published = read_packaged(weights, list(network.module.state_dict()), record.label)
    elif wanted.is_preview and not is_local:
        return network, Published({}, f"published with {record.library}", "")
    else:
        published = library_of(record).published(record.architecture)
    check_finite(published.state, settings.file if is_local else published.source)
    network.module.load_state_dict(published.state)
    return network, published


def _carried(record: BackboneRecord, network: Network) -> Carried:
    """Return what the library says of a classifier.

    timm's own configuration may name the classes; where it does not, 1,000 outputs are ImageNet's.
    """
    due = expected_by(record)
    preprocessing = params.Preprocessing(
        input_size=due.input_size,
        mean=due.mean,
        std=due.std,
        interpolation=due.interpolation,
        channels="rgb",
        range="0..1",
    )
    module: Any = network.module
    names = getattr(module, "pretrained_cfg", {}).get("label_names")
    if not isinstance(names, list | tuple):
        outputs = module.get_submodule(network.last_layer).weight.shape[0]
        names = imagenet_classes() if outputs == len(imagenet_classes()) else None
    return Carried(None if names is None else tuple(map(str, names)), preprocessing)
