"""The strategies that are built in, in the order in which they are offered."""

from __future__ import annotations

from typing import Final

from balance.core.strategies.bollinger_reversion import BollingerReversion
from balance.core.strategies.buy_and_hold import BuyAndHold
from balance.core.strategies.donchian_breakout import DonchianBreakout
from balance.core.strategies.ema_crossover import EmaCrossover
from balance.core.strategies.rsi_reversion import RsiReversion
from balance.core.strategies.signals import Signals
from balance.core.strategy import Kind, kind_of

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
