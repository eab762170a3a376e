"""The strategies that are built in, in the order in which they are offered."""

from __future__ import annotations

from typing import Final

from balance.strategies.bollinger_reversion import BollingerReversion
from balance.strategies.buy_and_hold import BuyAndHold
from balance.strategies.donchian_breakout import DonchianBreakout
from balance.strategies.ema_crossover import EmaCrossover
from balance.strategies.rsi_reversion import RsiReversion
from balance.strategies.signals import Signals
from balance.strategies.strategy import Kind, kind_of

_CLASSES: Final = (
    EmaCrossover,
    RsiReversion,
    DonchianBreakout,
    BollingerReversion,
    BuyAndHold,
    Signals,
)

#: Every built-in strategy.
BUILT_IN: Final[tuple[Kind, ...]] = tuple(
    kind for kind in map(kind_of, _CLASSES) if kind is not None
)
