"""Revisions of a project that is a folder of a larger Git repository, in a path of odd letters."""

import copy

import pytest

from builders.compared_studies import Project
from smallsight.comparison.revisions import WORKSPACE, open_revision
from smallsight.runtime.errors import SmallsightError

pytestmark = pytest.mark.dvc

STAGE = """\
import pathlib
text = pathlib.Path("params.yaml").read_text(encoding="utf-8")
folder = pathlib.Path("data/many")
folder.mkdir(parents=True)
for name in ("a", "ü"):
    (folder / name).write_text(name + text, encoding="utf-8")
"""
PIPELINE = """\
stages:
  make:
    cmd: python make.py
    deps: [make.py]
    params: [x]
    outs: [data/many]
"""


def make_project(above, *, is_dvc_above):
    """Make a project in a repository whose root has files of the same names."""
    folder = above / "sub folder" / "größe"
    folder.mkdir(parents=True)
    if is_dvc_above:
        Project(above)
    for path, x in ((above, 100), (folder, 1)):
        (path / "params.yaml").write_text(f"x: {x}\n", encoding="utf-8")
    made = Project(folder, repository=above)
    # All working trees of a repository may share one cache.
    made.cache = above.parent / "cache"
    made.dvc("config", "cache.dir", str(made.cache))
    (folder / "make.py").write_text(STAGE, encoding="utf-8")
    (folder / "dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    made.dvc("repro", "-q")
    made.first = made.commit("First")
    made.dvc("exp", "run", "-q", "-n", "two", "-S", "x=2")
    return made


@pytest.fixture(scope="module", params=[False, True], ids=["git above", "git and dvc above"])
def project(request, tmp_path_factory):
    above = tmp_path_factory.mktemp("above") / "Mein Ordner"
    return make_project(above, is_dvc_above=request.param)


@pytest.mark.parametrize("name", ["a", "ü"])
def test_files_of_git_and_of_dvc_are_the_projects_own(project, name):
    for revision, x in ((project.first, 1), ("main", 1), ("two", 2), (WORKSPACE, 2)):
        opened = open_revision(project.folder, revision)
        assert opened.tree("params.yaml") == {"x": x}
        assert opened.read(f"data/many/{name}").decode() == f"{name}x: {x}\n"
        assert set(opened.lock) == {"make"}
    assert open_revision(project.folder, "two").description.startswith("experiment, commit ")


def test_what_is_missing_is_named_as_the_project_has_it(project):
    with pytest.raises(SmallsightError) as caught:
        open_revision(project.folder, "two").read("data/other")
    assert (caught.value.where, caught.value.found) == ("data/other at two", "no such file")


def test_dvc_itself_compares_there(project):
    assert "2" in project.dvc("params", "diff", project.first, "two")
    assert "two" in project.dvc("exp", "show")


def test_another_working_tree_reads_the_same(project, tmp_path):
    tree = tmp_path / "zweiter Baum"
    project.run("git", "worktree", "add", "-q", str(tree), project.first)
    other = copy.copy(project)
    other.folder = tree / "sub folder" / "größe"
    for revision, x in ((project.first, 1), ("two", 2)):
        assert open_revision(other.folder, revision).read("data/many/ü").decode() == f"üx: {x}\n"
    assert open_revision(other.folder, WORKSPACE).tree("params.yaml") == {"x": 1}
    project.run("git", "worktree", "remove", "--force", str(tree))
