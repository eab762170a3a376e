"""The account in the dialect: every figure is the desk's, to the cent, and clients read it so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Final

import ccxt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from balance.binance.account_rows import (
    account_row,
    asset_row,
    balance_row,
    position_risk_row,
    symbols_of,
)
from balance.binance.ids import order_number
from balance.binance.names import short
from balance.core.entry import Entry, Place
from balance.core.funding import next_settlement
from balance.core.instruments import KNOWN
from balance.core.moments import milliseconds
from balance.core.money import quantized
from balance.core.quote import Settlement
from balance.core.snapshot import snapshot
from balance.desk.desk import Desk
from balance.desk.transactions import AccountNow, Conditions
from balance.history.index import Progress
from balance.store.file_store import LEDGER_FILE, FileStore
from balance.store.memory_store import MemoryStore
from tests.accounts import MOMENT, account, position
from tests.boards import board, priced
from tests.dialect import Dialect, ccxt_of
from tests.ledgers import PRICES, entries_of, lived, remembered
from tests.markets import BTC, ETH, FREE, SOL, market, quote, unlimited
from tests.test_outside_edits import edit
from tests.test_trading_laws import ACTIONS
from tests.test_trading_laws import Desk as Trading

#: Each row is rounded to eight decimals by itself, and so is the sum.
ROUNDING = Decimal("1e-8")


def now_of(desk: Trading) -> AccountNow:
    """The account of ``desk`` as rows are made of it."""
    return AccountNow(
        id="a",
        revision=desk.state.revision,
        account=desk.account,
        market=desk.market,
        changed_at=MOMENT,
    )


def figure(row: dict[str, Any], name: str) -> Decimal:
    """The number that ``row`` has as ``name``."""
    assert isinstance(row[name], str)
    return Decimal(row[name])


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(st.lists(ACTIONS, min_size=5, max_size=25))
def test_after_any_trading_the_rows_have_the_desks_figures_and_add_up(
    actions: Sequence[Callable[[Trading, str], None]],
) -> None:
    desk = Trading()
    for number, act in enumerate(actions):
        act(desk, f"o{number}")
    now = now_of(desk)
    shown = snapshot(now.account, account_id="a", revision=1, as_of=MOMENT, market=now.market)
    asset, row = asset_row(now), account_row(now, every=True)
    amounts = [name for name, each in asset.items() if isinstance(each, str)]
    total = {name: figure(asset, name) for name in amounts if name != "asset"}
    assert total["walletBalance"] == shown.balance
    assert total["unrealizedProfit"] == shown.unrealized_pnl
    assert total["marginBalance"] == shown.portfolio_value
    assert total["initialMargin"] == shown.used_margin
    assert total["maintMargin"] == shown.maintenance_margin
    assert total["availableBalance"] == max(Decimal(0), shown.available_balance)
    assert total["positionInitialMargin"] + total["openOrderInitialMargin"] == shown.used_margin
    assert total["crossWalletBalance"] == shown.balance - total["positionInitialMargin"]

    rows = {each["symbol"]: each for each in row["positions"]}
    risks = {
        each["symbol"]: each for each in (position_risk_row(now, name) for name in symbols_of(now))
    }
    slack = ROUNDING * len(rows)
    for name, of_row in (
        ("unrealizedProfit", "unrealizedProfit"),
        ("maintMargin", "maintMargin"),
        ("positionInitialMargin", "isolatedWallet"),
        ("openOrderInitialMargin", "openOrderInitialMargin"),
    ):
        assert abs(sum(figure(each, of_row) for each in rows.values()) - total[name]) <= slack

    assert (
        {name for name, each in rows.items() if figure(each, "positionAmt")}
        == {each["symbol"] for each in account_row(now, every=False)["positions"]}
        == {short(each["symbol"]) for each in shown.positions}
    )
    for each in shown.positions:
        of_account, risk = rows[short(each["symbol"])], risks[short(each["symbol"])]
        sign = 1 if each["side"] == "long" else -1
        for row in (of_account, risk):
            assert figure(row, "positionAmt") == sign * each["quantity"]
            assert figure(row, "notional") == sign * each["notional"]
            assert figure(row, "isolatedWallet") == each["isolated_margin"]
            assert figure(row, "maintMargin") == each["maintenance_margin"]
            assert figure(row, "leverage") == each["leverage"]
            assert figure(row, "initialMargin") == quantized(
                each["quantity"] * each["mark_price"] / each["leverage"]
            )
        assert figure(risk, "unRealizedProfit") == each["unrealized_pnl"]
        assert figure(risk, "markPrice") == each["mark_price"]
        liquidation = each["liquidation_price"]
        assert abs(figure(risk, "liquidationPrice") - (liquidation or 0)) <= ROUNDING
        pnl = sign * each["quantity"] * (each["mark_price"] - figure(risk, "entryPrice"))
        assert abs(pnl - each["unrealized_pnl"]) < Decimal("0.000001")
        held = now.account.position(each["symbol"])
        assert held is not None
        at_break_even = sign * held.quantity * (figure(risk, "breakEvenPrice") - held.entry_price)
        assert abs(at_break_even + held.net_pnl) < Decimal("0.01") or not figure(
            risk, "breakEvenPrice"
        )
    assert figure(balance_row(now), "balance") == shown.balance


def test_the_entry_price_of_a_cheap_coin_gives_the_same_pnl_to_the_cent() -> None:
    coin, mark, quantity = "PEPE/USDT", Decimal("0.0000092111"), Decimal("30000000001")
    entry = (2 * Decimal("0.0000091234") + Decimal("0.0000091235")) / 3
    rules = replace(unlimited(coin), tick_size=Decimal("1e-10"), step_size=Decimal(1))
    held = position(symbol=coin, quantity=quantity, entry_price=entry, mark_price=mark)
    now = AccountNow(
        id="a",
        revision=1,
        account=account(positions=(held,)),
        market=market(quote(coin, mark), instruments={coin: rules}),
        changed_at=MOMENT,
    )
    row = position_risk_row(now, coin)
    assert (row["symbol"], row["markPrice"]) == ("PEPEUSDT", "0.0000092111")
    pnl = quantity * (mark - figure(row, "entryPrice"))
    assert abs(pnl - held.unrealized_pnl) < Decimal("0.000001")
    assert row["unRealizedProfit"] == f"{quantized(held.unrealized_pnl):.8f}"


@pytest.fixture
def dialect() -> Dialect:
    """A program with the key ``bot``, a new account, Bitcoin at 40,000 and Ether at 2,000."""
    return Dialect()


@pytest.fixture(scope="module")
def untouched() -> Dialect:
    """The same, for what changes nothing."""
    return Dialect()


@pytest.fixture
def traded(dialect: Dialect) -> Dialect:
    """The same, with a long of Bitcoin that ``bot`` holds, orders, and what was closed before."""
    return after_trading(dialect)


@pytest.fixture(scope="module")
def open_for_all() -> Dialect:
    """The same, for tests that don't depend on each other."""
    return after_trading(Dialect())


