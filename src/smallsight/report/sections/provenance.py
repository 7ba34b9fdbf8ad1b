"""What the report was made from: numbers, versions, files and parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smallsight.backbones.engine import Engine
from smallsight.backbones.facts import BackboneFacts
from smallsight.report import provenance
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import decimal_list


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
        Numbers compared between experiments; packages and their versions; the frozen network, if
        heads were trained on one; files and the beginning of their hashes; keys of parameters and
        their values.
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


def network_rows(facts: BackboneFacts, engine: Engine | None, readout: str) -> list[Entry]:
    """Return a frozen network, its weights, and how pictures enter and leave it."""
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
        "Mean": decimal_list(facts.mean),
        "Deviation": decimal_list(facts.std),
        "Dilated": "yes" if facts.is_dilated else "no",
        "Readout": f"{readout}, {facts.readouts[readout]:,} numbers",
        "Cells": ", ".join(cells),
        "Run by": engine.describe() if engine else "–",
    }
    return rows(found)


def build(study: Study) -> Provenance | None:
    """Return what the section shows of a study; None where nothing but predictions is known."""
    if study.backbone is None:
        return None
    revision, readout = provenance.revision(), study.params.heads.readout
    return Provenance(
        experiment=revision.get("experiment", ""),
        baseline=revision.get("baseline", ""),
        metrics=rows(study.metrics),
        versions=rows(provenance.versions()),
        network=network_rows(study.backbone, study.engine, readout) if study.has_heads else [],
        files=rows(study.fingerprints),
        parameters=rows(dict(provenance.flattened(study.params.model_dump()))),
        digits=provenance.DIGITS,
    )


SECTION = Section(
    name="provenance",
    build=build,
    anchor="provenance",
    title="Provenance",
)
