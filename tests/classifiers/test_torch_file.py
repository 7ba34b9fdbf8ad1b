"""The file in which a study keeps a classifier's weights."""

import pickle

import pytest
import torch

from smallsight.classifiers.torch_file import read_state


class Dangerous:
    def __reduce__(self):
        return (print, ("this code must not run",))


def test_a_file_that_holds_code_is_refused_and_not_run(tmp_path, capsys):
    torch.save({"model_state_dict": {}, "classes": Dangerous()}, tmp_path / "model.pt")
    with pytest.raises(pickle.UnpicklingError):
        read_state(tmp_path / "model.pt")
    assert capsys.readouterr().out == ""
