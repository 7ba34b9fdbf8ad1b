"""Stages run in the tests' own process, and those that DVC ran."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(name, *given):
    """Run a stage in the current folder; return what it says."""
    return runpy.run_path(str(ROOT / f"stages/{name}.py"))["main"](*given)


def stages_run(output):
    """Return the stages that ran, in the order in which DVC names them."""
    return re.findall(r"Running stage '([^']+)'", output)
