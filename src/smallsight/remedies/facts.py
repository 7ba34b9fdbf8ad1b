"""What later stages need to know of remedies: what they need, what they take, whether tried."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from smallsight.runtime import files
from smallsight.runtime.errors import SmallsightError

Needs = Literal["nothing", "head", "box", "box_head"]
"""What a remedy needs beyond the frozen network and the heads that the study has."""

NEEDS: Mapping[Needs, str] = {
    "nothing": "nothing",
    "head": "a refitted head",
    "box": "the object's box at test time",
    "box_head": "the box at test time and a refitted head",
}
"""The same in words, in order: what can be had for less comes first."""

Serves = Literal["picture", "object"]
"""What a pass serves: all objects of a picture, or the one object of a window."""

UNTREATED = "untouched"
"""Stands for a remedy where there is none: untouched pictures, the mean over the last layer."""

State = Literal["tried", "left_out", "impossible"]
"""Whether a remedy was tried, left out by the parameters, or not to be had with this network."""


@dataclass(frozen=True)
class RemedyFacts:
    """A remedy in one study.

    Attributes
    ----------
    name, label, description
        Its key in parameters and tables; what people call it; and what it does, in a sentence.
    needs
        By task in which it starts from the untouched picture, what it needs.
    passes
        By task, pictures that the network sees, in units of plain ones: an input 1.5 times as wide
        counts 2.25. Empty where it was not tried.
    serves
        By task, what these passes are for: a picture with all of its objects, or one object.
    state
        Whether it was tried.
    reason
        Why it cannot be had with this network; empty elsewhere.
    command
        What tests it; empty where it was tried.
    """

    name: str
    label: str
    description: str
    needs: Mapping[str, Needs]
    passes: Mapping[str, float]
    serves: Mapping[str, Serves]
    state: State
    reason: str = ""
    command: str = ""


def write_remedy_facts(facts: Sequence[RemedyFacts], path: str | Path) -> None:
    """Write facts as JSON, in order."""
    content = [dataclasses.asdict(one) for one in facts]
    files.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", path)


def read_remedy_facts(path: str | Path) -> list[RemedyFacts]:
    """Read facts that `write_remedy_facts` wrote.

    Raises
    ------
    SmallsightError
        Where the file is missing or malformed.
    """
    try:
        return TypeAdapter(list[RemedyFacts]).validate_json(Path(path).read_bytes())
    except OSError as error:
        raise SmallsightError(path, error.strerror or str(error), "a file") from None
    except ValueError:
        raise SmallsightError(path, "malformed", "the facts of remedies") from None
