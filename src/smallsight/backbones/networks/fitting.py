"""A file's state fitted to a network: nothing missing, nothing left over."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from smallsight.backbones.networks.checkpoints import Checkpoint
from smallsight.runtime.errors import WeightsError

PREFIXES = ("module", "model", "backbone", "encoder", "_orig_mod")
"""What wrappers put before names: DataParallel, Lightning and the like, encoders, torch.compile."""

COUNTER = "num_batches_tracked"
"""What batch normalisation counts: no input of a frozen network, and not in files of old."""

AVERAGED = "n_averaged"
"""What torch's AveragedModel counts beside the weights that it averages."""


class Fitted(NamedTuple):
    """A state that a network loads as it is, or does without its last layer.

    Attributes
    ----------
    state
        The network's names, in its order. Each tensor has memory of its own.
    notes
        One line for each thing that was opened, taken off, left out or put in.
    """

    state: dict[str, torch.Tensor]
    notes: tuple[str, ...]


def fit_state(
    checkpoint: Checkpoint,
    expected: Mapping[str, torch.Tensor],
    *,
    unused: Sequence[str],
    path: str | Path,
    network: str,
) -> Fitted:
    """Fit a file's state to a network, or to one without its last layer.

    One prefix, made of `PREFIXES` in any order and number, is taken off: the one under which most
    of the network's names lie, which is none where they lie there as they are. What is unused is
    left out whatever its shape, under the prefix or beside it. After that, each name must be
    there and none may be left over, but for the counters of batches.

    Parameters
    ----------
    expected
        State of the network without what is unused.
    unused
        Dotted names of what is left out, such as the last layer; none for a whole network.
    path
        The file, for errors.
    network
        What errors call the network.

    Raises
    ------
    WeightsError
        Where an entry is missing, left over, of another shape or kind, or holds NaN or infinity.
        It names a missing entry as the network does, one left over as the file does.

    Examples
    --------
    >>> file = {"module.conv.bias": torch.ones(2), "module.fc.weight": torch.ones(5, 2)}
    >>> checkpoint = Checkpoint(file, opened=("state_dict",), mean=None, std=None)
    >>> fitted = fit_state(
    ...     checkpoint, {"conv.bias": torch.zeros(2)}, unused=("fc",), path="w.pth", network="Net"
    ... )
    >>> fitted.state
    {'conv.bias': tensor([1., 1.])}
    >>> for note in fitted.notes:
    ...     print(note)
    opened `state_dict`
    prefix `module.` taken off 2 names
    left out `fc.` of 5 classes
    """
    place = f"in `{'.'.join(checkpoint.opened)}`: " if checkpoint.opened else ""
    prefix = _find_prefix(checkpoint.state, expected, place, path, network)
    entries = _sort_entries(checkpoint.state, expected, prefix, unused)
    counters = {
        name: due
        for name, due in expected.items()
        if name.endswith(COUNTER) and not _is_whole(entries.own.get(name))
    }
    own = entries.own | counters
    missing = [name for name in expected if name not in own]
    if missing or entries.left_over:
        groups = {"missing": missing, "left over": entries.left_over}
        found = ", ".join(f"{what} {_some(names)}" for what, names in groups.items() if names)
        due = f"the {len(expected)} entries of {network}"
        raise WeightsError(path, place + found, due + (" without its last layer" if unused else ""))
    state = {name: _fit_entry(name, own[name], due, path) for name, due in expected.items()}
    check_finite(state, path)
    notes = [*_origin_notes(checkpoint, prefix), *_left_out_notes(entries, unused)]
    if counters:
        notes.append(f"put in counters `{COUNTER}`: {len(counters)}")
    return Fitted(state, tuple(notes))


class _Entries(NamedTuple):
    """A file's entries, sorted: those of the network have its names, the others the file's."""

    own: dict[str, torch.Tensor]
    unused: dict[str, torch.Tensor]
    averaged: list[str]
    left_over: list[str]


