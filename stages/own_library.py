"""Imported before anything of `smallsight`: makes a script run the library of its own tree.

DVC runs queued and temporary experiments in copies of the tree, while the environment has one
installed library, the workspace's. Without this, an experiment would run the workspace's code and
record it as its own.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
