"""Candles from CSV files, as exchanges and data vendors write them."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from itertools import chain, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

from balance.core.candles import MINUTE
from balance.core.funding import interval_of_rates
from balance.core.money import LIMIT, ZERO, is_bounded
from balance.core.quote import Candle, MarkPrices
from balance.feeds.contract import FeedFault
from balance.feeds.csv_columns import columns_of
from balance.feeds.times import parsed, spelled

_PRICES: Final = ("open", "high", "low", "close")
_DELIMITERS: Final = (",", ";", "\t")
# a volume may be in units worth a fraction of a cent
_MOST_VOLUME: Final = LIMIT * LIMIT


@dataclass(frozen=True, slots=True)
class CandleFile:
    """What a file holds; at least one candle."""

    # without its folder
    name: str
    # oldest first, no two of the same time
    candles: Sequence[Candle]
    # of one candle
    seconds: int
    # of each candle, as a fraction: the newest that the file has told by then; empty where it has
    # no such column
    funding_rates: Sequence[Decimal | None]
    # The symbol that a column of the file names, such as BTC/USDT; None without such a column.
    symbol: str | None = None
    # The mark prices of each candle; None where the file knows none, empty where it has no columns
    # for them.
    marks: Sequence[MarkPrices | None] = ()
    # From one funding settlement to the next, where its rates are closer than usual.
    funding_interval: timedelta | None = None
    # What a reader of the file should know of it, in sentences.
    notes: tuple[str, ...] = ()


_Pick = Callable[[Sequence[str]], tuple[str, ...]]


class _Row(NamedTuple):
    line: int
    candle: Candle
    rate: Decimal | None


def read_candles(path: Path) -> CandleFile:
    """The candles of the CSV file at ``path``: columns in any order, commas, semicolons or tabs,
    oldest or newest first; gaps stay gaps.

    Raises:
        FeedFault: it can't be read or a line of it is wrong; the words say which.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return candles_in(path.name, file)
    except OSError as fault:
        raise FeedFault(f"{path.name} can't be read: {fault.strerror}.") from fault


def candles_in(name: str, lines: Iterable[str]) -> CandleFile:
    """The candles in ``lines``, those of a file called ``name``, as :func:`read_candles` reads
    them.

    Raises:
        FeedFault: a line is wrong; the words say which.
    """
    lines = iter(lines)
    try:
        first = next(lines, "")
        delimiter = max(_DELIMITERS, key=first.count)
        rows = list(_rows(csv.reader(chain([first], lines), delimiter=delimiter)))
        return _file(name, _sorted(rows))
    except UnicodeDecodeError as fault:
        raise FeedFault(f"{name} is not text in UTF-8.") from fault
    except (ValueError, csv.Error) as fault:
        raise FeedFault(f"{name} {fault}.") from fault


def _rows(reader: Iterable[list[str]]) -> Iterator[_Row]:
    filled = ((line, cells) for line, cells in enumerate(reader, start=1) if cells)
    line, cells = next(filled, (0, []))
    if len(cells) == 1 and "://" in cells[0]:
        # a vendor's address above the header
        line, cells = next(filled, (0, []))
    if not cells:
        raise ValueError("is empty")
    columns = columns_of(cells)
    pick: _Pick = itemgetter(*columns.places)
    if columns.headless:
        yield _row(line, cells, pick, None)
    for line, cells in filled:
        yield _row(line, cells, pick, columns.funding_rate)


def _row(line: int, cells: Sequence[str], pick: _Pick, funding: int | None) -> _Row:
    try:
        rate = None if funding is None else _rate(cells[funding].strip())
        return _Row(line, _candle(pick(cells)), rate)
    except IndexError as fault:
        raise ValueError(f"line {line}: it has only {len(cells)} columns") from fault
    except ValueError as fault:
        raise ValueError(f"line {line}: {fault}") from fault


