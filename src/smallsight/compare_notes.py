"""Sentences on what two studies share, and on what a reader must know before comparing them."""

from collections.abc import Sequence

from smallsight.compare_study import Comparison
from smallsight.report_study import GROUPS
from smallsight.report_text import counted, factor, listed


def shared(found: Comparison) -> str:
    """Say which objects are compared, and how many only one of the studies tests."""
    size_of = found.pair.a.size
    groups = [f"{size_of(group)['n']} {group}" for group in GROUPS]
    about = size_of("all")
    a, b = found.pair.alone
    others = f"{a} more by A alone, {b} by B alone" if a or b else "no others by either"
    return (
        f"{counted(about['n'], 'object')} in {counted(about['images'], 'image')} are tested by "
        f"both ({listed(groups)}), {others}. {found.regime.capitalize()} head, untouched pictures."
    )


def notes(found: Comparison) -> list[str]:
    """Say what a reader must know of the two studies before comparing them."""
    told = [_identity(found), _data(found), _input(found), _analysis(found), _sources(found)]
    return [note for note in told if note]


def _identity(found: Comparison) -> str:
    a, b = (side.revision for side in found.sides)
    if a.commit and a.commit == b.commit:
        return f"A and B are the same commit, {a.commit}."
    first, second = (side.fingerprints[side.files.predictions] for side in found.sides)
    if first == second:
        return "A and B have the same predictions, byte for byte."
    return ""


def _data(found: Comparison) -> str:
    keys = [one.name for one in found.parameters if one.name.startswith("data.")]
    if not keys:
        return ""
    return (
        f"The objects are the same, but {listed(keys)} {_differ(keys)}: the pictures themselves "
        "may not be."
    )


def _input(found: Comparison) -> str:
    if found.has_same_input:
        return ""
    return (
        f"B’s input has {factor(found.pair.scale)} times as many pixels to a side as A’s. Sides "
        "and thresholds are given in pixels of A’s input, so that they are of the same objects."
    )


def _analysis(found: Comparison) -> str:
    a, b = (side.parameters for side in found.sides)
    keys = [
        key for key in ("analysis.confidence", "analysis.bootstrap_draws") if a.get(key) != b[key]
    ]
    if not keys:
        return ""
    told = listed([f"{key} is {b[key]} there and {a.get(key, 'absent')} in A" for key in keys])
    return f"Intervals are made as in B: {told}."


def _sources(found: Comparison) -> str:
    names = [one.name for one in found.sources]
    if not names:
        return ""
    return f"Code or data beside the parameters {_differ(names)}, by dvc.lock: {listed(names)}."


def _differ(names: Sequence[str]) -> str:
    return "differs" if len(names) == 1 else "differ"
