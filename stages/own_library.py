"""Imported before anything of `smallsight`: makes a script run the library of its own tree.

DVC runs queued and temporary experiments in copies of the tree, while the environment has one
installed library, the workspace's. Without this, an experiment would run the workspace's code and
record it as its own.

Until the stage's work begins, Ctrl-C ends it without a word: importing takes seconds, and a
traceback from there tells nobody anything.
"""

import signal
import sys
from pathlib import Path

signal.signal(signal.SIGINT, signal.SIG_DFL)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
