"""Listeners hear all news, whatever happens to one of them."""

from __future__ import annotations

import pytest

from balance.background.listeners import Listeners


def test_every_listener_hears_all_news_though_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[tuple[str, int]] = []

    def fail(_: int) -> None:
        raise ValueError("one")

    listeners = Listeners[int]("notes")
    listeners.publish(0)
    listeners.add(fail)
    for name in ("first", "second"):
        listeners.add(lambda news, name=name: heard.append((name, news)))  # type: ignore[misc]
    listeners.publish(1)
    listeners.publish(2)
    assert heard == [("first", 1), ("second", 1), ("first", 2), ("second", 2)]
    assert [each.message for each in caplog.records] == ["a listener of the notes failed"] * 2
