"""Keys: under which names programs of others trade, and what is known of each."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.core.errors import BalanceError, InvalidRequest, KeyReused, NoLivePrice, UnknownKey
from balance.core.market import Market
from balance.core.moments import iso
from balance.desk.desk import Desk
from balance.keys.key import Activity
from balance.keys.keys import FIRST_KEY, MOST_KEYS, Keys
from balance.keys.rows import MOST_REFUSALS
from balance.keys.state import KEYS_FILE
from balance.market.board import LiveBoard
from balance.server import assembly
from balance.store.disk import DISK
from balance.store.file_store import LOCK_FILE
from balance.store.kept_file import FileUnreadable
from balance.store.memory_store import MemoryStore
from tests.accounts import MOMENT
from tests.markets import BTC, ETH, FREE, market, quote

NAME = "freqtrade"


def desk_at(mark: object) -> Desk:
    """A desk on which nothing costs anything, with BTC at ``mark``."""
    return Desk(MemoryStore(), LiveBoard(market=market_at(mark)))


def market_at(mark: object) -> Market:
    """The market with BTC at ``mark``."""
    return market(quote(mark=mark), quote(ETH, 2_500), terms=FREE)


def price(desk: Desk, mark: object) -> None:
    """Have BTC at ``mark``."""
    desk.use_board(LiveBoard(market=market_at(mark)))


@pytest.fixture
def desk() -> Desk:
    """A desk at prices that stand still."""
    return desk_at(40_000)


class Seconds:
    """Counts seconds, as a test has them pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def keys_of(
    desk: Desk, folder: Path | None = None, seconds: Callable[[], float] = lambda: 0.0
) -> Keys:
    """The keys of ``desk`` in ``folder``, at a clock that stands still."""
    return Keys(desk, folder, clock=lambda: MOMENT, seconds=seconds)


def row_of(keys: Keys, name: str = NAME) -> Mapping[str, Any]:
    """The row of the key called ``name``."""
    (row,) = (each for each in keys.listed()["keys"] if each["name"] == name)
    found: Mapping[str, Any] = row
    return found


def buy(desk: Desk, owner: str = NAME, **members: Any) -> None:
    """Order 0.1 BTC for ``owner``, by default at market."""
    usual = {"symbol": BTC, "side": "buy", "quantity": "0.1", "leverage": 2}
    desk.place_order(how={"owner": owner}, **{**usual, **members})


