"""How far confidences can be trusted, by size of the object: reliability.csv and calibration.csv.

Confidences are compared with how often answers are right, as they are and with a temperature that
depends on how large the features say that the object is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import log_softmax, ndtr

from smallsight.analysis.columns import GROUP, N, interval
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap
from smallsight.runtime.tables import Table, number, text, whole
from smallsight.vocabulary import ALL_AND_GROUPS, INSTANCE, TASK

SCALINGS = {
    "none": "confidences as they are",
    "temperature": "with a temperature by the object's estimated side",
}
"""What is done to confidences."""

_SCALING = text("scaling", "; ".join(f"{name}: {meaning}" for name, meaning in SCALINGS.items()))

COVERAGE = 0.8
"""The share of the answers, the most confident ones, whose accuracy is told."""

RELIABILITY = Table(
    "reliability",
    "confidence and accuracy of untouched pictures' answers, in bins of equally many",
    (
        TASK,
        GROUP,
        _SCALING,
        whole("bin", "0 to 9, the least confident answers first"),
        whole("n", "number of answers, one per object and seed"),
        number("confidence", "mean probability of the predicted category, 0 to 1"),
        number("accuracy", "share of the answers that are right"),
        *interval(of="accuracy"),
    ),
)

CALIBRATION = Table(
    "calibration",
    "how far confidences are from accuracies, and what holding back the least confident gains",
    (
        TASK,
        GROUP,
        _SCALING,
        N,
        number("ece", "expected calibration error over ten bins of equally many, without its bias"),
        *interval("ece_low", "ece_high", of="ece"),
        number(
            "accuracy_at_coverage",
            f"accuracy of the most confident {COVERAGE:.0%} of the answers on objects of the group",
        ),
        *interval("coverage_low", "coverage_high", of="accuracy_at_coverage"),
        number("change", "ece minus that of the confidences as they are; empty without scaling"),
        *interval("change_low", "change_high", of="change"),
    ),
)

BINS = 10
"""Number of bins, of equally many answers each."""

PARTS = 5
"""Number of equal parts of a bin: coverage is told from these."""

STEEPEST = 3.0
"""Greatest size of a temperature's logarithm, and of its slope over the logarithm of the side."""


@dataclass(frozen=True)
class Confidences:
    """Confidences in the answers to n instances of one task.

    Attributes
    ----------
    confidence
        (seeds, n), 0 to 1.
    correct
        (seeds, n), bool.
    """

    confidence: np.ndarray
    correct: np.ndarray


@dataclass(frozen=True)
class Binned:
    """Answers to chosen instances, divided by confidence into equally many, in every draw.

    Attributes
    ----------
    counts, hits, sums
        (1 + draws, bins x parts): numbers of answers, of those that are right, and sums of their
        confidences, the sample first; without draws that have none of the instances.
    images
        (bins,): numbers of images with answers in each bin of the sample.
    """

    counts: np.ndarray
    hits: np.ndarray
    sums: np.ndarray
    images: np.ndarray

    @cached_property
    def ece(self) -> np.ndarray:
        """(1 + draws,): the expected calibration error, as `calibration_error` has it."""
        parts = _by_bin(self.hits - self.sums) / self.counts.sum(axis=1, keepdims=True)
        return calibration_error(parts)

    @cached_property
    def accuracy_at_coverage(self) -> np.ndarray:
        """(1 + draws,): accuracy of the most confident `COVERAGE` of the answers."""
        counts, hits = self.counts[:, ::-1], self.hits[:, ::-1]
        before = counts.cumsum(axis=1) - counts
        room = COVERAGE * counts.sum(axis=1, keepdims=True) - before
        # Of the part that the limit falls into, as large a share as there is room for.
        share = np.divide(room, counts, out=np.zeros(counts.shape), where=counts > 0).clip(0, 1)
        return (share * hits).sum(axis=1) / (share * counts).sum(axis=1)


