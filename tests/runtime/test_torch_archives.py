import pytest
import torch

from builders.full_disk import room_for
from smallsight.runtime.torch_archives import write_archive


def test_what_is_written_is_read_without_running_anything(tmp_path):
    path = tmp_path / "weights.pth"
    write_archive({"name": "resnet18", "weight": torch.arange(3.0)}, path)
    found = torch.load(path, weights_only=True)
    assert (found["name"], found["weight"].tolist()) == ("resnet18", [0, 1, 2])
    assert [each.name for each in tmp_path.iterdir()] == ["weights.pth"]


def test_a_disk_without_room_is_an_error_of_the_disk_and_leaves_what_was(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"before")
    with pytest.raises(OSError, match="torch could not write it"), room_for(100_000):
        write_archive({"weight": torch.zeros(100_000)}, path)
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["weights.pth"]


def test_a_folder_that_takes_no_files_is_not_told_as_a_disk_without_room():
    with pytest.raises((PermissionError, FileNotFoundError)):
        write_archive({}, "/proc/weights.pth")
