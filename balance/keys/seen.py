"""``data/agents.json``: what agents requested last, which run in programs of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from balance.keys.key import Activity, RefusedRequest
from balance.keys.rows import MOST_REFUSALS
from balance.store.disk import DISK, Disk
from balance.store.kept_file import KeptFile
from balance.store.records import Record

AGENTS_FILE: Final = "agents.json"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a key or of an agent."""

    activity: Activity | None = None
    # The newest last.
    refusals: tuple[RefusedRequest, ...] = ()

    def after(self, activity: Activity) -> Seen:
        """It after the request ``activity``; one that names no client is of the one before."""
        if not activity.client and self.activity is not None:
            activity = replace(activity, client=self.activity.client)
        return replace(self, activity=activity)

    def refused(self, refusal: RefusedRequest) -> Seen:
        """It after ``refusal``."""
        return replace(self, refusals=(*self.refusals, refusal)[-MOST_REFUSALS:])


_SEEN: Final = Record(Seen)
_NONE: Final[Mapping[str, Seen]] = {}


class AgentFile:
    """What the agents on a folder requested last, by their names; None keeps it nowhere."""

    def __init__(self, folder: Path | None = None, disk: Disk = DISK) -> None:
        self._file = KeptFile(
            folder,
            AGENTS_FILE,
            _NONE,
            lambda agents: {name: _SEEN.encode(each) for name, each in agents.items()},
            lambda document: {name: _SEEN.read(each, name) for name, each in document.items()},
            remedy="Move it away: agents write another.",
            disk=disk,
        )

    @property
    def latest(self) -> Mapping[str, Seen]:
        """What is in the file now or, while it is damaged, was in it before."""
        with self._file.guard:
            return self._file.latest_known()

    def write(self, name: str, seen: Seen, others: Collection[str]) -> None:
        """Have ``seen`` of the agent ``name``, and only of ``others`` beside it; where the disk
        refuses, the program's log says so. For who holds the lock of the account."""
        with self._file.guard:
            remaining = {each: agent for each, agent in self.latest.items() if each in others}
            self._file.put({**remaining, name: seen})
            self._file.try_save(durable=False)
