"""A study as the report sees it: its tables, and what its conditions are called and marked with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from smallsight.backbones.facts import BackboneFacts
from smallsight.conditions.rendered.names import UNTOUCHED, Condition, FamilyFacts, split_name
from smallsight.evaluation.protocols import PROTOCOLS, EvaluationProtocol
from smallsight.params import Params
from smallsight.report.rows import Estimate, Row, keyed
from smallsight.vocabulary import GROUPS, NO_VISIBLE_CHANGE, REGIMES

UNCHANGED, SURROUNDINGS = "∅", "⊙"
"""Marks of a condition that leaves the object as it was: the whole picture, or the box alone."""


@dataclass(frozen=True)
class Study:
    """All inputs, read.

    Attributes
    ----------
    params
        All parameters.
    families
        What is known of each family, by name.
    sample, sampling
        The sampled instances, and what was eligible, drawn and excluded.
    backbone
        What is known of the frozen network.
    tables
        The tables of the analysis, by the name of their file.
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
    """

    params: Params
    families: Mapping[str, FamilyFacts]
    sample: pd.DataFrame
    sampling: Mapping[str, Any]
    backbone: BackboneFacts
    tables: Mapping[str, pd.DataFrame]
    curve: pd.DataFrame
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]
    gallery: pd.DataFrame
    strips: pd.DataFrame
    maps: pd.DataFrame
    map_values: np.ndarray
    about: Mapping[str, Any]
    fingerprints: Mapping[str, str]

    @property
    def protocol(self) -> EvaluationProtocol:
        """How predictions were made."""
        return PROTOCOLS[self.params.protocol]

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition that was evaluated, in order."""
        names = self.tables["accuracy"][["condition", "family", "level"]].drop_duplicates()
        return tuple(
            Condition(family, level, is_reference=name == family)
            for name, family, level in names.itertuples(index=False)
        )

    @cached_property
    def regimes(self) -> list[str]:
        """The regimes that were evaluated, the headline regime first."""
        evaluated = set(self.tables["accuracy"]["regime"])
        return [regime for regime in REGIMES if regime in evaluated]

    @property
    def headline_regime(self) -> str:
        """The headline regime; empty where nothing was evaluated."""
        return next(iter(self.regimes), "")

    @property
    def n_seeds(self) -> int:
        """Number of seeds that predict each instance."""
        return self.protocol.n_seeds(self.params.evaluation)

    @property
    def changed_conditions(self) -> list[Condition]:
        """All conditions but the untouched one."""
        return [condition for condition in self.conditions if condition.name != UNTOUCHED]

    @property
    def corruptions(self) -> list[Condition]:
        """Changed conditions of families that are no interventions."""
        return [one for one in self.changed_conditions if not self.is_intervention(one)]

    @property
    def interventions(self) -> list[Condition]:
        """Conditions that take the object, its pixels and its surroundings apart."""
        return [one for one in self.changed_conditions if self.is_intervention(one)]

    @property
    def mapped_conditions(self) -> list[str]:
        """The conditions whose saliency maps were measured, by name, in order."""
        known = set(self.tables["attention"]["condition"])
        return [condition.name for condition in self.conditions if condition.name in known]

    def is_intervention(self, condition: Condition) -> bool:
        """Return whether a condition's family is an intervention."""
        return self.families[condition.family].is_intervention

    def levels(self, family: str) -> list[Condition]:
        """Return a family's conditions, in order."""
        return [condition for condition in self.conditions if condition.family == family]

    def varying(self, family: str) -> list[str]:
        """Return the options that differ between a family's levels."""
        levels = self.levels(family)
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

    def estimate(self, regime: str, condition: str, group: str) -> Estimate | None:
        """Return one row of the table of accuracies, or None where it has none."""
        row = self._accuracies.get((regime, condition, group))
        if row is None:
            return None
        n, images = (int(row[key]) if np.isfinite(row[key]) else 0 for key in ("n", "images"))
        values = (float(row[key]) for key in ("acc", "ci_low", "ci_high", "balanced"))
        return Estimate(n, images, *values)

    def effect(self, regime: str, condition: str, group: str) -> Row | None:
        """Return one row of the table of effects, or None where there is no effect."""
        row = self._effects.get((regime, condition, group))
        return row if row is not None and np.isfinite(row["delta"]) else None

    def threshold(self, regime: str, condition: str) -> Row | None:
        """Return one row of the table of thresholds, or None where it has none."""
        return self._thresholds.get((regime, condition))

    def similarity(self, condition: str, group: str) -> Row | None:
        """Return one row of the table of severities, or None where it has no objects."""
        row = self._severities.get((condition, group))
        return row if row is not None and row["n"] > 0 else None

    def median_side(self, group: str) -> float:
        """Return the median side of a size group's objects, untouched, in input pixels."""
        row = self._accuracies.get((self.headline_regime, UNTOUCHED, group))
        return float(row["side"]) if row is not None else np.nan

    @property
    def chance(self) -> float:
        """Accuracy of guessing among the names that the heads know, as far as it is known."""
        row = self.threshold(self.headline_regime, UNTOUCHED)
        names = self.sample["category_name"].nunique()
        return float(row["floor"]) if row is not None else 1 / max(names, 1)

    @property
    def baselines(self) -> dict[str, float]:
        """Accuracies on all objects that need no picture, by name; empty without a sample."""
        shares = self.sample["category_name"].value_counts(normalize=True)
        if shares.empty:
            return {}
        return {"chance": self.chance, "commonest category": float(shares.iloc[0])}

    @property
    def interval(self) -> str:
        """What an interval is called: "95% interval"."""
        return f"{100 * self.params.analysis.confidence:g}% interval"

    def mark(self, condition: str, *groups: str) -> str:
        """Return the mark of a condition without visible change for all of the groups.

        It is empty for other conditions. Groups without objects do not count; no group named means
        every one.
        """
        rows = [self.similarity(condition, group) for group in groups or GROUPS]
        known = [row for row in rows if row is not None]
        if not known or not all(row["vacuous"] for row in known):
            return ""
        whole = all(row["ssim_picture"] > NO_VISIBLE_CHANGE for row in known)
        return UNCHANGED if whole else SURROUNDINGS

    @cached_property
    def _accuracies(self) -> dict[tuple[Any, ...], Row]:
        return keyed(self.tables["accuracy"], "regime", "condition", "size_group")

    @cached_property
    def _effects(self) -> dict[tuple[Any, ...], Row]:
        return keyed(self.tables["effects"], "regime", "condition", "size_group")

    @cached_property
    def _thresholds(self) -> dict[tuple[Any, ...], Row]:
        return keyed(self.tables["thresholds"], "regime", "condition")

    @cached_property
    def _severities(self) -> dict[tuple[Any, ...], Row]:
        return keyed(self.tables["severity"], "condition", "size_group")


def by_regime(study: Study, start: str, say: Callable[[Study, str], str]) -> str:
    """Join what is said of each regime into one sentence; empty where nothing is said.

    Parameters
    ----------
    start
        Stands before the colon.
    say
        What is said of one regime; empty for nothing.
    """
    clauses = {regime: say(study, regime) for regime in study.regimes}
    parts = [f"{regime} head, {clause}" for regime, clause in clauses.items() if clause]
    return f"{start}: {'; '.join(parts)}." if parts else ""
