"""What each remedy does to the accuracy on the same objects: remedies.csv.

Every remedy is compared with untouched pictures of the same task, both with heads of their own on
the same folds. Of several remedies the best one looks better than it is, so that its table also
says what the best of as many would look like if pictures told nothing of the objects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from smallsight.analysis.columns import IMAGES, P_HOLM, P_VALUE, N, interval, judged
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap, tests, verdicts
from smallsight.analysis.statistics.psychometric import Curves
from smallsight.remedies.facts import NEEDS, UNTREATED, Needs, RemedyFacts
from smallsight.runtime.tables import Table, flag, number, text, whole
from smallsight.vocabulary import GROUPS, INSTANCE, SIZE_GROUP, TASK, headline_task

VERDICTS = verdicts.verdict_words("helps", "harms")
"""What the remedy does to the accuracy."""

REMEDIES = Table(
    "remedies",
    "what each remedy does to the accuracy on the same objects, and what it needs and costs",
    (
        text("remedy", "the remedy, as the parameters name it"),
        TASK,
        SIZE_GROUP,
        text("needs", f"what it needs: {', '.join(NEEDS)}"),
        N,
        IMAGES,
        number("before", "accuracy on the untouched pictures, with heads of their own"),
        number("after", "accuracy with the remedy"),
        number("delta", "after minus before"),
        *interval(of="delta"),
        P_VALUE,
        P_HOLM,
        whole("rescued", "number of objects that most seeds get right with the remedy alone"),
        whole("broken", "number of objects that most seeds get right without it alone"),
        number(
            "size_factor", "factor on small objects' sides that is worth as much; empty if unknown"
        ),
        number("permuted", "delta of the best remedy of its table where labels are permuted"),
        number("passes", "pictures per object that the network sees, in units of plain ones"),
        *judged(VERDICTS, empty="where not primary"),
        flag("primary", "whether the row is one of the family of tests that have a verdict"),
    ),
)

PRIMARY_GROUP = GROUPS[0]
"""The size group of the primary family."""

MOST_FACTOR = 8.0
"""Beyond, and below its inverse, the curve is flat: a factor would be one of its ends."""

PERMUTATIONS = 200
"""How often labels are permuted."""


def uses_box(needs: Needs) -> bool:
    """Tell whether a remedy needs the object's box: no table has those that do among the others.

    Examples
    --------
    >>> [uses_box(needs) for needs in NEEDS]
    [False, False, True, True]
    """
    return needs in ("box", "box_head")


@dataclass(frozen=True)
class Answers:
    """Answers to the n instances of a task with r remedies, and without any.

    Attributes
    ----------
    names
        The remedies.
    seeds
        Number of seeds that predict each instance.
    right
        (r, n), whole numbers: how many of them are right with each remedy.
    right_before
        (n,): how many of them are right without any.
    votes
        (r, n, categories): how many of them predict each category.
    votes_before
        (n, categories): the same without any.
    category
        (n,): the instances' own categories.
    """

    names: list[str]
    seeds: int
    right: np.ndarray
    right_before: np.ndarray
    votes: np.ndarray
    votes_before: np.ndarray
    category: np.ndarray


def arrange_answers(predictions: pd.DataFrame, names: Sequence[str], outcomes: Outcomes) -> Answers:
    """Arrange the predictions of a task as arrays.

    Parameters
    ----------
    predictions
        The columns of `REMEDY_PREDICTIONS`, of these remedies and `UNTREATED` among others.
    outcomes
        Of the same task.
    """
    order = [UNTREATED, *names]
    remedy = pd.Index(order).get_indexer(pd.Index(predictions["remedy"]))
    known = predictions[remedy >= 0]
    instances = pd.MultiIndex.from_frame(outcomes.instances[INSTANCE])
    instance = instances.get_indexer(pd.MultiIndex.from_frame(known[INSTANCE]))
    assert (instance >= 0).all(), "predictions of instances that no outcome is known of"
    own = outcomes.instances["category_name"]
    categories = pd.Index(np.unique([*own, *known["predicted"].unique()]))
    shape = len(order), len(own), len(categories)
    cell = remedy[remedy >= 0] * len(own) + instance
    vote = cell * len(categories) + categories.get_indexer(pd.Index(known["predicted"]))
    votes = np.bincount(vote, minlength=np.prod(shape)).reshape(shape)
    right = np.bincount(cell, known["correct"], np.prod(shape[:2])).reshape(shape[:2]).astype(int)
    return Answers(
        names=list(names),
        seeds=known["seed"].nunique(),
        right=right[1:],
        right_before=right[0],
        votes=votes[1:],
        votes_before=votes[0],
        category=categories.get_indexer(pd.Index(own)),
    )


def compute_remedies(
    predictions: pd.DataFrame,
    outcomes: Mapping[str, Outcomes],
    facts: Sequence[RemedyFacts],
    *,
    thresholds: pd.DataFrame,
    native_side: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Compare every remedy that was tried with untouched pictures, on the same instances.

    The primary family has verdicts: small objects, with all remedies in all tasks.

    Parameters
    ----------
    predictions
        The columns of `REMEDY_PREDICTIONS`.
    outcomes
        By task.
    facts
        Of all remedies, in the order of the rows.
    thresholds
        The columns of `THRESHOLDS`.
    native_side
        (n,): the sides of the headline task's instances in their own pictures, in pixels.
    rng
        Permutes labels.

    Returns
    -------
    DataFrame
        The columns of `REMEDIES`; a row per task, remedy and size group. `delta` is the mean over
        seeds, its interval Student's by the bootstrap over images, and its `p_value` of the same
        quantity: `tests.sign_flip_p`. `p_holm` takes the primary rows as one family; a verdict
        needs both the interval and `p_holm`. `size_factor` is that of `find_size_factor`, on small
        objects in the headline task. `permuted` is that of `permuted_best`, the same for all
        remedies of a task that need the box, and for all that do not. A row of an empty group has
        n 0, images 0 and nothing that is measured.

    Examples
    --------
    A remedy turns all small objects right, and none of the large ones, which were right before:

    >>> from smallsight import params
    >>> from smallsight.analysis.outcomes import arrange_outcomes
    >>> rows = [
    ...     {"task": "scene", "remedy": remedy, "image_id": image, "size_group": size,
    ...      "correct": remedy == "zoom" or size == "large"}
    ...     for remedy in ("untouched", "zoom")
    ...     for image, size in enumerate(["small"] * 20 + ["large"] * 20)
    ... ]
    >>> predictions = pd.DataFrame(rows).assign(seed=0, ann_id=1, category_name="car")
    >>> predictions["predicted"] = np.where(predictions["correct"], "car", "bus")
    >>> before = predictions[predictions["remedy"] == "untouched"].assign(
    ...     regime="fixed", condition="orig_full", family="orig_full", level="default", side=8.0,
    ...     p_car=0.5, p_bus=0.5,
    ... )
    >>> outcomes = arrange_outcomes(
    ...     before,
    ...     task="scene",
    ...     settings=params.Analysis(confidence=0.95, bootstrap_draws=200),
    ...     rng=np.random.default_rng(0),
    ... )
    >>> in_scene = {"scene": "nothing"}, {"scene": 2.0}, {"scene": "picture"}
    >>> zoom = RemedyFacts("zoom", "Zoom", "Nearer.", *in_scene, "tried")
    >>> table = compute_remedies(
    ...     predictions, {"scene": outcomes}, [zoom], native_side=np.ones(40),
    ...     thresholds=pd.DataFrame(columns=["regime", "threshold"]), rng=np.random.default_rng(0),
    ... )
    >>> table[["size_group", "before", "after", "rescued", "broken", "verdict"]].values.tolist()
    ... # doctest: +NORMALIZE_WHITESPACE
    [['small', 0.0, 1.0, 20.0, 0.0, 'helps'], ['medium', nan, nan, nan, nan, ''],
     ['large', 1.0, 1.0, 0.0, 0.0, '']]
    """
    rows: list[dict[str, Any]] = []
    for task, found in outcomes.items():
        rows += _task_rows(predictions[predictions["task"] == task], found, facts, rng=rng)
    table = pd.DataFrame(rows, columns=REMEDIES.names).assign(verdict=VERDICTS[None])
    chosen = table[table["primary"].astype(bool)]
    if chosen.empty:
        return table
    confidence = next(iter(outcomes.values())).settings.confidence
    judged_rows = verdicts.judge(chosen, VERDICTS, confidence=confidence)
    for name in ("p_holm", "direction", "verdict"):
        table.loc[judged_rows.index, name] = judged_rows[name]
    headline = headline_task(outcomes)
    is_headline = table["primary"] & (table["task"] == headline)
    if is_headline.any():
        table.loc[is_headline, "size_factor"] = _size_factors(
            table.loc[is_headline, "delta"], outcomes[headline], thresholds, native_side
        )
    return table


