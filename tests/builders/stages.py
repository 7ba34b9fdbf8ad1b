"""Stages run in the tests' own process."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(name, *given):
    """Run a stage in the current folder; return what it says."""
    return runpy.run_path(str(ROOT / f"stages/{name}.py"))["main"](*given)
