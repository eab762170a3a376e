"""Whatever bots decide and whatever the market and a person do: the account keeps its laws, and no
bot touches what is not its own."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from balance.bots.rules import Step, View, evaluate
from balance.bots.settings import BotSettings, Direction, Run, StakeUnit
from balance.core import operations
from balance.core.account import Account
from balance.core.change import Change
from balance.core.entry import replay
from balance.core.errors import AccountingError, BalanceError
from balance.core.matching import advance, is_due
from balance.core.orders import close_position, place_order
from balance.core.ticket import Ticket
from balance.core.trade_sums import TradeSums
from balance.store.state import State, first_state, next_state
from balance.strategies.strategy import Signal
from tests.accounts import MOMENT, explained
from tests.markets import BTC, ETH, market, quote

MINUTE = timedelta(minutes=1)
PERCENT = (None, None, "0.05", "1", "5", "90")


def any_settings(chance: Random, symbol: str) -> BotSettings:
    """Whatever a bot on ``symbol`` may be told."""
    percent = {
        name: each and Decimal(each)
        for name in ("stop_loss", "take_profit", "trailing_stop")
        for each in [chance.choice(PERCENT)]
    }
    directions: tuple[Direction, ...] = ("both", "both", "long", "short")
    units: tuple[StakeUnit, ...] = ("usdt", "percent")
    return BotSettings(
        name="Any",
        symbol=symbol,
        strategy="signals",
        direction=chance.choice(directions),
        stake=chance.choice([Decimal(5), Decimal(25), Decimal(100)]),
        stake_unit=chance.choice(units),
        leverage=chance.choice([Decimal(1), Decimal(10), Decimal(75)]),
        cooldown=chance.choice([0, 0, 3]),
        max_positions=chance.choice([None, None, 1, 2]),
        max_daily_loss=chance.choice([None, None, Decimal(50)]),
        max_drawdown=chance.choice([None, None, Decimal(100)]),
        **percent,
    )


@dataclass
class Bot:
    """One bot, as it is kept between two looks."""

    id: str
    settings: BotSettings
    run: Run = field(default_factory=Run)
    is_stopped: bool = False


class World:
    """An account, its market, and three bots of which two are on one symbol."""

    def __init__(self, bots: list[Bot]) -> None:
        self.bots = bots
        self.market = market(quote(BTC, 40_000), quote(ETH, 2_000))
        self.state: State = first_state("a", operations.start_account(), MOMENT, "program")
        self.replay: Account | None = replay(self.state.entries)
        # by owner; the person has none
        self.sums: defaultdict[str, TradeSums] = defaultdict(TradeSums)
        self.looks = 0

    @property
    def account(self) -> Account:
        """The account at the newest prices."""
        return self.state.account.marked(self.market)

    def move(self, symbol: str, percent: Decimal) -> None:
        """A minute goes by, in which ``symbol`` becomes dearer by ``percent``."""
        quotes = {
            each.symbol: quote(
                each.symbol,
                (each.mark * (1 + percent / 100)).quantize(Decimal("0.1"))
                if each.symbol == symbol
                else each.mark,
                time=each.time + MINUTE,
            )
            for each in self.market.quotes.values()
        }
        bests = self.state.account.bests(self.market)
        self.market = replace(self.market, quotes=quotes, bests=bests)
        if is_due(self.state.account, self.market):
            self.commit(advance(self.state.account, self.market, {}))

    def order(self, symbol: str, side: str, close: bool) -> None:
        """A person orders, or closes what there is."""
        try:
            if close:
                change = close_position(
                    self.account, symbol, self.market, self.id(), self.now(symbol)
                )
            else:
                ticket = Ticket(symbol=symbol, side=side, percent=Decimal(20))  # type: ignore[arg-type]
                change = place_order(self.account, ticket, self.market, self.id(), self.now(symbol))
        except AccountingError:
            raise
        except BalanceError:
            return
        self.commit(change)

    def look(self, number: int, signal: Signal | None, paused: bool) -> None:
        """Let a bot look."""
        bot = self.bots[number]
        if bot.is_stopped:
            return
        before = self.account
        seen = View(
            owner=bot.id,
            settings=bot.settings,
            status="paused" if paused else "running",
            sums=self.sums[bot.id],
            run=bot.run,
            account=before,
            market=self.market,
            time=self.now(bot.settings.symbol),
            order_id=self.id(),
            signal=signal,
        )
        step = evaluate(seen)
        self.check_view(seen, step)
        bot.run, bot.is_stopped = step.run, bool(step.stops)
        if step.change.bookings:
            self.commit(step.change)

    def check_view(self, seen: View, step: Step) -> None:
        """That a look did what it says, to its own, and nothing else."""
        before, after, owner = seen.account, step.change.account, seen.owner
        symbol = seen.settings.symbol
        for each in (*before.positions, *after.positions):
            if each.owner != owner:
                assert each in before.positions
                assert each in after.positions
        mine = {each.id for each in (*before.orders, *after.orders) if each.owner == owner}
        for order in (*before.orders, *after.orders):
            if order.id not in mine and (seen.held is None or order.symbol != symbol):
                assert order in before.orders
                assert order in after.orders
        fills = [each.fill for each in step.change.bookings if each.fill is not None]
        assert {(each.owner, each.symbol) for each in fills} <= {(owner, symbol)}
        held = after.position(symbol)
        is_mine = held is not None and held.owner == owner
        expected = {"opened": (False, True), "closed": (True, False), "flipped": (True, True)}
        if step.action in expected:
            assert (seen.held is not None, is_mine) == expected[step.action]
        else:
            assert not fills
        if seen.status == "paused":
            assert step.action not in ("opened", "flipped")
        if step.stops:
            assert not is_mine
        assert step.message or step.action == "none"
        assert not step.message.endswith(".")

    def commit(self, change: Change) -> None:
        """Keep ``change``, and check what must be true after everything."""
        self.state = next_state(self.state, lambda _: change, MOMENT, "x")
        self.replay = replay(self.state.entries, self.replay)
        for entry in self.state.entries:
            trade = entry.booking.fill.trade if entry.booking.fill is not None else None
            if trade is not None:
                self.sums[trade.owner] = self.sums[trade.owner].with_trade(trade)
        self.check()

    def check(self) -> None:
        """The laws of the account."""
        account, wallet = self.account, self.state.account.wallet
        assert explained(wallet) == wallet.balance
        assert account.available_balance >= 0
        margins = sum(each.isolated_margin for each in account.positions)
        assert margins + sum(each.reserved_margin for each in account.orders) == account.used_margin
        symbols = [each.symbol for each in account.positions]
        assert len(symbols) == len(set(symbols))
        assert self.replay is not None
        assert self.replay.marked(self.market) == account
        owners = {each.symbol: each.owner for each in account.positions}
        for order in account.orders:
            # what is to close a position goes with it, and is its owner's
            assert order.reserved_margin == 0
            assert owners[order.symbol] == order.owner
        kinds = [(each.symbol, each.type) for each in account.orders]
        assert len(kinds) == len(set(kinds))
        self.check_sums()

    def check_sums(self) -> None:
        """What the trades of all have brought is what the account has."""
        wallet = self.state.account.wallet
        open_now = sum(each.net_pnl for each in self.state.account.positions)
        sums = sum(each.pnl for each in self.sums.values())
        assert wallet.balance == wallet.starting_balance + sums + open_now

    def id(self) -> str:
        """An id that no order had before."""
        self.looks += 1
        return f"o-{self.looks}"

    def now(self, symbol: str) -> datetime:
        """The time of the market."""
        return self.market.quotes[symbol].time


MOVES = [Decimal(each) for each in ("0.2", "-0.2", "1", "-1", "1", "-1", "6", "-6", "-40")]


def step(world: World, chance: Random) -> None:
    """One of the things that may happen; most of the time it is the turn of the same bot, so that
    it comes to more than opening."""
    match chance.choice(["move"] * 3 + ["look"] * 8 + ["order"]):
        case "move":
            world.move(chance.choice([BTC, BTC, ETH]), chance.choice(MOVES))
        case "look":
            side = chance.choice(["buy", "sell", "buy", "sell", "close", "hold"])
            signal = Signal(side, 0.7, "Because")  # type: ignore[arg-type]
            number = chance.choice([0, 0, 0, 1, 2, 2])
            world.look(number, chance.choice([signal, signal, None]), chance.random() < 0.2)
        case _:
            side = chance.choice(["buy", "sell"])
            world.order(chance.choice([BTC, ETH]), side, close=chance.random() < 0.6)


@settings(max_examples=60)
@given(st.integers(0, 10**9))
def test_bots_keep_the_laws_of_the_account_whatever_comes(seed: int) -> None:
    chance = Random(seed)
    symbols = [BTC, BTC, ETH]
    world = World([Bot(f"bot-{n}", any_settings(chance, each)) for n, each in enumerate(symbols)])
    for _ in range(60):
        step(world, chance)


@settings(max_examples=40)
@given(
    st.sampled_from(["buy", "sell"]),
    st.sampled_from([Decimal("0.3"), Decimal(1), Decimal(20)]),
    st.lists(st.sampled_from(MOVES[:-1]), min_size=1, max_size=30),
)
def test_a_trailing_stop_never_gives_way(side: str, percent: Decimal, moves: list[Decimal]) -> None:
    settings = BotSettings(
        name="Any",
        symbol=BTC,
        strategy="signals",
        leverage=Decimal(2),
        trailing_stop=percent,
    )
    world = World([Bot("bot-0", settings)])
    world.look(0, Signal(side, 1, ""), False)  # type: ignore[arg-type]
    direction, before = (1 if side == "buy" else -1), None
    for move in moves:
        world.move(BTC, move)
        world.look(0, None, False)
        held = world.account.position(BTC)
        if held is None:
            break
        (stop,) = world.account.orders
        assert stop.trigger_level is not None
        mark = world.market.quotes[BTC].mark
        assert 0 < (mark - stop.trigger_level) * direction <= mark * percent / 100
        assert before is None or (stop.trigger_level - before) * direction >= 0
        before = stop.trigger_level
