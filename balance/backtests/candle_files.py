"""Files of candles that were uploaded, for the backtests that run on them."""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final, TypedDict

from balance.background.pace import Pace
from balance.backtests.candles import symbol_of
from balance.core.errors import InvalidRequest
from balance.core.instrument import Instrument
from balance.core.instruments import check_dollars, instrument
from balance.core.moments import iso
from balance.core.shape import Count, Doc, Time
from balance.market.replay.candle_file import CandleFile, Reading, candles_in
from balance.market.symbols import symbol_in

#: The number of files that are kept, the newest ones.
MOST_FILES: Final = 5
#: Bytes that a packed file may have when it is unpacked.
MOST_UNPACKED: Final = 64 * 1024 * 1024
_LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file as it was uploaded; its candles would take many times the memory."""

    name: str
    data: bytes
    # The market that is taken, and the format of its dates, as the sender says; None where the file
    # says it.
    market: str | None
    date_format: str | None
    # The symbol in a column of the file; None without such a column.
    symbol: str | None
    first_price: Decimal

    def instrument(self, symbol: object) -> Instrument:
        """The instrument of its candles, where ``symbol`` is requested, or None.

        Raises:
            InvalidRequest: no symbol is known, or the file has another one.
        """
        return instrument(symbol_of(self.name, symbol, self.symbol), self.first_price)


_Span = TypedDict("_Span", {"from": Time, "to": Time})


class CandleFileRow(_Span):
    """What is in a file of candles."""

    id: Annotated[str, Doc("What POST /backtests takes as file.")]
    name: str
    symbol: Annotated[str | None, Doc("As a column or its name says; null where neither does.")]
    candles: Count
    seconds: Annotated[Count, Doc("Of one candle.")]
    notes: Annotated[list[str], Doc("What there is to know of it, such as rows that are left out.")]


class CandleFiles:
    """The newest uploaded files. Safe to use from many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._files: dict[str, UploadedFile] = {}
        # Files are read one at a time, as that takes memory.
        self._reading = threading.Lock()

    def add(
        self, name: str, data: bytes, market: str | None = None, date_format: str | None = None
    ) -> CandleFileRow:
        """Add the file of candles ``data``; returns what is in it, and its id. Of several markets
        in it, the one of the symbol ``market`` is taken; ``date_format`` is that of dates whose day
        and month are not clear.

        Raises:
            InvalidRequest: it can't be read; the message says which line is wrong. Or its prices
                are in no dollars.
        """
        name = _plain(name)
        file = self._read(name, data, market, date_format)
        symbol = file.symbol or symbol_in(name.rpartition(".")[0])
        if symbol is not None:
            check_dollars(symbol)
        file_id, last = secrets.token_hex(8), file.candles[-1].time
        first = file.candles[0].open
        with self._guard:
            self._files[file_id] = UploadedFile(name, data, market, date_format, file.symbol, first)
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
            "notes": list(file.notes),
        }

    def find(self, file_id: object) -> UploadedFile:
        """The file with the id ``file_id``.

        Raises:
            InvalidRequest: there is none.
        """
        with self._guard:
            found = self._files.get(file_id) if isinstance(file_id, str) else None
        if found is None:
            raise InvalidRequest(
                f"The file {file_id!r:.40} is not here: the newest {MOST_FILES} are kept, until "
                "the server stops. Send it again."
            )
        return found

    def read(self, file: UploadedFile) -> CandleFile:
        """The candles of ``file``."""
        return self._read(file.name, file.data, file.market, file.date_format)

    def _read(
        self, name: str, data: bytes, market: str | None, date_format: str | None
    ) -> CandleFile:
        reading = Reading(
            symbol=market or symbol_in(name.rpartition(".")[0]),
            date_format=date_format,
            most=MOST_UNPACKED,
            feather=False,
            rest=Pace().rest,
        )
        with self._reading:
            return candles_in([(name, data)], reading)


def _plain(name: str) -> str:
    """``name`` without its folder, as it may be shown."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(each for each in last if each.isprintable())[-_LONGEST_NAME:] or "candles.csv"
