"""The levels that params.yaml makes of the families."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from smallsight import params
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.names import UNTOUCHED, Condition, FamilyFacts, level_name
from smallsight.conditions.rendering.registry import RNG, Family
from smallsight.conditions.rendering.views import View
from smallsight.conditions.rendering.windows import cut_out, window_of
from smallsight.params import Option
from smallsight.runtime.errors import ParameterError
from smallsight.vocabulary import HEADLINE_TASK, SCENE

Settings = Mapping[str, Mapping[str, Option | list[Option]]]
"""The section `conditions` of params.yaml: by family, each option's value or list of values."""


@dataclass(frozen=True)
class Level:
    """A family with all options set, in a task, ready to be applied.

    Attributes
    ----------
    condition
        How tables and folders name it.
    options
        The value of every option, in the order of the function's parameters.
    family
        What is known of the family.
    window_margin
        The share of the box's width and height by which an object's window is larger, on each side.
    least_side
        Side in pixels of the picture that an object must have; smaller ones are left out.
    """

    condition: Condition
    options: tuple[tuple[str, Option], ...]
    family: Family
    window_margin: float
    least_side: float = 0.0

    def suits(self, view: View) -> bool:
        """Return whether the object is large enough for all levels of the family."""
        return view.box.side >= self.least_side

    def apply(self, view: View, *, rng: np.random.Generator | None = None) -> View:
        """Change a view of a whole picture, and show what the task shows of it.

        Parameters
        ----------
        rng
            Needed where the level is random, and ignored elsewhere.
        """
        random = {RNG: rng} if self.family.is_random else {}
        options = dict(self.options) | random
        if self.condition.task == SCENE:
            return self.family.change(view, **options)
        window = window_of(view, margin=self.window_margin)
        if self.family.acts_on == "window":
            return self.family.change(cut_out(view, window), **options)
        return cut_out(self.family.change(replace(view, frame=window), **options), window)


def levels_of(family: str, settings: Settings, tasks: params.Tasks) -> tuple[Level, ...]:
    """Make a family's levels: every combination of its options' values, in both tasks.

    The scene task comes first, with the reference level of the families that it lists; then the
    object task with all levels, the reference first.

    Raises
    ------
    ParameterError
        Where there is no such family or option, an option is missing, a value is not allowed, or
        the family, or one of its levels, has a part in no task, or is listed for one that it has no
        part in.

    Examples
    --------
    >>> settings = {"bg_blur": {"sigma": [3.5, 8], "margin": 0.1}}
    >>> tasks = params.Tasks(scene=("orig_full", "bg_blur"), window_margin=0.25)
    >>> [str(level.condition.place) for level in levels_of("bg_blur", settings, tasks)]
    ['sigma=3.5,margin=0.1', 'object/sigma=3.5,margin=0.1', 'object/sigma=8,margin=0.1']
    """
    where = f"conditions.{family}"
    if family not in FAMILIES:
        raise ParameterError(where, "unknown family", f"one of {', '.join(FAMILIES)}")
    if family not in settings:
        raise ParameterError(where, "nothing", f"one of {', '.join(settings)}")
    known, given = FAMILIES[family], settings[family]
    in_scene = family in tasks.scene
    if in_scene and known.acts_on == "window":
        raise ParameterError("tasks.scene", family, "families of whole pictures")
    if not in_scene and known.acts_on == "frame":
        raise ParameterError(where, "a family of no task", "one that tasks.scene lists")
    values = [value if isinstance(value, list) else [value] for value in given.values()]
    levels: list[Level] = []
    for combination in itertools.product(*values):
        tree = dict(zip(given, combination, strict=True))
        checked = params.validate(known.options, tree, where=where).model_dump()
        fields = known.options.model_fields
        told = {name: checked[name] for name in fields if checked[name] != fields[name].default}
        condition = Condition(family, level_name(told), is_reference=not levels)
        options = tuple((name, checked[name]) for name in fields)
        levels.append(Level(condition, options, known, tasks.window_margin))
    names = {level.condition.level for level in levels}
    if len(names) < len(levels) or not levels:
        raise ParameterError(where, repr(dict(given)), "at least one level, and none twice")
    if known.acts_on == "frame" and len(levels) > 1:
        found = f"{len(levels)} levels"
        raise ParameterError(where, found, "one: the scene task shows reference levels alone")
    if known.reduces_to:
        least = max(float(dict(level.options)[known.reduces_to]) for level in levels)
        levels = [replace(level, least_side=least) for level in levels]
    return (
        *(_in_task(level, SCENE) for level in levels[:in_scene]),
        *(_in_task(level, HEADLINE_TASK) for level in levels if known.acts_on != "frame"),
    )


def _in_task(level: Level, task: str) -> Level:
    return replace(level, condition=replace(level.condition, task=task))


def levels_by_family(settings: Settings, tasks: params.Tasks) -> dict[str, tuple[Level, ...]]:
    """Make the levels of all families listed, in their order.

    Raises
    ------
    ParameterError
        As `levels_of` does, where the untouched family is not among them or not in the scene task,
        and where that task lists an unknown family. One that is known and not among them is
        rendered in no task.
    """
    if UNTOUCHED not in settings:
        raise ParameterError("conditions", ", ".join(settings) or "nothing", UNTOUCHED)
    if UNTOUCHED not in tasks.scene:
        raise ParameterError("tasks.scene", ", ".join(tasks.scene), UNTOUCHED)
    levels = {family: levels_of(family, settings, tasks) for family in settings}
    for family in tasks.scene:
        if family not in FAMILIES:
            raise ParameterError("tasks.scene", family, f"one of {', '.join(settings)}")
    return levels


def facts_of(levels: Sequence[Level]) -> FamilyFacts:
    """Collect what is known of the family of these levels.

    Parameters
    ----------
    levels
        All levels of one family, the reference first.

    Examples
    --------
    >>> tasks = params.Tasks(scene=("orig_full",), window_margin=0.25)
    >>> facts = facts_of(levels_of("downscale", {"downscale": {"scale": [0.5, 0.25]}}, tasks))
    >>> facts.label, facts.role, facts.neutral
    ('Downscale', 'corruption', {'scale': 1})
    """
    known = FAMILIES[levels[0].condition.family]
    return FamilyFacts(
        name=known.name,
        label=known.label,
        description=known.description,
        role=known.role,
        neutral=known.neutral,
        conditions=tuple(level.condition for level in levels),
    )
