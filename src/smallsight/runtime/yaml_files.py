"""YAML as DVC reads and writes it, by version 1.2: `1e5` is a number, and `yes` is text."""

import re
from typing import Any

import yaml

_Fastest: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader written in C where there is one: lock files are long, and it is ten times as fast."""

_RULES = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
}
"""What a text without quotes has to look like to be something else, and how it may begin."""


class _Loader(_Fastest):
    """A safe loader by version 1.2."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag.rpartition(":")[2] not in _RULES]
    for first, rules in _Fastest.yaml_implicit_resolvers.items()
}
for _name, (_rule, _first) in _RULES.items():
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}", re.compile(f"(?:{_rule})$"), list(_first)
    )


def _whole_number(loader: Any, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node))
    return int(text, 0) if text[1:2] in ("o", "x") else int(text)


_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)


def parse_yaml(content: str | bytes) -> Any:
    """Read YAML as DVC does.

    Raises
    ------
    YAMLError
        Where it is none.

    Examples
    --------
    >>> parse_yaml("[1e5, '1e5', 007, yes, 12:30, true, 0.5, nan, .inf, ~]")
    [100000.0, '1e5', 7, 'yes', '12:30', True, 0.5, 'nan', inf, None]
    """
    return yaml.load(content, Loader=_Loader)
