"""Candles from files, as exchanges, data vendors and other programs write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path, PurePath

from balance.core.candles import MINUTE, merge_candles
from balance.core.funding import interval_of_rates
from balance.core.quote import Candle, MarkPrices
from balance.market.feed import FeedFault
from balance.market.replay.row_times import begun, check_alike, in_order, length_of
from balance.market.replay.rows import Row, RowReader, counted, listed, plain
from balance.market.replay.text_table import MOST_UNPACKED, Table, tables
from balance.market.symbols import symbol_in
from balance.market.times import order_of, spelled


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
        taken, notes = _of_one_symbol(found, reading.symbol)
        by_table: dict[str, list[Row]] = {}
        symbols: dict[str, str] = {}
        counts: Counter[str] = Counter()
        for table in taken:
            reader = RowReader(table, reading.symbol, order)
            read, moved = begun(table.name, reader.rows(reading.rest), is_end=table.columns.is_end)
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
        notes=tuple(dict.fromkeys((*notes, *counted(counts), *said))),
    )


def _of_one_symbol(found: Sequence[Table], wanted: str | None) -> tuple[list[Table], list[str]]:
    """The tables of the symbol that is ``wanted`` or, without one, all, if they are of one; with
    what there is to say of that. Their names say of which they are."""
    named = [symbol_in(PurePath(table.name).stem) for table in found]
    symbols = {each for each in named if each is not None}
    if len(symbols) <= 1:
        return list(found), []
    taken = [each for each in symbols if plain(each) == plain(wanted or "")]
    if not taken:
        of = f", and not {wanted:.40}" if wanted else ""
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
            f"{marks.name} has mark prices from {spelled(candles[0].time)} to "
            f"{spelled(candles[-1].time)}: none of the times of {file.name}."
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
        raise FeedFault(f"{path.name} can't be read: {fault.strerror}.") from fault


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
