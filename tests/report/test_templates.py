"""Templates read what Python builds: every name and attribute in them is one that it has.

The types of what a template reads are followed from the frozen dataclass that its section's `build`
returns, through loops, assignments and attributes.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

import jinja2
import pytest
from jinja2 import nodes

from smallsight.report import brief, typeset
from smallsight.report.cards import Card
from smallsight.report.common import Common
from smallsight.report.marks import Heading
from smallsight.report.pictures import Shot
from smallsight.report.rows import Row
from smallsight.report.section import PlacedSection
from smallsight.report.sections.claims import Verdict
from smallsight.report.sections.registry import SECTIONS, ShownChapter
from smallsight.report.sheets.registry import SHEETS
from smallsight.report.stand_ins import Named

ENVIRONMENT = typeset.environment()
PARTS = {part.template: part for one in (*SECTIONS, *SHEETS) for part in (one, *one.parts)}
PAGES = {
    "report.html": {"chapters": list[ShownChapter], "stand_ins": list[Named]},
    "paper.html": {"sheets": list[PlacedSection], "stand_ins": list[Named]},
}
"""The templates that hold all sections, and all sheets; and what they read of them."""
JINJA = {"loop", "namespace", "source", "varargs"}
"""Names that Jinja or its environment has."""
READ = {
    "claim_verdict": {"one": Verdict | None},
    "framed": {"shot": Shot},
    "gap_cells": {"gap": Row},
    "condition_cell": {"heading": Heading},
    "outcome": {"card": Card},
    "card_view": {"card": Card},
}
"""What macros read, by the name of the argument; rows of tables are mappings with any columns."""


def returned(build):
    """Return the dataclass that a function builds, whether or not it may build none."""
    (found,) = alternatives(typing.get_type_hints(build)["return"])
    return found


def alternatives(kind):
    """Return the types that a value may have, without None."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [one for part in typing.get_args(kind) for one in alternatives(part)]
    return [] if kind is type(None) else [kind]


def elements(kind):
    """Return the type of what a sequence holds."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list or (origin is tuple and len(arguments) == 2 and arguments[1] is ...):
        return arguments[0]
    return Any


class Reader:
    """Walks through a template, and notes what it reads that is not there."""

    def __init__(self, template, scope):
        self.template, self.problems = template, []
        tree = ENVIRONMENT.parse(ENVIRONMENT.loader.get_source(ENVIRONMENT, template)[0])
        self.body(tree.body, dict(scope))

    def complain(self, node, text):
        self.problems.append(f"{self.template}, line {node.lineno}: {text}")

    def body(self, body, scope):
        for node in body:
            self.statement(node, scope)

    def statement(self, node, scope):
        if isinstance(node, nodes.For):
            inner = dict(scope)
            self.assign(node.target, elements(self.kind(node.iter, scope)), inner)
            if node.test is not None:
                self.kind(node.test, inner)
            self.body(node.body, inner)
            self.body(node.else_, scope)
        elif isinstance(node, nodes.If):
            self.kind(node.test, scope)
            for part in (node.body, [*node.elif_], node.else_):
                self.body(part, scope)
        elif isinstance(node, nodes.Assign):
            self.assign(node.target, self.kind(node.node, scope), scope)
        elif isinstance(node, nodes.AssignBlock):
            self.body(node.body, dict(scope))
            self.assign(node.target, Any, scope)
        elif isinstance(node, nodes.Macro):
            scope[node.name] = Any
            reads = READ.get(node.name, {})
            inner = {one.name: reads.get(one.name, Any) for one in node.args}
            self.body(node.body, scope | inner)
        elif isinstance(node, nodes.FromImport):
            scope.update(dict.fromkeys(node.names, Any))
        elif isinstance(node, nodes.Scope | nodes.ScopedEvalContextModifier):
            self.body(node.body, scope)
        else:
            for child in node.iter_child_nodes():
                self.kind(child, scope)

    def assign(self, target, kind, scope):
        if isinstance(target, nodes.Tuple):
            scope.update({one.name: Any for one in target.items})
        elif isinstance(target, nodes.Name):
            scope[target.name] = kind

    def kind(self, node, scope):
        """Return the type of an expression, as far as it is known; check all that it reads."""
        if isinstance(node, nodes.Name):
            if node.name not in scope and node.name not in JINJA:
                self.complain(node, f"no {node.name}")
            return scope.get(node.name, Any)
        if isinstance(node, nodes.Getattr):
            return self.attribute(node, self.kind(node.node, scope))
        if isinstance(node, nodes.Getitem):
            self.kind(node.arg, scope)
            return elements(self.kind(node.node, scope))
        if isinstance(node, nodes.Call):
            self.check_call(node, scope)
        if isinstance(node, nodes.CondExpr):
            found = [self.kind(one, scope) for one in (node.test, node.expr1, node.expr2) if one]
            return found[1] if len(found) == 3 and found[1] == found[2] else Any
        for child in node.iter_child_nodes(
            exclude=("node",) if isinstance(node, nodes.Call) else ()
        ):
            self.kind(
                child.value if isinstance(child, nodes.Keyword | nodes.Pair) else child, scope
            )
        return Any

    def check_call(self, node, scope):
        """A template may call macros and methods of its own constants, and nothing of Python's."""
        called = node.node
        if isinstance(called, nodes.Name):
            if called.name not in scope and called.name not in JINJA:
                self.complain(node, f"calls {called.name}")
        elif not (
            isinstance(called, nodes.Getattr) and isinstance(called.node, nodes.Const | nodes.Dict)
        ):
            self.complain(node, "calls a function of what it reads")

    def attribute(self, node, kind):
        kinds = alternatives(kind)
        known = [one for one in kinds if one is not Any and typing.get_origin(one) is not Mapping]
        found = []
        for one in known:
            hints = hints_of(one)
            if node.attr not in hints:
                self.complain(node, f"{one.__name__} has no {node.attr}")
            found.append(hints.get(node.attr, Any))
        return found[0] if len(found) == 1 and len(kinds) == 1 else Any


