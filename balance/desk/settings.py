"""``data/settings.json``: what a person has chosen, the same for every program on the folder.

A change by another program is in force from the next read on. One that makes no sense is not: the
settings from before stay in force, and a message says why.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from balance.background.listeners import Listeners
from balance.core.errors import BalanceError, StoreFailed
from balance.core.figures import plain
from balance.core.market import Market
from balance.core.settings import Settings, SettingsState, change_message, change_settings, members
from balance.store.codec import Unreadable
from balance.store.disk import DISK, Disk
from balance.store.file_store import LOCK_FILE
from balance.store.kept_file import FileUnreadable, KeptFile
from balance.store.lock import account_lock

SETTINGS_FILE: Final = "settings.json"
# A program that writes in place leaves the file damaged for a moment: that is no news yet.
_GRACE_SECONDS: Final = 0.2
# One that renames the file away and writes another leaves none for a moment, and nothing may be
# traded on other terms meanwhile.
_GONE_SECONDS: Final = 2.0

_DEFAULTS: Final = SettingsState(settings=Settings())
_STILL: Final = (
    "The settings from before stay in force until the file is put right or others are saved, which "
    "keeps what stands in it beside."
)
_EDITED: Final = (
    f"{SETTINGS_FILE} was changed after it was saved, by hand or by damage, and what it says is in "
    "force. Look at the settings, and save them to confirm it."
)


class SettingsFile:
    """The settings in the file of a folder; None keeps them nowhere. Safe to use from many
    threads, and beside other programs."""

    def __init__(
        self,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        disk: Disk = DISK,
    ) -> None:
        """Read what is in ``folder``; without a file there are the defaults. ``clock`` counts
        seconds.

        Raises:
            FileUnreadable: the file makes no sense, and no better one is known.
        """
        self._folder = folder
        self._disk = disk
        self._clock = clock
        self._file = KeptFile(
            folder,
            SETTINGS_FILE,
            _DEFAULTS,
            _encode,
            _decode,
            remedy="Put it right, or move it away to begin with the defaults.",
            edited=lambda state: replace(state, note=_EDITED),
            disk=disk,
        )
        self._reading = threading.Lock()
        self._listeners = Listeners[SettingsState]("settings")
        # The settings in force, and those in the file that they were last compared with.
        self._state = self._found = self._file.latest()
        self._published = self._state
        self._faulty_since: float | None = None
        self._gone_since: float | None = None

    @property
    def state(self) -> SettingsState:
        """The settings that are in force; the file is read where it is another one."""
        with suppress(FileUnreadable):
            if self._file.latest() is self._found:
                return self._state
        with self._reading:
            try:
                # Read again: another thread may have been first.
                found = self._file.latest()
            except FileUnreadable as fault:
                found = replace(self._state, fault=f"{SETTINGS_FILE} {fault.reason}. {_STILL}")
            if found is not _DEFAULTS:
                self._gone_since = None
            elif self._is_gone_for_a_moment():
                return self._state
            self._state, self._found = _counted(found, self._state), found
            return self._state

    @property
    def settings(self) -> Settings:
        """The settings in force, without their version."""
        return self.state.settings

    def starting_balance(self) -> Decimal:
        """The balance after a reset that names none, in the quote currency."""
        return self.settings.starting_balance

    def ruled(self, market: Market) -> Market:
        """``market`` on the terms that are in force, with money shown as is chosen; itself where
        it has them already."""
        settings = self.settings
        terms, decimals = settings.terms, settings.decimals
        if market.terms == terms and market.decimals == decimals:
            return market
        return replace(market, terms=terms, decimals=decimals)

    def change(self, request: Mapping[str, Any]) -> tuple[SettingsState, str]:
        """Choose what ``request`` names, as :func:`~balance.core.settings.change_settings` takes
        it; return what was written, and a message about the change.

        Raises:
            InvalidRequest, InvalidAmount: it makes no sense.
            StoreError: it can't be written now.
        """
        beside = None
        try:
            with self._lock():
                before = self.state
                chosen = _chosen(before, request)
                if before.fault:
                    beside = self._file.keep_damaged(datetime.now(UTC))
                if chosen is not before or not self._file.is_durable:
                    self._file.write(chosen)
        except OSError as fault:
            raise StoreFailed(fault.strerror or type(fault).__name__) from fault
        self.check()
        message = change_message(before.settings, chosen.settings)
        if before.note and before.settings == chosen.settings:
            message = "Settings saved as they are."
        if beside is not None:
            message += f" What stood in {SETTINGS_FILE} is kept in {beside}."
        return chosen, message

    def subscribe(self, listener: Callable[[SettingsState], None]) -> None:
        """Have ``listener`` called with what is in force when that was changed here or, as of the
        next :meth:`check`, elsewhere."""
        self._listeners.add(listener)

    def check(self) -> None:
        """Notice what other programs have changed, and call the listeners."""
        state, now = self.state, self._clock()
        if state == self._published:
            self._faulty_since = None
            return
        if state.fault:
            self._faulty_since = self._faulty_since or now
            if now - self._faulty_since < _GRACE_SECONDS:
                return
        self._faulty_since, self._published = None, state
        self._listeners.publish(state)

    def _lock(self) -> AbstractContextManager[None]:
        if self._folder is None:
            return nullcontext()
        self._disk.make_folder(self._folder)
        return account_lock(self._folder / LOCK_FILE)

    def _is_gone_for_a_moment(self) -> bool:
        """Whether the file that the settings in force are from was there just now."""
        self._gone_since = self._gone_since or self._clock()
        return self._clock() - self._gone_since < _GONE_SECONDS


def _chosen(before: SettingsState, request: Mapping[str, Any]) -> SettingsState:
    """``before`` with what ``request`` names; itself where that changes nothing."""
    settings = change_settings(before.settings, request)
    if settings == before.settings and not before.fault and not before.note:
        return before
    return SettingsState(settings=settings, version=before.version + 1)


def _counted(found: SettingsState, before: SettingsState) -> SettingsState:
    """``found`` with the version that it has after ``before``; that itself where it is no other."""
    if found.settings == before.settings:
        version = max(found.version, before.version)
    else:
        # Who edits the file by hand need not count.
        version = max(found.version, before.version + 1)
    state = replace(found, version=version)
    return before if state == before else state


def _encode(state: SettingsState) -> Mapping[str, Any]:
    values = members(state.settings)
    texts = {
        name: plain(each) if isinstance(each, Decimal) else each for name, each in values.items()
    }
    return {"version": state.version, **texts}


def _decode(document: dict[str, Any]) -> SettingsState:
    version = document.pop("version", 0)
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise Unreadable(f"has the version {version!r:.40}, which is no whole number")
    try:
        # A setting that the file does not name has its default.
        return SettingsState(settings=change_settings(Settings(), document), version=version)
    except BalanceError as fault:
        raise Unreadable(f"makes no sense: {str(fault).rstrip('.')}") from fault
