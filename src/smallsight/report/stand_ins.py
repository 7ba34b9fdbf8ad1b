"""Names that no font of this machine can write, and what stands for them on a report's pages."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd
from pydantic import BaseModel

from smallsight.report import letters, traits
from smallsight.report.study import Study


class Named(NamedTuple):
    """What stands for a name.

    Attributes
    ----------
    shown
        What the pages write.
    numbers
        The name, its letters that no font has as Unicode numbers them.
    name
        The name itself.
    """

    shown: str
    numbers: str
    name: str


def names_of(study: Study) -> list[str]:
    """Return the names of all categories, and of the classes of the user's own classifier."""
    classes = study.classifier.classes if study.classifier else ()
    return list(dict.fromkeys([*traits.categories(study), *classes]))


def find_stand_ins(names: Iterable[str]) -> list[Named]:
    """Choose what stands for each name that no font can write: "category 3", for the third.

    Letters that can be written stay before it.
    """
    names = list(names)
    unknown, taken, found = letters.unknown_in("".join(names)), set(names), []
    for number, name in enumerate(names, start=1):
        if not unknown & set(name):
            continue
        rest = " ".join("".join(" " if one in unknown else one for one in name).split())
        shown = f"{rest} (category {number})" if rest else f"category {number}"
        while shown in taken:
            shown += "*"
        found.append(Named(shown, letters.spelled(name), name))
    return found


def with_stand_ins(study: Study, stand_ins: Iterable[Named]) -> Study:
    """Return the study with what stands for names in the place of these, wherever they are."""
    shown = {one.name: one.shown for one in stand_ins}
    return _renamed(study, shown) if shown else study


def _renamed(value: Any, shown: Mapping[str, str]) -> Any:
    """Put other names into a value of any kind, down to its last part."""
    if isinstance(value, str):
        return shown.get(value, value)
    if isinstance(value, pd.DataFrame):
        value = value.copy()
        for name in value:
            if pd.api.types.is_string_dtype(value[name].dtype):
                value[name] = value[name].replace(shown)
        return value
    if isinstance(value, Mapping):
        return {_renamed(key, shown): _renamed(part, shown) for key, part in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(_renamed(part, shown) for part in value)
    if isinstance(value, BaseModel):
        # Some parameters may be missing where a report is made of tables alone.
        changed = {name: _renamed(part, shown) for name, part in value}
        return value.model_copy(update=changed)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return dataclasses.replace(
            value, **{name: _renamed(part, shown) for name, part in parts.items()}
        )
    return value
