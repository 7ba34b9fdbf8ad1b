"""Pairs two studies: the instances that both test, in one order, with the same bootstrap draws."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.analysis.outcomes import Outcomes, arrange_outcomes
from smallsight.conditions.rendered.names import UNTOUCHED, FamilyFacts
from smallsight.runtime.errors import SampleError, SmallsightError
from smallsight.vocabulary import HEADLINE_TASK, INSTANCE, REGIMES, SCENE

COMPARED_TASKS = (HEADLINE_TASK, SCENE)
"""The tasks in which two studies are compared, in order: the headline's first."""

LEAST_OBJECTS, LEAST_IMAGES = 30, 10
"""How many objects and images two studies must share for an interval of their difference."""

SAME = ["category_name", "bbox_x", "bbox_y", "bbox_w", "bbox_h", "size_group"]
"""Columns in which two samples must agree on an instance that both have."""


@dataclass(frozen=True)
class Tables:
    """The tables of one study that a comparison uses.

    Attributes
    ----------
    name
        What errors call the study.
    sample, predictions, rungs, failures
        The sample, the out-of-fold predictions of both tasks, those from every rung of the ladder,
        and the failures with their suggested causes.
    families
        Facts of all its families, by name.
    """

    name: str
    sample: pd.DataFrame
    predictions: pd.DataFrame
    rungs: pd.DataFrame
    failures: pd.DataFrame
    families: Mapping[str, FamilyFacts]

    def of_role(self, *roles: str) -> pd.DataFrame:
        """Return the predictions of families of these roles."""
        chosen = [name for name, facts in self.families.items() if facts.role in roles]
        return self.predictions[self.predictions["family"].isin(chosen)]


class SharedCondition(NamedTuple):
    """A condition that both studies have in one regime.

    Attributes
    ----------
    a, b
        Its name in each study. Two names may differ: a family's reference level has the family's
        name, and each study chooses its reference level.
    """

    regime: str
    family: str
    level: str
    a: str
    b: str

    @property
    def is_reference(self) -> bool:
        """Whether it is its family's reference level in A."""
        return self.a == self.family


@dataclass(frozen=True)
class Pair:
    """Outcomes of the same instances in two studies in one task, in the same order and draws.

    Attributes
    ----------
    a, b
        Outcomes in the regimes that both studies have, without sweeps. The sides of `b` are those
        of `a`, so that both have one scale, whatever each network's input was.
    tables
        The tables of both, of these instances, regimes and this task alone.
    scale
        Pixels of B's input per pixel of A's, in each direction.
    alone
        Number of instances that A alone tests, and that B alone tests.
    """

    a: Outcomes
    b: Outcomes
    tables: tuple[Tables, Tables]
    scale: float
    alone: tuple[int, int]

    @property
    def task(self) -> str:
        """The task."""
        return self.a.task

    @property
    def regimes(self) -> list[str]:
        """The regimes that both studies have, the headline regime first."""
        return self.a.regimes

    @cached_property
    def conditions(self) -> list[SharedCondition]:
        """The conditions that both studies have, in every regime that both have."""
        keys = ["regime", "family", "level"]
        names = [one.conditions.set_index(keys)["condition"] for one in (self.a, self.b)]
        both = names[0].index.intersection(names[1].index, sort=False)
        return [
            SharedCondition(regime, family, level, *(one[regime, family, level] for one in names))
            for regime, family, level in both
        ]

    @cached_property
    def families(self) -> dict[str, FamilyFacts]:
        """Facts of the families of both studies, by name; B's where both have some."""
        a, b = self.tables
        return {**a.families, **b.families}

    def family_label(self, family: str) -> str:
        """Return a family's label."""
        return self.families[family].label

    def flips(self, condition: SharedCondition) -> np.ndarray:
        """Return each instance's flip under one condition.

        Returns
        -------
        ndarray
            (n,): 1 for a positive flip (wrong in A, right in B), -1 for a negative flip (right in
            A, wrong in B), else 0.
        """
        after = self.b.majority_correct(condition.regime, condition.b).astype(int)
        return after - self.a.majority_correct(condition.regime, condition.a)

    @property
    def answers(self) -> int:
        """The number of answers to an instance that both studies' seeds can be counted in."""
        return math.lcm(self.a.n_seeds, self.b.n_seeds)

    def changes(self, condition: SharedCondition, group: str) -> np.ndarray:
        """Return by how many right answers, of all `answers`, each image gains from A to B.

        Returns
        -------
        ndarray
            (images,), whole numbers.
        """
        chosen = self.a.members[group]
        before = self.a.hit_rates[self.a.row[condition.regime, condition.a]]
        after = self.b.hit_rates[self.b.row[condition.regime, condition.b]]
        gained = np.rint(self.answers * (after - before)[chosen])
        return np.bincount(self.a.image[chosen], gained).astype(int)

    @property
    def untouched(self) -> SharedCondition:
        """The untouched pictures, in the headline regime."""
        return next(one for one in self.conditions if one.family == UNTOUCHED)


