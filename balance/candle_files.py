"""Files of candles that were sent to the server, for the backtests that run on them."""

from __future__ import annotations

import io
import re
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from balance.core.currencies import check_dollars
from balance.core.errors import InvalidRequest
from balance.core.instrument import Instrument
from balance.core.instruments import instrument
from balance.core.moments import iso
from balance.core.rows import Row
from balance.feeds.choose import symbol_in
from balance.feeds.csv_file import CandleFile
from balance.pace import gently
from balance.pasts import read_text, symbol_of

#: How many are kept; the newest ones.
MOST_FILES: Final = 5
_LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file as it was sent; read, it would take many times the room."""

    name: str
    text: str
    first_price: Decimal

    def traded(self, asked: object) -> Instrument:
        """What its candles are of, where a person asks for the symbol ``asked`` or for none.

        Raises:
            InvalidRequest: no symbol is known, or the file has another one.
        """
        return instrument(symbol_of(self.name, asked), self.first_price)


class CandleFiles:
    """The newest files. Safe to use from many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._files: dict[str, KeptFile] = {}
        # one at a time: what it reads takes memory
        self._reading = threading.Lock()

    def keep(self, name: str, text: str) -> Row:
        """Keep the CSV file ``text``; what is in it, and the id that it has here.

        Raises:
            InvalidRequest: it can't be read; the words say which line is wrong. Or its name says
                that its prices are in no dollars.
        """
        name = _plain(name)
        symbol = symbol_in(name.rpartition(".")[0])
        if symbol is not None:
            check_dollars(symbol)
        file = self._read(name, text)
        file_id, last = secrets.token_hex(8), file.candles[-1].time
        with self._guard:
            self._files[file_id] = KeptFile(name, text, file.candles[0].open)
            while len(self._files) > MOST_FILES:
                del self._files[next(iter(self._files))]
        return {
            "id": file_id,
            "name": name,
            "symbol": symbol,
            "candles": len(file.candles),
            "seconds": file.seconds,
            "from": iso(file.candles[0].time),
            "to": iso(last + timedelta(seconds=file.seconds)),
        }

    def kept(self, file_id: object) -> KeptFile:
        """The file with the id ``file_id``.

        Raises:
            InvalidRequest: it is not kept.
        """
        with self._guard:
            found = self._files.get(file_id) if isinstance(file_id, str) else None
        if found is None:
            raise InvalidRequest(
                f"The file {file_id!r:.40} is not here: the newest {MOST_FILES} are kept, until "
                "the server stops. Send it again."
            )
        return found

    def read(self, kept: KeptFile) -> CandleFile:
        """The candles of ``kept``."""
        return self._read(kept.name, kept.text)

    def _read(self, name: str, text: str) -> CandleFile:
        with self._reading:
            return read_text(name, gently(io.StringIO(text, newline="")))


def _plain(name: str) -> str:
    """``name`` without its folder, as it may be shown."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(each for each in last if each.isprintable())[-_LONGEST_NAME:] or "candles.csv"
