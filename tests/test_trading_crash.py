"""A server that is killed at any moment, while a script trades and the market fills its orders,
loses nothing that it has acknowledged and does nothing twice."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from balance.core.entry import Entry
from balance.store.file_store import FileStore
from balance.store.verification import verify
from tests.length import rounds
from tests.markets import BTC
from tests.patience import patience
from tests.screen import wait_for
from tests.serving import Server

KILLS = rounds(4, 10)
# for five minutes at 600x
CANDLES = 3_000


def restless(folder: Path) -> str:
    """A replay in which Bitcoin comes to every price from 39,800 to 40,200 within a minute."""
    path, begin = folder / "restless.csv", datetime(2022, 1, 1, tzinfo=UTC)
    moments = (begin + timedelta(minutes=number) for number in range(CANDLES))
    candles = (f"{each:%Y-%m-%d %H:%M},40000,40200,39800,40000,5" for each in moments)
    path.write_text("\n".join(["time,open,high,low,close,volume", *candles]))
    return f"replay:{BTC}={path}"


class Script:
    """Trades with requests to one server after the other, each with a key of its own, and keeps
    what was asked and what was answered."""

    def __init__(self) -> None:
        self.chance = random.Random(7)
        self._keys = (f"key-{number}" for number in itertools.count(1))
        # by key; what was refused is forgotten
        self.asked: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Any] = {}

    @property
    def in_doubt(self) -> set[str]:
        """The keys of what was asked and neither acknowledged nor refused."""
        return self.asked.keys() - self.answers.keys()

    @property
    def acknowledged(self) -> set[str]:
        """The ids of the orders that it was told of."""
        return {each["order"]["id"] for each in self.answers.values()}

    def run(self, server: Server) -> None:
        """Trade until the server is gone."""
        with requests.Session() as session:
            while True:
                key = next(self._keys)
                self.asked[key] = self.body()
                try:
                    self.send(session, server, key)
                except requests.ConnectionError:
                    return

    def send(self, session: requests.Session, server: Server, key: str) -> Any:
        """Ask for what ``key`` stands for; its answer, None where it was refused."""
        answer = session.post(
            f"{server.url}/orders",
            json=self.asked[key],
            headers={"Idempotency-Key": key},
            timeout=patience(),
        )
        if len(answer.content) < int(answer.headers["Content-Length"]):
            raise requests.ConnectionError("it died while it answered")
        if answer.status_code == 200:
            return self.answers.setdefault(key, answer.json())
        assert answer.status_code in (422, 503), answer.text
        del self.asked[key]
        return None

    def body(self) -> dict[str, Any]:
        """An order that fills now, or soon, or when the price turns."""
        side = self.chance.choice(["buy", "sell"])
        away = self.chance.randint(5, 150) * (-1 if side == "buy" else 1)
        common = {"symbol": BTC, "side": side, "quantity": 0.001}
        kind = self.chance.random()
        if kind < 0.3:
            return common
        if kind < 0.7:
            return {**common, "type": "limit", "price": 40_000 + away}
        return {**common, "type": "stop_market", "trigger_price": 40_000 - away}


def placed(entries: list[Entry]) -> Counter[str]:
    """How often each order came into the account: at rest, or filled at once."""
    count: Counter[str] = Counter()
    resting = set()
    for entry in entries:
        opened = entry.booking.effect.opened if entry.booking.effect else ()
        if entry.booking.kind == "order":
            count.update(each.id for each in opened)
            resting |= {each.id for each in opened}
        fill = entry.booking.fill
        if fill is not None and fill.order_id not in resting and fill.reason == "order":
            count[fill.order_id] += 1
    return count


def wait_for_price(server: Server) -> None:
    """Wait until ``server`` takes orders."""
    wait_for(lambda: server.get("/prices").json()["state"] == "live", "a price")


def test_kills_while_the_market_fills_lose_and_double_nothing(
    folder: Path, tmp_path: Path, start_server: Callable[..., Server]
) -> None:
    options = ("--feed", restless(tmp_path), "--speed", "600")
    script, chance = Script(), random.Random(3)
    had_committed = 0
    server = start_server(*options)
    for _ in range(KILLS):
        wait_for_price(server)
        known = len(script.answers)
        thread = threading.Thread(target=script.run, args=(server,))
        thread.start()
        wanted = known + chance.randint(1, 8)
        wait_for(lambda wanted=wanted: len(script.answers) >= wanted, "some answers")
        time.sleep(chance.uniform(0, 0.1))
        server.kill()
        thread.join()
        assert verify(folder).faults == ()
        server = start_server(*options)
        entries = list(FileStore(folder).entries())[::-1]
        there = placed(entries)
        assert script.acknowledged <= set(there)
        (doubted,) = script.in_doubt
        extra = set(there) - script.acknowledged
        assert len(extra) <= 1
        had_committed += len(extra)
        # what is in doubt is asked for again, and what was acknowledged too
        wait_for_price(server)
        with requests.Session() as session:
            again = script.send(session, server, doubted)
            assert extra <= ({again["order"]["id"]} if again else set())
            key = chance.choice(list(script.answers))
            first = script.answers.pop(key)
            repeated = script.send(session, server, key)
            assert repeated["order"] == first["order"]
            assert repeated["revision"] == first["revision"]
    server.stop()
    assert verify(folder).faults == ()
    entries = list(FileStore(folder).entries())[::-1]
    there = placed(entries)
    assert set(there.values()) == {1}
    assert set(there) == script.acknowledged
    fills = Counter(each.booking.fill.order_id for each in entries if each.booking.fill)
    assert max(fills.values()) == 1
    by_market = [each for each in entries if each.source == "market" and each.booking.fill]
    assert len(by_market) >= KILLS
    assert [each.place for each in entries] == sorted({each.place for each in entries})
    print(
        f"{KILLS} kills, {len(there)} orders, {len(by_market)} filled by the market, "
        f"{had_committed} of {KILLS} unanswered ones were there"
    )
