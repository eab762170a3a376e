"""Bots and their trades as readers see them: rows of figures, and of their texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from hashlib import blake2s
from itertools import islice
from types import MappingProxyType
from typing import Annotated, Any, Final, TypedDict

from balance.bots.bot import Bot, Decision
from balance.bots.refused_signals import RefusedSignal
from balance.bots.rules import Action
from balance.bots.settings import BotSettings, Status
from balance.bots.signals import SIGNALS
from balance.bots.state import MOST_TRADES
from balance.core.account import Account
from balance.core.entry import Entry
from balance.core.errors import InvalidRequest
from balance.core.figures import NONE, dollars, float_text, gain, percent, rounded
from balance.core.margin import Side
from balance.core.market import Market
from balance.core.moments import iso
from balance.core.money import ZERO, exactly, quantized
from balance.core.position import Position
from balance.core.rows import MarketTime, Row, price_words
from balance.core.shape import (
    Doc,
    Money,
    Percent,
    Price,
    Quantity,
    Symbol,
    Texts,
    Time,
    Whole,
    members,
    text_names,
)
from balance.history.rows import closed_trade_row
from balance.strategies.own import Broken
from balance.strategies.strategy import Kind, Parameter
from balance.strategies.strategy import Side as SignalSide

Confidence = Annotated[float, Doc(minimum=0, maximum=1)]

_STATUS: Final = {"running": "Running", "paused": "Paused", "stopped": "Stopped"}


class BotPosition(TypedDict):
    """What a bot holds."""

    side: Side
    quantity: Quantity
    entry_price: Price
    unrealized_pnl: Annotated[Money, Doc("At mark price, before fees.")]


class DecisionRow(TypedDict):
    """A signal, and what came of it."""

    time: MarketTime
    candle: Annotated[
        Time | None,
        Doc("When the candle began that it is about; null for a signal from outside."),
    ]
    side: SignalSide
    confidence: Confidence
    reason: str
    action: Action
    words: Annotated[str, Doc("What it did, or why not.")]


class BotRow(TypedDict):
    """A bot as it stands."""

    id: str
    name: str
    settings: Annotated[Row, Doc(shape=BotSettings)]
    status: Status
    symbol: Symbol
    strategy_name: str
    stopped_because: Annotated[str, Doc("Why it stopped itself; else empty.")]
    held_by: Annotated[
        str | None,
        Doc(
            "Who else has what is open of its symbol: a bot's id, or empty for the person; it "
            "opens nothing meanwhile. Null: nobody."
        ),
    ]
    position: BotPosition | None
    signal: DecisionRow | None
    refused_signal: Annotated[
        RefusedSignal | None,
        Doc(
            "The newest signal that was refused before any bot got it, where the bot takes signals "
            "from outside; null once one was accepted."
        ),
    ]
    pnl: Annotated[Money, Doc("Of this epoch, after fees, with what it holds.")]
    realized: Annotated[Money, Doc("Of its closed trades of this epoch, after fees and funding.")]
    trades: Whole
    wins: Whole
    losses: Whole
    even: Whole
    win_rate: Annotated[Percent | None, Doc("Null before the first trade.")]
    fees: Annotated[Money, Doc("Of this epoch.")]
    curve: Annotated[list[Decimal], Doc("The realised P&L after each trade, newest last.")]
    created_at: Time
    started_at: Time | None
    display: Annotated[
        Texts,
        text_names(
            (
                *("pnl", "realized", "win_rate", "position", "confidence", "fees", "trades"),
                *("strategy", "stake", "status", "entry_price", "unrealized_pnl", "curve"),
                *("held_by", "refused_signal", "because", "entry", "open", "record"),
                *("signal", "signal_time", "reason", "did"),
            )
        ),
    ]


class BotList(TypedDict):
    """All bots, and what they made together."""

    version: Annotated[
        Whole, Doc("Another one: something about the bots has changed. 0: their file is not there.")
    ]
    can_change: Annotated[bool, Doc("Whether they run, and can be changed, here.")]
    words: Annotated[str, Doc("Why not, where they can't.")]
    fault: Annotated[str, Doc("Why it is not known which there are; empty: they are listed.")]
    drawn: Annotated[
        str, Doc("Another one: more than figures of the rows has changed, or who has a symbol.")
    ]
    activity: Annotated[str, Doc("Another one: there is an entry more in the log, or a trade.")]
    bots: list[BotRow]
    display: Annotated[Texts, text_names(("pnl", "running", "summary", "total"))]


class StrategyRow(TypedDict):
    """A strategy that may be chosen."""

    id: str
    name: str
    words: str
    own: Annotated[bool, Doc("Whether it is from the folder of --strategies.")]
    error: Annotated[str | None, Doc("Why it can't be used, where it can't.")]
    parameters: list[Parameter]


class SignalResult(TypedDict):
    """What a bot did with a signal from outside."""

    bot: str
    name: str
    action: Action
    words: str


@exactly
def bot_row(
    bot: Bot,
    account: Account,
    market: Market,
    strategies: Mapping[str, str],
    names: Mapping[str, str] = MappingProxyType({}),
    refused: RefusedSignal | None = None,
) -> Row:
    """``bot``, whose strategy is called as ``strategies`` have it by id, and other bots as
    ``names`` do, with the signal that was ``refused``: P&L in the quote currency with what it holds
    at the newest prices, after fees; ``win_rate`` in percent."""
    settings, sums = bot.settings, bot.sums
    own = account.marked(market).owned(settings.symbol, bot.id)
    pnl = sums.pnl + (own.net_pnl + own.unrealized_pnl if own is not None else 0)
    rate = sums.win_rate
    row: dict[str, Any] = {
        "id": bot.id,
        "name": settings.name,
        "settings": {**members(settings), "params": dict(settings.params)},
        "status": bot.status,
        "symbol": settings.symbol,
        "strategy_name": strategies.get(settings.strategy, settings.strategy),
        "stopped_because": bot.stopped_because,
        "held_by": account.other_owner(settings.symbol, bot.id),
        "position": None if own is None else _position(own),
        "signal": bot.decision and _decision(bot.decision),
        "refused_signal": refused if settings.strategy == SIGNALS else None,
        "pnl": quantized(pnl),
        "realized": quantized(sums.pnl),
        "trades": sums.trades,
        "wins": sums.wins,
        "losses": sums.losses,
        "even": sums.even,
        "win_rate": None if rate is None else quantized(rate),
        "fees": quantized(sums.fees + (own.fees_paid if own is not None else 0)),
        "curve": list(bot.curve),
        "created_at": iso(bot.created_at),
        "started_at": bot.started_at and iso(bot.started_at),
    }
    return {**row, "display": _texts(bot, own, row, market, names)}


def bot_trade_rows(
    entries: Iterable[Entry], market: Market, names: Mapping[str, str], bot: str | None, limit: int
) -> list[Row]:
    """The first ``limit`` (1 to 1,000) trades that ``entries`` ended, of one ``bot`` or of all,
    with the names that the bots have in ``names``.

    Raises:
        InvalidRequest: the limit is out of range.
    """
    if not 1 <= limit <= MOST_TRADES:
        raise InvalidRequest(f"limit must be from 1 to {MOST_TRADES:,}, not {limit!r:.40}.")
    rows = (
        closed_trade_row(entry, market, names)
        for entry in entries
        if (fill := entry.booking.fill) is not None
        and fill.trade is not None
        and fill.trade.owner
        and bot in (None, fill.trade.owner)
    )
    return list(islice(rows, limit))


def _position(held: Position) -> Row:
    return {
        "side": held.side,
        "quantity": held.quantity,
        "entry_price": held.entry_price,
        "unrealized_pnl": quantized(held.unrealized_pnl),
    }


def _decision(decision: Decision) -> Row:
    times = {"time": iso(decision.time), "candle": decision.candle and iso(decision.candle)}
    return {**members(decision), **times}


def _texts(
    bot: Bot,
    own: Position | None,
    row: Mapping[str, Any],
    market: Market,
    names: Mapping[str, str],
) -> Row:
    decimals = market.decimals
    held_by = owner_message(bot.settings.symbol, row["held_by"], names)
    return {
        "pnl": gain(row["pnl"], decimals),
        "realized": gain(row["realized"], decimals),
        "win_rate": NONE if row["win_rate"] is None else percent(row["win_rate"]).lstrip("+"),
        "position": NONE if own is None else f"{own.side.capitalize()} {rounded(own.quantity)}",
        "entry_price": NONE if own is None else price_words(own.entry_price, own.symbol, market),
        "unrealized_pnl": NONE if own is None else gain(own.unrealized_pnl, decimals),
        "curve": _curve_text(bot.curve, decimals),
        "confidence": _share(bot.decision.confidence) if bot.decision else NONE,
        "fees": dollars(row["fees"], decimals),
        "trades": f"{row['trades']:,}",
        "strategy": strategy_text(row["strategy_name"], bot.settings),
        "stake": stake_text(bot.settings),
        "status": _status_text(bot, row["held_by"], market),
        "held_by": held_by,
        "refused_signal": _refused_text(row["refused_signal"]),
        "because": held_by if bot.is_active and held_by else bot.stopped_because,
        "entry": "" if own is None else f"at {price_words(own.entry_price, own.symbol, market)}",
        "open": "" if own is None else f"{gain(own.unrealized_pnl, decimals)} open",
        "record": f"{row['wins']:,} of {row['trades']:,}" if row["trades"] else "no trades",
        **_signal_texts(bot.decision),
    }


def _signal_texts(decision: Decision | None) -> Row:
    if decision is None:
        return {"signal": "None yet", "signal_time": "", "reason": "", "did": ""}
    return {
        "signal": signal_text(decision.side, decision.confidence),
        "signal_time": iso(decision.time),
        "reason": decision.reason,
        "did": decision.words,
    }


def signal_text(side: str, confidence: float | None) -> str:
    """A signal and how sure it is, where it changes something: ``"Buy 62%"``; empty for none."""
    if confidence is None or side in ("", "hold"):
        return side.capitalize()
    share = (Decimal(repr(confidence)) * 100).quantize(Decimal(1), ROUND_HALF_UP)
    return f"{side.capitalize()} {share}%"


def _share(confidence: float) -> str:
    return f"{Decimal(repr(confidence)) * 100:.0f}%"


def _refused_text(refused: RefusedSignal | None) -> str:
    if refused is None:
        return ""
    if refused["count"] == 1:
        return f"A signal was refused: {refused['reason']}"
    return f"{refused['count']:,} signals were refused, the last one: {refused['reason']}"


def _status_text(bot: Bot, other: str | None, market: Market) -> str:
    if bot.is_active and bot.settings.symbol not in market.live:
        return "Waits for prices"
    if bot.is_active and other is not None:
        return "Symbol in use"
    return _STATUS[bot.status]


def owner_message(symbol: str, other: str | None, names: Mapping[str, str]) -> str:
    """That ``symbol`` is of the ``other`` owner, called as ``names`` have it, and what that means
    to a bot; empty where there is none."""
    if other is None:
        return ""
    return (
        f"{symbol} is traded by {names.get(other, other) if other else 'you'} now: it opens "
        "nothing until that is closed."
    )


def _curve_text(curve: Sequence[Decimal], decimals: int) -> str:
    if not curve:
        return "No trades yet"
    ends = (curve[-1], min(ZERO, *curve), max(ZERO, *curve))
    last, least, most = (gain(each, decimals) for each in ends)
    return (
        f"Realised P&L over the last {len(curve)} trades: {last} at the end, "
        f"between {least} and {most}"
    )


def listing(
    bots: Iterable[Bot],
    account: Account,
    market: Market,
    strategies: Mapping[str, str],
    refused: RefusedSignal | None = None,
) -> Row:
    """``bots`` as rows, in their order, with the signal that was ``refused``, and what they made
    together."""
    bots = tuple(bots)
    names = {bot.id: bot.settings.name for bot in bots}
    rows = [bot_row(bot, account, market, strategies, names, refused) for bot in bots]
    running = f"{sum(row['status'] == 'running' for row in rows)} of {len(rows)} running"
    pnl = gain(sum((row["pnl"] for row in rows), ZERO), market.decimals)
    return {
        "drawn": _signature(rows, _owners(account)),
        "bots": rows,
        "display": {
            "pnl": pnl,
            "running": running,
            "summary": f"{running}, P&L" if rows else "",
            "total": pnl if rows else "",
        },
    }


def _owners(account: Account) -> set[tuple[str, str]]:
    """Who has something open of which symbol; an order that only reduces is of no account."""
    holding = {(each.symbol, each.owner) for each in account.positions}
    return holding | {(each.symbol, each.owner) for each in account.orders if not each.reduce_only}


def _signature(rows: Iterable[Row], owners: set[tuple[str, str]]) -> str:
    """A short text that is another one when ``rows`` look different but for their figures, or the
    ``owners`` of symbols are others."""
    seen = [
        (
            *(row["id"], row["name"], row["symbol"], row["settings"]["timeframe"], row["status"]),
            row["held_by"] is None,
            *(row["display"][name] for name in ("strategy", "stake", "status")),
        )
        for row in rows
    ]
    return blake2s(repr((seen, sorted(owners))).encode(), digest_size=8).hexdigest()


def strategy_text(name: str, settings: BotSettings) -> str:
    """``"EMA crossover 12, 26"``."""
    numbers = ", ".join(float_text(each) for each in settings.params.values())
    return f"{name} {numbers}".strip()


def stake_text(settings: BotSettings) -> str:
    """``"10% at 3x"`` or ``"250 USDT at 3x"``."""
    unit = "%" if settings.stake_unit == "percent" else " USDT"
    return f"{rounded(settings.stake)}{unit} at {rounded(settings.leverage)}x"


def strategy_row(kind: Kind | Broken) -> Row:
    """A strategy that may be chosen, with its parameters; one of the person's own that can't be
    loaded has an ``error``."""
    if isinstance(kind, Broken):
        row = {"id": kind.id, "name": kind.name, "words": "", "own": True, "parameters": []}
        return {**row, "error": kind.error}
    return {
        "id": kind.id,
        "name": kind.name,
        "words": kind.words,
        "own": kind.own,
        "parameters": [members(each) for each in kind.parameters],
        "error": None,
    }
