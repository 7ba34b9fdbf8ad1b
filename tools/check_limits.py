"""Checks a study against the limits in `params.yaml`: writes `reports/limits.xml`.

Exit status: 0 passed; 1 failed, or nothing could be checked; 2 nothing failed, but something cannot
be told from so few objects.
"""

import sys
from collections import Counter
from pathlib import Path

from smallsight import params
from smallsight.limits.check import TABLES, check_limits, whole_status
from smallsight.limits.junit import write_junit
from smallsight.runtime import files, script
from smallsight.runtime.errors import SmallsightError
from smallsight.runtime.tables import read_table

ANALYSIS = Path("data/analysis")
XML = Path("reports/limits.xml")
EXIT_STATUS = {"passed": 0, "failed": 1, "cannot tell": 2}


def main() -> str:
    """Check the limits, print a sentence for each, and leave with the status of all."""
    # What cannot be checked must not look like the last time.
    XML.unlink(missing_ok=True)
    parameters = params.load()
    if not ANALYSIS.is_dir():
        raise SmallsightError(ANALYSIS, "no such folder", "a study that ran: dvc repro")
    results = check_limits(
        parameters.limits,
        {table.name: read_table(ANALYSIS / f"{table.name}.csv", table) for table in TABLES},
        confidence=parameters.analysis.confidence,
    )
    files.write_text(write_junit(results), XML)
    for one in results:
        print(f"{one.status:11}  {one.sentence}")
    status = whole_status(results)
    counted = Counter(one.status for one in results)
    summary = ", ".join(f"{number} {name}" for name, number in sorted(counted.items()))
    summary = f"{status}: {summary}; {XML}"
    if status != "passed":
        print(f"check_limits: {summary}")
        sys.exit(EXIT_STATUS[status])
    return summary


if __name__ == "__main__":
    script.run(main)
