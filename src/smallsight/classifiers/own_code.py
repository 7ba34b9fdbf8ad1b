"""A network that the user's own Python code makes."""

import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from smallsight.classifiers.probe import reason
from smallsight.runtime.errors import ClassifierError
from smallsight.runtime.files import sha256

CODE = "code:"
"""What names of architectures begin with that a file of the user's own makes."""

OUTPUTS = "num_classes"
"""The one argument that a function or class may take."""


def make_own(code: str | Path, name: str, classes: int) -> nn.Module:
    """Run a file of Python code, and make the network that it defines under a name.

    Parameters
    ----------
    name
        Of a function or class. It takes `num_classes`, or needs no argument.
    classes
        The number of outputs.

    Raises
    ------
    ClassifierError
        Where there is no such file, the code raises an error, or what it makes is no network.
    """
    module = _imported(code)
    made = getattr(module, name, None)
    if not callable(made):
        names = [key for key, value in vars(module).items() if _is_own(value, module)]
        due = (
            f"a function or class of this file: {', '.join(names)}" if names else "one of this file"
        )
        raise ClassifierError(code, f"no {name}", due)
    where = f"{code}, {name}"
    try:
        takes = inspect.signature(made).parameters
        # Its weights are all loaded later: they leave torch's random state alone.
        with torch.random.fork_rng(devices=[]):
            network = made(**({OUTPUTS: classes} if OUTPUTS in takes else {}))
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        found = f"{type(error).__name__} ({reason(error)})"
        raise ClassifierError(
            where, found, f"a call with {OUTPUTS}, or without arguments"
        ) from None
    if not isinstance(network, nn.Module):
        raise ClassifierError(where, f"makes {type(network).__name__}", "a torch.nn.Module")
    return network


def _imported(code: str | Path) -> ModuleType:
    """Import a file as a module of its own name, which nothing else has."""
    path = Path(code)
    if not path.is_file():
        raise ClassifierError(code, "no such file", "a file of Python code")
    name = f"_smallsight_{path.stem}_{sha256(path)[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ClassifierError(code, f"suffix {path.suffix!r}", "a file of Python code, .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # data classes look for theirs there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        del sys.modules[name]
        found = f"{type(error).__name__} ({reason(error)})"
        raise ClassifierError(code, found, "one file of Python code that can be imported") from None
    return module


def _is_own(value: object, module: ModuleType) -> bool:
    return callable(value) and getattr(value, "__module__", "") == module.__name__