def after_trading(dialect: Dialect) -> Dialect:
    """``dialect`` with something open and something closed."""
    how: Conditions = {"owner": "bot", "source": "http"}
    desk = dialect.desk
    desk.deposit("500.5")
    desk.place_order(how=how, symbol=BTC, side="buy", quantity="0.05", leverage=5)
    desk.close_position(BTC, "0.02", **how)
    desk.place_order(
        how=how, symbol=BTC, side="buy", type="limit", quantity="0.01", price=39_000, leverage=5
    )
    desk.place_order(symbol=ETH, side="sell", type="limit", quantity="1", price=2_100, leverage=10)
    return dialect
    return dialect


Shape = Mapping[str, Any]


def shape(texts: str = "", wholes: str = "", flags: str = "", **more: Any) -> Shape:
    """What clients read of an answer, by the type that it has."""
    named = ((texts, str), (wholes, int), (flags, bool))
    return {name: each for names, each in named for name in names.split()} | more


NUMBER: Final = (int, float)
POSITION: Final = shape(
    "symbol positionSide positionAmt entryPrice breakEvenPrice isolatedMargin isolatedWallet "
    "notional initialMargin maintMargin positionInitialMargin openOrderInitialMargin leverage "
    "marginType maxNotionalValue",
    "updateTime",
    "isolated",
)
RISK: Final = POSITION | shape(
    "markPrice unRealizedProfit liquidationPrice marginAsset isAutoAddMargin", "adl"
)
ASSET: Final = shape(
    "asset walletBalance unrealizedProfit marginBalance maintMargin initialMargin "
    "positionInitialMargin openOrderInitialMargin crossWalletBalance crossUnPnl availableBalance "
    "maxWithdrawAmount",
    "updateTime",
    "marginAvailable",
)
ACCOUNT: Final = shape(
    "totalInitialMargin totalMaintMargin totalWalletBalance totalUnrealizedProfit "
    "totalMarginBalance totalPositionInitialMargin totalOpenOrderInitialMargin "
    "totalCrossWalletBalance totalCrossUnPnl availableBalance maxWithdrawAmount",
    "feeTier updateTime",
    "canTrade canDeposit canWithdraw multiAssetsMargin",
    assets=[ASSET],
    positions=[POSITION | shape("unrealizedProfit")],
)
BALANCE: Final = shape(
    "accountAlias asset balance crossWalletBalance crossUnPnl availableBalance maxWithdrawAmount",
    "updateTime",
    "marginAvailable",
)
TRADE: Final = shape(
    "symbol side positionSide price qty quoteQty realizedPnl commission commissionAsset",
    "id orderId time",
    "maker buyer",
)
INCOME: Final = shape("symbol incomeType income asset info tradeId", "time tranId")
BRACKETS: Final = shape(
    "symbol",
    brackets=[
        shape(
            wholes="bracket initialLeverage notionalCap notionalFloor",
            maintMarginRatio=NUMBER,
            cum=NUMBER,
        )
    ],
)
OF_BTC: Final = {"symbol": "BTCUSDT"}
ANSWERS: Final[list[tuple[str, str, dict[str, object], Any]]] = [
    ("GET", "v2/account", {}, ACCOUNT),
    ("GET", "v3/account", {}, ACCOUNT),
    ("GET", "v2/balance", {}, [BALANCE]),
    ("GET", "v3/balance", {}, [BALANCE]),
    ("GET", "v2/positionRisk", {}, [RISK]),
    ("GET", "v3/positionRisk", {}, [RISK]),
    ("GET", "v2/positionRisk", OF_BTC, [RISK]),
    ("GET", "v3/positionRisk", OF_BTC, [RISK]),
    ("GET", "v1/userTrades", OF_BTC, [TRADE]),
    ("GET", "v1/income", {}, [INCOME]),
    ("GET", "v1/income", {**OF_BTC, "incomeType": "COMMISSION"}, [INCOME]),
    ("GET", "v1/leverageBracket", {}, [BRACKETS]),
    ("GET", "v1/leverageBracket", OF_BTC, [BRACKETS]),
    ("GET", "v1/positionSide/dual", {}, shape(flags="dualSidePosition")),
    ("GET", "v1/multiAssetsMargin", {}, shape(flags="multiAssetsMargin")),
    ("GET", "v1/adlQuantile", {}, [shape("symbol", adlQuantile=shape(wholes="BOTH"))]),
    ("GET", "v1/apiTradingStatus", {}, shape(wholes="updateTime", indicators={})),
    ("GET", "v1/symbolConfig", {}, [shape("symbol marginType maxNotionalValue", "leverage")]),
    (
        *("GET", "v1/accountConfig", {}),
        shape(
            wholes="feeTier updateTime tradeGroupId",
            flags="canTrade canDeposit canWithdraw dualSidePosition multiAssetsMargin",
        ),
    ),
    (
        *("GET", "v1/commissionRate", OF_BTC),
        shape("symbol makerCommissionRate takerCommissionRate"),
    ),
    (
        *("POST", "v1/leverage", {**OF_BTC, "leverage": 5}),
        shape("symbol maxNotionalValue", "leverage"),
    ),
    (
        *("POST", "v1/positionMargin", {**OF_BTC, "amount": "10.5", "type": 1}),
        shape("msg", "code type", amount=NUMBER),
    ),
    (
        *("GET", "v1/positionMargin/history", OF_BTC),
        [shape("symbol deltaType amount asset positionSide clientTranId", "time type")],
    ),
]


