"""Candles from files, as exchanges, data vendors and other programs write them."""

from __future__ import annotations

import contextlib
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from itertools import repeat
from operator import lt, sub
from pathlib import Path, PurePath
from typing import Final, NamedTuple, TypeVar

from balance.core.candles import MINUTE, merged
from balance.core.funding import interval_of_rates
from balance.core.instruments import instrument
from balance.core.money import LIMIT, ZERO, is_bounded
from balance.core.quote import Candle, MarkPrices
from balance.feeds.contract import FeedFault
from balance.feeds.csv_columns import PRICES
from balance.feeds.file_numbers import Mark, decimal, is_missing, mark_in
from balance.feeds.symbols import symbol_in
from balance.feeds.text_table import MOST_UNPACKED, Table, tables
from balance.feeds.times import UnclearDate, is_daytime, order_in, order_of, parsed, spelled

# Of prices, as is_bounded() has it.
_LEAST_PRICE: Final = Decimal("1e-24")
# a volume may be in units worth a fraction of a cent
_MOST_VOLUME: Final = LIMIT * LIMIT
# Rows that are read between two rests.
_BLOCK: Final = 512
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What is between the last moment of a candle and the next candle, as vendors write it.
_BEFORE_NEXT: Final = tuple(
    timedelta(microseconds=each) for each in (1, 1_000, 1_000_000, 60_000_000)
)  # fmt: skip
_LONGEST_CELL: Final = 40
_DATE_LENGTH: Final = len("2022-01-31")
_MOST_SYMBOLS: Final = 8
_Value = TypeVar("_Value")
_DATES: Final = {"dmy": "the day first", "mdy": "the month first"}


@dataclass(frozen=True, slots=True)
class CandleFile:
    """What a file holds, or several files of one symbol; at least one candle."""

    # without its folder
    name: str
    # oldest first, no two of the same time
    candles: Sequence[Candle]
    # of one candle
    seconds: int
    # of each candle, as a fraction: the newest that the file has told by then; empty where it has
    # no such column
    funding_rates: Sequence[Decimal | None]
    # The symbol that a column, or the names of the files in a .zip, say, such as BTC/USDT; None
    # where they say none.
    symbol: str | None = None
    # The mark prices of each candle; None where the file knows none, empty where it has no columns
    # for them.
    marks: Sequence[MarkPrices | None] = ()
    # From one funding settlement to the next, where its rates are closer than usual.
    funding_interval: timedelta | None = None
    # What a reader of the file should know of it, in sentences.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is to be read."""

    # The market that is taken where a file has several, such as BTC/USDT.
    symbol: str | None = None
    # Of dates such as 03/02/2025: DD/MM/YYYY or the like; None where the file says it.
    date_format: str | None = None
    # Bytes that a packed file may have when it is unpacked.
    most: int = MOST_UNPACKED
    # Whether feather files are read: how large they are when they are unpacked can't be limited.
    feather: bool = True
    # Is called now and then, and may let other threads work.
    rest: Callable[[], None] = lambda: None

    @property
    def order(self) -> str | None:
        """The order of day, month and year: ``dmy``, ``mdy`` or ``ymd``.

        Raises:
            FeedFault: the date format is none.
        """
        try:
            return None if self.date_format is None else order_of(self.date_format)
        except ValueError as fault:
            raise FeedFault(str(fault)) from fault


class _Row(NamedTuple):
    candle: Candle
    rate: Decimal | None
    mark: MarkPrices | None
    table: Table
    place: int

    @property
    def where(self) -> str:
        """``btc.csv line 7``."""
        return f"{self.table.name} {self.table.located(self.place)[0]}"


def read_candles(*paths: Path, reading: Reading = Reading()) -> CandleFile:
    """The candles of the files at ``paths``, which are of one symbol: columns in any order, packed
    or not, oldest or newest first; gaps stay gaps.

    Raises:
        FeedFault: one can't be read or a line of it is wrong; the words say which.
    """
    return candles_in(((path.name, _bytes_of(path)) for path in paths), reading)


