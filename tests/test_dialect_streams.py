"""The streams of the dialect: listen keys, who may listen to what, and the events."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from balance.keys.keys import Keys
from balance.keys.listen_keys import OPEN_FOR, ListenKeys
from tests.accounts import MOMENT
from tests.dialect import Dialect, answered, refusal

LISTEN_KEY = "/fapi/v1/listenKey"
NO_LISTEN_KEY = (-1125, "This listenKey does not exist.")
MINUTE = timedelta(minutes=1)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = MOMENT

    def __call__(self) -> datetime:
        """The time."""
        return self.now


def test_a_listen_key_is_opened_renewed_and_closed() -> None:
    dialect = Dialect()
    assert refusal(dialect.keyed("PUT", LISTEN_KEY), 400) == NO_LISTEN_KEY
    opened = answered(dialect.keyed("POST", LISTEN_KEY))
    assert list(opened) == ["listenKey"]
    assert len(opened["listenKey"]) == 64
    assert answered(dialect.keyed("POST", LISTEN_KEY)) == opened
    assert answered(dialect.keyed("PUT", LISTEN_KEY)) == opened
    assert answered(dialect.keyed("DELETE", LISTEN_KEY)) == {}
    assert refusal(dialect.keyed("PUT", LISTEN_KEY), 400) == NO_LISTEN_KEY
    assert answered(dialect.keyed("POST", LISTEN_KEY)) == opened


def test_each_key_has_its_own_listen_key_which_is_not_its_secret() -> None:
    keys = Dialect().services.keys
    keys.add("other")
    listen_keys = ListenKeys(keys)
    texts = {listen_keys.open("bot"), listen_keys.open("other")}
    assert len(texts) == 2
    assert texts.isdisjoint({text for key in keys.all() for text in (key.key, key.secret)})


def made(clock: Clock, folder: Path | None = None) -> Keys:
    """The keys of a program that begins at the time of ``clock``, with one that it makes if there
    is none."""
    keys = Keys(Dialect().desk, folder, clock)
    keys.begin()
    return keys


def test_a_listen_key_is_open_for_an_hour_from_its_last_renewal() -> None:
    clock = Clock()
    listen_keys = ListenKeys(made(clock), clock)
    listen_key = listen_keys.open("bot")
    clock.now += OPEN_FOR - MINUTE
    assert listen_keys.renew("bot") == listen_key
    clock.now += OPEN_FOR - MINUTE
    assert listen_keys.is_open(listen_key)
    clock.now += MINUTE
    assert not listen_keys.is_open(listen_key)
    assert listen_keys.renew("bot") is None
    assert listen_keys.open("bot") == listen_key


def test_after_a_restart_programs_come_back_with_the_listen_key_that_they_had(
    tmp_path: Path,
) -> None:
    clock = Clock()
    listen_key = ListenKeys(made(clock, tmp_path), clock).open("bot")
    clock.now += MINUTE
    after = ListenKeys(made(clock, tmp_path), clock)
    assert after.is_open(listen_key)
    assert after.renew("bot") == listen_key
    after.close("bot")
    assert not after.is_open(listen_key)
    later = ListenKeys(made(clock, tmp_path), clock)
    clock.now += OPEN_FOR
    assert not later.is_open(listen_key)


def test_a_revoked_key_has_no_listen_key_and_another_of_its_name_another_one() -> None:
    clock = Clock()
    keys = made(clock)
    listen_keys = ListenKeys(keys, clock)
    listen_key = listen_keys.open("bot")
    keys.revoke("bot")
    assert not listen_keys.is_open(listen_key)
    keys.add("bot")
    assert listen_keys.open("bot") != listen_key
    assert not listen_keys.is_open(listen_key)


def test_what_is_no_listen_key_opens_nothing() -> None:
    clock = Clock()
    listen_keys = ListenKeys(made(clock), clock)
    listen_keys.open("bot")
    assert not any(map(listen_keys.is_open, ("", "bot", "0" * 64, "ü")))
