"""The source torchscript: an archive of torch.jit's, which upstream has deprecated."""

import io
import re
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from smallsight import params
from smallsight.backbones.networks.fitting import check_finite
from smallsight.classifiers.collecting import declared_facts
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.formats import TORCHSCRIPT, check_format, read_model
from smallsight.classifiers.metadata import FILE, read_metadata_file
from smallsight.classifiers.model_file import copy_model, origin_of
from smallsight.classifiers.own import OwnClassifier
from smallsight.classifiers.probe import check_answers, reason
from smallsight.classifiers.sources import Wanted
from smallsight.classifiers.torch_model import Opened, TorchModel
from smallsight.runtime.errors import ClassifierError

DEPRECATED = "TorchScript is deprecated by PyTorch: torch.export.save writes what replaces it"

NO_MAPS = "layers of a TorchScript archive are not looked at: torch.export.save writes one that is"

_WRITES = re.compile(rb"\b(torch|aten)\.(save|from_file)\b|\b__setstate__\b")
"""In an archive's code: what opens files, and what runs as it is loaded."""


def collect(settings: params.Classifier, model: Path, wanted: Wanted) -> ClassifierFacts:
    """Read an archive, check it, and copy it.

    Raises
    ------
    SmallsightError
        Where the file is no such archive, its code opens files or runs as it is loaded, its weights
        are not finite, or it does not answer as it declares.
    """
    content = read_model(settings.file)
    check_format(content, TORCHSCRIPT, settings.file)
    _check_code(content, settings.file)
    module, metadata = _load(content, settings.file)
    check_finite(module.state_dict(), settings.file)
    carried = read_metadata_file(metadata, settings.file)
    facts = declared_facts(settings, carried, origin_of(settings, content, (DEPRECATED,)))
    check_answers(OwnClassifier(facts, _ScriptModel(module)), facts.origin)
    copy_model(content, model)
    return replace(facts, no_maps=NO_MAPS)


def open_(facts: ClassifierFacts, model: Path) -> OwnClassifier:
    """Open what `collect` wrote."""
    content = read_model(model)
    _check_code(content, model)
    return OwnClassifier(facts, _ScriptModel(_load(content, model)[0]))


class _ScriptModel(TorchModel):
    """Runs as it is written: torch would rewrite it after a few runs, and round otherwise then."""

    def __init__(self, module: torch.jit.ScriptModule) -> None:
        super().__init__(Opened(module))

    def __call__(self, inputs: torch.Tensor) -> tuple[Any, torch.Tensor]:
        with torch.jit.optimized_execution(False):
            return super().__call__(inputs)


def _check_code(content: bytes, where: object) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            found = _WRITES.search(archive.read(name)) if name.endswith(".py") else None
            if found:
                text = f"{name.split('/', 1)[-1]}: {found[0].decode()}"
                raise ClassifierError(where, text, "code that computes, and opens no files")


def _load(content: bytes, where: object) -> tuple[torch.jit.ScriptModule, str]:
    """Load an archive, and the text of its metadata; empty where there is none."""
    extra = {FILE: ""}
    try:
        with warnings.catch_warnings(action="ignore"):
            module = torch.jit.load(io.BytesIO(content), map_location="cpu", _extra_files=extra)
    except Exception as error:  # whatever torch meets in a file
        raise ClassifierError(where, f"cannot be loaded ({reason(error)})", TORCHSCRIPT) from None
    module.eval()
    for part in module.parameters():
        part.requires_grad_(requires_grad=False)
    text: str | bytes = extra[FILE]
    return module, text.decode() if isinstance(text, bytes) else text
