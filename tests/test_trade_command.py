"""Trading from a shell: what each command does, says and exits with."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance import Desk, open_account
from balance.core.market import Market
from balance.market.board import MARKET_FILE, save_market
from balance.shell.main import main
from tests.boards import board
from tests.markets import BTC, ETH
from tests.serving import Server
from tests.writers import shell


class Said:
    """What one command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        """What it printed, as JSON with exact numbers."""
        return json.loads(self.out, parse_float=Decimal)


Call = Callable[..., Said]


@pytest.fixture
def show_prices(folder: Path) -> Callable[[Market], None]:
    """Writes a market as the server does, a moment ago."""

    def write(market: Market) -> None:
        folder.mkdir(exist_ok=True)
        save_market(folder, market, {})

    return write


@pytest.fixture
def call(
    folder: Path, capsys: pytest.CaptureFixture[str], show_prices: Callable[[Market], None]
) -> Call:
    """Runs a command on the account in ``folder``, with Bitcoin at 40,000 and Ether at 2,000."""
    show_prices(board().market)

    def start(*words: str) -> Said:
        try:
            code = main([words[0], "--data-dir", str(folder), *words[1:]])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        return Said(code, *capsys.readouterr())

    return start


@pytest.fixture
def account(folder: Path, call: Call) -> Desk:
    """The same account, in Python."""
    return open_account(folder)


def test_an_order_at_market_fills_and_says_at_what(call: Call, account: Desk) -> None:
    done = call("order", "buy", "BTC/USDT", "--quantity", "0.01")
    assert (done.code, done.err) == (0, "")
    assert done.out == "Bought 0.01 BTC/USDT at 40,004, fee 0.20. Balance 9,999.80.\n"
    (held,) = account.snapshot().positions
    assert (held["side"], held["quantity"], held["leverage"]) == ("long", Decimal("0.01"), 10)
    assert {row["source"] for row in account.history(limit=2).entries} == {"shell"}


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ("buy eth-usdt --quantity 0.5 --limit 1900", ("limit", "0.5", "1900", None, 10)),
        ("SELL ETHUSDT --limit 2500 --notional 500", ("limit", "0.2", "2500", None, 10)),
        ("buy ETH/USDT --quantity .1 --stop-at 2100", ("stop_market", "0.1", None, "2100", 10)),
        (
            "buy ETH/USDT --leverage 3 --quantity 0.1 --take-profit-at 1950.5",
            ("take_profit_market", "0.1", None, "1950.5", 3),
        ),
        ("buy ETH/USDT --percent 50 --limit 1900", ("limit", "26.184", "1900", None, 10)),
        (
            "buy ETH/USDT --quantity .1 --stop-at 2100 --limit 2101 --time-in-force ioc",
            ("stop_limit", "0.1", "2101", "2100", 10),
        ),
        (
            "buy ETH/USDT --quantity .1 --limit 1940 --take-profit-at 1950",
            ("take_profit_limit", "0.1", "1940", "1950", 10),
        ),
        ("buy ETH/USDT --quantity .1 --trail 2", ("trailing_stop", "0.1", None, "2040", 10)),
        (
            "buy ETH/USDT --quantity .1 --trail 2 --activate-at 1900",
            ("trailing_stop", "0.1", None, None, 10),
        ),
    ],
)
def test_an_order_that_waits_says_its_id(
    call: Call, account: Desk, words: str, order: tuple[Any, ...]
) -> None:
    done = call("order", *words.split())
    assert (done.code, done.err) == (0, "")
    (waiting,) = account.snapshot().open_orders
    assert re.fullmatch(rf"Placed: .*\. Its id is {waiting['id']}\.\n", done.out)
    kind, quantity, price, trigger, leverage = order
    assert (waiting["type"], waiting["quantity"]) == (kind, Decimal(quantity))
    assert waiting["price"] == (price and Decimal(price))
    assert waiting["trigger_price"] == (trigger and Decimal(trigger))
    assert waiting["leverage"] == leverage