def pair_studies(
    a: Tables, b: Tables, *, settings: params.Analysis, rng: np.random.Generator
) -> dict[str, Pair]:
    """Pair two studies on the instances that both test.

    Parameters
    ----------
    a, b
        The two studies.
    settings
        How intervals are made.
    rng
        For the bootstrap draws, the same for both studies and both tasks.

    Returns
    -------
    dict
        The pair of each of `COMPARED_TASKS`, in their order.

    Raises
    ------
    SmallsightError
        If one id stands for different objects, if a study lacks a task, if the studies have no
        regime in common, or if they share too few instances.
    """
    _check_objects(a, b)
    for one in (a, b):
        _check_tasks(one)
    regimes = _common_regimes(a, b)
    tested = [_tested(one, regimes) for one in (a, b)]
    shared = tested[0].intersection(tested[1])
    alone = (len(tested[0]) - len(shared), len(tested[1]) - len(shared))
    _check_number(a, b, shared, tested)
    kept = [_of(one, shared, regimes) for one in (a, b)]
    # All draw the same images, for the stream begins again from the same state.
    state = rng.bit_generator.state
    pairs = {}
    for task in COMPARED_TASKS:
        found = []
        for one in kept:
            rng.bit_generator.state = state
            unswept = one.of_role("corruption", "intervention")
            found.append(arrange_outcomes(unswept, task=task, settings=settings, rng=rng))
        pairs[task] = Pair(
            a=found[0],
            b=dataclasses.replace(found[1], side=found[0].side),
            tables=(_in_task(kept[0], task), _in_task(kept[1], task)),
            scale=float(np.median(found[1].side / found[0].side)),
            alone=alone,
        )
    return pairs


def _check_objects(a: Tables, b: Tables) -> None:
    """Refuse samples of different data, in which one id stands for two objects."""
    columns = [*INSTANCE, *SAME]
    both = a.sample[columns].merge(b.sample[columns], on=INSTANCE, suffixes=("_a", "_b"))
    differs = np.zeros(len(both), bool)
    for column in SAME:
        differs |= (both[f"{column}_a"] != both[f"{column}_b"]).to_numpy()
    if not differs.any():
        return
    first = both[differs].iloc[0]
    here, there = (
        f"a {first[f'size_group_{side}']} {first[f'category_name_{side}']} at "
        + ", ".join(f"{first[f'bbox_{part}_{side}']:g}" for part in "xywh")
        for side in "ab"
    )
    raise SampleError(
        f"{a.name} and {b.name}",
        f"different data, for {int(differs.sum())} of {len(both)} ids that both have stand for "
        f"different objects: image {first['image_id']}, object {first['ann_id']} is {here} in "
        f"the first and {there} in the second",
        "samples of the same data",
    )


def _check_tasks(one: Tables) -> None:
    """Refuse a study without untouched pictures in every task: sides are those of the scene."""
    untouched = one.predictions[one.predictions["condition"] == UNTOUCHED]
    for task in COMPARED_TASKS:
        if not (untouched["task"] == task).any():
            raise SmallsightError(
                one.name,
                f"no predictions of untouched pictures in the task {task}",
                "a study that was evaluated in both tasks",
            )


def _common_regimes(a: Tables, b: Tables) -> list[str]:
    has = [set(one.predictions["regime"]) for one in (a, b)]
    common = [regime for regime in REGIMES if regime in has[0] & has[1]]
    if not common:
        first, second = (", ".join(sorted(regimes)) or "none" for regimes in has)
        raise SmallsightError(
            f"{a.name} and {b.name}",
            f"no regime in common: {first} in the first, {second} in the second",
            "two studies evaluated in the same regime",
        )
    return common


def _tested(one: Tables, regimes: Sequence[str]) -> pd.MultiIndex:
    """Return the ids of all instances that were predicted."""
    is_untouched = one.predictions["condition"] == UNTOUCHED
    chosen = one.predictions[is_untouched & (one.predictions["regime"] == regimes[0])]
    return pd.MultiIndex.from_frame(chosen[INSTANCE].drop_duplicates())


def _check_number(
    a: Tables, b: Tables, shared: pd.MultiIndex, tested: Sequence[pd.MultiIndex]
) -> None:
    images = shared.get_level_values("image_id").nunique()
    if len(shared) >= LEAST_OBJECTS and images >= LEAST_IMAGES:
        return
    raise SampleError(
        f"{a.name} and {b.name}",
        f"{len(shared)} objects in {images} images are tested by both, of {len(tested[0])} in the "
        f"first and {len(tested[1])} in the second",
        f"at least {LEAST_OBJECTS} objects in {LEAST_IMAGES} images, for an interval",
    )


def _of(one: Tables, shared: pd.MultiIndex, regimes: Sequence[str]) -> Tables:
    """Return the predictions of these instances, and those of its conditions in these regimes."""

    def of_shared(table: pd.DataFrame) -> pd.DataFrame:
        ids = pd.MultiIndex.from_frame(table[INSTANCE])
        return table[ids.isin(shared)].reset_index(drop=True)

    chosen = one.predictions[one.predictions["regime"].isin(regimes)]
    return dataclasses.replace(one, predictions=of_shared(chosen), rungs=of_shared(one.rungs))


def _in_task(one: Tables, task: str) -> Tables:
    return dataclasses.replace(one, predictions=one.predictions[one.predictions["task"] == task])
