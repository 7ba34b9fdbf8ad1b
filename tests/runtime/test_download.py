"""A hostile server on this machine, and what is kept of what it sends."""

import errno
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from filelock import FileLock

from builders.http_server import Server, always, hung_up, respond, truncated, unavailable
from smallsight.runtime import connections
from smallsight.runtime import download as module
from smallsight.runtime.download import LastingDownloadError, download
from smallsight.runtime.errors import DownloadError, PictureError

CONTENT = bytes(range(256)) * 400
NAME = "/file.bin"
LOCK = ".file.bin.lock"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(module, "WAITS", (0, 0))
    server = Server()
    server.files[NAME] = CONTENT
    yield server
    server.close()


@pytest.fixture
def waits(monkeypatch):
    """Seconds that were waited, which take none."""
    waited = []
    monkeypatch.setattr(module.time, "sleep", waited.append)
    return waited


@pytest.fixture
def get(server, tmp_path):
    path = tmp_path / "cache/file.bin"

    def get(check=lambda path: None, **options):
        download(server.url + NAME, path, check, **{"at_most": 10**6} | options)
        return path.read_bytes()

    get.path = path
    return get


def left(get):
    """What lies in the folder afterwards."""
    return sorted(each.name for each in get.path.parent.iterdir())


def is_content(path):
    if path.read_bytes() != CONTENT:
        raise DownloadError(path, "MD5 0", "MD5 1")


def status(code, **headers):
    def answer(handler, _):
        handler.send_response(code, "\x1b[2Jown words")
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def from_byte(handler, content):
    """Answer with the range that is asked for."""
    start = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    handler.send_header("Content-Length", str(len(content) - start))
    handler.end_headers()
    handler.wfile.write(content[start:])


def go_on(handler, piece):
    """Send a piece now and then until the other side hangs up, or a test has failed by far."""
    try:
        for _ in range(500):
            handler.wfile.write(piece)
            time.sleep(0.01)
    except OSError:
        return


def begin_chunks(handler):
    """Begin an answer whose length is not told."""
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()


def dripping(handler, content):
    """Send a byte at a time, and never end."""
    handler.send_response(200)
    handler.end_headers()
    go_on(handler, b"x")


