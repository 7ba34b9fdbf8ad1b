"""What a model file says of itself: class names, preprocessing, kind of output."""

import ast
import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from smallsight import params
from smallsight.runtime.errors import ClassifierError, ParameterError

FILE = "classifier.json"
"""Extra file of a .pt2 or TorchScript archive that holds metadata, as one JSON object."""

KEYS = tuple(params.Preprocessing.model_fields)
"""Keys of metadata beside `class_names` and `output`; each value is JSON, or a bare word."""

NOTHING = params.Preprocessing(**dict.fromkeys(KEYS))
"""Of a source that says nothing of preprocessing."""

Output = Literal["logits", "probabilities"]


class Carried(NamedTuple):
    """What a source carries; None, and None in `preprocessing`, where it says nothing.

    Attributes
    ----------
    class_names
        In the order of the outputs.
    preprocessing
        How an input is made of a picture.
    output
        What is returned.
    """

    class_names: tuple[str, ...] | None = None
    preprocessing: params.Preprocessing = NOTHING
    output: Output | None = None


def read_metadata(entries: Mapping[str, str], where: object) -> Carried:
    """Read metadata of text under names, as ONNX files have them.

    Ultralytics' `names` and `imgsz` are understood; its number of `channels` says nothing of their
    order. Other keys are left alone.

    Raises
    ------
    ClassifierError
        Where a value is not what its key calls for.

    Examples
    --------
    >>> carried = read_metadata({"names": "{0: 'cat', 1: 'dog'}", "imgsz": "[64, 64]"}, "a.onnx")
    >>> carried.class_names, carried.preprocessing.input_size
    (('cat', 'dog'), 64)
    """
    found = {key: _value(text) for key, text in entries.items()}
    known = {key: found[key] for key in KEYS if key in found}
    if isinstance(known.get("channels"), int):
        del known["channels"]
    if "imgsz" in found:
        known.setdefault("input_size", found["imgsz"])
    if isinstance(known.get("input_size"), list) and len(set(known["input_size"])) == 1:
        known["input_size"] = known["input_size"][0]
    try:
        preprocessing = params.validate(
            params.Preprocessing, dict.fromkeys(KEYS) | known, where="metadata"
        )
    except ParameterError as error:
        raise ClassifierError(where, f"{error.where} {error.found}", error.expected) from None
    output = found.get("output")
    if output is not None and output not in get_args(Output):
        due = " or ".join(get_args(Output))
        raise ClassifierError(where, f"metadata.output {output!r}", due)
    names = next((found[key] for key in ("class_names", "names") if key in found), None)
    return Carried(_names(names, where), preprocessing, output)


def read_metadata_file(text: str, where: object) -> Carried:
    """Read metadata of an archive's extra file; an empty text stands for none.

    Raises
    ------
    ClassifierError
        Where it is no JSON object, or a value is not what its key calls for.
    """
    if not text:
        return Carried()
    try:
        content = json.loads(text)
        entries = {key: json.dumps(value) for key, value in content.items()}
    except (ValueError, AttributeError, RecursionError):
        raise ClassifierError(where, f"{FILE} that is no JSON object", "keys and values") from None
    return read_metadata(entries, where)


def _value(text: str) -> Any:
    """Read JSON, or a literal of Python's; what is neither is a word."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _names(names: Any, where: object) -> tuple[str, ...] | None:
    """Bring names, listed or under the numbers of their outputs, to their order."""
    if names is None:
        return None
    if isinstance(names, dict):
        numbered = {str(key): name for key, name in names.items()}
        names = [numbered.get(str(number)) for number in range(len(names))]
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        due = "names in the order of the outputs, or under their numbers"
        raise ClassifierError(where, "metadata.class_names of another form", due)
    again = [name for number, name in enumerate(names) if name in names[:number]]
    if again:
        raise ClassifierError(
            where, f"metadata.class_names: {again[0]!r} twice", "names that differ"
        )
    return tuple(names)
