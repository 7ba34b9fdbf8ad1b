"""What `make faults` tells of a fault, on runs and studies whose end is known."""

import random
import subprocess
from contextlib import contextmanager

import faults
import pytest
from faults import Ended, Outcome, Subject

from builders.cheap_pipeline import CheapPipeline

KILLED = Ended(1, "", ())
DONE = Ended(0, "", ())
TRACE = "Traceback (most recent call last):\nKeyError: 1"


class Played:
    """A run that ends as it is told to, and a study that is run to its end afterwards."""

    process = None

    def __init__(self, ended, *, is_on=True, status=0):
        self.ended, self.status = ended, status
        self.is_on = lambda: is_on
        self.end = lambda: ended

    @contextmanager
    def begun(self):
        yield self

    def repro(self):
        return subprocess.CompletedProcess([], self.status, "what it says")


@pytest.fixture
def struck(monkeypatch):
    """Let a strike befall a run that ends in a known way; return what became of it."""
    monkeypatch.setattr("faults.time.sleep", lambda seconds: None)
    strikes = []

    def struck(ended, **properties):
        played = Played(ended, **properties)
        found = faults.struck(played, strikes.append, 2, random.Random(0))
        assert len(strikes) == found.tries
        return found

    return struck


def test_a_run_that_a_strike_ends_is_survived(struck):
    assert struck(KILLED) == Outcome(2, 2)


def test_a_strike_without_effect_is_not_survived(struck):
    assert struck(DONE) == Outcome(2, 0, "a strike had no effect")


@pytest.mark.parametrize(
    ("ended", "said"),
    [(Ended(1, f"x\n{TRACE}", ()), TRACE), (Ended(1, "", ("python a",)), "left behind: python a")],
)
def test_a_run_that_ends_as_it_should_not_is_not_survived(struck, ended, said):
    assert struck(ended) == Outcome(2, 0, said)


def test_a_run_that_was_done_before_is_not_struck(struck):
    assert struck(DONE, is_on=False) == Outcome(0, 0)


def test_a_study_that_then_cannot_be_run_is_not_survived(struck):
    assert struck(KILLED, status=1) == Outcome(2, 0, "what it says")


@pytest.fixture
def table(monkeypatch, capsys):
    """Print the table of faults whose outcome is known; return it, and what is complained of."""

    def table(**outcomes):
        monkeypatch.setattr(faults, "rows", lambda *arguments, **options: outcomes.items())
        said = None
        try:
            faults.main(1, 0, False)
        except SystemExit as error:
            said = error.code
        return capsys.readouterr().out.splitlines(), said

    return table


def test_the_table_is_markdown(table):
    assert table(killed=Outcome(8, 8)) == (
        [
            "| fault | tries | survived | bytes lost |",
            "| --- | --- | --- | --- |",
            "| killed | 8 | 8 | 0 |",
        ],
        None,
    )


@pytest.mark.parametrize(
    ("outcome", "row", "said"),
    [
        (Outcome(0, 0), "| x | 0 | 0 | 0 |", "x: not survived"),
        (Outcome(2, 1), "| x | 2 | 1 | 0 |", "x: not survived"),
        (Outcome(1, 1, "a line"), "| x | 1 | 1 | 0 |", "x: a line"),
        (Outcome(1, 1, lost=1_234), "| x | 1 | 1 | 1,234 |", "x: not survived"),
    ],
)
def test_what_is_not_well_fails(table, outcome, row, said):
    assert table(fine=Outcome(1, 1), x=outcome) == (
        [*table()[0], "| fine | 1 | 1 | 0 |", row],
        said,
    )


class Elsewhere(Subject):
    """A study that is there already, run under other variables."""

    def __init__(self, project, **variables):
        self.folder, self.environment = project.folder, project.environment | variables


@pytest.mark.dvc
@pytest.mark.parametrize("shown", ["", " {os.environ.get('TZ')}"])
def test_pages_are_compared_with_the_same_seconds(tmp_path, shown):
    first = CheapPipeline(tmp_path / "first")
    first.add_seconds(shown)
    first.run_and_commit()
    whole = Elsewhere(first).lock()
    other = Elsewhere(first.clone(tmp_path / "other"), TZ="Pacific/Auckland")
    assert other.repro().returncode == 0
    lost, told = other.losses(first.folder, whole)
    if shown:
        assert lost == (first.folder / "reports/page").stat().st_size
        assert told == "stage show gives other bytes of the same input: reports/page"
    else:
        assert (lost, told) == (0, "")