def test_an_order_that_ends_at_once_says_why(call: Call, account: Desk) -> None:
    words = ("order", "buy", ETH, "--quantity", "1", "--limit", "1900", "--time-in-force", "IOC")
    done = call(*words)
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "Cancelled: Buy 1 ETH/USDT, limit 1,900, immediate or cancel: it can't fill at once, the "
        "ask is 2,000. Balance 10,000.00.\n"
    )
    assert call(*words, "--json").json["order"]["status"] == "expired"
    assert account.snapshot().open_orders == ()


def test_a_repair_brings_back_orders_of_every_kind(call: Call, account: Desk, folder: Path) -> None:
    for words in (
        "--limit 1900 --time-in-force GTX",
        "--limit 1900 --time-in-force IOC",
        "--stop-at 2100 --limit 2101",
        "--take-profit-at 1950 --limit 1940",
        "--trail 2",
        "--trail 2 --activate-at 1900",
    ):
        assert call("order", "buy", ETH, "--quantity", ".1", *words.split()).code == 0
    before = account.snapshot()
    assert len(before.open_orders) == 5
    assert call("verify").code == 0
    (folder / "virtual_balance.json").unlink()
    assert call("repair").code == 0
    after = open_account(folder).snapshot()
    assert (after.open_orders, after.balance) == (before.open_orders, before.balance)


def test_an_oco_says_both_ids_and_survives_a_repair(
    call: Call, account: Desk, folder: Path
) -> None:
    prices = ("--limit", "1900", "--stop-at", "2100", "--stop-limit", "2101")
    words = ("oco", "buy", ETH, "--quantity", ".1", *prices)
    seen = call(*words, "--preview")
    assert (seen.code, account.snapshot().open_orders) == (0, ())
    assert re.search(r"^Buy 0.1 ETH at 1,900.00.*\nor\nBuy 0.1 ETH at 2,101", seen.out, re.DOTALL)
    done = call(*words)
    before = account.snapshot()
    first, second = before.open_orders
    assert (first["type"], second["type"]) == ("limit", "stop_limit")
    assert first["group"] == second["group"] == first["id"]
    assert done.out == (
        "Placed: OCO: Buy 0.1 ETH/USDT, limit 1,900; or Buy 0.1 ETH/USDT, stop-limit 2,101, "
        f"triggered at 2,100. Their ids are {first['id']} and {second['id']}.\n"
    )
    assert "Stop-limit OCO" in call("orders").out
    (folder / "virtual_balance.json").unlink()
    assert call("repair").code == 0
    assert call("verify").code == 0
    assert open_account(folder).snapshot().open_orders == before.open_orders
    assert call("cancel", second["id"]).code == 0
    assert account.snapshot().open_orders == ()


def test_an_oco_may_have_a_trailing_stop(call: Call, account: Desk) -> None:
    size, target = ("--quantity", ".1"), ("--take-profit-at", "1900")
    trail = ("--trail", "2", "--activate-at", "1990")
    assert call("oco", "buy", ETH, *size, *target, *trail).code == 0
    assert [each["type"] for each in account.snapshot().open_orders] == [
        *("take_profit_market", "trailing_stop"),
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--quantity .1 --limit 2100 --stop-at 2200", 1),
        ("--limit 1900 --stop-at 2200", 1),
        ("--quantity .1 --stop-at 2200", 2),
        ("--quantity .1 --limit 1900", 2),
        ("--quantity .1 --limit 1900 --stop-at 2200 --trail 2", 2),
        ("--quantity .1 --limit 1900 --stop-at 2200 --activate-at 1990", 1),
        ("--quantity .1 --limit 1900 --take-profit-at 1800 --stop-at 2200", 2),
    ],
)
def test_an_oco_that_makes_no_sense_is_refused(
    call: Call, account: Desk, words: str, code: int
) -> None:
    assert call("oco", "buy", ETH, *words.split()).code == code
    assert account.snapshot().open_orders == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--limit 1900 --trail 1", "has no"),
        ("--activate-at 1900", "A market order has no activation_price"),
        ("--time-in-force IOC", "A market order has no time_in_force"),
        ("--limit 1900 --time-in-force GTD", "time_in_force must be one of GTC, IOC, FOK, GTX"),
    ],
)
def test_numbers_that_no_kind_of_order_has_together_are_refused(
    call: Call, account: Desk, words: str, said: str
) -> None:
    done = call("order", "buy", ETH, "--quantity", "1", *words.split())
    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert account.snapshot().revision == 1


