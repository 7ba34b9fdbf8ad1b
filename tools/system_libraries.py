"""Make sure that WeasyPrint's system libraries are there: install them as root, or name them."""

import os
import shutil
import subprocess
import sys

PACKAGES = {
    "apt-get": "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    "dnf": "dnf install pango harfbuzz",
    "brew": "brew install pango",
}


def main() -> None:
    """Exit with 1, naming the packages, where the libraries are missing and stay so."""
    if _loads():
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        command, *rest = PACKAGES["apt-get"].split()
        subprocess.run([command, "update", "-q"], check=False)
        subprocess.run([command, *rest, "-y", "-q", "--no-install-recommends"], check=False)
        if _loads():
            return
    found = [line for tool, line in PACKAGES.items() if shutil.which(tool)]
    advice = " or ".join(found or PACKAGES.values())
    sys.exit(f"WeasyPrint's system libraries are missing. Install them first: {advice}")


def _loads() -> bool:
    """Try in a new process: an import that failed once fails for good.

    HarfBuzz's subsetter is among the packages because newer WeasyPrints may not load without it;
    where this one does, the report's bytes are the same (`smallsight.report.fonts`).
    """
    attempt = "import weasyprint"
    done = subprocess.run([sys.executable, "-c", attempt], capture_output=True)
    return done.returncode == 0


if __name__ == "__main__":
    main()
