"""The tables of docs/measured.md that are the benchmark's output."""

from pathlib import Path
from typing import Any

BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"


def write_page(results: dict[str, Any], page: Path) -> None:
    """Put the tables between their two marks in a page.

    Raises
    ------
    ValueError
        Where the page lacks the marks.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page}: no {BEGIN} and {END}")
    text = f"{before}{BEGIN}\n{tables(results)}{END}{after}"
    page.write_text(text, encoding="utf-8")


def tables(results: dict[str, Any]) -> str:
    """Write what was measured, as Markdown."""
    about = results["about"]
    lines = [
        f"`make bench`, {about['date']}, on {about['cores']} cores of {about['processor']}: "
        f"{about['objects']} objects of {about['pictures']}, ResNet18 at {about['input_size']} "
        f"pixels, {about['rounds']} rounds in turn; medians, and the least and the most.",
        "",
        "| what | plain | smallsight |",
        "| --- | --- | --- |",
        row("seconds for the table of six conditions", results, "seconds", "{:.0f}"),
        row("heads trained meanwhile", results, "heads", "{:.0f}"),
        row("passes through the network", results, "passes", "{:.0f}"),
        row("peak memory of a process, GB", results, "memory", "{:.1f}", 1e9),
        "",
        "| ratio | median | least | most |",
        "| --- | --- | --- | --- |",
    ]
    named = {
        "ratio_table": "plain over smallsight, the table",
        "ratio_head": "plain over smallsight, per head",
        "share_of_limit": "features, of the fastest engine's bare loop",
    }
    for name, said in named.items():
        least, most = results[f"{name}_spread"]
        lines.append(f"| {said} | {results[name]:.2f} | {least:.2f} | {most:.2f} |")
    loops = results["rounds"][0]["limit"]
    bare = ", ".join(f"{name} {value:.0f}" for name, value in loops.items())
    lines += ["", f"Bare loops, pictures per second: {bare}."]
    cam = results["gradcam"]
    lines += [
        f"pytorch-grad-cam takes {cam['closed_form']:.0f} times as long as a map in closed form, "
        f"{cam['read_and_measured']:.0f} times as long as one that is read and measured."
    ]
    if "default_study" in results:
        study = results["default_study"]
        lines += [
            "",
            "| the default study | seconds |",
            "| --- | --- |",
            f"| from nothing, packages installed | {study['whole']:.0f} |",
            f"| of it starts and hashing | {study['overhead'] * study['whole']:.0f} |",
            f"| nothing changed | {study['unchanged']:.1f} |",
            f"| one level of one family changed | {study['changed_level']:.0f} |",
        ]
        lines += [f"| {name} | {took:.1f} |" for name, took in study["stages"].items()]
    return "\n".join(lines) + "\n"


def row(said: str, results: dict[str, Any], key: str, form: str, unit: float = 1.0) -> str:
    """Write a row of the reference's and the pipeline's medians."""
    values = []
    for side in ("plain", "pipeline"):
        found = sorted(one[side][key] for one in results["rounds"])
        values.append(form.format(found[len(found) // 2] / unit))
    return f"| {said} | {' | '.join(values)} |"
