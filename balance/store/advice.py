"""The commands that messages advise, whole: they work as they are pasted into a shell in the
program's folder."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

#: Where the account lives unless another folder is named: ``data`` beside the packages.
DEFAULT_DATA_DIR: Final = Path(__file__).resolve().parents[2] / "data"


def option(folder: Path | None) -> str:
    """What names ``folder`` on a command line, with the space before it; nothing where that is the
    usual one, or there is none."""
    if folder is None or folder.resolve() == DEFAULT_DATA_DIR:
        return ""
    return f" --data-dir {shlex.quote(str(folder.resolve()))}"


def command(words: str, folder: Path | None) -> str:
    """``python -m balance`` with ``words``, for the account in ``folder``."""
    return f"python -m balance {words}{option(folder)}"


def program(folder: Path | None) -> str:
    """What starts the server on ``folder``."""
    return f"python app.py{option(folder)}"
