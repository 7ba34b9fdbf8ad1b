"""Two studies brought together: the instances they share, in one order, with the same draws."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.analysis.outcomes import Outcomes, arrange_outcomes
from smallsight.conditions.names import UNTOUCHED
from smallsight.runtime.errors import SampleError, SmallsightError
from smallsight.vocabulary import INSTANCE, REGIMES

LEAST_OBJECTS, LEAST_IMAGES = 30, 10
"""What two studies must share for an interval of their difference to mean something."""


SAME = ["category_name", "bbox_x", "bbox_y", "bbox_w", "bbox_h", "size_group"]
"""What two rows of one id must agree on to be the same object."""


@dataclass(frozen=True)
class Tables:
    """One study's part in a comparison: its name, sample, predictions and failures."""

    name: str
    sample: pd.DataFrame
    predictions: pd.DataFrame
    failures: pd.DataFrame


class Shared(NamedTuple):
    """A condition that both studies have: a family at a level, and what each study names it.

    The name alone says which level was listed first, and one study may have listed another.
    """

    regime: str
    family: str
    level: str
    a: str
    b: str


@dataclass(frozen=True)
class Pair:
    """Outcomes of the same instances in two studies, in the same order and the same draws.

    Attributes
    ----------
    a, b
        Outcomes in the regimes that both studies have. The sides of `b` are those of `a`: one
        scale for both, whatever each network's input was.
    tables
        What both are made of, predictions of other instances and regimes left out.
    scale
        Pixels of B's input for one of A's, in each direction.
    alone
        How many instances A tests and B does not, and the other way round.
    """

    a: Outcomes
    b: Outcomes
    tables: tuple[Tables, Tables]
    scale: float
    alone: tuple[int, int]

    @property
    def regimes(self) -> list[str]:
        """Regimes of both, the headline regime first."""
        return self.a.regimes

    @cached_property
    def conditions(self) -> list[Shared]:
        """Every condition that both have, in every regime that both have."""
        keys = ["regime", "family", "level"]
        names = [one.conditions.set_index(keys)["condition"] for one in (self.a, self.b)]
        both = names[0].index.intersection(names[1].index, sort=False)
        return [
            Shared(regime, family, level, *(one[regime, family, level] for one in names))
            for regime, family, level in both
        ]

    def turned(self, condition: Shared) -> np.ndarray:
        """(n,): 1 where an instance is right in B alone, -1 where it is right in A alone."""
        after = self.b.right(condition.regime, condition.b).astype(int)
        return after - self.a.right(condition.regime, condition.a)

    @property
    def untouched(self) -> Shared:
        """The untouched pictures, in the headline regime."""
        return next(one for one in self.conditions if one.family == UNTOUCHED)


def pair_studies(
    a: Tables, b: Tables, *, settings: params.Analysis, rng: np.random.Generator
) -> Pair:
    """Bring two studies together on the instances that both test.

    Raises
    ------
    SmallsightError
        Where the same ids stand for different objects, no regime is common, or too few instances
        are shared.
    """
    _check_objects(a, b)
    regimes = _common_regimes(a, b)
    tested = [_tested(one, regimes) for one in (a, b)]
    shared = tested[0].intersection(tested[1])
    alone = (len(tested[0]) - len(shared), len(tested[1]) - len(shared))
    _check_number(a, b, shared, tested)
    kept = [
        dataclasses.replace(one, predictions=_of(one.predictions, shared, regimes))
        for one in (a, b)
    ]
    # One stream for both, begun twice from the same state, draws the same images.
    state = rng.bit_generator.state
    found = []
    for one in kept:
        rng.bit_generator.state = state
        found.append(arrange_outcomes(one.predictions, settings=settings, rng=rng))
    scale = float(np.median(found[1].side / found[0].side))
    return Pair(
        a=found[0],
        b=dataclasses.replace(found[1], side=found[0].side),
        tables=(kept[0], kept[1]),
        scale=scale,
        alone=alone,
    )


def _check_objects(a: Tables, b: Tables) -> None:
    """Refuse samples in which one id stands for two objects: they are of different data."""
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
    """Give the ids of all instances that were predicted."""
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


def _of(predictions: pd.DataFrame, shared: pd.MultiIndex, regimes: Sequence[str]) -> pd.DataFrame:
    """Choose the predictions of these instances in these regimes."""
    chosen = predictions[predictions["regime"].isin(regimes)]
    ids = pd.MultiIndex.from_frame(chosen[INSTANCE])
    return chosen[ids.isin(shared)].reset_index(drop=True)
