"""`params.yaml` read into typed, validated, frozen sections."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)
from pydantic_core import ErrorDetails

from smallsight.runtime.errors import ParameterError

Share = Annotated[float, Field(ge=0, le=1)]
"""A share, 0 to 1."""

PositiveShare = Annotated[float, Field(gt=0, le=1)]
"""A share above 0, at most 1."""

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


def plain_name(name: str) -> str:
    r"""Write a name as it is compared: composed letters, and single plain spaces inside.

    Marks without any width, such as the one that begins files, are no part of it.

    Examples
    --------
    >>> plain_name("\ufefftraffic\u00a0 light ")
    'traffic light'
    """
    return " ".join(unicodedata.normalize("NFC", name).translate(_WITHOUT_WIDTH).split())


_WITHOUT_WIDTH = dict.fromkeys(map(ord, "\ufeff\u200b\u2060"))
"""Byte order mark, zero-width space and word joiner; joiners of emoji and letters are not here."""


Name = Annotated[str, AfterValidator(plain_name), Field(min_length=1)]
"""The name of a category."""


class Section(BaseModel):
    """A frozen group of parameters; an unknown key is an error, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Data(Section):
    """Where annotations and pictures come from, with a group of parameters for each source.

    A group's keys are checked by the source that it belongs to (`smallsight.datasets.registry`).

    Attributes
    ----------
    categories
        Names of at least two categories, or "all" of those that the annotations use.
    instances
        A CSV file whose rows are the sample; without rows, the sample is drawn.
    max_bad_share
        The run stops where more of the annotations, or of the pictures, than this cannot be used.
    orientation
        Whether boxes refer to pictures turned as their EXIF data say, or to the stored pixels.
    max_pixels
        How many pixels a picture may have.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any]

    source: Annotated[str, Field(min_length=1)]
    categories: Literal["all"] | tuple[Name, ...]
    instances: Annotated[str, Field(min_length=1)]
    max_bad_share: Share
    orientation: Literal["auto", "upright", "stored"]
    max_pixels: Count

    @property
    def groups(self) -> dict[str, Any]:
        """The groups of parameters as they stand in the file, by the name of their source."""
        return self.__pydantic_extra__

    @field_validator("categories")
    @classmethod
    def _distinct(cls, names: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if names != "all" and len(set(names)) < len(names):
            raise ValueError("names that differ from each other")
        if len(names) < 2:
            raise ValueError("at least two names: a classifier of one category is always right")
        return names


class Sizes(Section):
    """What makes an object small, medium or large.

    Attributes
    ----------
    measure
        share: the box's share of the picture's area. area: the object's own area in square pixels,
        as COCO's evaluation has it. input: the box's side in pixels of the network's input.
    limits
        Small objects lie below the first, large ones at or above the second.
    """

    measure: Literal["share", "area", "input"]
    limits: tuple[Positive, Positive]

    @field_validator("limits")
    @classmethod
    def _rising(cls, limits: tuple[float, float]) -> tuple[float, float]:
        if limits[0] >= limits[1]:
            raise ValueError("two numbers, the first below the second")
        return limits


class Sample(Section):
    """How many instances are drawn, and of what.

    Attributes
    ----------
    per_group
        Instances per size group.
    caps
        The most instances of a category that a size group may have, by the category's name.
    balance
        natural: a category has the share that chance gives it. equal: each category has as many
        instances in every size group, as evenly as there are enough of each.
    seed
        Another seed draws another sample; None: the study's.
    min_visible_area
        Objects whose mask (or box, where there is none) has fewer square pixels are left out.
    """

    per_group: Count
    caps: dict[Name, Annotated[int, Field(ge=0)]]
    balance: Literal["natural", "equal"]
    seed: Annotated[int, Field(ge=0)] | None
    min_visible_area: NotNegative
    sizes: Sizes


class Tasks(Section):
    """What of a picture is shown: all of it, or a window round the object.

    `scene` lists the families that are applied to whole pictures, at their reference levels.
    `window_margin` is the share of the box's width and height by which the window is larger than
    the box, on each side.
    """

    scene: Annotated[tuple[str, ...], Field(min_length=1)]
    window_margin: NotNegative


class Backbone(Section):
    """The frozen network; `smallsight.backbones` knows the names of networks and weights."""

    name: Annotated[str, Field(min_length=1)]
    weights: Annotated[str, Field(min_length=1)]
    checkpoint: Annotated[str, Field(min_length=1)]
    input_size: Literal["auto"] | Annotated[int, Field(ge=32)]
    dilated: bool


class Preprocessing(Section):
    """How a classifier's input is made of a picture; None: as its source says.

    `range` is what a picture's values span before `mean` is taken off and `std` divided by.
    """

    input_size: Annotated[int, Field(ge=8)] | None
    mean: Annotated[tuple[float, ...], Field(min_length=3, max_length=3)] | None
    std: Annotated[tuple[Positive, ...], Field(min_length=3, max_length=3)] | None
    interpolation: Literal["bilinear", "bicubic"] | None
    channels: Literal["rgb", "bgr"] | None
    range: Literal["0..1", "0..255"] | None


class Classifier(Section):
    """What is examined: heads on the frozen backbone, or a classifier of the user's own.

    `smallsight.classifiers` knows the sources and what each of them reads of the rest.
    """

    source: Literal[
        "head",
        "torchvision",
        "timm",
        "state_dict",
        "export",
        "onnx",
        "torchscript",
        "command",
        "predictions",
    ]
    architecture: Annotated[str, Field(min_length=1)]
    weights: Annotated[str, Field(min_length=1)]
    file: Annotated[str, Field(min_length=1)]
    code: Annotated[str, Field(min_length=1)]
    command: str
    input: Literal["object", "scene"]
    output: Literal["logits", "probabilities"]
    class_names: Literal["metadata", "imagenet", "file"]
    class_names_file: Annotated[str, Field(min_length=1)]
    mapping: (
        Literal["same", "imagenet"] | dict[str, Annotated[tuple[str, ...], Field(min_length=1)]]
    )
    rest: Literal["renormalise", "other"]
    preprocessing: Preprocessing


class Heads(Section):
    """What a linear head reads, and how it is trained."""

    readout: Literal["scene", "box", "pyramid", "fpn"]
    epochs: Count
    batch_size: Count
    learning_rate: Positive


class Engine(Section):
    """What runs the frozen network on a CPU, and in which type it computes."""

    name: Literal["auto", "onnxruntime", "torch"]
    precision: Literal["float32", "bfloat16"]


class Evaluation(Section):
    """How instances are divided into training and test data."""

    test_share: Annotated[float, Field(gt=0, lt=1)]
    folds: Annotated[int, Field(ge=2)]
    repeats: Count


class Analysis(Section):
    """How intervals are made."""

    confidence: Annotated[float, Field(gt=0, lt=1)]
    bootstrap_draws: Annotated[int, Field(ge=100)]


class Explain(Section):
    """Which layer's maps are measured, and what the galleries show."""

    layer: Annotated[str, Field(min_length=1)]
    gallery_size: Count