def _find_prefix(
    state: Mapping[str, torch.Tensor],
    expected: Mapping[str, torch.Tensor],
    place: str,
    path: str | Path,
    network: str,
) -> str:
    """Find the prefix under which most names lie; refuse one that is not made of known parts."""
    counts = Counter(
        prefix for name in state for prefix in _prefixes(name) if name[len(prefix) :] in expected
    )
    known = re.compile(rf"(?:(?:{'|'.join(PREFIXES)})\.)*")
    shortest = sorted(counts, key=len)
    best = max(filter(known.fullmatch, shortest), key=counts.__getitem__, default="")
    commonest = max(shortest, key=counts.__getitem__, default="")
    if counts[commonest] > max(counts[best], len(expected) / 2):
        parts = ", ".join(f"{part}." for part in PREFIXES)
        due = f"the names of {network}, alone or under {parts}"
        raise WeightsError(path, f"{place}names under the prefix `{commonest}`", due)
    return best


def _prefixes(name: str) -> list[str]:
    """List what can be taken off a dotted name, nothing first.

    Examples
    --------
    >>> _prefixes("module.fc.weight")
    ['', 'module.', 'module.fc.']
    """
    return [name[: match.end()] for match in re.finditer(r"^|\.", name)]


def _sort_entries(
    state: Mapping[str, torch.Tensor],
    expected: Mapping[str, torch.Tensor],
    prefix: str,
    unused: Sequence[str],
) -> _Entries:
    stems = _prefixes(prefix)
    left_out = tuple(f"{stem}{name}." for stem in stems for name in unused)
    entries = _Entries({}, {}, [], [])
    for name, value in state.items():
        if name.startswith(prefix) and name.removeprefix(prefix) in expected:
            entries.own[name.removeprefix(prefix)] = value
        elif name.startswith(left_out):
            entries.unused[name] = value
        elif name in (stem + AVERAGED for stem in stems):
            entries.averaged.append(name)
        else:
            entries.left_over.append(name)
    return entries


def _is_whole(value: torch.Tensor | None) -> bool:
    """Say whether a counter counts: a file that was halved as a whole may have rounded it."""
    return value is not None and not value.is_floating_point()


def _some(names: Sequence[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _fit_entry(name: str, value: torch.Tensor, due: torch.Tensor, path: str | Path) -> torch.Tensor:
    """Copy an entry; refuse one of another shape, or whose numbers are of another kind."""
    if value.shape != due.shape:
        raise WeightsError(path, f"{name}: {_shape(value)}", _shape(due))
    if due.is_floating_point():
        fits = value.is_floating_point()
    else:  # whole numbers, unchanged by the due kind
        fits = torch.equal(value.to(due.dtype).to(value.dtype), value)
    if not fits:
        raise WeightsError(path, f"{name} holds {_kind(value)}", _kind(due))
    return value.to(due.dtype, copy=True, memory_format=torch.contiguous_format)


def _shape(value: torch.Tensor) -> str:
    return "x".join(map(str, value.shape)) or "a number"


def _kind(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def check_finite(state: Mapping[str, torch.Tensor], path: object) -> None:
    """Refuse weights and statistics that are not finite: outputs might still be numbers.

    Raises
    ------
    WeightsError
        For the first entry that holds NaN or infinity.
    """
    for name, value in state.items():
        if not value.isfinite().all():
            found = "NaN" if value.isnan().any() else "infinity"
            raise WeightsError(path, f"{name} holds {found}", "finite numbers")


def _origin_notes(checkpoint: Checkpoint, prefix: str) -> Iterator[str]:
    """Say under which keys and which prefix the state lay."""
    if checkpoint.opened:
        others = ", ".join(f"`{keys}`" for keys in checkpoint.passed_over)
        opened = f"opened `{'.'.join(checkpoint.opened)}`"
        yield opened + (f" rather than {others}" if others else "")
    if prefix:
        count = sum(name.startswith(prefix) for name in checkpoint.state)
        yield f"prefix `{prefix}` taken off {count} names"


def _left_out_notes(entries: _Entries, unused: Sequence[str]) -> Iterator[str]:
    """Say which entries of the file are no part of the trunk."""
    for part in unused:
        found = {name: value for name, value in entries.unused.items() if f".{part}." in f".{name}"}
        classes = [
            value.shape[0]
            for name, value in found.items()
            if name.endswith(f"{part}.weight") and value.ndim > 1
        ]
        if found:
            yield f"left out `{part}.`" + "".join(f" of {count} classes" for count in classes[:1])
    for name in entries.averaged:
        yield f"left out the counter `{name}`"
