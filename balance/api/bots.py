"""Bots, strategies and signals over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Final, NotRequired, TypedDict, get_args

from flask import Request
from werkzeug.exceptions import HTTPException

from balance.api.operations import Answer, delete, done, get, post, put
from balance.api.problems import Problem
from balance.api.requests import Body, Key, json_object
from balance.api.services import AnyBots, Services
from balance.bots.log import ACTION, LARGEST_ID, MOST_SHOWN, LogEntry, LogKind
from balance.bots.rows import BotList, BotRow, SignalResult, StrategyRow
from balance.bots.settings import BotSettings
from balance.bots.signals import AlertMembers, SignalRequest
from balance.bots.state import MOST_TRADES
from balance.core.errors import BalanceError, InvalidRequest
from balance.core.shape import Doc, Whole, members
from balance.history.rows import TradeRow

BotId = Annotated[str, Doc("The id that creating it was answered with.")]
OfBot = Annotated[str | None, Doc("Only those of the bot with this id.")]
OfKind = Annotated[
    str | None,
    Doc("Only entries of this kind; action: of all but hold.", enum=[ACTION, *get_args(LogKind)]),
]
LogLimit = Annotated[int, Doc("Entries a page.", minimum=1, maximum=MOST_SHOWN)]
TradeLimit = Annotated[int, Doc("How many.", minimum=1, maximum=MOST_TRADES)]
BeforeEntry = Annotated[int | None, Doc("The last page's next.", minimum=0, maximum=LARGEST_ID)]
CloseFirst = Annotated[bool, Doc("Whether to close what it holds first.")]
NewBot = Annotated[dict[str, Any], Body(BotSettings)]
ChangedBot = Annotated[dict[str, Any], Body(BotSettings, partial=True)]
Message = Annotated[str, Doc("What was done.")]


class Stop(TypedDict):
    """Whether what is held is closed."""

    close: NotRequired[Annotated[bool, Doc("Whether to close what is held.", default=False)]]


class Secret(TypedDict):
    """What shows that a signal may be given."""

    secret: NotRequired[Annotated[Any, Doc("Where the server was started with --signal-secret.")]]


class _SignalBody(Body):
    """The body of a signal, which must have the secret of the ``bots`` of its resource, where they
    need one; those who can't declare it as JSON may send it as text."""

    _TYPES: Final = ("application/json", "text/plain")

    def read(self, request: Request, resource: Any = None) -> dict[str, Any]:
        """The members of the signal, without the secret. What is refused is listed by the bots.

        Raises:
            Problem: not JSON, or too large; or the secret is missing or wrong.
            InvalidRequest: JSON that is no signal.
        """
        bots: AnyBots = resource.bots
        try:
            return self._read(request, bots)
        except (Problem, BalanceError, HTTPException) as fault:
            bots.refuse_signal(str(fault))
            raise

    def _read(self, request: Request, bots: AnyBots) -> dict[str, Any]:
        inside = json_object(request, self._TYPES).get("secret")
        shown = request.headers.get("X-Signal-Secret", inside)
        if bots.needs_secret and not (isinstance(shown, str) and bots.check_secret(shown)):
            raise Problem(
                403,
                'Signals need their secret here: send it as "secret" in the body, or in the header '
                "X-Signal-Secret.",
            )
        members = super().read(request)
        members.pop("secret", None)
        return members


StopBody = Annotated[dict[str, Any], Body(Stop, optional=True)]
SignalBody = Annotated[
    dict[str, Any], _SignalBody(SignalRequest, AlertMembers, Secret, also=("text/plain",))
]


class Strategies(TypedDict):
    """The strategies that there are."""

    strategies: list[StrategyRow]


class BotLogPage(TypedDict):
    """A page of the log of the bots."""

    entries: tuple[LogEntry, ...]
    next: str | None
    left_out: Annotated[
        Whole, Doc("How many lines of the log's file can't be read, and are on no page.")
    ]


class BotTrades(TypedDict):
    """Trades of the bots."""

    trades: list[TradeRow]


class BotDeleted(TypedDict):
    """What was deleted."""

    message: Message


class BotChanged(TypedDict):
    """What was done, and the bot after it."""

    message: Message
    bot: NotRequired[Annotated[BotRow, Doc("Missing where a key is repeated whose bot is gone.")]]


