"""The ladder: accuracy and gap by rung, and each step's part of the gap.

Tables: ladder.csv, ladder_gaps.csv, gap_parts.csv.

The gap is that of the rung `scene`. Class mix is what disappears when every category weighs the
same in both groups: the composition component of Kitagawa (Components of a Difference Between Two
Rates, JASA 1955). A step is worth what it takes off the standardised gap, and what the last rung
leaves of that gap is not explained. So the parts sum to the gap, in every draw.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import GROUP, IMAGES, P_HOLM, P_VALUE, N, interval, judged
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap, verdicts
from smallsight.analysis.terms import JOINT, NOT_EXPLAINED
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import BASELINES, RUNGS, STEPS
from smallsight.runtime.tables import Table, flag, number, text, whole
from smallsight.vocabulary import ALL_AND_GROUPS, HEADLINE_TASK, INSTANCE

VERDICTS = verdicts.verdict_words("favours large", "favours small")
"""The objects that a part makes the better recognised ones."""

NOT_IDENTIFIED = "not identified"
"""Verdict of a step from a rung near chance, whatever its interval."""

LADDER = Table(
    "ladder",
    "accuracy from rung to rung of the ladder, each with heads of its own on the same folds",
    (
        text("rung", "largest_object, or a rung of evaluation.rungs.RUNGS"),
        GROUP,
        N,
        number("accuracy", "share of the predictions that are correct, the mean over the seeds"),
        *interval(of="accuracy"),
        number("standardised", "accuracy at the mix of categories that small and large share"),
        number("delta", "accuracy minus that on the rung before; empty on the first"),
        *interval("delta_low", "delta_high", of="delta"),
        IMAGES,
        number("balanced", "mean of the categories' accuracies"),
        *interval("balanced_low", "balanced_high", of="balanced"),
        flag("near_chance", "whether the interval of balanced holds what guessing gives"),
    ),
)

LADDER_GAPS = Table(
    "ladder_gaps",
    "the gap in accuracy from rung to rung, large minus small, above 0 where it favours large",
    (
        text("rung", "largest_object, or a rung of evaluation.rungs.RUNGS"),
        number("gap", "accuracy on large objects minus that on small ones"),
        *interval(of="gap"),
        number("standardised", "the same at the mix of categories that both share"),
        *interval("standardised_low", "standardised_high", of="standardised"),
        number("delta", "gap minus that on the rung before; empty on the first"),
        *interval("delta_low", "delta_high", of="delta"),
        N,
        IMAGES,
    ),
)

GAP_PARTS = Table(
    "gap_parts",
    "the gap of the scene task in accuracy, large minus small, and the parts that sum to it",
    (
        text(
            "part",
            "gap; class_mix; a step of the ladder, or several in one, joined by +; not_explained",
        ),
        number("value", "difference of accuracies, above 0 where it favours large objects"),
        *interval(),
        P_VALUE,
        text("verdict", "the direction as a word, or not identified: a step from near chance"),
        P_HOLM,
        judged(VERDICTS)[0],
        N,
        IMAGES,
        whole("smallest_cell", "objects in the smallest cell of group x category that both have"),
    ),
)

FIRST = "largest_object"
"""The rule that the ladder stands on."""

SCENE_RUNG = RUNGS[0].name
"""The rung whose gap is explained."""

WINDOW_RUNG = next(
    one.name for one in RUNGS if (one.task, one.family) == (HEADLINE_TASK, UNTOUCHED)
)
"""The rung that is the headline task, untouched."""

_GROUPS = ("large", "small")
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Rungs:
    """How often each instance is recognised on every rung and by every baseline.

    Attributes
    ----------
    hit_rates
        By name, (n,), 0 to 1: the share of seeds that predict an instance correctly, in the order
        of the outcomes' instances. Baselines first, then the rungs that the study has, in order.
    """

    hit_rates: Mapping[str, np.ndarray]

    @cached_property
    def names(self) -> list[str]:
        """The rungs that the study has, in order; `scene` is the first, or there are none."""
        return [rung.name for rung in RUNGS if rung.name in self.hit_rates]

    @property
    def from_the_ground(self) -> list[str]:
        """The same after the rule that the ladder stands on, where that is known."""
        return [name for name in (FIRST, *self.names) if name in self.hit_rates]

    def majority_correct(self, name: str) -> np.ndarray:
        """(n,), bool: whether more than half of the seeds predict an instance correctly."""
        return self.hit_rates[name] > 0.5


def arrange_rungs(rung_predictions: pd.DataFrame, outcomes: Outcomes) -> Rungs:
    """Arrange predictions from every rung, the columns of `RUNG_PREDICTIONS`, as arrays."""
    instances = pd.MultiIndex.from_frame(outcomes.instances[INSTANCE])
    shares = {
        rung: part.groupby(INSTANCE)["correct"].mean().loc[instances].to_numpy(float)
        for rung, part in rung_predictions.groupby("rung")
    }
    order = [*BASELINES, *(rung.name for rung in RUNGS)]
    return Rungs({name: shares[name] for name in order if name in shares})


def name_steps(rungs: Iterable[str]) -> dict[str, str]:
    """Name the step that leads up to each rung; where rungs are missing, it has all their names.

    Examples
    --------
    >>> name_steps(["scene", "box", "window_few_pixels"])
    {'box': 'told_which_object', 'window_few_pixels': 'finer_cells+own_window'}
    """
    known, named, passed = set(rungs), {}, list[str]()
    for rung, step in STEPS.items():
        passed.append(step.name)
        if rung in known:
            named[rung] = JOINT.join(passed)
            passed.clear()
    return named


def compute_ladder(rungs: Rungs, outcomes: Outcomes) -> pd.DataFrame:
    """Compute the accuracy on every rung, and its paired change from the rung before.

    Intervals of accuracies are Wilson's for the effective number of trials, those of changes are
    Student's, all from the same draws of images.

    Returns
    -------
    DataFrame
        The columns of `LADDER`, a row per rung and size group; accuracies are 0 to 1. A row of an
        empty group has n 0, images 0 and nothing else.
    """
    rows: list[dict[str, Any]] = []
    before = None
    for rung in rungs.from_the_ground:
        hits = rungs.hit_rates[rung]
        for group in ALL_AND_GROUPS:
            row: dict[str, Any] = {"rung": rung, "size_group": group, **outcomes.size(group)}
            row["near_chance"] = False
            if row["n"]:
                row |= _accuracy(outcomes, hits, group)
                row |= {} if before is None else _change(outcomes, hits - before, group)
            rows.append(row)
        before = hits
    return pd.DataFrame(rows).reindex(columns=LADDER.names)


def _accuracy(outcomes: Outcomes, hits: np.ndarray, group: str) -> dict[str, Any]:
    """Compute the three kinds of accuracy of one size group on one rung."""
    accuracy, low, high = outcomes.mean_with_interval(hits, outcomes.members[group])
    found = {"accuracy": accuracy, "ci_low": low, "ci_high": high}
    found["standardised"] = outcomes.standardised(hits, group)[0]
    balanced, low, high = _balanced(outcomes, hits, group)
    found |= {"balanced": balanced, "balanced_low": low, "balanced_high": high}
    return found | {"near_chance": low <= outcomes.chance <= high}


def _change(outcomes: Outcomes, change: np.ndarray, group: str) -> dict[str, float]:
    """Compute the mean change of hit rates, (n,), in one size group."""
    draws = _mean(outcomes, change, group)
    confidence, images = outcomes.settings.confidence, outcomes.size(group)["images"]
    low, high = bootstrap.student_interval(draws[0], draws[1:], confidence, images=images)
    return {"delta": draws[0], "delta_low": low, "delta_high": high}


def _balanced(outcomes: Outcomes, hits: np.ndarray, group: str) -> tuple[float, float, float]:
    """Return the mean over a group's categories of their accuracies, and its interval."""
    draws = outcomes.balanced(hits, group)
    images = outcomes.size(group)["images"]
    confidence = outcomes.settings.confidence
    return draws[0], *bootstrap.share_interval(draws[0], draws[1:], confidence, images=images)


