"""What is known to be damaged in the data folder, for everybody to see: every tab, ``/health`` and
the shell list it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
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


# Each by its file and line.
_ByPlace = dict[tuple[str, int | None], Damage]


@dataclass(frozen=True, slots=True)
class KnownDamage:
    """The damage that is known at one time."""

    version: Annotated[int, Doc("Grows with every change.")]
    damage: Annotated[tuple[Damage, ...], Doc("In the order in which it was found.")]


class Damages:
    """The damage that is known now, in the order in which it was found. Safe to use from many
    threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._known = KnownDamage(0, ())
        self._listeners: Listeners[KnownDamage] = Listeners("damage")

    @property
    def known(self) -> KnownDamage:
        """All of it, with its version."""
        return self._known

    @property
    def listed(self) -> tuple[Damage, ...]:
        """All of it."""
        return self._known.damage

    def subscribe(self, listener: Callable[[KnownDamage], None]) -> None:
        """Have ``listener`` called with all of it after every change."""
        self._listeners.add(listener)

    def report(self, damage: Damage) -> None:
        """Add ``damage``, in place of what was known of the same file and line."""
        place = (damage.file, damage.line)
        self._change(lambda found: {**found, place: damage})

    def settle(self, file: str, damages: Iterable[Damage]) -> None:
        """Let ``damages`` be all that is known of ``file``, which was checked as a whole."""
        settled = {(each.file, each.line): each for each in damages}
        self._change(
            lambda found: {
                **{place: each for place, each in found.items() if place[0] != file},
                **settled,
            }
        )

    def clear(self, file: str) -> None:
        """Forget what was known of ``file``, which is sound now."""
        self.settle(file, ())

    def withdraw(self, damage: Damage) -> None:
        """Forget ``damage``, unless something else was reported in its place."""
        self._change(lambda found: {place: each for place, each in found.items() if each != damage})

    def _change(self, change: Callable[[_ByPlace], _ByPlace]) -> None:
        with self._guard:
            before = self._known
            found = change({(each.file, each.line): each for each in before.damage})
            after = tuple(found.values())
            if after != before.damage:
                self._known = KnownDamage(before.version + 1, after)
            known = self._known
        if known is not before:
            self._listeners.publish(known)
