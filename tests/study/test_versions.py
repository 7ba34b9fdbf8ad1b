"""Versions come back: from experiments, branches, queues, a folder or S3 as remote, and damage."""

import json
import re
import shutil
import time
import urllib.request

import pytest
import yaml

from builders.small_study import Study
from builders.stages import stages_run
from stored_objects import check_objects, repair

pytestmark = pytest.mark.dvc

FIRST = ["check", "annotate", "backbone", "sample", "fetch"]
"""The study's own first stages, which take a second or two each."""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The study's first stages, run as committed, as experiment a, and as experiment b."""
    made = Study(tmp_path_factory.mktemp("versions"))
    pipeline = made.folder / "dvc.yaml"
    stages = yaml.safe_load(pipeline.read_text())["stages"]
    pipeline.write_text(yaml.safe_dump({"stages": {name: stages[name] for name in FIRST}}))
    assert sorted(stages_run(made.dvc("repro"))) == sorted(FIRST)
    made.commit("Results")
    made.each = {"main": made.bytes()}
    for name, each in (("a", 10), ("b", 8)):
        output = made.dvc("exp", "run", "-n", name, "-S", f"sample.per_group={each}")
        assert stages_run(output) == ["check", "sample", "fetch"]
        made.each[name] = made.bytes()
    bring_back(made)
    return made


def bring_back(study):
    """Go back from an experiment to what was committed."""
    study.git("checkout", "-q", "--", ".")
    study.dvc("checkout")


@pytest.fixture
def s3():
    """Serve S3 from memory, on this machine alone; give what DVC has to be told."""
    server = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    pytest.importorskip("dvc_s3", reason="dvc-s3 is not installed")
    served = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    served.start()
    host, port = served.get_host_and_port()
    address = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{address}/store", method="PUT")).close()
    yield {
        "url": "s3://store/study", "endpointurl": address, "access_key_id": "nobody",
        "secret_access_key": "nothing", "region": "us-east-1",
    }  # fmt: skip
    served.stop()


@pytest.fixture(params=["folder", "s3"])
def remote(request, tmp_path):
    """Settings of a remote, empty."""
    if request.param == "folder":
        return {"url": str(tmp_path / "store")}
    return request.getfixturevalue("s3")


def use_remote(project, remote):
    project.dvc("remote", "add", "--local", "-f", "-d", "store", remote["url"])
    for name, value in remote.items():
        project.dvc("remote", "modify", "--local", "store", name, value)


def test_an_experiment_comes_back_byte_for_byte_and_runs_nothing(study):
    assert study.each["main"] != study.each["a"] != study.each["b"] != study.each["main"]
    for name in ("a", "b", "a"):
        study.dvc("exp", "apply", name)
        study.dvc("checkout")
        assert study.bytes() == study.each[name]
        assert stages_run(study.dvc("repro")) == []
    bring_back(study)
    assert study.bytes() == study.each["main"]
    assert stages_run(study.dvc("repro")) == []


def test_a_clone_pulls_what_was_pushed_and_runs_nothing(study, remote, tmp_path):
    use_remote(study, remote)
    study.dvc("push")
    other = study.clone(tmp_path / "clone")
    use_remote(other, remote)
    other.dvc("pull")
    assert other.bytes() == study.each["main"]
    assert stages_run(other.dvc("repro")) == []
    check = check_objects(other.folder)
    assert (check.problems, check.not_run) == ((), ())


def wrote(project, x):
    """Whether the outputs on disk are those of x."""
    texts = {"data/one": "", "data/many/a": "a", "data/many/inner/b": "b"}
    found = {name: (project.folder / name).read_text() for name in texts}
    count = json.loads((project.folder / "reports/count.json").read_text())
    return found == {name: f"{text}x: {x}\n" for name, text in texts.items()} and count == {
        "letters": len(f"x: {x}\n")
    }


def test_an_experiment_is_shared_with_its_results(project, remote, tmp_path):
    use_remote(project, remote)
    project.run("git", "clone", "-q", "--bare", ".", str(tmp_path / "server"))
    project.run("git", "remote", "add", "origin", str(tmp_path / "server"))
    project.dvc("exp", "run", "-n", "two", "-S", "x=2")
    project.dvc("exp", "push", "origin", "two")
    other = project.clone(tmp_path / "clone")
    other.run("git", "remote", "set-url", "origin", str(tmp_path / "server"))
    use_remote(other, remote)
    other.dvc("exp", "pull", "origin", "two")
    other.dvc("exp", "apply", "two")
    assert wrote(other, 2)
    assert stages_run(other.dvc("repro")) == []


def object_of(project, pattern):
    """Where DVC's cache has the only object whose name and content are such."""
    name, content = pattern
    found = [
        path
        for path in (project.folder / ".dvc/cache/files/md5").rglob(name)
        if path.is_file() and path.read_bytes().startswith(content)
    ]
    (path,) = found
    return path


def flip(content):
    return bytes([content[0] ^ 1]) + content[1:]


def truncate(content):
    return content[:-1]


OBJECTS = {
    "a file": ("*", b"x: 1"),
    "a folder's file": ("*", b"bx: 1"),
    "a folder's list": ("*.dir", b"["),
}
"""Objects of the cache: how their names and their contents look."""


