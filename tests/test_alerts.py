"""The use cases of alerts: made, changed, looked after, kept over restarts and crashes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance.alerts import rows as row_module
from balance.alerts import state as state_module
from balance.alerts import store as store_module
from balance.alerts.alerts import DAMAGED, Alerts, FollowedAlerts
from balance.alerts.rows import MOST_ALERTS
from balance.alerts.state import ALERTS_FILE, MOST_FIRINGS, AlertBook, alert_file
from balance.core.errors import (
    InvalidRequest,
    KeyReused,
    StoreFailed,
    StoreUnreadable,
    UnknownAlert,
)
from balance.desk.desk import Desk
from balance.open_account import open_account
from balance.store.disk import Disk
from balance.store.file_store import ACCOUNT_FILE, FileStore
from tests.alerts_by_hand import ABOVE, AlertsByHand
from tests.kept import kept
from tests.markets import BTC, ETH
from tests.screen import wait_for

ROSE = "BTC/USDT has risen to 45,010.00; the alert was at 45,000.00."


@pytest.fixture
def there(folder: Path) -> Iterator[AlertsByHand]:
    """No alerts yet, and Bitcoin at 40,000."""
    found = AlertsByHand(folder)
    yield found
    found.alerts.rest()


class TestLooking:
    """What fires, and who hears of it."""

    def test_a_price_that_comes_to_its_threshold_fires_once(self, there: AlertsByHand) -> None:
        there.create()
        there.price(44_999, 45_010, 45_020, 44_000, 45_500)
        assert there.firings() == [ROSE]
        row = there.row()
        assert (row["status"], row["active"], row["fired"]) == ("fired", False, 1)
        assert row["fired_at"] is not None

    def test_one_that_fires_every_time_does_so_at_each_crossing(self, there: AlertsByHand) -> None:
        there.create(once=False)
        there.price(45_010, 45_020, 44_990, 45_010, 44_000, 45_010)
        assert there.firings() == [ROSE, ROSE]
        assert (there.row()["status"], there.row()["fired"]) == ("beyond", 2)

    def test_one_that_is_there_already_says_so_and_waits(self, there: AlertsByHand) -> None:
        there.price(46_000)
        done = there.alerts.create(ABOVE)
        assert "It is at 46,000.00 already, so it fires only once it has been below" in done.message
        there.price(47_000)
        assert there.firings() == []
        assert there.row()["display"]["status"] == "There already"
        there.price(44_000, 45_010)
        assert there.firings() == [ROSE]

    def test_nothing_fires_on_a_price_that_is_not_live(self, there: AlertsByHand) -> None:
        there.create()
        live = there.board.market.live
        there.price(45_010, live=frozenset({ETH}))
        assert there.firings() == []
        assert there.row()["display"]["status"] == "No live price"
        there.price(45_010, live=live)
        assert there.firings() == [ROSE]

    def test_several_fire_at_once_each_with_a_firing_of_its_own(self, there: AlertsByHand) -> None:
        for threshold in (41_000, 42_000, 43_000):
            there.create(threshold=threshold)
        there.price(45_000)
        told = there.heard[-1]["firings"]
        assert [each["id"] for each in told] == [3, 2, 1]
        assert {each["alert"] for each in told} == {"alert-1", "alert-2", "alert-3"}

    def test_figures_of_the_account_are_looked_at_when_it_changes(
        self, there: AlertsByHand
    ) -> None:
        there.create(what="pnl", symbol=None, direction="below", threshold=-100)
        there.create(what="equity", symbol=None, threshold=10_500)
        # in another thread than the engine's, without any price
        there.price(40_000)
        for amount in (-150, 700):
            changing = threading.Thread(target=there.desk.adjust, args=(amount,))
            changing.start()
            changing.join()
        assert there.firings() == [
            "P&L has fallen to -$150.00; the alert was at -$100.00.",
            "Total equity has risen to $10,550.00; the alert was at $10,500.00.",
        ]

    def test_what_the_engine_commits_is_looked_at_when_its_prices_are_shown(
        self, there: AlertsByHand
    ) -> None:
        there.create(what="pnl", symbol=None, direction="above", threshold=100)
        there.price(40_000)
        # in the engine's thread
        there.desk.adjust(150)
        assert there.firings() == []
        there.price(40_000)
        assert len(there.firings()) == 1

    def test_what_another_program_has_changed_is_looked_at(self, there: AlertsByHand) -> None:
        there.create(what="equity", symbol=None, direction="below", threshold=9_000)
        there.price(40_000)
        open_account(there.folder).adjust(-2_000)
        there.alerts.show()
        assert there.firings() == [
            "Total equity has fallen to $8,000.00; the alert was at $9,000.00."
        ]

    def test_a_reset_crosses_nothing(self, there: AlertsByHand) -> None:
        there.create(what="pnl", symbol=None, threshold=-50)
        there.create(what="equity", symbol=None, direction="below", threshold=9_000)
        there.desk.adjust(-100)
        there.desk.reset(5_000)
        assert there.firings() == []
        there.desk.adjust(-100)
        there.desk.adjust(80)
        assert there.firings() == ["P&L has risen to -$20.00; the alert was at -$50.00."]

    def test_what_is_open_is_watched_from_one_position_to_the_next(
        self, there: AlertsByHand
    ) -> None:
        there.create(what="unrealized_pnl", direction="below", threshold=-50, once=False)
        assert there.row()["status"] == "unknown"
        for _ in range(2):
            there.desk.place_order(symbol=BTC, side="buy", quantity="0.1")
            there.price(40_000, 39_000)
            there.desk.close_position(BTC)
            there.price(40_000)
        assert (
            there.firings()
            == ["Unrealised P&L of BTC/USDT has fallen to -$100.00; the alert was at -$50.00."] * 2
        )

    def test_an_account_that_can_not_be_read_fires_nothing(self, there: AlertsByHand) -> None:
        there.create(what="pnl", symbol=None, direction="below", threshold=-100)
        there.create()
        (there.folder / ACCOUNT_FILE).write_bytes(b"{")
        there.price(45_010)
        there.alerts.show()
        # of the market is told all the same
        assert there.firings() == [ROSE]
        assert there.row("alert-1")["value"] is None

    def test_no_tick_writes_the_file(self, there: AlertsByHand) -> None:
        there.create(once=False)
        there.create(what="equity", symbol=None, threshold=20_000)
        there.price(40_000)
        written = there.disk.replaced
        written.clear()
        there.price(*range(40_000, 44_000, 100))
        assert written == []
        there.price(45_010, *[45_010 + step for step in range(50)])
        assert len(written) == 1


class TestChanges:
    """Made, changed, switched off and on, and deleted."""

    def test_a_new_alert_is_told_with_how_far_it_is(self, there: AlertsByHand) -> None:
        done = there.alerts.create({**ABOVE, "note": "Sell"})
        assert done.message == (
            "Made the alert: BTC/USDT rises to 45,000.00. Now it is at 40,000.00."
        )
        row = done.members["alert"]
        assert (row["distance"], row["distance_percent"]) == (5_000, Decimal("12.5"))
        assert row["display"] == {
            "condition": "BTC/USDT rises to 45,000.00",
            "threshold": "45,000.00",
            "value": "40,000.00",
            "distance": "+12.50% away",
            "status": "Waiting",
        }
        assert there.heard

    def test_another_threshold_has_it_look_anew_and_another_note_does_not(
        self, there: AlertsByHand
    ) -> None:
        alert = there.create()
        there.price(45_010)
        there.alerts.edit(alert, {"note": "Mine"})
        assert there.row()["status"] == "fired"
        done = there.alerts.edit(alert, {"threshold": 46_000})
        assert done.message == (
            "Changed the alert: BTC/USDT rises to 46,000.00. Now it is at 45,010.00."
        )
        assert (there.row()["status"], there.row()["note"]) == ("waiting", "Mine")
        there.price(46_000)
        assert len(there.firings()) == 2

    def test_it_is_switched_off_and_on_again(self, there: AlertsByHand) -> None:
        alert = there.create()
        there.alerts.edit(alert, {"active": False})
        there.price(45_010, 44_000)
        assert (there.firings(), there.row()["status"]) == ([], "off")
        there.alerts.edit(alert, {"active": True})
        there.price(45_010)
        assert there.firings() == [ROSE]
        # and what has fired once is armed again
        done = there.alerts.edit(alert, {"active": True})
        assert "already" in done.message
        there.price(44_000, 45_010)
        assert there.firings() == [ROSE, ROSE]

    def test_one_on_a_symbol_that_the_feed_lacks_is_switched_off_and_on(
        self, there: AlertsByHand
    ) -> None:
        alert = there.create(url="http://127.0.0.1:1/x")
        market = there.board.market
        without = {name: each for name, each in market.instruments.items() if name != BTC}
        there.board.market = replace(market, instruments=without, quotes={})
        there.alerts.edit(alert, {"active": False, "url": None})
        assert (there.row()["status"], there.row()["url"]) == ("off", None)
        there.alerts.edit(alert, {"active": True})
        assert there.row()["status"] == "unknown"

    def test_one_may_be_made_switched_off(self, there: AlertsByHand) -> None:
        alert = there.create(active=False)
        assert there.row(alert)["status"] == "off"
        with pytest.raises(InvalidRequest, match="active must be true or false, not 1"):
            there.create(active=1)

    def test_what_is_deleted_leaves_its_firings(self, there: AlertsByHand) -> None:
        alert = there.create()
        there.price(45_010)
        assert there.alerts.delete(alert).message.startswith("Deleted the alert: BTC/USDT rises")
        assert (there.alerts.listed()["alerts"], there.firings()) == ([], [ROSE])
        for ask in (there.alerts.delete, there.alerts.test):
            with pytest.raises(UnknownAlert, match="no alert 'alert-1'"):
                ask(alert)
        with pytest.raises(UnknownAlert):
            there.alerts.edit(alert, {})
        # its id is not used again
        assert there.create() == "alert-2"

    def test_a_test_is_told_as_a_firing_would_be_and_is_none(self, there: AlertsByHand) -> None:
        alert = there.create()
        there.alerts.test(alert)
        (firing,) = there.heard[-1]["firings"]
        assert firing["test"]
        assert firing["words"] == "A test: BTC/USDT rises to 45,000.00. Now it is at 40,000.00."
        assert (there.row()["status"], there.row()["fired"]) == ("waiting", 0)

    def test_there_are_no_more_than_a_hundred(self, there: AlertsByHand) -> None:
        for _ in range(MOST_ALERTS):
            there.create()
        with pytest.raises(InvalidRequest, match="There are 100 alerts; delete one first"):
            there.create()

    def test_a_repeated_key_gets_the_first_answer(self, there: AlertsByHand) -> None:
        first = there.alerts.create(ABOVE, key="a")
        again = there.alerts.create(ABOVE, key="a")
        assert (again.message, again.replayed) == (first.message, True)
        assert len(there.alerts.listed()["alerts"]) == 1
        with pytest.raises(KeyReused):
            there.alerts.create({**ABOVE, "threshold": 1}, key="a")
        # also after a restart
        assert there.again().alerts.create(ABOVE, key="a").replayed

    def test_what_is_refused_by_the_disk_is_not_done(self, there: AlertsByHand) -> None:
        alert = there.create()
        with there.disk.full(ALERTS_FILE):
            for ask in (
                lambda: there.create(threshold=1),
                lambda: there.alerts.edit(alert, {"threshold": 2}),
                lambda: there.alerts.delete(alert),
                lambda: there.alerts.test(alert),
            ):
                with pytest.raises(StoreFailed):
                    ask()
        assert [each["threshold"] for each in there.alerts.listed()["alerts"]] == [45_000]
        assert there.firings() == []

    @pytest.mark.parametrize("limit", [-1, MOST_FIRINGS + 1])
    def test_firings_are_asked_for_within_limits(self, there: AlertsByHand, limit: int) -> None:
        with pytest.raises(InvalidRequest, match="limit must be from 0 to 200"):
            there.alerts.listed(limit)


class TestKeeping:
    """What is known after a restart, a crash, or on a full disk."""

    def test_everything_is_as_it_was_after_a_restart(self, there: AlertsByHand) -> None:
        there.create(once=False, note="Mine", url="http://127.0.0.1:1/x", toast=False)
        there.create(what="pnl", symbol=None, direction="below", threshold=-5)
        there.price(44_000, 45_010)
        before = there.alerts.listed()
        after = there.again().alerts.listed()
        for name in ("alerts", "last"):
            assert after[name] == before[name]
        assert [each["words"] for each in after["firings"]] == [f"{ROSE} Mine"]

    def test_what_has_fired_before_a_crash_does_not_fire_again(self, there: AlertsByHand) -> None:
        there.create(once=False)
        there.price(45_010)
        # nothing was kept when it ended
        other = AlertsByHand(there.folder)
        other.price(45_010, 45_020)
        assert other.firings() == [ROSE]

    def test_what_was_not_kept_when_it_fired_was_told_to_nobody_and_fires_again(
        self, there: AlertsByHand
    ) -> None:
        there.create()
        heard = len(there.heard)

        with (
            pytest.raises(KeyboardInterrupt),
            there.disk.refusing("replace_file", fault=KeyboardInterrupt()),
        ):
            there.price(45_010)
        assert len(there.heard) == heard
        other = AlertsByHand(there.folder)
        other.price(45_010, 45_020)
        assert other.firings() == [ROSE]

    def test_a_price_that_jumped_while_the_server_was_off_fires(self, there: AlertsByHand) -> None:
        there.create()
        other = there.again()
        other.price(45_010)
        assert other.firings() == [ROSE]

    def test_the_price_of_another_feed_or_of_another_time_crosses_nothing(
        self, there: AlertsByHand
    ) -> None:
        there.create()
        there.price(40_000)
        there.price(45_010, feed="binance")
        assert there.firings() == []
        there.price(40_000)
        there.alerts.begin(anew=True)
        there.price(45_010)
        assert there.firings() == []
        there.price(44_000, 45_010)
        assert there.firings() == [ROSE]

    def test_whatever_is_kept_of_them_outlasts_a_power_cut(self, tmp_path: Path) -> None:
        class CutDisk(Disk):
            def replace_file(self, path: Path, text: bytes, *, durable: bool = True) -> None:
                # what was not synced may come back empty
                super().replace_file(path, text if durable else b"", durable=durable)

        there = AlertsByHand(tmp_path / "data", disk=CutDisk())
        there.create(once=False, url="http://127.0.0.1:1/x")

        def saved() -> AlertBook:
            return alert_file(there.folder).latest()

        # it fires, is posted, and is back again, which fires nothing
        there.price(45_010)
        wait_for(lambda: there.delivered()["state"] == "failed", "the outcome")
        assert [each.delivery and each.delivery.state for each in saved().firings] == ["failed"]
        there.price(44_000)
        assert saved().alerts[0].sight.side == "short"
        there.alerts.begin(anew=True)
        assert saved().alerts[0].sight.series == ""

    def test_a_full_disk_keeps_no_alert_from_firing_and_is_said(
        self, there: AlertsByHand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there.create()
        with there.disk.full(ALERTS_FILE):
            there.price(45_010)
            assert there.heard[-1]["firings"][0]["words"] == ROSE
            assert "after a restart one may fire again" in there.heard[-1]["fault"]
            listed = there.alerts.listed()
            assert listed["words"] == listed["fault"] == there.heard[-1]["fault"]
            there.alerts.show()
        monkeypatch.setattr(store_module, "_RETRY_SECONDS", 0)
        there.alerts.show()
        assert there.alerts.listed()["words"] == there.heard[-1]["fault"] == ""
        assert alert_file(there.folder).latest().fired == 1

    def test_the_newest_firings_and_answers_are_kept_and_fewer_are_told(
        self, there: AlertsByHand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store_module, "MOST_FIRINGS", 6)
        monkeypatch.setattr(state_module, "MOST_ANSWERS", 4)
        monkeypatch.setattr(row_module, "NEWS_FIRINGS", 2)
        there = there.again()
        alert = there.create()
        for number in range(8):
            there.alerts.test(alert, key=f"key {number}")
        saved = json.loads((there.folder / ALERTS_FILE).read_bytes())
        assert [each["id"] for each in saved["firings"]] == [3, 4, 5, 6, 7, 8]
        assert [each["key"] for each in saved["answers"]] == ["key 4", "key 5", "key 6", "key 7"]
        assert [each["id"] for each in there.heard[-1]["firings"]] == [8, 7]
        assert there.heard[-1]["last"] == 8

    @pytest.mark.parametrize(
        "damage",
        [
            b"{",
            b"[]",
            b'{"schema": 2}',
            lambda told: told["alerts"][0]["settings"].pop("what"),
            lambda told: told["alerts"][0]["settings"].update(threshold="NaN"),
            lambda told: told["alerts"][0]["sight"].update(side="aside"),
            lambda told: told["alerts"][0]["sight"].update(active="yes"),
            lambda told: told["firings"][0].update(words=5),
            lambda told: told["firings"][0]["delivery"].update(state="lost"),
            lambda told: told.pop("answers"),
        ],
    )
    def test_a_damaged_file_is_said_and_left_as_it_is(
        self, there: AlertsByHand, damage: Any
    ) -> None:
        alert = there.create(url="http://127.0.0.1:1/x")
        there.alerts.test(alert)
        there.alerts.rest()
        file = there.folder / ALERTS_FILE
        if callable(damage):
            told = kept(file)
            damage(told)
            damage = json.dumps(told).encode()
        file.write_bytes(damage)
        with pytest.raises(
            StoreUnreadable,
            match=r"alerts\.json (is damaged|is no|has the schema 2).* move it away",
        ):
            Alerts(there.desk, there.folder)
        assert file.read_bytes() == damage

    def test_without_a_folder_nothing_is_kept(self, there: AlertsByHand) -> None:
        alerts = Alerts(there.desk)
        alerts.create(ABOVE)
        assert not (there.folder / ALERTS_FILE).exists()
        assert len(alerts.listed()["alerts"]) == 1


class TestFollowed:
    """The alerts of another server on the folder."""

    @pytest.fixture
    def here(self, there: AlertsByHand) -> FollowedAlerts:
        """The same, seen from another process."""
        there.create()
        return FollowedAlerts(Desk(FileStore(there.folder), there.board), there.folder)

    def test_they_are_shown_and_changed_nowhere_else(
        self, there: AlertsByHand, here: FollowedAlerts
    ) -> None:
        assert here.listed()["alerts"] == there.alerts.listed()["alerts"]
        assert not here.listed()["can_change"]
        before = (there.folder / ALERTS_FILE).read_bytes()
        for verb, arguments in (
            ("create", (ABOVE,)),
            ("edit", ("alert-1", {})),
            ("delete", ("alert-1",)),
            ("test", ("alert-1",)),
        ):
            with pytest.raises(InvalidRequest, match="that brings the prices: change them there"):
                getattr(here, verb)(*arguments, key="key")
        assert (there.folder / ALERTS_FILE).read_bytes() == before

    def test_what_fires_there_is_told_here(self, there: AlertsByHand, here: FollowedAlerts) -> None:
        heard: list[Any] = []
        here.subscribe(heard.append)
        here.show()
        here.show()
        assert len(heard) == 1
        # that another server looks after them is no fault
        assert heard[0]["fault"] == here.listed()["fault"] == ""
        there.price(45_010)
        here.show()
        assert heard[-1]["firings"][0]["words"] == ROSE
        assert (heard[-1]["last"], here.last) == (1, 1)
        assert heard[-1]["version"] >= heard[0]["version"]

    def test_a_file_that_is_damaged_meanwhile_leaves_what_was_seen(
        self, there: AlertsByHand, here: FollowedAlerts
    ) -> None:
        assert len(here.listed()["alerts"]) == 1
        (there.folder / ALERTS_FILE).write_bytes(b"{")
        assert len(here.listed()["alerts"]) == 1

    def test_what_is_wrong_is_told_at_first_and_as_newer_than_what_was_told_before(
        self, there: AlertsByHand
    ) -> None:
        there.create()
        (there.folder / ALERTS_FILE).write_bytes(b"{")
        before = there.heard[0]["version"]
        # Within a millisecond of the other server, no server can have taken its place.
        wait_for(lambda: time.time_ns() // 1_000_000 >= before, "a later millisecond")
        here = FollowedAlerts(there.desk, there.folder, DAMAGED)
        heard: list[Any] = []
        here.subscribe(heard.append)
        here.show()
        here.show()
        (told,) = heard
        assert told["fault"] == here.listed()["fault"] == here.listed()["words"] == DAMAGED
        assert told["version"] >= before

    def test_without_a_file_there_are_none(self, folder: Path) -> None:
        here = FollowedAlerts(Desk(FileStore(folder)), folder)
        assert (here.listed()["alerts"], here.last) == ([], 0)


def test_the_account_may_be_replaced_by_another_one(there: AlertsByHand) -> None:
    there.create(what="pnl", symbol=None, threshold=100)
    there.desk.adjust(50)
    alerts = there.alerts
    with alerts._store.guard:
        alert = alerts._store.alert("alert-1")
        state = replace(alert.sight, series="account other epoch 1")
        alerts._store.put(replace(alert, sight=state))
    there.desk.adjust(100)
    assert there.firings() == []
