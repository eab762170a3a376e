"""The account and its ledger as JSON and back: money as decimal strings, a seal, checksums.

The seal tells a state that this package wrote from one that was edited by hand or by another
program: whoever changes the content without it has made an outside edit.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from decimal import Decimal
from typing import Any, Final

from balance.core.account import Account
from balance.core.entry import Booking, Entry, Place
from balance.core.errors import BalanceError
from balance.core.figures import plain
from balance.core.margin import sign
from balance.core.moments import iso
from balance.core.money import CURRENCY, exact, exactly, significant
from balance.core.order import Order
from balance.core.position import Position
from balance.core.trade import Effect, Fill, Trade
from balance.core.wallet import KINDS, OF_A_FILL, Wallet
from balance.store.checksum import START, sealed, stated
from balance.store.records import Record, amount, count, moment, one_of, text, total
from balance.store.state import Keyed, Request, State

#: The schema that is written; all before it are read. Since 2, lines of the ledger have checksums;
#: since 3, there are kinds of orders and of entries, ends of orders, and members that tell of them.
SCHEMA: Final = 3
_UNCHAINED: Final = 1
_REQUEST_MEMBER: Final = b'"request":{'
_CHECKSUM: Final = re.compile("[0-9a-f]{16}")
#: What reading a document raises where a member is missing or wrong.
FAULTS: Final = (BalanceError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError)
# Made once: there may be a million lines to read.
_DECODER: Final = json.JSONDecoder(parse_float=Decimal)
# In the quote currency: what rounding the P&L of hundreds of closes adds up to.
_ROUNDING: Final = Decimal("0.00001")
# Of a notional, as prices that were calculated are kept to sixteen digits.
_SIXTEEN_DIGITS: Final = Decimal("1e-14")


class Unreadable(Exception):
    """Text that is no state or no entry; its message says what is wrong."""


class Newer(Unreadable):
    """A state that a newer version of the program wrote."""


def _with_closed_cost(document: Mapping[str, Any], position: Position) -> Position:
    """``position`` with what it had paid for what it closed, which older versions did not write."""
    return position if "closed_cost" in document else _mended_position(position)


@exactly
def _mended_position(position: Position) -> Position:
    # What was closed went for its value, which was its cost with the gross P&L that it brought.
    at_entry = position.closed_quantity * position.entry_price
    cost = position.closed_value - sign(position.side) * position.realized_pnl
    # The P&L of each close was rounded, and the oldest versions did not count what was closed.
    is_same = abs(cost - at_entry) <= _ROUNDING
    is_known = cost > 0 and position.closed_quantity and not is_same
    return replace(position, closed_cost=cost if is_known else at_entry)


def _with_true_entry(_: Mapping[str, Any], fill: Fill) -> Fill:
    """``fill`` with the average entry of all that its trade closed: where that was closed in parts,
    older versions wrote the average of what was open last."""
    trade = fill.trade
    if trade is None or trade.quantity == fill.closed_quantity:
        return fill
    return replace(fill, trade=_mended_trade(trade))


@exactly
def _mended_trade(trade: Trade) -> Trade:
    direction = sign(trade.side)
    gross = direction * (trade.exit_price - trade.entry_price) * trade.quantity
    # The entry that explains the gross P&L.
    entry = significant(trade.exit_price - direction * trade.gross / trade.quantity)
    noise = _ROUNDING + trade.quantity * trade.exit_price * _SIXTEEN_DIGITS
    if entry <= 0 or abs(gross - trade.gross) <= noise:
        return trade
    return replace(trade, entry_price=entry)


WALLET: Final = Record(Wallet)
POSITION: Final = Record(
    Position,
    later=("closed_quantity", "closed_cost", "closed_value", "owner", "opened_because"),
    mend=_with_closed_cost,
)
ORDER: Final = Record(
    Order,
    later=("owner", "because"),
    rare=(
        *("time_in_force", "group", "client_id", "amended_at"),
        *("callback_percent", "activation_price", "best_price"),
    ),
)
_TRADE: Final = Record(Trade)
_RARE: Final = ("best_price", "callback_percent", "client_id")
# What a fill has by default was not written by the versions before it.
_LATER: Final = [each.name for each in fields(Fill) if each.default is not MISSING]
FILL: Final = Record(Fill, _TRADE, later=_LATER, rare=_RARE, mend=_with_true_entry)
_EFFECT: Final = Record(Effect, POSITION, ORDER, rare=("ended", "why", "arrived", "leverage"))
_ACCOUNT: Final = Record(Account, WALLET, POSITION, ORDER, rare=("leverages",))
_REQUEST: Final = Record(Request)
# The members of what is open that a program may leave out, as older versions of this one did.
_OPTIONAL: Final = POSITION.optional | ORDER.optional | _ACCOUNT.optional


def chained(state: State) -> State:
    """``state``, which was just made, with the lines of its entries for the ledger."""
    documents = [_entry_document(entry) for entry in state.entries]
    return _with_lines(state, documents)


def encode_state(state: State) -> bytes:
    """``state`` as the text of its file, sealed."""
    holdings = _ACCOUNT.encode(state.account)
    document = {
        "schema": SCHEMA,
        "account": state.account_id,
        "revision": state.revision,
        "changed_at": iso(state.changed_at),
        "currency": CURRENCY,
        **holdings.pop("wallet"),
        **holdings,
        "entries": [_entry_document(entry) for entry in state.entries],
        "request": None if state.request is None else _REQUEST.encode(state.request),
        "previous_checksum": state.previous_checksum,
        "previous_answered": state.previous_answered,
    }
    return json.dumps({**document, "seal": _seal(document)}, indent=2).encode() + b"\n"


def decode_state(text: bytes) -> tuple[State, bool]:
    """The state in ``text``, and whether its seal is whole.

    Raises:
        Newer: its schema is a later one.
        Unreadable: not JSON, another schema, wrong types, or numbers that break the account's laws.
    """
    document = parsed(text)
    is_sealed = document.pop("seal", None) == _seal(document)
    state = _checked_state(document, is_sealed=is_sealed)
    if not is_sealed:
        json.loads(text, object_pairs_hook=each_once)
        _check_names(state.account)
    if not is_sealed and state.previous_checksum:
        known = json.loads(encode_state(state))
        _check_members({**document, "seal": ""}, known)
    return state, is_sealed


def _check_names(account: Account) -> None:
    """Prove that no two open orders have one name, as where somebody copied one.

    Raises:
        Unreadable: there are such.
    """
    seen = set[str]()
    for order in account.orders:
        names = {order.id, order.client_id} - {""}
        for name in sorted(names & seen):
            raise Unreadable(f"was edited: two open orders have the id {name!r:.40}")
        seen |= names


def each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of ``members``, as a reader of JSON hands them over.

    Raises:
        Unreadable: two of them have the same name.
    """
    document = dict(members)
    if len(document) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"names {twice!r:.40} twice")
    return document


