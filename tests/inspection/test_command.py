"""`tools/inspect_data.py` and `make inspect`, and the page that they write."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from readers.prose import blocks_of, sentences_of, words_of
from smallsight import params
from smallsight.inspection.inspect import inspect
from smallsight.inspection.page import build

ROOT = Path(__file__).parents[2]
PAGE = "reports/inspect.html"


def contents():
    """Return every file of the folder with its bytes."""
    return {
        path.as_posix(): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()
    }


def run():
    return subprocess.run(
        [sys.executable, str(ROOT / "tools/inspect_data.py")],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )


def test_it_writes_the_page_and_nothing_else(project):
    before = contents()
    done = run()
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("36 objects of 2 categories in 12 pictures would be drawn")
    assert any(line.startswith("Look at: ") for line in lines)
    assert f"inspect_data: {PAGE}" in lines[-1]
    after = contents()
    assert after.keys() - before.keys() == {PAGE}
    assert {name: after[name] for name in before} == before


def test_what_cannot_be_inspected_leaves_one_line_and_no_page(project, tree):
    tree["categories"].pop()
    project()
    Path("reports").mkdir()
    Path(PAGE).write_text("of the last time")
    done = run()
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("inspect_data: annotation error: mine.json: ")
    assert not Path(PAGE).exists()


def test_make_help_names_the_target():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "make inspect" in done.stdout


@pytest.fixture
def page(project):
    return build(inspect(params.load()))


def test_the_page_shows_what_was_found(page):
    cells = [" ".join(cell.split()) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", page)]
    rows = [re.sub(r"<[^>]+>", "", cell) for cell in cells]
    place = rows.index("car")
    assert rows[place : place + 5] == ["car", "12 of 12", "6 of 6", "0 of 0", "18 of 18"]
    assert "Annotations of a crowd, not of one object" in rows
    assert "▲ 100.0%" in rows
    assert "small below 1%, large from 5% on" in page
    assert "a perceptual hash" in page


def test_the_page_stands_alone(page):
    assert not re.search(r"(?:src|href)=\"(?!#|data:,)", page)
    assert "nan" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def test_sentences_are_short(page):
    told = blocks_of(page, "p", "li", "caption")
    assert len(told) > 15
    for text in told:
        for sentence in sentences_of(text):
            assert len(words_of(sentence)) <= 30, sentence
            assert sentence.count(";") <= 1, sentence
