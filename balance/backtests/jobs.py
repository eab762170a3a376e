"""Backtests as jobs: one at a time, in a thread that leaves the others room."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, Literal, NamedTuple, TypedDict

from balance.background.pace import Pace
from balance.background.worker import Worker
from balance.backtests.backtest import Cancelled, Past, Plan, backtested
from balance.backtests.candle_files import CandleFiles
from balance.backtests.candles import (
    Candles,
    Settle,
    past_of_feed,
    past_of_file,
    planned,
    starting_balance,
)
from balance.backtests.report import Report, notes, report
from balance.bots.settings import MEMBERS, BotSettings, settings_of
from balance.core import request
from balance.core.errors import BalanceError, InvalidRequest, UnknownBacktest
from balance.core.market import Market
from balance.core.rows import Row
from balance.core.shape import Doc
from balance.strategies.own import Catalogue, Guarded, asked
from balance.strategies.strategy import Kind, StrategyFault

State = Literal["running", "done", "cancelled", "failed"]

#: How many may wait for the one that runs, and how many are remembered.
MOST_WAITING: Final = 4
MOST_KEPT: Final = 20
# what a backtest need not name
_USUAL: Final = {"name": "Backtest"}
_CANCELLED: Final = "Cancelled."

#: What is tested, and what reads the past that it is tested on.
_Subject = tuple[BotSettings, Callable[[], Past]]

_log = logging.getLogger(__name__)


class BacktestRow(TypedDict):
    """How a backtest stands."""

    id: str
    state: State
    progress: Annotated[float, Doc(minimum=0, maximum=1)]
    words: Annotated[str, Doc("What went wrong, or what else there is to know.")]
    result: Annotated[Row, Doc(shape=Report)] | None


@dataclass(slots=True)
class _Job:
    """A backtest, from when it was asked for."""

    id: str
    # what its strategy is called
    strategy: str
    state: State = "running"
    # from 0 to 1
    progress: float = 0.0
    words: str = ""
    result: Row | None = None

    @property
    def row(self) -> Row:
        """How it stands."""
        names = ("id", "state", "progress", "words", "result")
        return {name: getattr(self, name) for name in names}


class _Waiting(NamedTuple):
    job: _Job
    # makes what is to be tested, which may take long
    plan: Callable[[], Plan]


class Backtests:
    """Backtests on the past of the market, and on files that are sent. Safe to use from many
    threads."""

    def __init__(
        self,
        market: Callable[[], Market],
        candles: Candles,
        settle: Settle,
        catalogue: Catalogue,
    ) -> None:
        self._market = market
        self._candles = candles
        self._settle = settle
        self._catalogue = catalogue
        self._files = CandleFiles()
        self._guard = threading.Lock()
        self._jobs: dict[str, _Job] = {}
        self._waiting: deque[_Waiting] = deque()
        # that which the thread is at work on
        self._running: _Job | None = None
        self._worker = Worker("backtests", self._turn, "a backtest could not be run")

    def start(self, members: Mapping[str, Any]) -> Row:
        """Begin a backtest of the settings in ``members``, which may name the newest ``hours`` of
        the past (by default all there is), the ``file`` that it is to run on, and the ``balance``
        that it begins with; how it stands.

        Raises:
            InvalidRequest, InvalidAmount: they make no sense, there is no past, or too many wait.
        """
        wanted = self._wanted(members)
        with self._guard:
            ahead = len(self._waiting) + (self._running is not None)
            if ahead > MOST_WAITING:
                raise InvalidRequest(
                    f"{ahead} backtests are not done yet. Wait for them, or cancel one."
                )
            self._jobs[wanted.job.id] = wanted.job
            self._waiting.append(wanted)
            self._forget_old()
            self._worker.start()
            self._worker.wake()
            return self._row(wanted.job)

    def row(self, wanted: str) -> Row:
        """How the backtest with the id ``wanted`` stands.

        Raises:
            UnknownBacktest: there is none.
        """
        with self._guard:
            return self._row(self._found(wanted))

    def cancel(self, wanted: str) -> Row:
        """End the backtest with the id ``wanted``, where it has not ended; how it stands.

        Raises:
            UnknownBacktest: there is none.
        """
        with self._guard:
            job = self._found(wanted)
            if job.state == "running":
                job.state, job.words = "cancelled", _CANCELLED
                self._waiting = deque(each for each in self._waiting if each.job is not job)
            return self._row(job)

    def keep(
        self, name: str, data: bytes, symbol: str | None = None, date_format: str | None = None
    ) -> Row:
        """Keep the file of candles ``data`` for backtests, as one of the newest five; what is in
        it, and its id. Of several markets in it, ``symbol`` is taken; ``date_format`` is that of
        dates whose day and month can't be told apart.

        Raises:
            InvalidRequest: it can't be read; the words say which line is wrong.
        """
        return self._files.keep(name, data, symbol, date_format)

    def _wanted(self, members: Mapping[str, Any]) -> _Waiting:
        is_on_file = members.get("file") is not None
        settings, read = self._on_file(members) if is_on_file else self._on_feed(members)
        hours = members.get("hours")
        kind, market = self._catalogue.kind(settings.strategy), self._market()
        plan = partial(
            _plan,
            read,
            settings=settings,
            kind=kind,
            balance=starting_balance(members.get("balance")),
            terms=market.terms,
            decimals=market.decimals,
            hours=None if hours is None else request.positive(hours, "hours"),
        )
        return _Waiting(_Job(secrets.token_hex(8), kind.name), plan)

    def _on_feed(self, members: Mapping[str, Any]) -> _Subject:
        market = self._market()
        settings = settings_of(_settings(members), self._catalogue.kind, market)
        traded = market.instrument(settings.symbol)
        # now, so that whoever asks hears at once that there is none
        past = past_of_feed(self._candles, self._settle, traded)
        return settings, lambda: past

    def _on_file(self, members: Mapping[str, Any]) -> _Subject:
        kept = self._files.kept(members["file"])
        traded = kept.traded(members.get("symbol"))
        settings = settings_of(
            {**_settings(members), "symbol": traded.symbol},
            self._catalogue.kind,
            Market(instruments={traded.symbol: traded}),
        )
        return settings, lambda: past_of_file(self._files.read(kept), traded.symbol)

    def _found(self, wanted: str) -> _Job:
        if wanted not in self._jobs:
            raise UnknownBacktest(
                f"There is no backtest {wanted!r:.40}. The newest {MOST_KEPT} are kept, until the "
                "server stops."
            )
        return self._jobs[wanted]

    def _forget_old(self) -> None:
        ended = [job.id for job in self._jobs.values() if job.state != "running"]
        for each in ended[: max(0, len(self._jobs) - MOST_KEPT)]:
            del self._jobs[each]

    def _row(self, job: _Job) -> Row:
        places = [each.job for each in self._waiting]
        ahead = places.index(job) + (self._running is not None) if job in places else 0
        words = f"Waits for {ahead} other backtest{'s' if ahead > 1 else ''}." if ahead else ""
        return {**job.row, "words": words or job.words}

    def _turn(self) -> float | None:
        with self._guard:
            if not self._waiting:
                return None
            job, plan = self._waiting.popleft()
            self._running = job
        ended = _tried(job, plan)
        with self._guard:
            self._running = None
            if job.state == "running":
                job.state, job.words, job.result = ended
                job.progress = 1.0
        return 0.0


def _settings(members: Mapping[str, Any]) -> dict[str, Any]:
    return {**_USUAL, **{name: members[name] for name in MEMBERS if name in members}}


def _tried(job: _Job, plan: Callable[[], Plan]) -> tuple[State, str, Row | None]:
    """What came of ``job``: how it ended, what there is to say, and its report."""
    pace = Pace()

    def tell(progress: float) -> None:
        if job.state != "running":
            raise Cancelled
        job.progress = progress
        pace.rest()

    try:
        made = plan()
        tested = backtested(made, tell)
        return "done", notes(made, tested), report(made, tested)
    except Cancelled:
        return "cancelled", _CANCELLED, None
    except StrategyFault as fault:
        return "failed", f"The strategy {job.strategy} failed:\n{fault}", None
    except BalanceError as fault:
        return "failed", str(fault), None
    except Exception:
        _log.exception("a backtest failed")
        return "failed", "The server has made a mistake; its log tells more.", None


def _plan(
    read: Callable[[], Past],
    *,
    settings: BotSettings,
    kind: Kind,
    **more: Any,
) -> Plan:
    chosen = kind.make(settings.params)
    # one that a person wrote may hang, and is asked in a thread of its own
    decide = Guarded(chosen).asked if kind.own else partial(asked, chosen)
    return planned(read(), settings, chosen, decide, **more)
