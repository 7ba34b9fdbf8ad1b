"""The check that dvc.lock belongs to its commit, on small repositories whose truth is known."""

import json
import subprocess
import sys
from hashlib import md5
from pathlib import Path

import pytest
import yaml

SCRIPT = Path(__file__).parents[2] / "tools/check_lock.py"


@pytest.fixture
def project(tmp_path):
    """A repository with a file, a folder and a parameter that one stage was run with."""
    (tmp_path / "code/inner").mkdir(parents=True)
    for name in ("one.py", "code/inner-b.py", "code/inner.py", "code/inner/a.py"):
        (tmp_path / name).write_text(f"# {name}\n")
    (tmp_path / "params.yaml").write_text("sample: {size: 3}\nnames: [a, b]\n")
    # As DVC orders a folder's files: letter by letter of their paths.
    entries = [
        {"md5": digest(tmp_path / "code" / name), "relpath": name}
        for name in ("inner-b.py", "inner.py", "inner/a.py")
    ]
    folder = md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"
    deps = [
        {"path": "one.py", "md5": digest(tmp_path / "one.py")},
        {"path": "code", "md5": folder},
        {"path": "data/made_by_another_stage.csv", "md5": "0" * 32},
    ]
    params = {"params.yaml": {"sample.size": 3, "names": ["a", "b"]}}
    lock = {"schema": "2.0", "stages": {"draw": {"cmd": "x", "deps": deps, "params": params}}}
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump(lock))
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def digest(path):
    return md5(path.read_bytes()).hexdigest()


def git(folder, *arguments):
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True)


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")


def check(folder):
    return subprocess.run(
        [sys.executable, SCRIPT], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_lock_file_of_the_commit_passes(project):
    done = check(project)
    assert (done.returncode, done.stdout) == (0, "dvc.lock belongs to HEAD: 1 stages\n")


def test_what_is_not_committed_does_not_count(project):
    (project / "one.py").write_text("# edited\n")
    assert check(project).returncode == 0


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("one.py", "# edited\n", "stage draw: one.py has MD5"),
        ("code/inner/a.py", "# edited\n", "stage draw: code has MD5"),
        ("code/new.py", "# new\n", "stage draw: code has MD5"),
        ("params.yaml", "sample: {size: 4}\nnames: [a, b]\n", "sample.size is 4 in params.yaml"),
        ("params.yaml", "names: [a, b]\n", "sample.size is None in params.yaml, recorded is 3"),
    ],
)
def test_what_has_changed_since_the_run_is_named(project, path, text, complaint):
    (project / path).write_text(text)
    commit(project)
    done = check(project)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert complaint in lines[0]
    assert lines[1].startswith("expected those of this commit")
