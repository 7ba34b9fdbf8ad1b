import json
import sys

import bench
import pytest
from summary import MEASURES

from builders.bench_rounds import bench_round


class Copy:
    """Stands for a copy of the study: remembers what it is asked for."""

    def __init__(self, *given):
        self.calls = []

    def repro(self, *targets):
        self.calls.append(("repro", *targets))
        return {"seconds": float(len(self.calls)), "peak_gib": 1.0}

    def change(self, key, value):
        self.calls.append((key, value))

    def restore(self):
        self.calls.append("restore")

    def keep(self):
        self.calls.append("keep")


def test_the_default_study_is_run_from_nothing_again_and_with_a_changed_level():
    copy = Copy()
    found = bench.measure_default(copy)
    assert copy.calls == [
        "restore", ("repro",), ("repro",), ("conditions.occlusion.ratio", [0.5]), ("repro",),
        "restore",
    ]  # fmt: skip
    assert list(found) == ["from nothing", "nothing changed", "a changed level"]


def test_sides_take_turns_in_coming_first(monkeypatch):
    order = []

    def script(name, *given):
        order.append(name)
        return {"seconds": 1.0, "peak_gib": 1.0}

    def pipeline(six):
        order.append("pipeline")
        return {"seconds": 1.0, "peak_gib": 1.0}

    monkeypatch.setattr(bench, "script", script)
    monkeypatch.setattr(bench, "measure_pipeline", pipeline)
    six = Copy()
    six.folder = "six"
    for number in range(2):
        bench.measure_round(number, six, Copy())
    rest = ["limit.py", "saliency.py"]
    assert order == ["plain_study.py", "pipeline", *rest, "pipeline", "plain_study.py", *rest]


def test_results_hold_what_is_promised(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench, "StudyCopy", Copy)
    rounds = iter([bench_round(), bench_round(plain=600.0), bench_round(plain=480.0)])
    monkeypatch.setattr(bench, "measure_round", lambda *given: next(rounds))
    before = bench.PAGE.read_bytes()
    bench.main(600, 3, None, None, tmp_path)
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["ratio_table"] == 8
    assert set(found["measures"]) == set(MEASURES)
    assert all({"median", "least", "largest"} <= set(one) for one in found["measures"].values())
    assert len(found["rounds"]) == 3
    assert found["machine"]["processor"]
    assert found["machine"]["cores"] >= 1
    assert found["settings"]["objects"] == 600
    assert (tmp_path / "results.png").stat().st_size < 200_000
    assert "| at least 6: met |" in capsys.readouterr().out
    assert bench.PAGE.read_bytes() == before


@pytest.mark.parametrize("options", [["--photographs", "x"], ["--rounds", "0"], ["--objects", "2"]])
def test_options_that_cannot_be_are_refused(monkeypatch, options):
    monkeypatch.setattr(sys, "argv", ["bench.py", *options])
    with pytest.raises(SystemExit) as error:
        bench.parse()
    assert error.value.code == 2
