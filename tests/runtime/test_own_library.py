"""A script runs the library of the tree that it lies in, whichever is installed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
{imports}
from smallsight.runtime import script


def main():
    return script.WORD


script.run(main)
"""


def tree(folder, *, word, imports="import own_library"):
    """A tree with a script whose own library knows a word."""
    library = folder / "src/smallsight"
    shutil.copytree(ROOT / "src/smallsight/runtime", library / "runtime")
    (library / "__init__.py").write_text("")
    with (library / "runtime/script.py").open("a") as file:
        file.write(f'\nWORD = "{word}"\n')
    (folder / "stages").mkdir()
    shutil.copyfile(ROOT / "stages/own_library.py", folder / "stages/own_library.py")
    (folder / "stages/say.py").write_text(SCRIPT.format(imports=imports))
    return folder


def run(folder, *, installed, where="."):
    """Run the script of one tree where the library of another one is installed."""
    environment = os.environ | {"PYTHONPATH": str(installed / "src")}
    script = os.path.relpath(folder / "stages/say.py", where)
    command = [sys.executable, script]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=where
    )


@pytest.fixture
def trees(tmp_path):
    return tree(tmp_path / "mine", word="mine"), tree(tmp_path / "other", word="other")


def test_a_script_runs_the_library_of_its_own_tree(trees, tmp_path):
    mine, other = trees
    for where in (tmp_path, mine, other):
        done = run(mine, installed=other, where=where)
        assert re.fullmatch(r"say: mine \[\d+\.\d s\]\n", done.stdout), done.stderr


def test_a_script_that_cannot_says_so_in_one_line_and_does_nothing(tmp_path):
    mine = tree(tmp_path / "mine", word="mine", imports="import smallsight")
    other = tree(tmp_path / "other", word="other")
    done = run(mine, installed=other)
    assert (done.returncode, done.stdout) == (1, "")
    found, due = (folder.resolve() / "src/smallsight" for folder in (other, mine))
    assert done.stderr == (
        f"say: error: smallsight: the library at {found}; expected this tree's own, at {due}\n"
    )


STAGES = sorted(set((ROOT / "stages").glob("*.py")) - {ROOT / "stages/own_library.py"})


@pytest.mark.parametrize("stage", STAGES, ids=lambda one: one.stem)
def test_every_stage_puts_its_own_library_first(stage):
    lines = stage.read_text(encoding="utf-8").splitlines()
    imports = [number for number, line in enumerate(lines) if "smallsight" in line]
    assert "import own_library  # noqa: F401" in lines[: imports[0]]
