"""What the terminal is told of a sample."""

from collections.abc import Mapping, Sequence
from typing import Any

from smallsight.datasets.left_out import REASONS
from smallsight.sampling.sizes import MEASURES, written


def left_out_table(summary: Mapping[str, Any]) -> str:
    """Write what was left out, a line per reason; empty where nothing was.

    Examples
    --------
    >>> summary = {"excluded": {"crowd": 12}, "examples": {"crowd": "annotation 7 (bbox [...])"}}
    >>> print(left_out_table(summary), end="")
    left out:
          12 annotations of a crowd, not of one object, such as annotation 7 (bbox [...])
    """
    rows = [
        f"{count:8} {REASONS[name].of} {REASONS[name].description}, such as "
        f"{summary['examples'][name]}\n"
        for name, count in summary["excluded"].items()
    ]
    return "".join(["left out:\n", *rows]) if rows else ""


def unknown_caps(caps: Mapping[str, int], categories: Sequence[str]) -> str:
    """Name the caps of no category of the study, in a line; empty where there is none.

    Examples
    --------
    >>> print(unknown_caps({"person": 70, "car": 9}, ["car", "bus"]), end="")
    sample.caps: person is no category of the study
    """
    names = [name for name in caps if name not in categories]
    said = "is no category" if len(names) == 1 else "are no categories"
    return f"sample.caps: {', '.join(names)} {said} of the study\n" if names else ""


def sizes_table(summary: Mapping[str, Any]) -> str:
    """Write the sizes of the drawn objects by group, in every measure: least, median and most.

    Examples
    --------
    >>> measures = {"small": {"area": {"least": 16, "median": 616, "most": 3130.4}}}
    >>> print(sizes_table({"measures": measures}), end="")
    sizes (least, median, most):
       small  area of the object, in square pixels             16       616     3,130
    """
    rows = [
        f"{group:>8}  {MEASURES[name]:41}"
        + "".join(f"{written(name, value):>10}" for value in ends.values())
        + "\n"
        for group, measured in summary["measures"].items()
        for name, ends in measured.items()
    ]
    return "".join(["sizes (least, median, most):\n", *rows]) if rows else ""
