"""The settings of a bot, checked, and the figures that its limits are measured from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.figures import grouped, plain
from balance.core.market import Market
from balance.core.money import ZERO, number
from balance.core.request import check_names, check_required, readers, symbol
from balance.core.shape import Doc
from balance.core.ticket import LEAST_CALLBACK
from balance.strategies.strategy import Kind

Direction = Literal["both", "long", "short"]
StakeUnit = Literal["usdt", "percent"]
#: ``paused`` opens nothing, but lets its strategy close; ``stopped`` does nothing at all, and what
#: it holds stays with its exits.
Status = Literal["stopped", "running", "paused"]

#: How long a candle of each timeframe is, in seconds.
TIMEFRAMES: Final[Mapping[str, int]] = MappingProxyType(
    {"1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "4h": 14_400, "1d": 86_400}
)
LONGEST_NAME: Final = 40
_LONGEST_COOLDOWN: Final = 525_600
_MOST_PERCENT: Final = Decimal(100)
_MOST_TAKE_PROFIT: Final = Decimal(1_000)

PercentBelow = Annotated[
    Decimal | None,
    Doc(
        "In percent of the price; null: none.",
        exclusiveMinimum=0,
        exclusiveMaximum=int(_MOST_PERCENT),
    ),
]
#: Gives the strategy that an id names.
KindOf = Callable[[str], Kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSettings:
    """What a bot trades, by what strategy, with how much and within which limits."""

    name: Annotated[str, Doc("Unlike that of any other bot.", minLength=1, maxLength=LONGEST_NAME)]
    symbol: Annotated[str, Doc("Such as BTC/USDT, also written btc-usdt or BTCUSDT.P.")]
    timeframe: Annotated[str, Doc("Of the candles that it decides on.", enum=[*TIMEFRAMES])] = "5m"
    strategy: Annotated[str, Doc("An id of GET /strategies.")]
    params: Annotated[
        Mapping[str, int | float],
        Doc("The strategy's parameters by name; the usual ones where left out."),
    ] = field(default_factory=dict)
    direction: Direction = "both"
    stake: Annotated[
        Decimal, Doc("The margin of one position, in the stake_unit.", exclusiveMinimum=0)
    ] = Decimal(10)
    stake_unit: Annotated[StakeUnit, Doc("Of the available balance, or in USDT.")] = "percent"
    leverage: Annotated[Decimal, Doc(type="integer", minimum=1, maximum=1_000)] = Decimal(3)
    min_confidence: Annotated[
        Decimal, Doc("Leaves signals below it alone.", minimum=0, maximum=1)
    ] = ZERO
    stop_loss: PercentBelow = None
    take_profit: Annotated[
        Decimal | None,
        Doc(
            "In percent of the price; null: none.",
            exclusiveMinimum=0,
            maximum=int(_MOST_TAKE_PROFIT),
        ),
    ] = None
    trailing_stop: PercentBelow = None
    cooldown: Annotated[
        int,
        Doc(
            "Minutes of the market's time from the end of a trade to the next.",
            minimum=0,
            maximum=_LONGEST_COOLDOWN,
        ),
    ] = 0
    max_positions: Annotated[
        int | None,
        Doc(
            "Opens nothing while the account has so many open positions; null: any number.",
            minimum=1,
            maximum=1_000,
        ),
    ] = None
    max_daily_loss: Annotated[
        Decimal | None,
        Doc(
            "In USDT: when a day (UTC, the market's) has lost so much, it closes and stops; "
            "null: never.",
            exclusiveMinimum=0,
        ),
    ] = None
    max_drawdown: Annotated[
        Decimal | None,
        Doc(
            "In USDT: so far below its best P&L, it closes and stops; null: never.",
            exclusiveMinimum=0,
        ),
    ] = None

    @property
    def seconds(self) -> int:
        """How long one of its candles is."""
        return TIMEFRAMES[self.timeframe]


#: What the settings of a bot may have.
MEMBERS: Final = tuple(each.name for each in fields(BotSettings))


def settings_of(
    request: Mapping[str, Any], kind_of: KindOf, market: Market, before: BotSettings | None = None
) -> BotSettings:
    """The settings in ``request``; what it leaves out, of the parameters as well, is as ``before``
    or, in a new bot, the default.

    Raises:
        InvalidRequest: a member is missing, unknown or makes no sense.
        InvalidAmount: a number is none, or out of its range.
    """
    check_names(request, MEMBERS, "A bot")
    members = {} if before is None else {each: getattr(before, each) for each in MEMBERS}
    if request.get("strategy", members.get("strategy")) != members.get("strategy"):
        # They are those of another strategy.
        members.pop("params", None)
    known = members.get("params", {})
    members.update(request)
    check_required(members, ("name", "symbol", "strategy"), "A bot")
    values = {name: _READERS[name](members[name], name) for name in MEMBERS if name in members}
    values["symbol"] = symbol(members["symbol"], market)
    kind = kind_of(values["strategy"])
    params = values.get("params", {})
    if "params" in request:
        # An own strategy may have lost a parameter since.
        left = {each.name: known[each.name] for each in kind.parameters if each.name in known}
        params = {**left, **params}
    kind.make(params)
    values["params"] = kind.values(params)
    settings = BotSettings(**values)
    if settings.stake_unit == "percent" and settings.stake > _MOST_PERCENT:
        raise InvalidAmount(f"The stake must be at most 100 %, not {grouped(settings.stake)}.")
    trail = settings.trailing_stop
    if trail is not None and trail < LEAST_CALLBACK:
        raise InvalidAmount(
            f"The trailing_stop must be at least {LEAST_CALLBACK} %, not {plain(trail)}."
        )
    most = market.instrument(settings.symbol).brackets[0].max_leverage
    if settings.leverage > most:
        raise InvalidAmount(f"The leverage must be at most {most:f}, not {settings.leverage:f}.")
    return settings


def read_settings(members: Mapping[str, Any]) -> BotSettings:
    """The settings in ``members`` of a file, all of them; each is checked by itself, as the
    strategy and the symbol may be gone by now.

    Raises:
        KeyError: one is missing.
        InvalidRequest, InvalidAmount: one makes no sense.
    """
    return BotSettings(**{name: read(members[name], name) for name, read in _READERS.items()})


def _params(value: object, name: str) -> Mapping[str, int | float]:
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"{name} must be an object of the strategy's parameters.")
    return {each: _plain_number(number, each) for each, number in value.items()}


def _plain_number(value: object, name: str) -> int | float:
    exact_value = number(value, name)
    whole = int(exact_value)
    return whole if whole == exact_value else float(exact_value)


_READERS: Final = readers(BotSettings, params=_params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the limits of a bot are measured from: P&L in the quote currency, days of the market in
    UTC."""

    day: date | None = None
    # The P&L when the day began, and the best one since the bot was started.
    day_began: Decimal = ZERO
    best: Decimal | None = None

    def at(self, now: datetime, pnl: Decimal) -> Run:
        """The run when the P&L is ``pnl`` at ``now``."""
        best = pnl if self.best is None else max(self.best, pnl)
        if self.day != now.date():
            return Run(day=now.date(), day_began=pnl, best=best)
        return self if best == self.best else replace(self, best=best)

    def broken(self, settings: BotSettings, pnl: Decimal) -> str:
        """A message about the limit of ``settings`` that a P&L of ``pnl`` breaks; empty if none."""
        lost, down = self.day_began - pnl, (self.best or ZERO) - pnl
        if settings.max_daily_loss is not None and lost >= settings.max_daily_loss:
            return (
                f"Lost {grouped(_cents(lost))} USDT today, with at most "
                f"{grouped(settings.max_daily_loss)} allowed"
            )
        if settings.max_drawdown is not None and down >= settings.max_drawdown:
            return (
                f"Is {grouped(_cents(down))} USDT below its best, with at most "
                f"{grouped(settings.max_drawdown)} allowed"
            )
        return ""


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
