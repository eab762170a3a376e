"""Backtests as jobs: one at a time, in a thread that leaves the others room."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, Literal, TypedDict

from balance.background.pace import Pace
from balance.background.worker import Worker
from balance.backtests.backtest import Cancelled, CandleHistory, Plan, run_backtest
from balance.backtests.candle_files import CandleFileRow, CandleFiles
from balance.backtests.candles import (
    Settle,
    history_of_feed,
    history_of_file,
    plan_backtest,
    starting_balance,
)
from balance.backtests.report import Report, notes, report
from balance.bots.settings import MEMBERS, BotSettings, settings_of
from balance.core import request
from balance.core.errors import BalanceError, InvalidRequest, UnknownBacktest
from balance.core.market import Market
from balance.core.rows import Row
from balance.core.shape import Doc
from balance.market.board import Candles
from balance.strategies.own import Catalogue, Guarded, ask_strategy
from balance.strategies.strategy import Kind, StrategyFault

State = Literal["running", "done", "cancelled", "failed"]

#: How many may wait for the one that runs, and how many are kept.
MOST_WAITING: Final = 4
MOST_KEPT: Final = 20
# Settings that a request need not name.
_USUAL: Final = {"name": "Backtest"}
_CANCELLED: Final = "Cancelled."

#: The settings of a bot, and what reads the candles that it is tested on.
_Subject = tuple[BotSettings, Callable[[], CandleHistory]]

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
    """A backtest, from its request on."""

    id: str
    # The name of its strategy.
    strategy: str
    state: State = "running"
    # From 0 to 1.
    progress: float = 0.0
    message: str = ""
    result: Row | None = None


class Backtests:
    """Backtests on the past of the market, and on files that are uploaded. Safe to use from many
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
        # With what makes the plan, which may take long.
        self._waiting: deque[tuple[_Job, Callable[[], Plan]]] = deque()
        self._running: _Job | None = None
        self._worker = Worker("backtests", self._turn, "a backtest could not be run")

    def start(self, members: Mapping[str, Any]) -> BacktestRow:
        """Start a backtest of the settings in ``members``, which may name the newest ``hours`` of
        the past (by default all there is), the ``file`` that it is to run on, and the ``balance``
        that it begins with; returns its row.

        Raises:
            InvalidRequest, InvalidAmount: they make no sense, there is no past, or too many wait.
        """
        job, plan = self._job(members)
        with self._guard:
            ahead = len(self._waiting) + (self._running is not None)
            if ahead > MOST_WAITING:
                raise InvalidRequest(
                    f"{ahead} backtests are not done yet. Wait for them, or cancel one."
                )
            self._jobs[job.id] = job
            self._waiting.append((job, plan))
            self._forget_old()
            self._worker.start()
            self._worker.wake()
            return self._row(job)

    def row(self, backtest_id: str) -> BacktestRow:
        """The row of the backtest with the id ``backtest_id``.

        Raises:
            UnknownBacktest: there is none.
        """
        with self._guard:
            return self._row(self._find(backtest_id))

    def cancel(self, backtest_id: str) -> BacktestRow:
        """End the backtest with the id ``backtest_id``, where it has not ended; returns its row.

        Raises:
            UnknownBacktest: there is none.
        """
        with self._guard:
            job = self._find(backtest_id)
            if job.state == "running":
                job.state, job.message = "cancelled", _CANCELLED
                self._waiting = deque(each for each in self._waiting if each[0] is not job)
            return self._row(job)

    def add_file(
        self, name: str, data: bytes, symbol: str | None = None, date_format: str | None = None
    ) -> CandleFileRow:
        """Add the file of candles ``data`` for backtests, as one of the newest five; returns what
        is in it, and its id. Of several markets in it, ``symbol`` is taken; ``date_format`` is that
        of dates whose day and month are not clear.

        Raises:
            InvalidRequest: it can't be read; the message says which line is wrong.
        """
        return self._files.add(name, data, symbol, date_format)

    def _job(self, members: Mapping[str, Any]) -> tuple[_Job, Callable[[], Plan]]:
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
        return _Job(secrets.token_hex(8), kind.name), plan

    def _on_feed(self, members: Mapping[str, Any]) -> _Subject:
        market = self._market()
        settings = settings_of(_settings(members), self._catalogue.kind, market)
        # Now, so that a request is refused where there is no past.
        history = history_of_feed(self._candles, self._settle, market.instrument(settings.symbol))
        return settings, lambda: history

    def _on_file(self, members: Mapping[str, Any]) -> _Subject:
        file = self._files.find(members["file"])
        traded = file.instrument(members.get("symbol"))
        settings = settings_of(
            {**_settings(members), "symbol": traded.symbol},
            self._catalogue.kind,
            Market(instruments={traded.symbol: traded}),
        )
        return settings, lambda: history_of_file(self._files.read(file), traded.symbol)

    def _find(self, backtest_id: str) -> _Job:
        if backtest_id not in self._jobs:
            raise UnknownBacktest(
                f"There is no backtest {backtest_id!r:.40}. The newest {MOST_KEPT} are kept, until "
                "the server stops."
            )
        return self._jobs[backtest_id]

    def _forget_old(self) -> None:
        ended = [job.id for job in self._jobs.values() if job.state != "running"]
        for each in ended[: max(0, len(self._jobs) - MOST_KEPT)]:
            del self._jobs[each]

    def _row(self, job: _Job) -> BacktestRow:
        places = [each for each, _ in self._waiting]
        ahead = places.index(job) + (self._running is not None) if job in places else 0
        waits = f"Waits for {ahead} other backtest{'s' if ahead > 1 else ''}." if ahead else ""
        return {
            "id": job.id,
            "state": job.state,
            "progress": job.progress,
            "words": waits or job.message,
            "result": job.result,
        }

    def _turn(self) -> float | None:
        with self._guard:
            if not self._waiting:
                return None
            job, plan = self._waiting.popleft()
            self._running = job
        ended = _run(job, plan)
        with self._guard:
            self._running = None
            if job.state == "running":
                job.state, job.message, job.result = ended
                job.progress = 1.0
        return 0.0


def _settings(members: Mapping[str, Any]) -> dict[str, Any]:
    return {**_USUAL, **{name: members[name] for name in MEMBERS if name in members}}


def _run(job: _Job, make_plan: Callable[[], Plan]) -> tuple[State, str, Row | None]:
    """The state that ``job`` ends in, the message about it, and its report."""
    pace = Pace()

    def on_progress(progress: float) -> None:
        if job.state != "running":
            raise Cancelled
        job.progress = progress
        pace.rest()

    try:
        plan = make_plan()
        result = run_backtest(plan, on_progress)
        return "done", notes(plan, result), report(plan, result)
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
    read: Callable[[], CandleHistory],
    *,
    settings: BotSettings,
    kind: Kind,
    **more: Any,
) -> Plan:
    chosen = kind.make(settings.params)
    # A person's own strategy may hang, so it decides in a thread of its own.
    decide = Guarded(chosen).decide if kind.own else partial(ask_strategy, chosen)
    return plan_backtest(read(), settings, chosen, decide, **more)
