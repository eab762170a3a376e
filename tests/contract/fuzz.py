"""Schemathesis on every operation, with all its checks: ``python -m tests.contract.fuzz 300``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.standing import StandingServer

_HERE = Path(__file__).parent
_ROOT = str(_HERE.parents[1])


def fuzz(cases: int, *options: str) -> subprocess.CompletedProcess[str]:
    """What Schemathesis says after so many ``cases`` of every operation."""
    with (
        tempfile.TemporaryDirectory() as folder,
        StandingServer(Path(folder) / "account") as server,
    ):
        command = [
            Path(sys.executable).with_name("schemathesis"),
            *("--config-file", _HERE / "schemathesis.toml"),
            *("run", f"{server.url}/openapi.json"),
            *("--checks", "all", "--max-examples", str(cases), "--continue-on-failure"),
            # It never ends.
            *("--exclude-path", "/virtual_balance/stream"),
            *options,
        ]
        variables = {
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.contract.hooks",
            "PYTHONPATH": _ROOT,
        }
        return subprocess.run(command, cwd=folder, text=True, check=False, env=variables)


if __name__ == "__main__":
    sys.exit(fuzz(int(sys.argv[1]), *sys.argv[2:]).returncode)
