"""What a .pt2 archive may hold, so that nothing in it runs while torch loads it.

torch reads such an archive by unpickling, evaluates its expressions, looks its operators up by name
and writes its names into code. Here every text that reaches these is held against what
`torch.export.save` writes for a model, and all else is refused.
"""

import ast
import io
import json
import re
from collections.abc import Iterator
from typing import Any, cast

import torch

from smallsight.classifiers.probe import reason
from smallsight.runtime.errors import ClassifierError

DUE = "a model of torch's own operators alone, as torch.export.save writes it"

_FOREIGN = re.compile("custom_obj|opaque_obj|aotinductor|executorch|serialized_", re.IGNORECASE)
"""In names of members: objects of other libraries, compiled code, formats of old."""

_NAMED = re.compile(r"[\w.@+-]*", re.ASCII)
"""Names, which torch writes into code."""

_OPERATOR = re.compile(
    r"torch\.ops\.(aten|prims|torchvision|quantized_decomposed)\.(?!__)\w+(\.\w+)?"
    r"|torch\.ops\.aten\.__(and|or|xor|lshift|rshift)__(\.\w+)?"
    r"|torch\.ops\.higher_order\.(cond|map_impl|while_loop|wrap_with_(set_grad_enabled|autocast))"
    r"|_operator\.(?!__|attrgetter|methodcaller|call)\w+"
    r"|math\.(?!__)\w+"
    r"|torch\.sym_\w+",
    re.ASCII,
)
_WRITES = re.compile(r"torch\.ops\.aten\.(save|from_file)\b")
"""Operators of torch's own that open files."""

_FUNCTIONS = {
    "Symbol", "Integer", "Float", "Rational", "Add", "Mul", "Pow", "Max", "Min", "Abs",
    "Mod", "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "And", "Or", "Not", "Equality",
    "Unequality", "StrictLessThan", "LessThan", "StrictGreaterThan", "GreaterThan",
    "floor", "ceiling", "FloorDiv", "ModularIndexing", "Where", "PythonMod", "CleanDiv",
    "CeilToInt", "FloorToInt", "CeilDiv", "LShift", "RShift", "PowByNatural", "FloatPow",
    "FloatTrueDiv", "IntTrueDiv", "IsNonOverlappingAndDenseIndicator", "TruncToFloat",
    "TruncToInt", "RoundToInt", "RoundDecimal", "ToFloat", "Identity",
}  # fmt: skip
"""What expressions of sizes are made of."""

_ARITHMETIC = (
    ast.Expression, ast.Call, ast.Name, ast.Load, ast.Constant, ast.keyword, ast.Tuple,
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip

_CONTAINERS = (None, "builtins.tuple", "builtins.list", "builtins.dict")
"""Types round the inputs and outputs."""

_UNREAD = ("metadata", "guards_code", "torch_version")
"""Keys whose texts say where nodes come from, or that are not used."""

_TEXT = ("as_string", "as_strings")
"""Keys of arguments that are text, which operators themselves check."""


def check_archive(content: bytes, where: object) -> None:
    """Refuse an archive that could run anything while torch loads it, or as its graph runs.

    Raises
    ------
    ClassifierError
        Names the member, and what in it is refused.
    """
    try:
        # torch's own reader: what it reads here is what it reads later.
        reader: Any = torch._C.PyTorchFileReader(io.BytesIO(content))
        refused = next(_all_refused(reader), None)
    except Exception as error:  # whatever torch's reader, or a missing key, raises
        raise ClassifierError(where, f"malformed ({reason(error)})", DUE) from None
    if refused is not None:
        raise ClassifierError(where, refused, DUE)


def _all_refused(reader: Any) -> Iterator[str]:
    """Yield members, and what in them is refused."""
    members = reader.get_all_records()
    for member in members:
        if _FOREIGN.search(member):
            yield f"{member}: other than tensors and a graph"
    for member in members:
        yield from (f"{member}: {found}" for found in _refused(reader, member))


def _refused(reader: Any, member: str) -> Iterator[str]:
    """Yield what may not stand in one member."""
    if member.startswith("extra/"):
        return
    if member.endswith(".pt"):
        yield from _pickled(reader.get_record(member))
    if not member.endswith(".json"):
        return
    try:
        tree = json.loads(reader.get_record(member))
    except ValueError:
        yield "no JSON"
        return
    if member.startswith("models/"):
        yield from _texts(tree, "")
    elif isinstance(tree, dict) and isinstance(tree.get("config"), dict):
        folder = member.rsplit("/", 1)[0]
        for payload in tree["config"].values():
            if payload.get("use_pickle"):
                yield from _pickled(reader.get_record(f"{folder}/{payload['path_name']}"))


def _pickled(content: bytes) -> Iterator[str]:
    """Yield what is refused of a file of torch's within the archive: it holds tensors alone."""
    if not content:
        return
    try:
        torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # the readers raise whatever they met
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        yield f"holds {named[1]}, which weights_only=True does not load" if named else "no tensors"


def _texts(tree: Any, key: str) -> Iterator[str]:
    """Yield texts of a graph that are not what their place calls for."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if not _NAMED.fullmatch(name):
                yield f"the name {_short(name)}"
            if name not in _UNREAD:
                yield from _texts(value, name)
    elif isinstance(tree, list):
        for value in tree:
            yield from _texts(value, key)
    elif isinstance(tree, str) and key not in _TEXT and not _fits(tree, key):
        yield f"{key} {_short(tree)}"


def _fits(text: str, key: str) -> bool:
    if key in ("target", "as_operator"):
        return bool(_OPERATOR.fullmatch(text)) and not _WRITES.match(text)
    if key == "expr_str":
        return _is_arithmetic(text)
    if key in ("in_spec", "out_spec"):
        return _is_plain(text)
    return bool(_NAMED.fullmatch(text))


def _is_arithmetic(text: str) -> bool:
    """Say whether an expression is made of symbols, numbers and known functions of them.

    Examples
    --------
    >>> _is_arithmetic("Symbol('s0', positive=True, integer=True) // 2 + 1")
    True
    >>> _is_arithmetic("Symbol.mro()"), _is_arithmetic("print(1)")
    (False, False)
    """
    try:
        nodes = list(ast.walk(ast.parse(text, mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    words = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return (
        all(isinstance(node, _ARITHMETIC) for node in nodes)
        and all(isinstance(each, ast.Name) and each.id in _FUNCTIONS for each in called)
        and all(
            re.fullmatch(r"[\w.+-]*", word, re.ASCII) for word in words if isinstance(word, str)
        )
    )


def _is_plain(text: str) -> bool:
    """Say whether inputs or outputs are tensors in tuples, lists and dicts."""
    try:
        _, spec = json.loads(text)
        return _is_plain_spec(spec)
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def _is_plain_spec(spec: dict[str, Any]) -> bool:
    context = cast(str | None, spec["context"])
    is_known = spec["type"] in _CONTAINERS and "{" not in (context or "")
    return is_known and all(_is_plain_spec(child) for child in spec["children_spec"])


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:56]} ...")
