"""What conditions are called, and the facts of their families, which rendering writes as data."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from smallsight.runtime.files import write_text
from smallsight.vocabulary import HEADLINE_TASK, SCENE, TASKS

UNTOUCHED = "orig_full"
"""The family that changes nothing: every effect is a difference from it."""

FACTS = "family.json"
"""Name of the file of facts in a family's folder."""

Role = Literal["corruption", "intervention", "sweep"]
"""What a family is for.

A corruption is what cameras, distance and people cause. An intervention takes the object, its
pixels and its surroundings apart. The levels of a sweep are analysed together, as one curve or one
rate, and are compared with nothing one by one.
"""

ORIGINAL = (UNTOUCHED, "orig_crop", "downscale", "motion_blur", "occlusion", "bg_blur")
"""The families that the original study compared."""


@dataclass(frozen=True)
class Condition:
    """A family at a level, in a task.

    Attributes
    ----------
    family
        Name of the family.
    level
        Its options as `level_name` writes them.
    is_reference
        Whether this is the family's reference level, the first in params.yaml.
    task
        One of `TASKS`.

    Examples
    --------
    >>> half = Condition("zoom", "factor=0.5,unit=object", is_reference=False)
    >>> half.name
    'zoom/factor=0.5,unit=object'
    >>> half.options
    {'factor': '0.5', 'unit': 'object'}
    >>> Condition("zoom", "factor=4", is_reference=True).name
    'zoom'
    >>> print(half.folder, Condition("zoom", "factor=4", True, "scene").folder)
    zoom/object/factor=0.5,unit=object zoom/factor=4
    """

    family: str
    level: str
    is_reference: bool
    task: str = HEADLINE_TASK

    @property
    def place(self) -> Path:
        """Where its pictures lie in the family's folder: the original study's task has no name."""
        return Path(*(() if self.task == SCENE else (self.task,)), self.level)

    @property
    def folder(self) -> Path:
        """Where its pictures lie in the folder of all families."""
        return self.family / self.place

    @property
    def name(self) -> str:
        """The family's name at its reference level, `<family>/<level>` elsewhere."""
        return self.family if self.is_reference else f"{self.family}/{self.level}"

    @property
    def asked(self) -> str:
        """What a user's own program is told of it: `<task>/<family>/<level>`."""
        return f"{self.task}/{self.family}/{self.level}"

    @property
    def options(self) -> dict[str, str]:
        """The options that the level names, as text; empty for the level `default`."""
        pairs = (part.partition("=") for part in self.level.split(","))
        return {option: value for option, sign, value in pairs if sign}


def level_name(options: Mapping[str, float | str]) -> str:
    """Write options as a level's name, which folders and tables use.

    Parameters
    ----------
    options
        Those that differ from their defaults.

    Examples
    --------
    >>> level_name({"sigma": 3.50, "unit": "object"})
    'sigma=3.5,unit=object'
    >>> level_name({})
    'default'
    """
    named = (f"{option}={_short(value)}" for option, value in options.items())
    return ",".join(named) or "default"


def split_name(name: str) -> tuple[str, str]:
    """Split a condition's name into family and level.

    The level is empty for a family's reference level, whose options the name does not tell.

    Examples
    --------
    >>> split_name("zoom/factor=0.5")
    ('zoom', 'factor=0.5')
    >>> split_name("zoom")
    ('zoom', '')
    """
    family, _, level = name.partition("/")
    return family, level


@dataclass(frozen=True)
class FamilyFacts:
    """What tables and text say of a family.

    Attributes
    ----------
    name
        As params.yaml and folders have it.
    label
        What people call it: a word or two.
    description
        What it does to a picture, in one line.
    role
        What it is for.
    neutral
        Of options that go from mild to severe, the value at which nothing changes; may be infinite.
    conditions
        The family at each of its levels in each task, by task and level, the reference first.
    """

    name: str
    label: str
    description: str
    role: Role
    neutral: Mapping[str, float]
    conditions: tuple[Condition, ...]

    @property
    def is_intervention(self) -> bool:
        """Whether it takes the object, its pixels and its surroundings apart."""
        return self.role == "intervention"

    def in_task(self, task: str) -> tuple[Condition, ...]:
        """Return the conditions of one task, the reference first; none where it has no part."""
        return tuple(one for one in self.conditions if one.task == task)


def write_facts(facts: FamilyFacts, folder: Path) -> None:
    """Write a family's facts into its own folder, as `family.json`.

    The file is strict JSON with the keys family, label, description, role, neutral (by option, a
    number; an infinite one is the text "inf" or "-inf"), levels (by task, names in order) and
    reference (the name of the reference level).
    """
    content = {
        "family": facts.name,
        "label": facts.label,
        "description": facts.description,
        "role": facts.role,
        "neutral": {
            option: value if math.isfinite(value) else str(value)
            for option, value in facts.neutral.items()
        },
        "levels": {task: [one.level for one in facts.in_task(task)] for task in TASKS},
        "reference": next(each.level for each in facts.conditions if each.is_reference),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(text + "\n", folder / FACTS)


def read_facts(conditions: Path, family: str) -> FamilyFacts:
    """Read a family's facts from the folder that holds all families."""
    return parse_facts((conditions / family / FACTS).read_text(encoding="utf-8"))


def parse_facts(text: str) -> FamilyFacts:
    """Return the facts that a text holds as `write_facts` wrote it."""
    content = json.loads(text)
    return FamilyFacts(
        name=content["family"],
        label=content["label"],
        description=content["description"],
        role=content["role"],
        neutral={option: float(value) for option, value in content["neutral"].items()},
        conditions=tuple(
            Condition(content["family"], level, level == content["reference"], task)
            for task, levels in content["levels"].items()
            for level in levels
        ),
    )


def read_all_facts(conditions: Path, families: Iterable[str]) -> dict[str, FamilyFacts]:
    """Read the facts of several families, in the order given."""
    return {family: read_facts(conditions, family) for family in families}


def _short(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