def candles_in(
    files: Iterable[tuple[str, bytes]],
    reading: Reading = Reading(),
) -> CandleFile:
    """The candles in ``files``, names and contents, as :func:`read_candles` reads them.

    Raises:
        FeedFault: a line is wrong; the words say which.
    """
    order = reading.order
    names: list[str] = []
    try:
        found: list[Table] = []
        for name, data in files:
            names.append(name)
            found += tables(name, data, reading.most, feather=reading.feather)
        named, notes = _of_one_symbol(found, reading.symbol)
        readers = [_Reader(each, reading, order) for each in named]
        rows = [row for reader in readers for row in reader.rows()]
        notes += [note for reader in readers for note in reader.notes()]
        rows, grown = _sorted(rows)
        if not rows:
            raise ValueError(f"{names[0]} has no candles, only a header")
        symbols = {_plain(each.symbol): each.symbol for each in readers if each.symbol}
        if len(symbols) > 1:
            of = _listed(symbols.values())
            raise ValueError(f"{_several(names)} has candles of {of}: give those of one symbol")
        seconds = _interval(rows)
    except ValueError as fault:
        raise FeedFault(f"{fault}.") from fault
    return CandleFile(
        name="+".join(names),
        candles=[row.candle for row in rows],
        seconds=seconds,
        funding_rates=_rates_of(rows),
        symbol=symbol_in(next(iter(symbols.values()), "")),
        marks=[row.mark for row in rows] if any(row.mark for row in rows) else (),
        funding_interval=interval_of_rates(
            [(row.candle.time, row.rate) for row in rows if row.rate is not None]
        ),
        notes=tuple(dict.fromkeys((*notes, *grown))),
    )


def _of_one_symbol(found: Sequence[Table], wanted: str | None) -> tuple[list[Table], list[str]]:
    """The tables of the symbol that is ``wanted`` or, without one, all, if they are of one; with
    what there is to say of that. Their names say of which they are."""
    named = [symbol_in(PurePath(table.name).stem) for table in found]
    symbols = {each for each in named if each is not None}
    if len(symbols) <= 1:
        return list(found), []
    taken = [each for each in symbols if _plain(each) == _plain(wanted or "")]
    if not taken:
        of = f", and not {wanted}" if wanted else ""
        raise ValueError(
            f"{_several([table.name for table in found])} has candles of {_listed(symbols)}{of}: "
            "name one of them as the symbol"
        )
    tables = [table for table, each in zip(found, named, strict=True) if each in (*taken, None)]
    return tables, [f"Of its {len(symbols):,} markets, {taken[0]} is taken."]


def with_marks(file: CandleFile, marks: CandleFile) -> CandleFile:
    """``file`` with the candles of ``marks``, those of its mark price, by their times.

    Raises:
        FeedFault: they are longer than those of ``file``, or of other times.
    """
    if file.seconds % marks.seconds:
        raise FeedFault(
            f"{marks.name} has candles of {marks.seconds // MINUTE} minutes: for those of "
            f"{file.seconds // MINUTE} minutes in {file.name} they are too long."
        )
    candles = marks.candles
    if marks.seconds < file.seconds:
        candles = list(merged(candles, file.seconds))
    by_time = {
        each.time: MarkPrices(each.open, each.high, each.low, each.close) for each in candles
    }
    found = [by_time.get(each.time) for each in file.candles]
    missing = found.count(None)
    if missing == len(found):
        raise FeedFault(
            f"{marks.name} has mark prices from {spelled(candles[0].time)} to "
            f"{spelled(candles[-1].time)}: none of the times of {file.name}."
        )
    note = (
        f"{missing:,} of {len(found):,} candles have no mark price: there it is the last price.",
    )
    return replace(file, marks=found, notes=(*file.notes, *(note if missing else ())))


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise FeedFault(f"{path.name} can't be read: {fault.strerror}.") from fault


