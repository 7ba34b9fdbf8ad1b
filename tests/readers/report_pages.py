"""What a report says, read back from its pages and its summary."""

import contextlib
import dataclasses
import html as markup
import json
import re
from html.parser import HTMLParser

import numpy as np

from builders.study_files import INPUTS
from smallsight import params
from smallsight.report import page
from smallsight.report.inputs import read_study
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import GROUPS, HEADLINE_TASK

ON_SCREEN = [
    "In short",
    "Objects, one by one",
    "What to do",
    "The ladder: where the gap goes",
    "The original question: whole pictures",
    "What would rescue a failure",
    "Failures that may be the annotator’s",
    "What failures are taken for",
    "Accuracy by size and condition",
    "What each condition does",
    "How many pixels an object needs",
    "How much of a change reaches the network",
    "How stable the answers are",
    "Confidence",
    "Claims and verdicts",
    "Where the saliency maps lie",
    "How it was made",
    "Limits",
    "The sample",
    "Training of the reference head",
    "Provenance",
]
"""Sections of the page for a browser, in order."""
SWEPT = ("How many pixels an object needs", "How stable the answers are")
"""Sections that a study has only where it has the sweeps that they are about."""
PROTOCOL = "The original study’s protocol"


@dataclasses.dataclass(frozen=True)
class Forms:
    """One study's report, in its three forms."""

    study: Study
    screen: str
    printed: str
    sheets: list[str]
    summary: str


def forms_of(folder):
    with contextlib.chdir(folder):
        made = page.build(INPUTS, params.load())
        study = read_study(INPUTS, params.load())
        return Forms(study, made.screen(), made.printed(), made.anchors, made.summary())


class Tables(HTMLParser):
    """Every table of a page: its caption and the text of its cells, row by row."""

    def __init__(self, page):
        super().__init__()
        self.tables, self.stack, self.seen = [], [], set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        self.seen.update(name for name, _ in attributes)
        if tag == "table":
            self.tables.append(["", []])
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][1][-1].append("")
        if tag in ("caption", "th", "td"):
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if self.stack and self.stack[-1] == tag:
            self.stack.pop()

    def handle_data(self, data):
        if self.stack == ["caption"]:
            self.tables[-1][0] += data
        elif self.stack:
            self.tables[-1][1][-1][-1] += f" {data.strip()}".replace("\xa0", " ")


def unscripted(page):
    return re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)


def text_of(page):
    body = unscripted(page[page.index("<body>") :])
    return re.sub(r"\s+", " ", markup.unescape(re.sub(r"<[^>]*>", " ", body)))


def rows_of(page, caption):
    return next(rows for found, rows in Tables(page).tables if caption in found)


def body_of(page, caption):
    """Return the rows of a table below its heading, each cell on one line."""
    _, *body = rows_of(page, caption)
    return [[" ".join(cell.split()) for cell in cells] for cells in body]


def section(page, anchor):
    return page[page.index(f'<section id="{anchor}"') :].partition("</section>")[0]


def captions_of(part):
    """Return the text of every caption of a part of a page."""
    pattern = r'<(caption|figcaption)>(.*?)</\1>|<p class="caption">(.*?)</p>'
    found = (match[2] or match[3] for match in re.finditer(pattern, part, re.DOTALL))
    return [" ".join(re.sub("<[^>]*>", "", text).split()) for text in found]


def headings(page):
    return [markup.unescape(title) for title in re.findall(r"<h2>(.*?)</h2>", page)]


def explored(page):
    """Read the data of a screen's gallery."""
    (text,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def captions(page):
    """Return what stands with each number, by kind and number, in order; as markup."""
    begin, number = r"<(caption|figcaption|p)\b[^>]*>\s*", r"(Figure|Table) (\d+)\."
    pattern = rf'{begin}<b class="number">{number}</b>(.*?)</\1>'
    found = re.findall(pattern, page, re.DOTALL)
    assert len(found) == page.count('<b class="number">')
    return [((kind, int(number)), text.strip()) for _, kind, number, text in found]


def tooltips(page):
    return [markup.unescape(text) for text in re.findall(r'data-tip="([^"]*)"', page)]


def cells_of(line):
    """Split a row of a Markdown table at the bars that are none of the text."""
    assert re.match(r"\|.*\|\s*$", line)
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def tables_of(text):
    """Return the tables of Markdown: rows of cells, without the line below the heading."""
    tables = []
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if line.strip()]
        if not any(line.startswith("|") for line in lines):
            continue
        # A table is a block of its own, of equally long rows, the second of which rules the first.
        rows = [cells_of(line) for line in lines]
        assert len({len(row) for row in rows}) == 1
        assert all(re.fullmatch(r"-{3,}:?", cell) for cell in rows[1])
        tables.append([rows[0], *rows[2:]])
    return tables