@pytest.mark.parametrize("damage", [flip, truncate])
@pytest.mark.parametrize("pattern", OBJECTS.values(), ids=OBJECTS)
def test_a_damaged_object_is_noticed_and_comes_back(project, tmp_path, pattern, damage):
    """DVC pulls nothing: of a file it finds nothing, of a list no end of runs."""
    use_remote(project, {"url": str(tmp_path / "store")})
    project.dvc("push")
    path = object_of(project, pattern)
    right = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(damage(right))
    path.chmod(0o444)
    if pattern == OBJECTS["a folder's list"]:
        for _ in range(2):
            assert stages_run(project.dvc("repro")) == ["make"]
    else:
        assert "up to date" in project.dvc("status")
        assert stages_run(project.dvc("repro")) == []
    assert "up to date" in project.dvc("fetch")
    assert path.read_bytes() == damage(right)

    # Nothing of it is left in the workspace.
    shutil.rmtree(project.folder / "data")
    (problem,) = [one for one in check_objects(project.folder).problems if one.state == "differs"]
    assert (problem.stage, problem.place, problem.path) == ("make", "cache", path)
    for command in repair(check_objects(project.folder).problems):
        assert command.startswith("dvc pull")
        project.dvc(*command.split()[1:])
    assert wrote(project, 1)
    assert path.read_bytes() == right
    assert check_objects(project.folder).problems == ()
    assert stages_run(project.dvc("repro")) == []


def test_without_a_check_a_run_gives_the_damage_back(project):
    """DVC takes the object that it has for what a stage wrote."""
    path = object_of(project, OBJECTS["a file"])
    path.chmod(0o644)
    path.write_bytes(flip(path.read_bytes()))
    path.chmod(0o444)
    (project.folder / "data/one").unlink()
    assert stages_run(project.dvc("repro", "--force", "make")) == ["make"]
    assert not wrote(project, 1)
    assert "up to date" in project.dvc("status")
    assert repair(check_objects(project.folder).problems) == ("dvc repro make",)
    assert stages_run(project.dvc("repro", "make")) == ["make"]
    assert wrote(project, 1)


def wait_for_queue(project):
    """Wait until no experiment is queued or runs; give the table of those that did."""
    begin = time.monotonic()
    while re.search("Queued|Running", table := project.dvc("queue", "status")):
        assert time.monotonic() - begin < 180, table
        time.sleep(0.5)
    return table


def test_queued_experiments_finish(project):
    for x in (2, 3):
        project.dvc("exp", "run", "--queue", "-n", f"x{x}", "-S", f"x={x}")
    project.dvc("queue", "start")
    try:
        table = wait_for_queue(project)
    finally:
        project.dvc("queue", "stop", "--kill")
    assert len(re.findall("Success", table)) == 2
    # What they did, they did elsewhere.
    assert wrote(project, 1)
    for x in (2, 3):
        project.dvc("exp", "apply", f"x{x}")
        assert wrote(project, x)
    assert stages_run(project.dvc("repro")) == []


def test_an_experiment_runs_in_a_folder_of_its_own(project):
    output = project.dvc("exp", "run", "--temp", "-n", "two", "-S", "x=2")
    assert stages_run(output) == ["make", "count"]
    assert wrote(project, 1)
    assert project.run("git", "status", "--short") == ""
    project.dvc("exp", "apply", "two")
    assert wrote(project, 2)
    assert stages_run(project.dvc("repro")) == []


@pytest.fixture(scope="module")
def several(made, tmp_path_factory):
    """Results of 1 on main, of 2 on branch two, and of 3 and 4 as experiments of main."""
    project = made.copy(tmp_path_factory.mktemp("several") / "project")
    project.run("git", "checkout", "-q", "-b", "two")
    (project.folder / "params.yaml").write_text("x: 2\n")
    project.run_and_commit()
    project.run("git", "checkout", "-q", "main")
    for x in (3, 4):
        project.dvc("exp", "run", "-n", f"x{x}", "-S", f"x={x}")
    project.run("git", "checkout", "-q", "--", ".")
    project.dvc("checkout")
    return project


REVISIONS = {
    1: ["git", "checkout", "-q", "main"],
    2: ["git", "checkout", "-q", "two"],
    3: ["dvc", "exp", "apply", "x3"],
    4: ["dvc", "exp", "apply", "x4"],
}
"""How the project goes to the results of x."""


def comes_back(project, x):
    """Whether results are there without a run."""
    project.run("git", "checkout", "-q", "--force", "main")
    try:
        project.run(*REVISIONS[x])
        project.dvc("checkout")
    except AssertionError as error:
        assert "Is your cache up to date?" in str(error)
        return False
    return wrote(project, x) and stages_run(project.dvc("repro", "--dry")) == []


@pytest.mark.parametrize(
    ("options", "kept"),
    [(["-w"], {1}), (["-a"], {1, 2}), (["-a", "--all-experiments"], {1, 2, 3, 4})],
)
def test_what_is_cleaned_is_what_nothing_needs(several, tmp_path, options, kept):
    project = several.copy(tmp_path / "project")
    project.dvc("gc", *options, "--force")
    assert {x for x in REVISIONS if comes_back(project, x)} == kept
