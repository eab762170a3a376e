"""The page's own scripts and styles, each kind as one file: a browser asks a server for six things
at once, and there are a hundred."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ASSETS = Path(__file__).resolve().parent / "assets"
#: A file of its own: it runs as a worker, too, which needs nothing else.
WORKER = "stream.js"
# What a script gives the others, and what of theirs it takes at once, when it is read.
_GIVEN = re.compile(r"^  window\.(balance\w+) =", re.MULTILINE)
_TAKEN = re.compile(r"^  (?:const .*|\}) = window\.(balance\w+);$", re.MULTILINE)


@dataclass(frozen=True)
class Bundle:
    """Many files as one. ``version`` is another one whenever ``text`` is."""

    text: str
    version: str


def bundle(kind: str) -> Bundle:
    """All files of ``kind``, ``js`` or ``css``, but the worker: those of the folder itself first,
    then those of each folder in it, by name; a script comes after those that it takes from."""
    files = sorted(
        (file for file in ASSETS.rglob(f"*.{kind}") if file.name != WORKER),
        key=lambda file: (file.parent.relative_to(ASSETS).parts, file.name),
    )
    text = "\n".join(_in_order([file.read_text(encoding="utf-8") for file in files]))
    return Bundle(text, hashlib.sha256(text.encode()).hexdigest()[:16])


def _in_order(files: list[str]) -> Iterable[str]:
    givers = {name: file for file in files for name in _GIVEN.findall(file)}
    ordered: dict[str, None] = {}

    def add(file: str) -> None:
        for name in _TAKEN.findall(file):
            add(givers[name])
        ordered.setdefault(file)

    for file in files:
        add(file)
    return ordered
