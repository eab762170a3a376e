"""Environments of tools that are not to be installed beside the product."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path


def environment(name: str, *packages: str) -> Path:
    """The folder with the programs of an environment that has ``packages``; made once."""
    folder = Path(tempfile.gettempdir()) / f"virtual-balance-{name}"
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    install = [programs / "python", "-m", "pip", "install", "--quiet", *packages]
    subprocess.run(install, check=True)
    return programs
