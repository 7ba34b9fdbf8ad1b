"""Numbers and lists as the report writes them."""

import math
from collections.abc import Sequence

from smallsight.report.rows import Estimate, Row
from smallsight.vocabulary import HEADLINE_TASK, POWER, SCENE

TASK_NAMES = {SCENE: "whole picture", HEADLINE_TASK: "window"}
"""What the report calls each task."""

_MOST_LISTED = 6
"""Names that a sentence can hold."""


def percent(share: float) -> str:
    """Write a share as a percentage, or a dash where there is none."""
    return f"{100 * share:.1f}%" if math.isfinite(share) else "–"


def interval(estimate: Estimate) -> str:
    """Write an accuracy's interval in percent, without the sign."""
    return percent_span(estimate.low, estimate.high)


def signed(share: float) -> str:
    """Write a difference of shares in percentage points, or a dash where there is none."""
    if not math.isfinite(share):
        return "–"
    text = _minus(f"{100 * share:+.1f}")
    return "0.0" if text == "+0.0" else text


def _minus(number: str) -> str:
    """Write a number's minus as such; zero has none."""
    return number.replace("-", "−" if float(number) else "")


def size(share: float) -> str:
    """Write how large a difference of shares is, in percentage points."""
    return f"{100 * abs(share):.1f}" if math.isfinite(share) else "–"


def part(share: float) -> str:
    """Write a part of a whole in percent, below 0 or above 100 too; a dash where there is none."""
    return f"{_minus(f'{100 * share:.0f}')}%" if math.isfinite(share) else "–"


def span(row: Row) -> str:
    """Write the interval of a difference of shares, in percentage points."""
    return points_span(row["ci_low"], row["ci_high"])


def points_span(low: float, high: float) -> str:
    """Write an interval of a difference of shares, in percentage points, by its ends."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "no interval"
    return f"{signed(low)} to {signed(high)}"


def p_value(p: float) -> str:
    """Write a p-value."""
    if not math.isfinite(p):
        return "–"
    if p < 0.0001:
        return "< 0.0001"
    return f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def p_equals(p: float) -> str:
    """Write a p-value into a sentence."""
    return f"p {p_value(p)}" if p < 0.0001 else f"p = {p_value(p)}"


def p_of(row: Row) -> str:
    """Write the adjusted p-value of a row; where its test can give none smaller, say so."""
    told = p_equals(row["p_holm"])
    is_least = row["p_holm"] >= 0.0001 and row["p_value"] <= row["p_least"]
    return f"{told}, the least possible" if is_least else told


def native_pixels(value: float) -> str:
    """Write a side in native pixels, or a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def factor(value: float) -> str:
    """Write a factor."""
    return f"{value:.2f}" if math.isfinite(value) else "–"


def factor_span(low: float, high: float) -> str:
    """Write a factor's interval; an end at 0 or infinity is none."""
    if math.isnan(low) or math.isnan(high):
        return "no interval"
    if low <= 0 and high == math.inf:
        return "no bound"
    if low <= 0:
        return f"{factor(high)} or less"
    return f"{factor(low)} or more" if high == math.inf else f"{factor(low)}–{factor(high)}"


def tooltip(name: str, value: str, ends: str, n: float) -> str:
    """Write what a mark in a figure stands for, with its interval and number of objects."""
    return f"{name}: {value} ({ends}), n = {int(n):,}"


def passes(number: float) -> str:
    """Write how many pictures a network sees, in units of plain ones.

    Examples
    --------
    >>> [passes(number) for number in (1.0, 1.5625)]
    ['1', '1.56']
    """
    return f"{number:.2f}".rstrip("0").rstrip(".") if math.isfinite(number) else "–"


def times(ratio: float) -> str:
    """Write how many times as long something takes, or a dash where that is not known."""
    return f"{ratio:.1f}" if math.isfinite(ratio) else "–"


def percent_span(low: float, high: float) -> str:
    """Write an interval of a share in percent, without the sign: 16.6–48.1."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "no interval"
    return f"{100 * low:.1f}–{100 * high:.1f}"


def with_ends(share: float, low: float, high: float) -> str:
    """Write a share with its interval, as a sentence does.

    Examples
    --------
    >>> with_ends(0.45, 0.381, 0.52)
    '45.0% (38.1 to 52.0)'
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{percent(share)} (no interval)"
    return f"{percent(share)} ({100 * low:.1f} to {100 * high:.1f})"


def points(value: float, low: float, high: float) -> str:
    """Write a difference of shares with its interval, as a sentence that names no direction does.

    Examples
    --------
    >>> points(0.12, -0.039, 0.202)
    '+12.0 points (−3.9 to +20.2)'
    """
    return f"{signed(value)} points ({points_span(low, high)})"


def amount(value: float, low: float, high: float) -> str:
    """Write a difference with its interval, without signs where all of it is above 0.

    Examples
    --------
    >>> amount(0.12, 0.039, 0.202)
    '12.0 points (3.9 to 20.2)'
    >>> amount(0.12, -0.039, 0.202)
    '+12.0 points (−3.9 to +20.2)'
    """
    if not low > 0:
        return points(value, low, high)
    return f"{size(value)} points ({size(low)} to {size(high)})"


def listed(parts: Sequence[str]) -> str:
    """Join parts as a sentence does; of very many, name the first and count the others.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(parts) > _MOST_LISTED:
        parts = [*parts[: _MOST_LISTED - 1], f"{len(parts) - _MOST_LISTED + 1} more"]
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def counted(number: int, noun: str) -> str:
    """Write a count with its noun: 1 object, 2 objects."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def decimal(value: float) -> str:
    """Write a number with two digits, or a dash where there is none."""
    return f"{value:.2f}".replace("-", "−") if math.isfinite(value) else "–"


def pixels(value: float) -> str:
    """Write a length in whole pixels, or a dash where there is none."""
    return f"{value:.0f} px" if math.isfinite(value) else "–"


def begun(text: str) -> str:
    """Write a text as a sentence begins; what follows the first letter stays as it is.

    Examples
    --------
    >>> begun("layer “Mixed_7c”")
    'Layer “Mixed_7c”'
    """
    return f"{text[:1].upper()}{text[1:]}"


def decimal_list(values: Sequence[float]) -> str:
    """Write numbers side by side, with as few digits as they have.

    Examples
    --------
    >>> decimal_list((0.485, 0.5))
    '0.485, 0.5'
    """
    return ", ".join(f"{value:g}" for value in values)


def thousands(number: int) -> str:
    """Write a count with commas between thousands."""
    return f"{number:,}"


def detectable(rows: Sequence[Row]) -> str:
    """Write which effects could have been found where no direction is shown."""
    known = _least(rows)
    return f"detectable: {known or 'none'}{' points' if known else ''}"


def would_find(rows: Sequence[Row]) -> str:
    """Write as a sentence which effects such studies would find; empty where that is not known."""
    known = _least(rows)
    return f"{100 * POWER:g}% of such studies would find {known} points." if known else ""


def _least(rows: Sequence[Row]) -> str:
    """Write the least effects that would be found, from the least to the largest of them."""
    known = [row["mde"] for row in rows if math.isfinite(row["mde"])]
    if not known:
        return ""
    return " to ".join(sorted({size(pick(known)) for pick in (min, max)}, key=float))
