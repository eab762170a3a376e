"""What is known to be damaged in the data folder, for everybody to see: every tab, ``/health`` and
the shell list it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from balance.background.listeners import Listeners
from balance.core.shape import Doc


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged place, or one that was: a file that was made anew or kept aside is listed too."""

    file: Annotated[str, Doc("The name of the file in the data folder.")]
    line: Annotated[int | None, Doc("The number of the line, from 1; null: the whole file.")]
    message: Annotated[str, Doc("What is wrong, what that means, and what to do, in sentences.")]


class Damages:
    """The damage that is known now, in the order in which it was found. Safe to use from many
    threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._found: dict[tuple[str, int | None], Damage] = {}
        self._listeners: Listeners[tuple[Damage, ...]] = Listeners("damage")

    @property
    def listed(self) -> tuple[Damage, ...]:
        """All of it."""
        return tuple(self._found.values())

    def subscribe(self, listener: Callable[[tuple[Damage, ...]], None]) -> None:
        """Have ``listener`` called with all of it after every change."""
        self._listeners.add(listener)

    def report(self, damage: Damage) -> None:
        """Add ``damage``, in place of what was known of the same file and line."""
        self._change(lambda found: found.update({(damage.file, damage.line): damage}))

    def clear(self, file: str) -> None:
        """Forget what was known of ``file``, which is sound now."""
        self._change(lambda found: [found.pop(each) for each in list(found) if each[0] == file])

    def _change(self, change: Callable[[dict[tuple[str, int | None], Damage]], object]) -> None:
        with self._guard:
            before = self.listed
            found = dict(self._found)
            change(found)
            self._found = found
            after = self.listed
        if after != before:
            self._listeners.publish(after)
