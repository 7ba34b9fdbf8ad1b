"""The benchmark's results as text: a table, and a section of a page of the documentation.

    python benchmarks/pages.py

writes the section of `docs/measured.md` anew from `benchmarks/results.json`; `make bench` does so
after each round.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from study_copy import ROOT
from summary import MEASURES

PAGE = ROOT / "docs/measured.md"
RESULTS = ROOT / "benchmarks/results.json"
BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"
SIDES = {
    "plain": "the plain way",
    "pipeline": "this pipeline, the original table",
    "default": "the default study from nothing",
}


def results_table(found: dict[str, Any]) -> str:
    """Return what was measured as a Markdown table: a row per measure."""
    rows = [("what", "median", "least to largest", "target")]
    rows.append(("---",) * 4)
    for name, one in found["measures"].items():
        target = f"{one['target']}: {'met' if one['met'] else 'not met'}" if "met" in one else ""
        spread = f"{one['least']:g} to {one['largest']:g}"
        rows.append((MEASURES[name].label, f"{one['median']:g}", spread, target))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def section(found: dict[str, Any]) -> str:
    """Return the section of speeds: what was run, where, and what it took."""
    return "\n\n".join(_paragraphs(found))


def _paragraphs(found: dict[str, Any]) -> Iterator[str]:
    machine, settings = found["machine"], found["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    yield (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, "
        f"{machine['date']}, commit {machine['commit']}; {versions}."
    )
    yield (
        f"{settings['objects']} objects of {settings['pictures']}, {settings['network']} at "
        f"{settings['input_size']} pixels, the original six conditions; {len(found['rounds'])} "
        "rounds, in each of which all sides run in turn. Raw numbers: "
        "[results.json](../benchmarks/results.json)."
    )
    yield results_table(found)
    yield "\n".join(_steps(found))
    rates = "; ".join(f"{rate:g} by {name}" for name, rate in found["engines"].items())
    yield f"A bare loop of the network, passes per second: {rates}."
    yield "![Seconds by step, and passes per second](../benchmarks/results.png)"


def _steps(found: dict[str, Any]) -> Iterator[str]:
    yield from ("| side | seconds by step |", "| --- | --- |")
    for side, label in SIDES.items():
        steps = found["steps"][side].items()
        yield f"| {label} | {', '.join(f'{step} {seconds:.1f}' for step, seconds in steps)} |"


def write_section(found: dict[str, Any], page: Path) -> None:
    """Put the section between its two marks on a page.

    Raises
    ------
    ValueError
        Where the page does not have both marks, in their order.
    """
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page}: {BEGIN} and {END} are expected")
    made = f"{before}{BEGIN}\n\n{section(found)}\n\n{END}{after}"
    page.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    write_section(json.loads(RESULTS.read_text(encoding="utf-8")), PAGE)