def check_shape(value: Any, expected: Any, at: str = "") -> None:
    """Prove that ``value`` has what is ``expected``, each of its type; lists are not empty."""
    if isinstance(expected, list):
        assert isinstance(value, list), at
        assert value, at
        for number, each in enumerate(value):
            check_shape(each, expected[0], f"{at}[{number}]")
    elif isinstance(expected, Mapping):
        for name, each in expected.items():
            assert name in value, f"{at}.{name}"
            check_shape(value[name], each, f"{at}.{name}")
    else:
        assert isinstance(value, expected), at
        assert isinstance(value, bool) == (expected is bool), at


@pytest.mark.parametrize(("method", "path", "sent", "expected"), ANSWERS)
def test_every_answer_has_the_fields_and_types_that_clients_read(
    open_for_all: Dialect, method: str, path: str, sent: dict[str, object], expected: Any
) -> None:
    check_shape(open_for_all.ask(method, f"/fapi/{path}", **sent), expected)


@pytest.mark.parametrize("path", sorted({each[1] for each in ANSWERS}))
def test_nothing_is_told_without_a_signature(untouched: Dialect, path: str) -> None:
    method = next(each[0] for each in ANSWERS if each[1] == path)
    answer = untouched.keyed(method, f"/fapi/{path}", **OF_BTC)
    assert (answer.status_code, answer.get_json()["code"]) == (400, -1102)


def test_the_account_is_that_of_the_desk(traded: Dialect) -> None:
    shown = traded.desk.snapshot()
    row = traded.ask("GET", "/fapi/v3/account")
    (position,) = row["positions"]
    assert position["symbol"] == "BTCUSDT"
    assert row["totalWalletBalance"] == f"{shown.balance:.8f}"
    assert row["totalMarginBalance"] == f"{shown.portfolio_value:.8f}"
    assert row["totalInitialMargin"] == f"{shown.used_margin:.8f}"
    assert row["availableBalance"] == f"{shown.available_balance:.8f}"
    changed_at = milliseconds(traded.desk.store.read().changed_at)
    assert row["assets"][0]["updateTime"] == row["updateTime"] == changed_at > 0
    every = traded.ask("GET", "/fapi/v2/account")["positions"]
    assert {each["symbol"]: each["positionAmt"] for each in every} == {
        "BTCUSDT": "0.030",
        "ETHUSDT": "0.000",
        "SOLUSDT": "0",
    }


def test_a_position_has_the_prices_of_the_desk(traded: Dialect) -> None:
    (shown,) = traded.desk.snapshot().positions
    (row,) = traded.ask("GET", "/fapi/v3/positionRisk")
    assert row["positionSide"] == "BOTH"
    assert row["entryPrice"] == f"{shown['entry_price']:.1f}"
    assert row["markPrice"] == "40000.0"
    assert row["liquidationPrice"] == f"{shown['liquidation_price']:.9f}"
    assert row["isolatedWallet"] == f"{shown['isolated_margin']:.8f}"
    assert row["isolatedMargin"] == f"{shown['isolated_margin'] + shown['unrealized_pnl']:.8f}"
    assert (row["leverage"], row["marginType"]) == ("5", "isolated")
    assert row["maxNotionalValue"] == "480000000"


def test_what_nothing_is_open_of_is_listed_by_the_second_version_alone(untouched: Dialect) -> None:
    dialect = untouched
    assert dialect.ask("GET", "/fapi/v3/positionRisk") == []
    assert dialect.ask("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT") == []
    rows = dialect.ask("GET", "/fapi/v2/positionRisk")
    assert [each["symbol"] for each in rows] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    (row,) = dialect.ask("GET", "/fapi/v2/positionRisk", symbol="ETHUSDT")
    assert (row["positionAmt"], row["entryPrice"], row["markPrice"]) == ("0.000", "0.00", "2000.00")
    assert (row["liquidationPrice"], row["updateTime"], row["leverage"]) == ("0", 0, "10")


def test_what_stands_at_the_prices_of_another_feed_is_told_as_it_is(traded: Dialect) -> None:
    other = board()
    other.market = market(quote(ETH, 2_000), feed="another", instruments={ETH: KNOWN[ETH]})
    traded.desk.use_board(other)
    (row,) = traded.ask("GET", "/fapi/v3/positionRisk")
    (shown,) = traded.desk.snapshot().positions
    assert (row["symbol"], row["positionAmt"], row["markPrice"]) == ("BTCUSDT", "0.03", "40000")
    assert row["unRealizedProfit"] == f"{shown['unrealized_pnl']:.8f}"
    every = traded.ask("GET", "/fapi/v2/account")
    assert [each["symbol"] for each in every["positions"]] == ["ETHUSDT", "BTCUSDT"]
    orders = sum(figure(each, "openOrderInitialMargin") for each in every["positions"])
    assert orders == figure(every, "totalOpenOrderInitialMargin")


@pytest.mark.parametrize(
    "path",
    [
        *("v2/positionRisk", "v3/positionRisk", "v1/userTrades", "v1/income", "v1/leverageBracket"),
        *("v1/symbolConfig", "v1/commissionRate", "v1/adlQuantile", "v1/positionMargin/history"),
    ],
)
def test_a_symbol_that_there_is_not_is_refused(untouched: Dialect, path: str) -> None:
    refused = untouched.refuses("GET", f"/fapi/{path}", symbol="NOUSDT")
    assert refused == (-1121, "Invalid symbol.")


