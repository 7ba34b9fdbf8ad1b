import shutil

import pytest

from builders.compared_studies import Project
from smallsight.comparison import revisions
from smallsight.comparison.revisions import WORKSPACE, open_revision
from smallsight.runtime.errors import SmallsightError

pytestmark = pytest.mark.dvc

STAGE = """\
import pathlib
text = pathlib.Path("params.yaml").read_text()
folder = pathlib.Path("data/many")
folder.mkdir(parents=True)
for name in "ab":
    (folder / name).write_text(name + text)
pathlib.Path("data/one").write_text(text)
"""
PIPELINE = """\
stages:
  make:
    cmd: python make.py
    deps: [make.py]
    params: [x]
    outs: [data/one, data/many]
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose commits hold: nothing that ran; x of 1, also tagged; x of 2, elsewhere."""
    folder = tmp_path_factory.mktemp("revisions") / "project"
    folder.mkdir()
    made = Project(folder)
    (folder / "make.py").write_text(STAGE)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "params.yaml").write_text("x: 1\n")
    made.before = made.commit("Before")
    made.dvc("repro", "-q")
    made.first = made.commit("First")
    made.run("git", "tag", "v1")
    made.dvc("exp", "run", "-q", "-n", "two", "-S", "x=2")
    made.run("git", "checkout", "-q", "--", ".")
    (folder / "data/one").unlink()
    (folder / "data/one").write_text("x: 3\n")
    return made


@pytest.fixture
def emptied(project, tmp_path):
    """The project, and where its cache is now; it comes back afterwards."""
    cache, kept = project.folder / ".dvc/cache/files", tmp_path / "store/files"
    shutil.copytree(cache, kept)
    shutil.rmtree(cache)
    yield project, kept.parent
    shutil.rmtree(cache, ignore_errors=True)
    shutil.copytree(kept, cache)


def names(project):
    return {
        "v1": "1", "main": "1", project.first: "1", project.first[:8]: "1", "HEAD": "1",
        "two": "2", WORKSPACE: "3",
    }  # fmt: skip


def test_branches_tags_commits_experiments_and_the_disk_are_revisions(project):
    for name, value in names(project).items():
        revision = open_revision(project.folder, name)
        assert revision.read("data/one") == f"x: {value}\n".encode(), name
        assert revision.name == name


def test_a_file_of_a_folder_is_read_by_itself(project):
    assert open_revision(project.folder, "two").read("data/many/b") == b"bx: 2\n"
    assert open_revision(project.folder, "v1").read("data/many/a") == b"ax: 1\n"


def test_a_revision_is_told_by_its_commit_and_experiment(project):
    found = {name: open_revision(project.folder, name) for name in names(project)}
    assert found["v1"].description == f"commit {project.first[:7]}"
    assert found["two"].description == f"experiment, commit {found['two'].commit}"
    assert found[WORKSPACE].description == "the files on disk"
    by_commit = open_revision(project.folder, found["two"].commit)
    assert by_commit.description == f"experiment two, commit {found['two'].commit}"
    assert found[project.first].title == project.first[:7]
    long = revisions.Revision("x" * 60, "", "", None)
    assert len(long.title) == 28


def test_what_dvc_recorded_is_that_of_the_revision(project):
    for name, value in (("v1", 1), ("two", 2)):
        stage = open_revision(project.folder, name).lock["make"]
        assert stage["params"]["params.yaml"] == {"x": value}
    assert open_revision(project.folder, project.before).lock == {}


def error_of(call):
    with pytest.raises(SmallsightError) as caught:
        call()
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("name", ["nowhere", "v1~7", "--help", "<b>", "0" * 40])
def test_an_unknown_revision_is_named(project, name):
    line = error_of(lambda: open_revision(project.folder, name))
    assert name in line
    assert "a branch, a tag, a commit, a DVC experiment, or workspace" in line


def test_a_revision_needs_a_name(project):
    assert "no name" in error_of(lambda: open_revision(project.folder, ""))


def test_a_folder_that_is_no_project_is_refused(tmp_path):
    error_of(lambda: open_revision(tmp_path, "main"))
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\nno_scm = true\n")
    assert "main" in error_of(lambda: open_revision(tmp_path, "main"))


@pytest.mark.parametrize("path", ["data/one", "data/many/a", "data/none", "data/many/none"])
def test_a_file_that_was_not_there_yet_is_named(project, path):
    line = error_of(lambda: open_revision(project.folder, project.before).read(path))
    assert f"{path} at {project.before}: no such file" in line


def test_a_file_that_is_not_on_disk_is_named(project):
    line = error_of(lambda: open_revision(project.folder, WORKSPACE).read("data/none"))
    assert "data/none at workspace: no such file; expected a study that has run" in line


@pytest.mark.parametrize("path", ["data/one", "data/many/a"])
def test_content_that_is_nowhere_is_not_a_missing_file(emptied, path):
    project, _ = emptied
    line = error_of(lambda: open_revision(project.folder, "v1").read(path))
    assert f"{path} at v1: neither in DVC's cache nor at a remote" in line
    assert "dvc fetch" in line


def test_content_comes_from_the_remote_that_the_project_has_by_now(emptied):
    project, store = emptied
    path = project.folder / ".dvc/config"
    config = path.read_text()
    path.write_text(f"{config}\n[core]\nremote = store\n['remote \"store\"']\nurl = {store}\n")
    try:
        revision = open_revision(project.folder, "v1")
        assert revision.read("data/one") == b"x: 1\n"
        assert revision.read("data/many/b") == b"bx: 1\n"
    finally:
        path.write_text(config)


@pytest.mark.parametrize("text", ["a: [", "- 1", "just words", "\x00"])
def test_a_file_that_is_no_yaml_is_named(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    revision = open_revision(tmp_path, WORKSPACE)
    assert "params.yaml at workspace" in error_of(lambda: revision.tree("params.yaml"))
