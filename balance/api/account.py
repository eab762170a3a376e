"""The balance over HTTP: the snapshot, its changes, the stream, and whether the server is well."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final, NotRequired, TypedDict

from flask import Response, request

from balance.api.guards import HEALTH_PATH, is_stranger
from balance.api.operations import Answer, get, post
from balance.api.problems import Problem
from balance.api.requests import Body, Conditional
from balance.api.services import Services
from balance.api.stream import Stream, StreamClosed, StreamFull
from balance.core.errors import InvalidRequest, StoreError
from balance.core.shape import Count, Doc, Money, Whole, includes
from balance.core.snapshot import Snapshot
from balance.desk.desk import Action, Desk
from balance.desk.transactions import LONGEST_NOTE, Conditions, Outcome
from balance.store.damage import Damage

#: The members that ``POST /virtual_balance`` takes one of, and what each does.
ACTIONS: Final[dict[str, Action]] = {
    "balance": "set_balance",
    "adjust": "adjust",
    "deposit": "deposit",
    "withdraw": "withdraw",
}

Note = Annotated[str, Doc("Kept in the ledger.", maxLength=LONGEST_NOTE)]


class BalanceChange(TypedDict):
    """A change of the balance: one of its four amounts."""

    balance: NotRequired[Annotated[Money, Doc("The balance is now this; books an adjustment.")]]
    adjust: NotRequired[Annotated[Money, Doc("A gain, or a loss below zero; counts as P&L.")]]
    deposit: NotRequired[Annotated[Money, Doc("Money put in; no gain.")]]
    withdraw: NotRequired[Annotated[Money, Doc("Money taken out; no loss.")]]
    note: NotRequired[Note]


class ResetUndo(TypedDict):
    """An undo of the last reset."""

    note: NotRequired[Note]


class Reset(ResetUndo):
    """A reset of the account."""

    balance: NotRequired[
        Annotated[Money, Doc("What to begin with; by default as the settings say.")]
    ]


# Exactly one amount, which the number of members says, as there are no others beside the note.
_ONE_AMOUNT: Final[dict[str, Any]] = {
    "if": {"required": ["note"]},
    "then": {"minProperties": 2, "maxProperties": 2},
    "else": {"minProperties": 1, "maxProperties": 1},
}
BalanceBody = Annotated[dict[str, Any], Body(BalanceChange, **_ONE_AMOUNT)]
ResetBody = Annotated[dict[str, Any], Body(Reset, optional=True)]
UndoBody = Annotated[dict[str, Any], Body(ResetUndo, optional=True)]


@includes(Snapshot)
class Changed(TypedDict):
    """The account after a change."""

    message: Annotated[str, Doc("What was done.")]


class Health(TypedDict):
    """How the server stands."""

    revision: Count
    instance: str
    streams: Annotated[int, Doc("How many listen to the stream.")]
    leads: Annotated[
        bool,
        Doc(
            "Whether this server lets the market act on the account, and runs its bots and alerts; "
            "false while it follows another one."
        ),
    ]
    damage: Annotated[
        list[Damage],
        Doc("What is damaged in the data folder, or was. The account itself can be read."),
    ]
    refused_signals: Annotated[
        Whole, Doc("How many signals from outside this server refused since its start.")
    ]
    checked: Annotated[
        int, Doc("How much of the ledger was checked, in percent.", minimum=0, maximum=100)
    ]


class AccountRoutes:
    """The balance: the snapshot, its changes, and the stream of both."""

    tag = "account"

    def __init__(self, desk: Desk, stream: Stream, services: Services) -> None:
        self.desk = desk
        self._stream = stream
        self._services = services

    @get("/virtual_balance", texts={304: "Nothing changed since that ETag"})
    def read_balance(self) -> Answer[Snapshot] | Response:
        """The snapshot; with If-None-Match, 304 while nothing changed."""
        snapshot = self.desk.snapshot()
        tag = etag(snapshot)
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        # What a proxy has weakened still says the same (RFC 9110, 13.1.2).
        if request.if_none_match.contains_weak(tag.strip('"')):
            return Response(status=304, headers=headers)
        return Answer(snapshot, headers)

    @post("/virtual_balance")
    def change_balance(self, body: BalanceBody, conditions: Conditional) -> Answer[Changed]:
        """Change the balance."""
        named = [name for name in ACTIONS if name in body]
        if len(named) != 1:
            raise InvalidRequest(
                f"The body must have exactly one of {', '.join(ACTIONS)}, and may have a note."
            )
        return self._executed(ACTIONS[named[0]], body[named[0]], body, conditions)

    @post("/virtual_balance/reset")
    def reset_balance(self, body: ResetBody, conditions: Conditional) -> Answer[Changed]:
        """Begin a new epoch; the history stays."""
        return self._executed("reset", body.get("balance"), body, conditions)

    @post("/virtual_balance/reset/undo")
    def undo_reset(self, body: UndoBody, conditions: Conditional) -> Answer[Changed]:
        """Let the epoch that the last reset ended go on, with its positions and orders, as a new
        one; 409 where no reset can be undone."""
        return self._executed("undo_reset", None, body, conditions)

    @get("/virtual_balance/stream", types=("text/event-stream",))
    def listen(self) -> Response:
        """Server-Sent Events: a snapshot at once and after every change.

        Events named bots carry what GET /bots answers, those named settings what GET /settings
        answers, those named alerts the newest firings and the fault as GET /alerts has them, those
        named damage a version and the damage as GET /health has it, one named takeover the message
        that this server leads since another one has ended, with the time as its version, those
        named performance a version and what display in GET /performance has, after each change and
        every 10 s while prices move, those named fault a problem, those named heartbeat the
        revision, at least every 5 s. The id of a snapshot is its revision.
        """
        try:
            messages = self._stream.listen()
        except (StreamFull, StreamClosed) as fault:
            raise Problem(
                503, "No stream is free; request /virtual_balance instead.", Retry_After="5"
            ) from fault
        response = Response(messages, mimetype="text/event-stream")
        response.headers["Cache-Control"] = "no-store"
        # nginx would hold back what is to be shown at once.
        response.headers["X-Accel-Buffering"] = "no"
        response.call_on_close(self._stream.leave)
        return response

    @get(HEALTH_PATH)
    def read_health(self) -> Answer[Health] | Response:
        """Whether the account can be read, what is damaged beside it, and who lets the market
        act.

        Where the server was started with a token, those who do not show it are answered with the
        status alone.
        """
        if is_stranger():
            return self._status()
        snapshot = self.desk.snapshot()
        return Answer(
            {
                "revision": snapshot.revision,
                "instance": snapshot.instance,
                "streams": self._stream.listeners,
                "leads": self._services.leads,
                "damage": [asdict(each) for each in self._services.damages.listed],
                "refused_signals": self._services.bots.refused_signals.total,
                "checked": self.desk.ledger.check.percent,
            }
        )

    def _status(self) -> Response:
        try:
            self.desk.snapshot()
        except StoreError as fault:
            # What is wrong, and where, is not for strangers.
            raise Problem(503, "The account can't be read.") from fault
        return Answer({}).response()

    def _executed(
        self, action: Action, amount: object, body: dict[str, Any], conditions: Conditions
    ) -> Answer[Changed]:
        conditions["note"] = body.get("note", "")
        return changed(self.desk.execute(action, amount, **conditions))


def changed(outcome: Outcome, **more: Any) -> Answer[Any]:
    """The answer to a change that was made: the snapshot after it, the sentence that says what was
    done, and ``more``."""
    headers = {"ETag": etag(outcome.snapshot)}
    if outcome.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Answer({"message": outcome.message, **more, **outcome.snapshot}, headers)


def etag(snapshot: Snapshot) -> str:
    """The entity tag of ``snapshot``; it begins with the revision, which is all that ``If-Match``
    compares."""
    return f'"{snapshot.revision}-{snapshot.instance}.{snapshot.tick}"'
