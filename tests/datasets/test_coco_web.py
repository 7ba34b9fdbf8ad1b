import errno
import hashlib
import io
import json
import socket
import threading
import time
import zipfile

import pytest
from PIL import Image, ImageFile

from builders.http_server import (
    Server,
    always,
    hung_up,
    moved,
    respond,
    short,
    truncated,
    unavailable,
)
from builders.large_pictures import black_png
from smallsight.datasets import coco, coco_web
from smallsight.datasets.collecting import Reading
from smallsight.datasets.orientation import Doubt
from smallsight.imaging.pictures import read_picture
from smallsight.runtime import download
from smallsight.runtime.errors import AnnotationError, DownloadError

CATEGORIES = ("person", "car")
ARCHIVE = "/annotations/annotations_trainval2017.zip"
MEMBER = "annotations/instances_val2017.json"
LOCK = "smallsight/.annotations_trainval2017.zip.lock"


@pytest.fixture
def server(tree, tmp_path, paint, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "WAITS", (0, 0))
    server = Server()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(MEMBER, json.dumps(tree))
    server.files[ARCHIVE] = content.getvalue()
    for image in tree["images"]:
        paint(tmp_path / "picture.jpg", seed=image["id"])
        server.files[f"/val2017/{image['file_name']}"] = (tmp_path / "picture.jpg").read_bytes()
    yield server
    server.close()


@pytest.fixture
def open_source(server):
    def open_source(**changes):
        md5 = hashlib.md5(server.files[ARCHIVE]).hexdigest()
        settings = {
            "split": "val2017",
            "base_url": server.url,
            "annotations_md5": md5,
            "redirects": (),
        }
        return coco_web.CocoWeb(coco_web.CocoData(**settings | changes))

    return open_source


@pytest.fixture
def out(tmp_path):
    return tmp_path / "data/images"


def served(server, images):
    """What the folder of pictures holds."""
    pictures = {name: server.files[f"/val2017/{name}"] for name in images["file_name"]}
    return {coco_web.ORIGIN: f"{server.url}/val2017\n".encode()} | pictures


@pytest.mark.parametrize("workers", ["1", "2"])
def test_annotations_and_pictures_come(
    open_source, server, tree, out, snapshot, monkeypatch, workers
):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
    source = open_source(base_url=server.url + "/")
    assert source.annotations() == tree
    images = coco.parse(source.annotations(), CATEGORIES, where=source.where).images
    source.fetch(images, out)
    assert snapshot(out) == served(server, images)
    assert sorted(server.requests) == sorted(server.files)


def test_annotations_come_once(open_source, server, tmp_path):
    for _ in range(2):
        open_source().annotations()
    assert server.requests == [ARCHIVE]
    assert (tmp_path / "cache/smallsight/annotations_trainval2017.zip").exists()


def test_damaged_cache_is_replaced(open_source, server, tree, tmp_path):
    open_source().annotations()
    (tmp_path / "cache/smallsight/annotations_trainval2017.zip").write_bytes(b"damaged")
    assert open_source().annotations() == tree
    assert server.requests == [ARCHIVE] * 2


def test_wrong_md5_is_said_once_and_nothing_kept(open_source, server, tmp_path, snapshot):
    with pytest.raises(DownloadError, match=f"MD5 [0-9a-f]{{32}}; expected MD5 {'0' * 32}"):
        open_source(annotations_md5="0" * 32).annotations()
    assert server.requests == [ARCHIVE]
    assert list(snapshot(tmp_path / "cache")) == [LOCK]


@pytest.mark.parametrize(
    ("content", "found"), [(b"no archive", "not a zip file"), (None, "instances_train2017.json")]
)
def test_archive_without_the_annotations_is_said(open_source, server, content, found):
    server.files[ARCHIVE] = content or server.files[ARCHIVE]
    with pytest.raises(DownloadError, match=found) as caught:
        open_source(split="train2017").annotations()
    assert server.url + ARCHIVE in str(caught.value)


def test_errors_in_the_annotations_name_address_and_member(open_source, server):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(MEMBER, "[]")
    server.files[ARCHIVE] = content.getvalue()
    with pytest.raises(AnnotationError, match=rf"{server.url}{ARCHIVE}: annotations/instances_val"):
        open_source().annotations()


def test_whole_pictures_are_not_asked_for_again(open_source, server, images, out, snapshot):
    source = open_source()
    source.fetch(images, out)
    server.requests.clear()
    first, second = (out / name for name in images["file_name"][:2])
    first.write_bytes(first.read_bytes()[:-300])
    second.unlink()
    source.fetch(images, out)
    assert sorted(server.requests) == [f"/val2017/{path.name}" for path in (first, second)]
    assert snapshot(out) == served(server, images)