def _candle(cells: Sequence[str]) -> Candle:
    try:
        time = parsed(cells[0].strip())
    except ValueError as fault:
        raise ValueError(f'"{cells[0]}" is no time, such as 2022-01-31 22:59') from fault
    try:
        opened, high, low, close, volume = map(Decimal, cells[1:])
        fine = (
            ZERO < low <= opened <= high <= LIMIT
            and low <= close <= high
            and is_bounded(low)
            and ZERO <= volume <= _MOST_VOLUME
        )
    except InvalidOperation:
        fine = False
    if not fine:
        raise ValueError(_fault(cells[1:]))
    return Candle(time=time, open=opened, high=high, low=low, close=close, volume=volume)


def _fault(cells: Sequence[str]) -> str:
    """What is wrong with the figures of a candle; at least one thing is."""
    for name, cell in zip((*_PRICES, "volume"), cells, strict=True):
        try:
            number = Decimal(cell)
        except InvalidOperation:
            return f'{name} "{cell}" is not a number'
        # a volume may be a float's smallest difference from zero
        is_usable = number.is_finite() if name == "volume" else is_bounded(number)
        if not is_usable or number > _MOST_VOLUME:
            return f"{name} {cell} is not a number that can be"
        if name == "volume" and number < 0:
            return f"volume {cell} is below 0"
        if name != "volume" and not 0 < number <= LIMIT:
            return f"{name} {cell} is not above 0 and at most {LIMIT:,}"
    opened, high, low, close = map(Decimal, cells[:4])
    if high < low:
        return f"high {high} is below low {low}"
    name, price = ("open", opened) if not low <= opened <= high else ("close", close)
    beyond = f"above high {high}" if price > high else f"below low {low}"
    return f"{name} {price} is {beyond}"


def _rate(cell: str) -> Decimal | None:
    if not cell:
        return None
    try:
        rate = Decimal(cell)
        if abs(rate) < 1:
            return rate
    except InvalidOperation:
        pass
    raise ValueError(f'funding rate "{cell}" is not a fraction such as 0.0001')


def _sorted(rows: list[_Row]) -> list[_Row]:
    """``rows``, oldest first; what is there twice, once."""
    rows.sort(key=lambda row: row.candle.time)
    kept: list[_Row] = []
    for row in rows:
        if not kept or kept[-1].candle.time != row.candle.time:
            kept.append(row)
        elif kept[-1][1:] != row[1:]:
            raise ValueError(
                f"line {row.line}: another candle of {spelled(row.candle.time)} is in line "
                f"{kept[-1].line}, with other figures"
            )
    return kept


def _file(name: str, rows: Sequence[_Row]) -> CandleFile:
    if not rows:
        raise ValueError("has no candles, only a header")
    rates: list[Decimal | None] = []
    for row in rows:
        rates.append(row.rate if row.rate is not None or not rates else rates[-1])
    known = any(rate is not None for rate in rates)
    return CandleFile(
        name=name,
        candles=[row.candle for row in rows],
        seconds=_interval(rows),
        funding_rates=rates if known else (),
        funding_interval=interval_of_rates(
            [(row.candle.time, row.rate) for row in rows if row.rate is not None]
        ),
    )


def _interval(rows: Sequence[_Row]) -> int:
    times = [row.candle.time for row in rows]
    apart = [(after - before).total_seconds() for before, after in pairwise(times)]
    least = min(apart, default=MINUTE)
    # where most candles are missing, the usual step is longer than a candle
    sparse = least % MINUTE == 0 and all(gap % least == 0 for gap in apart)
    seconds = least if sparse else statistics.median_low(apart)
    if seconds < MINUTE or seconds % MINUTE:
        raise ValueError(f"has candles of {seconds:g} seconds: they must be of whole minutes")
    early = next((place for place, gap in enumerate(apart, start=1) if gap < seconds), None)
    if early is not None:
        raise ValueError(
            f"line {rows[early].line}: it is {apart[early - 1]:g} seconds after the candle before "
            f"it, but the candles of this file are {seconds:g} seconds long"
        )
    return int(seconds)
