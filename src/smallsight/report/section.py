"""How a section of the page is declared, and what its template reads."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from smallsight.report.study import Study

Form = Literal["screen", "paper"]
"""A form of the page: explored in a browser, or printed."""


@dataclass(frozen=True)
class Part:
    """A piece of a section with a template of its own.

    Attributes
    ----------
    name
        Name of its module and, with `.html`, of its template.
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
    """A section of the page.

    Attributes
    ----------
    anchor
        Id of its element, by which addresses lead to it.
    title
        Its heading.
    contents
        What the table of contents calls it; empty where it is not listed there.
    forms
        The forms of the page that show it.
    parts
        Further pieces, below its own template and inside the same element.
    count_figures
        Counts the figures of a section that only one form shows, so that figures have the same
        numbers in both.
    """

    anchor: str
    title: str
    contents: str = ""
    forms: tuple[Form, ...] = ("screen", "paper")
    parts: tuple[Part, ...] = ()
    count_figures: Callable[[Any], int] = field(default=lambda context: 0)


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
    anchor, title, contents, forms
        As in `Section`.
    parts
        Its own template and those of its parts, in order.
    n_figures
        Figures that a form without this section passes over.
    """

    anchor: str
    title: str
    contents: str
    forms: tuple[Form, ...]
    parts: tuple[PlacedPart, ...]
    n_figures: int


def place(section: Section, study: Study) -> PlacedSection | None:
    """Build what the templates of a section read; None where the study has no such section."""
    contexts = {part.template: part.build(study) for part in (section, *section.parts)}
    own = contexts[section.template]
    if own is None:
        return None
    return PlacedSection(
        anchor=section.anchor,
        title=section.title,
        contents=section.contents,
        forms=section.forms,
        parts=tuple(
            PlacedPart(template, context)
            for template, context in contexts.items()
            if context is not None
        ),
        n_figures=section.count_figures(own),
    )
