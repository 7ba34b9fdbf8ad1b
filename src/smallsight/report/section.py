"""How a section of a page is declared, and what its template reads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smallsight.report.study import Study


@dataclass(frozen=True)
class Part:
    """A piece of a section with a template of its own.

    Attributes
    ----------
    name
        Name of its module and, with `.html`, of its template; with its folder, if that has one.
    build
        Makes what the template reads as `section`: a frozen dataclass, or None where the study has
        no such part.
    """

    name: str
    build: Callable[[Study], Any]

    @property
    def template(self) -> str:
        """Name of the template."""
        return f"{self.name}.html"


@dataclass(frozen=True)
class Section(Part):
    """A section of a page: of the one for a browser, or a sheet of the one for paper.

    Attributes
    ----------
    anchor
        Id of its element, by which addresses lead to it.
    title
        Its heading.
    contents
        What the contents of paper call it; empty where it is not listed there.
    parts
        Further pieces, below its own template and inside the same element.
    """

    anchor: str
    title: str
    contents: str = ""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class PlacedPart:
    """A part of one study's page: its template, and what that reads."""

    template: str
    context: Any


@dataclass(frozen=True)
class PlacedSection:
    """A section of one study's page.

    Attributes
    ----------
    anchor, title, contents
        As in `Section`.
    parts
        Its own template and those of its parts, in order.
    """

    anchor: str
    title: str
    contents: str
    parts: tuple[PlacedPart, ...]


def place(section: Section, study: Study) -> PlacedSection | None:
    """Build what the templates of a section read; None where the study has no such section."""
    contexts = {part.template: part.build(study) for part in (section, *section.parts)}
    if contexts[section.template] is None:
        return None
    return PlacedSection(
        anchor=section.anchor,
        title=section.title,
        contents=section.contents,
        parts=tuple(
            PlacedPart(template, context)
            for template, context in contexts.items()
            if context is not None
        ),
    )