def test_what_the_market_refuses_is_said_and_in_the_history(call: Call, account: Desk) -> None:
    for words, said in (
        ("--limit 1900 --time-in-force FOK", "can't fill at once at 1,900: the ask is 2,000"),
        ("--limit 2100 --time-in-force GTX", "would fill at once at 2,100: the ask is 2,000"),
    ):
        done = call("order", "buy", ETH, "--quantity", "1", *words.split())
        assert (done.code, done.out) == (1, "")
        assert said in done.err
    assert (account.snapshot().revision, account.snapshot().open_orders) == (3, ())
    assert [each["kind"] for each in account.history(limit=2).entries] == ["cancel", "order"]


def test_a_position_may_have_its_take_profit_and_stop_loss(call: Call, account: Desk) -> None:
    call(
        "order", "buy", BTC, "--quantity", "0.01", "--take-profit", "45000", "--stop-loss", "39000"
    )
    (held,) = account.snapshot().positions
    assert (held["take_profit"], held["stop_loss"]) == (45_000, 39_000)
    done = call("order", "sell", BTC, "--reduce-only", "--stop-at", "39500")
    assert done.code == 0
    (held,) = account.snapshot().positions
    assert (held["take_profit"], held["stop_loss"]) == (45_000, 39_500)


def test_an_order_in_json_is_what_http_answers(call: Call, account: Desk) -> None:
    told = call("order", "buy", BTC, "--quantity", "0.01", "--json").json
    assert set(told) == {"status", "message", "order", *account.snapshot()}
    assert (told["order"]["status"], told["order"]["price"]) == ("filled", 40_004)
    waits = call("order", "buy", ETH, "--quantity", "1", "--limit", "1900", "--json").json["order"]
    assert (waits["status"], waits["id"]) == ("open", account.snapshot().open_orders[0]["id"])
    closed = call("close", BTC, "--json").json
    assert set(closed) == set(told)
    assert closed["order"]["side"] == "sell"


def test_a_preview_tells_the_figures_and_places_nothing(call: Call, account: Desk) -> None:
    done = call("order", "buy", BTC, "--quantity", "0.01", "--preview")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "Buy 0.01 BTC at 40,004.00, 10x, taker fee."
    told = dict(re.split(r"  +", line) for line in lines[1:])
    assert told == {
        "Notional": "$400.04",
        "Initial margin": "$40.00",
        "Fee": "$0.20",
        "Slippage": "$0.04 (0.01%)",
        "Needed": "$40.20",
        "Available after": "$9,959.80",
        "Liquidation": "36,148.19",
    }
    assert len({len(line) for line in lines[1:]}) == 1
    seen = call("order", "buy", BTC, "--quantity", "0.01", "--preview", "--json").json
    assert (seen["status"], seen["affordable"], seen["cost"]) == (
        "success",
        True,
        Decimal("40.20402"),
    )
    assert account.snapshot().revision == 1


def test_a_preview_of_what_can_not_be_paid_exits_1_with_the_figures(
    call: Call, account: Desk
) -> None:
    done = call("order", "buy", BTC, "--quantity", "100", "--preview")
    assert done.code == 1
    assert done.out.endswith("Not enough: this needs $402,040.20, and $10,000.00 is available.\n")
    assert (
        call("order", "buy", BTC, "--quantity", "100", "--preview", "--json").json["affordable"]
        is False
    )
    refused = call("order", "buy", BTC, "--quantity", "100")
    assert (refused.code, refused.out) == (1, "")
    assert "needs 402,040.20 USDT, but only 10,000.00 are available" in refused.err
    assert account.snapshot().revision == 1


