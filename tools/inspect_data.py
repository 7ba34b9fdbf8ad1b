"""Looks at what a study would be made of, before any work: writes `reports/inspect.html`."""

from pathlib import Path

from smallsight import params
from smallsight.inspection.console import main_lines
from smallsight.inspection.inspect import inspect
from smallsight.inspection.page import build
from smallsight.runtime import files, script

PAGE = Path("reports/inspect.html")


def main() -> str:
    """Write the page, and print the lines that say most."""
    # What cannot be inspected must not look like the last time.
    PAGE.unlink(missing_ok=True)
    found = inspect(params.load())
    files.write_text(build(found), PAGE)
    for line in main_lines(found):
        print(line)
    return str(PAGE)


if __name__ == "__main__":
    script.run(main)
