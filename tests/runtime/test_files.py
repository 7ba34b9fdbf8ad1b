import ast
import errno
import hashlib
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smallsight.runtime import files


class OwnError(Exception):
    pass


def everything(folder):
    """Every path below a folder with its bytes, or None for a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in Path(folder).rglob("*")
    }


def test_file_appears_under_its_name_only_when_the_block_ends(tmp_path):
    path = tmp_path / "new/folder/table.csv"
    with files.new_file(path) as partial:
        partial.write_text("x")
        assert not path.exists()
        assert partial.parent == path.parent
    assert everything(path.parent) == {"table.csv": b"x"}


def test_file_stays_as_it_was_when_the_block_fails(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    before = everything(tmp_path)
    with pytest.raises(OwnError), files.new_file(path) as partial:
        partial.write_text("half")
        raise OwnError
    assert everything(tmp_path) == before


@pytest.mark.parametrize("error", [OwnError, KeyboardInterrupt, SystemExit])
def test_folder_stays_as_it_was_when_the_block_fails(tmp_path, error):
    path = tmp_path / "heads"
    (path / "deep").mkdir(parents=True)
    (path / "deep/a").write_text("old")
    before = everything(tmp_path)
    with pytest.raises(error), files.new_folder(path) as partial:
        (partial / "b").write_text("half")
        raise error
    assert everything(tmp_path) == before


def test_nothing_is_left_where_nothing_was(tmp_path):
    with pytest.raises(OwnError), files.new_folder(tmp_path / "a/heads") as partial:
        (partial / "b").write_text("half")
        raise OwnError
    with pytest.raises(OwnError), files.new_file(tmp_path / "a/file") as partial:
        raise OwnError
    assert everything(tmp_path) == {"a": None}


def test_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "heads"
    path.mkdir()
    (path / "stale").write_text("old")
    with files.new_folder(path) as partial:
        assert not list(partial.iterdir())
        (partial / "fresh").write_text("new")
        assert (path / "stale").exists()
    assert everything(tmp_path) == {"heads": None, "heads/fresh": b"new"}


@pytest.mark.parametrize("old_is_there", [True, False])
@pytest.mark.parametrize(
    ("leftover", "kind"),
    [(".heads.partial", "file"), (".heads.partial", "folder"), (".heads.old", "folder")],
)
def test_leftovers_of_a_killed_run_do_no_harm_to_a_folder(tmp_path, old_is_there, leftover, kind):
    path, rest = tmp_path / "heads", tmp_path / leftover
    if old_is_there:
        path.mkdir()
    if kind == "file":
        rest.write_text("junk")
    else:
        (rest / "deep").mkdir(parents=True)
        (rest / "deep/junk").write_text("junk")
    with files.new_folder(path) as partial:
        (partial / "fresh").write_text("new")
    assert everything(path) == {"fresh": b"new"}
    assert [path.name for path in tmp_path.iterdir()] == ["heads"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_leftovers_of_a_killed_run_do_no_harm_to_a_file(tmp_path, kind):
    rest = tmp_path / ".table.csv.partial"
    if kind == "file":
        rest.write_text("junk")
    else:
        (rest / "junk").mkdir(parents=True)
    with files.new_file(tmp_path / "table.csv") as partial:
        assert not partial.exists()
        partial.write_text("x")
    assert everything(tmp_path) == {"table.csv": b"x"}


def test_replacing_a_link_leaves_its_target_alone(tmp_path):
    # DVC may link outputs to its cache.
    target = tmp_path / "cache"
    target.write_text("cached")
    path = tmp_path / "out"
    path.symlink_to(target)
    files.write_text("new", path)
    assert target.read_text() == "cached"
    assert not path.is_symlink()
    assert path.read_text() == "new"


def test_tables_come_back(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"a": rng.random(50), "b": ["x,\n'\"é"] * 50, "c": rng.random(50) < 0.5}, index=range(9, 59)
    )
    files.write_table(table, tmp_path / "t.csv")
    files.write_table(table, tmp_path / "t.parquet")
    plain = table.reset_index(drop=True)
    csv = pd.read_csv(tmp_path / "t.csv")
    pd.testing.assert_frame_equal(csv, plain, check_exact=True)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), plain, check_exact=True)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_tables_are_written_the_same_every_time(tmp_path, name):
    table = pd.DataFrame({"a": [0.1, 2.5], "b": ["x", "y"]})
    files.write_table(table, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    files.write_table(table, tmp_path / name)
    assert (tmp_path / name).read_bytes() == first


def test_text_is_utf8_with_plain_line_ends(tmp_path):
    files.write_text("é\nx\n", tmp_path / "t.txt")
    assert (tmp_path / "t.txt").read_bytes() == b"\xc3\xa9\nx\n"


def test_sha256(tmp_path):
    content = os.urandom(300_000)
    (tmp_path / "x").write_bytes(content)
    assert files.sha256(tmp_path / "x") == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("compress", [False, True])
def test_arrays_come_back_whole(tmp_path, compress):
    arrays = {
        "numbers": np.arange(12, dtype=np.float32).reshape(3, 4).T,
        "names": np.array(["a", "bc"]),
        "none": np.empty((0, 3), np.uint8),
        "one": np.float64(2.5),
    }
    path = tmp_path / "arrays.npz"
    files.write_arrays(arrays, path, compress=compress)
    with np.load(path) as read:
        assert read.files == list(arrays)
        for name, array in arrays.items():
            assert read[name].dtype == array.dtype
            np.testing.assert_array_equal(read[name], array)


def test_headers_of_arrays_are_those_that_every_release_of_python_writes(tmp_path):
    path = tmp_path / "arrays.npz"
    files.write_arrays({"a": np.arange(5)}, path)
    with zipfile.ZipFile(path) as archive:
        (member,) = archive.infolist()
    # ZIP64, which numpy.savez asks for, needs version 45, and Python 3.11.4 changed its header.
    assert (member.extract_version, member.create_version) == (20, 20)
    assert member.date_time == (1980, 1, 1, 0, 0, 0)


def test_objects_are_no_arrays(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        files.write_arrays({"a": np.array([{}])}, tmp_path / "arrays.npz")
    assert not list(tmp_path.iterdir())


def lacks_encoding(call):
    """Say whether a call opens a file as text in whatever encoding the machine likes."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name not in ("open", "read_text", "write_text"):
        return False
    # A mode may depend on something.
    parts = [one for argument in call.args for one in ast.walk(argument)]
    texts = [one.value for one in parts if isinstance(one, ast.Constant)]
    is_binary = any(isinstance(one, str) and "b" in one for one in texts) and name == "open"
    owner = getattr(getattr(call.func, "value", None), "id", "")
    is_own = owner == "files" or getattr(call.func, "id", "") == "write_text"
    is_other = is_own or owner in ("Image", "tarfile", "members")  # of an archive, in bytes
    return not (is_binary or is_other or any(one.arg == "encoding" for one in call.keywords))


