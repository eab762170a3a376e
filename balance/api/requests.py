"""What a request asks for: its body, its headers and its query, checked and typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Request

from balance.api.encoding import decoded
from balance.api.problems import Problem
from balance.core.errors import InvalidRequest
from balance.core.order_request import MEMBERS
from balance.desk.desk import Action
from balance.desk.transactions import Conditions

#: No body may be larger, in bytes.
LARGEST_BODY: Final = 64 * 1024

#: The members that ``POST /virtual_balance`` takes one of, and what each asks for.
ACTIONS: Final[dict[str, Action]] = {
    "balance": "set_balance",
    "adjust": "adjust",
    "deposit": "deposit",
    "withdraw": "withdraw",
}
_ETAG: Final = re.compile(r'(W/)?"?(\d{1,15})(-[^"]*)?"?', re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that a request asks for."""

    action: Action
    amount: object
    note: str


def change_wanted(request: Request) -> Wanted:
    """What the body of ``POST /virtual_balance`` asks for: exactly one of ``ACTIONS``.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for nothing, for two things, or for something else.
    """
    body = body_of(request, ("note", *ACTIONS))
    named = [name for name in ACTIONS if name in body]
    if len(named) != 1:
        raise InvalidRequest(
            f"The body must have exactly one of {', '.join(ACTIONS)}, and may have a note."
        )
    return Wanted(ACTIONS[named[0]], _not_null(body[named[0]], named[0]), body.get("note", ""))


def reset_wanted(request: Request) -> Wanted:
    """What the body of ``POST /virtual_balance/reset`` asks for; it may be empty.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for something else.
    """
    body = body_of(request, ("note", "balance")) if bytes_of(request) else {}
    balance = _not_null(body["balance"], "balance") if "balance" in body else None
    return Wanted("reset", balance, body.get("note", ""))


def undo_wanted(request: Request) -> Wanted:
    """What the body of ``POST /virtual_balance/reset/undo`` asks for; it may be empty.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for something else.
    """
    body = body_of(request, ("note",)) if bytes_of(request) else {}
    return Wanted("undo_reset", None, body.get("note", ""))


def order_wanted(request: Request) -> dict[str, Any]:
    """The members of the order that the body of ``POST /orders`` asks for.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for something else.
    """
    body = body_of(request, MEMBERS)
    for name, value in body.items():
        if name not in ("symbol", "side", "type", "reduce_only"):
            _not_null(value, name)
        elif value is None:
            raise InvalidRequest(f"{name} must not be null; leave it out instead.")
    return body


def size_wanted(request: Request) -> dict[str, Any]:
    """How much the body of a close asks for, ``quantity`` or ``percent``; it may be empty.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for something else.
    """
    body = body_of(request, ("quantity", "percent")) if bytes_of(request) else {}
    return {name: _not_null(value, name) for name, value in body.items()}


def conditions(request: Request) -> Conditions:
    """``If-Match`` and ``Idempotency-Key`` of ``request``, and who asks.

    Raises:
        Problem: ``If-Match`` is neither ``*`` nor one revision or ETag.
    """
    # browsers say where a request comes from; programs do not
    source = "screen" if "Sec-Fetch-Site" in request.headers else "http"
    return Conditions(
        if_match=_if_match(request.headers.get("If-Match")),
        idempotency_key=key_of(request),
        source=source,
    )


def whole_number(request: Request, name: str) -> int | None:
    """The query parameter ``name`` as a whole number; None where it is not given.

    Raises:
        InvalidRequest: it is something else.
    """
    text = request.args.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise InvalidRequest(f"{name} must be a whole number, not {text[:40]!r}.")
    return int(text)


def true_or_false(request: Request, name: str) -> bool:
    """The query parameter ``name``, ``true`` or ``false``; false where it is not given.

    Raises:
        InvalidRequest: it is something else.
    """
    text = request.args.get(name, "false")
    if text not in ("true", "false"):
        raise InvalidRequest(f"{name} must be true or false, not {text[:40]!r}.")
    return text == "true"


def key_of(request: Request) -> str | None:
    """The ``Idempotency-Key`` of ``request``; None where it has none."""
    return request.headers.get("Idempotency-Key")


def _if_match(header: str | None) -> int | None:
    if header is None or header.strip() == "*":
        return None
    match = _ETAG.fullmatch(header.strip())
    if match is None:
        raise Problem(400, 'If-Match must be one revision, such as "42", or *.')
    # a weak tag never matches strongly (RFC 9110, 13.1.1); no revision is 0
    return 0 if match[1] else int(match[2])


def bytes_of(request: Request, most: int = LARGEST_BODY) -> bytes:
    """The body of ``request``, of at most ``most`` bytes; more is answered with 413."""
    request.max_content_length = most
    return request.get_data()


def body_of(request: Request, members: Sequence[str]) -> dict[str, Any]:
    """The JSON object in the body of ``request``, which has nothing but ``members``.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that is no object, or has another member.
    """
    return with_only(json_object(request), members)


def json_object(request: Request, *more_types: str) -> dict[str, Any]:
    """The JSON object in the body of ``request``, which must be declared as JSON, or as one of
    ``more_types``.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that is no object.
    """
    text, kind = bytes_of(request), request.mimetype
    if kind not in ("application/json", *more_types) and not kind.endswith("+json"):
        raise Problem(415, "The body must be JSON: send Content-Type: application/json.")
    try:
        body = decoded(text)
    except ValueError as fault:
        raise Problem(400, str(fault)) from fault
    if not isinstance(body, dict):
        raise InvalidRequest('The body must be an object such as {"deposit": 250}.')
    return body


def with_only(body: dict[str, Any], members: Sequence[str]) -> dict[str, Any]:
    """``body``, where it has nothing but ``members``.

    Raises:
        InvalidRequest: it has another one.
    """
    unknown = sorted(set(body) - set(members))
    if unknown:
        known = ", ".join(members) or "nothing"
        raise InvalidRequest(f"The body may have {known}, but not {unknown[0][:40]!r}.")
    return body


def _not_null(value: object, name: str) -> object:
    if value is None or isinstance(value, str):
        raise InvalidRequest(f"{name} must be a number such as 250 or 12.30.")
    return value