def compute_ladder_gaps(rungs: Rungs, outcomes: Outcomes) -> pd.DataFrame:
    """Compute the gap on every rung, as it is and at one mix, and its paired change.

    Intervals are Student's, from the draws that `split_gap` is of.

    Returns
    -------
    DataFrame
        The columns of `LADDER_GAPS`, a row per rung; none without small or large objects. Without
        a category in common `standardised` and its interval are empty.
    """
    rows: list[dict[str, Any]] = []
    before = None
    for rung in rungs.from_the_ground if _is_split(outcomes) else ():
        gap = _gap(outcomes, rungs.hit_rates[rung])
        row = {"rung": rung, **outcomes.size(*_GROUPS)}
        row |= _named_interval(outcomes, gap, "gap", "ci_low", "ci_high")
        even = _even_gap(outcomes, rungs.hit_rates[rung])
        row |= _named_interval(
            outcomes, even, "standardised", "standardised_low", "standardised_high"
        )
        if before is not None:
            row |= _named_interval(outcomes, gap - before, "delta", "delta_low", "delta_high")
        rows.append(row)
        before = gap
    return pd.DataFrame(rows, columns=LADDER_GAPS.names)


def compute_gap_parts(rungs: Rungs, outcomes: Outcomes) -> pd.DataFrame:
    """Split the gap between large and small objects into class mix, steps and what remains.

    `p_value` is Wald's, by the bootstrap's standard error; `p_holm` takes all rows as one family;
    a verdict needs both the interval and `p_holm`. From a rung on which small or large objects may
    as well be guessed, a step shows nothing: what it opens or closes is a matter of the floor.

    Returns
    -------
    DataFrame
        The columns of `GAP_PARTS`: a row for the gap, class_mix, each step between the rungs that
        the study has, and not_explained. No rows without rungs, or without small or large objects;
        nothing but the gap has a value where they have no category in common.
    """
    parts = split_gap(rungs, outcomes)
    images = _images(outcomes)
    shared = outcomes.size(*_GROUPS) | {"smallest_cell": smallest_cell(outcomes)}
    rows = [
        {
            "part": part,
            "value": draws[0],
            **bootstrap.estimate(draws, confidence=outcomes.settings.confidence, images=images),
            **shared,
        }
        for part, draws in parts.items()
    ]
    table = pd.DataFrame(rows).reindex(columns=GAP_PARTS.names)
    table = verdicts.judge(table, VERDICTS, confidence=outcomes.settings.confidence)
    vague = table["part"].isin(_from_near_chance(rungs, outcomes)) & table["direction"].notna()
    return table.assign(
        direction=table["direction"].mask(vague, 0),
        verdict=table["verdict"].mask(vague, NOT_IDENTIFIED),
    )[GAP_PARTS.names]


