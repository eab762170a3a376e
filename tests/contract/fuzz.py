"""Schemathesis on every operation, with all its checks: ``python -m tests.contract.fuzz 300``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.contract.environment import environment
from tests.standing import StandingServer

_PACKAGE = "schemathesis==4.32.5"
_HERE = Path(__file__).parent


def main(cases: str = "300", *options: str) -> int:
    """Prove every operation with so many ``cases``; the exit code is that of Schemathesis."""
    programs = environment("schemathesis", _PACKAGE)
    with (
        tempfile.TemporaryDirectory() as folder,
        StandingServer(Path(folder) / "account") as server,
    ):
        command = [
            programs / "schemathesis",
            *("--config-file", _HERE / "schemathesis.toml"),
            *("run", f"{server.url}/openapi.json"),
            *("--checks", "all", "--max-examples", cases, "--continue-on-failure"),
            # It never ends.
            *("--exclude-path", "/virtual_balance/stream"),
            *options,
        ]
        return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
