"""What a bot does at one look at the market: its limits, its signal, and its trailing stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from balance.bots.rules import Step, View, evaluate
from balance.bots.settings import BotSettings, Run
from balance.core.account import Account
from balance.core.market import Market, Terms
from balance.core.matching import advance
from balance.core.order import Order
from balance.core.orders import close_position, place_order
from balance.core.position import Position
from balance.core.ticket import Ticket
from balance.core.trade_sums import TradeSums
from balance.strategies.strategy import Signal
from tests.accounts import MOMENT, account
from tests.markets import BTC, ETH, FREE, market, quote

BOT = "trend-1"
#: At 40,000 a tenth of a bitcoin: 4,000 at 4x is 1,000 of margin.
USUAL = BotSettings(
    name="Trend",
    symbol=BTC,
    strategy="ema_crossover",
    stake=Decimal(1_000),
    stake_unit="usdt",
    leverage=Decimal(4),
)
BUY, SELL = Signal("buy", 0.8, "Rose"), Signal("sell", 0.8, "Fell")
CLOSE, HOLD = Signal("close", 0.8, "Enough"), Signal("hold", 0.0, "Waits")


def with_settings(**changes: Any) -> BotSettings:
    """The usual settings with ``changes``, numbers in any form."""
    return replace(
        USUAL,
        **{
            name: Decimal(str(value))
            if isinstance(value, int | float) and name not in ("cooldown", "max_positions")
            else value
            for name, value in changes.items()
        },
    )


def at(mark: object = 40_000, **changes: Any) -> Market:
    """Bitcoin at ``mark``, by default without fees and slippage."""
    return market(quote(BTC, mark), quote(ETH, 2_000), **{"terms": FREE, **changes})


def view(
    signal: Signal | None = None,
    of: Account | None = None,
    where: Market | None = None,
    **changes: Any,
) -> View:
    """What a bot sees that has made nothing yet; ``changes`` as View has them."""
    where = where or at()
    usual: dict[str, Any] = {
        "owner": BOT,
        "settings": USUAL,
        "status": "running",
        "sums": TradeSums(),
        "run": Run(),
        "account": (of or account()).marked(where),
        "market": where,
        "time": where.quotes[BTC].time,
        "order_id": "o-1",
        "signal": signal,
    }
    return View(**{**usual, **changes})


def position(of: Step | Account) -> Position | None:
    found = of.change.account if isinstance(of, Step) else of
    return found.position(BTC)


def held(signal: Signal = BUY, settings: BotSettings = USUAL, where: Market | None = None) -> Any:
    """An account in which the bot has done what ``signal`` says."""
    step = evaluate(view(signal, where=where, settings=settings))
    assert step.action == "opened"
    return step.change.account


def exits(of: Step | Account) -> dict[str, Decimal | None]:
    """The trigger prices of what is to close the position, by the kind of order."""
    found = of.change.account if isinstance(of, Step) else of
    return {each.type: each.trigger_level for each in found.orders_of(BTC)}


def persons(side: str = "buy", **members: Any) -> Account:
    """An account in which a person, or the ``owner``, has ordered."""
    ticket = Ticket(**{"symbol": BTC, "side": side, "quantity": Decimal("0.01"), **members})
    return place_order(account(), ticket, at(), "p-1", MOMENT).account


def test_a_buy_opens_a_long_and_a_sell_a_short_of_the_bot() -> None:
    for signal, side in ((BUY, "long"), (SELL, "short")):
        step = evaluate(view(signal))
        found = position(step)
        assert found is not None
        assert (found.side, found.owner, found.opened_because) == (side, BOT, signal.reason)
        assert step.action == "opened"
        assert step.message == f"Opened {side} 0.1 at 40,000"


def test_a_stake_in_usdt_is_the_margin_at_the_bots_leverage() -> None:
    found = position(held())
    assert found is not None
    assert (found.quantity, found.leverage) == (Decimal("0.1"), 4)
    assert found.isolated_margin == 1_000


def test_a_stake_in_percent_is_of_what_is_available_with_the_fee() -> None:
    by_percent = with_settings(stake=50, stake_unit="percent", leverage=10)
    step = evaluate(view(BUY, settings=by_percent, where=at(terms=Terms())))
    after, found = step.change.account, position(step)
    assert found is not None
    used = found.isolated_margin + found.fees_paid
    assert 4_990 < used <= 5_000
    assert after.available_balance == account().wallet.balance - used


def test_what_the_account_refuses_is_told_with_its_figures() -> None:
    step = evaluate(view(BUY, of=account(500)))
    assert step.action == "refused"
    assert not step.change.bookings
    assert step.message == "This needs 1,000.00 USDT, but only 500.00 are available"


@pytest.mark.parametrize(
    "terms",
    [
        Terms(slippage=Decimal("0.0006")),
        # 4,000 at the ask or bid, which 0.1 Bitcoin are worth, slip as much.
        Terms(slippage=Decimal(0), depth_slippage=Decimal("0.0003"), market_depth=Decimal(2_000)),
    ],
    ids=["slippage", "by size"],
)
@pytest.mark.parametrize(
    ("signal", "entry", "stop", "take"),
    [(BUY, 40_024, "39623.8", "42025.2"), (SELL, 39_976, "40375.8", "37977.2")],
)
def test_exits_lie_at_their_distance_from_what_the_order_fills_at(
    signal: Signal, entry: int, stop: str, take: str, terms: Terms
) -> None:
    settings = with_settings(stop_loss=1, take_profit=5)
    slipped = view(signal, settings=settings, where=at(terms=terms), size=Decimal("0.1"))
    step = evaluate(slipped)
    found = position(step)
    assert found is not None
    assert found.entry_price == entry
    assert exits(step) == {"stop_market": Decimal(stop), "take_profit_market": Decimal(take)}


def test_a_trailing_stop_comes_with_the_position_beside_its_stop_loss() -> None:
    settings = with_settings(stop_loss=3, trailing_stop=1)
    for signal, stop_loss, trailing in ((BUY, 38_800, 39_600), (SELL, 41_200, 40_400)):
        found = exits(evaluate(view(signal, settings=settings)))
        assert found == {"stop_market": stop_loss, "trailing_stop": trailing}


def test_a_short_has_no_take_profit_where_no_price_reaches_it() -> None:
    settings = with_settings(take_profit=150)
    step = evaluate(view(SELL, settings=settings))
    assert (step.action, exits(step)) == ("opened", {})
    assert exits(evaluate(view(BUY, settings=settings))) == {"take_profit_market": Decimal(100_000)}


def test_a_signal_below_the_threshold_is_left_alone_and_one_on_it_is_not() -> None:
    settings = with_settings(min_confidence=0.8)
    assert evaluate(view(BUY, settings=settings)).action == "opened"
    unsure = evaluate(view(Signal("buy", 0.79, "Maybe"), settings=settings))
    assert (unsure.action, unsure.message) == ("ignored", "Less sure than 0.8")
    closing = evaluate(view(Signal("close", 0.79), held(), settings=settings))
    assert closing.action == "ignored"


@pytest.mark.parametrize("signal", [None, HOLD])
def test_without_a_signal_nothing_is_opened_or_closed(signal: Signal | None) -> None:
    assert evaluate(view(signal)).change.bookings == ()
    assert evaluate(view(signal, held())).change.bookings == ()


def test_a_bot_for_one_direction_only_closes_on_the_other_signal() -> None:
    longs = with_settings(direction="long")
    assert evaluate(view(SELL, settings=longs)).message == "Trades long only"
    assert evaluate(view(SELL, settings=longs)).action == "none"
    step = evaluate(view(SELL, held(), settings=longs))
    assert (step.action, position(step)) == ("closed", None)
    shorts = with_settings(direction="short")
    assert evaluate(view(BUY, settings=shorts)).action == "none"
    assert evaluate(view(SELL, settings=shorts)).action == "opened"


def test_what_is_there_already_is_left() -> None:
    step = evaluate(view(BUY, held()))
    assert (step.action, step.message, step.change.bookings) == ("none", "Is long already", ())
    step = evaluate(view(CLOSE))
    assert (step.action, step.message) == ("none", "Nothing to close")


def test_a_close_tells_its_reason() -> None:
    step = evaluate(view(CLOSE, held()))
    fills = [each.fill for each in step.change.bookings if each.fill is not None]
    assert [each.trade.closed_because for each in fills if each.trade] == ["Enough"]
    assert (step.action, step.message) == ("closed", "Closed 0.1 at 40,000, $0.00")


def test_a_turn_is_one_change_with_both_fills() -> None:
    settings = with_settings(stop_loss=1)
    step = evaluate(view(SELL, held(settings=settings), settings=settings))
    fills = [each.fill for each in step.change.bookings if each.fill is not None]
    assert [(each.side, each.closed_quantity) for each in fills] == [
        ("sell", Decimal("0.1")),
        ("sell", 0),
    ]
    found = position(step)
    assert found is not None
    assert found.side == "short"
    assert step.action == "flipped"
    assert step.message == "Closed 0.1 at 40,000, $0.00. Opened short 0.1 at 40,000"
    # the long's exits went with it
    assert exits(step) == {"stop_market": Decimal(40_400)}
    assert len({each.order_id for each in fills}) == 2


def test_a_turn_whose_opening_is_refused_still_closes() -> None:
    poor = with_settings(stake=20_000)
    step = evaluate(view(SELL, held(), settings=poor))
    assert (step.action, position(step)) == ("closed", None)
    assert step.message == (
        "Closed 0.1 at 40,000, $0.00. This needs 20,000.00 USDT, but only 10,000.00 are available"
    )


def test_a_cooldown_is_kept_from_the_end_of_a_trade_on() -> None:
    settings = with_settings(cooldown=10)
    ended = TradeSums(closed_at=MOMENT - timedelta(minutes=10) + timedelta(seconds=1))
    step = evaluate(view(BUY, settings=settings, sums=ended))
    assert (step.action, step.message) == ("ignored", "Waits 10 minutes after a trade")
    ended = TradeSums(closed_at=MOMENT - timedelta(minutes=10))
    assert evaluate(view(BUY, settings=settings, sums=ended)).action == "opened"
    # what turns closes, and then waits
    step = evaluate(view(SELL, held(), settings=settings))
    assert (step.action, position(step)) == ("closed", None)
    assert step.message.endswith("Waits 10 minutes after a trade")


def test_no_more_is_opened_than_the_account_may_have_open() -> None:
    settings = with_settings(max_positions=1)
    other = persons(symbol=ETH, quantity=Decimal(1))
    step = evaluate(view(BUY, other, settings=settings))
    assert (step.action, step.change.bookings) == ("ignored", ())
    assert step.message == "The account has 1 open position, with at most 1 allowed"
    assert evaluate(view(BUY, other, settings=with_settings(max_positions=2))).action == "opened"
    # a turn leaves as many open as there were
    assert evaluate(view(SELL, held(), settings=settings)).action == "flipped"


def test_a_paused_bot_opens_nothing_but_closes() -> None:
    step = evaluate(view(BUY, status="paused"))
    assert (step.action, step.message) == ("ignored", "Is paused and opens nothing")
    step = evaluate(view(SELL, held(), status="paused"))
    assert (step.action, position(step)) == ("closed", None)
    assert evaluate(view(CLOSE, held(), status="paused")).action == "closed"


@pytest.mark.parametrize("owner", ["", "other-2"])
@pytest.mark.parametrize("signal", [BUY, SELL, CLOSE])
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_what_belongs_to_another_one_is_never_touched(
    owner: str, signal: Signal, side: str
) -> None:
    theirs = persons(side, owner=owner)
    step = evaluate(view(signal, theirs, settings=with_settings(trailing_stop=1, stop_loss=2)))
    assert step.change.bookings == ()
    assert step.action == ("none" if signal is CLOSE else "refused")
    if signal is not CLOSE:
        assert (owner or "the person") in step.message


def test_an_order_of_a_person_that_rests_keeps_the_bot_out() -> None:
    resting = persons(type="limit", price=Decimal(30_000))
    assert evaluate(view(BUY, resting)).action == "refused"


def lossy(mark: object, settings: BotSettings, run: Run | None = None, **changes: Any) -> Step:
    """What a bot does that bought at 40,000, now that the price is ``mark``."""
    return evaluate(
        view(
            None, held(settings=settings), at(mark), settings=settings, run=run or Run(), **changes
        )
    )


def test_a_loss_of_the_day_closes_and_stops() -> None:
    settings = with_settings(max_daily_loss=50)
    before = Run(day=MOMENT.date(), day_began=Decimal(0), best=Decimal(0))
    assert lossy(39_501, settings, before).stops == ""
    step = lossy(39_500, settings, before)
    assert step.stops == "Lost 50.00 USDT today, with at most 50.00 allowed"
    assert (step.action, position(step)) == ("closed", None)
    trade = next(each.fill for each in step.change.bookings if each.fill is not None).trade
    assert trade is not None
    assert trade.closed_because == step.stops


def test_a_new_day_begins_anew_but_not_the_best() -> None:
    settings = with_settings(max_daily_loss=50, max_drawdown=70)
    yesterday = (MOMENT - timedelta(days=1)).date()
    before = Run(day=yesterday, day_began=Decimal(0), best=Decimal(10))
    step = lossy(39_450, settings, before)
    assert (step.stops, position(step) is not None) == ("", True)
    assert step.run == Run(day=MOMENT.date(), day_began=Decimal(-55), best=Decimal(10))
    assert lossy(39_400, settings, step.run).stops.startswith("Is 70.00 USDT below its best")


def test_trades_and_the_position_count_together_with_fees_and_funding() -> None:
    settings = with_settings(max_drawdown=100)
    before = Run(day=MOMENT.date(), day_began=Decimal(0), best=Decimal(0))
    lost = TradeSums(lost=Decimal(60))
    mine = held(settings=settings)
    found = position(mine)
    assert found is not None
    charged = replace(found, fees_paid=Decimal(7), funding=Decimal(-3))
    mine = replace(mine, positions=(charged,))
    limited = view(None, mine, at(39_700), settings=settings, sums=lost, run=before)
    assert limited.pnl == -60 - 10 - 30
    assert evaluate(limited).stops.startswith("Is 100.00 USDT below its best")
    assert evaluate(replace(limited, sums=TradeSums(lost=Decimal("59.99")))).stops == ""


def test_a_limit_comes_before_the_signal_and_stops_a_bot_that_holds_nothing() -> None:
    settings = with_settings(max_daily_loss=50)
    before = Run(day=MOMENT.date(), day_began=Decimal(0), best=Decimal(0))
    step = evaluate(view(BUY, settings=settings, run=before, sums=TradeSums(lost=Decimal(50))))
    assert step.stops
    assert (step.action, step.message, step.change.bookings) == ("none", step.stops, ())


@pytest.mark.parametrize(
    ("signal", "best", "end", "level"),
    [(BUY, 41_000, 40_500, 40_590), (SELL, 39_000, 39_500, 39_390)],
)
def test_a_trailing_stop_follows_the_price_and_is_what_the_trade_ends_with(
    signal: Signal, best: object, end: object, level: object
) -> None:
    settings = with_settings(trailing_stop=1, take_profit=10)
    mine = held(signal, settings).marked(at(best))
    assert exits(mine)["trailing_stop"] == level
    assert evaluate(view(None, mine, at(best), settings=settings)).change.bookings == ()
    after = advance(mine, at(end), {})
    trade = next(each.fill for each in after.bookings if each.fill is not None).trade
    assert trade is not None
    assert (trade.owner, trade.closed_because, trade.pnl) == (BOT, "Trailing stop", 50)
    assert after.account.orders == ()


def test_a_trailing_stop_that_somebody_cancelled_is_placed_anew() -> None:
    settings = with_settings(trailing_stop=1)
    mine = replace(held(settings=settings), orders=())
    step = evaluate(view(None, mine, settings=settings))
    (stop,) = step.change.account.orders
    assert (stop.trigger_level, stop.owner, stop.because) == (39_600, BOT, "Trailing stop")


def test_a_trailing_stop_gets_the_distance_of_changed_settings() -> None:
    mine = held(settings=with_settings(trailing_stop=1))
    step = evaluate(view(None, mine, at(41_000), settings=with_settings(trailing_stop=2)))
    assert exits(step) == {"trailing_stop": 40_180}


def test_nothing_is_trailed_without_a_live_price() -> None:
    settings = with_settings(trailing_stop=1)
    quiet = at(42_000, live=frozenset({ETH}))
    assert evaluate(view(None, held(), quiet, settings=settings)).change.bookings == ()


def test_a_signal_from_outside_may_name_a_size() -> None:
    for unit in ("usdt", "percent"):
        settings = with_settings(stake=10, stake_unit=unit)
        step = evaluate(view(BUY, settings=settings, size=Decimal("0.0259")))
        found = position(step)
        assert found is not None
        assert (found.quantity, found.leverage) == (Decimal("0.025"), 4)
    assert evaluate(view(BUY, size=Decimal("0.0001"))).message.startswith(
        "The smallest order of BTC"
    )


def test_an_edge_of_the_price_refuses_without_a_change() -> None:
    settings = with_settings(stop_loss=0.0001)
    step = evaluate(view(BUY, settings=settings))
    assert (step.action, step.change.bookings) == ("refused", ())
    assert "stop-loss of this order must be below 40,000" in step.message


def test_what_a_bot_holds_on_another_feed_is_left_where_it_is() -> None:
    mine = held()
    elsewhere = at(30_000, feed="binance")
    step = evaluate(view(SELL, mine, elsewhere))
    assert (step.action, step.change.bookings) == ("refused", ())
    assert "open on the feed simulated" in step.message


def test_every_order_of_a_look_has_an_id_of_its_own() -> None:
    settings = with_settings(trailing_stop=1, take_profit=5)
    step = evaluate(view(SELL, held(settings=settings), settings=settings, order_id="o-2"))
    orders: tuple[Order, ...] = step.change.account.orders
    ids = [each.fill.order_id for each in step.change.bookings if each.fill is not None]
    assert sorted(ids + [each.id for each in orders]) == ["o-2", "o-2-close", "o-2-stop", "o-2-tp"]


def test_closing_by_hand_leaves_the_bot_flat() -> None:
    mine = close_position(held(), BTC, at(41_000), "p-9", MOMENT).account
    step = evaluate(view(BUY, mine))
    assert step.action == "opened"
