"""The account in the dialect: every figure is the desk's, to the cent, and clients read it so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from balance.binance.account_rows import (
    account_row,
    asset_row,
    balance_row,
    position_risk_row,
    symbols_of,
)
from balance.binance.names import short
from balance.core.money import quantized
from balance.core.snapshot import snapshot
from balance.desk.transactions import AccountNow
from tests.accounts import MOMENT
from tests.test_trading_laws import ACTIONS, Desk

#: Each row is rounded to eight decimals by itself, and so is the sum.
ROUNDING = Decimal("1e-8")


def now_of(desk: Desk) -> AccountNow:
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
    actions: Sequence[Callable[[Desk, str], None]],
) -> None:
    desk = Desk()
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