def hints_of(kind):
    """Return the types of a class's fields and properties, by name."""
    hints = dict(typing.get_type_hints(kind)) if dataclasses.is_dataclass(kind) else {}
    for name in dir(kind):
        member = getattr(kind, name)
        if isinstance(member, property):
            hints[name] = typing.get_type_hints(member.fget).get("return", Any)
        elif hasattr(kind, "_fields") and name in kind._fields:
            hints[name] = Any
    return hints


def imported(page):
    """Return the names of the macros that a page imports, for all templates that it includes."""
    tree = ENVIRONMENT.parse(ENVIRONMENT.loader.get_source(ENVIRONMENT, page)[0])
    return next(tree.find_all(nodes.FromImport)).names


def page_of(template):
    """Return the page that includes a template of a part."""
    return "paper.html" if template.startswith("sheets/") else "report.html"


def scope_of(template):
    """Return the types of what a template may read, by name."""
    page = {"common": Common, "n_conditions": int, "title": str}
    if template in PAGES:
        return page | PAGES[template]
    if template == "macros.html":
        return {"common": Common}
    if template == "summary.md":
        return {"common": Common, "section": brief.Brief}
    return (
        page
        | dict.fromkeys(imported(page_of(template)), Any)
        | {"section": returned(PARTS[template].build)}
    )


@pytest.mark.parametrize("template", [*PAGES, "macros.html", "summary.md", *PARTS])
def test_a_template_reads_nothing_that_is_not_there(template):
    assert Reader(template, scope_of(template)).problems == []


@pytest.mark.parametrize("template", PARTS)
def test_a_section_has_a_frozen_dataclass_as_its_context(template):
    context = returned(PARTS[template].build)
    assert dataclasses.is_dataclass(context)
    assert context.__dataclass_params__.frozen


def test_the_page_imports_the_macros_that_there_are():
    macros = ENVIRONMENT.parse(ENVIRONMENT.loader.get_source(ENVIRONMENT, "macros.html")[0])
    for page in PAGES:
        assert set(imported(page)) <= {one.name for one in macros.find_all(nodes.Macro)}


def test_every_template_of_a_section_is_one_of_the_page():
    own = {name for name in ENVIRONMENT.list_templates() if name.endswith(".html")}
    assert own == {*PAGES, "macros.html", *PARTS}


def test_a_section_is_called_like_its_module_and_template():
    for part in PARTS.values():
        if not part.name.startswith("sheets/"):
            assert part.build.__module__ == f"smallsight.report.sections.{part.name}"
        assert part.template == f"{part.name}.html"


@dataclasses.dataclass(frozen=True)
class Inner:
    row: Mapping[str, Any]
    name: str


@dataclasses.dataclass(frozen=True)
class Context:
    rows: list[Inner]
    first: Inner | None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ section.rows[0].name }}{{ section.first.row.anything }}", ""),
        ("{% for one in section.rows if one.name %}{{ one.name | upper }}{% endfor %}", ""),
        ("{% set one = section.first %}{{ one.nane }}", "Inner has no nane"),
        ("{% for one in section.rows %}{{ one.nane }}{% endfor %}", "Inner has no nane"),
        ("{{ 'a' if section.frist else 'b' }}", "Context has no frist"),
        ("{{ section.rows | join(section.separator) }}", "Context has no separator"),
        ("{{ {1: 'a'}.get(section.key, '') }}", "Context has no key"),
        ("{{ secton }}", "no secton"),
        ("{{ section.rows.count(1) }}", "calls a function of what it reads"),
        ("{{ study(1) }}", "calls study"),
    ],
)
def test_what_is_not_there_is_found(monkeypatch, text, problem):
    monkeypatch.setattr(ENVIRONMENT, "loader", jinja2.DictLoader({"x.html": text}))
    problems = Reader("x.html", {"section": Context}).problems
    assert problems == ([f"x.html, line 1: {problem}"] if problem else [])
