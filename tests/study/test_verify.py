"""What differs between two runs, and who is named for it."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def tool():
    sys.path.insert(0, str(TOOLS))
    try:
        import verify_study
    finally:
        sys.path.remove(str(TOOLS))
    return verify_study


def stage(deps=(), **outs):
    return {
        "deps": [{"path": path, "md5": "0"} for path in deps],
        "outs": [{"path": path.replace("__", "/"), "md5": md5} for path, md5 in outs.items()],
    }


BEFORE = {
    "report": stage(["features/a", "remedies", "data/remedies_times.csv"], page="1"),
    "features": stage(["pictures"], features="1"),
    "render": stage([], pictures="1"),
    "remedies": stage(["pictures"], remedies="1")
    | {"outs": [{"path": path, "md5": "1"} for path in ("remedies", "data/remedies_times.csv")]},
}


def changed(*paths):
    return {
        name: one
        | {"outs": [out | {"md5": "2"} if out["path"] in paths else out for out in one["outs"]]}
        for name, one in BEFORE.items()
    }


def test_nothing_differs(tool):
    found = tool.compare(BEFORE, BEFORE)
    assert found == tool.Differences({}, (), {}, {}, ())
    assert not found.are_there
    assert list(tool.tell(found)) == ["every output is what dvc.lock records"]


def test_the_first_stage_is_named_and_what_reads_it_follows(tool):
    found = tool.compare(BEFORE, changed("pictures", "features", "page"))
    assert found == tool.Differences({"render": ("pictures",)}, ("features", "page"), {}, {}, ())
    assert found.are_there
    first, rest = tool.tell(found)
    assert first == "stage render gives other bytes of the same input: pictures"
    assert rest == "2 outputs of later stages differ with it"


def test_a_folder_is_read_by_what_reads_a_file_of_it(tool):
    found = tool.compare(BEFORE, changed("features", "page"))
    assert (found.found, found.followed) == ({"features": ("features",)}, ("page",))


def test_an_output_that_was_not_written_differs(tool):
    after = {name: one for name, one in BEFORE.items() if name != "features"}
    assert tool.compare(BEFORE, after).found == {"features": ("features",)}


def test_seconds_differ_and_the_page_that_shows_them(tool):
    found = tool.compare(BEFORE, changed("data/remedies_times.csv", "page"))
    timed = {"remedies": ("data/remedies_times.csv",), "report": ("page",)}
    assert found == tool.Differences({}, (), timed, {}, ())
    assert list(tool.tell(found)) == [
        "every output is what dvc.lock records, but for seconds in data/remedies_times.csv, page"
    ]


def test_seconds_hide_nothing_of_the_stage_that_writes_them(tool):
    found = tool.compare(BEFORE, changed("data/remedies_times.csv", "remedies", "page"))
    assert found.found == {"remedies": ("remedies",)}
    assert found.followed == ("page",)


def test_a_stage_of_which_nothing_is_recorded_is_named(tool):
    """As where the lock was cut after a record."""
    before = {name: one for name, one in BEFORE.items() if name != "features"}
    found = tool.compare(before, BEFORE)
    assert found.are_there
    assert list(tool.tell(found)) == ["dvc.lock records nothing of features: git log dvc.lock"]


@pytest.mark.parametrize(
    ("own", "named"),
    [
        ({"deps": [{"path": "src/a", "md5": "2"}]}, "src/a"),
        ({"params": {"params.yaml": {"seed": 1}}}, "params.yaml: seed"),
    ],
)
def test_a_stage_that_reads_something_else_is_not_blamed(tool, own, named):
    as_before = {
        "deps": [{"path": "src/a", "md5": "1"}],
        "params": {"params.yaml": {"seed": 0}},
    }
    before = BEFORE | {"render": BEFORE["render"] | as_before}
    after = changed("pictures", "features")
    found = tool.compare(before, after | {"render": after["render"] | as_before | own})
    assert (found.read, found.found, found.followed) == ({"render": (named,)}, {}, ("features",))
    assert next(tool.tell(found)) == (
        f"stage render reads other input than dvc.lock records: {named}"
    )


def test_predictions_are_counted_by_object(tool):
    keys = dict.fromkeys(tool.ANSWER, 1)
    before = pd.DataFrame([keys | {"ann_id": n, "predicted": "car"} for n in range(5)])
    after = before.iloc[::-1].replace({"predicted": {"car": "car"}}).copy()
    assert tool.count_changes(before, after) == "0 of 5 predictions name another category"
    after.loc[2, "predicted"] = "bus"
    assert tool.count_changes(before, after[after["ann_id"] != 4]) == (
        "1 of 4 predictions name another category; 1 are in one run alone"
    )


# The whole command.


def verify(project, *options):
    return subprocess.run(
        [sys.executable, str(TOOLS / "verify_study.py"), *options],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.dvc
def test_a_study_that_gives_the_same_again_passes(project):
    done = verify(project)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "verify: every output is what dvc.lock records"


@pytest.mark.dvc
def test_a_stage_that_gives_something_else_is_named(project):
    path = project.folder / "make.py"
    text = path.read_text()
    assert "write_text(text)" in text
    chance = "write_text(text + __import__('uuid').uuid4().hex)"
    path.write_text(text.replace("write_text(text)", chance))
    project.run_and_commit()
    done = verify(project)
    assert done.returncode == 1
    assert "verify: stage make gives other bytes of the same input: data/one" in done.stdout
    assert "predictions cannot be compared" in done.stdout


@pytest.mark.dvc
@pytest.mark.parametrize("is_by_chance", [False, True])
def test_what_shows_seconds_is_compared_with_those_that_are_stored(project, is_by_chance):
    project.add_seconds("{time.time_ns()}" if is_by_chance else "")
    project.run_and_commit()
    done = verify(project)
    assert done.returncode == is_by_chance, done.stderr
    told = done.stdout.splitlines()[2]
    if is_by_chance:
        assert told == "verify: stage show gives other bytes of the same input: reports/page"
    else:
        assert told == "verify: every output is what dvc.lock records"


@pytest.mark.dvc
@pytest.mark.parametrize("is_kept", [True, False])
def test_seconds_are_those_of_the_commit_and_not_of_a_run_since(project, is_kept):
    project.add_seconds()
    project.run_and_commit()
    (first,) = yaml.safe_load((project.folder / "dvc.lock").read_text())["stages"]["time"]["outs"]
    project.dvc("repro", "--force")
    if not is_kept:
        (project.folder / ".dvc/cache/files/md5" / first["md5"][:2] / first["md5"][2:]).unlink()
    done = verify(project)
    assert done.returncode == 0, done.stdout
    others = "" if is_kept else ", but for seconds in data/remedies_times.csv, reports/page"
    assert done.stdout.splitlines()[-1] == f"verify: every output is what dvc.lock records{others}"


@pytest.mark.dvc
def test_data_beside_the_project_is_read_and_nothing_is_left(project, tmp_path):
    for name in ("mine", "deeper/mine"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    lines = project.folder / "dvc.yaml"
    beside = f"deps: [../mine, ../../{tmp_path.name}/deeper/mine, "
    lines.write_text(lines.read_text().replace("deps: [", beside))
    project.run_and_commit()
    folder = tmp_path / "temporary"
    folder.mkdir()
    (folder / "mine").write_text("of another project")
    project.environment |= {"TMPDIR": str(folder)}
    done = verify(project)
    assert done.stdout.splitlines()[-1] == "verify: every output is what dvc.lock records"
    assert [path.name for path in folder.iterdir()] == ["mine"]


@pytest.mark.dvc
def test_a_lock_that_was_cut_after_a_record_is_told(project):
    path = project.folder / "dvc.lock"
    lock = yaml.safe_load(path.read_text())
    del lock["stages"]["make"]
    path.write_text(yaml.safe_dump(lock))
    project.commit("Cut")
    done = verify(project)
    assert done.returncode == 1
    assert "verify: dvc.lock records nothing of make" in done.stdout


@pytest.mark.dvc
@pytest.mark.parametrize("options", [(), ("--stored",)])
def test_what_is_stored_is_looked_at_first(project, options):
    path = project.folder / "data/one"
    path.chmod(0o644)
    path.write_text("something else\n")
    done = verify(project, *options)
    assert done.returncode == 1
    assert "verify: make: data/one: differs in the workspace" in done.stdout
    assert "--repair" in done.stderr
    assert "anew" not in done.stdout


@pytest.mark.dvc
def test_unknown_options_are_refused(project):
    done = verify(project, "--else")
    assert done.returncode == 1
    assert "verify_study.py [--stored]" in done.stderr