class _Reader:
    """The rows of one table. It counts what a reader of its candles should know."""

    def __init__(self, table: Table, reading: Reading, order: str | None) -> None:
        self._table = table
        self._columns = columns = table.columns
        self._rest = reading.rest
        self._order = order
        self._known_order = order is not None
        self._counts: Counter[str] = Counter()
        self._said: list[str] = []
        #: As a column names it; None without one.
        self.symbol = None if columns.symbol is None else self._chosen(reading.symbol)
        self._places = self._places_of(self.symbol)
        self._known_symbol = _plain(self.symbol or reading.symbol or "")
        self._volume = columns.volume_of(self._known_symbol)
        self._times = self._all_times()
        numbers = [*columns.prices, *(columns.marks or ())]
        numbers += [] if self._volume is None else [self._volume]
        self._cells = {place: self._picked(place) for place in numbers}
        self._has_commas = table.may_have_commas and any(
            "," in cell for each in self._cells.values() for cell in each
        )
        cells = (cell for each in self._cells.values() for cell in each)
        self._mark: Mark | None = mark_in(cells) if self._has_commas else "."

    def rows(self) -> list[_Row]:
        """The candles, with the places of their rows.

        Raises:
            ValueError: one is wrong.
        """
        candles: list[Candle | None] = []
        for begin in range(0, len(self._places), _BLOCK):
            candles += self._block(begin, begin + _BLOCK)
            self._rest()
        each = zip(candles, self._rates(candles), self._marks(candles), self._places, strict=False)
        return self._begun(
            [
                _Row(candle, rate, mark, self._table, place)
                for candle, rate, mark, place in each
                if candle is not None
            ]
        )

    def notes(self) -> list[str]:
        """What a reader of the candles should know, in sentences."""
        said = list(self._said)
        if self._volume is None:
            said.append("It has no volume column: volume is 0.")
        if self._order in _DATES and not self._known_order:
            said.append(f"Its dates have {_DATES[self._order]}.")
        for what, text in _COUNTED.items():
            if count := self._counts[what]:
                said.append(text.format(_rows_of(count)))
        return said

    def _symbols(self) -> dict[str, str]:
        """What the symbol column names, by how it stands there."""
        place = self._columns.symbol or 0
        names = dict.fromkeys(self._table.cells(place))
        return {each: _plain(each) for each in names if each != self._table.header[place]}

    def _chosen(self, wanted: str | None) -> str | None:
        """The symbol whose rows are taken, as it stands there; None where there is none."""
        found = {plain: name for name, plain in self._symbols().items() if plain}
        if len(found) <= 1:
            return next(iter(found.values()), None)
        asked = _plain(wanted or "")
        fitting = [each for each in found if asked and each.startswith(asked)]
        if asked not in fitting and len(fitting) != 1:
            of = f", and not {wanted}" if wanted and not fitting else ""
            raise ValueError(
                f"{self._table.name} has candles of {len(found):,} markets, "
                f"{_listed(found.values())}{of}: name one of them as the symbol"
            )
        taken = found[asked if asked in fitting else fitting[0]]
        self._said.append(f"Of its {len(found):,} markets, {taken} is taken.")
        return taken

    def _places_of(self, symbol: str | None) -> Sequence[int]:
        """The rows of ``symbol``, and those that name none."""
        count, column = self._table.frame.height, self._columns.symbol
        if symbol is None or column is None or not self._said:
            return range(count)
        taken = ("", _plain(symbol))
        others = {name for name, plain in self._symbols().items() if plain not in taken}
        cells = self._table.cells(column)
        return [place for place, cell in enumerate(cells) if cell not in others]

    def _picked(self, place: int) -> list[str]:
        cells = self._table.cells(place)
        return cells if isinstance(self._places, range) else [cells[each] for each in self._places]

    def _all_times(self) -> list[str]:
        columns = self._columns
        times = self._picked(columns.time)
        if columns.daytime is None:
            return times
        daytimes = self._picked(columns.daytime)
        if not any(map(is_daytime, daytimes[:3])):
            return times
        return [
            f"{day} {_with_colons(each.strip())}" for day, each in zip(times, daytimes, strict=True)
        ]

    def _block(self, begin: int, end: int) -> Sequence[Candle | None]:
        """The candles of the rows from ``begin`` to ``end``; None where one is no candle."""
        if not self._has_commas:
            cells = [self._cells[each][begin:end] for each in self._columns.prices]
            times = self._times[begin:end]
            volumes: Iterable[Decimal] = (
                [ZERO] * len(times)
                if self._volume is None
                else map(Decimal, self._cells[self._volume][begin:end])
            )
            try:
                return list(
                    map(_candle, self._times_in(times), *(map(Decimal, c) for c in cells), volumes)
                )
            except (ValueError, InvalidOperation):
                # One by one, to see which it is.
                pass
        return [
            self._at(index, partial(self._row, index))
            for index in range(begin, min(end, len(self._places)))
        ]

    def _at(self, index: int, read: Callable[[], _Value]) -> _Value:
        """What ``read`` makes of the row at ``index``; its faults say which row it is."""
        try:
            return read()
        except ValueError as fault:
            where, _ = self._table.located(self._places[index])
            raise ValueError(f"{self._table.name} {where}: {fault}") from fault

    def _row(self, index: int) -> Candle | None:
        """The candle of the row at ``index``; None where there is none, as in a comment."""
        texts = [self._cells[each][index] for each in self._columns.prices]
        if self._is_no_candle(index, texts):
            return None
        time = self._time_at(index)
        if all(map(is_missing, texts)):
            self._check_length(index)
            self._counts["gaps"] += 1
            return None
        if not all(texts):
            self._check_length(index)
        prices = [self._price(*each) for each in zip(PRICES, texts, strict=True)]
        for name, cell, price in zip(PRICES, texts, prices, strict=True):
            if not ZERO < price <= LIMIT:
                raise ValueError(f"{name} {_short(cell)} is not above 0 and at most {LIMIT:,}")
        return _candle(time, *self._widened(*prices), self._volume_at(index))

    def _is_no_candle(self, index: int, texts: Sequence[str]) -> bool:
        time = self._times[index].strip()
        if not time and not any(text.strip() for text in texts):
            return True
        place = self._places[index]
        if self._table.row(place)[0].lstrip().startswith(("#", "//")):
            return True
        return self._table.is_header(place)

    def _check_length(self, index: int) -> None:
        columns = self._columns
        _, length = self._table.located(self._places[index])
        needed = [columns.time, *columns.prices, *([] if self._volume is None else [self._volume])]
        if length <= max(needed):
            raise ValueError(f"it has only {length} columns")

    def _price(self, name: str, cell: str) -> Decimal:
        try:
            number = self._number(cell)
        except InvalidOperation as fault:
            raise ValueError(f'{name} "{_short(cell)}" is not a number') from fault
        # a volume may be a float's smallest difference from zero
        is_usable = number.is_finite() if name == "volume" else is_bounded(number)
        if not is_usable or number > _MOST_VOLUME:
            raise ValueError(f"{name} {_short(cell)} is not a number that can be")
        return number

    def _number(self, cell: str) -> Decimal:
        if self._mark is None and "," in cell:
            plain = cell.replace(",", "")
            raise ValueError(
                f'"{_short(cell)}" may be {_short(plain)} or {_short(cell.replace(",", "."))}: '
                "write numbers with a decimal point and without thousands"
            )
        return decimal(cell, self._mark or ".")

    def _volume_at(self, index: int) -> Decimal:
        if self._volume is None:
            return ZERO
        cell = self._cells[self._volume][index]
        if is_missing(cell):
            self._check_length(index)
            self._counts["volumes"] += 1
            return ZERO
        volume = self._price("volume", cell)
        if volume < 0:
            raise ValueError(f"volume {_short(cell)} is below 0")
        return volume

    def _widened(
        self, opened: Decimal, high: Decimal, low: Decimal, close: Decimal
    ) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """The prices, where a high or low that is off by less than a tick has been moved."""
        most, least = max(opened, high, low, close), min(opened, high, low, close)
        if (most, least) == (high, low):
            return opened, high, low, close
        tick = instrument(_slashed(self._known_symbol), most).tick_size
        if high < low and low - high > tick:
            raise ValueError(f"high {high} is below low {low}")
        for name, price in (("open", opened), ("close", close)):
            if price - high > tick:
                raise ValueError(f"{name} {price} is above high {high}")
            if low - price > tick:
                raise ValueError(f"{name} {price} is below low {low}")
        self._counts["widened"] += 1
        return opened, most, least, close

    def _rates(self, candles: Sequence[Candle | None]) -> Iterable[Decimal | None]:
        if self._columns.funding_rate is None:
            return repeat(None)
        cells = self._picked(self._columns.funding_rate)
        return [
            None if candle is None else self._at(index, partial(_rate, cells[index]))
            for index, candle in enumerate(candles)
        ]

    def _marks(self, candles: Sequence[Candle | None]) -> Iterable[MarkPrices | None]:
        if self._columns.marks is None:
            return repeat(None)
        return [
            None if candle is None else self._at(index, partial(self._mark_prices, index))
            for index, candle in enumerate(candles)
        ]

    def _mark_prices(self, index: int) -> MarkPrices | None:
        texts = [self._cells[each][index] for each in self._columns.marks or ()]
        if all(map(is_missing, texts)):
            return None
        prices = [
            self._price(f"mark_{name}", cell) for name, cell in zip(PRICES, texts, strict=True)
        ]
        if not all(ZERO < each <= LIMIT for each in prices):
            raise ValueError(f"mark prices must be above 0 and at most {LIMIT:,}")
        return MarkPrices(*self._widened(prices[0], prices[1], prices[2], prices[3]))

    def _time_at(self, index: int) -> datetime:
        text = self._times[index]
        try:
            return self._time(text)
        except UnclearDate:
            raise
        except ValueError as fault:
            raise ValueError(f'"{_short(text)}" is no time, such as 2022-01-31 22:59') from fault

    def _times_in(self, texts: Sequence[str]) -> Iterable[datetime]:
        # The quickest way to times in UTC; dates only, and what has a zone, are for parsed().
        if min(map(len, texts)) > _DATE_LENGTH and not texts[0].isdigit():
            with contextlib.suppress(ValueError):
                return [datetime.fromisoformat(f"{each}+00:00") for each in texts]
        return map(self._time, texts)

    def _time(self, text: str) -> datetime:
        text = text.strip()
        try:
            return parsed(text, self._order)
        except UnclearDate:
            if self._order is not None:
                raise
            self._order = order_in(self._times)
            if self._order is None:
                raise
            return parsed(text, self._order)

    def _begun(self, rows: list[_Row]) -> list[_Row]:
        """``rows`` with the times at which their candles begin, where the file has their ends."""
        if not rows:
            return rows
        late = _before_next(rows)
        if late is None and not self._columns.is_end:
            return rows
        if len(rows) < 2:
            raise ValueError(
                f"{self._table.name} has one candle only, and the time at which it ended: when it "
                "began is not known"
            )
        length = timedelta(seconds=_interval(sorted(rows, key=_time_of)))
        earlier = length - (late or timedelta())
        self._said.append(
            f"Its times are those at which candles end: each was moved back by {_length(length)}."
        )
        return [
            row._replace(candle=replace(row.candle, time=row.candle.time - earlier)) for row in rows
        ]