class BotsStopped(TypedDict):
    """How many bots were stopped, and how many positions closed."""

    message: Message
    stopped: Whole
    closed: Whole


class Signalled(TypedDict):
    """What the bots did with a signal."""

    message: Message
    results: list[SignalResult]


class BotRoutes:
    """Bots, their strategies, and signals from outside."""

    tag = "bots"

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def bots(self) -> AnyBots:
        """The bots as they are served now."""
        return self._services.bots

    @get("/strategies")
    def list_strategies(self) -> Answer[Strategies]:
        """The strategies that there are, with their parameters."""
        return Answer({"strategies": list(self.bots.strategies())})

    @get("/bots")
    def list_bots(self) -> Answer[BotList]:
        """All bots: how each stands, what it holds and what it made."""
        return Answer(self.bots.listed())

    @post("/bots")
    def create_bot(self, body: NewBot, key: Key) -> Answer[BotChanged]:
        """Make a bot; it is stopped at first."""
        return done(self.bots.create(body, key=key))

    @put("/bots/<bot_id>")
    def change_bot(self, bot_id: BotId, body: ChangedBot, key: Key) -> Answer[BotChanged]:
        """Change the settings of a bot that the body names."""
        return done(self.bots.edit(bot_id, body, key=key))

    @delete("/bots/<bot_id>")
    def delete_bot(self, bot_id: BotId, key: Key, close: CloseFirst = False) -> Answer[BotDeleted]:
        """Delete a bot; refused while it holds a position, unless that is closed."""
        return done(self.bots.delete(bot_id, close=close, key=key))

    @post("/bots/<bot_id>/start")
    def start_bot(self, bot_id: BotId, key: Key) -> Answer[BotChanged]:
        """Let a bot decide from its next candle on."""
        return done(self.bots.start(bot_id, key=key))

    @post("/bots/<bot_id>/pause")
    def pause_bot(self, bot_id: BotId, key: Key) -> Answer[BotChanged]:
        """Let a bot open nothing; it still closes what it holds."""
        return done(self.bots.pause(bot_id, key=key))

    @post("/bots/<bot_id>/resume")
    def resume_bot(self, bot_id: BotId, key: Key) -> Answer[BotChanged]:
        """Let a paused bot open again."""
        return done(self.bots.resume(bot_id, key=key))

    @post("/bots/<bot_id>/stop")
    def stop_bot(self, bot_id: BotId, body: StopBody, key: Key) -> Answer[BotChanged]:
        """Stop a bot and, with close, close what it holds."""
        return done(self.bots.stop(bot_id, close=_close(body), key=key))

    @post("/bots/<bot_id>/duplicate")
    def duplicate_bot(self, bot_id: BotId, key: Key) -> Answer[BotChanged]:
        """Make another bot with the same settings."""
        return done(self.bots.duplicate(bot_id, key=key))

    @post("/bots/stop")
    def stop_bots(self, body: StopBody, key: Key) -> Answer[BotsStopped]:
        """Stop all bots and, with close, close what they hold."""
        return done(self.bots.stop_all(close=_close(body), key=key))

    @get("/bots/log", 422)
    def list_log(
        self,
        bot: OfBot = None,
        kind: OfKind = None,
        limit: LogLimit = 100,
        before: BeforeEntry = None,
    ) -> Answer[BotLogPage]:
        """What the bots decided and did, newest first."""
        page = self.bots.log(bot=bot, kind=kind, limit=limit, before=before)
        return Answer(members(page))

    @get("/bots/trades", 422)
    def list_bot_trades(self, bot: OfBot = None, limit: TradeLimit = 100) -> Answer[BotTrades]:
        """The trades of the bots, newest first."""
        return Answer({"trades": list(self.bots.trades(bot=bot, limit=limit))})

    @post(
        "/signals",
        texts={
            403: "A page of another site sent the request, or the secret of signals is missing or "
            "wrong"
        },
    )
    def give_signal(self, body: SignalBody, key: Key) -> Answer[Signalled]:
        """Give a signal to the bots that take such.

        With a secret, which --signal-secret sets, it needs no token.
        """
        return done(self.bots.signal(body, key=key))


def _close(body: dict[str, Any]) -> bool:
    close = body.get("close", False)
    if not isinstance(close, bool):
        raise InvalidRequest("close must be true or false.")
    return close
