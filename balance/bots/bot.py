"""A bot: its settings, and what it remembers from one evaluation to the next."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from balance.bots.rules import Action
from balance.bots.settings import BotSettings, Run, Status
from balance.core.trade import Trade
from balance.core.trade_sums import TradeSums
from balance.strategies.strategy import Side

_LONGEST_SLUG: Final = 24
#: How many points the curve of a bot has.
CURVE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A signal, and what came of it; times are those of the market."""

    time: datetime
    # When the candle began that it is about; None for a signal from outside.
    candle: datetime | None
    side: Side
    # From 0 to 1.
    confidence: float
    reason: str
    action: Action
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """One bot at one moment."""

    # The owner of what it opens; never used again for another one.
    id: str
    settings: BotSettings
    created_at: datetime
    status: Status = "stopped"
    started_at: datetime | None = None
    # Another one after each start of the bot or of its feed, so that the keys of its orders differ
    # from those before.
    life: str = ""
    # Why it stopped itself; empty where somebody stopped it.
    stopped_because: str = ""
    run: Run = field(default_factory=Run)
    # Of the running epoch.
    sums: TradeSums = field(default_factory=TradeSums)
    # The P&L of the bot after each of its newest trades, the newest last.
    curve: tuple[Decimal, ...] = ()
    # The newest candle that it has dealt with; None before its first evaluation.
    last_candle: datetime | None = None
    decision: Decision | None = None

    @property
    def is_active(self) -> bool:
        """Whether it is evaluated at all."""
        return self.status != "stopped"

    def with_trade(self, trade: Trade) -> Bot:
        """The bot after one more of its trades."""
        sums = self.sums.with_trade(trade)
        return replace(self, sums=sums, curve=(*self.curve[1 - CURVE :], sums.pnl))


def bot_id(name: str, number: int) -> str:
    """The id of the ``number``-th bot ever made, which was called ``name``: ``ema-btc-3``."""
    letters = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_SLUG].strip("-")
    return f"{letters or 'bot'}-{number}"
