"""Keys as readers see them: rows without their secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypedDict

from balance.core.moments import iso
from balance.core.rows import Row
from balance.core.shape import Count, Doc, Time
from balance.keys.key import NAME, Activity, Key, Kind, RefusedRequest

#: How many refusals of a key are listed.
MOST_REFUSALS: Final = 20

KeyName = Annotated[str, Doc("The owner of what it trades.", pattern=NAME)]


class RequestRow(TypedDict):
    """A request that a program made."""

    time: Time
    what: Annotated[str, Doc("Such as GET /fapi/v1/order.")]


class RefusalRow(TypedDict):
    """A request that was refused."""

    time: Time
    what: str
    reason: Annotated[str, Doc("As the program was answered.")]


class KeyRow(TypedDict):
    """A key, or an agent, as it stands; without its secret."""

    name: KeyName
    kind: Annotated[Kind, Doc("key: of a program that signs; agent: of one that needs no key.")]
    is_paused: Annotated[bool, Doc("Whether it may open nothing.")]
    created_at: Time
    client: Annotated[
        str, Doc("The program that uses it, as that calls itself; empty: not known yet.")
    ]
    last_request: Annotated[RequestRow | None, Doc("Since the server was started.")]
    refusals: Annotated[
        list[RefusalRow],
        Doc(f"The newest {MOST_REFUSALS} since the server was started, newest first."),
    ]


class KeyList(TypedDict):
    """All keys and agents."""

    version: Annotated[Count, Doc("Another one: something about the keys has changed.")]
    fault: Annotated[str, Doc("Why they can't be read; empty: they are listed.")]
    keys: list[KeyRow]


def key_row(key: Key, activity: Activity | None, refusals: Sequence[RefusedRequest]) -> Row:
    """``key`` with its newest ``activity`` and its ``refusals``, oldest first."""
    row: dict[str, Any] = {
        "name": key.name,
        "kind": key.kind,
        "is_paused": key.is_paused,
        "created_at": iso(key.created_at),
        "client": "" if activity is None else activity.client,
        "last_request": activity and {"time": iso(activity.time), "what": activity.what},
        "refusals": [
            {"time": iso(each.time), "what": each.what, "reason": each.reason}
            for each in reversed(refusals)
        ],
    }
    return row
