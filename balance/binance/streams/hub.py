"""The hub: which client listens to which stream, and the events of each stream to all of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from balance.api.encoding import encoded
from balance.binance.streams.connection import Connection, Message
from balance.binance.streams.market_events import Event
from balance.binance.streams.market_streams import MarketStream, UnknownStream
from balance.core.errors import StoreError

#: So many streams may one client listen to.
MOST_STREAMS: Final = 1_024

# The codes of refused messages.
_INVALID_REQUEST: Final = 2
_INVALID_JSON: Final = 3

_log = logging.getLogger(__name__)


class _Refused(Exception):
    """A message of a client can't be carried out."""

    def __init__(self, message: str, code: int = _INVALID_REQUEST) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class _Channel:
    """A stream that somebody listens to."""

    stream: MarketStream
    listeners: set[Connection] = field(default_factory=set)
    # When it is looked at next, in seconds of the clock of the hub's caller.
    due: float = 0.0
    has_failed: bool = False


class Hub:
    """All clients and what they listen to. For one thread."""

    def __init__(
        self,
        open_stream: Callable[[str], MarketStream],
        is_listen_key: Callable[[str], bool],
    ) -> None:
        """``open_stream`` makes the stream of a name, or raises ``UnknownStream``;
        ``is_listen_key`` says whether a name opens the private events."""
        self._open_stream = open_stream
        self._is_listen_key = is_listen_key
        self._connections: set[Connection] = set()
        self._channels: dict[str, _Channel] = {}
        # Who gets the private events, by listen key.
        self._private: dict[str, set[Connection]] = {}

    @property
    def connections(self) -> Sequence[Connection]:
        """All clients."""
        return tuple(self._connections)

    @property
    def has_private(self) -> bool:
        """Whether somebody gets the private events."""
        return bool(self._private)

    def join(self, connection: Connection, names: Iterable[str]) -> None:
        """Have ``connection`` listen to ``names``.

        Raises:
            UnknownStream: there is no such stream; it listens to nothing.
        """
        self._subscribe(connection, list(names))
        self._connections.add(connection)

    def leave(self, connection: Connection) -> None:
        """Have ``connection`` listen to nothing more."""
        self._unsubscribe(connection, list(connection.names))
        self._connections.discard(connection)

    def receive(self, connection: Connection, text: str) -> None:
        """Carry out what a client wants in ``text``, and answer it."""
        number: Any = None
        try:
            request = _request(text)
            number = request.get("id")
            result = self._carry_out(connection, request)
        except (_Refused, UnknownStream, StoreError) as fault:
            code = fault.code if isinstance(fault, _Refused) else _INVALID_REQUEST
            error = {"code": code, "msg": f"Invalid request: {fault}"}
            connection.put(encoded({"error": error, "id": _id(number)}))
        else:
            connection.put(encoded({"result": result, "id": _id(number)}))

    def look(self, now: float) -> None:
        """Push the events that are due at ``now``, in seconds: at each moment of the market, and a
        few times a second."""
        for name, channel in self._channels.items():
            if channel.stream.every and now < channel.due:
                continue
            channel.due = now + channel.stream.every
            for event in self._events(name, channel):
                message = Message(name, encoded(event))
                for connection in tuple(channel.listeners):
                    connection.push(message)

    def push_private(self, events: Iterable[Event]) -> None:
        """Push ``events`` to all who have opened the private ones."""
        for event in events:
            text = encoded(event)
            for name, listeners in self._private.items():
                message = Message(name, text)
                for connection in tuple(listeners):
                    connection.push(message)

    def expire(self, expired: Callable[[str], Event]) -> None:
        """Push the event ``expired`` of each listen key that is not open any more, and nothing
        after it."""
        for name in [each for each in self._private if not self._is_listen_key(each)]:
            message = Message(name, encoded(expired(name)))
            for connection in tuple(self._private[name]):
                connection.push(message)
                self._unsubscribe(connection, [name])

    def _events(self, name: str, channel: _Channel) -> Iterable[Event | Sequence[Event]]:
        try:
            events = list(channel.stream.events())
        except Exception:
            if not channel.has_failed:
                _log.exception("the stream %s failed", name)
            channel.has_failed = True
            return ()
        channel.has_failed = False
        return events

    def _carry_out(self, connection: Connection, request: Mapping[str, Any]) -> Any:
        match request.get("method"):
            case "SUBSCRIBE":
                self._subscribe(connection, _names(request))
            case "UNSUBSCRIBE":
                self._unsubscribe(connection, _names(request))
            case "LIST_SUBSCRIPTIONS":
                return sorted(connection.names)
            case method:
                raise _Refused(
                    f"unknown method {method!r:.40}; there are SUBSCRIBE, UNSUBSCRIBE and "
                    "LIST_SUBSCRIPTIONS"
                )
        return None

    def _subscribe(self, connection: Connection, names: Sequence[str]) -> None:
        """Have ``connection`` listen to all of ``names`` or, where one is refused, to none."""
        count = len(connection.names | {*names})
        if count > MOST_STREAMS:
            raise UnknownStream(f"{count:,} streams are too many; {MOST_STREAMS:,} may be")
        private = {name for name in names if self._is_listen_key(name)}
        opened = {
            name: _Channel(self._open_stream(name))
            for name in names
            if name not in private and name not in self._channels
        }
        self._channels.update(opened)
        for name in names:
            listeners = (
                self._private.setdefault(name, set())
                if name in private
                else self._channels[name].listeners
            )
            listeners.add(connection)
            connection.names.add(name)

    def _unsubscribe(self, connection: Connection, names: Sequence[str]) -> None:
        for name in names:
            connection.names.discard(name)
            if name in self._channels:
                self._channels[name].listeners.discard(connection)
                if not self._channels[name].listeners:
                    del self._channels[name]
            elif name in self._private:
                self._private[name].discard(connection)
                if not self._private[name]:
                    del self._private[name]


def _request(text: str) -> Mapping[str, Any]:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise _Refused("this is no JSON", _INVALID_JSON) from fault
    if not isinstance(request, dict):
        raise _Refused("this is no object with method, params and id")
    return request


def _names(request: Mapping[str, Any]) -> Sequence[str]:
    names = request.get("params")
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise _Refused("params must be a list of names of streams")
    return names


def _id(number: Any) -> Any:
    is_id = isinstance(number, str) or (isinstance(number, int) and not isinstance(number, bool))
    return number if is_id else None
