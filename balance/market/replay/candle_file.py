"""Candles from files, as exchanges, data vendors and other programs write them."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter
from pathlib import Path, PurePath
from typing import Final

from balance.core.candles import MINUTE, merge_candles, moves
from balance.core.funding import interval_of_rates
from balance.core.instrument import Instrument
from balance.core.instruments import Rules, instrument, rules_at
from balance.core.quote import Candle, Leg, MarkPrices, Quote, Settlement
from balance.market.feed import FeedFault
from balance.market.replay.cells import parse_date_format, time_text
from balance.market.replay.row_order import check_alike, from_their_begin, in_order, length_of
from balance.market.replay.rows import Row, RowReader, count_notes, listed, plain
from balance.market.replay.table import MOST_UNPACKED, Table, tables
from balance.market.symbols import symbol_in

_TIME: Final = attrgetter("time")


@dataclass(frozen=True, slots=True)
class CandleFile:
    """What a file holds, or several files of one symbol; at least one candle."""

    # The file's name without its folder.
    name: str
    # Oldest first, no two of the same time.
    candles: Sequence[Candle]
    # The length of one candle.
    seconds: int
    # The newest funding rate, a fraction, that the file has by each candle; empty where it has no
    # such column.
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

    def instrument(self, symbol: str, funding_interval: timedelta | None = None) -> Instrument:
        """The rules of ``symbol`` as the file begins; ``funding_interval`` counts where the file
        does not say its own."""
        known = instrument(symbol, self.candles[0].open)
        interval = self.funding_interval or funding_interval or known.funding_interval
        return replace(known, funding_interval=interval, has_mark=bool(self.marks))

    def quotes(self, place: int, instrument: Instrument) -> Iterator[Quote]:
        """The four quotes of the candle at ``place`` by the rules of ``instrument``."""
        marks = self.marks[place] if self.marks else None
        return moves(instrument, self.candles[place], self.seconds, marks)

    def funding_rate(self, place: int, usual: Decimal | None) -> Decimal | None:
        """The funding rate, a fraction, as of the candle at ``place``; ``usual`` where the file
        knows none."""
        rate = self.funding_rates[place] if self.funding_rates else None
        return usual if rate is None else rate

    def settlement(
        self, rules: Rules, usual_rate: Decimal | None, instant: datetime
    ) -> Settlement | None:
        """The funding settlement at ``instant``, at the mark price of that instant on the way
        through its candle or, in a gap of the file, at the last one before. None before the first
        candle, or without a rate; ``usual_rate``, a fraction, counts where the file knows none."""
        place = bisect_right(self.candles, instant, key=_TIME) - 1
        rate = self.funding_rate(place, usual_rate) if place >= 0 else None
        if rate is None:
            return None
        traded = rules_at(rules, instant)
        quotes = list(self.quotes(place, traded))
        for start, end in pairwise(quotes):
            if instant < end.time:
                mark = traded.price(Leg(start, end).at_time(instant).quote.mark)
                return Settlement(rate=rate, mark=mark)
        return Settlement(rate=rate, mark=quotes[-1].mark)


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
    # Called now and then, so that other threads can work.
    rest: Callable[[], None] = lambda: None

    @property
    def order(self) -> str | None:
        """The order of day, month and year: ``dmy``, ``mdy`` or ``ymd``.

        Raises:
            FeedFault: the date format is none.
        """
        try:
            return None if self.date_format is None else parse_date_format(self.date_format)
        except ValueError as fault:
            raise FeedFault(str(fault)) from fault


def read_candles(*paths: Path, reading: Reading = Reading()) -> CandleFile:
    """The candles of the files at ``paths``, which are of one symbol: columns in any order, packed
    or not, oldest or newest first; gaps stay gaps.

    Raises:
        FeedFault: one can't be read or a line of it is wrong; the message says which.
    """
    return candles_in(((path.name, _bytes_of(path)) for path in paths), reading)


def candles_in(
    files: Iterable[tuple[str, bytes]],
    reading: Reading = Reading(),
) -> CandleFile:
    """The candles in ``files``, names and contents, as :func:`read_candles` reads them.

    Raises:
        FeedFault: a line is wrong; the message says which.
    """
    order = reading.order
    names: list[str] = []
    try:
        found: list[Table] = []
        for name, data in files:
            names.append(name)
            found += tables(name, data, reading.most, feather=reading.feather)
        taken, notes = _of_one_symbol(found, reading.symbol)
        by_table: dict[str, list[Row]] = {}
        symbols: dict[str, str] = {}
        counts: Counter[str] = Counter()
        for table in taken:
            reader = RowReader(table, reading.symbol, order)
            read, moved = from_their_begin(
                table.name, reader.rows(reading.rest), is_end=table.columns.is_end
            )
            by_table.setdefault(table.name, []).extend(read)
            notes += [*moved, *reader.notes()]
            counts += reader.counts
            if reader.symbol is not None:
                symbols[plain(reader.symbol)] = reader.symbol
        rows = [row for each in by_table.values() for row in each]
        if not rows:
            raise ValueError(f"{names[0]} has no candles, only a header")
        if len(symbols) > 1:
            raise ValueError(
                f"{_several(names)} has candles of {listed(symbols.values())}: give those of one "
                "symbol"
            )
        rows, said = in_order(rows)
        length = length_of(rows)
        if len(by_table) > 1:
            check_alike({name: in_order(each)[0] for name, each in by_table.items()}, length)
    except ValueError as fault:
        raise FeedFault(f"{fault}.") from fault
    return CandleFile(
        name="+".join(names),
        candles=[row.candle for row in rows],
        seconds=int(length.total_seconds()),
        funding_rates=_rates(rows),
        symbol=symbol_in(next(iter(symbols.values()), "")),
        marks=[row.mark for row in rows] if any(row.mark for row in rows) else (),
        funding_interval=interval_of_rates(
            [(row.candle.time, row.rate) for row in rows if row.rate is not None]
        ),
        notes=tuple(dict.fromkeys((*notes, *count_notes(counts), *said))),
    )


def _of_one_symbol(found: Sequence[Table], symbol: str | None) -> tuple[list[Table], list[str]]:
    """The tables of ``symbol`` by their names or, without one, all, if they are of one symbol; and
    notes on that.

    Raises:
        ValueError: they are of several, and ``symbol`` is none of them.
    """
    named = [symbol_in(PurePath(table.name).stem) for table in found]
    symbols = {each for each in named if each is not None}
    if len(symbols) <= 1:
        return list(found), []
    taken = [each for each in symbols if plain(each) == plain(symbol or "")]
    if not taken:
        of = f", and not {symbol:.40}" if symbol else ""
        raise ValueError(
            f"{_several([table.name for table in found])} has candles of {listed(symbols)}{of}: "
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
        candles = list(merge_candles(candles, file.seconds))
    by_time = {
        each.time: MarkPrices(each.open, each.high, each.low, each.close) for each in candles
    }
    found = [by_time.get(each.time) for each in file.candles]
    missing = found.count(None)
    if missing == len(found):
        raise FeedFault(
            f"{marks.name} has mark prices from {time_text(candles[0].time)} to "
            f"{time_text(candles[-1].time)}: none of the times of {file.name}."
        )
    # That it has no volumes is no matter.
    notes = [f"{marks.name}: {note}" for note in marks.notes if "volume" not in note]
    if missing:
        notes.append(
            f"{missing:,} of {len(found):,} candles have no mark price: there it is the last price."
        )
    return replace(file, marks=found, notes=(*file.notes, *notes))


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise ValueError(f"{path.name} can't be read: {fault.strerror}") from fault


def _rates(rows: Sequence[Row]) -> Sequence[Decimal | None]:
    """The newest rate by each candle; nothing where no row has one."""
    if not any(row.rate is not None for row in rows):
        return ()
    rates: list[Decimal | None] = []
    for row in rows:
        rates.append(row.rate if row.rate is not None or not rates else rates[-1])
    return rates


def _several(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