def _checked_state(document: Mapping[str, Any], *, is_sealed: bool) -> State:
    schema = document.get("schema")
    if type(schema) is int and schema > SCHEMA:
        raise Newer(f"has schema {schema}, and this version knows {SCHEMA} at most")
    if type(schema) is not int or schema < _UNCHAINED:
        raise Unreadable(f"has schema {schema!r:.40}, not {SCHEMA}")
    try:
        state = _read_state(document)
        with exact():
            # An outside edit need not explain its balance: what it leaves open is an adjustment.
            (state.account if is_sealed else state.account.reconciled()).check()
    except FAULTS as fault:
        raise Unreadable(f"does not hold a valid account: {reason(fault)}") from fault
    return state


def encode_entry(entry: Entry) -> bytes:
    """``entry`` as one line of a ledger without checksums, with its newline."""
    return _compact(_entry_document(entry))


def encode_ledger(account_id: str, entries: Iterable[Entry]) -> list[bytes]:
    """The lines of a whole ledger of ``entries``, all with a checksum and without requests."""
    lines: list[bytes] = []
    for entry in entries:
        document = _entry_document(entry)
        if not lines:
            document["account"] = account_id
        previous = stated(lines[-1]) if lines else START
        lines.append(sealed(_compact(document), previous or START))
    return lines


def decode_entry(line: bytes) -> Entry:
    """The entry in one line of the ledger, whatever its checksum is.

    Raises:
        Unreadable: the line is none.
    """
    return _checked_entry(parsed(line), whole=True)


def decode_order_entry(line: bytes) -> Entry:
    """The entry in one line of the ledger as far as it tells what became of orders, as to read the
    positions that it leaves takes long: without the account before a reset and, unless only that
    tells why an order ended, without the position after it.

    Raises:
        Unreadable: the line is none.
    """
    document = parsed(line)
    effect = document.get("effect")
    # One that is no object is refused below.
    if isinstance(effect, dict) and not _needs_position(document, effect):
        document["effect"] = {**effect, "position": None}
    return _checked_entry({**document, "ended": None}, whole=True)


def _needs_position(document: Mapping[str, Any], effect: Mapping[str, Any]) -> bool:
    """Whether a fill may have ended other orders than its own, in an entry of an older version,
    which does not say why."""
    if document.get("kind") != "fill" or effect.get("why"):
        return False
    fill, closed = document.get("fill"), effect.get("closed")
    return not isinstance(fill, dict) or closed not in ([], [fill.get("order_id")])


