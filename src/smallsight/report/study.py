"""A study as the report sees it: its tables, and what its conditions are called and marked with."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from smallsight.backbones.engine import Engine
from smallsight.backbones.facts import BackboneFacts
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.conditions.rendered.names import UNTOUCHED, Condition, FamilyFacts, split_name
from smallsight.evaluation.protocols import EvaluationProtocol, find_protocol
from smallsight.evaluation.rungs import RUNGS, Rung
from smallsight.params import Params
from smallsight.remedies.facts import RemedyFacts
from smallsight.report.rows import Estimate, Row, keyed
from smallsight.report.subject import (
    AS_IT_IS,
    HEADS,
    TRAINED_ELSEWHERE,
    RegimeWords,
    Subject,
)
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import (
    GROUPS,
    HEADLINE_TASK,
    NO_VISIBLE_CHANGE,
    REGIMES,
    SCENE,
    TASKS,
    headline_task,
)

T = TypeVar("T")

UNCHANGED, SURROUNDINGS = "∅", "⊙"
"""Marks of a condition that leaves the object as it was: the whole picture, or the box alone."""


@dataclass(frozen=True)
class Study:
    """All inputs, read.

    What depends on the task is asked for with the task as the first argument, one of
    `vocabulary.TASKS`; `text.TASK_NAMES` has what the report calls them.

    Attributes
    ----------
    params
        All parameters.
    families
        What is known of each family, by name.
    sample, sampling
        The sampled instances, and what was eligible, drawn and excluded.
    pictures
        What was done to the pictures, and how many are the same photograph.
    backbone
        What is known of the network; None where predictions were given and nothing else.
    classifier, preprocessings
        What is known of the user's own classifier, None where the study trained heads; and how
        often it is right when its input is made in the usual wrong ways.
    engine
        What runs the network; None where predictions were given and nothing else.
    tables
        The tables of the analysis, by the name of their file.
    remedies
        What is known of each remedy, by name, whether or not it was tried.
    remedy_times
        What each remedy takes at test time.
    curve, training
        The reference head's measures by epoch, and how it was trained.
    metrics
        The few numbers that compare experiments.
    gallery, strips
        Objects drawn by seed with their saliency maps, and some under every condition.
    maps
        What each saliency map is of, a row per map.
    map_values
        (maps, rows, columns), the saliency maps in the order of `maps`.
    about
        How saliency maps are made and drawn.
    fingerprints
        By path of a file that the study was read from: the beginning of its hash.
    left_out
        What was not computed, and why, by name; what `sections.left_out` finds out itself is not
        among it.
    """

    params: Params
    families: Mapping[str, FamilyFacts]
    sample: pd.DataFrame
    sampling: Mapping[str, Any]
    pictures: Mapping[str, Any]
    backbone: BackboneFacts | None
    classifier: ClassifierFacts | None
    preprocessings: pd.DataFrame
    engine: Engine | None
    tables: Mapping[str, pd.DataFrame]
    remedies: Mapping[str, RemedyFacts]
    remedy_times: pd.DataFrame
    curve: pd.DataFrame
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]
    gallery: pd.DataFrame
    strips: pd.DataFrame
    maps: pd.DataFrame
    map_values: np.ndarray
    about: Mapping[str, Any]
    fingerprints: Mapping[str, str]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_heads(self) -> bool:
        """Whether the study trained heads; else what answers was trained elsewhere."""
        return self.classifier is None and self.backbone is not None

    @property
    def subject(self) -> Subject:
        """Words for what is examined."""
        if self.has_heads:
            return HEADS
        return AS_IT_IS if set(self.regimes) <= set(AS_IT_IS.regimes) else TRAINED_ELSEWHERE

    @property
    def protocol(self) -> EvaluationProtocol:
        """How predictions were made."""
        return find_protocol(self.params.protocol, is_own=not self.has_heads)

    @cached_property
    def tasks(self) -> list[str]:
        """The tasks that were evaluated, the original study's first."""
        evaluated = set(self.tables["accuracy"]["task"])
        return [task for task in TASKS if task in evaluated]

    @cached_property
    def headline_task(self) -> str:
        """The task that headlines are about: the window, where windows were shown."""
        return headline_task(self.tasks)

    @property
    def window(self) -> str:
        """What windows are called; empty where none were shown."""
        return TASK_NAMES[HEADLINE_TASK] if HEADLINE_TASK in self.tasks else ""

    @cached_property
    def regimes(self) -> list[str]:
        """The regimes that were evaluated, the headline regime first."""
        evaluated = set(self.tables["accuracy"]["regime"])
        return [regime for regime in REGIMES if regime in evaluated]

    @property
    def headline_regime(self) -> str:
        """The headline regime; empty where nothing was evaluated."""
        return next(iter(self.regimes), "")

    def words(self, regime: str) -> RegimeWords:
        """Return what a regime is called."""
        return self.subject.regimes[regime]

    @cached_property
    def rungs(self) -> list[Rung]:
        """The rungs of the ladder that were climbed, in order."""
        table = self.tables["ladder"]
        known = set(table.loc[table["n"] > 0, "rung"])
        return [rung for rung in RUNGS if rung.name in known]

    @property
    def has_ladder(self) -> bool:
        """Whether there is a step from one rung to another."""
        return len(self.rungs) > 1

    @property
    def has_maps(self) -> bool:
        """Whether saliency maps were measured."""
        return not self.tables["attention"].empty

    @property
    def has_random_weights(self) -> bool:
        """Whether maps of random weights were measured, as a control."""
        return bool((self.tables["attention"]["map"] == "random_weights").any())

    @property
    def has_gallery(self) -> bool:
        """Whether every object has pictures to look at."""
        return not self.maps.empty

    @property
    def n_seeds(self) -> int:
        """Number of seeds that predict each instance."""
        return self.protocol.n_seeds(self.params.evaluation)

    def conditions(self, task: str) -> list[Condition]:
        """Return every condition that has an accuracy in a task, in order; sweeps have none."""
        return [one for one in self._conditions if one.task == task]

    def changed_conditions(self, task: str) -> list[Condition]:
        """Return all conditions of a task but the untouched one."""
        return [one for one in self.conditions(task) if one.name != UNTOUCHED]

    def corruptions(self, task: str) -> list[Condition]:
        """Return the changed conditions of a task whose families are no interventions."""
        return [one for one in self.changed_conditions(task) if not self.is_intervention(one)]

    def interventions(self, task: str) -> list[Condition]:
        """Return the conditions of a task that take object, pixels and surroundings apart."""
        return [one for one in self.changed_conditions(task) if self.is_intervention(one)]

    def levels(self, task: str, family: str) -> list[Condition]:
        """Return a family's conditions in a task, in order."""
        return [one for one in self.conditions(task) if one.family == family]

    def mapped_conditions(self, task: str) -> list[str]:
        """Return the conditions whose saliency maps were measured, by name, in order."""
        table = self.tables["attention"]
        known = set(table.loc[table["task"] == task, "condition"])
        return [one.name for one in self.conditions(task) if one.name in known]

    def is_intervention(self, condition: Condition) -> bool:
        """Return whether a condition's family is an intervention."""
        return self.families[condition.family].is_intervention

    def varying(self, family: str) -> list[str]:
        """Return the options that differ between a family's levels, sweeps included."""
        levels = self.families[family].conditions
        names = dict.fromkeys(name for one in levels for name in one.options)
        return [name for name in names if len({one.options.get(name) for one in levels}) > 1]

    def label(self, condition: str) -> str:
        """Return a condition's label: its family's, and its level where that is not the first."""
        family, level = split_name(condition)
        label = self.families[family].label
        if not level:
            return label
        options = Condition(family, level, is_reference=False).options
        varying = [f"{name}={options[name]}" for name in self.varying(family) if name in options]
        return f"{label}, {', '.join(varying) or level}"

    def estimate(self, task: str, regime: str, condition: str, group: str) -> Estimate | None:
        """Return one row of the table of accuracies, or None where it has none."""
        row = self._accuracies.get((task, regime, condition, group))
        if row is None:
            return None
        n, images = (int(row[key]) if np.isfinite(row[key]) else 0 for key in ("n", "images"))
        shares = ("acc", "ci_low", "ci_high", "balanced", "standardised")
        return Estimate(n, images, *(float(row[key]) for key in shares))

    def effect(self, task: str, regime: str, condition: str, group: str) -> Row | None:
        """Return one row of the table of effects, or None where there is no effect.

        Only rows with `primary` have a direction and a verdict.
        """
        row = self._effects.get((task, regime, condition, group))
        return row if row is not None and np.isfinite(row["delta"]) else None

    def baseline(self, name: str, group: str) -> Row | None:
        """Return the accuracy of a rule that sees no pixel, or None where it has none.

        Parameters
        ----------
        name
            One of `evaluation.rungs.BASELINES`, which has their labels.

        Returns
        -------
        Row
            A row of the table of baselines: n, images, accuracy, ci_low, ci_high. It is the same
            in all tasks and regimes.
        """
        row = self._baselines.get((name, group))
        return row if row is not None and row["n"] > 0 else None

    def gap(self, rung: str) -> Row | None:
        """Return a rung's row of the table of gaps, or None where it has none."""
        return self._gaps.get((rung,))

    def threshold(self, regime: str) -> Row | None:
        """Return one row of the table of thresholds, or None where it has none."""
        return self._thresholds.get((regime,))

    def cost(self, regime: str, condition: str) -> Row | None:
        """Return one row of the table of costs, or None where it has none."""
        return self._costs.get((regime, condition))

    def time_ratio(self, remedy: str, task: str) -> float:
        """Return how many times as long a remedy takes as the plain pass; NaN if not measured."""
        row = self._times.get((remedy, task))
        return float(row["ratio"]) if row is not None else np.nan

    def similarity(self, task: str, condition: str, group: str) -> Row | None:
        """Return one row of the table of severities, or None where it has no objects."""
        row = self._severities.get((task, condition, group))
        return row if row is not None and row["n"] > 0 else None

    def median_side(self, group: str) -> float:
        """Return the median side of a size group's objects in whole pictures, in input pixels."""
        row = self._accuracies.get((SCENE, self.headline_regime, UNTOUCHED, group))
        return float(row["side"]) if row is not None else np.nan

    @property
    def chance(self) -> float:
        """Accuracy of guessing among the study's categories; NaN where none are known."""
        names = self.params.data.categories
        return 1 / len(names) if names else np.nan

    @property
    def interval(self) -> str:
        """What an interval is called: "95% interval"."""
        return f"{100 * self.params.analysis.confidence:g}% interval"

    def mark(self, task: str, condition: str, *groups: str) -> str:
        """Return the mark of a condition without visible change for all of the groups.

        It is empty for other conditions. Groups without objects do not count; no group named means
        every one.
        """
        rows = [self.similarity(task, condition, group) for group in groups or GROUPS]
        known = [row for row in rows if row is not None]
        if not known or not all(row["vacuous"] for row in known):
            return ""
        whole = all(row["ssim_picture"] > NO_VISIBLE_CHANGE for row in known)
        return UNCHANGED if whole else SURROUNDINGS

    @cached_property
    def built(self) -> dict[Callable[..., Any], Any]:
        """What `once` has built of the study, by what builds it."""
        return {}

    @cached_property
    def _conditions(self) -> list[Condition]:
        columns = ["task", "condition", "family", "level"]
        names = self.tables["accuracy"][columns].drop_duplicates()
        return [
            Condition(family, level, is_reference=name == family, task=task)
            for task, name, family, level in names.itertuples(index=False)
        ]

    @cached_property
    def _accuracies(self) -> dict[tuple[Any, ...], Row]:
        return keyed(self.tables["accuracy"], "task", "regime", "condition", "size_group")

    @cached_property
    def _effects(self) -> dict[tuple[Any, ...], Row]:
        return keyed(self.tables["effects"], "task", "regime", "condition", "size_group")

    @cached_property
    def _baselines(self) -> dict[tuple[Any, ...], Row]:
        return keyed(self.tables["baselines"], "baseline", "size_group")

    @cached_property
    def _gaps(self) -> dict[tuple[Any, ...], Row]:
        return keyed(self.tables["ladder_gaps"], "rung")

    @cached_property
    def _thresholds(self) -> dict[tuple[Any, ...], Row]:
        return keyed(self.tables["thresholds"], "regime")

    @cached_property
    def _costs(self) -> dict[tuple[Any, ...], Row]:
        return keyed(self.tables["costs"], "regime", "condition")

    @cached_property
    def _times(self) -> dict[tuple[Any, ...], Row]:
        return keyed(self.remedy_times, "remedy", "task")

    @cached_property
    def _severities(self) -> dict[tuple[Any, ...], Row]:
        return keyed(self.tables["severity"], "task", "condition", "size_group")


def once(build: Callable[[Study], T]) -> Callable[[Study], T]:
    """Build what both forms of the page show, and its figures, but once for each study."""

    @functools.wraps(build)
    def built(study: Study) -> T:
        if build not in study.built:
            study.built[build] = build(study)
        made: T = study.built[build]
        return made

    return built