def split_gap(rungs: Rungs, outcomes: Outcomes) -> dict[str, np.ndarray]:
    """Compute the gap and its parts in every draw.

    Returns
    -------
    dict
        (1 + draws,) each, the estimate first: the gap, then the parts that sum to it. Empty without
        rungs, and without small or large objects.
    """
    if not (_is_split(outcomes) and rungs.names):
        return {}
    left = {name: _even_gap(outcomes, rungs.hit_rates[name]) for name in rungs.names}
    gap = _gap(outcomes, rungs.hit_rates[SCENE_RUNG])
    parts = {"gap": gap, "class_mix": gap - left[SCENE_RUNG]}
    before = left[SCENE_RUNG]
    for rung, step in name_steps(rungs.names).items():
        parts[step] = before - left[rung]
        before = left[rung]
    parts[NOT_EXPLAINED] = before
    return {name: _exact(part) for name, part in parts.items()}


def smallest_cell(outcomes: Outcomes) -> int:
    """Count the smallest cell of group x category, of categories that both groups have.

    Returns
    -------
    int
        0 where they have none in common.
    """
    length = outcomes.category.max() + 1
    counts = np.stack(
        [
            np.bincount(outcomes.category[outcomes.members[group]], minlength=length)
            for group in _GROUPS
        ]
    ).min(axis=0)
    return int(counts[counts > 0].min(initial=counts.max()))


def _is_split(outcomes: Outcomes) -> bool:
    """Tell whether there are small and large objects."""
    return all(outcomes.members[group].any() for group in _GROUPS)


def _images(outcomes: Outcomes) -> int:
    """Count the images of the group that has fewer: they bound what a difference rests on."""
    return min(outcomes.size(group)["images"] for group in _GROUPS)


def _gap(outcomes: Outcomes, hits: np.ndarray) -> np.ndarray:
    """(1 + draws,): mean of (n,) hit rates of large objects minus that of small ones."""
    return np.subtract(*(_mean(outcomes, hits, group) for group in _GROUPS))


def _even_gap(outcomes: Outcomes, hits: np.ndarray) -> np.ndarray:
    """(1 + draws,): the same at the mix of categories that both share."""
    return np.subtract(*(outcomes.standardised(hits, group) for group in _GROUPS))


def _exact(differences: np.ndarray) -> np.ndarray:
    """Make a difference of equal accuracies exactly zero, without rounding errors."""
    return np.where(abs(differences) < _ROUNDING, 0.0, differences)


def _named_interval(
    outcomes: Outcomes, draws: np.ndarray, value: str, low: str, high: str
) -> dict[str, float]:
    """Compute a difference between the groups, and its interval, under the columns' names."""
    draws = _exact(draws)
    ends = bootstrap.student_interval(
        draws[0], draws[1:], outcomes.settings.confidence, images=_images(outcomes)
    )
    return dict(zip((value, low, high), (draws[0], *ends), strict=True))


def _mean(outcomes: Outcomes, values: np.ndarray, group: str) -> np.ndarray:
    """(1 + draws,): mean of (n,) values in one size group."""
    chosen = outcomes.members[group]
    return bootstrap.weighted_means(values[None, chosen], outcomes.weights[:, chosen])[:, 0]


def _from_near_chance(rungs: Rungs, outcomes: Outcomes) -> list[str]:
    """List the steps from rungs on which small or large objects may as well be guessed."""
    steps = name_steps(rungs.names)
    found = []
    for before, rung in zip(rungs.names, steps, strict=False):
        intervals = [_balanced(outcomes, rungs.hit_rates[before], group) for group in _GROUPS]
        if any(low <= outcomes.chance <= high for _, low, high in intervals):
            found.append(steps[rung])
    return found