def test_so_many_pictures_are_asked_for_at_once_and_by_this_machine(
    open_source, server, images, out, monkeypatch
):
    """Also where other work, such as the reading of them, is done on a cluster."""
    monkeypatch.setattr(coco_web, "collect_pictures", lambda images, **_: None)
    monkeypatch.setattr(coco_web, "AT_ONCE", 2)
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "8")
    monkeypatch.setenv("SMALLSIGHT_DASK", "tcp://127.0.0.1:9")
    open_, most, lock = 0, 0, threading.Lock()

    def counted(handler, content):
        nonlocal open_, most
        with lock:
            open_ += 1
            most = max(most, open_)
        time.sleep(0.1)
        with lock:
            open_ -= 1
        respond(handler, content)

    for name in images["file_name"]:
        server.faults[f"/val2017/{name}"] = always(counted)
    open_source().fetch(images, out)
    assert most == 2


def test_pictures_no_longer_asked_for_go(open_source, server, images, out, paint, snapshot):
    open_source().fetch(images, out)
    paint(out / "old/stale.jpg")
    (out / ".left.jpg.partial").write_bytes(b"left by a run that was killed")
    open_source().fetch(images[1:3], out)
    assert snapshot(out) == served(server, images[1:3])
    assert not (out / "old").exists()


def test_interrupted_download_goes_on(open_source, server, images, out, snapshot):
    last = f"/val2017/{images['file_name'].iloc[-1]}"
    server.faults[last] = always(truncated)
    with pytest.raises(DownloadError):
        open_source().fetch(images, out)
    assert not out.exists()
    assert snapshot(out.parent / ".images.download") == served(server, images[:-1])
    del server.faults[last]
    server.requests.clear()
    open_source().fetch(images, out)
    assert server.requests == [last]
    assert snapshot(out) == served(server, images)


@pytest.mark.parametrize("fault", [truncated, short, unavailable, hung_up])
def test_what_passes_is_tried_again(open_source, server, images, out, snapshot, fault):
    path = f"/val2017/{images['file_name'][0]}"
    server.faults[path] = iter([fault, fault])
    open_source().fetch(images, out)
    assert server.requests.count(path) == 3
    assert snapshot(out) == served(server, images)


@pytest.mark.parametrize(
    ("fault", "found", "times"),
    [
        (truncated, "IncompleteRead", 3),
        (short, "truncated", 3),
        (unavailable, "503 Service Unavailable; expected 200 OK", 3),
        (hung_up, "closed connection without response", 3),
        (lambda handler, _: respond(handler, None), "404 Not Found; expected 200 OK", 1),
    ],
)
def test_failure_names_the_address_and_leaves_what_was(
    open_source, server, images, out, paint, snapshot, fault, found, times
):
    name = images["file_name"][0]
    paint(out / "stale.jpg")
    paint(out / name, size=(8, 8))
    before = snapshot(out)
    server.faults[f"/val2017/{name}"] = always(fault)
    with pytest.raises(DownloadError, match=found) as caught:
        open_source().fetch(images, out)
    assert f"{server.url}/val2017/{name}: " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert server.requests.count(f"/val2017/{name}") == times
    after = snapshot(out)
    assert {key: after[key] for key in before} == before
    assert all(after[key] == served(server, images)[key] for key in after.keys() - before.keys())


def test_other_size_is_said(open_source, images, out):
    with pytest.raises(DownloadError, match="48 x 32 pixels; expected 32 x 48 pixels"):
        open_source().fetch(images[:1].assign(width=32, height=48), out)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(
    open_source, server, images, out, monkeypatch
):
    def load(picture):
        raise AssertionError("it was decoded")

    path = f"/val2017/{images['file_name'][0]}"
    server.files[path] = black_png(30_000)
    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    with pytest.raises(DownloadError) as caught:
        open_source().fetch(images[:1].assign(width=30_000, height=30_000), out)
    assert str(caught.value) == (
        f"download error: {server.url}{path}: 30000 x 30000 = 900000000 pixels; expected 178956970 "
        f"at most; `data.max_pixels` in params.yaml sets how many"
    )
    assert server.requests == [path]


@pytest.mark.parametrize("limit", ["LARGEST_ARCHIVE", "LARGEST_PICTURE"])
def test_a_file_that_is_too_large_is_not_taken(open_source, images, out, monkeypatch, limit):
    monkeypatch.setattr(coco_web, limit, 99)
    source = open_source()
    with pytest.raises(DownloadError, match=r"bytes; expected at most 99\b"):
        source.annotations() if limit == "LARGEST_ARCHIVE" else source.fetch(images[:1], out)