def test_a_preview_warns_of_a_stop_loss_behind_the_liquidation(call: Call) -> None:
    done = call("order", "buy", BTC, "--quantity", "0.01", "--stop-loss", "30000", "--preview")
    assert done.code == 0
    assert "beyond the liquidation price" in done.out.splitlines()[-1]


def test_positions_orders_and_prices_are_listed_in_columns(call: Call) -> None:
    call("order", "buy", BTC, "--quantity", "0.01", "--stop-loss", "39000")
    call("order", "sell", ETH, "--quantity", "12", "--leverage", "20")
    call("order", "buy", ETH, "--quantity", "2", "--limit", "1900")
    listed = call("positions").out.splitlines()
    assert len(listed) == 3
    assert re.split(r"  +", listed[0])[:5] == ["Symbol", "Side", "Quantity", "Entry", "Mark"]
    assert re.split(r"  +", listed[1])[:5] == [BTC, "Long", "0.01", "40,004.00", "40,000.00"]
    assert re.split(r"  +", listed[2])[:5] == [ETH, "Short", "12", "1,999.80", "2,000.00"]
    assert listed[1].index(" $40.00") + len(" $40.00") == listed[0].index("Margin") + len("Margin")
    orders = call("orders").out.splitlines()
    assert [re.split(r"  +", line)[1:6] for line in orders] == [
        ["Symbol", "Side", "Type", "Quantity", "Limit"],
        [BTC, "Sell", "Stop-loss", "All", "\N{EN DASH}"],
        [ETH, "Buy", "Limit", "2", "1,900.00"],
    ]
    prices = call("prices").out.splitlines()
    assert re.split(r"  +", prices[1]) == [
        *(BTC, "Live", "40,000.00", "40,000.00", "40,000.00", "40,000.00", "+2.56%", "+0.0100%"),
    ]
    assert len(prices) == 3, "Solana has no price"


def test_lists_in_json_are_what_http_answers(call: Call, account: Desk) -> None:
    call("order", "buy", BTC, "--quantity", "0.01")
    call("order", "buy", ETH, "--quantity", "2", "--limit", "1900")
    assert set(call("positions", "--json").json) == {"status", "revision", "as_of", "positions"}
    assert set(call("orders", "--json").json) == {"status", "revision", "as_of", "orders"}
    told = call("prices", "--json").json
    assert set(told) == {"status", *account.snapshot().market}
    assert told["prices"][BTC]["last"] == 40_000


def test_where_there_is_nothing_words_say_so(call: Call) -> None:
    assert call("positions").out == "No open positions.\n"
    assert call("orders").out == "No open orders.\n"
    for words in (("cancel", "all"), ("cancel", "nonsense"), ("close", BTC)):
        done = call(*words)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("There ")


def test_a_position_is_closed_in_parts_and_as_a_whole(call: Call, account: Desk) -> None:
    call("order", "buy", BTC, "--quantity", "0.01")
    assert call("close", "btcusdt", "--percent", "30").out.startswith(
        "Sold 0.003 BTC/USDT at 39,996, realised -$0.02, fee 0.06."
    )
    assert call("close", BTC, "--quantity", "0.002").code == 0
    assert account.snapshot().positions[0]["quantity"] == Decimal("0.005")
    assert call("close", BTC).code == 0
    assert account.snapshot().positions == ()


def test_an_order_is_amended_and_keeps_its_id(call: Call, account: Desk) -> None:
    call("order", "buy", "ETH/USDT", "--quantity", "0.5", "--limit", "1900")
    (before,) = account.snapshot().open_orders
    done = call("amend", before["id"], "--price", "1850", "--quantity", "0.4")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "Amended: Buy 0.5 ETH/USDT, limit 1,900: price 1,900 -> 1,850, quantity 0.5 -> 0.4.\n"
    )
    (after,) = account.snapshot().open_orders
    assert (after["id"], after["price"]) == (before["id"], Decimal(1_850))
    refused = call("amend", before["id"])
    assert (refused.code, refused.out) == (1, "")
    assert "at least one of price, trigger_price, callback_percent" in refused.err