def test_every_text_file_is_opened_with_its_encoding():
    root = Path(__file__).parents[2]
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for folder in ("src", "stages", "tools")
        for path in sorted((root / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and lacks_encoding(node)
    ]
    assert found == []


# Archives that others wrote.

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
CONTENT = bytes(range(256)) * 4


def packed(method):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        archive.writestr("a", CONTENT)
    return content.getvalue()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("is_file", [False, True])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_archive_is_one_kind_of_error_or_whole(tmp_path, method, is_file, data):
    content = bytearray(packed(method))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] ^= data.draw(st.integers(1, 255))
    content = bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    (tmp_path / "a.zip").write_bytes(content)
    try:
        source = tmp_path / "a.zip" if is_file else io.BytesIO(content)
        with files.reading_archive(), zipfile.ZipFile(source) as archive:
            found = [archive.read(name) for name in archive.namelist()]
    except zipfile.BadZipFile as error:
        assert str(error)
    else:
        assert found in ([], [CONTENT])


def test_an_archive_that_names_a_place_before_its_start_is_damaged(tmp_path):
    content = bytearray(packed(zipfile.ZIP_STORED))
    place = content.rindex(b"PK\5\6") + 16  # where the list of members begins
    content[place : place + 4] = (2**31).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(content)
    with (
        zipfile.ZipFile(tmp_path / "a.zip") as archive,
        pytest.raises(zipfile.BadZipFile, match="Invalid argument"),
        files.reading_archive(),
    ):
        archive.read("a")


def test_an_archive_that_names_a_place_beyond_all_numbers_is_damaged():
    archive = zipfile.ZipFile(io.BytesIO(packed(zipfile.ZIP_STORED)))
    archive.getinfo("a").header_offset = 2**63  # as ZIP64 may have it
    with pytest.raises(zipfile.BadZipFile, match="too large"), files.reading_archive():
        archive.read("a")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_an_error_of_the_disk_is_not_taken_for_a_damaged_archive(number):
    with pytest.raises(OSError) as caught, files.reading_archive():
        raise OSError(number, "of the disk")
    assert caught.value.errno == number
