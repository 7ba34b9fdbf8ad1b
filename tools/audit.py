"""Ask a public database for known vulnerabilities of the locked packages."""

import json
import subprocess
import sys

LOCK = "requirements/dev.lock"
"""The lock that holds all others."""

VULNERABLE, UNANSWERED = 1, 2
"""Exit statuses besides 0, which says that every package was looked up and none has any."""


def main() -> None:
    """Print what is known, and exit with 1 if anything is, with 2 if anything was not asked."""
    command = ["pip-audit", "--requirement", LOCK, "--disable-pip", "--strict", "--format=json"]
    done = subprocess.run(
        [*command, "--progress-spinner=off"], capture_output=True, text=True, check=False
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
        found = [(one["name"], one["version"], fault) for one in packages for fault in one["vulns"]]
    except (ValueError, KeyError):
        # Strict: it lists nothing at all as soon as it gets no answer about one package.
        _leave_unanswered(done.stderr)
    if not packages or (done.returncode and not found):
        _leave_unanswered(done.stderr)
    for name, version, fault in found:
        fixed = ", ".join(fault["fix_versions"]) or "none"
        print(f"{name} {version}: {fault['id']}, fixed in {fixed}")
    print(f"{LOCK}: {len(packages)} packages, {len(found)} known vulnerabilities")
    sys.exit(VULNERABLE if found else 0)


def _leave_unanswered(output: str) -> None:
    """Exit with 2 and one line, which ends in the last of what the program said."""
    last = (output.strip().splitlines() or ["no answer"])[-1]
    print(f"{LOCK}: NOT audited, the database of vulnerabilities gave no answer: {last}")
    sys.exit(UNANSWERED)


if __name__ == "__main__":
    main()