class Limits(Section):
    """What `make check` asks of a study, as shares; None: not asked.

    All are of the headline task: the accuracy on small objects, the accuracy on large minus that on
    small ones, and what small ones lose under any corruption at its reference level.
    """

    least_accuracy_small: Share | None
    largest_gap: Share | None
    largest_loss_small: Share | None


Storage = Literal["auto", "files", "archive"]
"""How the rendered pictures of a level are kept; auto: by the number of objects."""

Option = float | int | str | bool
"""The value of one option of one family at one level."""


class Params(Section):
    """The whole of `params.yaml`."""

    seed: Annotated[int, Field(ge=0)]
    protocol: Literal["cross_validation", "original"]
    device: Annotated[str, Field(pattern="^(auto|cpu|cuda(:[0-9]+)?)$")]
    data: Data
    sample: Sample
    tasks: Tasks
    conditions: dict[str, dict[str, Option | list[Option]]]
    pictures: Storage
    backbone: Backbone
    engine: Engine
    classifier: Classifier
    heads: Heads
    evaluation: Evaluation
    analysis: Analysis
    explain: Explain
    limits: Limits
    remedies: dict[str, bool]

    def of_categories(self, names: tuple[str, ...]) -> "Params":
        """Return the same parameters with the names that "all" categories stand for."""
        data = self.data.model_copy(update={"categories": names})
        return self.model_copy(update={"data": data})