def test_another_server_is_followed_to_only_where_the_parameters_name_it(
    open_source, server, images, out, tree
):
    sending = Server()
    for path in server.files:
        sending.faults[path] = always(moved(server.url + path))
    named = open_source(base_url=sending.url, redirects=(server.url,))
    unnamed = open_source(base_url=sending.url)
    try:
        for ask in (unnamed.annotations, lambda: unnamed.fetch(images[:1], out)):
            with pytest.raises(DownloadError, match=f"sends to {server.url}/"):
                ask()
        assert server.requests == []
        assert named.annotations() == tree
        named.fetch(images[:1], out)
    finally:
        sending.close()
    assert server.requests == [ARCHIVE, f"/val2017/{images['file_name'][0]}"]


def test_pictures_that_cannot_be_had_are_told_at_once(open_source, server, images, out, snapshot):
    lost, broken, _, other = (f"/val2017/{name}" for name in images["file_name"])
    del server.files[lost]
    server.faults[broken] = always(short)
    sizes = images.assign(width=images["width"].where(images.index != 3, 99))
    with pytest.raises(DownloadError) as caught:
        open_source().fetch(sizes, out)
    assert str(caught.value) == (
        f"download error: {server.url}/val2017: 3 of 4 pictures cannot be had, such as "
        f"{server.url}{lost}: 404 Not Found; expected every picture, whole"
    )
    asked = {path: server.requests.count(path) for path in (lost, broken, other)}
    assert asked == {lost: 1, broken: 3, other: 3}


def test_a_server_that_does_not_answer_is_not_asked_for_every_picture(
    open_source, server, images, out
):
    for name in images["file_name"]:
        server.faults[f"/val2017/{name}"] = always(unavailable)
    with pytest.raises(DownloadError, match="503 Service Unavailable"):
        open_source().fetch(images, out)
    assert len(server.requests) == 3


# A hostile archive.


def serve_archive(server, content, name=MEMBER, *, method=zipfile.ZIP_DEFLATED, is_locked=False):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr(name, content)
    packed = bytearray(packed.getvalue())
    if is_locked:
        packed[6] |= 1  # of the member's own header, and of the list of members
        packed[packed.index(b"PK\1\2") + 8] |= 1
    server.files[ARCHIVE] = bytes(packed)


def test_a_bomb_is_not_unpacked(open_source, server, monkeypatch):
    monkeypatch.setattr(coco_web, "LARGEST_ANNOTATIONS", 10**6)
    serve_archive(server, b" " * (10**6 + 1))
    assert len(server.files[ARCHIVE]) < 2000
    with pytest.raises(DownloadError, match=r"1,000,001 bytes.*; expected at most 1,000,000"):
        open_source().annotations()


def test_a_member_that_is_larger_than_it_says_is_not_unpacked(open_source, server):
    serve_archive(server, b" " * 10**6)
    packed = bytearray(server.files[ARCHIVE])
    for mark, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        start = packed.index(mark) + place
        packed[start : start + 4] = (10).to_bytes(4, "little")
    server.files[ARCHIVE] = bytes(packed)
    with pytest.raises(DownloadError, match="Bad CRC-32"):
        open_source().annotations()


def test_an_encrypted_archive_is_said(open_source, server):
    serve_archive(server, b"[]", is_locked=True)
    with pytest.raises(DownloadError, match="encrypted") as caught:
        open_source().annotations()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_stream_that_cannot_be_unpacked_is_said(open_source, server, method):
    serve_archive(server, b"[1, 2, 3]" * 999, method=method)
    packed = server.files[ARCHIVE]
    start = packed.index(b".json") + len(".json") + 9  # after the head that LZMA has there
    server.files[ARCHIVE] = packed[:start] + b"\xff" * 20 + packed[start + 20 :]
    with pytest.raises(DownloadError, match="expected a ZIP file with annotations/") as caught:
        open_source().annotations()
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_not_taken_for_a_damaged_archive(open_source, monkeypatch):
    def full(packed):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(coco_web.large_json, "unpack", full)
    with pytest.raises(OSError, match="No space left on device"):
        open_source().annotations()


def test_names_that_lead_out_of_the_folder_lead_nowhere(open_source, server, tmp_path, snapshot):
    name = "../../../annotations/instances_val2017.json"
    serve_archive(server, b"[]", name)
    with pytest.raises(DownloadError, match="a ZIP file with annotations/instances_val2017"):
        open_source().annotations()
    assert sorted(snapshot(tmp_path / "cache")) == [LOCK, f"smallsight/{coco_web.ARCHIVE}"]
    assert not list(tmp_path.rglob("instances_val2017.json"))


def test_the_way_without_a_network_is_said(open_source, server, images, out):
    server.faults[ARCHIVE] = always(unavailable)
    with pytest.raises(DownloadError, match=r"without a network: data\.source local"):
        open_source().annotations()
    server.faults[f"/val2017/{images['file_name'][0]}"] = always(unavailable)
    with pytest.raises(DownloadError, match=r"without a network: data\.source local"):
        open_source().fetch(images, out)