@pytest.mark.parametrize(
    ("path", "sent", "code", "message"),
    [
        ("marginType", {"marginType": "ISOLATED"}, -4046, "No need to change margin type."),
        ("marginType", {"marginType": "isolated"}, -4046, "No need to change margin type."),
        ("marginType", {"marginType": "CROSSED"}, -4047, "Margin type cannot be changed: each"),
        ("marginType", {"marginType": "HALF"}, -1130, "Data sent for parameter 'marginType' is"),
        ("marginType", {}, -1102, "Mandatory parameter 'marginType' was not sent"),
        (
            *("positionSide/dual", {"dualSidePosition": "false"}),
            *(-4059, "No need to change position side."),
        ),
        ("positionSide/dual", {"dualSidePosition": "True"}, -4068, "Position side cannot be"),
        ("positionSide/dual", {}, -1102, "Mandatory parameter 'dualSidePosition' was not sent"),
        (
            *("multiAssetsMargin", {"multiAssetsMargin": "false"}, -4171),
            "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.",
        ),
        ("multiAssetsMargin", {"multiAssetsMargin": "true"}, -4167, "Unable to adjust to Multi-"),
        ("leverage", {}, -1102, "Mandatory parameter 'leverage' was not sent"),
        ("leverage", {"leverage": 0}, -4028, "Leverage 0 is not valid: BTCUSDT may be traded at"),
        ("leverage", {"leverage": 151}, -4028, "Leverage 151 is not valid: BTCUSDT may be traded"),
        ("leverage", {"leverage": "2.5"}, -1100, "Illegal characters found in parameter 'lever"),
        ("positionMargin", {"type": 1}, -1102, "Mandatory parameter 'amount' was not sent"),
        ("positionMargin", {"amount": 1}, -1102, "Mandatory parameter 'type' was not sent"),
        ("positionMargin", {"amount": 0, "type": 1}, -4055, "Amount must be positive."),
        ("positionMargin", {"amount": 1, "type": 3}, -1130, "Data sent for parameter 'type' is"),
        (
            *("positionMargin", {"amount": 1, "type": 1, "positionSide": "LONG"}, -4061),
            "Order's position side does not match user's setting.",
        ),
        (
            *("positionMargin", {"amount": 1, "type": 1}, -4054),
            "Cannot add position margin: position is 0.",
        ),
    ],
)
def test_what_can_not_be_set_is_refused_in_the_words_of_the_exchange(
    untouched: Dialect, path: str, sent: dict[str, object], code: int, message: str
) -> None:
    revision = untouched.desk.version
    refused = untouched.refuses("POST", f"/fapi/v1/{path}", symbol="BTCUSDT", **sent)
    assert refused[0] == code
    assert refused[1].startswith(message)
    assert untouched.desk.version == revision


