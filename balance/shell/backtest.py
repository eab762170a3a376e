"""The command that tests a strategy on the past: ``python -m balance backtest``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

from balance.backtests.backtest import CandleHistory, Plan, run_backtest
from balance.backtests.candles import (
    history_of_feed,
    history_of_file,
    plan_backtest,
    starting_balance,
    symbol_of,
)
from balance.backtests.report import notes, report
from balance.backtests.saved_market import saved_market
from balance.bots.rows import strategy_row
from balance.bots.settings import MEMBERS, BotSettings, settings_of
from balance.core import request
from balance.core.errors import InvalidRequest
from balance.core.figures import float_text, rounded
from balance.core.market import Market
from balance.core.money import number
from balance.desk.settings import SettingsFile
from balance.market.open_feed import interval_of_hours, parse_start
from balance.market.replay.candle_file import CandleFile, Reading, read_candles, with_marks
from balance.market.symbols import symbol_in
from balance.shell.parts import Result, table
from balance.strategies.own import Broken, Catalogue, OwnStrategies, ask_strategy
from balance.strategies.strategy import Kind, StrategyFault

_TRADE: Final = {
    "side": "Side",
    "quantity": "Quantity",
    "entry_price": "Entry",
    "exit_price": "Exit",
    "duration": "Time",
    "fees": "Fees",
    "pnl": "P&L",
}
_BAR: Final = 30


def backtest(options: argparse.Namespace) -> Result:
    """Run the backtest that ``options`` describe, or list the strategies.

    Raises:
        InvalidRequest, InvalidAmount: they make no sense, or there is no such past.
        StrategyFault: the strategy failed.
    """
    catalogue = Catalogue(_own(options.strategies))
    if options.list:
        return _list(catalogue)
    plan = _plan(options, catalogue)
    kind = catalogue.kind(plan.settings.strategy)
    try:
        with _progress() as show:
            tested = run_backtest(plan, show)
    except StrategyFault as fault:
        raise StrategyFault(f"The strategy {kind.name} failed:\n{fault}") from fault
    figures, message = report(plan, tested), notes(plan, tested)
    settings = {each.name: getattr(plan.settings, each.name) for each in fields(plan.settings)}
    parts = [_head(kind, plan.settings, figures), _figures(figures["figures"], figures["display"])]
    if rows := figures["rows"][: max(0, options.trades)]:
        parts.append(_trades(rows))
    members = {"settings": settings, "words": message, "result": figures}
    return Result(members, "\n\n".join(filter(None, (*parts, message))))


def _own(folder: Path | None) -> OwnStrategies:
    if folder is not None and not folder.is_dir():
        raise InvalidRequest(f"There is no folder {folder.name!r} to take strategies from.")
    return OwnStrategies(folder)


def _plan(options: argparse.Namespace, catalogue: Catalogue) -> Plan:
    past = _saved_past(options) if options.csv is None else _past_of_csv(options)
    given = {name: getattr(options, name, None) for name in MEMBERS}
    named_settings = {
        **{name: value for name, value in given.items() if value is not None},
        "name": "Backtest",
        "symbol": past.instrument.symbol,
        "params": dict(map(_parameter, options.set)),
    }
    market = Market(instruments={past.instrument.symbol: past.instrument})
    settings = settings_of(named_settings, catalogue.kind, market)
    chosen = catalogue.kind(settings.strategy).make(settings.params)
    in_force = SettingsFile(options.data_dir).settings
    since, until = (
        None if each is None else parse_start(each) for each in (vars(options)["from"], options.to)
    )
    return plan_backtest(
        past,
        settings,
        chosen,
        partial(ask_strategy, chosen),
        balance=starting_balance(options.balance),
        since=since,
        until=until,
        hours=None if options.hours is None else request.positive(options.hours, "hours"),
        terms=in_force.terms,
        decimals=in_force.decimals,
    )


def _past_of_csv(options: argparse.Namespace) -> CandleHistory:
    rate = options.funding_rate
    usual = None if rate is None else number(rate, "funding rate", Decimal(99)) / 100
    reading = Reading(
        symbol=options.symbol or symbol_in(options.csv[0].stem), date_format=options.date_format
    )
    file = _read(options.csv, reading)
    symbol = symbol_of(options.csv[0].name, options.symbol, file.symbol)
    for path in options.csv[1:]:
        symbol_of(path.name, symbol, file.symbol)
    if options.mark:
        file = with_marks(file, _read(options.mark, replace(reading, symbol=symbol)))
    return history_of_file(file, symbol, usual, _interval(options.funding_interval))


def _read(paths: Sequence[Path], reading: Reading) -> CandleFile:
    return read_candles(*(path.expanduser() for path in paths), reading=reading)


def _interval(hours: str | None) -> timedelta | None:
    try:
        return None if hours is None else interval_of_hours(hours)
    except argparse.ArgumentTypeError as fault:
        raise InvalidRequest(f"The funding interval {fault}.") from fault


def _saved_past(options: argparse.Namespace) -> CandleHistory:
    if options.funding_rate is not None or options.funding_interval is not None:
        raise InvalidRequest("The market in the data folder has funding of its own.")
    if options.mark or options.date_format:
        raise InvalidRequest(
            "--mark and --date-format are for a file of candles: name it with --csv."
        )
    feed = saved_market(options.data_dir, "name a file of candles with --csv")
    market = Market(instruments=feed.instruments)
    symbol = next(iter(feed.instruments)) if options.symbol is None else options.symbol
    traded = market.instrument(request.symbol(symbol, market))
    return history_of_feed(feed.candles, feed.settlement, traded)


def _parameter(text: str) -> tuple[str, str]:
    name, given, value = text.partition("=")
    if not given:
        raise InvalidRequest(f"A parameter is set as NAME=VALUE, such as fast=12, not {text!r}.")
    return name.strip(), value.strip()


def _head(kind: Kind, settings: BotSettings, figures: Mapping[str, Any]) -> str:
    values = [f"{each.name} {float_text(settings.params[each.name])}" for each in kind.parameters]
    unit = "%" if settings.stake_unit == "percent" else " USDT"
    way = "long and short" if settings.direction == "both" else f"{settings.direction} only"
    first, last = _minute(figures["from"]), _minute(figures["to"])
    return (
        f"{kind.name}{' (' + ', '.join(values) + ')' if values else ''} on {settings.symbol} "
        f"{settings.timeframe}, {way}, {rounded(settings.stake)}{unit} at "
        f"{rounded(settings.leverage)}x\n"
        f"{first} to {last} UTC, {figures['candles']:,} candles"
    )


def _figures(figures: Sequence[Mapping[str, str]], texts: Mapping[str, str]) -> str:
    """The figures in two columns, the first two side by side."""
    cells = [(each["label"], texts[each["name"]]) for each in figures]
    cells += [("", "")] * (len(cells) % 2)
    rows = [(*one, *two) for one, two in zip(cells[::2], cells[1::2], strict=True)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        f"{one:<{widths[0]}}  {first:>{widths[1]}}    {two:<{widths[2]}}  {second:>{widths[3]}}"
        for one, first, two, second in rows
    )
    return "\n".join(map(str.rstrip, lines))


def _trades(rows: Sequence[Mapping[str, Any]]) -> str:
    cells = [
        [_minute(row["closed_at"]), *(row["display"][name] for name in _TRADE)] for row in rows
    ]
    lines = table(["Closed (UTC)", *_TRADE.values()], cells, left=2).splitlines()
    reasons = ["Why", *(row["display"]["closed_because"] for row in rows)]
    return "\n".join(f"{line}  {why}" for line, why in zip(lines, reasons, strict=True))


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")


def _list(catalogue: Catalogue) -> Result:
    every = catalogue.all()
    members = {"strategies": [strategy_row(each) for each in every]}
    return Result(members, "\n\n".join(map(_listed, every)))


def _listed(kind: Kind | Broken) -> str:
    if isinstance(kind, Broken):
        return f"{kind.id}  can't be loaded:\n{_indented(kind.error.splitlines())}"
    parameters = [
        f"{each.name}={float_text(each.default)}  {each.label}: {each.range}"
        for each in kind.parameters
    ]
    return f"{kind.id}  {kind.name}\n{_indented([kind.words, *parameters])}".rstrip()


def _indented(lines: Sequence[str]) -> str:
    return "\n".join(f"    {line}" for line in lines if line)


@contextmanager
def _progress() -> Iterator[Callable[[float], None]]:
    """What shows how much is done, where somebody can see it."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        yield _show
    finally:
        _print_over("")


def _show(progress: float) -> None:
    done = round(progress * _BAR)
    _print_over(f"[{'#' * done}{'.' * (_BAR - done)}] {progress:4.0%}")


def _print_over(line: str) -> None:
    print(f"\r{line:<{_BAR + 8}}\r{line}", end="", file=sys.stderr, flush=True)
