"""The places of files in the data folder: what is there and is no file, such as a folder, is listed
in the damage as long as it is, with what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from balance.background.worker import Worker
from balance.bots.log import LOG_FILE
from balance.history.index import INDEX_FILE
from balance.market.board import FEED_FILE, MARKET_FILE
from balance.performance.sample_rows import EQUITY_FILE
from balance.store.damage import Damage, Damages
from balance.store.file_store import LOCK_FILE

# How often the places are looked at, in seconds.
_LOOK_SECONDS: Final = 5.0
# What does not work without a file. Of the others, their own readers and writers say so.
_WITHOUT: Final = {
    LOCK_FILE: "Changes are refused",
    INDEX_FILE: "The History can't be searched or sorted",
    EQUITY_FILE: "The equity is sampled in memory only",
    LOG_FILE: "The log of the bots is in memory only",
    MARKET_FILE: (
        "Prices, and the best ones of trailing stops, are not saved for other programs and the "
        "next start"
    ),
    FEED_FILE: "The past of the feed is not saved for the next start",
}


class Places:
    """The places of the files in ``folder``, in which what is no file is listed in ``damages``."""

    def __init__(self, folder: Path, damages: Damages) -> None:
        self._folder = folder
        self._damages = damages
        self._listed: set[Damage] = set()

    def look(self) -> None:
        """List what is no file now, and no longer what was none and has gone."""
        found = {
            Damage(name, None, _message(name, without))
            for name, without in _WITHOUT.items()
            if _is_taken(self._folder / name)
        }
        for damage in self._listed - found:
            self._damages.withdraw(damage)
        for damage in sorted(found, key=lambda each: each.file):
            self._damages.report(damage)
        self._listed = found


def place_watcher(places: Places) -> Worker:
    """A worker that looks at ``places`` in the background."""
    return Worker("places", places.look, "the data folder could not be looked at", _LOOK_SECONDS)


def _is_taken(path: Path) -> bool:
    # A link to nowhere is no file either.
    return os.path.lexists(path) and not path.is_file()


def _message(name: str, without: str) -> str:
    return (
        f"{name} is no file, but a folder or something else. {without} as long as it is there. "
        "Move it away: the file is made anew, without a restart."
    )
