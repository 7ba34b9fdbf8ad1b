"""The report of tables that were computed from predictions alone."""

from pathlib import Path

from smallsight.api.options import kind_of
from smallsight.api.tables import Tables
from smallsight.report.partial import write_report
from smallsight.runtime.errors import SmallsightError


def report(tables: Tables, folder: str | Path, *, title: str = "Small objects") -> None:
    """Write report.html and report.pdf of what could be computed.

    Parameters
    ----------
    tables
        As `analyse` returns them.
    folder
        Where both are written; made if need be.
    title
        Of the report.

    Raises
    ------
    SmallsightError
        For other tables than these, or where there can be no such folder.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from smallsight.api.analysis import analyse
    >>> names = {"category_name": ["car"] * 30, "predicted": ["car", "bus", "car"] * 10}
    >>> tables = analyse(pd.DataFrame({"id": range(30)} | names), draws=100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report(tables, folder, title="Cars")
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['report.html', 'report.pdf']
    """
    if not isinstance(tables, Tables):
        raise SmallsightError("report: tables", kind_of(tables), "what analyse returns")
    if not isinstance(folder, str | Path):
        raise SmallsightError("report: folder", kind_of(folder), "the path of a folder")
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SmallsightError(folder, error.strerror or str(error), "a folder") from None
    write_report(
        dict(tables),
        Path(folder),
        title=title,
        left_out=tables.left_out,
        families=tables.families,
        confidence=tables.confidence,
    )
