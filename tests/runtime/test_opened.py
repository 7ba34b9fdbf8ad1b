import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from smallsight.runtime.opened import opened_once


@pytest.fixture
def files(tmp_path):
    found = [tmp_path / name for name in "abc"]
    for path in found:
        path.write_text(path.name)
    return found


@pytest.fixture
def opened(files):
    """What opens `a`, `b` or `c`, and what was opened so far."""
    done = []

    def open_(path):
        time.sleep(0.01)
        done.append(path.name)
        return [path.read_text()]

    return opened_once(open_, lambda path: (path, files[2]), at_most=2), done


def test_the_very_same_files_are_opened_once(files, opened):
    opener, done = opened
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(opener, [files[0]] * 40))
    assert all(one is found[0] for one in found)
    assert (found[0], done) == (["a"], ["a"])


def test_those_that_were_used_last_are_kept(files, opened):
    opener, done = opened
    for number in (0, 1, 0, 2, 0, 1):
        opener(files[number])
    assert done == ["a", "b", "c", "b"]


@pytest.mark.parametrize("number", [0, 2])
def test_any_file_that_changed_is_opened_anew(files, opened, number):
    opener, done = opened
    opener(files[0])
    replaced = files[number].with_name("new")
    replaced.write_text(files[number].read_text())
    replaced.replace(files[number])
    opener(files[0])
    files[number].write_text("more than it had")
    found = opener(files[0])
    assert done == ["a"] * 3
    assert found == [files[0].read_text()]


def test_what_cannot_be_opened_is_tried_again(files, opened):
    opener, done = opened
    files[0].unlink()
    with pytest.raises(FileNotFoundError):
        opener(files[0])
    files[0].write_text("back")
    assert (opener(files[0]), done) == (["back"], ["a"])
