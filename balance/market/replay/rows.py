"""Rows of a table as candles: what a candle must hold, and what is none."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from itertools import repeat
from typing import Final, NamedTuple, TypeVar

from balance.core.instruments import instrument, is_same_but_for_dollars
from balance.core.money import LIMIT, ZERO, is_bounded
from balance.core.quote import Candle, MarkPrices
from balance.market.replay.cells import (
    Mark,
    UnclearDate,
    find_date_order,
    find_decimal_mark,
    is_daytime,
    is_missing,
    parse_number,
    parse_time,
)
from balance.market.replay.columns import PRICES
from balance.market.replay.table import Table
from balance.market.symbols import symbol_in

# The smallest price that is_bounded() accepts.
_LEAST_PRICE: Final = Decimal("1e-24")
# A volume may be in units worth a fraction of a cent.
_MOST_VOLUME: Final = LIMIT * LIMIT
# Rows that are read at once.
_BLOCK: Final = 1_024
_LONGEST_CELL: Final = 40
_DATE_LENGTH: Final = len("2022-01-31")
_MOST_SYMBOLS: Final = 8
_Value = TypeVar("_Value")
_DATES: Final = {"dmy": "the day first", "mdy": "the month first"}
_COUNTED: Final = {
    "gaps": "{} without prices left out, as a gap.",
    "volumes": "{} without a volume: it is 0 there.",
    "widened": "{} with an open or close outside high and low by a tick at most: high and low "
    "were widened to it.",
}


class Row(NamedTuple):
    """A candle, and where it stands."""

    candle: Candle
    # The funding rate, a fraction.
    rate: Decimal | None
    mark: MarkPrices | None
    table: Table
    place: int

    @property
    def where(self) -> str:
        """``btc.csv line 7``."""
        return f"{self.table.name} {self.table.where(self.place)}"


@dataclass(frozen=True, slots=True)
class _Block:
    """Cells of some rows that follow each other."""

    times: Sequence[str]
    # By the place of their column.
    cells: dict[int, list[str]]
    # Where each row is in the table.
    places: Sequence[int]


class RowReader:
    """Reads the rows of one table, and collects notes for a reader of its candles."""

    def __init__(self, table: Table, symbol: str | None, order: str | None) -> None:
        """``symbol`` is what is taken of several markets, such as BTC/USDT; ``order`` that of dates
        such as 03/02/2025: ``dmy``, ``mdy`` or ``ymd``.

        Raises:
            ValueError: it has several markets, and none of them is the symbol.
        """
        self._table = table
        self._columns = columns = table.columns
        self._order, self._is_order_given = order, order is not None
        #: The number of rows by what is special about them.
        self.counts: Counter[str] = Counter()
        # The note on the symbol that was chosen of several; empty where there is one only.
        self._choice = ""
        #: As a column names it; None without one.
        self.symbol = None if columns.symbol is None else self._choose(symbol)
        self._places = self._places_of(self.symbol)
        known = self.symbol or symbol or ""
        self._known_symbol = symbol_in(known) or known
        self._volume = columns.volume_of(plain(known))
        self._numbers = [*columns.prices, *columns.marks]
        self._numbers += [] if self._volume is None else [self._volume]
        self._mark: Mark | None = "."
        self._parse: Callable[[str], Decimal] = Decimal
        if table.has_commas(self._numbers):
            self._mark = find_decimal_mark(
                cell for place in self._numbers for cell in self._all(place)
            )
            if self._mark is not None:
                self._parse = partial(parse_number, mark=self._mark)
        days, daytimes = (self._some(each, 0, 3) for each in (columns.time, columns.daytime))
        self._has_daytimes = any(map(is_daytime, daytimes)) and not any(":" in day for day in days)

    def rows(self, rest: Callable[[], None]) -> list[Row]:
        """The candles, with the places of their rows; ``rest`` is called now and then.

        Raises:
            ValueError: one is wrong; the message says which.
        """
        rows: list[Row] = []
        for begin in range(0, len(self._places), _BLOCK):
            rows += self._rows(self._block(begin))
            rest()
        return rows

    def notes(self) -> list[str]:
        """What a reader of the candles should know, in sentences, beside the counts."""
        notes = [self._choice] if self._choice else []
        if self._volume is None:
            notes.append("It has no volume column: volume is 0.")
        if self._order in _DATES and not self._is_order_given:
            notes.append(f"Its dates have {_DATES[self._order]}.")
        return notes

    def _symbols(self) -> dict[str, str]:
        """The names in the symbol column as they stand there, each with its plain form."""
        place = self._columns.symbol or 0
        names = dict.fromkeys(self._table.cells(place))
        return {each: plain(each) for each in names if each != self._table.header[place]}

    def _choose(self, symbol: str | None) -> str | None:
        """The name in the symbol column of the rows that are taken; None where there is none."""
        found = {each: name for name, each in self._symbols().items() if each}
        if len(found) <= 1:
            return next(iter(found.values()), None)
        exact = plain(symbol or "")
        fitting = [each for each, name in found.items() if symbol and _fits(name, symbol)]
        if exact not in fitting and len(fitting) != 1:
            of = f", and not {symbol:.40}" if symbol and not fitting else ""
            raise ValueError(
                f"{self._table.name} has candles of {len(found):,} markets, "
                f"{listed(found.values())}{of}: name one of them as the symbol"
            )
        taken = found[exact if exact in fitting else fitting[0]]
        self._choice = f"Of its {len(found):,} markets, {taken:.40} is taken."
        return taken

    def _places_of(self, symbol: str | None) -> Sequence[int]:
        """The rows of ``symbol``, and those that name none."""
        if symbol is None or self._columns.symbol is None or not self._choice:
            return range(self._table.height)
        taken = ("", plain(symbol))
        others = {name for name, each in self._symbols().items() if each not in taken}
        cells = self._table.cells(self._columns.symbol)
        return [place for place, cell in enumerate(cells) if cell not in others]

    def _some(self, column: int | None, begin: int, end: int) -> list[str]:
        """The cells of ``column`` in the rows from ``begin`` to ``end``."""
        return [] if column is None else self._table.cells(column, self._places[begin:end])

    def _all(self, column: int) -> list[str]:
        return self._some(column, 0, len(self._places))

    def _block(self, begin: int) -> _Block:
        columns, end = self._columns, begin + _BLOCK
        times = self._some(columns.time, begin, end)
        if self._has_daytimes:
            daytimes = self._some(columns.daytime, begin, end)
            pairs = zip(times, daytimes, strict=True)
            times = [f"{day} {_with_colons(each.strip())}" for day, each in pairs]
        more = {0, *self._numbers, columns.funding_rate}
        return _Block(
            times=times,
            cells={each: self._some(each, begin, end) for each in more if each is not None},
            places=self._places[begin:end],
        )

    def _rows(self, block: _Block) -> list[Row]:
        columns, candles = self._columns, self._candles(block)
        rates: Iterable[Decimal | None] = repeat(None)
        marks: Iterable[MarkPrices | None] = repeat(None)
        if columns.funding_rate is not None:
            rates = self._beside(block, candles, self._rate)
        if columns.marks:
            marks = self._beside(block, candles, self._mark_prices)
        each = zip(candles, rates, marks, block.places, strict=False)
        return [
            Row(candle, rate, mark, self._table, place)
            for candle, rate, mark, place in each
            if candle is not None
        ]

    def _candles(self, block: _Block) -> Sequence[Candle | None]:
        """The candles of the rows of ``block``; None where one is no candle."""
        prices = [map(self._parse, block.cells[each]) for each in self._columns.prices]
        volumes: Iterable[Decimal] = (
            repeat(ZERO) if self._volume is None else map(self._parse, block.cells[self._volume])
        )
        try:
            return list(map(_candle, self._times(block.times), *prices, volumes))
        except (ValueError, InvalidOperation):
            # One by one, to see which row it is.
            return [self._at(block, each, self._read_candle) for each in range(len(block.places))]

    def _beside(
        self,
        block: _Block,
        candles: Sequence[Candle | None],
        read: Callable[[_Block, int], _Value],
    ) -> Iterable[_Value | None]:
        """What ``read`` makes of the rows that are candles."""
        return [
            None if candle is None else self._at(block, index, read)
            for index, candle in enumerate(candles)
        ]

    def _at(self, block: _Block, index: int, read: Callable[[_Block, int], _Value]) -> _Value:
        """What ``read`` makes of the row at ``index``; its faults say which row it is."""
        try:
            return read(block, index)
        except ValueError as fault:
            where = self._table.where(block.places[index])
            raise ValueError(f"{self._table.name} {where}: {fault}") from fault

    def _read_candle(self, block: _Block, index: int) -> Candle | None:
        """The candle of the row at ``index``; None where there is none, as in a comment."""
        texts = [block.cells[each][index] for each in self._columns.prices]
        if self._is_no_candle(block, index, texts):
            return None
        time = self._time_at(block.times[index])
        if not all(texts):
            self._check_length(block, index)
        if all(map(is_missing, texts)):
            self.counts["gaps"] += 1
            return None
        prices = [self._price(*each) for each in zip(PRICES, texts, strict=True)]
        for name, cell, price in zip(PRICES, texts, prices, strict=True):
            if not ZERO < price <= LIMIT:
                raise ValueError(f"{name} {_short(cell)} is not above 0 and at most {LIMIT:,}")
        return _candle(time, *self._widened(*prices), self._volume_at(block, index))

    def _is_no_candle(self, block: _Block, index: int, texts: Sequence[str]) -> bool:
        if not block.times[index].strip() and not any(text.strip() for text in texts):
            return True
        if block.cells[0][index].lstrip().startswith(("#", "//")):
            return True
        header = self._table.header
        return bool(header) and texts == [header[each] for each in self._columns.prices]

    def _check_length(self, block: _Block, index: int) -> None:
        columns = self._columns
        length = self._table.length(block.places[index])
        needed = [columns.time, *columns.prices, *([] if self._volume is None else [self._volume])]
        if length <= max(needed):
            raise ValueError(f"it has only {length} columns")

    def _price(self, name: str, cell: str) -> Decimal:
        try:
            number = self._number(cell)
        except InvalidOperation as fault:
            raise ValueError(f'{name} "{_short(cell)}" is not a number') from fault
        # A volume may be a float's smallest difference from zero.
        is_usable = number.is_finite() if name == "volume" else is_bounded(number)
        if not is_usable or number > _MOST_VOLUME:
            raise ValueError(f"{name} {_short(cell)} is not a number that can be")
        return number

    def _number(self, cell: str) -> Decimal:
        if self._mark is None and "," in cell:
            either = f"{_short(cell.replace(',', ''))} or {_short(cell.replace(',', '.'))}"
            raise ValueError(
                f'"{_short(cell)}" may be {either}: write numbers with a decimal point and without '
                "thousands"
            )
        return parse_number(cell, self._mark or ".")

    def _volume_at(self, block: _Block, index: int) -> Decimal:
        if self._volume is None:
            return ZERO
        cell = block.cells[self._volume][index]
        if is_missing(cell):
            if not cell:
                self._check_length(block, index)
            self.counts["volumes"] += 1
            return ZERO
        volume = self._price("volume", cell)
        if volume < 0:
            raise ValueError(f"volume {_short(cell)} is below 0")
        return volume

    def _widened(
        self, opened: Decimal, high: Decimal, low: Decimal, close: Decimal
    ) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """The prices, where a high or low that is off by a tick at most has been moved."""
        most, least = max(opened, high, low, close), min(opened, high, low, close)
        if (most, least) == (high, low):
            return opened, high, low, close
        tick = instrument(self._known_symbol, most).tick_size
        if low - high > tick:
            raise ValueError(f"high {high} is below low {low}")
        for name, price in (("open", opened), ("close", close)):
            if price - high > tick:
                raise ValueError(f"{name} {price} is above high {high}")
            if low - price > tick:
                raise ValueError(f"{name} {price} is below low {low}")
        self.counts["widened"] += 1
        return opened, most, least, close

    def _rate(self, block: _Block, index: int) -> Decimal | None:
        cell = block.cells[self._columns.funding_rate or 0][index]
        if is_missing(cell):
            return None
        with contextlib.suppress(InvalidOperation):
            rate = self._number(cell)
            if abs(rate) < 1:
                return rate
        raise ValueError(f'funding rate "{_short(cell)}" is not a fraction such as 0.0001')

    def _mark_prices(self, block: _Block, index: int) -> MarkPrices | None:
        texts = [block.cells[each][index] for each in self._columns.marks]
        if all(map(is_missing, texts)):
            return None
        cells = zip(PRICES, texts, strict=True)
        opened, high, low, close = (self._price(f"mark_{name}", cell) for name, cell in cells)
        if not all(ZERO < each <= LIMIT for each in (opened, high, low, close)):
            raise ValueError(f"mark prices must be above 0 and at most {LIMIT:,}")
        return MarkPrices(*self._widened(opened, high, low, close))

    def _time_at(self, text: str) -> datetime:
        try:
            return self._time(text)
        except UnclearDate:
            raise
        except ValueError as fault:
            raise ValueError(f'"{_short(text)}" is no time, such as 2022-01-31 22:59') from fault

    def _times(self, texts: Sequence[str]) -> Iterable[datetime]:
        # The quickest way to times in UTC; dates only, and what has a zone, are for parse_time().
        if min(map(len, texts)) > _DATE_LENGTH and not texts[0].isdigit():
            with contextlib.suppress(ValueError):
                return [datetime.fromisoformat(f"{each}+00:00") for each in texts]
        return map(self._time, texts)

    def _time(self, text: str) -> datetime:
        text = text.strip()
        try:
            return parse_time(text, self._order)
        except UnclearDate:
            self._order = self._order or find_date_order(self._all(self._columns.time))
            if self._order is None:
                raise
            return parse_time(text, self._order)


def count_notes(counts: Counter[str]) -> list[str]:
    """The ``counts`` of readers as notes, in sentences."""
    return [
        text.format(f"{count:,} row{'s' if count > 1 else ''}")
        for what, text in _COUNTED.items()
        if (count := counts[what])
    ]


def plain(symbol: str) -> str:
    """``symbol`` without what stands between its currencies: BTCUSDT."""
    return "".join(each for each in symbol.upper() if each.isalnum())


def listed(symbols: Iterable[str]) -> str:
    """``symbols`` for people, as many as can be read."""
    found = sorted(symbols)
    more = f" and {len(found) - _MOST_SYMBOLS:,} more" if len(found) > _MOST_SYMBOLS else ""
    return ", ".join(each[:_LONGEST_CELL] for each in found[:_MOST_SYMBOLS]) + more


def _fits(name: str, symbol: str) -> bool:
    """Whether a market that a file calls ``name`` is that of ``symbol``: BTCUSDT_PERP, BTC-USD and
    BTC are that of BTC/USDT."""
    found, full = symbol_in(name), symbol_in(symbol) or symbol
    return (
        plain(name).startswith(plain(symbol))
        or (found is not None and is_same_but_for_dollars(found, full))
        or plain(name) == plain(full.partition("/")[0])
    )


def _candle(
    time: datetime, opened: Decimal, high: Decimal, low: Decimal, close: Decimal, volume: Decimal
) -> Candle:
    if (
        _LEAST_PRICE <= low <= opened <= high <= LIMIT
        and low <= close <= high
        and ZERO <= volume <= _MOST_VOLUME
    ):
        return Candle(time=time, open=opened, high=high, low=low, close=close, volume=volume)
    raise ValueError("it is no candle")


def _with_colons(daytime: str) -> str:
    """``daytime`` with colons: 23:59:00 for 235900."""
    if daytime.isdigit() and len(daytime) in (4, 6):
        return ":".join(daytime[each : each + 2] for each in range(0, len(daytime), 2))
    return daytime


def _short(cell: str) -> str:
    return cell if len(cell) <= _LONGEST_CELL else f"{cell[:_LONGEST_CELL]}…"