_COUNTED: Final = {
    "gaps": "{} without prices left out, as a gap.",
    "volumes": "{} without a volume: it is 0 there.",
    "widened": "{} with an open or close outside high and low by a tick at most: high and low "
    "were widened to it.",
}


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


def _rate(cell: str) -> Decimal | None:
    if is_missing(cell):
        return None
    try:
        rate = Decimal(cell)
        if abs(rate) < 1:
            return rate
    except InvalidOperation:
        pass
    raise ValueError(f'funding rate "{_short(cell)}" is not a fraction such as 0.0001')


def _rates_of(rows: Sequence[_Row]) -> Sequence[Decimal | None]:
    """The newest rate by each candle; nothing where no row has one."""
    if not any(row.rate is not None for row in rows):
        return ()
    rates: list[Decimal | None] = []
    for row in rows:
        rates.append(row.rate if row.rate is not None or not rates else rates[-1])
    return rates


def _time_of(row: _Row) -> datetime:
    return row.candle.time


def _sorted(rows: list[_Row]) -> tuple[list[_Row], list[str]]:
    """``rows``, oldest first, and what there is to say of them; what is there twice, once."""
    times = [row.candle.time for row in rows]
    if all(map(lt, times, times[1:])):
        return rows, []
    rows.sort(key=_time_of)
    kept: list[_Row] = []
    said = []
    for row in rows:
        if not kept or kept[-1].candle.time != row.candle.time:
            kept.append(row)
        elif kept[-1][:3] != row[:3]:
            kept[-1] = _finished(kept[-1], row)
            said.append(
                f"The candle of {spelled(row.candle.time)} is there twice, once unfinished: the "
                "finished one counts."
            )
    return kept, said


