import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from smallsight.runtime.gpu_thread import gpu_seconds, on_gpu


def test_one_thread_does_the_work_of_all():
    threads, at_once, most = set(), [0], [0]

    def work():
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        threads.add(threading.get_ident())
        time.sleep(0.01)
        at_once[0] -= 1

    for _ in range(2):  # threads come and go
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: on_gpu("a GPU", work), range(8)))
    assert most == [1]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_what_is_found_comes_back_and_what_fails_is_raised():
    assert on_gpu("a GPU", lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        on_gpu("a GPU", lambda: 1 // 0)
    assert on_gpu("a GPU", lambda: 4) == 4


def test_each_thread_is_told_what_the_gpu_worked_for_it():
    def seconds_of(work):
        before = gpu_seconds()
        on_gpu("a GPU", lambda: time.sleep(work))
        return gpu_seconds() - before

    with ThreadPoolExecutor(2) as pool:
        short, long = pool.map(seconds_of, [0.02, 0.2])
    assert 0.02 <= short < 0.2 <= long  # however long the other one had to be waited for
