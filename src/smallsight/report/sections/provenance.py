"""What the report was made from: numbers, versions, files and parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smallsight.report import provenance
from smallsight.report.section import Section
from smallsight.report.study import Study


@dataclass(frozen=True)
class Entry:
    """A name and what belongs to it."""

    name: str
    value: Any


@dataclass(frozen=True)
class Provenance:
    """What the section shows.

    Attributes
    ----------
    experiment, baseline
        Name of the DVC experiment, and the commit it started from; empty outside of one.
    metrics, versions, network, files, parameters
        Numbers compared between experiments; packages and their versions; the frozen network; files
        and the beginning of their hashes; keys of parameters and their values.
    digits
        Hexadecimal digits of a hash that are shown.
    """

    experiment: str
    baseline: str
    metrics: list[Entry]
    versions: list[Entry]
    network: list[Entry]
    files: list[Entry]
    parameters: list[Entry]
    digits: int


def rows(tree: Mapping[str, Any]) -> list[Entry]:
    """Return names and values as rows of a table."""
    return [Entry(name, value) for name, value in tree.items()]


def network_rows(study: Study) -> list[Entry]:
    """Return the frozen network, its weights, and how pictures enter and leave it."""
    facts, readout = study.backbone, study.params.heads.readout
    size = f"{facts.input_size} × {facts.input_size} pixels, {facts.interpolation}"
    cells = [f"{layer} {count} × {count}" for layer, count in facts.cells.items()]
    found = {
        "Network": facts.label,
        "Name": facts.name,
        "Weights": facts.weights,
        "Source": facts.source,
        "SHA-256": facts.sha256[: provenance.DIGITS] or "–",
        "Changed": "; ".join(facts.notes) or "–",
        "Input": size,
        "Mean": _numbers(facts.mean),
        "Deviation": _numbers(facts.std),
        "Dilated": "yes" if facts.is_dilated else "no",
        "Readout": f"{readout}, {facts.readouts[readout]:,} numbers",
        "Cells": ", ".join(cells),
    }
    return rows(found)


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def build(study: Study) -> Provenance:
    """Return what the section shows of a study."""
    revision = provenance.revision()
    return Provenance(
        experiment=revision.get("experiment", ""),
        baseline=revision.get("baseline", ""),
        metrics=rows(study.metrics),
        versions=rows(provenance.versions()),
        network=network_rows(study),
        files=rows(study.fingerprints),
        parameters=rows(dict(provenance.flattened(study.params.model_dump()))),
        digits=provenance.DIGITS,
    )


SECTION = Section(
    name="provenance",
    build=build,
    anchor="provenance",
    title="Provenance",
    contents="Provenance",
)
