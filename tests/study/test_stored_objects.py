"""The check of outputs and of DVC's cache, on a cheap pipeline with damage of known places."""

import errno
import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import stored_objects
from builders.cheap_pipeline import CheapPipeline
from builders.stages import stages_run
from stored_objects import UnreadableStudyError, check_objects, describe, repair

pytestmark = pytest.mark.dvc

SCRIPT = Path(stored_objects.__file__)


def flip(path):
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    rewrite(path, bytes(content))


def truncate(path):
    rewrite(path, path.read_bytes()[:-1])


def rewrite(path, content):
    """Change a file as a bad disk does: it stays write-protected."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(mode)


DAMAGE = {"flipped": flip, "truncated": truncate, "missing": Path.unlink}
EACH_DAMAGE = pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
WRITTEN = {"a file": "data/one", "a folder's file": "data/many/inner/b"}
EACH_FILE = pytest.mark.parametrize("name", WRITTEN.values(), ids=WRITTEN)


def cached(project, name):
    """Where DVC's cache has a file of the workspace."""
    md5 = hashlib.md5((project.folder / name).read_bytes()).hexdigest()
    return object_of(project, md5)


def object_of(project, md5):
    return project.folder / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def listing(project):
    """Where DVC's cache has the list of the folder's files."""
    (path,) = (project.folder / ".dvc/cache/files/md5").rglob("*.dir")
    return path


def found(project):
    problems = check_objects(project.folder).problems
    return [
        (one.stage, one.output, one.place, one.state, one.path.relative_to(project.folder))
        for one in problems
    ]


def state_of(damage):
    return "missing" if damage is Path.unlink else "differs"


def test_a_study_that_has_run_is_as_recorded(project):
    check = check_objects(project.folder)
    # Two files in a folder, their list, another file, and a metric.
    assert (check.files, check.not_run, check.problems) == (5, (), ())


@EACH_FILE
@EACH_DAMAGE
def test_a_damaged_object_of_the_cache_is_found_and_mended(project, name, damage):
    path = cached(project, name)
    content = path.read_bytes()
    damage(path)
    output = "data/one" if name == "data/one" else "data/many"
    place = path.relative_to(project.folder)
    assert found(project) == [("make", output, "cache", state_of(damage), place)]
    assert repair(check_objects(project.folder).problems) == ()
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o444
    assert found(project) == []
    assert stages_run(project.dvc("repro")) == []


@EACH_FILE
@EACH_DAMAGE
def test_a_damaged_output_is_found_and_mended(project, name, damage):
    before = project.bytes()
    path = project.folder / name
    damage(path)
    output = "data/one" if name == "data/one" else "data/many"
    assert found(project) == [("make", output, "workspace", state_of(damage), Path(name))]
    assert repair(check_objects(project.folder).problems) == ()
    assert project.bytes() == before
    assert stages_run(project.dvc("repro")) == []