def without_end_of_head(handler, content):
    """Begin an answer, and never come to its end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Header: ")
    go_on(handler, b"x")


def without_end_of_trailer(handler, content):
    """Send the file in chunks, and what may follow them without an end."""
    begin_chunks(handler)
    handler.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n0\r\n")
    go_on(handler, b"X: y\r\n")


def endless(handler, content):
    """Send far more than anybody should take, and note whether it was taken."""
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(1000):
            handler.wfile.write(content)
        handler.server.was_taken = True
    except OSError:
        return


def test_a_file_comes_whole_and_alone(get):
    assert get() == CONTENT
    assert left(get) == ["file.bin"]


def test_an_endless_answer_ends_and_nothing_of_it_stays(server, get):
    server.faults[NAME] = always(endless)
    with pytest.raises(LastingDownloadError, match="more than 200,000 bytes; expected at most"):
        get(at_most=200_000, is_large=True)
    assert left(get) == [LOCK]
    assert server.requests == [NAME]


def test_a_file_that_says_it_is_too_large_is_not_begun(server, get):
    with pytest.raises(LastingDownloadError, match="102,400 bytes; expected at most 99,999"):
        get(at_most=99_999)
    assert left(get) == []


def test_a_byte_now_and_then_is_too_slow(server, get, monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 0.3)
    server.faults[NAME] = always(dripping)
    began = time.monotonic()
    with pytest.raises(DownloadError, match="bytes a second; expected at least 1,000"):
        get()
    assert time.monotonic() - began < 5
    assert len(server.requests) == 3


def test_silence_ends(server, get, monkeypatch):
    monkeypatch.setattr(module, "READ_TIMEOUT", 0.2)
    over = threading.Event()
    server.faults[NAME] = always(lambda handler, content: over.wait(10))
    with pytest.raises(DownloadError, match="timed out"):
        get()
    over.set()
    assert len(server.requests) == 3


def test_a_head_that_never_ends_is_too_slow(server, get, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_TIMEOUT", 0.3)
    server.faults[NAME] = always(without_end_of_head)
    began = time.monotonic()
    with pytest.raises(DownloadError, match=r"no whole answer in .* seconds; expected"):
        get()
    assert time.monotonic() - began < 5
    assert len(server.requests) == 3


def test_a_trailer_that_never_ends_is_too_slow(server, get, monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 0.2)
    monkeypatch.setattr(module, "READ_TIMEOUT", 0.2)
    server.faults[NAME] = always(without_end_of_trailer)
    began = time.monotonic()
    with pytest.raises(DownloadError, match="no whole answer in"):
        get()
    assert time.monotonic() - began < 5
    assert len(server.requests) == 3


def test_a_file_in_chunks_comes_whole(server, get):
    def in_chunks(handler, content):
        begin_chunks(handler)
        for piece in (content[:1000], content[1000:], b""):
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    server.faults[NAME] = always(in_chunks)
    assert get() == CONTENT


def malformed_chunk(handler, content):
    begin_chunks(handler)
    handler.wfile.write(b"own words\r\n")
    handler.close_connection = True


def malformed_head(handler, content):
    handler.wfile.write(b"own words\r\n\r\n")
    handler.close_connection = True


@pytest.mark.parametrize("answer", [malformed_chunk, malformed_head])
def test_a_malformed_answer_is_tried_again_and_not_printed(server, get, answer):
    server.faults[NAME] = always(answer)
    with pytest.raises(DownloadError, match="a malformed answer") as caught:
        get()
    assert "own words" not in str(caught.value)
    assert len(server.requests) == 3


def test_what_a_redirect_says_beside_its_address_is_not_read(server, get):
    server.files["/other"] = CONTENT

    def talkative(handler, content):
        handler.send_response(302)
        handler.send_header("Location", "/other")
        handler.end_headers()
        endless(handler, content)

    server.faults[NAME] = always(talkative)
    server.http.was_taken = False
    assert get() == CONTENT
    assert not server.http.was_taken
    assert server.requests == [NAME, "/other"]


def test_what_was_cut_off_goes_on_where_it_ended(server, get):
    server.faults[NAME] = iter([truncated, from_byte])
    assert get() == CONTENT
    assert server.ranges == [None, f"bytes={len(CONTENT) // 2}-"]


def test_a_large_file_goes_on_in_the_next_call(server, get):
    server.faults[NAME] = iter([truncated, hung_up, hung_up])
    with pytest.raises(DownloadError):
        get(is_large=True)
    assert left(get) == [".file.bin.download", LOCK]
    server.faults[NAME] = iter([from_byte])
    assert get(is_large=True) == CONTENT
    assert left(get) == [LOCK, "file.bin"]


def test_those_who_want_a_large_file_at_once_have_one_bring_it(server, get):
    def slowly(handler, content):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:1000])
        time.sleep(0.3)
        handler.wfile.write(content[1000:])

    server.faults[NAME] = always(slowly)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(get, is_content, is_large=True) for _ in range(4)]
        assert all(one.result() == CONTENT for one in asked)
    assert server.requests == [NAME]
    assert left(get) == [LOCK, "file.bin"]


def test_who_waits_for_another_download_says_so(get, monkeypatch, capsys):
    monkeypatch.setattr(module, "TOLD", 0.1)
    get.path.parent.mkdir()
    is_held = threading.Event()

    def hold():
        with FileLock(get.path.with_name(LOCK)):
            is_held.set()
            time.sleep(0.5)

    other = threading.Thread(target=hold)
    other.start()
    assert is_held.wait(timeout=20)
    assert get(is_large=True) == CONTENT
    other.join()
    assert capsys.readouterr().err.startswith("waiting for another process that downloads file.bin")


def test_where_the_file_system_has_no_locks_a_large_file_comes_all_the_same(get, monkeypatch):
    def none(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(FileLock, "acquire", none)
    assert get(is_large=True) == CONTENT


def test_a_large_file_that_is_there_but_damaged_is_replaced(server, get):
    get.path.parent.mkdir()
    get.path.write_bytes(b"damaged")
    assert get(is_content, is_large=True) == CONTENT


@pytest.mark.parametrize("left_over", [CONTENT, CONTENT + b"more"])
def test_more_than_the_beginning_of_a_file_is_fetched_anew(server, get, left_over):
    get.path.parent.mkdir()
    get.path.with_name(f".{get.path.name}.download").write_bytes(left_over)
    server.faults[NAME] = iter([status(416, Content_Range=f"bytes */{len(CONTENT)}")])
    assert get(is_large=True) == CONTENT
    assert server.ranges == [f"bytes={len(left_over)}-", None]


def test_a_small_file_leaves_nothing(server, get):
    server.faults[NAME] = always(truncated)
    with pytest.raises(DownloadError, match=r"IncompleteRead|of 102,400 bytes"):
        get()
    assert left(get) == []


def test_a_server_that_knows_no_ranges_sends_it_anew(server, get):
    server.faults[NAME] = iter([truncated])
    assert get() == CONTENT


@pytest.mark.parametrize("span", [{}, {"Content_Range": "bytes 7-9/10"}])
def test_another_range_than_was_asked_for_is_not_joined_on(server, get, span):
    server.faults[NAME] = iter([truncated, status(206, **span)])
    assert get() == CONTENT
    assert server.ranges[-1] is None


def test_the_rest_of_another_file_is_found_out_and_the_file_fetched_anew(server, get):
    get.path.parent.mkdir()
    get.path.with_name(".file.bin.download").write_bytes(b"old" * 99)
    server.faults[NAME] = iter([from_byte])
    assert get(is_content, is_large=True) == CONTENT
    assert server.ranges == ["bytes=297-", None]


def test_wrong_bytes_are_said_once_and_not_kept(server, get):
    def check(path):
        raise DownloadError(path, "MD5 0", "MD5 1")

    with pytest.raises(LastingDownloadError, match=f"{server.url}{NAME}: MD5 0; expected MD5 1"):
        get(check, is_large=True)
    assert server.requests == [NAME]
    assert left(get) == [LOCK]


def test_damage_on_the_way_is_tried_again(server, get):
    damaged = iter([PictureError("here", "truncated", "a picture"), None])

    def check(path):
        error = next(damaged)
        if error:
            raise error

    assert get(check) == CONTENT
    assert len(server.requests) == 2


def test_the_server_says_how_long_to_wait(server, get, waits):
    server.faults[NAME] = iter([status(429, Retry_After="7"), unavailable])
    assert get() == CONTENT
    assert waits == [7, 0]


@pytest.mark.parametrize("told", ["86400", "Fri, 31 Dec 2099 23:59:59 GMT"])
def test_nobody_waits_a_day(server, get, waits, told):
    server.faults[NAME] = always(status(429, Retry_After=told))
    with pytest.raises(DownloadError, match=r"429 Too Many Requests, in [0-9,]+ seconds again"):
        get()
    assert waits == []


@pytest.mark.parametrize(
    "told",
    [
        "soon",
        "9" * 5000,
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
    ],
)
def test_what_is_no_time_to_wait_is_passed_over(server, get, waits, told):
    server.faults[NAME] = always(status(503, Retry_After=told))
    with pytest.raises(DownloadError, match="503 Service Unavailable; expected 200 OK"):
        get()
    assert waits == [0, 0]


def test_500_then_fine(server, get):
    server.faults[NAME] = iter([status(500), status(500)])
    assert get() == CONTENT


def test_404_is_asked_for_once_and_the_servers_words_are_not_printed(server, get):
    server.faults[NAME] = always(status(404))
    with pytest.raises(LastingDownloadError) as caught:
        get()
    assert str(caught.value).endswith(f"{NAME}: 404 Not Found; expected 200 OK")
    assert server.requests == [NAME]


def test_a_packed_answer_is_not_unpacked(server, get):
    server.faults[NAME] = always(status(200, Content_Encoding="gzip"))
    with pytest.raises(LastingDownloadError, match="a packed answer"):
        get()


def test_redirects_stay_with_the_server(server, get):
    server.files["/other"] = CONTENT[::-1]
    server.faults[NAME] = iter([status(302, Location="/other")])
    assert get() == CONTENT[::-1]


@pytest.mark.parametrize(
    "target", ["https://127.0.0.1{port}/x", "http://localhost{port}/x", "file:///etc/hostname"]
)
def test_redirects_elsewhere_are_refused(server, get, target):
    target = target.format(port=server.url[server.url.rindex(":") :])
    server.faults[NAME] = always(status(302, Location=target))
    with pytest.raises(DownloadError, match=r"sends to .*; expected an address at http://127"):
        get()
    assert server.requests == [NAME]
    assert left(get) == []


def test_redirects_elsewhere_are_followed_where_they_are_allowed(server, get):
    other = Server()
    other.files["/there"] = CONTENT[::-1]
    server.faults[NAME] = iter([status(302, Location=f"{other.url}/there")])
    try:
        assert get(redirects=[other.url]) == CONTENT[::-1]
    finally:
        other.close()


def test_redirects_in_a_circle_end(server, get):
    server.faults[NAME] = always(status(302, Location=NAME))
    with pytest.raises(DownloadError, match="more than 5 redirects"):
        get()
    assert len(server.requests) == 6


def test_control_bytes_are_not_printed_raw(server, get):
    server.faults[NAME] = always(status(302, Location="http://evil/\x1b[31m"))
    with pytest.raises(DownloadError, match="sends to http://evil/") as caught:
        get()
    assert "\x1b" not in str(caught.value)
    assert "\\x1b[31m" in str(caught.value)


def test_the_file_that_was_there_stays_after_an_error(server, get):
    get.path.parent.mkdir()
    get.path.write_bytes(b"before")
    server.faults[NAME] = always(lambda handler, _: respond(handler, None))
    with pytest.raises(DownloadError):
        get()
    assert get.path.read_bytes() == b"before"
