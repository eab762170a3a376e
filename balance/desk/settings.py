"""``data/settings.json``: what a person has chosen, the same for every program on the folder.

A change by another program is in force from the next look on. One that makes no sense is not: the
settings from before stay in force, and the words say why. Nothing is ever put in its place unasked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from balance.core.errors import StoreFailed, StoreUnreadable
from balance.core.market import Market
from balance.core.settings import Kept, Settings, change_words, changed
from balance.desk.settings_text import decode_settings, encode_settings
from balance.store.codec import Unreadable
from balance.store.disk import DISK, Disk, Signature
from balance.store.file_store import LOCK_FILE
from balance.store.lock import account_lock

SETTINGS_FILE: Final = "settings.json"
# a program that writes in place leaves the file damaged for a moment: that is no news yet
_GRACE_SECONDS: Final = 0.2
# one that renames the file away and writes another leaves none for a moment, and nothing may be
# traded on other terms meanwhile
_GONE_SECONDS: Final = 2.0

_STILL: Final = (
    "The settings from before stay in force until the file is put right or others are saved, which "
    "keeps what stands in it beside."
)

_log = logging.getLogger(__name__)


class SettingsUnreadable(StoreUnreadable):
    """The file of the settings makes no sense; nothing is put in its place."""

    def __init__(self, reason: str) -> None:
        super().__init__(SETTINGS_FILE, reason)
        self.args = (
            f"{SETTINGS_FILE} {reason}. Nothing was changed. Put it right, or move it away to "
            "begin with the defaults.",
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
        """Read what is in ``folder``; without a file there are the defaults. ``clock`` tells
        seconds.

        Raises:
            SettingsUnreadable: the file makes no sense, and no better one is known.
        """
        self._folder = folder
        self._reading = threading.Lock()
        self._listeners: list[Callable[[Kept], None]] = []
        self._kept = Kept(settings=Settings())
        # the file that was read, while it can be trusted to be the same
        self._seen: Signature | None = None
        self._faulty_since: float | None = None
        self._gone_since: float | None = None
        self._clock = clock
        self._disk = disk
        if folder is not None:
            self._kept = _first(folder / SETTINGS_FILE)
        self._told = self._kept

    @property
    def kept(self) -> Kept:
        """The settings that are in force; their file is looked at, and read where it is another."""
        if self._folder is not None:
            looked, signature = time.time_ns(), self._signature(self._folder / SETTINGS_FILE)
            if self._seen is None or signature != self._seen:
                with self._reading:
                    self._kept = self._read_again(self._folder / SETTINGS_FILE)
                    is_sure = self._gone_since is None and not signature.is_racy(looked)
                    self._seen = signature if is_sure else None
        return self._kept

    @property
    def settings(self) -> Settings:
        """What is chosen now."""
        return self.kept.settings

    def starting_balance(self) -> Decimal:
        """What a reset begins with that names nothing else, in the quote currency."""
        return self.settings.starting_balance

    def ruled(self, market: Market) -> Market:
        """``market`` on the terms that are in force, with money shown as is chosen; itself where
        it has them already."""
        settings = self.settings
        terms, decimals = settings.terms, settings.decimals
        if market.terms == terms and market.decimals == decimals:
            return market
        return replace(market, terms=terms, decimals=decimals)

    def change(self, asked: Mapping[str, Any]) -> tuple[Kept, str]:
        """Choose what ``asked`` names, as :func:`~balance.core.settings.changed` takes it: what is
        in force then, and a sentence that tells what was changed.

        Raises:
            InvalidRequest, InvalidAmount: it makes no sense.
            StoreError: it can't be written now.
        """
        try:
            before, kept, beside = self._changed(asked)
        except OSError as fault:
            raise StoreFailed(fault.strerror or type(fault).__name__) from fault
        self.look()
        words = change_words(before.settings, kept.settings)
        if beside is not None:
            words += f" What stood in {SETTINGS_FILE} is kept in {beside}."
        return kept, words

    def subscribe(self, listener: Callable[[Kept], None]) -> None:
        """Have ``listener`` called with what is in force when that was changed here or, as of the
        next :meth:`look`, elsewhere."""
        self._listeners.append(listener)

    def look(self) -> None:
        """Notice what other programs have changed, and tell the listeners."""
        kept, now = self.kept, self._clock()
        if kept == self._told:
            self._faulty_since = None
            return
        if kept.words:
            self._faulty_since = self._faulty_since or now
            if now - self._faulty_since < _GRACE_SECONDS:
                return
        self._faulty_since, self._told = None, kept
        for listener in self._listeners:
            try:
                listener(kept)
            except Exception:
                # the change is made, and its caller must hear so
                _log.exception("a listener of the settings failed")

    def _signature(self, file: Path) -> Signature:
        try:
            return self._disk.signature(file)
        except OSError:
            # Missing, or unreadable: reading it finds out which.
            return Signature(0, 0, 0)

    def _read_again(self, file: Path) -> Kept:
        """What is in force now that ``file`` may be another."""
        try:
            found = _read(file)
        except FileNotFoundError:
            self._gone_since = self._gone_since or self._clock()
            if self._clock() - self._gone_since < _GONE_SECONDS:
                return self._kept
            found = Kept(settings=Settings())
        except Unreadable as fault:
            found = replace(self._kept, words=f"{SETTINGS_FILE} {fault}. {_STILL}")
        self._gone_since = None
        return _counted(found, self._kept)

    def _changed(self, asked: Mapping[str, Any]) -> tuple[Kept, Kept, str | None]:
        """What was in force before, what is now, and what a file that made no sense is called by
        now, where there was one."""
        if self._folder is None:
            before = self._kept
            self._kept = _chosen(before, asked)
            return before, self._kept, None
        self._folder.mkdir(parents=True, exist_ok=True)
        with account_lock(self._folder / LOCK_FILE):
            self._seen = None
            # what could not be synced the last time is in force, and may be asked for again
            self._disk.settle_folder(self._folder)
            before = self.kept
            wanted = _chosen(before, asked)
            file, beside = self._folder / SETTINGS_FILE, None
            if before.words:
                beside = self._disk.keep_damaged(file, datetime.now(UTC))
            if wanted is not before:
                self._disk.sweep(self._folder, SETTINGS_FILE)
                self._disk.replace_file(file, encode_settings(wanted))
            self._seen = None
            return before, self.kept, beside


def _chosen(before: Kept, asked: Mapping[str, Any]) -> Kept:
    """``before`` with what ``asked`` names; itself where that changes nothing."""
    settings = changed(before.settings, asked)
    if settings == before.settings and not before.words:
        return before
    return Kept(settings=settings, version=before.version + 1)


def _first(file: Path) -> Kept:
    try:
        return _read(file)
    except FileNotFoundError:
        return Kept(settings=Settings())
    except Unreadable as fault:
        raise SettingsUnreadable(str(fault)) from fault


def _counted(found: Kept, before: Kept) -> Kept:
    """``found`` with the version that it has after ``before``; that itself where it is no other."""
    if found.settings == before.settings:
        version = max(found.version, before.version)
    else:
        # who edits the file by hand need not count
        version = max(found.version, before.version + 1)
    kept = replace(found, version=version)
    return before if kept == before else kept


def _read(file: Path) -> Kept:
    """What ``file`` says.

    Raises:
        FileNotFoundError: there is none.
        Unreadable: it makes no sense.
    """
    try:
        return decode_settings(file.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as fault:
        raise Unreadable(f"can't be read: {fault.strerror}") from fault
