import pytest
import torch

from smallsight.runtime.device import pick_device
from smallsight.runtime.errors import ParameterError


@pytest.mark.parametrize(
    ("name", "count", "due"),
    [("auto", 0, "cpu"), ("auto", 2, "cuda"), ("cpu", 2, "cpu"), ("cuda", 1, "cuda"),
     ("cuda:1", 2, "cuda:1"), ("cuda", 0, None), ("cuda:0", 0, None), ("cuda:2", 2, None)],
)  # fmt: skip
def test_devices_are_those_that_the_machine_has(monkeypatch, name, count, due):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    if due:
        assert pick_device(name) == torch.device(due)
    else:
        with pytest.raises(ParameterError, match=f"'{name}'") as caught:
            pick_device(name)
        assert caught.value.where == "params.device"


def test_whatever_the_device_torch_computes_with_one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        pick_device("cpu")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