def test_a_key_is_found_by_what_requests_show(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    key = keys.get(NAME)
    assert keys.find(key.key) == keys.named(NAME) == key
    for text in (key.key, key.secret):
        assert len(text) == 64
        assert set(text) <= set("0123456789abcdef")
    assert key.key != key.secret
    for wrong in ("", key.secret, key.key[:-1], key.key.upper()):
        assert keys.find(wrong) is None
    assert keys.named("other") is None


def test_an_agent_has_a_name_and_no_key(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add("claude", kind="agent")
    agent = keys.get("claude")
    assert (agent.kind, agent.key, agent.secret) == ("agent", "", "")
    assert keys.find("") is None


@pytest.mark.parametrize(
    "name",
    ["", "you", "Bot", "9bot", "_a", "a b", "a.b", "ä", "b" * 25, "ema-btc-3", "a-1", None, 7],
)
def test_what_others_are_called_is_no_name_of_a_key(name: Any, desk: Desk) -> None:
    keys = keys_of(desk)
    with pytest.raises(InvalidRequest):
        keys.add(name)
    assert not keys.all()


@pytest.mark.parametrize("name", ["a", "b" * 24, "freqtrade", "grid_2", "my-bot", "bot2", "a-1b"])
def test_other_names_are(name: str, desk: Desk) -> None:
    keys = keys_of(desk)
    assert keys.add(name).members["key"]["name"] == name


def test_a_name_is_given_once_and_there_are_not_too_many(desk: Desk) -> None:
    keys = keys_of(desk)
    for number in range(MOST_KEYS):
        keys.add(f"bot{number}")
    with pytest.raises(InvalidRequest, match="There is a key called bot7 already"):
        keys.add("bot7")
    with pytest.raises(InvalidRequest, match="There are 100 keys; revoke one first"):
        keys.add(NAME)


def test_a_key_is_paused_and_resumed(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    assert "opens nothing" in keys.pause(NAME).message
    assert keys.get(NAME).is_paused
    assert row_of(keys)["is_paused"]
    with pytest.raises(InvalidRequest, match="freqtrade is paused already"):
        keys.pause(NAME)
    keys.resume(NAME)
    assert not keys.get(NAME).is_paused
    with pytest.raises(InvalidRequest, match="freqtrade is not paused"):
        keys.resume(NAME)


def test_who_pauses_a_key_hears_of_its_orders_that_can_still_fill(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    buy(desk, type="limit", price=30_000)
    buy(desk)
    buy(desk, side="sell", type="limit", price=50_000, reduce_only=True)
    assert keys.pause(NAME).message == (
        "Paused freqtrade. It opens nothing, and still cancels and closes. Its 1 open order can "
        "still fill: cancel it where nothing more is to be opened."
    )


def test_what_is_not_there_is_not_changed(desk: Desk) -> None:
    keys = keys_of(desk)
    for change in (keys.pause, keys.resume, keys.revoke, keys.get):
        with pytest.raises(UnknownKey, match="There is no key 'ghost'"):
            change("ghost")


def test_a_revoked_key_is_none(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    text = keys.get(NAME).key
    assert keys.revoke(NAME).message == "Revoked freqtrade."
    assert keys.find(text) is None
    assert keys.named(NAME) is None
    keys.add(NAME)
    assert keys.get(NAME).key != text


def test_a_key_with_something_open_is_revoked_only_once_that_is_closed(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    buy(desk)
    buy(desk, type="limit", price="30000")
    with pytest.raises(InvalidRequest, match=r"has long 0\.1 BTC/USDT and 1 order open") as refused:
        keys.revoke(NAME)
    assert "close=true" in str(refused.value)
    done = keys.revoke(NAME, close=True)
    assert done.message == "Revoked freqtrade. Cancelled and closed long 0.1 BTC/USDT and 1 order."
    account = desk.account()
    assert not account.positions
    assert not account.orders
    assert keys.named(NAME) is None


def test_a_key_stays_as_it_was_where_it_can_not_be_closed(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    buy(desk)
    desk.use_board(LiveBoard(market=market(quote(), terms=FREE, live=frozenset())))
    with pytest.raises(NoLivePrice):
        keys.revoke(NAME, close=True)
    assert not keys.get(NAME).is_paused


def test_what_others_have_open_stays(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    buy(desk, owner="")
    keys.revoke(NAME, close=True)
    assert desk.account().positions


def test_a_repeated_request_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    keys = keys_of(desk, tmp_path)
    first = keys.add(NAME, idempotency_key="k-1")
    again = keys_of(desk, tmp_path).add(NAME, idempotency_key="k-1")
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.message, again.members["key"]["name"]) == (first.message, NAME)
    with pytest.raises(KeyReused):
        keys.add("other", idempotency_key="k-1")
    keys.pause(NAME, idempotency_key="k-2")
    assert keys.pause(NAME, idempotency_key="k-2").replayed
    keys.revoke(NAME, idempotency_key="k-3")
    done = keys.revoke(NAME, idempotency_key="k-3")
    assert (done.replayed, dict(done.members)) == (True, {})


def test_the_first_start_makes_a_key_and_no_other_one_does(desk: Desk, tmp_path: Path) -> None:
    for _ in range(2):
        keys = keys_of(desk, tmp_path)
        keys.begin()
        assert [each.name for each in keys.all()] == [FIRST_KEY]
    keys.revoke(FIRST_KEY)
    keys_of(desk, tmp_path).begin()
    assert not keys.all()


def test_only_their_owner_reads_the_file(desk: Desk, tmp_path: Path) -> None:
    keys_of(desk, tmp_path).begin()
    assert stat.S_IMODE((tmp_path / KEYS_FILE).stat().st_mode) == 0o600


def test_every_program_on_the_folder_has_the_keys_at_once(desk: Desk, tmp_path: Path) -> None:
    one, other = keys_of(desk, tmp_path), keys_of(desk, tmp_path)
    one.add(NAME)
    key = other.get(NAME)
    other.pause(NAME)
    found = one.find(key.key)
    assert found is not None
    assert found.is_paused
    one.add("grid")
    assert [each.name for each in other.all()] == [NAME, "grid"]
    other.revoke(NAME)
    assert one.find(key.key) is None


def test_a_damaged_file_is_no_key_and_stays(desk: Desk, tmp_path: Path) -> None:
    keys = keys_of(desk, tmp_path)
    keys.add(NAME)
    key = keys.get(NAME).key
    file = tmp_path / KEYS_FILE
    damaged = file.read_bytes().replace(NAME.encode(), b"freqtrada")
    file.write_bytes(damaged)
    for use in (lambda: keys.find(key), lambda: keys.add("grid"), keys.begin):
        with pytest.raises(FileUnreadable, match="No key is taken meanwhile"):
            use()
    listed = keys.listed()
    assert listed["keys"] == []
    assert "does not match its checksum" in listed["fault"]
    assert file.read_bytes() == damaged


def test_a_server_begins_beside_a_damaged_file_and_lists_it(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / KEYS_FILE).write_text("{")
    keys = assembly._keys(desk, tmp_path)
    (damage,) = desk.ledger.damages.listed
    assert (damage.file, damage.line) == (KEYS_FILE, None)
    assert "No key is taken meanwhile" in damage.message
    assert keys.listed()["fault"]


def test_a_file_that_is_damaged_later_is_listed_until_it_is_mended(
    desk: Desk, tmp_path: Path
) -> None:
    seconds = iter(range(0, 100, 10))
    keys = Keys(desk, tmp_path, seconds=lambda: float(next(seconds)))
    keys.add(NAME)
    file = tmp_path / KEYS_FILE
    whole = file.read_bytes()
    for content, listed in ((whole, []), (whole[:-9], [KEYS_FILE]), (whole, [])):
        file.write_bytes(content)
        keys.check()
        assert [each.file for each in desk.ledger.damages.listed] == listed


def test_a_server_begins_where_no_key_can_be_made(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / LOCK_FILE).mkdir()
    assert not assembly._keys(desk, tmp_path).all()
    assert "the first key could not be made" in caplog.text


@pytest.mark.parametrize(
    ("edited", "message"),
    [
        ({"secret": ""}, "the key grid has no secret"),
        ({"key": ""}, "the key grid has no secret"),
        ({"key": "a" * 64}, "two of the keys are the same"),
    ],
)
def test_a_key_that_others_could_sign_for_is_damage(
    desk: Desk, tmp_path: Path, edited: Mapping[str, str], message: str
) -> None:
    keys = keys_of(desk, tmp_path)
    keys.add(NAME)
    keys.add("grid")
    file = tmp_path / KEYS_FILE
    document = json.loads(file.read_text())
    document["keys"][0]["key"] = "a" * 64
    document["keys"][1].update(edited)
    del document["checksum"]
    file.write_text(json.dumps(document))
    with pytest.raises(FileUnreadable, match=message):
        keys.all()


def test_two_keys_of_one_name_are_damage(desk: Desk, tmp_path: Path) -> None:
    keys_of(desk, tmp_path).add(NAME)
    file = tmp_path / KEYS_FILE
    document = json.loads(file.read_text())
    document["keys"] *= 2
    del document["checksum"]
    file.write_text(json.dumps(document))
    with pytest.raises(FileUnreadable, match="two keys called freqtrade"):
        keys_of(desk, tmp_path).all()


def test_nothing_is_left_of_a_change_that_the_disk_refuses(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keys_of(desk, tmp_path)
    keys.add(NAME)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(DISK), "replace_file", full)
        with pytest.raises(Exception, match="No space left"):
            keys.pause(NAME)
    assert not keys.get(NAME).is_paused
    assert not keys_of(desk, tmp_path).get(NAME).is_paused


def test_a_row_has_what_the_key_holds_and_made(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    buy(desk)
    buy(desk, type="limit", price="30000")
    buy(desk, owner="", symbol=ETH)
    price(desk, 41_000)
    row = row_of(keys)
    assert row["positions"] == [
        {
            "symbol": BTC,
            "side": "long",
            "quantity": Decimal("0.1"),
            "entry_price": Decimal(40_000),
            "unrealized_pnl": Decimal(100),
        }
    ]
    assert (row["orders"], row["fills"], row["trades"]) == (1, 1, 0)
    assert (row["pnl"], row["realized"]) == (100, 0)
    desk.close_position(BTC, owner=NAME)
    row = row_of(keys)
    assert (row["positions"], row["fills"], row["trades"]) == ([], 2, 1)
    assert (row["pnl"], row["realized"]) == (100, 100)
    assert row["display"]["pnl"] == "+$100.00"


def test_the_sums_are_of_the_epoch_and_come_back_when_a_reset_is_undone(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    for _ in range(2):
        buy(desk)
        price(desk, 41_000)
        desk.close_position(BTC, owner=NAME)
        price(desk, 40_000)
    buy(desk)
    before = row_of(keys)
    assert (before["pnl"], before["fills"], before["trades"]) == (200, 5, 2)
    desk.reset()
    row = row_of(keys)
    assert (row["pnl"], row["fills"], row["trades"], row["positions"]) == (0, 0, 0, [])
    desk.undo_reset()
    after = row_of(keys)
    assert {**after, "display": {}} == {**before, "display": {}}


@given(st.lists(st.sampled_from(["buy", "sell", "close", "reset", "undo", "look"]), max_size=12))
@settings(max_examples=50)
def test_sums_carried_on_are_those_of_a_fresh_start(steps: list[str]) -> None:
    desk = desk_at(40_000)
    keys = keys_of(desk)
    keys.add(NAME)
    at = 40_000
    for step in steps:
        at += 7
        price(desk, at)
        with suppress(BalanceError):
            if step in ("buy", "sell"):
                buy(desk, side=step)
            elif step == "close":
                desk.close_position(BTC, owner=NAME)
            elif step == "reset":
                desk.reset()
            elif step == "undo":
                desk.undo_reset()
        if step == "look":
            keys.listed()
    fresh = keys_of(desk)
    fresh.add(NAME)
    assert row_of(keys) == row_of(fresh)


def test_a_row_has_what_the_key_did_and_nothing_secret(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    assert (row_of(keys)["client"], row_of(keys)["last_request"]) == ("", None)
    keys.record(NAME, Activity(MOMENT, "GET", "/fapi/v1/time", "ccxt/4.5"))
    later = MOMENT + timedelta(seconds=1)
    keys.record(NAME, Activity(later, "POST", "/fapi/v1/order"))
    row = row_of(keys)
    assert row["client"] == "ccxt/4.5"
    assert row["last_request"] == {"time": iso(later), "what": "POST /fapi/v1/order"}
    text, key = json.dumps(keys.listed(), default=str), keys.get(NAME)
    assert key.key not in text
    assert key.secret not in text


def test_a_key_as_text_has_nothing_secret(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    key = keys.get(NAME)
    assert NAME in repr(key)
    for secret in (key.key, key.secret):
        assert secret not in repr(key)


def test_the_newest_refusals_of_a_key_are_kept_with_their_reasons(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    for number in range(MOST_REFUSALS + 3):
        keys.refuse(NAME, "POST /fapi/v1/order", f"reason {number}")
    refusals = row_of(keys)["refusals"]
    assert len(refusals) == MOST_REFUSALS
    assert refusals[0] == {
        "time": iso(MOMENT),
        "what": "POST /fapi/v1/order",
        "reason": f"reason {MOST_REFUSALS + 2}",
    }


def test_what_is_drawn_changes_with_more_than_figures(desk: Desk) -> None:
    keys = keys_of(desk)
    keys.add(NAME)
    before = keys.listed()["drawn"]
    keys.record(NAME, Activity(MOMENT, "GET", "/fapi/v1/time", "ccxt/4.5"))
    used = keys.listed()["drawn"]
    assert used != before
    keys.record(NAME, Activity(MOMENT + timedelta(seconds=1), "GET", "/fapi/v1/time"))
    assert keys.listed()["drawn"] == used
    texts = row_of(keys)["display"]
    assert texts["request"] == "GET /fapi/v1/time"
    assert texts["request_time"] == iso(MOMENT + timedelta(seconds=1))
    keys.refuse(NAME, "POST /fapi/v1/order", "no money")
    assert keys.listed()["drawn"] != used


def test_who_listens_hears_of_every_change_once(desk: Desk, tmp_path: Path) -> None:
    seconds, heard = Seconds(), list[Any]()
    keys = keys_of(desk, tmp_path, seconds)
    keys.subscribe(heard.append)
    keys.add(NAME)
    assert [each["name"] for each in heard[-1]["keys"]] == [NAME]
    count = len(heard)

    def due() -> None:
        seconds.now += 1
        keys.check()

    due()
    assert len(heard) == count
    keys.refuse(NAME, "POST /fapi/v1/order", "why")
    due()
    assert heard[-1]["keys"][0]["refusals"][0]["reason"] == "why"
    keys_of(desk, tmp_path).pause(NAME)
    due()
    assert heard[-1]["keys"][0]["is_paused"]
    versions = [each["version"] for each in heard]
    assert len(heard) == count + 2
    assert versions == sorted(set(versions))


def test_what_a_key_holds_is_followed_at_new_prices(desk: Desk) -> None:
    seconds, heard = Seconds(), list[Any]()
    keys = keys_of(desk, seconds=seconds)
    keys.add(NAME)
    buy(desk)
    seconds.now += 1
    keys.check()
    keys.subscribe(heard.append)
    price(desk, 41_000)
    seconds.now += 1
    keys.check()
    assert [each["keys"][0]["pnl"] for each in heard] == [100]


def test_what_comes_at_once_is_published_together(desk: Desk) -> None:
    seconds, heard = Seconds(), list[Any]()
    keys = keys_of(desk, seconds=seconds)
    keys.add(NAME)
    keys.subscribe(heard.append)
    for _ in range(50):
        keys.record(NAME, Activity(MOMENT, "GET", "/fapi/v1/order"))
        keys.check()
    # Requests that went well are shown once a second, whatever else may be.
    seconds.now += 0.5
    keys.check()
    assert heard == []
    seconds.now += 1
    keys.check()
    assert [each["keys"][0]["last_request"]["what"] for each in heard] == ["GET /fapi/v1/order"]


def test_what_a_fast_program_does_is_published_once_a_second(desk: Desk) -> None:
    now = [0.0]
    keys = Keys(desk, seconds=lambda: now[0])
    published: list[Mapping[str, Any]] = []
    keys.add(NAME)
    keys.subscribe(published.append)
    for _ in range(40):
        now[0] += 0.25
        buy(desk, quantity="0.001")
        keys.check()
    assert len(published) == 10
    now[0] += 0.5
    keys.add("grid")
    assert [each["name"] for each in published[-1]["keys"]] == [NAME, "grid"]
