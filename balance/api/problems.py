"""Errors over HTTP: problem details (RFC 9457) that say what happened and what to do next."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Annotated, Any, Final, NotRequired, TypedDict

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from balance.api.encoding import encoded
from balance.core.errors import (
    AccountingError,
    AnswerLost,
    BackupRefused,
    BalanceError,
    InsufficientBalance,
    InvalidAmount,
    InvalidRequest,
    KeyInFlight,
    KeyReused,
    NoLivePrice,
    NothingToUndo,
    StaleRevision,
    StoreBusy,
    StoreError,
    StoreUnreadable,
    UnknownAlert,
    UnknownBacktest,
    UnknownBot,
    UnknownEntry,
    UnknownKey,
    UnknownOrder,
    UnknownPosition,
)
from balance.core.shape import Doc, Money
from balance.strategies.strategy import StrategyFault

#: The status of each error of the account; the first that fits counts.
STATUS: Final[tuple[tuple[type[BalanceError], int], ...]] = (
    (InvalidAmount, 422),
    (InvalidRequest, 422),
    (BackupRefused, 422),
    (InsufficientBalance, 422),
    (KeyReused, 422),
    (KeyInFlight, 409),
    (AnswerLost, 409),
    (NothingToUndo, 409),
    (StaleRevision, 412),
    (UnknownAlert, 404),
    (UnknownBacktest, 404),
    (UnknownBot, 404),
    (UnknownEntry, 404),
    (UnknownKey, 404),
    (UnknownOrder, 404),
    (UnknownPosition, 404),
    (StrategyFault, 422),
    (NoLivePrice, 503),
    (StoreError, 503),
    (AccountingError, 500),
)
#: Members that an error adds to its problem, by the names of its attributes.
_FIGURES: Final = ("required", "available", "expected", "actual", "order_id")

#: After how many seconds to try again: a lock is soon free, a damaged file takes a person.
#: The methods that change nothing, so that nobody has to be told.
_READS: Final = ("GET", "HEAD")
_RETRY_SOON: Final = "1"
_RETRY_LATER: Final = "10"

_log = logging.getLogger(__name__)


class ProblemDetails(TypedDict):
    """What went wrong, and what to do next (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Doc("What happened, and what to do next.")]
    required: NotRequired[Annotated[Money, Doc("What the change needs, of insufficient funds.")]]
    available: NotRequired[Annotated[Money, Doc("What there is, of insufficient funds.")]]
    expected: NotRequired[Annotated[int, Doc("The revision in If-Match.")]]
    actual: NotRequired[Annotated[int, Doc("The account's revision.")]]
    order_id: NotRequired[
        Annotated[str, Doc("Of the order that the market refused, as its time in force says.")]
    ]


class Problem(Exception):
    """An error of the request itself, found before anything is done."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def problem(status: int, detail: str, **more: Any) -> dict[str, Any]:
    """The members of a problem: type, title, status, detail and ``more``."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}


def problem_of(error: BalanceError) -> dict[str, Any]:
    """The problem that ``error`` is, with its figures."""
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    figures = {name: getattr(error, name) for name in _FIGURES if hasattr(error, name)}
    return problem(status, str(error), **figures)


def answer_with_problems(server: Flask) -> None:
    """Have ``server`` answer every error with a problem, whichever route it comes from."""
    server.register_error_handler(Problem, _refused)
    server.register_error_handler(BalanceError, _account_error)
    server.register_error_handler(HTTPException, _http_error)
    server.register_error_handler(Exception, _unforeseen)


def _response(members: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    response = Response(encoded(members), members["status"], mimetype="application/problem+json")
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response


def _refused(error: Problem) -> Response:
    return _response(problem(error.status, str(error)), error.headers)


def _account_error(error: BalanceError) -> Response:
    members = problem_of(error)
    if isinstance(error, StoreUnreadable) and request.method not in _READS:
        members["detail"] += " Nothing was changed."
    if members["status"] != 503:
        return _response(members)
    wait = _RETRY_SOON if isinstance(error, StoreBusy | NoLivePrice) else _RETRY_LATER
    return _response(members, {"Retry-After": wait})


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Location")}
    details = {
        404: f"There is nothing at {request.path[:100]}. See /openapi.json for what there is.",
        405: f"{request.method} is not possible here; possible is {headers.get('Allow', '')}.",
        413: "The body is too large.",
    }
    return _response(problem(status, details.get(status, str(error.description))), headers)


def _unforeseen(error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    return _response(
        problem(500, "The server has made a mistake; its log tells more. Nothing was changed.")
    )