def decode_answer(text: bytes) -> State:
    """The state in ``text``, of a kept answer: it has no seal.

    Raises:
        Unreadable: it is none.
    """
    return _checked_state(parsed(text), is_sealed=False)


def keyed_by(line: bytes) -> Keyed | None:
    """The commit whose first line in the ledger is ``line``, where that had an idempotency key."""
    if _REQUEST_MEMBER not in line:
        return None  # as most have none, and parsing takes long
    document = parsed(line)
    request = document.get("request")
    if request is None:
        return None
    previous = count(request["previous"], "previous", 0)
    return Keyed(document["revision"], _REQUEST.read(request, "request"), previous)


def account_of(line: bytes) -> str | None:
    """The id of the account, which the first line of its ledger has; None where that has none."""
    try:
        found = parsed(line).get("account")
    except Unreadable:
        return None
    return found if isinstance(found, str) else None


def read_trade(fill: Mapping[str, Any]) -> Trade | None:
    """The trade in the document of a ``fill``; None where that ended none."""
    document = fill.get("trade")
    if document is None:
        return None
    trade = _TRADE.decode(document)
    closed = total(fill["closed_quantity"], "closed_quantity")
    return trade if trade.quantity == closed else _mended_trade(trade)


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


def _compact(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), default=str).encode() + b"\n"


def _with_lines(state: State, documents: Iterable[Mapping[str, Any]]) -> State:
    """``state`` with the lines of its entries, which stand in ``documents``."""
    if not state.previous_checksum:
        return replace(state, lines=tuple(map(_compact, documents)), checksum="")
    lines: list[bytes] = []
    previous = state.previous_checksum
    for document in documents:
        members = dict(document)
        if previous == START:
            members["account"] = state.account_id
        if not lines and state.request is not None:
            members["request"] = {
                **_REQUEST.encode(state.request),
                "previous": state.previous_answered,
            }
        lines.append(sealed(_compact(members), previous))
        previous = stated(lines[-1]) or ""
    return replace(state, lines=tuple(lines), checksum=previous)


def _check_members(found: Any, known: Any, place: str = "it") -> None:
    """Prove that ``found``, what somebody edited, has no members but those of ``known``, the same
    as this program writes it: one under a wrong name must not become its default.

    Raises:
        Unreadable: there is another one.
    """
    if isinstance(known, dict) and isinstance(found, dict):
        for name in sorted(found.keys() - known.keys() - _OPTIONAL):
            raise Unreadable(f"was edited: in {place}, the member {name!r:.40} is not known")
        for name in found.keys() & known.keys():
            _check_members(found[name], known[name], name)
    elif isinstance(known, list) and isinstance(found, list):
        for each, value in zip(found, known, strict=True):
            _check_members(each, value, place)


def _read_state(document: Mapping[str, Any]) -> State:
    if document["currency"] != CURRENCY:
        raise ValueError(f"currency is {document['currency']!r}, not {CURRENCY!r}")
    request, revision = document["request"], count(document["revision"], "revision")
    entries = tuple(_read_entry(each) for each in document["entries"])
    places = [(revision, line) for line in range(1, len(entries) + 1)]
    if not entries or [entry.place for entry in entries] != places:
        raise ValueError(f"entries are not those of revision {revision}")
    is_chained = document["schema"] != _UNCHAINED
    state = State(
        account_id=text(document["account"], "account"),
        revision=revision,
        changed_at=moment(document["changed_at"], "changed_at"),
        account=_ACCOUNT.decode({**document, "wallet": document}),
        entries=entries,
        request=None if request is None else _REQUEST.read(request, "request"),
        previous_checksum=_checksum(document["previous_checksum"]) if is_chained else "",
        previous_answered=_previous_answered(document, revision) if is_chained else 0,
    )
    # From the documents, as a later version may write the same entry with more members.
    return _with_lines(state, document["entries"])


def _previous_answered(document: Mapping[str, Any], revision: int) -> int:
    previous = count(document["previous_answered"], "previous_answered", 0)
    if previous >= revision:
        raise ValueError(f"previous_answered is {previous}, not before revision {revision}")
    return previous


def _checksum(value: Any) -> str:
    if not isinstance(value, str) or not _CHECKSUM.fullmatch(value):
        raise ValueError(f"previous_checksum must be 16 hexadecimal digits, not {value!r:.40}")
    return value


