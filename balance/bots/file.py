"""``data/bots.json``: the bots, and up to where their trades are summed up.

It is no part of the account: what a bot holds and what it traded is in the account and its ledger.
What is lost of it with a crash is found again there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast, get_args

from balance.bots.bot import Bot, Decision
from balance.bots.rules import Action
from balance.bots.settings import MEMBERS, BotSettings, Run, read_settings, status
from balance.core.errors import BalanceError, StoreFailed, StoreUnreadable
from balance.core.figures import plain
from balance.core.moments import from_iso, iso
from balance.core.trade_sums import TradeSums
from balance.store.disk import DISK, Disk
from balance.strategies.strategy import Signal

BOTS_FILE: Final = "bots.json"
_SCHEMA: Final = 1
_DECIMALS: Final = (
    *("stake", "leverage", "min_confidence", "stop_loss", "take_profit", "trailing_stop"),
    *("max_daily_loss", "max_drawdown"),
)
_READ_SUMS: Final = ("fees", "funding", "gained", "lost")
# The P&L follows from the others; it is written for those who read the file.
_SUMS: Final = ("pnl", *_READ_SUMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request with an idempotency key was answered."""

    key: str
    fingerprint: str
    message: str
    # the bot that it was about, if any, and what else was told, as JSON
    bot: str | None = None
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All that is kept of the bots."""

    bots: tuple[Bot, ...] = ()
    # how many were ever made
    made: int = 0
    # the account, the epoch and the revision up to which its trades are summed up
    account: str = ""
    epoch: int = 0
    revision: int = 0
    # on which feed the bots were last, as their candles are of its time
    feed: str | None = None
    # whether its trades are to be summed up anew, as an older version did not count the losing ones
    is_older: bool = False
    answers: tuple[Answer, ...] = field(default=())


class BotsUnreadable(StoreUnreadable):
    """The file of the bots is damaged; nothing is put in its place."""

    def __init__(self, reason: str) -> None:
        super().__init__(BOTS_FILE, reason)
        # it can't be mended as the account can
        self.args = (
            f"{BOTS_FILE} {reason}. Nothing was changed. What bots hold and traded is in the "
            "account: put a copy of the file back, or move it away to begin without bots.",
        )


class BotFile:
    """The file in ``folder``; None keeps it nowhere."""

    def __init__(self, folder: Path | None, disk: Disk = DISK) -> None:
        self._disk = disk
        self._file = None if folder is None else folder / BOTS_FILE

    def read(self) -> Kept:
        """What is kept; nothing where there is no file yet.

        Raises:
            BotsUnreadable: it is damaged; nothing is put in its place.
        """
        if self._file is None:
            return Kept()
        try:
            return read_kept(json.loads(self._file.read_bytes()))
        except FileNotFoundError:
            return Kept()
        except OSError as fault:
            raise BotsUnreadable(f"can't be read: {fault.strerror}") from fault
        except (
            *(ValueError, KeyError, TypeError, AttributeError, ArithmeticError),
            *(RecursionError, BalanceError),
        ) as fault:
            raise BotsUnreadable(f"is damaged ({fault!r:.120})") from fault

    def write(self, kept: Kept, *, durable: bool) -> None:
        """Keep ``kept``; unless it is ``durable``, a power loss may bring back the file before it.

        Raises:
            StoreFailed: the disk refused.
        """
        if self._file is None:
            return
        try:
            self._disk.replace_file(
                self._file, json.dumps(document(kept)).encode(), durable=durable
            )
        except OSError as fault:
            raise StoreFailed(fault.strerror or type(fault).__name__) from fault


def document(kept: Kept) -> dict[str, Any]:
    """``kept`` as an object."""
    return {
        "schema": _SCHEMA,
        "made": kept.made,
        "account": kept.account,
        "epoch": kept.epoch,
        "revision": kept.revision,
        "feed": kept.feed,
        "bots": [_bot_document(bot) for bot in kept.bots],
        "answers": [asdict(each) for each in kept.answers],
    }


def read_kept(told: Mapping[str, Any]) -> Kept:
    """What the object ``told`` keeps.

    Raises:
        ValueError, KeyError, TypeError, BalanceError: it is no such object.
    """
    if told["schema"] != _SCHEMA:
        raise ValueError(f"its schema is {told['schema']!r}, not {_SCHEMA}")
    return Kept(
        bots=tuple(_read_bot(each) for each in told["bots"]),
        made=int(told["made"]),
        account=told["account"],
        epoch=int(told["epoch"]),
        revision=int(told["revision"]),
        feed=told["feed"],
        is_older=any("losses" not in each["tally"] for each in told["bots"]),
        answers=tuple(Answer(**each) for each in told["answers"]),
    )


def settings_document(settings: BotSettings) -> dict[str, Any]:
    """``settings`` as an object, numbers that are exact as decimal strings."""
    values = {name: getattr(settings, name) for name in MEMBERS}
    texts = {name: None if values[name] is None else plain(values[name]) for name in _DECIMALS}
    return {**values, **texts, "params": dict(settings.params)}


def _bot_document(bot: Bot) -> dict[str, Any]:
    run, sums = bot.run, bot.sums
    return {
        "id": bot.id,
        "settings": settings_document(bot.settings),
        "status": bot.status,
        "created_at": iso(bot.created_at),
        "started_at": bot.started_at and iso(bot.started_at),
        "life": bot.life,
        "stopped_because": bot.stopped_because,
        "last_candle": bot.last_candle and iso(bot.last_candle),
        "run": {
            "day": run.day and run.day.isoformat(),
            "day_began": plain(run.day_began),
            "best": None if run.best is None else plain(run.best),
        },
        "tally": {
            "trades": sums.trades,
            "wins": sums.wins,
            "losses": sums.losses,
            **{name: plain(getattr(sums, name)) for name in _SUMS},
            "closed_at": sums.closed_at and iso(sums.closed_at),
            "curve": [plain(each) for each in bot.curve],
        },
        "decision": bot.decision and _decision_document(bot.decision),
    }


def _read_bot(told: Mapping[str, Any]) -> Bot:
    run, tally, decision = told["run"], told["tally"], told["decision"]
    return Bot(
        id=_text(told["id"]),
        settings=read_settings(told["settings"]),
        status=status(told["status"]),
        created_at=from_iso(told["created_at"]),
        started_at=_moment(told["started_at"]),
        life=_text(told["life"]),
        stopped_because=_text(told["stopped_because"]),
        last_candle=_moment(told["last_candle"]),
        run=Run(
            day=None if run["day"] is None else date.fromisoformat(run["day"]),
            day_began=Decimal(run["day_began"]),
            best=None if run["best"] is None else Decimal(run["best"]),
        ),
        sums=TradeSums(
            trades=int(tally["trades"]),
            wins=int(tally["wins"]),
            losses=int(tally.get("losses", 0)),
            **{name: Decimal(tally[name]) for name in _READ_SUMS},
            closed_at=_moment(tally["closed_at"]),
        ),
        curve=tuple(Decimal(each) for each in tally["curve"]),
        decision=None if decision is None else _read_decision(decision),
    )


def _decision_document(decision: Decision) -> dict[str, Any]:
    values = {each.name: getattr(decision, each.name) for each in fields(decision)}
    return {
        **values,
        "time": iso(decision.time),
        "candle": decision.candle and iso(decision.candle),
    }


def _read_decision(told: Mapping[str, Any]) -> Decision:
    # which checks what it is given
    signal = Signal(told["side"], told["confidence"], told["reason"])
    if told["action"] not in get_args(Action):
        raise ValueError(f"nothing comes of a signal that is {told['action']!r}")
    return Decision(
        time=from_iso(told["time"]),
        candle=_moment(told["candle"]),
        side=signal.side,
        confidence=signal.confidence,
        reason=signal.reason,
        action=cast(Action, told["action"]),
        words=str(told["words"]),
    )


def _text(told: object) -> str:
    if not isinstance(told, str):
        raise TypeError(f"{told!r:.40} is no text")
    return told


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_iso(text)