def _by_bin(parts: np.ndarray) -> np.ndarray:
    """Add up the parts of each bin, (1 + draws, bins x parts)."""
    return parts.reshape(len(parts), BINS, PARTS).sum(axis=2)


def calibration_error(parts: np.ndarray) -> np.ndarray:
    """Compute the expected calibration error in every draw, without the bias of small bins.

    The sum of the sizes of what bins contribute is too large, because what is only noise in a bin
    counts as error, too. Its bias is that of normal contributions with the bootstrap's standard
    errors, as Kumar et al. have it (Verified Uncertainty Calibration, NeurIPS 2019), but around
    true contributions that are as much smaller than the observed ones as these scatter: around the
    observed ones themselves, only a third of the bias of a well calibrated classifier is found.

    In simulated studies with 200 objects in a size group, the plain error of a well calibrated
    classifier is 0.05, and its interval as good as never holds 0; this one is 0.015, and its
    interval covers the truth in 88 to 95 of 100 studies, whatever that is.

    Parameters
    ----------
    parts
        (1 + draws, bins), the sample first: accuracy minus confidence, times the bin's share of the
        answers.

    Returns
    -------
    ndarray
        (1 + draws,), 0 to 1.

    Examples
    --------
    Two bins that scatter by more than they contribute, and two that do not scatter:

    >>> noise = np.array([[0.01, -0.01], [0.07, -0.03], [-0.05, 0.01]])
    >>> calibration_error(noise)[0].round(3)
    np.float64(0.0)
    >>> calibration_error(np.full((3, 2), 0.1))[0].round(3)
    np.float64(0.2)
    """
    error = parts[1:].std(axis=0, ddof=1)
    squares = np.sum(parts**2, axis=1, keepdims=True)
    known = (squares - np.sum(error**2)).clip(0)
    shrink = np.sqrt(np.divide(known, squares, out=np.zeros(squares.shape), where=squares > 0))
    true = abs(shrink * parts)
    bias = _mean_size(true, error) - true
    return np.sum(abs(parts) - bias, axis=1).clip(0)


