import json

import pytest
from figure import draw
from pages import BEGIN, END, PAGE, RESULTS, section, write_section
from summary import MEASURES, summarise

from builders.bench_rounds import bench_round, results_of


@pytest.fixture(scope="module")
def found():
    rounds = [bench_round(), bench_round(plain=720.0)]
    return results_of(summarise(rounds), rounds)


def test_the_section_says_where_and_what(found):
    text = section(found)
    assert "a processor, 2 cores" in text
    assert "2026-01-01" in text
    for name, one in MEASURES.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| {one.label} |"))
        assert f"| {found['measures'][name]['median']:g} |" in row
    assert "| at least 6: met |" in text
    assert "| at most 3: not met |" in text


def test_the_section_replaces_what_stands_between_the_marks(found, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\n## After\n", encoding="utf-8")
    write_section(found, page)
    once = page.read_text(encoding="utf-8")
    assert once == f"# Before\n\n{BEGIN}\n\n{section(found)}\n\n{END}\n\n## After\n"
    write_section(found, page)
    assert page.read_text(encoding="utf-8") == once


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}{BEGIN}"])
def test_a_page_without_both_marks_stays_as_it_is(found, text, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="are expected"):
        write_section(found, page)
    assert page.read_text(encoding="utf-8") == text


def test_the_documentation_has_the_last_results():
    text = PAGE.read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)
    if not RESULTS.exists():
        pytest.skip("make bench has not been run: there is no benchmarks/results.json")
    last = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert text.partition(BEGIN)[2].partition(END)[0].strip() == section(last)
    assert last["ratio_table"] == last["measures"]["ratio_table"]["median"]


def test_the_figure_is_small(found, tmp_path):
    draw(found, tmp_path / "figure.png")
    made = (tmp_path / "figure.png").read_bytes()
    assert made.startswith(b"\x89PNG")
    assert 10_000 < len(made) < 200_000