def _entry_document(entry: Entry) -> dict[str, Any]:
    booking = entry.booking
    document = {
        "revision": entry.revision,
        "line": entry.line,
        "time": iso(entry.time),
        "epoch": booking.epoch,
        "kind": booking.kind,
        "amount": plain(booking.amount),
        "balance": plain(booking.balance),
        "source": entry.source,
        "note": booking.note,
    }
    if booking.restated is not None:
        document.update(_ACCOUNT.encode(booking.restated))
    if booking.ended is not None:
        document["ended"] = _ACCOUNT.encode(booking.ended)
    if booking.continues is not None:
        document["continues"] = booking.continues
    if booking.effect is not None:
        document["effect"] = _EFFECT.encode(booking.effect)
    if booking.fill is not None:
        document["fill"] = FILL.encode(booking.fill)
    return document


def _checked_entry(document: Mapping[str, Any], *, whole: bool) -> Entry:
    try:
        return _read_entry(document, whole=whole)
    except FAULTS as fault:
        raise Unreadable(f"does not hold a valid entry: {reason(fault)}") from fault


def _read_entry(document: Mapping[str, Any], *, whole: bool = True) -> Entry:
    """The entry in ``document``; unless ``whole``, without the positions and orders of the account
    that it leaves behind, which take longest to read."""
    accounts = document if whole else {}
    effect, ended, fill = accounts.get("effect"), accounts.get("ended"), document.get("fill")
    # Entries of before there was trading have no positions and orders.
    restated = {"positions": [], "orders": [], **accounts}
    booking = Booking(
        epoch=count(document["epoch"], "epoch"),
        kind=one_of(document["kind"], "kind", KINDS),
        amount=amount(document["amount"], "amount"),
        balance=amount(document["balance"], "balance"),
        note=text(document["note"], "note", empty=True),
        restated=None if accounts.get("wallet") is None else _ACCOUNT.decode(restated),
        effect=None if effect is None else _EFFECT.read(effect, "effect"),
        fill=None if fill is None else FILL.read(fill, "fill"),
        ended=None if ended is None else _ACCOUNT.read(ended, "ended"),
        continues=_read_continued(document),
    )
    return Entry(
        revision=count(document["revision"], "revision"),
        line=count(document["line"], "line"),
        time=moment(document["time"], "time"),
        source=text(document["source"], "source"),
        booking=booking,
    )


def _read_continued(document: Mapping[str, Any]) -> int | None:
    # Without what it brings back, an undo would read as a reset.
    if document["kind"] == "undo" and not {"wallet", "continues"} <= document.keys():
        raise ValueError("an undo must tell what it brings back")
    if document.get("continues") is None:
        return None
    continued = count(document["continues"], "continues")
    if continued >= count(document["epoch"], "epoch"):
        raise ValueError(f"epoch {document['epoch']} can't continue epoch {continued}")
    return continued


@dataclass(frozen=True, slots=True)
class Outline:
    """An entry as lists of it need it: its document, and the symbol and the owner it is about.

    To read the positions and orders after each of many entries would take most of the time, and no
    list shows them.
    """

    document: Mapping[str, Any]
    # None: of no symbol.
    symbol: str | None
    # The id of a bot; empty: the person; None: of nobody's trading.
    owner: str | None

    @property
    def place(self) -> Place:
        """Where the entry stands in the ledger."""
        return self.document["revision"], self.document["line"]

    @property
    def entry(self) -> Entry:
        """The entry without its effect.

        Raises:
            Unreadable: it is none.
        """
        return _checked_entry(self.document, whole=False)


def outline(line: bytes, last: Outline | None = None) -> Outline:
    """The outline of ``line``, which stands right behind ``last``.

    Raises:
        Unreadable: the line is no entry.
    """
    document = parsed(line)
    try:
        effect, fill = document.get("effect"), document.get("fill")
        if fill is not None:
            return Outline(document, fill["symbol"], fill.get("owner", ""))
        if effect is not None:
            return Outline(document, effect["symbol"], _owner(effect))
        if last is not None and _belongs(document, last.document):
            return Outline(document, last.symbol, last.owner)
        return Outline(document, None, None)
    except FAULTS as fault:
        raise Unreadable(f"does not hold a valid entry: {reason(fault)}") from fault


def outlined(lines: Iterable[bytes]) -> Iterator[Outline]:
    """The outlines of ``lines``, oldest first.

    Raises:
        Unreadable: a line is no entry.
    """
    last = None
    for line in lines:
        last = outline(line, last)
        yield last


def _belongs(document: Mapping[str, Any], last: Mapping[str, Any]) -> bool:
    """Whether ``document`` is about the same as the one right before it."""
    return document["kind"] in OF_A_FILL and document["revision"] == last["revision"]


def _owner(effect: Mapping[str, Any]) -> str | None:
    """The owner of the order or position that ``effect`` is about, if any."""
    for each in (*effect["opened"], effect["position"]):
        if each is not None:
            owner: str = each.get("owner", "")
            return owner
    return None