def _finished(one: _Row, other: _Row) -> _Row:
    """That of two candles of one time which holds the other, where they follow each other.

    Raises:
        ValueError: neither does.
    """
    adjacent = one.table is not other.table or abs(one.place - other.place) == 1
    for less, more in ((one, other), (other, one)):
        a, b = less.candle, more.candle
        if adjacent and a.open == b.open and _is_within(a, b):
            return more
    raise ValueError(
        f"{other.where}: another candle of {spelled(one.candle.time)} is in {_other(one, other)}, "
        "with other figures"
    )


def _is_within(candle: Candle, grown: Candle) -> bool:
    if not (grown.low <= candle.low and candle.high <= grown.high):
        return False
    # Without volumes, only the prices can tell.
    return candle.volume < grown.volume or not grown.volume


def _other(one: _Row, other: _Row) -> str:
    return one.table.located(one.place)[0] if one.table is other.table else one.where


def _interval(rows: Sequence[_Row]) -> int:
    times = [row.candle.time for row in rows]
    apart = list(map(sub, times[1:], times))
    gaps: Counter[timedelta] = Counter()
    for gap, count in Counter(apart).items():
        gaps[_of_whole_days(gap)] += count
    minute = timedelta(seconds=MINUTE)
    least = min(gaps, default=minute)
    # where most candles are missing, the usual step is longer than a candle
    sparse = not least % minute and not any(gap % least for gap in gaps)
    length = least if sparse else statistics.median_low(gaps.elements())
    if length < minute or length % minute:
        raise ValueError(
            f"{rows[0].table.name} has candles of {length.total_seconds():g} seconds: they must be "
            "of whole minutes"
        )
    if least < length:
        early = next(place for place, gap in enumerate(apart) if _of_whole_days(gap) < length)
        raise ValueError(
            f"{rows[early + 1].where}: it is {apart[early].total_seconds():g} seconds after the "
            f"candle before it, but the candles of this file are {length.total_seconds():g} "
            "seconds long"
        )
    return int(length.total_seconds())


