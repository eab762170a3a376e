"""The state as JSON and back: schema 1, money as decimal strings, a seal over the content.

The seal tells a state that this package wrote from one that was edited by hand or by another
program: whoever changes the content without it has made an outside edit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from balance.core.entry import Entry
from balance.core.errors import BalanceError
from balance.core.moments import iso
from balance.core.money import CURRENCY, exact
from balance.store.documents import (
    entry_document,
    holdings_document,
    read_account,
    read_entry,
    read_wallet,
    wallet_document,
)
from balance.store.members import count, moment, text
from balance.store.state import Request, State

SCHEMA: Final = 1
# made once: there may be a million lines to read
_DECODER: Final = json.JSONDecoder(parse_float=Decimal)


class Unreadable(Exception):
    """Text that is no state or no entry; its words say what is wrong."""


def encode_state(state: State) -> bytes:
    """``state`` as the text of its file, sealed."""
    document = {
        "schema": SCHEMA,
        "account": state.account_id,
        "revision": state.revision,
        "changed_at": iso(state.changed_at),
        "currency": CURRENCY,
        **wallet_document(state.account.wallet),
        **holdings_document(state.account),
        "entries": [entry_document(entry) for entry in state.entries],
        "request": _request_document(state.request),
    }
    return json.dumps({**document, "seal": _seal(document)}, indent=2).encode() + b"\n"


def decode_state(text: bytes) -> tuple[State, bool]:
    """The state in ``text``, and whether its seal is whole.

    Raises:
        Unreadable: not JSON, another schema, wrong types, or numbers that break the account's laws.
    """
    document = parsed(text)
    if document.get("schema") != SCHEMA:
        raise Unreadable(f"has schema {document.get('schema')!r}, not {SCHEMA}")
    sealed = document.pop("seal", None) == _seal(document)
    try:
        state = _state(document)
        with exact():
            # an outside edit need not explain its balance: what it leaves open is an adjustment
            (state.account if sealed else state.account.reconciled()).check()
    except FAULTS as fault:
        raise Unreadable(f"does not hold a valid account: {reason(fault)}") from fault
    return state, sealed


def encode_entry(entry: Entry) -> bytes:
    """``entry`` as one line of the ledger, with its newline."""
    return json.dumps(entry_document(entry), separators=(",", ":")).encode() + b"\n"


def decode_entry(line: bytes) -> Entry:
    """The entry in one line of the ledger.

    Raises:
        Unreadable: the line is none.
    """
    try:
        return read_entry(parsed(line))
    except FAULTS as fault:
        raise Unreadable(f"does not hold a valid entry: {reason(fault)}") from fault


def encode_answer(state: State) -> bytes:
    """A state that answered a keyed request as one line, with its newline; the key comes first."""
    if state.request is None:
        raise ValueError("only the state of a keyed request is kept as an answer")
    document = json.loads(encode_state(state))
    del document["seal"]  # what an outside edit led to may be an answer too
    return json.dumps({"key": state.request.key, "state": document}).encode() + b"\n"


def decode_answer(line: bytes) -> State:
    """The state in one line of the kept answers.

    Raises:
        Unreadable: the line is none.
    """
    document = parsed(line).get("state")
    return decode_state(json.dumps(document, default=str).encode())[0]


#: What may be raised by who reads members of a document that has others.
FAULTS: Final = (
    BalanceError,
    ArithmeticError,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
)


def reason(fault: Exception) -> str:
    """What ``fault``, one of ``FAULTS``, says is wrong with a document."""
    return f"{fault} is missing" if isinstance(fault, KeyError) else str(fault).rstrip(".")


def parsed(text: bytes) -> dict[str, Any]:
    """The object in ``text``, with exact numbers.

    Raises:
        Unreadable: not JSON, or no object.
    """
    try:
        document = _DECODER.decode(text.decode(json.detect_encoding(text), "surrogatepass"))
    except ArithmeticError as fault:
        raise Unreadable("holds a number that is out of range") from fault
    except (ValueError, RecursionError) as fault:
        raise Unreadable(f"is not valid JSON: {fault}") from fault
    if not isinstance(document, dict):
        raise Unreadable("does not hold an object")
    return document


def _seal(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _state(document: Mapping[str, Any]) -> State:
    if document["currency"] != CURRENCY:
        raise ValueError(f"currency is {document['currency']!r}, not {CURRENCY!r}")
    request, revision = document["request"], count(document, "revision")
    return State(
        account_id=text(document, "account"),
        revision=revision,
        changed_at=moment(document, "changed_at"),
        account=read_account(read_wallet(document), document),
        entries=_entries(document, revision),
        request=request
        and Request(key=text(request, "key"), fingerprint=text(request, "fingerprint")),
    )


def _entries(document: Mapping[str, Any], revision: int) -> tuple[Entry, ...]:
    entries = tuple(read_entry(each) for each in document["entries"])
    places = [(revision, line) for line in range(1, len(entries) + 1)]
    if not entries or [entry.place for entry in entries] != places:
        raise ValueError(f"entries are not those of revision {revision}")
    return entries


def _request_document(request: Request | None) -> dict[str, str] | None:
    if request is None:
        return None
    return {"key": request.key, "fingerprint": request.fingerprint}