def _mean_size(means: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return the mean size of normal numbers of these means, 0 or more, and deviations."""
    steps = np.divide(means, error, out=np.full(means.shape, np.inf), where=error > 0)
    density = np.sqrt(2 / np.pi) * np.exp(-(steps**2) / 2)
    return error * density + means * (1 - 2 * ndtr(-steps))


def compute_calibration(
    predictions: pd.DataFrame,
    estimated_sides: pd.DataFrame,
    outcomes: Outcomes,
    categories: Sequence[str],
) -> dict[str, pd.DataFrame]:
    """Compare confidences with accuracies, by size group, with and without temperatures.

    All are answers to untouched pictures in the headline regime, those of all seeds together.

    Parameters
    ----------
    predictions
        The columns of `PREDICTIONS`, of one task.
    estimated_sides
        The columns of `ESTIMATED_SIDES`, of the same task.
    outcomes
        Of the same task.
    categories
        All categories of the study, in order.

    Returns
    -------
    dict
        The tables of `RELIABILITY`, a row per size group, scaling and bin that has answers, and of
        `CALIBRATION`, a row per size group and scaling. Intervals of accuracies are Wilson's for
        the effective number of trials, those of errors and changes Student's, cut off at 0 and 1 or
        at -1 and 1, all from the same draws. A row of an empty group has n 0 and nothing else.
        Without estimated sides, or where there is a single fold, no temperatures are known and
        nothing is scaled. Without confidences there are no rows.
    """
    untouched = outcomes.untouched_predictions(predictions)
    has_all = bool(untouched["confidence"].notna().all())
    by_scaling = _scaled(untouched, estimated_sides, outcomes, categories) if has_all else {}
    bins: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for group in ALL_AND_GROUPS:
        size, plain = outcomes.size(group), None
        for scaling, confidences in by_scaling.items():
            about = {"task": outcomes.task, "size_group": group, "scaling": scaling}
            row: dict[str, Any] = about | {"n": size["n"]}
            if size["n"]:
                binned = divide(confidences, outcomes, group)
                bins += [about | one for one in _reliability(binned, outcomes)]
                row |= _errors(binned, plain, outcomes, images=size["images"])
                plain = binned
            errors.append(row)
    return {
        RELIABILITY.name: pd.DataFrame(bins, columns=RELIABILITY.names),
        CALIBRATION.name: pd.DataFrame(errors, columns=CALIBRATION.names),
    }


def _scaled(
    untouched: pd.DataFrame, sides: pd.DataFrame, outcomes: Outcomes, categories: Sequence[str]
) -> dict[str, Confidences]:
    """Arrange confidences by what is done to them."""
    table = untouched.sort_values(["seed", *INSTANCE], kind="stable", ignore_index=True)
    shape = -1, len(outcomes.instances)
    correct = table["correct"].to_numpy(bool).reshape(shape)
    none, temperature = SCALINGS
    found = {none: Confidences(table["confidence"].to_numpy(float).reshape(shape), correct)}
    if len(sides) and table["fold"].nunique() > 1:
        scaled = _with_temperatures(table, sides, categories)
        found[temperature] = Confidences(scaled.reshape(shape), correct)
    return found


def _with_temperatures(
    table: pd.DataFrame, sides: pd.DataFrame, categories: Sequence[str]
) -> np.ndarray:
    """Scale every row's probabilities by a temperature that other folds told: (rows,)."""
    columns = [name for name in table.columns if name.startswith("p_")]
    logs = np.log(table[columns].to_numpy(float).clip(np.finfo(np.float32).tiny))
    label = pd.Index(categories).get_indexer(pd.Index(table["category_name"]))
    joined = table[["seed", *INSTANCE]].merge(sides, on=["seed", *INSTANCE], how="left")
    log_side = np.log(joined["side"].to_numpy(float))
    confidence = np.empty(len(table))
    seed, fold = table["seed"].to_numpy(), table["fold"].to_numpy()
    for one_seed in np.unique(seed):
        for one_fold in np.unique(fold[seed == one_seed]):
            rest = (seed == one_seed) & (fold != one_fold)
            held_out = (seed == one_seed) & (fold == one_fold)
            temperature = fit_temperature(logs[rest], log_side[rest], label[rest])
            confidence[held_out] = temperature.confidence(logs[held_out], log_side[held_out])
    return confidence


@dataclass(frozen=True)
class Temperature:
    """A temperature that depends on the object's side.

    Attributes
    ----------
    offset, slope
        Its logarithm is offset + slope x logarithm of the side.
    """

    offset: float
    slope: float

    def confidence(self, logs: np.ndarray, log_side: np.ndarray) -> np.ndarray:
        """(n,): the greatest probability at this temperature.

        Parameters
        ----------
        logs
            (n, categories): logarithms of the probabilities without one.
        log_side
            (n,): logarithms of the sides.
        """
        inverse = np.exp(-(self.offset + self.slope * log_side))
        return np.exp(log_softmax(logs * inverse[:, None], axis=1).max(axis=1))


def fit_temperature(logs: np.ndarray, log_side: np.ndarray, label: np.ndarray) -> Temperature:
    """Find the temperature with the least mean cross-entropy.

    Parameters
    ----------
    logs
        (n, categories): logarithms of probabilities.
    log_side
        (n,): logarithms of sides.
    label
        (n,): the true categories.

    Examples
    --------
    Answers of a confidence of 0.8 are right half the time on small objects, and as often as they
    say on large ones:

    >>> logs = np.log(np.tile([[0.8, 0.1, 0.1]], (40, 1)))
    >>> label = np.r_[np.tile([0, 1, 0, 2], 5), np.tile([0, 0, 1, 0, 0, 0, 0, 2, 0, 0], 2)]
    >>> log_side = np.log(np.repeat([8.0, 64.0], 20))
    >>> found = fit_temperature(logs, log_side, label)
    >>> found.confidence(logs[[0, -1]], log_side[[0, -1]]).round(2).tolist()
    [0.5, 0.8]
    """
    middle = log_side.mean()
    steps = log_side - middle
    own = logs[np.arange(len(label)), label]

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        inverse = np.exp(-(parameters[0] + parameters[1] * steps))
        chances = log_softmax(logs * inverse[:, None], axis=1)
        each = chances[np.arange(len(label)), label]
        # By the logarithm of the inverse temperature, the loss falls by this.
        gain = inverse * (own - np.sum(np.exp(chances) * logs, axis=1))
        return -each.mean(), np.array([gain.mean(), (gain * steps).mean()])

    limits = [(-STEEPEST, STEEPEST)] * 2
    offset, slope = minimize(loss, np.zeros(2), jac=True, method="TNC", bounds=limits).x
    return Temperature(float(offset - slope * middle), float(slope))


def divide(confidences: Confidences, outcomes: Outcomes, group: str) -> Binned:
    """Divide the answers on one size group's objects by their confidences."""
    chosen = outcomes.members[group]
    confidence, correct = confidences.confidence[:, chosen], confidences.correct[:, chosen]
    place = np.empty(confidence.size, int)
    place[np.argsort(confidence, axis=None, kind="stable")] = np.arange(confidence.size)
    part = (BINS * PARTS * place // confidence.size).reshape(confidence.shape)
    n = confidence.shape[1]
    cell = part + BINS * PARTS * np.arange(n)
    weights = outcomes.weights[:, chosen].astype(float)
    weights = weights[weights.any(axis=1)]

    def in_draws(values: np.ndarray) -> np.ndarray:
        cells = np.bincount(cell.ravel(), values.ravel(), n * BINS * PARTS)
        return weights @ cells.reshape(n, BINS * PARTS)

    image = np.broadcast_to(outcomes.image[chosen], part.shape)
    seen = np.unique(np.stack([part // PARTS, image]).reshape(2, -1), axis=1)[0]
    return Binned(
        counts=in_draws(np.ones(part.shape)),
        hits=in_draws(correct.astype(float)),
        sums=in_draws(confidence),
        images=np.bincount(seen, minlength=BINS),
    )


def _reliability(binned: Binned, outcomes: Outcomes) -> list[dict[str, Any]]:
    """Compare confidence and accuracy in every bin that has answers."""
    counts, hits, sums = (_by_bin(one) for one in (binned.counts, binned.hits, binned.sums))
    accuracy = np.divide(hits, counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    rows = []
    for place in np.flatnonzero(counts[0]):
        draws = accuracy[:, place]
        low, high = bootstrap.share_interval(
            draws[0], draws[1:], outcomes.settings.confidence, images=binned.images[place]
        )
        row = {"bin": place, "n": round(counts[0, place])}
        row |= {"confidence": sums[0, place] / counts[0, place], "accuracy": draws[0]}
        rows.append(row | {"ci_low": low, "ci_high": high})
    return rows


def _errors(
    binned: Binned, plain: Binned | None, outcomes: Outcomes, *, images: int
) -> dict[str, float]:
    """Compute the calibration error, accuracy at coverage, and the change from plain ones."""
    confidence = outcomes.settings.confidence

    def with_interval(draws: np.ndarray, least: float) -> tuple[float, float, float]:
        low, high = bootstrap.student_interval(draws[0], draws[1:], confidence, images=images)
        return draws[0], max(low, least), min(high, 1.0)

    covered = binned.accuracy_at_coverage
    ends = bootstrap.share_interval(covered[0], covered[1:], confidence, images=images)
    row = dict(zip(("ece", "ece_low", "ece_high"), with_interval(binned.ece, 0.0), strict=True))
    names = "accuracy_at_coverage", "coverage_low", "coverage_high"
    row |= dict(zip(names, (covered[0], *ends), strict=True))
    if plain is not None:
        found = with_interval(binned.ece - plain.ece, -1.0)
        row |= dict(zip(("change", "change_low", "change_high"), found, strict=True))
    return row
