"""The report of tables that were computed from predictions alone: what can be drawn of them."""

import re
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight.analysis.tables import TABLES
from smallsight.classifiers.tables import PREPROCESSINGS
from smallsight.conditions.rendered.names import FamilyFacts
from smallsight.evaluation.tables import TRAINING_CURVE
from smallsight.params import Analysis, Data, Evaluation, Params, Sample
from smallsight.remedies.tables import REMEDY_TIMES
from smallsight.report import page, typeset
from smallsight.report.study import Study
from smallsight.runtime import files
from smallsight.runtime.tables import Table, conform, read_table
from smallsight.saliency.tables import GALLERY, MAP_LIST, STRIPS
from smallsight.sampling.sizes import DEFAULT
from smallsight.vocabulary import CATEGORY_NAME, INSTANCE, SIZE_GROUP


def write_report(
    tables: Mapping[str, pd.DataFrame],
    folder: Path,
    *,
    title: str,
    left_out: Mapping[str, str],
    families: Mapping[str, FamilyFacts],
    confidence: float,
) -> None:
    """Write report.html and report.pdf of some tables of the analysis.

    Sections whose tables are not there are absent, and so is all that a study knows beyond its
    tables: pictures, maps, and how it was made.

    Parameters
    ----------
    tables
        Some of `analysis.tables.TABLES`, by name.
    folder
        Made if need be.
    title
        Stands above the report.
    left_out
        Why the other tables are not there, by name.
    families
        What is known of each family of conditions that the tables name.
    confidence
        That of their intervals, 0 to 1.
    """
    study = study_of(tables, left_out=left_out, families=families, confidence=confidence)
    made = page.draw(study, title=title)
    folder.mkdir(parents=True, exist_ok=True)
    files.write_text(_by_name(made.screen()), folder / "report.html")
    with files.new_file(folder / "report.pdf") as partial:
        typeset.write_pdf(_by_name(made.printed()), partial, sheets=made.anchors)


def study_of(
    tables: Mapping[str, pd.DataFrame],
    *,
    left_out: Mapping[str, str],
    families: Mapping[str, FamilyFacts],
    confidence: float,
) -> Study:
    """Make a study of nothing but tables; the parameters are as `write_report` has them."""
    whole = {table.name: _as_in_a_file(tables.get(table.name), table) for table in TABLES}
    answers = whole["answers"]
    about = [*INSTANCE, CATEGORY_NAME.name, SIZE_GROUP.name]
    params = Params.model_construct(
        protocol="cross_validation",
        data=Data.model_construct(
            source="local", categories=tuple(dict.fromkeys(_categories(whole)))
        ),
        sample=Sample.model_construct(sizes=DEFAULT),
        evaluation=Evaluation.model_construct(),
        analysis=Analysis.model_construct(confidence=confidence),
    )
    names = defaultdict(list)
    for name, reason in left_out.items():
        names[reason].append(name)
    return Study(
        params=params,
        families=families,
        sample=answers[about].drop_duplicates(INSTANCE, ignore_index=True),
        sampling={},
        pictures={},
        backbone=None,
        classifier=None,
        preprocessings=PREPROCESSINGS.empty(),
        engine=None,
        tables=whole,
        remedies={},
        remedy_times=REMEDY_TIMES.empty(),
        curve=TRAINING_CURVE.empty(),
        training={},
        metrics={},
        gallery=GALLERY.empty(),
        strips=STRIPS.empty(),
        maps=MAP_LIST.empty(),
        map_values=np.empty((0, 1, 1), np.float32),
        about={"layer": ""},
        fingerprints={},
        left_out={
            f"{'table' if len(those) == 1 else 'tables'} {', '.join(those)}": reason
            for reason, those in names.items()
        },
    )


def _as_in_a_file(frame: pd.DataFrame | None, table: Table) -> pd.DataFrame:
    """Give a table's columns the types that they have once it was written and read."""
    if frame is None:
        return table.empty()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{table.name}.csv"
        conform(frame, table).to_csv(path, index=False)
        return read_table(path, table)


def _categories(tables: Mapping[str, pd.DataFrame]) -> pd.Series:
    """Return the names of all categories, in order."""
    return tables["confusion"]["category_name"]


def _by_name(html: str) -> str:
    """Call tables by their names: they lie in no files."""
    return re.sub(
        r"<code>data/analysis/([^<]*)</code>",
        lambda found: f"<code>{found[1].replace('.csv', '')}</code>",
        html,
    )