def clauses(sentence, wordings):
    """Return the size groups that each wording is followed by, up to the next one."""
    found = {wording: [] for wording in wordings}
    pattern = "|".join(map(re.escape, sorted(wordings, key=len, reverse=True)))
    pieces = re.split(f"(?:^|; |, |: )({pattern}) for ", sentence)
    for wording, rest in zip(pieces[1::2], pieces[2::2], strict=True):
        found[wording] += re.findall(r"(small|medium|large) objects", rest)
    return found


def percents(*values):
    return [f"{100 * value:.1f}" for value in values]


def points(value):
    text = f"{100 * value:+.1f}".replace("-", "−")
    return "0.0" if text in ("+0.0", "−0.0") else text


def plain(text):
    """Return what Markdown shows of a text whose signs are escaped."""
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", text)


TIP = re.compile(r"(\), n = [\d,]+|, named .+: \d+%, n = [\d,]+(; open [\d,]+ objects?)?)$")
"""How tooltips end: with an interval, or of a cell that counts answers, and a number of objects."""


def check_numbers(page):
    """Check that every figure and every table has its number, in order."""
    numbered = [key for key, _ in captions(page)]
    for kind in ("Figure", "Table"):
        numbers = [number for one, number in numbered if one == kind]
        assert numbers == list(range(1, len(numbers) + 1))


def check_rungs(study, rows):
    """Check that rules and rungs stand with their accuracies; of empty groups a dash."""
    tables = [
        study.tables["baselines"].rename(columns={"baseline": "rung"}),
        study.tables["ladder"].query("rung != 'largest_object'"),
    ]
    assert rows[0][1:] == ["Small", "Medium", "Large", "Gap", "At one mix"]
    body = iter(rows[1:])
    for table in tables:
        for _, part in table.groupby("rung", sort=False):
            cells = next(body)
            by_group = part.set_index("size_group")
            for cell, group in zip(cells[1:4], GROUPS, strict=True):
                row = by_group.loc[group]
                acc, low, high = percents(row["accuracy"], row["ci_low"], row["ci_high"])
                assert cell == (f"{acc}% ({low}–{high})" if row["n"] else "–")
    assert not list(body)


def check_claims(study, rows):
    """Check that every whole claim stands with its verdict and interval, under its task."""
    table = study.tables["claims"].query("part == ''")
    assert [title.strip() for title in rows[0][1:]] == [
        TASK_NAMES[task].capitalize() for task in study.tasks
    ]
    for cells, (_, tested) in zip(rows[1:], table.groupby("claim", sort=False), strict=True):
        assert plain(cells[0]) == tested.iloc[0]["sentence"]
        for cell, task in zip(cells[1:], study.tasks, strict=True):
            found = tested[tested["task"] == task]
            if found.empty:
                assert cell == "–"
                continue
            row = found.iloc[0]
            known = np.isfinite([row["ci_low"], row["ci_high"]]).all()
            ends = (
                f"{points(row['ci_low'])} to {points(row['ci_high'])}" if known else "no interval"
            )
            verdict, _, notes = plain(cell).partition("; ")
            assert verdict == f"{row['verdict']} ({ends})"
            assert bool(notes) == bool(row["vacuous_conditions"] or row["adjusted"])


def check_accuracies(study, rows):
    """Check that every reference level stands with its accuracies; of empty groups a dash."""
    keys = ["task", "regime", "condition", "size_group"]
    table = study.tables["accuracy"].set_index(keys)
    references = [one for one in study.conditions(HEADLINE_TASK) if one.is_reference]
    title = f"Accuracy, {TASK_NAMES[HEADLINE_TASK]}, {study.headline_regime} head"
    assert rows[0] == [title, "All", "Small", "Medium", "Large"]
    for cells, one in zip(rows[1:], references, strict=True):
        assert plain(cells[0]) == study.label(one.name)
        for cell, group in zip(cells[1:], ("all", *GROUPS), strict=True):
            row = table.loc[HEADLINE_TASK, study.headline_regime, one.name, group]
            acc, low, high = percents(row["acc"], row["ci_low"], row["ci_high"])
            due = f"{acc}% ({low}–{high})" if row["n"] else "–"
            groups = [] if group == "all" else [group]
            mark = study.mark(HEADLINE_TASK, one.name, *groups)
            assert cell == " ".join(filter(None, (due, mark if row["n"] else "")))
