"""Where the program and its account live, and the commands that messages advise. They are whole:
they work as they are pasted into a shell, from a clone in its folder."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from pathlib import Path
from typing import Final

#: The folder of app.py and the packages: a source tree, or the site-packages of an environment.
HOME: Final = Path(__file__).resolve().parents[2]

#: What agents are served with beside the other packages, as in ``requirements-mcp.txt``.
SDK: Final = "mcp==2.3.0"


def is_installed(home: Path = HOME) -> bool:
    """Whether the program in ``home`` was installed: an installer leaves its record beside it,
    which no source tree has."""
    return any(home.glob("virtual_balance-*.dist-info"))


def default_data_dir(home: Path = HOME) -> Path:
    """Where the account lives unless another folder is named: ``data`` beside the program in
    ``home``, or the user's own folder for data where the program was installed."""
    if not is_installed(home):
        return home / "data"
    # A clone does without it, also in an environment made before it was required.
    from platformdirs import user_data_path

    return user_data_path("virtual-balance", appauthor=False).resolve()


DEFAULT_DATA_DIR: Final = default_data_dir()


def option(folder: Path | None) -> str:
    """What names ``folder`` on a command line, with the space before it; nothing where that is the
    usual one, or there is none."""
    if folder is None or folder.resolve() == DEFAULT_DATA_DIR:
        return ""
    return f" --data-dir {shlex.quote(str(folder.resolve()))}"


def command(arguments: str, folder: Path | None) -> str:
    """``python -m balance`` with ``arguments``, for the account in ``folder``."""
    return f"python -m balance {arguments}{option(folder)}"


def program(folder: Path | None) -> str:
    """What starts the server on ``folder``."""
    return f"{'virtual-balance' if is_installed() else 'python app.py'}{option(folder)}"


def sdk_command() -> str:
    """What installs the SDK that agents are served with; empty where it is installed."""
    # Older versions of it have no package of types.
    is_there = importlib.util.find_spec("mcp_types") is not None
    return "" if is_there else f"{sys.executable} -m pip install {SDK}"