def test_no_file_is_mended_by_half(project, monkeypatch):
    def copy_half(source, target):
        Path(target).write_bytes(Path(source).read_bytes()[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    path = cached(project, "data/one")
    path.unlink()
    problems = check_objects(project.folder).problems
    monkeypatch.setattr(stored_objects.shutil, "copyfile", copy_half)
    with pytest.raises(OSError, match="No space left on device"):
        repair(problems)
    assert not list(path.parent.iterdir())
    monkeypatch.chdir(project.folder)
    with pytest.raises(SystemExit, match="stored_objects: No space left on device; what is mended"):
        stored_objects.main("--repair")


@EACH_DAMAGE
def test_a_damaged_list_of_a_folder_is_written_anew_from_the_folder(project, damage):
    path = listing(project)
    content = path.read_bytes()
    damage(path)
    cached(project, "data/many/a").unlink()
    states = [(place, state) for _, _, place, state, _ in found(project)]
    assert sorted(states) == sorted([("cache", "missing"), ("cache", state_of(damage))])
    assert repair(check_objects(project.folder).problems) == ()
    assert path.read_bytes() == content
    assert found(project) == []


@EACH_FILE
@pytest.mark.parametrize("has_remote", [True, False])
def test_what_is_damaged_in_both_places_is_named_by_its_command(project, name, has_remote):
    before = project.bytes()
    if has_remote:
        store = project.folder.parent / "store"
        project.dvc("remote", "add", "-d", "store", str(store))
        project.dvc("push", "-q")
    flip(cached(project, name))
    (project.folder / name).unlink()
    project.dvc("checkout")
    assert project.bytes() != before

    output = "data/one" if name == "data/one" else "data/many"
    assert {line[1:4] for line in found(project)} == {
        (output, "cache", "differs"), (output, "workspace", "differs"),
    }  # fmt: skip
    (command,) = repair(check_objects(project.folder).problems)
    assert command == (f"dvc pull {output}" if has_remote else "dvc repro make")
    assert stages_run(project.dvc(*command.split()[1:])) == ([] if has_remote else ["make"])
    assert project.bytes() == before
    assert found(project) == []


def test_a_folder_is_judged_as_a_whole_where_its_list_is_lost(project):
    listing(project).unlink()
    flip(project.folder / "data/many/a")
    assert [line[2:4] for line in found(project)] == [
        ("cache", "missing"), ("workspace", "differs"),
    ]  # fmt: skip
    assert repair(check_objects(project.folder).problems) == ("dvc repro make",)
    assert not (project.folder / "data/many").exists()
    project.dvc("repro")
    assert found(project) == []


@pytest.mark.parametrize("kind", ["a folder that is gone", "a file in its place"])
def test_a_whole_folder_comes_back(project, kind):
    before = project.bytes()
    shutil.rmtree(project.folder / "data/many")
    if kind == "a file in its place":
        (project.folder / "data/many").write_text("no folder")
    places = {line[2:4] for line in found(project)}
    assert ("workspace", "missing") in places
    repair(check_objects(project.folder).problems)
    project.dvc("checkout")
    assert project.bytes() == before
    assert found(project) == []


def test_a_file_too_many_is_found_and_removed(project):
    (project.folder / ".dvcignore").write_text("*.partial\n")
    (project.folder / "data/many/c.partial").write_text("ignored")
    extra = project.folder / "data/many/c"
    extra.write_text("x")
    place = Path("data/many/c")
    assert found(project) == [("make", "data/many", "workspace", "unexpected", place)]
    assert repair(check_objects(project.folder).problems) == ()
    assert not extra.exists()
    assert found(project) == []


@EACH_DAMAGE
def test_an_output_that_dvc_keeps_no_copy_of_is_made_anew(project, damage):
    before = project.bytes()
    name = "reports/count.json"
    # What DVC keeps to save a run.
    cached(project, name).unlink()
    damage(project.folder / name)
    assert found(project) == [("count", name, "workspace", state_of(damage), Path(name))]
    assert repair(check_objects(project.folder).problems) == ("dvc repro count",)
    assert stages_run(project.dvc("repro", "count")) == ["count"]
    assert project.bytes() == before


def test_a_copy_that_the_cache_of_runs_has_is_checked_too(project):
    name = "reports/count.json"
    path = cached(project, name)
    flip(path)
    place = path.relative_to(project.folder)
    assert found(project) == [("count", name, "cache", "differs", place)]
    assert repair(check_objects(project.folder).problems) == ()
    flip(project.folder / name)
    assert repair(check_objects(project.folder).problems) == ()
    assert found(project) == []


def test_what_is_not_pushed_is_not_pulled(project):
    pipeline = project.folder / "dvc.yaml"
    pipeline.write_text(pipeline.read_text().replace("- data/one", "- data/one: {push: false}"))
    project.dvc("remote", "add", "-d", "store", str(project.folder.parent / "store"))
    cached(project, "data/one").unlink()
    (project.folder / "data/one").unlink()
    assert repair(check_objects(project.folder).problems) == ("dvc repro make",)


@pytest.mark.parametrize("kind", ["symlink", "hardlink"])
def test_an_output_may_be_a_link_to_the_cache(project, kind):
    project.dvc("config", "cache.type", kind)
    project.dvc("checkout", "--relink")
    assert found(project) == []
    path = cached(project, "data/one")
    flip(path)
    assert {line[2:4] for line in found(project)} == {
        ("cache", "differs"), ("workspace", "differs"),
    }  # fmt: skip
    assert repair(check_objects(project.folder).problems) == ("dvc repro make",)
    project.dvc("repro")
    assert found(project) == []


def test_the_cache_may_lie_elsewhere(project):
    elsewhere = project.folder.parent / "cache"
    shutil.move(project.folder / ".dvc/cache", elsewhere)
    assert {state for _, _, _, state, _ in found(project)} == {"missing"}
    project.dvc("config", "--local", "cache.dir", str(elsewhere))
    assert found(project) == []
    flip(elsewhere / cached(project, "data/one").relative_to(project.folder / ".dvc/cache"))
    (problem,) = check_objects(project.folder).problems
    assert problem.path.is_relative_to(elsewhere)


def test_what_cannot_be_read_is_not_touched(project):
    (project.folder / "data/one").unlink()
    (project.folder / "data/one").mkdir()
    (problem,) = check_objects(project.folder).problems
    assert problem.state == "unreadable"
    assert repair([problem]) == ()
    assert (project.folder / "data/one").is_dir()


def test_a_folder_of_which_a_file_cannot_be_read_stays(project):
    listing(project).unlink()
    path = project.folder / "data/many/a"
    path.unlink()
    path.symlink_to("a")
    assert ("workspace", "unreadable", Path("data/many/a")) in {one[2:] for one in found(project)}
    status, output = command(project, "--repair")
    assert status == 1
    assert output.splitlines()[-2] == "now run: dvc repro make"
    assert output.splitlines()[-1].endswith("look at its disk and its permissions")
    assert (project.folder / "data/many/inner/b").is_file()


def test_a_study_that_has_not_run_has_no_problem(project, tmp_path):
    other = CheapPipeline(tmp_path / "other")
    check = check_objects(other.folder)
    assert (check.files, check.problems) == (0, ())
    assert sorted(check.not_run) == ["data/many", "data/one", "reports/count.json"]
    other.dvc("repro", "make")
    check = check_objects(other.folder)
    assert (check.files, check.not_run, check.problems) == (4, ("reports/count.json",), ())


CUT = {
    "all": (0, True),
    "within the first line": (10, True),
    "within an MD5": (r"md5: \w{6}", True),
    "within an MD5 of figures": (r"md5: \d+", True),
    "before a size": (r"\.dir\n", True),
    "by the last letters": (-3, True),
    "after a record": ("nfiles: 2\n", False),
}
"""Where the record of the first output ends, and whether that can be seen."""


@pytest.mark.parametrize(("end", "is_seen"), CUT.values(), ids=CUT)
def test_a_lock_file_that_was_cut_short_costs_nothing(project, end, is_seen):
    path = project.folder / "dvc.lock"
    text = path.read_text()
    if isinstance(end, str):
        end = re.compile(end).search(text, text.index("data/many")).end()
    path.write_text(text[:end])
    before = project.bytes()
    if is_seen:
        with pytest.raises(UnreadableStudyError, match=r"git checkout dvc\.lock") as caught:
            check_objects(project.folder)
        assert "\n" not in str(caught.value)
    else:
        check = check_objects(project.folder)
        assert check.problems == ()
        assert set(check.not_run) == {"data/one", "reports/count.json"}
    assert project.bytes() == before


def test_a_folder_that_is_no_project_is_refused(tmp_path):
    with pytest.raises(UnreadableStudyError, match="not inside of a DVC repository"):
        check_objects(tmp_path)


def test_lines_are_by_output_and_place(project):
    for name in ("a", "inner/b"):
        (project.folder / "data/many" / name).unlink()
    (line,) = describe(check_objects(project.folder).problems)
    path = project.folder / "data/many/a"
    assert line == f"make: data/many: missing in the workspace: {path} and 1 more"


def command(project, *options):
    done = subprocess.run(
        [sys.executable, SCRIPT, *options],
        cwd=project.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_command_checks_and_mends(project):
    assert command(project) == (0, "stored_objects: 5 files are as dvc.lock records them\n")
    flip(cached(project, "data/one"))
    status, output = command(project)
    assert status == 1
    assert output.splitlines()[1] == "to mend this: python tools/stored_objects.py --repair"
    status, output = command(project, "--repair")
    assert (status, output.splitlines()[1]) == (0, "mended")
    flip(cached(project, "data/one"))
    (project.folder / "data/one").unlink()
    status, output = command(project, "--repair")
    assert (status, output.splitlines()[-1]) == (0, "now run: dvc repro make")
    assert command(project, "--help")[0] == 1


def test_thousands_of_files_are_a_matter_of_seconds(project):
    old = listing(project)
    many = project.folder / "data/many"
    shutil.rmtree(many)
    many.mkdir()
    entries = []
    for number in range(4000):
        content = f"{number}".encode() * 50
        md5 = hashlib.md5(content).hexdigest()
        for path in (many / f"{number}", object_of(project, md5)):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        entries.append({"md5": md5, "relpath": f"{number}"})
    text = json.dumps(sorted(entries, key=lambda one: one["relpath"])).encode()
    md5 = f"{hashlib.md5(text).hexdigest()}.dir"
    object_of(project, md5).parent.mkdir(exist_ok=True)
    object_of(project, md5).write_bytes(text)
    lock = project.folder / "dvc.lock"
    lock.write_text(lock.read_text().replace(old.parent.name + old.name, md5))
    begin = time.monotonic()
    check = check_objects(project.folder)
    assert (check.files, check.problems) == (4003, ())
    assert time.monotonic() - begin < 60
