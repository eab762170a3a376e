"""The page's own scripts and styles, each kind as one file: a browser asks a server for six things
at once, and there are a hundred."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

ASSETS = Path(__file__).resolve().parent / "assets"
#: A file of its own: it runs as a worker, too, which needs nothing else.
WORKER = "stream.js"


@dataclass(frozen=True)
class Bundle:
    """Many files as one. ``version`` is another one whenever ``text`` is."""

    text: str
    version: str


def bundle(kind: str) -> Bundle:
    """All files of ``kind``, ``js`` or ``css``, but the worker: those of the folder itself first,
    then those of each folder in it, by name."""
    files = sorted(
        (file for file in ASSETS.rglob(f"*.{kind}") if file.name != WORKER),
        key=lambda file: (file.parent.relative_to(ASSETS).parts, file.name),
    )
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return Bundle(text, hashlib.sha256(text.encode()).hexdigest()[:16])
