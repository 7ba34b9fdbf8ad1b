"""A study as the report sees it: its tables, and how conditions are called and marked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from smallsight.conditions.names import UNTOUCHED
from smallsight.conditions.registry import FAMILIES
from smallsight.params import Params
from smallsight.report.rows import Estimate, Row, keyed
from smallsight.vocabulary import GROUPS, NO_VISIBLE_CHANGE, REGIMES

UNCHANGED, SURROUNDINGS = "∅", "⊙"
"""Marks of a condition that leaves the object as it was: the whole picture, or the box alone."""


@dataclass(frozen=True)
class Step:
    """A condition as the tables name it: a family at a level."""

    name: str
    family: str
    level: str

    @property
    def is_reference(self) -> bool:
        """Whether it is its family's first level."""
        return self.name == self.family

    @property
    def is_probe(self) -> bool:
        """Whether it takes object and surroundings apart, which befalls no picture by itself."""
        return self.family in FAMILIES and FAMILIES[self.family].is_probe

    @cached_property
    def options(self) -> dict[str, str]:
        """The options that its level names, as text."""
        pairs = (part.partition("=") for part in self.level.split(","))
        return {option: value for option, sign, value in pairs if sign}


@dataclass(frozen=True)
class Study:
    """All inputs, read. Tables keep the names of their files."""

    params: Params
    sample: pd.DataFrame
    sampling: Mapping[str, Any]
    accuracy: pd.DataFrame
    effects: pd.DataFrame
    thresholds: pd.DataFrame
    bins: pd.DataFrame
    severity: pd.DataFrame
    claims: pd.DataFrame
    ledger: pd.DataFrame
    agreement: pd.DataFrame
    background: pd.DataFrame
    neighbours: pd.DataFrame
    answers: pd.DataFrame
    failures: pd.DataFrame
    failure_causes: pd.DataFrame
    rescues: pd.DataFrame
    confusion: pd.DataFrame
    categories: pd.DataFrame
    attention: pd.DataFrame
    attention_controls: pd.DataFrame
    attention_outcomes: pd.DataFrame
    faithfulness: pd.DataFrame
    curve: pd.DataFrame
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]
    gallery: pd.DataFrame
    strips: pd.DataFrame
    maps: pd.DataFrame
    cams: np.ndarray
    about: Mapping[str, Any]

    @cached_property
    def conditions(self) -> tuple[Step, ...]:
        """Every condition that was evaluated, in order."""
        named = self.accuracy[["condition", "family", "level"]].drop_duplicates()
        return tuple(Step(*row) for row in named.itertuples(index=False))

    @cached_property
    def regimes(self) -> list[str]:
        """The regimes that were evaluated, the headline regime first."""
        return [regime for regime in REGIMES if (self.accuracy["regime"] == regime).any()]

    @property
    def headline(self) -> str:
        """The headline regime; empty where nothing was evaluated."""
        return next(iter(self.regimes), "")

    @property
    def seeds(self) -> int:
        """How many seeds predict each instance."""
        return 1 if self.params.protocol == "original" else self.params.evaluation.repeats

    @property
    def changes(self) -> list[Step]:
        """All conditions but the untouched one."""
        return [step for step in self.conditions if step.name != UNTOUCHED]

    @property
    def happenings(self) -> list[Step]:
        """Changes that may befall a picture: all but the probes."""
        return [step for step in self.changes if not step.is_probe]

    @property
    def probes(self) -> list[Step]:
        """Conditions that take object and surroundings apart."""
        return [step for step in self.changes if step.is_probe]

    def ladder(self, family: str) -> list[Step]:
        """Give a family's conditions, in order."""
        return [step for step in self.conditions if step.family == family]

    def varying(self, family: str) -> list[str]:
        """Name the options that differ between a family's levels."""
        steps = self.ladder(family)
        names = dict.fromkeys(name for step in steps for name in step.options)
        return [name for name in names if len({step.options.get(name) for step in steps}) > 1]

    def label(self, condition: str) -> str:
        """Call a condition by its family's label, and by its level where that is not the first."""
        family, _, level = condition.partition("/")
        label = family_label(family)
        if not level:
            return label
        options = Step(condition, family, level).options
        told = [f"{name}={options[name]}" for name in self.varying(family) if name in options]
        return f"{label}, {', '.join(told) or level}"

    def estimate(self, regime: str, condition: str, group: str) -> Estimate | None:
        """One row of the table of accuracies, or None where it has none."""
        row = self._accuracies.get((regime, condition, group))
        if row is None:
            return None
        n, images = (int(row[key]) if np.isfinite(row[key]) else 0 for key in ("n", "images"))
        values = (float(row[key]) for key in ("acc", "ci_low", "ci_high", "balanced"))
        return Estimate(n, images, *values)

    def effect(self, regime: str, condition: str, group: str) -> Row | None:
        """One row of the table of effects, or None where there is no effect."""
        row = self._effects.get((regime, condition, group))
        return row if row is not None and np.isfinite(row["delta"]) else None

    def threshold(self, regime: str, condition: str) -> Row | None:
        """One row of the table of thresholds, or None."""
        return self._thresholds.get((regime, condition))

    def similarity(self, condition: str, group: str) -> Row | None:
        """One row of the table of severities, or None where it has no objects."""
        row = self._severities.get((condition, group))
        return row if row is not None and row["n"] > 0 else None

    def median_side(self, group: str) -> float:
        """Give the median side of a size group's objects, untouched, in input pixels."""
        row = self._accuracies.get((self.headline, UNTOUCHED, group))
        return float(row["side"]) if row is not None else np.nan

    @property
    def chance(self) -> float:
        """Accuracy of guessing among the names that the heads know, as far as it is told."""
        row = self.threshold(self.headline, UNTOUCHED)
        names = self.sample["category_name"].nunique()
        return float(row["floor"]) if row is not None else 1 / max(names, 1)

    def mark(self, condition: str, *groups: str) -> str:
        """Give the mark of a condition that is vacuous for all of the groups; else nothing.

        Groups without objects do not count, and none named means every one.
        """
        rows = [self.similarity(condition, group) for group in groups or GROUPS]
        known = [row for row in rows if row is not None]
        if not known or not all(row["vacuous"] == "True" for row in known):
            return ""
        whole = all(row["ssim_picture"] > NO_VISIBLE_CHANGE for row in known)
        return UNCHANGED if whole else SURROUNDINGS

    @cached_property
    def _accuracies(self) -> dict[Any, Row]:
        return keyed(self.accuracy, "regime", "condition", "size_group")

    @cached_property
    def _effects(self) -> dict[Any, Row]:
        return keyed(self.effects, "regime", "condition", "size_group")

    @cached_property
    def _thresholds(self) -> dict[Any, Row]:
        return keyed(self.thresholds, "regime", "condition")

    @cached_property
    def _severities(self) -> dict[Any, Row]:
        return keyed(self.severity, "condition", "size_group")


def family_label(family: str) -> str:
    """Call a family as people do; one of another version may be unknown today."""
    return FAMILIES[family].label if family in FAMILIES else family
