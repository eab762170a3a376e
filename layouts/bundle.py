"""The page's own files: the styles as one, and the scripts as modules that import each other. Each
has its version in its address, so that a browser may keep it."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

ASSETS = Path(__file__).resolve().parent / "assets"
#: The module that a page begins with.
MAIN = "main.js"
#: The module that a worker runs, which is no part of a page.
WORKER = "worker.js"
#: The module that draws charts; a page imports it where it shows one.
CHARTS = "lightweight-charts.js"
# The package is never imported: it would bring pandas. Of it the page needs this file alone.
_CHARTS_PACKAGE, _CHARTS_FILE = "lwcharts", "vendor/lightweight-charts.standalone.production.js"
_IMPORTED = re.compile(r'^(?:import|export) [^"]*"(\.[^"]+)";$', re.MULTILINE)


@dataclass(frozen=True)
class Bundle:
    """All styles as one text. ``version`` is another one whenever ``text`` is."""

    text: str
    version: str


@dataclass(frozen=True)
class Modules:
    """All scripts by their paths below the assets; ``version`` is another one whenever one is."""

    texts: Mapping[str, str]
    version: str

    @property
    def folder(self) -> str:
        """Where they are served, without a slash at the end."""
        return f"/js/{self.version}"

    def imported(self, path: str = MAIN) -> tuple[str, ...]:
        """The module at ``path`` with all that it imports: what must come before it runs."""
        found: dict[str, None] = {}

        def add(path: str) -> None:
            if path not in found:
                found[path] = None
                for each in _IMPORTED.findall(self.texts[path]):
                    add(_joined(path, each))

        add(path)
        return tuple(found)


@cache
def styles() -> Bundle:
    """The styles of the folder itself first, then those of each folder in it, by name."""
    files = sorted(_files("css"), key=lambda each: (each[0].parent.parts, each[0].name))
    text = "\n".join(text for _, text in files)
    return Bundle(text, _version([text]))


@cache
def modules() -> Modules:
    """The scripts as they are in the folder now, and the library of charts from its package."""
    texts = {str(path): text for path, text in sorted(_files("js"))}
    texts[CHARTS] = _charts().read_text(encoding="utf-8")
    return Modules(texts, _version([*texts, *texts.values()]))


def _files(kind: str) -> list[tuple[PurePosixPath, str]]:
    return [
        (PurePosixPath(file.relative_to(ASSETS).as_posix()), file.read_text(encoding="utf-8"))
        for file in ASSETS.rglob(f"*.{kind}")
    ]


def _charts() -> Path:
    package = find_spec(_CHARTS_PACKAGE)
    if package is None or package.origin is None:
        raise ImportError(f"{_CHARTS_PACKAGE} is not installed: pip install -r requirements.txt")
    return Path(package.origin).parent / _CHARTS_FILE


def _version(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _joined(path: str, relative: str) -> str:
    parts = list(PurePosixPath(path).parent.parts)
    for each in PurePosixPath(relative).parts:
        if each == "..":
            parts.pop()
        else:
            parts.append(each)
    return "/".join(parts)
