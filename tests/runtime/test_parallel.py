import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import joblib
import pytest

from smallsight.runtime.errors import ParameterError, PictureError
from smallsight.runtime.parallel import (
    AHEAD,
    iterate_items,
    map_batches,
    map_here,
    map_items,
    progress,
    workers,
)


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    monkeypatch.delenv("SMALLSIGHT_DASK", raising=False)


def slow_square(number):
    time.sleep(0.02 * (number % 3 == 0))
    return number**2


def fail_at_three(number):
    if number == 3:
        raise PictureError("a/b.jpg", f"{number} bytes", "a picture")
    return number


def where_it_runs(_):
    time.sleep(0.01)
    return os.getpid(), threading.get_ident()


def items_of(count, prefer, function=slow_square):
    return map_items(function, range(count), description="squares", prefer=prefer)


@pytest.mark.parametrize("prefer", ["processes", "threads"])
@pytest.mark.parametrize("number", ["1", "2"])
def test_results_come_in_the_order_of_the_items(monkeypatch, prefer, number):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", number)
    assert items_of(20, prefer) == [n**2 for n in range(20)]
    assert items_of(0, prefer) == []


def test_processes_are_processes_and_threads_are_threads(monkeypatch):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "2")
    processes = {pid for pid, _ in items_of(8, "processes", where_it_runs)}
    threads = items_of(8, "threads", where_it_runs)
    assert os.getpid() not in processes
    assert {pid for pid, _ in threads} == {os.getpid()}
    assert threading.get_ident() not in {thread for _, thread in threads}


@pytest.mark.parametrize("prefer", ["processes", "threads"])
@pytest.mark.parametrize("number", ["1", "2"])
def test_errors_of_ours_come_back_whole(monkeypatch, prefer, number):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", number)
    with pytest.raises(PictureError) as caught:
        items_of(6, prefer, fail_at_three)
    assert str(caught.value) == str(PictureError("a/b.jpg", "3 bytes", "a picture"))
    assert caught.value.where == "a/b.jpg"


@pytest.mark.parametrize(
    "over",
    [partial(map_batches, threads=2), partial(iterate_items, prefer="threads")],
    ids=["batches", "items"],
)
def test_threads_wait_for_results_to_be_taken(monkeypatch, over):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "2")
    begun = []

    def begin(number):
        begun.append(number)
        return number

    results = over(begin, range(100), description="numbers")
    for due in range(3):
        assert next(results) == due
        time.sleep(0.05)
        assert len(begun) <= due + 2 * AHEAD
    # What is not asked for any more is not begun.
    results.close()
    assert len(begun) < 20
    assert list(over(begin, range(100), description="numbers")) == [*range(100)]


@pytest.mark.parametrize(
    "over", [partial(map_items, prefer="threads"), map_here], ids=["items", "here"]
)
def test_threads_do_not_wait_for_a_slow_item_where_all_results_are_kept(monkeypatch, over):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "2")
    all_others = threading.Event()

    def slow_at_first(number):
        if number == 99:
            all_others.set()
        return number if number else all_others.wait(timeout=20)

    assert over(slow_at_first, range(100), description="numbers") == [True, *range(1, 100)]


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", " ", "2 ", "1e3", "²"])
def test_a_number_of_workers_that_is_none_is_named(monkeypatch, text):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", text)
    with pytest.raises(ParameterError) as caught:
        map_items(slow_square, [1], description="x")
    assert caught.value.where == "SMALLSIGHT_WORKERS"
    assert caught.value.found == repr(text)


def test_default_is_every_core_this_process_may_use(monkeypatch):
    monkeypatch.delenv("SMALLSIGHT_WORKERS", raising=False)
    assert workers() == joblib.cpu_count()
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "")
    assert workers() == joblib.cpu_count()
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "7")
    assert workers() == 7


def test_progress_passes_items_on_and_keeps_quiet_for_short_work(capfd):
    assert list(progress(iter("abc"), total=3, description="letters")) == ["a", "b", "c"]
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    options = {"processes": False, "dashboard_address": None, "silence_logs": 50}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, **options) as cluster:
        yield cluster


@pytest.mark.parametrize("prefer", ["processes", "threads"])
def test_a_dask_cluster_gives_the_same_results(monkeypatch, cluster, prefer):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "1")
    here = items_of(12, prefer)
    monkeypatch.setenv("SMALLSIGHT_DASK", cluster.scheduler_address)
    ran_in = {thread for _, thread in items_of(4, prefer, where_it_runs)}
    assert threading.get_ident() not in ran_in
    assert items_of(12, prefer) == here


def test_errors_of_ours_come_back_from_a_cluster(monkeypatch, cluster):
    monkeypatch.setenv("SMALLSIGHT_DASK", cluster.scheduler_address)
    with pytest.raises(PictureError, match=r"^picture error: a/b\.jpg: 3 bytes"):
        items_of(6, "processes", fail_at_three)


@pytest.mark.parametrize("address", ["nonsense://x", "not an address"])
def test_a_scheduler_that_is_none_is_one_line_of_error(monkeypatch, address):
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    monkeypatch.setenv("SMALLSIGHT_DASK", address)
    with pytest.raises(ParameterError) as caught:
        items_of(2, "threads")
    assert caught.value.where == "SMALLSIGHT_DASK"
    assert len(str(caught.value).splitlines()) == 1


# What ends in the middle.

SLOW = """
import os, sys, time
from smallsight.runtime.parallel import map_items

def slow(number):
    print(os.getpid(), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    map_items(slow, range(4), description="sleeping")
"""


@pytest.fixture
def started(tmp_path, monkeypatch):
    """A process whose two workers have begun, and their numbers."""
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "2")
    (tmp_path / "slow.py").write_text(SLOW)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "slow.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    children = {int(process.stdout.readline()) for _ in range(2)}
    yield process, children
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def alive(numbers):
    return {each for each in numbers if Path(f"/proc/{each}").exists()}


def wait_until_gone(numbers):
    deadline = time.monotonic() + 20
    while alive(numbers) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not alive(numbers)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc, which lists processes")
def test_workers_do_not_outlive_a_process_that_is_killed(started):
    process, children = started
    assert len(alive(children)) == 2
    process.kill()
    assert wait_until_gone(children)


def ignores_interrupts(number):
    status = Path(f"/proc/{number}/status").read_text()
    ignored = int(re.search(r"^SigIgn:\s*(\w+)", status, re.MULTILINE)[1], 16)
    return bool(ignored >> (signal.SIGINT - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc, which lists processes")
def test_workers_say_nothing_of_an_interrupt_and_end(started):
    process, children = started
    assert all(map(ignores_interrupts, children))
    deadline = time.monotonic() + 20
    while ignores_interrupts(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)  # it does as long as it starts workers
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert said.count("Traceback") == 1  # a script's own; `script.run` makes a line of it
    assert wait_until_gone(children)