def load(path: str | Path = "params.yaml") -> Params:
    """Read and check a file of parameters.

    Raises
    ------
    ParameterError
        Where the file is missing or no YAML, and for the first parameter that is unknown,
        missing, or of the wrong type or range.
    """
    path = Path(path)
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(path, error.strerror or str(error), "a readable file") from None
    except UnicodeDecodeError as error:
        raise ParameterError(path, f"byte {error.start} is no UTF-8", "YAML in UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else path
        raise ParameterError(where, getattr(error, "problem", None) or "?", "YAML") from None
    return validate(Params, with_present_names(tree), where=path.stem)


def with_present_names(tree: Any) -> Any:
    """Read `sample.person_cap`, as earlier studies have it, as the cap of the category person.

    Examples
    --------
    >>> with_present_names({"sample": {"caps": {}, "person_cap": 70}})
    {'sample': {'caps': {'person': 70}}}
    """
    sample = tree.get("sample") if isinstance(tree, dict) else None
    if not isinstance(sample, dict) or "person_cap" not in sample:
        return tree
    caps = sample.get("caps", {})
    if not isinstance(caps, dict):
        return tree
    others = {name: value for name, value in sample.items() if name != "person_cap"}
    return tree | {"sample": others | {"caps": caps | {"person": sample["person_cap"]}}}


SectionT = TypeVar("SectionT", bound=Section)


def validate(section: type[SectionT], tree: object, *, where: str) -> SectionT:
    """Check a tree of plain values against a section.

    Raises
    ------
    ParameterError
        For one value that does not fit; `where` and the dotted key name its place. A misspelt
        key comes before the missing one that it stands for.
    """
    try:
        # By way of JSON: strict checking there still takes a list for a tuple.
        text = json.dumps(tree, default=str)
    except (TypeError, ValueError) as error:
        raise ParameterError(where, str(error), "plain values under names") from None
    try:
        return section.model_validate_json(text)
    except ValidationError as error:
        problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    first, keys = problems[0], _keys(problems[0], tree)
    # Of a union's branches, the one that came to a value inside says most.
    for problem in problems:
        inside = _keys(problem, tree)
        if len(inside) > len(keys) and inside[: len(keys)] == keys:
            first, keys = problem, inside
    place = ".".join((where, *keys))
    if first["type"] == "extra_forbidden":
        known = _known_keys(section, keys[:-1])
        expected = f"one of {', '.join(known)}" if known else "no options"
        raise ParameterError(place, "unknown parameter", expected)
    there = _at(tree, keys) if first["type"] == "missing" else None
    if isinstance(there, list):
        most = max(problem["loc"][-1] for problem in problems if _keys(problem, tree) == keys)
        raise ParameterError(place, repr(there), f"{int(most) + 1} values")
    if first["type"] == "missing":
        known = _known_keys(section, keys)
        # Where groups may be added, what is no group is a misspelt key.
        for key, value in _at(tree, keys).items():
            if key not in known and not isinstance(value, dict):
                expected = f"one of {', '.join(known)}"
                raise ParameterError(f"{place}.{key}", "unknown parameter", expected)
        raise ParameterError(f"{place}.{first['loc'][-1]}", "nothing", "a value")
    # A union reports once per branch; all of them together say what may stand there.
    reports = [_in_words(problem["msg"]) for problem in problems if _keys(problem, tree) == keys]
    raise ParameterError(place, repr(first["input"]), " or ".join(reports))


def _in_words(message: str) -> str:
    """Say what pydantic expected without its own words for lists and groups."""
    message = message.removeprefix("Value error, ").removeprefix("Input should be ")
    message = message.replace("a valid string", "text, in quotes where it reads as a number")
    message = re.sub(r"Tuple should have (at \w+ \d+ items?) after validation, .*", r"\1", message)
    return message.replace("a valid array", "a list").replace("an object", "values under names")


def _at(tree: Any, keys: list[str]) -> Any:
    for key in keys:
        tree = tree[key]
    return tree


def _keys(problem: ErrorDetails, tree: object) -> list[str]:
    """Find the keys that lead to a problem; pydantic mixes names of a union's branches in."""
    keys = []
    for key in problem["loc"]:
        try:
            tree = tree[key]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            continue
        keys.append(str(key))
    return keys


def _known_keys(section: type[BaseModel], keys: list[str]) -> list[str]:
    """Names that may stand at a dotted place inside a section."""
    for key in keys:
        section = section.model_fields[key].annotation  # type: ignore[assignment]
    return list(section.model_fields)