# Another source.


@pytest.fixture
def repaint(server, tmp_path, paint):
    """Serve other pictures under the names and in the sizes of the first split."""

    def repaint(split, images):
        for name, seed in zip(images["file_name"], range(100, 200), strict=False):
            paint(tmp_path / "picture.jpg", seed=seed)
            server.files[f"/{split}/{name}"] = (tmp_path / "picture.jpg").read_bytes()
        return {
            coco_web.ORIGIN: f"{server.url}/{split}\n".encode(),
            **{name: server.files[f"/{split}/{name}"] for name in images["file_name"]},
        }

    return repaint


def test_pictures_of_another_source_are_fetched_anew(
    open_source, server, images, out, paint, snapshot
):
    """Local pictures of the same names and sizes were there before."""
    for seed, name in enumerate(images["file_name"]):
        paint(out / name, seed=1000 + seed)
    open_source().fetch(images, out)
    assert snapshot(out) == served(server, images)
    assert [path.name for path in out.parent.iterdir()] == ["images"]


def test_pictures_of_another_split_are_fetched_anew(
    open_source, server, images, out, snapshot, repaint
):
    open_source().fetch(images, out)
    due = repaint("train2017", images)
    open_source(split="train2017").fetch(images, out)
    assert snapshot(out) == due


def test_an_error_leaves_the_other_sources_pictures_and_the_download_goes_on(
    open_source, server, images, out, snapshot, repaint
):
    open_source().fetch(images, out)
    before = snapshot(out)
    due = repaint("train2017", images)
    last = f"/train2017/{images['file_name'].iloc[-1]}"
    server.faults[last] = iter([unavailable] * 3)
    with pytest.raises(DownloadError, match="503"):
        open_source(split="train2017").fetch(images, out)
    assert snapshot(out) == before
    server.requests.clear()
    open_source(split="train2017").fetch(images, out)
    assert server.requests == [last]
    assert snapshot(out) == due


def test_what_is_left_of_a_third_source_is_not_gone_on_with(
    open_source, server, images, out, snapshot, repaint
):
    repaint("train2017", images)
    server.faults[f"/train2017/{images['file_name'].iloc[-1]}"] = always(unavailable)
    with pytest.raises(DownloadError, match="503"):
        open_source(split="train2017").fetch(images, out)
    open_source().fetch(images, out)
    assert snapshot(out) == served(server, images)


# What becomes of them.


def turned(server, images, orientation, tmp_path, paint):
    """Serve the first picture with an EXIF orientation; return its pixels."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    paint(tmp_path / "picture.png", seed=7, exif=exif)
    server.files[f"/val2017/{images['file_name'][0]}"] = (tmp_path / "picture.png").read_bytes()
    return read_picture(tmp_path / "picture.png")


def test_cocos_boxes_are_of_the_stored_pixels(open_source, server, images, out, tmp_path, paint):
    pixels = turned(server, images, 3, tmp_path, paint)
    facts = open_source().fetch(images, out)
    name = images["file_name"][0]
    assert (read_picture(out / name) == pixels).all()
    assert facts.doubt == Doubt((name,), "stored", "as is usual for this source")
    assert facts.changed == {}


def test_what_was_changed_is_told_again_and_can_be_undone(
    open_source, server, images, out, tmp_path, paint
):
    pixels = turned(server, images, 3, tmp_path, paint)
    name = images["file_name"][0]
    for _ in range(2):
        facts = open_source().fetch(images, out, Reading(orientation="upright"))
        assert (read_picture(out / name) == pixels[::-1, ::-1]).all()
        assert facts.changed == {"turned": [name]}
    open_source().fetch(images, out, Reading(orientation="stored"))
    assert (read_picture(out / name) == pixels).all()
    asked = [path for path in server.requests if path.endswith(name)]
    assert len(asked) == 3


@pytest.mark.parametrize("question", ["annotations", "pictures"])
def test_refused_connection_is_said(open_source, images, out, question):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    source = open_source(base_url=url)
    with pytest.raises(DownloadError, match=f"{url}/.*: Connection refused; expected"):
        source.annotations() if question == "annotations" else source.fetch(images, out)


@pytest.mark.parametrize("url", ["images.cocodataset.org", "file:///tmp", "http://", "http://[x"])
def test_impossible_address_is_said(open_source, url):
    with pytest.raises(DownloadError, match=r"annotations_trainval2017\.zip: "):
        open_source(base_url=url).annotations()


def test_quiet(open_source, images, out, caplog, capfd):
    source = open_source()
    source.annotations()
    source.fetch(images, out)
    assert not caplog.records
    assert capfd.readouterr() == ("", "")