def test_positions_are_reversed_get_margin_and_are_closed_at_once(
    call: Call, account: Desk
) -> None:
    call("order", "buy", "BTC/USDT", "--quantity", "0.01")
    done = call("reverse", "btcusdt")
    assert done.code == 0
    assert re.match(r"Sold 0\.01 BTC/USDT .*\. Sold 0\.01 BTC/USDT ", done.out)
    assert account.snapshot().positions[0]["side"] == "short"
    done = call("margin", "BTC/USDT", "12.5")
    assert done.code == 0
    assert done.out.startswith("Added 12.50 USDT to the margin of short 0.01 BTC/USDT: ")
    done = call("margin", "BTC/USDT", "-10")
    assert done.code == 0
    assert done.out.startswith("Removed 10.00 USDT from the margin of short 0.01 BTC/USDT: ")
    assert call("margin", "BTC/USDT", "-10").code == 1
    assert call("close", "all", "--percent", "50").code == 1
    assert call("close", "all").code == 0
    assert account.snapshot().positions == ()
    assert call("close", "all").code == 1


def test_orders_are_cancelled_one_by_one_and_all_at_once(call: Call, account: Desk) -> None:
    for price in ("1900", "1800", "1700"):
        call("order", "buy", ETH, "--quantity", "1", "--limit", price)
    first = account.snapshot().open_orders[0]["id"]
    done = call("cancel", first)
    assert done.out == "Cancelled: Buy 1 ETH/USDT, limit 1,900. Balance 10,000.00.\n"
    assert call("cancel", first).code == 1
    assert call("cancel", "all").code == 0
    assert account.snapshot().open_orders == ()
    assert account.snapshot().available_balance == 10_000


def test_leverages_are_listed_and_set(call: Call) -> None:
    call("order", "buy", BTC, "--quantity", "0.01", "--leverage", "20")
    assert call("leverage", "eth-usdt", "5").out == "Leverage of ETH/USDT: 5x.\n"
    assert call("leverage").out == (
        "Symbol    Source           Leverage\n"
        "BTC/USDT  of what is open       20x\n"
        "ETH/USDT  set                    5x\n"
        "SOL/USDT  of the settings       10x\n"
    )
    (row,) = call("leverage", ETH, "--json").json["leverages"]
    assert (row["symbol"], row["leverage"], row["source"]) == (ETH, 5, "set")
    refused = call("leverage", BTC, "5")
    assert refused.code == 1
    assert "BTC/USDT is traded at 20x now. First close its position" in refused.err


@pytest.mark.parametrize(
    "words",
    [
        ("order", "buy", BTC, "--quantity", "0.01"),
        ("order", "buy", ETH, "--quantity", "1", "--limit", "1900"),
        ("close", BTC),
        ("leverage", ETH, "5"),
        ("cancel", "all"),
    ],
    ids=" ".join,
)
def test_a_repeated_key_trades_once_and_a_stale_revision_not_at_all(
    call: Call, account: Desk, words: Sequence[str]
) -> None:
    call("order", "buy", BTC, "--quantity", "0.02", "--stop-loss", "39000")
    stale = call(*words, "--if-match", "1")
    assert (stale.code, stale.out) == (1, "")
    assert "at revision 2, not 1" in stale.err
    keyed = (*words, "--if-match", "2", "--idempotency-key", "k")
    first = call(*keyed)
    assert first.code == 0
    again = call(*keyed)
    assert again.code == 0
    assert again.out == first.out.replace(
        "\n", " Done before with this key; nothing was changed now.\n"
    )
    assert account.snapshot().revision == 3


