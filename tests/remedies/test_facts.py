import json
from dataclasses import asdict, replace

import pytest

from smallsight.remedies.facts import (
    NEEDS,
    RemedyFacts,
    read_remedy_facts,
    write_remedy_facts,
)
from smallsight.runtime.errors import SmallsightError

TRIED = RemedyFacts(
    "zoom",
    "Zoom’s window",
    "Nearer, größer.",
    {"scene": "nothing", "object": "box"},
    {"scene": 2.25, "object": 1.0},
    {"scene": "picture", "object": "object"},
    "tried",
)
LEFT_OUT = replace(TRIED, name="flip", passes={}, state="left_out", command="dvc exp run -S a=b")
IMPOSSIBLE = replace(LEFT_OUT, name="dilated", state="impossible", reason="no such layer")


@pytest.mark.parametrize(
    "facts", [[], [TRIED], [IMPOSSIBLE, TRIED, LEFT_OUT]], ids=["none", "one", "some"]
)
def test_written_facts_come_back_in_order(tmp_path, facts):
    write_remedy_facts(facts, tmp_path / "facts.json")
    assert read_remedy_facts(tmp_path / "facts.json") == facts
    text = (tmp_path / "facts.json").read_text(encoding="utf-8")
    assert ("größer" in text) == bool(facts)
    assert json.loads(text) == [asdict(one) for one in facts]


def test_tasks_keep_their_order(tmp_path):
    write_remedy_facts([TRIED], tmp_path / "facts.json")
    (back,) = read_remedy_facts(tmp_path / "facts.json")
    assert list(back.needs) == list(back.passes) == ["scene", "object"]


def as_json(**changes):
    return json.dumps([asdict(TRIED) | changes])


@pytest.mark.parametrize(
    "content",
    [
        None, "", "{", "{}", "[{}]", '[{"name": "zoom"}]', "\x00", as_json(state="maybe"),
        as_json(needs={"scene": "money"}), as_json(passes={"scene": "two"}),
    ],
    ids=repr,
)  # fmt: skip
def test_facts_that_cannot_be_read_are_one_line(tmp_path, content):
    path = tmp_path / "facts.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SmallsightError) as caught:
        read_remedy_facts(path)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == str(path)


def test_what_can_be_had_for_less_comes_first():
    assert list(NEEDS) == ["nothing", "head", "box", "box_head"]
    assert len(set(NEEDS.values())) == len(NEEDS)