def test_the_leverage_that_is_set_is_kept_and_used(dialect: Dialect) -> None:
    answer = dialect.ask("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=75)
    assert answer == {"symbol": "BTCUSDT", "leverage": 75, "maxNotionalValue": "3000000"}
    revision = dialect.desk.version
    # Clients set it before each order: the ledger needs to have it once.
    dialect.ask("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=75)
    assert dialect.desk.version == revision
    (row,) = dialect.ask("GET", "/fapi/v1/symbolConfig", symbol="BTCUSDT")
    assert (row["marginType"], row["isAutoAddMargin"]) == ("ISOLATED", False)
    assert (row["leverage"], row["maxNotionalValue"]) == (75, "3000000")
    dialect.desk.place_order(how={"owner": "bot"}, symbol=BTC, side="buy", quantity="0.01")
    again = Dialect(Desk(dialect.desk.store, board()))
    assert again.ask("GET", "/fapi/v3/positionRisk")[0]["leverage"] == "75"


def test_the_leverage_of_what_is_open_stays(traded: Dialect) -> None:
    refused = traded.refuses("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=6)
    assert refused == (
        -4161,
        "BTC/USDT is traded at 5x now. First close its position and cancel its orders, then set "
        "6x.",
    )
    assert traded.ask("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=5)["leverage"] == 5


def test_what_another_one_trades_is_left_alone(traded: Dialect) -> None:
    advice = (
        "bot may change only what is its own: wait until that is closed, or trade another symbol."
    )
    for leverage in (10, 12):
        refused = traded.refuses("POST", "/fapi/v1/leverage", symbol="ETHUSDT", leverage=leverage)
        assert refused == (-2010, f"ETH/USDT is traded by the person now. {advice}")
    other = traded.other("other")
    refused = traded.refuses(
        "POST", "/fapi/v1/positionMargin", by=other, symbol="BTCUSDT", amount=1, type=1
    )
    assert refused[0] == -2010
    assert refused[1].startswith("BTC/USDT is traded by bot now. other may change only")


def test_a_paused_key_reads_and_sets_nothing(traded: Dialect) -> None:
    traded.services.keys.pause("bot")
    for path, sent in (
        ("leverage", {"symbol": "SOLUSDT", "leverage": 7}),
        ("positionMargin", {"symbol": "BTCUSDT", "amount": 1, "type": 1}),
    ):
        refused = traded.refuses("POST", f"/fapi/v1/{path}", **sent)
        assert refused == (-2010, "This key is paused.")
    assert traded.ask("GET", "/fapi/v3/account")["canTrade"] is False
    # What is set already may be set again, as clients do whenever they start.
    traded.desk.set_leverage(SOL, 7)
    assert traded.ask("POST", "/fapi/v1/leverage", symbol="SOLUSDT", leverage=7)["leverage"] == 7


def test_margin_is_moved_and_listed(traded: Dialect) -> None:
    def margin() -> Decimal:
        (row,) = traded.ask("GET", "/fapi/v3/positionRisk")
        return figure(row, "isolatedWallet")

    first, wallet = margin(), traded.desk.snapshot().balance
    answer = traded.ask("POST", "/fapi/v1/positionMargin", symbol="BTCUSDT", amount="10.5", type=1)
    assert (answer["code"], answer["msg"]) == (200, "Successfully modify position margin.")
    assert (answer["amount"], answer["type"]) == (10.5, 1)
    assert margin() == first + Decimal("10.5")
    # What comes in between is no move, nor is what others do.
    traded.desk.place_order(
        how={"owner": "bot"}, symbol=BTC, side="buy", quantity="0.01", leverage=5
    )
    between = margin()
    traded.ask("POST", "/fapi/v1/positionMargin", symbol="BTCUSDT", amount="4.25", type=2)
    assert margin() == between - Decimal("4.25")
    assert traded.desk.snapshot().balance < wallet
    rows = traded.ask("GET", "/fapi/v1/positionMargin/history", symbol="BTCUSDT")
    assert [(each["type"], each["amount"]) for each in rows] == [
        (1, "10.50000000"),
        (2, "4.25000000"),
    ]
    added = traded.ask("GET", "/fapi/v1/positionMargin/history", symbol="BTCUSDT", type=1)
    assert added == rows[:1]
    refused = traded.refuses(
        "POST", "/fapi/v1/positionMargin", symbol="BTCUSDT", amount=5_000, type=2
    )
    assert refused[0] == -4051
    assert refused[1].startswith("At most 6.")
    refused = traded.refuses(
        "POST", "/fapi/v1/positionMargin", symbol="BTCUSDT", amount=50_000, type=1
    )
    assert refused == (-2019, "Account has insufficient balance for requested action.")


def test_margin_that_moved_before_the_account_was_stated_anew_is_listed(traded: Dialect) -> None:
    traded.ask("POST", "/fapi/v1/positionMargin", symbol="BTCUSDT", amount=3, type=1)
    traded.desk.reset()
    traded.desk.undo_reset()
    traded.ask("POST", "/fapi/v1/positionMargin", symbol="BTCUSDT", amount=2, type=2)
    rows = traded.ask("GET", "/fapi/v1/positionMargin/history", symbol="BTCUSDT")
    assert [(each["type"], each["amount"]) for each in rows] == [
        (1, "3.00000000"),
        (2, "2.00000000"),
    ]


def test_the_brackets_are_those_of_the_desk(untouched: Dialect) -> None:
    rows = untouched.ask("GET", "/fapi/v1/leverageBracket")
    assert [each["symbol"] for each in rows] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    found, rules = rows[0]["brackets"], KNOWN[BTC]
    for row, bracket in zip(found, rules.brackets, strict=True):
        assert row["initialLeverage"] == bracket.max_leverage
        assert row["notionalFloor"] == bracket.floor
        assert Decimal(str(row["maintMarginRatio"])) == bracket.maintenance_rate
        assert Decimal(str(row["cum"])) == bracket.maintenance_amount
    assert [each["bracket"] for each in found] == [*range(1, len(found) + 1)]
    assert [each["notionalCap"] for each in found[:-1]] == [
        each["notionalFloor"] for each in found[1:]
    ]
    assert found[-1]["notionalCap"] == rules.max_notional


def test_the_fees_are_those_of_the_settings(untouched: Dialect) -> None:
    rates = untouched.ask("GET", "/fapi/v1/commissionRate", symbol="BTCUSDT")
    assert rates["makerCommissionRate"] == "0.0002"
    assert rates["takerCommissionRate"] == "0.0005"


LIFE: Final = lived(500, seed=3, epochs_of=40)
#: What the ledger calls what programs know as income.
INCOMES: Final = {
    "REALIZED_PNL": ("realized_pnl", "liquidation"),
    "COMMISSION": ("fee",),
    "FUNDING_FEE": ("funding",),
    "TRANSFER": ("deposit", "withdrawal"),
}
LIMITS: Final = st.sampled_from([None, 1, 7, 100, 1_000])
SYMBOLS: Final = st.sampled_from([*PRICES])


@pytest.fixture(scope="module")
def old() -> Dialect:
    """An account with five hundred entries, several epochs, bots, funding and liquidations."""
    return Dialect(Desk(remembered(LIFE), board()))


def fills_of(symbol: str) -> list[Entry]:
    """The entries with fills of ``symbol``, oldest first."""
    fills = [(each, each.booking.fill) for each in entries_of(LIFE)]
    return [each for each, fill in fills if fill is not None and fill.symbol == symbol]


def number_of(entry: Entry) -> int:
    """The number of ``entry`` as a fill and as income."""
    return entry.revision * 1_000_000 + entry.line


def page(
    entries: Sequence[Entry],
    usual: int,
    *,
    limit: int | None,
    begin: int | None,
    end: int | None,
    first: int | None = None,
) -> list[int]:
    """The numbers of those of ``entries`` that a request is answered with."""
    found = [
        number_of(each)
        for each in entries
        if (begin is None or milliseconds(each.time) >= begin)
        and (end is None or milliseconds(each.time) <= end)
        and (first is None or number_of(each) >= first)
    ]
    most = usual if limit is None else limit
    return found[-most:] if begin is None and first is None else found[:most]


def moments() -> st.SearchStrategy[int | None]:
    """Times, in milliseconds, at which something happened, and beside them."""
    times = st.sampled_from([milliseconds(each.time) for each in entries_of(LIFE)])
    return st.none() | st.tuples(times, st.sampled_from([-1, 0, 1])).map(sum)


@settings(max_examples=50)
@given(SYMBOLS, LIMITS, moments(), moments(), st.none() | st.integers(0, 330_000_000))
def test_a_page_of_fills_has_what_was_asked_for(
    old: Dialect,
    symbol: str,
    limit: int | None,
    begin: int | None,
    end: int | None,
    first: int | None,
) -> None:
    asked = {"limit": limit, "startTime": begin, "endTime": end, "fromId": first}
    if begin is not None and end is not None and begin > end:
        refused = old.refuses("GET", "/fapi/v1/userTrades", symbol=short(symbol), **asked)
        assert refused == (-1023, "Start time is greater than end time.")
        return
    rows = old.ask("GET", "/fapi/v1/userTrades", symbol=short(symbol), **asked)
    expected = page(fills_of(symbol), 500, limit=limit, begin=begin, end=end, first=first)
    assert [each["id"] for each in rows] == expected


@settings(max_examples=20)
@given(SYMBOLS, st.integers(1, 60))
def test_paging_by_number_gives_every_fill_once(old: Dialect, symbol: str, limit: int) -> None:
    found: list[int] = []
    while True:
        first = found[-1] + 1 if found else 0
        rows = old.ask(
            "GET", "/fapi/v1/userTrades", symbol=short(symbol), limit=limit, fromId=first
        )
        if not rows:
            break
        found += [each["id"] for each in rows]
    assert found == [number_of(each) for each in fills_of(symbol)]


@pytest.mark.parametrize("symbol", PRICES)
def test_a_fill_has_the_figures_of_the_ledger(old: Dialect, symbol: str) -> None:
    rows = old.ask("GET", "/fapi/v1/userTrades", symbol=short(symbol), limit=1_000)
    assert len(rows) > 20
    for row, entry in zip(rows, fills_of(symbol), strict=True):
        fill = entry.booking.fill
        assert fill is not None
        assert (row["side"], row["positionSide"]) == (fill.side.upper(), "BOTH")
        assert (row["buyer"], row["maker"]) == (fill.side == "buy", fill.liquidity == "maker")
        assert abs(figure(row, "price") - fill.price) <= ROUNDING
        assert abs(figure(row, "qty") - fill.quantity) <= ROUNDING
        assert figure(row, "realizedPnl") == fill.realized_pnl
        assert figure(row, "commission") == fill.fee
        assert figure(row, "quoteQty") == quantized(fill.quantity * fill.price)
        assert row["commissionAsset"] == "USDT"
        assert row["time"] == milliseconds(entry.time)
        assert row["orderId"] == order_number(fill.order_id)


def test_the_fill_of_an_order_is_found_by_its_number(dialect: Dialect) -> None:
    desk = dialect.desk
    for side in ("buy", "buy", "sell"):
        desk.place_order(symbol=BTC, side=side, quantity="0.01")
    every = dialect.ask("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    for row in every:
        sent = {"symbol": "BTCUSDT", "orderId": row["orderId"]}
        assert dialect.ask("GET", "/fapi/v1/userTrades", **sent) == [row]
    # One that waits has none, nor has one that there never was, nor one of another symbol.
    desk.place_order(
        symbol=BTC, side="buy", type="limit", quantity="0.01", price=39_000, client_id="77"
    )
    (waiting,) = desk.account().orders
    for symbol, number in (
        ("BTCUSDT", waiting.id),
        ("BTCUSDT", 77),
        ("ETHUSDT", every[0]["orderId"]),
    ):
        sent = {"symbol": symbol, "orderId": number}
        assert dialect.ask("GET", "/fapi/v1/userTrades", **sent) == []


@settings(max_examples=50)
@given(
    st.none() | SYMBOLS,
    st.none() | st.sampled_from([*INCOMES, "INSURANCE_CLEAR"]),
    LIMITS,
    moments(),
    moments(),
)
def test_a_page_of_income_has_what_was_asked_for(
    old: Dialect,
    symbol: str | None,
    kind: str | None,
    limit: int | None,
    begin: int | None,
    end: int | None,
) -> None:
    if begin is not None and end is not None:
        begin, end = min(begin, end), max(begin, end)
    asked = {"limit": limit, "startTime": begin, "endTime": end, "incomeType": kind}
    name = None if symbol is None else short(symbol)
    rows = old.ask("GET", "/fapi/v1/income", symbol=name, **asked)
    kinds = [each for name, some in INCOMES.items() for each in some if kind in (None, name)]
    about = symbols_in_ledger()
    entries = [
        each
        for each in entries_of(LIFE)
        if each.booking.kind in kinds and symbol in (None, about[each.place])
    ]
    assert [each["tranId"] for each in rows] == page(
        entries, 100, limit=limit, begin=begin, end=end
    )


@cache
def symbols_in_ledger() -> Mapping[Place, str]:
    """What each entry that is income is about; empty: no symbol."""
    found, last = dict[Place, str](), ""
    for entry in entries_of(LIFE):
        booking = entry.booking
        if booking.effect is not None:
            last = booking.effect.symbol
        is_transfer = booking.kind in INCOMES["TRANSFER"]
        found[entry.place] = "" if is_transfer else last
    return found


def test_income_has_the_figures_of_the_ledger(old: Dialect) -> None:
    entries = {number_of(each): each for each in entries_of(LIFE)}
    rows = old.ask("GET", "/fapi/v1/income", limit=1_000)
    assert {each["incomeType"] for each in rows} == {*INCOMES}
    fills = {
        each["id"]
        for name in PRICES
        for each in old.ask("GET", "/fapi/v1/userTrades", symbol=short(name), limit=1_000)
    }
    for row in rows:
        entry = entries[row["tranId"]]
        booking = entry.booking
        assert booking.kind in INCOMES[row["incomeType"]]
        assert figure(row, "income") == booking.amount
        assert (row["asset"], row["info"]) == ("USDT", booking.note)
        assert row["time"] == milliseconds(entry.time)
        assert row["symbol"] == short(symbols_in_ledger()[entry.place])
        if row["incomeType"] in ("REALIZED_PNL", "COMMISSION"):
            fill = entries[int(row["tradeId"])].booking.fill
            assert int(row["tradeId"]) in fills
            assert fill is not None
            amount = fill.realized_pnl if row["incomeType"] == "REALIZED_PNL" else -fill.fee
            assert figure(row, "income") == amount
        else:
            assert row["tradeId"] == ""


def test_pages_of_income_by_number_have_every_row_once(old: Dialect) -> None:
    every = old.ask("GET", "/fapi/v1/income", limit=1_000)
    for begin in (None, 0):
        pages = []
        for number in count(1):
            rows = old.ask("GET", "/fapi/v1/income", limit=60, page=number, startTime=begin)
            if not rows:
                break
            pages.append(rows)
        in_order = pages if begin is not None else pages[::-1]
        assert [row for rows in in_order for row in rows] == every


def test_what_is_no_result_of_trading_is_no_income(dialect: Dialect) -> None:
    desk = dialect.desk
    desk.place_order(symbol=BTC, side="buy", quantity="0.01")
    desk.adjust(-3)
    desk.set_balance(20_000)
    desk.reset()
    desk.undo_reset()
    desk.withdraw(5)
    rows = dialect.ask("GET", "/fapi/v1/income")
    # The reset closed what was open; the undo opened it again, as if nothing had been.
    assert [(each["incomeType"], each["symbol"]) for each in rows] == [
        ("COMMISSION", "BTCUSDT"),
        ("REALIZED_PNL", "BTCUSDT"),
        ("TRANSFER", ""),
    ]
    assert rows[-1]["income"] == "-5.00000000"


def test_what_another_program_edits_is_in_the_figures_and_no_income(folder: Path) -> None:
    dialect = Dialect(Desk(FileStore(folder), board()))
    desk = dialect.desk
    desk.place_order(how={"owner": "bot"}, symbol=BTC, side="buy", quantity="0.01", leverage=5)
    desk.move_margin(BTC, 3, owner="bot")
    edit(folder, balance="12345.5")
    desk.deposit(5)
    desk.move_margin(BTC, -2, owner="bot")
    assert "external_edit" in {each["kind"] for each in desk.history().entries}
    assert dialect.ask("GET", "/fapi/v3/account")["totalWalletBalance"] == "12350.50000000"
    rows = dialect.ask("GET", "/fapi/v1/income")
    assert [each["incomeType"] for each in rows] == ["COMMISSION", "TRANSFER"]
    moves = dialect.ask("GET", "/fapi/v1/positionMargin/history", symbol="BTCUSDT")
    assert [(each["type"], each["amount"]) for each in moves] == [
        (1, "3.00000000"),
        (2, "2.00000000"),
    ]
    # A damaged ledger is said to be damaged, and no part of it told as all.
    ledger = folder / LEDGER_FILE
    ledger.write_text(ledger.read_text().replace("Taker fee", "Tiler fee"))
    code, message = dialect.refuses("GET", "/fapi/v1/income", status=503)
    assert code == -1001
    assert "ledger.jsonl" in message


def test_a_settlement_of_nothing_is_income_of_zero(dialect: Dialect) -> None:
    settled(dialect.desk, "0")
    rows = dialect.ask("GET", "/fapi/v1/income", incomeType="FUNDING_FEE")
    assert [each["income"] for each in rows] == ["0.00000000"]


def settled(desk: Desk, rate: str) -> None:
    """A short of 0.1 Bitcoin is opened at 40,000, and its first settlement is at ``rate``."""
    desk.place_order(symbol=BTC, side="sell", quantity="0.1")
    held = desk.account().position(BTC)
    assert held is not None
    at = next_settlement(held.opened_at, timedelta(hours=8))
    later = desk.market.at(quote(BTC, 40_000, time=at + timedelta(seconds=1)))
    rates = {(BTC, at): Settlement(rate=Decimal(rate), mark=Decimal(40_000))}
    desk.advance(replace(later, tick=later.tick + 1), rates)


def test_a_fill_without_a_fee_has_one_of_zero_and_no_income_for_it() -> None:
    free = Dialect(Desk(MemoryStore(), board(terms=FREE)))
    free.desk.place_order(symbol=BTC, side="buy", quantity="0.01")
    free.desk.close_position(BTC)
    opening, closing = free.ask("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    assert opening["commission"] == closing["commission"] == "0.00000000"
    (row,) = free.ask("GET", "/fapi/v1/income")
    assert (row["incomeType"], row["income"]) == ("REALIZED_PNL", "0.00000000")
    assert row["tradeId"] == str(closing["id"])


def test_while_the_ledger_is_indexed_no_part_of_it_is_told(
    dialect: Dialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect.desk.place_order(symbol=BTC, side="buy", quantity="0.01")
    history = dialect.desk.ledger
    monkeypatch.setattr(history.index, "refresh", lambda: Progress(is_complete=False, percent=40))
    for path in ("userTrades", "income", "positionMargin/history"):
        code, message = dialect.refuses("GET", f"/fapi/v1/{path}", status=503, symbol="BTCUSDT")
        assert code == -1001
        assert re.search(r"it is being indexed, and \d+ % are done: try again in a minute", message)


@pytest.mark.parametrize("path", ["userTrades", "income", "positionMargin/history"])
@pytest.mark.parametrize("limit", [0, 1_001])
def test_a_page_is_of_at_most_a_thousand(untouched: Dialect, path: str, limit: int) -> None:
    refused = untouched.refuses("GET", f"/fapi/v1/{path}", symbol="BTCUSDT", limit=limit)
    assert refused == (-1130, "Data sent for parameter 'limit' is not valid.")


OF_CCXT: Final = "BTC/USDT:USDT"


@pytest.fixture(scope="module")
def ccxt_client(open_for_all: Dialect) -> Any:
    """ccxt as it comes, on the account where something is open and something closed."""
    return ccxt_of(open_for_all)


def test_ccxt_reads_what_is_there_what_is_free_and_what_is_used(
    open_for_all: Dialect, ccxt_client: Any
) -> None:
    shown = open_for_all.desk.snapshot()
    for version in ({}, {"useV2": True}):
        found = ccxt_client.fetch_balance(version)["USDT"]
        assert Decimal(str(found["total"])) == shown.portfolio_value
        assert Decimal(str(found["free"])) == shown.available_balance
        assert Decimal(str(found["used"])) == shown.used_margin


@pytest.mark.parametrize("method", ["positionRisk", "account"])
def test_ccxt_reads_the_positions_of_the_desk(
    open_for_all: Dialect, ccxt_client: Any, method: str
) -> None:
    (shown,) = open_for_all.desk.snapshot().positions
    (found,) = ccxt_client.fetch_positions(params={"method": method})
    read = {name: Decimal(str(each)) for name, each in found.items() if isinstance(each, float)}
    assert (found["symbol"], found["side"], found["marginMode"]) == (OF_CCXT, "long", "isolated")
    assert not found["hedged"]
    assert read["contracts"] == shown["quantity"]
    assert read["entryPrice"] == shown["entry_price"]
    assert read["unrealizedPnl"] == shown["unrealized_pnl"]
    assert read["notional"] == shown["notional"]
    assert read["leverage"] == shown["leverage"]
    assert read["maintenanceMargin"] == shown["maintenance_margin"]
    assert read["collateral"] == shown["isolated_margin"] + shown["unrealized_pnl"]
    assert read["initialMargin"] == shown["notional"] / shown["leverage"]
    # What ccxt works out itself has the decimals of the tick.
    liquidation = shown["liquidation_price"]
    assert liquidation is not None
    assert abs(read["liquidationPrice"] - liquidation) <= Decimal("0.05")
    assert found["timestamp"] == milliseconds(open_for_all.desk.store.read().changed_at)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(ACTIONS, min_size=5, max_size=20))
def test_ccxt_reads_any_account_as_the_desk_does(
    ccxt_client: Any, actions: Sequence[Callable[[Trading, str], None]]
) -> None:
    desk = Trading()
    for number, act in enumerate(actions):
        act(desk, f"o{number}")
    now = now_of(desk)
    shown = snapshot(now.account, account_id="a", revision=1, as_of=MOMENT, market=now.market)
    ccxt_client.load_leverage_brackets()
    for is_every in (False, True):
        row = account_row(now, every=is_every)
        found = ccxt_client.parse_balance_custom(row, "linear")["USDT"]
        assert Decimal(str(found["total"])) == shown.portfolio_value
        assert Decimal(str(found["free"])) == shown.available_balance
        assert Decimal(str(found["used"])) == shown.used_margin
        positions = ccxt_client.parse_account_positions(row, True)
        assert len(positions) == len(shown.positions)
    for each in shown.positions:
        risk = position_risk_row(now, each["symbol"])
        read = ccxt_client.parse_position_risk(risk)
        assert read["symbol"] == f"{each['symbol']}:USDT"
        assert read["side"] == each["side"]
        assert Decimal(str(read["contracts"])) == each["quantity"]
        assert Decimal(str(read["unrealizedPnl"])) == each["unrealized_pnl"]
        assert Decimal(str(read["markPrice"])) == each["mark_price"]
        assert read["collateral"] == float(each["isolated_margin"] + each["unrealized_pnl"])
        liquidation = each["liquidation_price"]
        assert (read["liquidationPrice"] is None) == (liquidation is None)
        if liquidation is not None:
            assert read["liquidationPrice"] == pytest.approx(float(liquidation), rel=1e-12)


def test_ccxt_reads_the_fills_and_what_they_cost(open_for_all: Dialect, ccxt_client: Any) -> None:
    fills = [each for each in open_for_all.desk.fills().entries if each["symbol"] == BTC][::-1]
    found = ccxt_client.fetch_my_trades(OF_CCXT)
    assert len(found) == len(fills) == 2
    for trade, fill in zip(found, fills, strict=True):
        assert trade["order"] == fill["order_id"]
        assert (trade["side"], trade["takerOrMaker"]) == (fill["side"], fill["liquidity"])
        assert Decimal(str(trade["price"])) == fill["price"]
        assert Decimal(str(trade["amount"])) == fill["quantity"]
        assert Decimal(str(trade["fee"]["cost"])) == fill["fee"]
        assert trade["fee"]["currency"] == "USDT"
    since = ccxt_client.fetch_my_trades(OF_CCXT, since=found[-1]["timestamp"])
    assert since[-1] == found[-1]
    assert ccxt_client.fetch_my_trades(OF_CCXT, params={"orderId": found[0]["order"]}) == found[:1]
    paged = ccxt_client.fetch_my_trades(OF_CCXT, params={"paginate": True, "paginationCalls": 2})
    assert paged == found


def test_ccxt_reads_the_ledger_of_a_settlement(dialect: Dialect) -> None:
    client, desk = ccxt_of(dialect), dialect.desk
    settled(desk, "0.0001")
    (found,) = client.fetch_funding_history(OF_CCXT)
    (row,) = desk.history(kind="funding").entries
    assert (found["amount"], found["code"]) == (float(row["amount"]), "USDT")
    assert Decimal(str(found["amount"])) == Decimal("0.4")
    assert found["id"] == str(row["revision"] * 1_000_000 + row["line"])
    assert [each["type"] for each in client.fetch_ledger()] == ["commission", "fee"]


def test_ccxt_sets_leverage_and_moves_margin(traded: Dialect) -> None:
    client = ccxt_of(traded)
    assert client.set_margin_mode("isolated", OF_CCXT)["code"] == -4046
    with pytest.raises(ccxt.OperationRejected, match="-4047"):
        client.set_margin_mode("cross", OF_CCXT)
    for is_hedged in (False, True):
        with pytest.raises(ccxt.OperationRejected):
            client.set_position_mode(is_hedged, OF_CCXT)
    assert client.fetch_position_mode(OF_CCXT)["hedged"] is False
    client.set_leverage(20, "SOL/USDT:USDT")
    assert client.fetch_leverage("SOL/USDT:USDT")["longLeverage"] == 20
    with pytest.raises(ccxt.ExchangeError, match="-4161"):
        client.set_leverage(6, OF_CCXT)
    with pytest.raises(ccxt.InvalidOrder, match="is traded by the person now"):
        client.set_leverage(10, "ETH/USDT:USDT")
    before = traded.desk.snapshot().positions[0]["isolated_margin"]
    assert client.add_margin(OF_CCXT, 10)["status"] == "ok"
    assert client.reduce_margin(OF_CCXT, 4)["status"] == "ok"
    assert traded.desk.snapshot().positions[0]["isolated_margin"] == before + 6
    moves = client.fetch_margin_adjustment_history(OF_CCXT)
    assert [(each["type"], each["amount"]) for each in moves] == [("add", 10.0), ("reduce", 4.0)]
    with pytest.raises(ccxt.InsufficientFunds):
        client.add_margin(OF_CCXT, 50_000)


def test_ccxt_knows_how_symbols_are_traded(ccxt_client: Any) -> None:
    tiers = ccxt_client.fetch_leverage_tiers([OF_CCXT])[OF_CCXT]
    assert [(each["minNotional"], each["maxLeverage"]) for each in tiers] == [
        (float(each.floor), float(each.max_leverage)) for each in KNOWN[BTC].brackets
    ]
    fee = ccxt_client.fetch_trading_fee(OF_CCXT)
    assert (fee["maker"], fee["taker"]) == (0.0002, 0.0005)
    assert ccxt_client.fetch_margin_mode(OF_CCXT)["marginMode"] == "isolated"
    assert set(ccxt_client.fetch_leverages()) == {OF_CCXT, "ETH/USDT:USDT", "SOL/USDT:USDT"}


def test_liquidations_are_the_orders_that_ended_positions() -> None:
    found = board()
    dialect = Dialect(Desk(MemoryStore(), found))
    assert dialect.ask("GET", "/fapi/v1/forceOrders") == []
    dialect.ask("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=50)
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
    dialect.ask("POST", "/fapi/v1/order", **order)
    priced(found, 30_000)
    dialect.desk.advance(found.market, {})
    (row,) = dialect.ask("GET", "/fapi/v1/forceOrders")
    assert row == dialect.ask("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")[-1]
    assert (row["side"], row["type"], row["executedQty"]) == ("SELL", "MARKET", "0.100")
    assert row["clientOrderId"].startswith("autoclose-")
    shown = {"symbol": "BTCUSDT", "startTime": row["time"], "autoCloseType": "LIQUIDATION"}
    assert dialect.ask("GET", "/fapi/v1/forceOrders", **shown) == [row]
    for other in ({"symbol": "ETHUSDT"}, {"autoCloseType": "ADL"}, {"endTime": row["time"] - 1}):
        assert dialect.ask("GET", "/fapi/v1/forceOrders", **other) == []
    assert dialect.refuses("GET", "/fapi/v1/forceOrders", limit=101)[0] == -1130
