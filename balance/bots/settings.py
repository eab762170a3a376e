"""What a bot is told to do: its settings, checked, and what it keeps between two looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, cast, get_args

from balance.core import request
from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.figures import grouped
from balance.core.market import Market
from balance.core.money import LIMIT, ZERO, exact, number
from balance.core.shape import Doc
from balance.strategies.strategy import Kind

Direction = Literal["both", "long", "short"]
StakeUnit = Literal["usdt", "percent"]
#: ``paused`` opens nothing, but lets its strategy close and its stop trail; ``stopped`` does
#: nothing at all, and what it holds stays with its take-profit and stop-loss.
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
    symbol: Annotated[str, Doc("Such as BTC/USDT, also written btc-usdt.")]
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
    leverage: Annotated[Decimal, Doc(type="integer", minimum=1)] = Decimal(3)
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
        int, Doc("Minutes of the market's time from the end of a trade to the next.", minimum=0)
    ] = 0
    max_positions: Annotated[
        int | None,
        Doc(
            "Opens nothing while the account has so many open positions; null: any number.",
            minimum=1,
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
# the limits that are above zero, and what they are at most
_MOST: Final[Mapping[str, Decimal]] = MappingProxyType(
    {
        "stop_loss": _MOST_PERCENT,
        "take_profit": _MOST_TAKE_PROFIT,
        "trailing_stop": _MOST_PERCENT,
        "max_daily_loss": LIMIT,
        "max_drawdown": LIMIT,
    }
)


def settings_of(
    asked: Mapping[str, Any], kind_of: KindOf, market: Market, before: BotSettings | None = None
) -> BotSettings:
    """The settings that the members of ``asked`` tell; what they leave out, of the parameters as
    well, is as ``before`` or, in a new bot, as usual.

    Raises:
        InvalidRequest: a member is missing, unknown or makes no sense.
        InvalidAmount: a number is none, or out of its range.
    """
    unknown = sorted(set(asked) - set(MEMBERS))
    if unknown:
        raise InvalidRequest(f"A bot has {', '.join(MEMBERS)}, but not {unknown[0]!r:.40}.")
    members = {} if before is None else {each: getattr(before, each) for each in MEMBERS}
    if asked.get("strategy", members.get("strategy")) != members.get("strategy"):
        # those of another strategy
        members.pop("params", None)
    known = members.get("params", {})
    members.update(asked)
    for name in ("name", "symbol", "strategy"):
        if members.get(name) is None:
            raise InvalidRequest(f"A bot needs a {name}.")
    values = {name: _READ[name](members[name], name) for name in MEMBERS if name in members}
    values["symbol"] = request.symbol(members["symbol"], market)
    kind = kind_of(values["strategy"])
    params = values.get("params", {})
    if "params" in asked:
        # an own strategy may have lost one since
        kept = {each.name: known[each.name] for each in kind.parameters if each.name in known}
        params = {**kept, **params}
    kind.make(params)
    values["params"] = kind.values(params)
    settings = BotSettings(**values)
    if settings.stake_unit == "percent" and settings.stake > _MOST_PERCENT:
        raise InvalidAmount(f"The stake must be at most 100 %, not {grouped(settings.stake)}.")
    most = market.instrument(settings.symbol).brackets[0].max_leverage
    if settings.leverage > most:
        raise InvalidAmount(f"The leverage must be at most {most:f}, not {settings.leverage:f}.")
    return settings


def read_settings(members: Mapping[str, Any]) -> BotSettings:
    """The settings that were kept as ``members``, all of them; each is checked by itself, as the
    strategy and the symbol may be gone by now.

    Raises:
        KeyError: one is missing.
        InvalidRequest, InvalidAmount: one makes no sense.
    """
    return BotSettings(**{name: _READ[name](members[name], name) for name in MEMBERS})


def _name(value: object, _: str) -> str:
    name = value.strip() if isinstance(value, str) else ""
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise InvalidRequest(f"The name must be a printable text of 1 to {LONGEST_NAME} letters.")
    return name


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be a text, not {value!r:.40}.")
    return value


def _word(*words: str) -> Callable[[object, str], str]:
    def read(value: object, name: str) -> str:
        if not isinstance(value, str) or value not in words:
            raise InvalidRequest(f"{name} must be one of {', '.join(words)}, not {value!r:.40}.")
        return value

    return read


def _params(value: object, name: str) -> Mapping[str, int | float]:
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"{name} must be an object of the strategy's parameters.")
    return {each: _plain_number(number, each) for each, number in value.items()}


def _plain_number(value: object, name: str) -> int | float:
    exact_value = number(value, name)
    whole = int(exact_value)
    return whole if whole == exact_value else float(exact_value)


def _stake(value: object, name: str) -> Decimal:
    return request.positive(value, name)


def _whole(value: object, name: str, least: int, most: int) -> int:
    read = number(value, name)
    if read != read.to_integral_value() or not least <= read <= most:
        raise InvalidAmount(f"{name} must be a whole number from {least} to {most:,}.")
    return int(read)


def _leverage(value: object, name: str) -> Decimal:
    return Decimal(_whole(value, name, 1, 1_000))


def _confidence(value: object, name: str) -> Decimal:
    read = number(value, name)
    if not 0 <= read <= 1:
        raise InvalidAmount(f"{name} must be from 0 to 1, not {grouped(read)}.")
    return read


def _limit(value: object, name: str) -> Decimal | None:
    if value is None:
        return None
    most = _MOST[name]
    is_below = most == _MOST_PERCENT
    with exact():
        read = +number(value, name)
    if not 0 < read <= most or (is_below and read == most):
        words = f"{'below' if is_below else 'at most'} {most:,f}"
        raise InvalidAmount(f"{name} must be above 0 and {words}, not {grouped(read)}.")
    return read


def _cooldown(value: object, name: str) -> int:
    return _whole(value, name, 0, _LONGEST_COOLDOWN)


def _positions(value: object, name: str) -> int | None:
    return None if value is None else _whole(value, name, 1, 1_000)


_READ: Final[Mapping[str, Callable[[Any, str], Any]]] = MappingProxyType(
    {
        "name": _name,
        "symbol": _text,
        "timeframe": _word(*TIMEFRAMES),
        "strategy": _text,
        "params": _params,
        "direction": _word(*get_args(Direction)),
        "stake": _stake,
        "stake_unit": _word(*get_args(StakeUnit)),
        "leverage": _leverage,
        "min_confidence": _confidence,
        **dict.fromkeys(_MOST, _limit),
        "cooldown": _cooldown,
        "max_positions": _positions,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the limits of a bot go by: P&L in the quote currency, days of the market in UTC."""

    day: date | None = None
    # its P&L when the day began, and the best that it had since it was started
    day_began: Decimal = ZERO
    best: Decimal | None = None

    def at(self, now: datetime, pnl: Decimal) -> Run:
        """The run when the P&L is ``pnl`` at ``now``."""
        best = pnl if self.best is None else max(self.best, pnl)
        if self.day != now.date():
            return Run(day=now.date(), day_began=pnl, best=best)
        return self if best == self.best else replace(self, best=best)

    def broken(self, settings: BotSettings, pnl: Decimal) -> str:
        """Which limit of ``settings`` a P&L of ``pnl`` breaks, in words; empty if none."""
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


def status(word: str) -> Status:
    """The status that ``word`` names.

    Raises:
        ValueError: it names none.
    """
    if word not in get_args(Status):
        raise ValueError(f"a bot is {', '.join(get_args(Status))}, not {word!r}")
    return cast(Status, word)
