"""What the report was made from: the sample, versions, parameters and files."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from smallsight.report.section import Section
from smallsight.report.sections import provenance, sample
from smallsight.report.sections.provenance import Entry, Provenance
from smallsight.report.sections.sample import Sample
from smallsight.report.study import Study

_DIGITS = 8
"""Hexadecimal digits of a hash that a sheet has room for."""


@dataclass(frozen=True)
class ProvenanceSheet:
    """What the sheet shows.

    Attributes
    ----------
    provenance
        What the page for a browser shows of it.
    sample
        What was drawn of each category; None where that is not known.
    parameters, files
        In one line each: a section of the parameters, its keys with their values; and a folder, its
        files with the beginning of their hashes.
    digits
        Hexadecimal digits of a hash that are shown.
    """

    provenance: Provenance
    sample: Sample | None
    parameters: list[Entry]
    files: list[Entry]
    digits: int


def gathered(entries: Iterable[Entry], *, part: Callable[[str], tuple[str, str]]) -> list[Entry]:
    """Put what belongs together into one line.

    Parameters
    ----------
    entries
        Names with their values.
    part
        Parts a name into what it belongs to, and the rest of it.

    Examples
    --------
    >>> known = [Entry("seed", 1), Entry("heads.epochs", 5), Entry("heads.rate", 0.1)]
    >>> gathered(known, part=first_key)
    [Entry(name='seed', value='1'), Entry(name='heads', value='epochs 5; rate 0.1')]
    """
    lines: dict[str, list[str]] = defaultdict(list)
    for one in entries:
        owner, rest = part(one.name)
        lines[owner].append(f"{rest} {one.value}".strip())
    return [Entry(owner, "; ".join(line)) for owner, line in lines.items()]


def _used(study: Study, parameters: Iterable[Entry]) -> list[Entry]:
    """Leave out what other sources of pictures and of classifiers would have read."""
    data = study.params.data
    unread = {f"data.{name}." for name in data.groups if name != data.source}
    if study.has_heads:
        unread |= {f"classifier.{name}" for name in type(study.params.classifier).model_fields}
        unread.remove("classifier.source")
    return [one for one in parameters if not one.name.startswith(tuple(unread))]


def first_key(name: str) -> tuple[str, str]:
    """Part a parameter's name into its section and the rest."""
    section, _, key = name.partition(".")
    return section, key


def folder(path: str) -> tuple[str, str]:
    """Part a path into the folder that it lies in, at most two deep, and the rest.

    Examples
    --------
    >>> folder("data/conditions/zoom/family.json")
    ('data/conditions', 'zoom/family.json')
    """
    *folders, name = path.split("/")
    return "/".join(folders[:2]), "/".join([*folders[2:], name])


def build(study: Study) -> ProvenanceSheet | None:
    """Return what the sheet shows of a study; None where nothing but predictions is known."""
    found = provenance.build(study)
    if found is None:
        return None
    shortened = [Entry(one.name, one.value[:_DIGITS]) for one in found.files]
    return ProvenanceSheet(
        found,
        sample.build(study),
        parameters=gathered(_used(study, found.parameters), part=first_key),
        files=gathered(shortened, part=folder),
        digits=_DIGITS,
    )


SHEET = Section(
    name="sheets/provenance",
    build=build,
    anchor="provenance",
    title="Provenance",
    contents="Provenance",
)
