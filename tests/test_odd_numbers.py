"""Numbers in the files of the data folder that make no sense: refused in a sentence, or taken as
something that every reader can live with."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, is_dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance.alerts.alerts import FollowedAlerts
from balance.alerts.state import alert_file
from balance.api.encoding import encoded
from balance.bots.followed import FollowedBots
from balance.bots.state import bot_file
from balance.core.money import is_bounded
from balance.core.settings import members
from balance.desk.desk import Desk
from balance.desk.settings import SETTINGS_FILE, SettingsFile
from balance.market.board import FEED_FILE, MARKET_FILE, read_market
from balance.market.feed import FeedFault
from balance.market.simulated.feed import SimulatedFeed
from balance.store.kept_file import FileUnreadable, KeptFile
from balance.store.memory_store import MemoryStore
from tests.boards import board
from tests.golden.server import golden_copy
from tests.kept import kept
from tests.test_feed_simulated import market as simulated

#: Values as they stand in JSON.
ODD = (
    *("1e999", "-1e999", "1e-999", "NaN", "Infinity", "-Infinity", "-0", "-1", "0.1", "1e15"),
    *("true", "null", "[]", "{}", '""', '"\\ud800"', "1" * 400, '"1e999"', '"1e30"', '"NaN"'),
    *('"Infinity"', '"-1"', '"1e-900"', '"-0"'),
)
_LARGEST = 2**53


def paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in ``document``; of a list only to the first."""
    if path:
        yield path
    if isinstance(document, dict):
        for name, each in document.items():
            yield from paths(each, (*path, name))
    elif isinstance(document, list) and document:
        yield from paths(document[0], (*path, 0))


def odd_documents(document: Any) -> Iterator[str]:
    """``document`` with each of its values in turn as each of the ``ODD`` ones."""
    for path in paths(document):
        changed = json.loads(json.dumps(document))
        inner = changed
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = "odd"
        before, after = json.dumps(changed).rsplit('"odd"', 1)
        for odd in ODD:
            yield before + odd + after


def numbers(value: Any) -> Iterator[Any]:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from numbers(each)
    elif isinstance(value, int | float | Decimal):
        yield value


def is_sensible(value: Any) -> bool:
    """Whether all numbers in ``value`` can be calculated with and written."""
    return all(
        is_bounded(each)
        if isinstance(each, Decimal)
        else math.isfinite(each) and abs(each) <= _LARGEST
        for each in numbers(value)
    )


def shown_bots(folder: Path) -> Mapping[str, Any]:
    return FollowedBots(Desk(MemoryStore(), board()), folder).listed()


def shown_alerts(folder: Path) -> Mapping[str, Any]:
    return FollowedAlerts(Desk(MemoryStore(), board()), folder).listed()


@pytest.mark.parametrize(
    ("kept_file", "show"), [(bot_file, shown_bots), (alert_file, shown_alerts)]
)
def test_odd_values_in_a_kept_file_are_refused_or_sensible(
    kept_file: Callable[[Path], KeptFile[Any]],
    show: Callable[[Path], Mapping[str, Any]],
    tmp_path: Path,
) -> None:
    folder = golden_copy(tmp_path)
    path = folder / kept_file(folder).name
    counts = Counter[str]()
    for text in odd_documents(kept(path)):
        path.write_text(text)
        file = kept_file(folder)
        try:
            value = file.latest()
        except FileUnreadable:
            counts["refused"] += 1
            continue
        counts["taken"] += 1
        assert is_sensible(value)
        # It is shown, and written as it can be read again.
        encoded(show(folder))
        file.put(replace(value))
        file.save()
        assert kept_file(folder).latest() == value
    print(path.name, dict(counts))
    assert min(counts["refused"], counts["taken"]) > 100


def test_odd_values_in_the_settings_are_refused_or_sensible(tmp_path: Path) -> None:
    SettingsFile(tmp_path).change({"starting_balance": "250.5", "taker_fee_percent": "0.1"})
    path = tmp_path / SETTINGS_FILE
    for text in odd_documents(kept(path)):
        path.write_text(text)
        try:
            settings = SettingsFile(tmp_path).settings
        except FileUnreadable:
            continue
        assert is_sensible(members(settings))


def test_a_number_in_the_settings_is_taken_with_all_its_digits(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text('{"starting_balance": 123456789012.12345678}')
    assert SettingsFile(tmp_path).settings.starting_balance == Decimal("123456789012.12345678")


def test_odd_values_in_the_prices_are_refused_or_sensible(tmp_path: Path) -> None:
    document = kept(golden_copy(tmp_path) / MARKET_FILE)
    document = {**document, "saved": {}}
    counts = Counter[str]()
    for text in odd_documents(document):
        try:
            market = read_market(text.encode())
        except ValueError:
            counts["refused"] += 1
        else:
            counts["taken"] += 1
            assert is_sensible([*market.quotes.values(), *market.instruments.values()])
    print(MARKET_FILE, dict(counts))
    assert counts["refused"] > 100


def test_odd_values_of_a_simulated_market_are_refused_or_sensible() -> None:
    saved = simulated().saved(lightly=True)
    counts = Counter[str]()
    for text in odd_documents(saved):
        try:
            feed = SimulatedFeed(saved=json.loads(text), wait=lambda _: None)
        except FeedFault:
            counts["refused"] += 1
        else:
            counts["taken"] += 1
            assert is_sensible(feed.next(1))
    print(FEED_FILE, dict(counts))
    assert counts["refused"] > 100
