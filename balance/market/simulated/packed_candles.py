"""Candles of a minute as a short text, quick to make again each time that some have been added."""

from __future__ import annotations

import base64
import binascii
import zlib
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import Final

from balance.core.candles import MINUTE
from balance.core.instrument import Instrument
from balance.core.money import exact
from balance.core.quote import Candle

# The fields of a row: minute, open, how far high, low and close are from it, volume.
_FIELDS: Final = 6
_LARGEST: Final = 2**31 - 1


class Packer:
    """Packs the newest ``keep`` candles of ``instrument``, prices in ticks, volumes in steps."""

    def __init__(self, instrument: Instrument, keep: int) -> None:
        self._instrument = instrument
        self._keep = keep
        self._rows = array("i")

    def packed(self, candles: Sequence[Candle]) -> str:
        """``candles``, of which only the newest may have changed since the last call."""
        # The newest row may have been that of a running candle.
        del self._rows[-_FIELDS:]
        since = self._rows[-_FIELDS] if self._rows else 0
        fresh: list[Candle] = []
        for candle in reversed(candles[-self._keep :]):
            if _minute(candle) <= since:
                break
            fresh.append(candle)
        for candle in reversed(fresh):
            self._rows.extend(self._row(candle))
        del self._rows[: -self._keep * _FIELDS]
        return base64.b64encode(zlib.compress(self._columns(), level=1)).decode("ascii")

    def unpacked(self, text: str) -> list[Candle]:
        """The candles of a text that :meth:`packed` made; the next ones are packed to them.

        Raises:
            ValueError: it did not.
        """
        columns = array("i")
        try:
            columns.frombytes(zlib.decompress(base64.b64decode(text, validate=True)))
        except (zlib.error, binascii.Error) as fault:
            raise ValueError(str(fault)) from fault
        count, odd = divmod(len(columns), _FIELDS)
        if odd:
            raise ValueError("candles are cut off")
        rows = list(zip(*(columns[at : at + count] for at in _starts(count)), strict=True))
        self._rows = array("i", chain.from_iterable(rows))
        with exact():
            return [self._candle(*row) for row in rows]

    def _columns(self) -> bytes:
        # Packed by column, as similar numbers beside each other take less.
        return b"".join(self._rows[place::_FIELDS].tobytes() for place in range(_FIELDS))

    def _row(self, candle: Candle) -> tuple[int, ...]:
        tick, step = self._instrument.tick_size, self._instrument.step_size
        opened = int(candle.open / tick)
        return (
            _minute(candle),
            opened,
            int(candle.high / tick) - opened,
            opened - int(candle.low / tick),
            int(candle.close / tick) - opened,
            min(int(candle.volume / step), _LARGEST),
        )

    def _candle(
        self, minute: int, opened: int, rise: int, fall: int, gone: int, volume: int
    ) -> Candle:
        tick = self._instrument.tick_size
        return Candle(
            time=datetime.fromtimestamp(minute * MINUTE, UTC),
            open=opened * tick,
            high=(opened + rise) * tick,
            low=(opened - fall) * tick,
            close=(opened + gone) * tick,
            volume=Decimal(volume) * self._instrument.step_size,
        )


def _starts(count: int) -> range:
    return range(0, count * _FIELDS, max(count, 1))


def _minute(candle: Candle) -> int:
    return int(candle.time.timestamp()) // MINUTE