def _of_whole_days(gap: timedelta) -> timedelta:
    """``gap``; the days on which clocks are changed count as 24 hours."""
    if gap < _DAY - _HOUR:
        return gap
    days = round(gap / _DAY) * _DAY
    return days if abs(gap - days) == _HOUR else gap


def _before_next(rows: Sequence[_Row]) -> timedelta | None:
    """What is missing from the time of each row to a whole candle, where that is the last moment
    that vendors write: 23:59:59.999, 23:59:59 or 23:59 of a day; None where it is none."""
    first, minute = rows[0].candle.time, timedelta(seconds=MINUTE)
    is_last = first.minute == 59 and len(rows) > 1
    for missing in _BEFORE_NEXT:
        step = minute
        if missing == minute and is_last:
            step = timedelta(seconds=_interval(sorted(rows, key=_time_of)))
        times = (row.candle.time + missing - _EPOCH for row in rows)
        if missing < step and not any(each % step for each in times):
            return missing
    return None


def _length(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // MINUTE
    for unit, size in (("day", 1_440), ("hour", 60)):
        if minutes % size == 0:
            return f"{minutes // size} {unit}{'s' if minutes > size else ''}"
    return f"{minutes} minute{'s' if minutes > 1 else ''}"


def _with_colons(daytime: str) -> str:
    """``daytime`` with colons: 23:59:00 for 235900."""
    if daytime.isdigit() and len(daytime) in (4, 6):
        return ":".join(daytime[each : each + 2] for each in range(0, len(daytime), 2))
    return daytime


def _plain(symbol: str) -> str:
    """``symbol`` without what stands between its currencies: BTCUSDT."""
    return "".join(each for each in symbol.upper() if each.isalnum())


def _slashed(symbol: str) -> str:
    return f"{symbol[:-4]}/USDT" if symbol.endswith("USDT") else symbol


def _listed(symbols: Iterable[str]) -> str:
    found = sorted(symbols)
    more = f" and {len(found) - _MOST_SYMBOLS:,} more" if len(found) > _MOST_SYMBOLS else ""
    return ", ".join(each[:_LONGEST_CELL] for each in found[:_MOST_SYMBOLS]) + more


def _several(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _rows_of(count: int) -> str:
    return f"{count:,} row{'s' if count > 1 else ''}"


def _short(cell: str) -> str:
    return cell if len(cell) <= _LONGEST_CELL else f"{cell[:_LONGEST_CELL]}…"