@pytest.mark.parametrize("json_wanted", [True, False])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("order", "buy", "DOGE/USDT", "--quantity", "1"),
            "There are: BTC/USDT, ETH/USDT, SOL/USDT.",
        ),
        (("order", "buy", "SOL/USDT", "--quantity", "1"), "SOL/USDT has no live price now"),
        (("order", "buy", BTC), "exactly one of quantity, notional, percent"),
        (
            ("order", "buy", BTC, "--quantity", "much"),
            "must be a number such as 250 or 12.30, not 'much'",
        ),
        (("order", "buy", BTC, "--quantity", "nan"), "must be a number"),
        (("order", "buy", BTC, "--quantity", "-1"), "must be above zero, not -1.00"),
        (("order", "buy", BTC, "--quantity", "0"), "must be above zero"),
        (
            ("order", "buy", BTC, "--quantity", "1e-30"),
            "The smallest order of BTC/USDT is 0.001 BTC",
        ),
        (("order", "buy", BTC, "--quantity", "1", "--limit", ""), "must be a number"),
        (("order", "buy", BTC, "--quantity", "1", "--stop-at", ""), "must be a number"),
        (("order", "buy", BTC, "--quantity", "1", "--stop-at", "39000"), "reached already"),
        (
            ("order", "buy", BTC, "--quantity", "1", "--leverage", "0.5"),
            "whole number from 1 to 1,000",
        ),
        (("order", "buy", BTC, "--quantity", "1", "--leverage", "151"), "at most 150x, not 151x"),
        (("order", "buy", BTC, "--quantity", "1", "--stop-loss", "41000"), "must be below"),
        (
            ("order", "sell", BTC, "--quantity", "1", "--reduce-only"),
            "no long position of BTC/USDT",
        ),
        (("close", "DOGE/USDT"), "There is no symbol"),
    ],
    ids=str,
)
def test_what_is_refused_exits_1_with_the_reason_and_changes_nothing(
    call: Call, account: Desk, words: Sequence[str], said: str, json_wanted: bool
) -> None:
    done = call(*words, *(["--json"] if json_wanted else []))
    assert done.code == 1
    assert said in done.err
    if json_wanted:
        assert done.json == {"status": "error", "detail": done.err.rstrip("\n")}
    else:
        assert done.out == ""
    assert account.snapshot().revision == 1