def _task_rows(
    predictions: pd.DataFrame,
    outcomes: Outcomes,
    facts: Sequence[RemedyFacts],
    *,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Compare the remedies of one task with untouched pictures, in every size group."""
    tried = set(predictions["remedy"])
    known = [one for one in facts if outcomes.task in one.needs and one.name in tried]
    answers = arrange_answers(predictions, [one.name for one in known], outcomes)
    with_box = np.array([uses_box(one.needs[outcomes.task]) for one in known], bool)
    by_group = {}
    for group in GROUPS:
        about: list[dict[str, Any]]
        about = [{"primary": False, **outcomes.size(group)} for _ in known]
        if outcomes.members[group].any():
            measured = _measure(answers, outcomes, group)
            best = np.zeros(len(known))
            for of_table in (with_box, ~with_box):
                best[of_table] = permuted_best(answers, of_table, outcomes.members[group], rng=rng)
            about = [
                {**row, **more, "permuted": luck, "primary": group == PRIMARY_GROUP}
                for row, more, luck in zip(about, measured, best, strict=True)
            ]
        by_group[group] = about
    return [
        {
            "remedy": one.name,
            "task": outcomes.task,
            "size_group": group,
            "needs": one.needs[outcomes.task],
            "passes": one.passes[outcomes.task],
            **by_group[group][place],
        }
        for place, one in enumerate(known)
        for group in GROUPS
    ]


def _measure(answers: Answers, outcomes: Outcomes, group: str) -> list[dict[str, Any]]:
    """Compare each remedy with untouched pictures, on the objects of one size group."""
    chosen = outcomes.members[group]
    right, right_before = answers.right[:, chosen], answers.right_before[chosen]
    gained = right - right_before
    image = np.unique(outcomes.image[chosen], return_inverse=True)[1]
    draws = bootstrap.weighted_means(gained / answers.seeds, outcomes.weights[:, chosen]).T
    confidence, images = outcomes.settings.confidence, image.max() + 1
    most, most_before = (2 * count > answers.seeds for count in (right, right_before))
    rows = []
    for place in range(len(right)):
        before, after = (one.mean() / answers.seeds for one in (right_before, right[place]))
        delta = gained[place].mean() / answers.seeds
        low, high = bootstrap.student_interval(delta, draws[place, 1:], confidence, images=images)
        changes = np.bincount(image, gained[place]).astype(int)
        rows.append(
            {
                "before": before,
                "after": after,
                "delta": delta,
                "ci_low": max(low, -1.0),
                "ci_high": min(high, 1.0),
                "p_value": tests.sign_flip_p(changes),
                "rescued": (most[place] & ~most_before).sum(),
                "broken": (~most[place] & most_before).sum(),
            }
        )
    return rows


def permuted_best(
    answers: Answers, of_table: np.ndarray, chosen: np.ndarray, *, rng: np.random.Generator
) -> float:
    """Say what the best of some remedies looks like where pictures tell nothing of the objects.

    The labels of the objects are permuted, and all answers stay as they are. So many remedies as
    there are differ by luck, and the best of them is picked.

    Parameters
    ----------
    of_table
        (r,), bool: the remedies from which the best is picked.
    chosen
        (n,), bool: the objects.

    Returns
    -------
    float
        The largest change of the accuracy among these remedies, the mean over `PERMUTATIONS`; NaN
        without remedies.
    """
    if not of_table.any():
        return np.nan
    gained = answers.votes[of_table][:, chosen] - answers.votes_before[chosen]
    labels, each = answers.category[chosen], np.arange(chosen.sum())
    best = [gained[:, each, rng.permutation(labels)].sum(axis=1).max() for _ in range(PERMUTATIONS)]
    return float(np.mean(best)) / (answers.seeds * len(each))


def _size_factors(
    gains: pd.Series, outcomes: Outcomes, thresholds: pd.DataFrame, native_side: np.ndarray
) -> list[float]:
    """Find what gains on the headline task's small objects are worth; NaN without a threshold."""
    known = thresholds[thresholds["regime"] == outcomes.regimes[0]].dropna(subset="threshold")
    if known.empty:
        return [np.nan] * len(gains)
    location, spread, *ends = known[["threshold", "spread", "floor", "ceiling"]].to_numpy(float)[0]
    curve = Curves(np.array([[np.log(location), np.log(spread), *ends]]))
    log_sides = np.log(native_side[outcomes.members[PRIMARY_GROUP]])
    return [find_size_factor(curve, log_sides, gain) for gain in gains]


def find_size_factor(curve: Curves, log_sides: np.ndarray, gain: float) -> float:
    """Find by which factor objects would have to be larger for the same gain.

    Parameters
    ----------
    curve
        A single one.
    log_sides
        (n,): logarithms of the objects' own sides.
    gain
        Of their mean accuracy.

    Returns
    -------
    float
        Below 1 for a loss; NaN where no factor up to `MOST_FACTOR`, or down to its inverse, changes
        the accuracy as much.

    Examples
    --------
    >>> curve = Curves(np.array([[np.log(16), np.log(0.5), 0.3, 0.9]]))
    >>> gain = float((curve.at(np.log([32])) - curve.at(np.log([8])))[0, 0])
    >>> round(find_size_factor(curve, np.log([8.0]), gain), 3)
    4.0
    >>> find_size_factor(curve, np.log([8.0]), 0.6)
    nan
    """
    now = curve.at(log_sides).mean()

    def missing(shift: float) -> float:
        return float(curve.at(log_sides + shift).mean() - now - gain)

    reach = np.log(MOST_FACTOR)
    if missing(-reach) > 0 or missing(reach) < 0:
        return np.nan
    return float(np.exp(brentq(missing, -reach, reach)))
