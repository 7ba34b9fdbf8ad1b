"""Rounds of measurements become ratios, medians, and targets that are met or not."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from study_copy import STARTS

Round = dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """One number of every round.

    Attributes
    ----------
    label
        What people call it, with its unit.
    of
        Computes it of a round.
    least, most
        The target, where there is one.
    """

    label: str
    of: Callable[[Round], float]
    least: float | None = None
    most: float | None = None


def _evidence_seconds(one: Round) -> float:
    # All evidence begins where the table ends, so that the table's own heads count as well.
    return one["pipeline"]["seconds"] + one["pipeline"]["evidence"]["seconds"]


def _per_head(one: Round) -> float:
    plain = one["plain"]["seconds"] / one["plain"]["heads"]
    return plain / (_evidence_seconds(one) / one["pipeline"]["evidence"]["heads"])


def engines(one: Round) -> dict[str, float]:
    """Return the limit's pictures per second by engine."""
    return {name: rate for name, rate in one["limit"].items() if name.startswith(("torch", "onnx"))}


def _limit(one: Round) -> float:
    return max(engines(one).values())


def _passes_per_second(one: Round) -> float:
    return one["pipeline"]["passes"] / one["pipeline"]["steps"]["features"]


def _default(name: str) -> Callable[[Round], float]:
    return lambda one: one["default"][name]["seconds"]


MEASURES = {
    "ratio_table": Measure(
        "the original table: the plain way's time over this pipeline's",
        lambda one: one["plain"]["seconds"] / one["pipeline"]["seconds"],
        least=6,
    ),
    "ratio_per_head": Measure(
        "all evidence, per head: the plain way's time over this pipeline's", _per_head, least=200
    ),
    "plain_seconds": Measure("the plain way: seconds", lambda one: one["plain"]["seconds"]),
    "table_seconds": Measure(
        "this pipeline to the same table: seconds", lambda one: one["pipeline"]["seconds"]
    ),
    "evidence_seconds": Measure("this pipeline to all evidence: seconds", _evidence_seconds),
    "heads": Measure("heads in all evidence", lambda one: one["pipeline"]["evidence"]["heads"]),
    "plain_pictures_per_second": Measure(
        "the plain way: pictures of the table per second",
        lambda one: one["plain"]["pictures"] / one["plain"]["seconds"],
    ),
    "pictures_per_second": Measure(
        "this pipeline: pictures of the same table per second",
        lambda one: one["plain"]["pictures"] / one["pipeline"]["seconds"],
    ),
    "plain_passes_per_second": Measure(
        "the plain way: network passes per second, of all its time",
        lambda one: one["plain"]["passes"] / one["plain"]["seconds"],
    ),
    "passes_per_second": Measure(
        "the stages `features`: network passes per second", _passes_per_second
    ),
    "limit_per_second": Measure("a bare loop of the fastest engine: passes per second", _limit),
    "share_of_limit": Measure(
        "`features` as a share of the bare loop",
        lambda one: _passes_per_second(one) / _limit(one),
        least=0.9,
    ),
    "plain_peak_gib": Measure("the plain way: peak GiB", lambda one: one["plain"]["peak_gib"]),
    "peak_gib": Measure(
        "this pipeline: peak GiB of its largest process",
        lambda one: max(one["pipeline"]["peak_gib"], one["pipeline"]["evidence"]["peak_gib"]),
    ),
    "library_map_milliseconds": Measure(
        "a saliency map by pytorch-grad-cam: milliseconds",
        lambda one: one["saliency"]["pytorch-grad-cam"] / 1000,
    ),
    "map_milliseconds": Measure(
        "a saliency map here, read, made and measured: milliseconds",
        lambda one: one["saliency"]["closed form, read and measured"] / 1000,
    ),
    "ratio_map": Measure(
        "a saliency map: pytorch-grad-cam's time over that of the closed form alone",
        lambda one: one["saliency"]["pytorch-grad-cam"] / one["saliency"]["closed form"],
    ),
    "default_seconds": Measure(
        "the default study from nothing: seconds", _default("from nothing"), most=300
    ),
    "unchanged_seconds": Measure(
        "the same again, nothing changed: seconds", _default("nothing changed"), most=3
    ),
    "changed_seconds": Measure(
        "the same with a changed level of occlusion: seconds", _default("a changed level")
    ),
    "changed_share": Measure(
        "a changed level as a share of a full run",
        lambda one: _default("a changed level")(one) / _default("from nothing")(one),
        most=0.25,
    ),
    "starts_share": Measure(
        "starts and hashing as a share of a full run",
        lambda one: one["default"]["from nothing"]["steps"][STARTS] / _default("from nothing")(one),
        most=0.15,
    ),
    "default_peak_gib": Measure(
        "the default study: peak GiB of its largest process",
        lambda one: one["default"]["from nothing"]["peak_gib"],
    ),
}
"""Everything that is reported, by its name in `results.json`."""


def summarise(rounds: Sequence[Round]) -> dict[str, Any]:
    """Compute every measure's median over rounds, with its spread.

    Returns
    -------
    dict
        `ratio_table`; `measures`, by name `median`, `least`, `largest`, and where there is a target
        `target`, in words, and `met`, whether the median meets it; `steps`, by side the median
        seconds of each step; `engines`, medians of the limit by engine.
    """
    measures = {name: _summary(one, rounds) for name, one in MEASURES.items()}
    steps = {
        "plain": _steps([_with_starts(one["plain"]) for one in rounds]),
        "pipeline": _steps([one["pipeline"]["steps"] for one in rounds]),
        "default": _steps([one["default"]["from nothing"]["steps"] for one in rounds]),
    }
    return {
        "ratio_table": measures["ratio_table"]["median"],
        "measures": measures,
        "steps": steps,
        "engines": _steps([engines(one) for one in rounds]),
    }


def _summary(measure: Measure, rounds: Sequence[Round]) -> dict[str, Any]:
    values = [measure.of(one) for one in rounds]
    median = statistics.median(values)
    found = {
        "median": _rounded(median),
        "least": _rounded(min(values)),
        "largest": _rounded(max(values)),
    }
    if measure.least is not None:
        return found | {"target": f"at least {measure.least:g}", "met": median >= measure.least}
    if measure.most is not None:
        return found | {"target": f"at most {measure.most:g}", "met": median <= measure.most}
    return found


def _with_starts(plain: Round) -> dict[str, float]:
    return plain["steps"] | {"start": plain["seconds"] - sum(plain["steps"].values())}


def _steps(found: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: _rounded(statistics.median(one[name] for one in found)) for name in found[0]}


def _rounded(value: float) -> float:
    """Round to four digits.

    Examples
    --------
    >>> _rounded(123.4567), _rounded(0.0123456)
    (123.5, 0.01235)
    """
    return float(f"{value:.4g}")
