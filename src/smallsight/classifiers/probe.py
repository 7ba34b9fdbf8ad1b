"""What a classifier answers to pictures that show nothing, held against what it declares."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch

from smallsight.classifiers.facts import ClassifierFacts
from smallsight.runtime.errors import ClassifierError

BATCHES = (1, 2, 3)
"""Numbers of pictures that a classifier must take at once."""


class Answering(Protocol):
    """A classifier whose outputs can be seen as they are."""

    facts: ClassifierFacts

    def outputs(self, pictures: torch.Tensor) -> Any:
        """Return whatever it returns for pictures, (n, size, size, 3), uint8."""


def probe_pictures(size: int) -> torch.Tensor:
    """Draw pictures that show nothing, (8, size, size, 3), uint8: even ones, noise, blots.

    Examples
    --------
    >>> probe_pictures(16).shape
    torch.Size([8, 16, 16, 3])
    """
    rng = np.random.default_rng(0)
    even = np.stack([np.full((size, size, 3), value, np.uint8) for value in (0, 127, 255)])
    drawn = []
    for cells in (size, size, 8, 4, 2):
        coarse = rng.integers(0, 256, (cells, cells, 3), np.uint8)
        places = np.arange(size) * cells // size
        drawn.append(coarse[places][:, places])
    return torch.from_numpy(np.concatenate([even, drawn]))


def check_answers(classifier: Answering, where: object) -> None:
    """Refuse a classifier that does not answer as it declares.

    Parameters
    ----------
    where
        Its file or its name, for errors.

    Raises
    ------
    ClassifierError
        Where it takes no pictures, or not any number at once; its answers are not a number for
        each class, are not finite, change from run to run, or depend on the other pictures; they
        are probabilities that are declared as logits, or the reverse.
    """
    pictures = probe_pictures(classifier.facts.preprocessing.input_size)
    for count in BATCHES:
        _answer(classifier, torch.zeros_like(pictures[:count]), where)
    together = _answer(classifier, pictures, where)
    check_outputs(together, classifier.facts, where)
    _check_kind(together, classifier.facts, where)
    spread = float((together - together.mean(dim=0)).abs().max())
    allowed = 1e-2 * spread + 1e-5 * float(together.abs().max())
    few = slice(3, 5)  # two of noise
    alone = torch.cat([_answer(classifier, picture[None], where) for picture in pictures[few]])
    again = _answer(classifier, pictures[few][:1], where)
    if float((again - alone[:1]).abs().max()) > allowed:
        found = "answers that change from run to run"
        raise ClassifierError(where, found, "a model in evaluation mode, whose dropout is off")
    if float((alone - together[few]).abs().max()) > allowed:
        found = "answers that depend on the other pictures of a batch"
        raise ClassifierError(where, found, "a model in evaluation mode, with fixed statistics")


def _answer(classifier: Answering, pictures: torch.Tensor, where: object) -> torch.Tensor:
    """Return outputs, (n, classes), float32."""
    n, classes = len(pictures), len(classifier.facts.classes)
    size = classifier.facts.preprocessing.input_size
    try:
        with torch.inference_mode():
            outputs = classifier.outputs(pictures)
    except (Exception, SystemExit) as error:  # whatever a model raises
        found = f"no answer to {n} {'pictures' if n > 1 else 'picture'} ({reason(error)})"
        due = f"a model that takes any number of pictures of {size} x {size} pixels"
        raise ClassifierError(where, found, due) from None
    due = f"a number for each of {classes} classes"
    if not isinstance(outputs, torch.Tensor):
        raise ClassifierError(
            where, f"an output of type {type(outputs).__name__}", f"a tensor: {due}"
        )
    shape = " x ".join(map(str, outputs.shape))
    if outputs.ndim != 2 or len(outputs) != n:
        found = f"an output of {shape or 'one number'} for {n} {'pictures' if n > 1 else 'picture'}"
        raise ClassifierError(where, found, due)
    if outputs.shape[1] != classes:
        found = f"{outputs.shape[1]} outputs per picture"
        raise ClassifierError(where, found, f"{classes}, as there are class names")
    if classes < 2:
        raise ClassifierError(
            where, "one output per picture", "one for each of two or more classes"
        )
    if outputs.is_complex() or not outputs.is_floating_point():
        kind = str(outputs.dtype).removeprefix("torch.")
        raise ClassifierError(where, f"outputs of type {kind}", "floating point numbers")
    return outputs.float().cpu()


def check_outputs(
    outputs: torch.Tensor,
    facts: ClassifierFacts,
    where: object,
    names: Sequence[tuple[str, str]] = (),
) -> None:
    """Refuse outputs that are no numbers, or no probabilities where these are declared.

    Parameters
    ----------
    outputs
        (n, classes).
    names
        Of each picture, its name and what was done to it, where they are known.

    Raises
    ------
    ClassifierError
        Where an output is NaN or infinite; where probabilities lie outside 0..1 or do not sum to 1.
    """
    is_wrong = ~outputs.isfinite().all(dim=1)
    if facts.output == "probabilities":
        is_wrong |= _are_no_probabilities(outputs)
    if not is_wrong.any():
        return
    first = int(is_wrong.nonzero()[0])
    row = outputs[first]
    picture = f" for {' of '.join(reversed(names[first]))}" if names else ""
    if row.isnan().any():
        found = "NaN"
    elif row.isinf().any():
        found = "infinity"
    elif row.min() < -_SLACK or row.max() > 1 + _SLACK:
        found = f"numbers from {row.min():.3g} to {row.max():.3g}"
    else:
        found = f"numbers that sum to {row.sum():.4g}"
    if row.isfinite().all():
        due = "params.classifier.output: logits, or numbers from 0 to 1 that sum to 1"
        raise ClassifierError(where, f"{found}{picture}, declared as probabilities", due)
    raise ClassifierError(where, f"{found} among the outputs{picture}", "finite numbers")


_SLACK = 1e-2
"""What half precision may add to probabilities."""


def _are_no_probabilities(outputs: torch.Tensor) -> torch.Tensor:
    outside = (outputs.min(dim=1).values < -_SLACK) | (outputs.max(dim=1).values > 1 + _SLACK)
    return outside | ((outputs.sum(dim=1) - 1).abs() > _SLACK)


def _check_kind(outputs: torch.Tensor, facts: ClassifierFacts, where: object) -> None:
    if facts.output != "logits" or (outputs < 0).any() or _are_no_probabilities(outputs).any():
        return
    found = "numbers from 0 to 1 that sum to 1, declared as logits"
    raise ClassifierError(where, found, "params.classifier.output: probabilities")


def reason(error: BaseException) -> str:
    """Bring what a library says, on any number of lines, to a part of one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # TorchScript says where first, and what last.
    text = (lines or [type(error).__name__])[-1 if "TorchScript" in str(error)[:80] else 0]
    return text if len(text) <= 200 else f"{text[:196]} ..."
