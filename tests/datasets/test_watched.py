"""Folders in which DVC would stop without a word of ours."""

import runpy
import shutil
from pathlib import Path

import pytest

from smallsight import params
from smallsight.datasets.watched import check_watched_folders
from smallsight.runtime.errors import PictureError, SmallsightError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Parameters of a project in the working folder, whose local pictures are in `mine`."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    text = (tmp_path / "params.yaml").read_text().replace("examples/local/images", "mine")
    (tmp_path / "params.yaml").write_text(text)
    (tmp_path / "mine/sub").mkdir(parents=True)
    (tmp_path / "mine/a.jpg").touch()
    (tmp_path / "mine/b.jpg").symlink_to("a.jpg")
    monkeypatch.chdir(tmp_path)
    return params.load().data


def check():
    runpy.run_path(str(ROOT / "tools/check_start.py"))["main"]()


def test_whole_folders_pass(data, capsys):
    Path("data").mkdir()
    check_watched_folders(data)
    check()
    assert capsys.readouterr() == ("", "")


def test_a_folder_that_is_missing_is_left_to_the_source(data):
    shutil.rmtree("mine")
    check_watched_folders(data)


def test_broken_links_are_counted_with_an_example(data):
    Path("mine/sub/d.jpg").symlink_to("nowhere.jpg")
    with pytest.raises(PictureError) as caught:
        check_watched_folders(data)
    assert str(caught.value) == (
        "picture error: mine: 1 broken symbolic link, such as mine/sub/d.jpg; "
        "expected files that are there: DVC reads all of them"
    )
    Path("mine/c").symlink_to("c")
    with pytest.raises(SystemExit, match=r"check_start: .*2 broken symbolic links, such as mine/c"):
        check()


def test_a_link_to_a_folder_that_is_gone_is_named(data):
    shutil.rmtree("mine")
    Path("mine").symlink_to("gone")
    with pytest.raises(PictureError, match="mine: 1 broken symbolic link, such as mine;"):
        check_watched_folders(data)


@pytest.mark.parametrize("name", ["data", "reports"])
def test_outputs_on_another_disk_are_refused_with_what_to_do_instead(data, name):
    Path("elsewhere").mkdir()
    Path(name).symlink_to("elsewhere")
    with pytest.raises(SmallsightError) as caught:
        check_watched_folders(data)
    assert str(caught.value) == (
        f"error: {name}: a symbolic link to elsewhere; expected a folder of the project itself: "
        "DVC writes to no other. `dvc cache dir PATH` and `dvc config cache.type symlink` keep "
        "large files elsewhere"
    )


def test_what_is_wrong_with_the_parameters_is_left_to_the_first_stage(data):
    Path("params.yaml").write_text("seed: x\n")
    check()