@pytest.mark.parametrize(
    "words",
    [
        ("order",),
        ("order", "buy"),
        ("order", "long", BTC, "1"),
        ("order", "buy", BTC, "--quantity", "1", "--notional", "5"),
        ("order", "buy", BTC, "--percent", "5", "--notional", "5"),
        ("order", "buy", BTC, "--quantity", "1", "--take-profit-at", "5", "--stop-at", "5"),
        ("order", "buy", BTC, "--quantity", "1", "--leverage"),
        ("order", "buy", BTC, "1"),
        ("cancel",),
        ("close",),
        ("close", BTC, "--percent", "5", "--quantity", "5"),
        ("positions", BTC),
        ("prices", "--symbol", BTC),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2_and_changes_nothing(
    call: Call, account: Desk, words: Sequence[str]
) -> None:
    done = call(*words)
    assert (done.code, done.out) == (2, "")
    assert "usage: python -m balance" in done.err
    assert account.snapshot().revision == 1


class TestWithoutARunningServer:
    """Nothing fills on an old price; what is there may still be looked at and cancelled."""

    @pytest.fixture(params=["stopped", "never ran", "damaged"])
    def gone(self, request: pytest.FixtureRequest, call: Call, folder: Path) -> str:
        call("order", "buy", BTC, "--quantity", "0.01")
        call("order", "buy", ETH, "--quantity", "1", "--limit", "1900")
        file = folder / MARKET_FILE
        if request.param == "stopped":
            past = time.time() - 60
            os.utime(file, (past, past))
        elif request.param == "damaged":
            file.write_bytes(b"{")
        else:
            file.unlink()
        return str(request.param)

    @pytest.mark.parametrize(
        "words",
        [
            ("order", "buy", BTC, "--quantity", "0.01"),
            ("order", "buy", BTC, "--quantity", "1", "--limit", "5"),
            ("close", BTC),
        ],
        ids=" ".join,
    )
    def test_orders_are_refused_and_the_words_say_what_to_do(
        self, gone: str, call: Call, account: Desk, folder: Path, words: Sequence[str]
    ) -> None:
        done = call(*words)
        assert (done.code, done.out) == (1, "")
        assert done.err == (
            "BTC/USDT has no live price now, and nothing fills on an old one. The server that "
            f"brings its prices is not running: start it with python app.py --data-dir {folder}.\n"
        )
        assert account.snapshot().revision == 3

    def test_the_account_is_listed_and_orders_are_cancelled(
        self, gone: str, call: Call, account: Desk
    ) -> None:
        assert BTC in call("positions").out
        assert ETH in call("orders").out
        assert "start it with python app.py" in call("prices").out
        assert call("cancel", "all").code == 0
        assert account.snapshot().open_orders == ()


def test_a_price_that_stands_still_is_told_as_such(
    call: Call, show_prices: Callable[[Market], None]
) -> None:
    quiet = replace(
        board().market, state="stale", live=frozenset(), message="The exchange is silent."
    )
    show_prices(quiet)
    assert re.search(r"BTC/USDT +Stale +40,000.00", call("prices").out)
    assert call("prices").out.endswith("The exchange is silent.\n")
    assert "The exchange is silent." in call("order", "buy", BTC, "--quantity", "1").err


def test_a_shell_trades_at_the_prices_of_the_running_server(server: Server) -> None:
    for _ in range(100):
        listed = shell(server.folder, "prices")
        if "Live" in listed.stdout:
            break
    assert re.search(r"BTC/USDT +Live +[\d,.]+", listed.stdout)
    done = shell(server.folder, "order", "buy", "btcusdt", "--quantity", "0.01", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    order = json.loads(done.stdout)["order"]
    (held,) = server.get("/positions").json()["positions"]
    assert held["entry_price"] == order["price"]
    assert shell(server.folder, "close", BTC).returncode == 0
    assert server.get("/positions").json()["positions"] == []


def test_orders_that_have_ended_are_listed_too(call: Call, account: Desk) -> None:
    call("order", "buy", "BTC/USDT", "--quantity", "0.01")
    call("order", "buy", "ETH/USDT", "--quantity", "1", "--limit", "1500", "--client-id", "low")
    call("cancel", "low")
    everything = call("orders", "--all")
    lines = [re.split(r"  +", line) for line in everything.out.splitlines()]
    assert [line[1:6] for line in lines[1:]] == [
        ["ETH/USDT", "Buy", "Limit", "Cancelled", "1"],
        ["BTC/USDT", "Buy", "Market", "Filled", "0.01"],
    ]
    assert call("orders", "--all", "--json").json["total"] == 2
    filled = call("orders", "--state", "FILLED", "--limit", "1", "--json").json["orders"]
    assert [each["symbol"] for each in filled] == ["BTC/USDT"]
    assert "1 of 2; --limit N shows more." in call("orders", "--all", "--limit", "1").out
    assert call("orders", "--symbol", "SOL/USDT").out == "No orders.\n"


def test_one_order_is_shown_for_ever(call: Call, account: Desk) -> None:
    call("order", "buy", "ETH/USDT", "--quantity", "1", "--limit", "1500", "--client-id", "low")
    call("amend", "low", "--price", "1400")
    call("cancel", "low")
    shown = call("orders", "low")
    assert re.search(r"Limit +1,400", shown.out)
    assert re.search(r"State +Cancelled", shown.out)
    assert call("orders", "low", "--json").json["order"]["changed_place"] == "3"
    missing = call("orders", "high")
    assert missing.code == 1
    assert "There was never an order 'high'." in missing.err
