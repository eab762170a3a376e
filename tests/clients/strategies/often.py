"""Strategies of freqtrade that make something happen: they are no way to earn money."""

from datetime import datetime

from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class Often(IStrategy):
    """Follows the last minute, long and short, with a stop on the exchange that trails."""

    INTERFACE_VERSION = 3
    timeframe = "1m"
    can_short = True
    startup_candle_count = 5
    minimal_roi = {"0": 0.004}
    stoploss = -0.01
    trailing_stop = True
    order_types = {
        "entry": "limit",
        "exit": "limit",
        "stoploss": "limit",
        "stoploss_on_exchange": True,
        "stoploss_on_exchange_interval": 60,
    }

    def leverage(self, pair: str, **_: object) -> float:
        """Another one for each symbol."""
        return {"BTC": 10.0, "ETH": 5.0}.get(pair.partition("/")[0], 3.0)

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """None."""
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """With the last minute."""
        dataframe.loc[dataframe["close"] > dataframe["open"], "enter_long"] = 1
        dataframe.loc[dataframe["close"] < dataframe["open"], "enter_short"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """When the minute turned."""
        dataframe.loc[dataframe["close"] < dataframe["open"], "exit_long"] = 1
        dataframe.loc[dataframe["close"] > dataframe["open"], "exit_short"] = 1
        return dataframe


class Forced(Often):
    """Enters and leaves only when it is forced to; its stop comes closer to a short.

    A trade that is tagged ``close`` has its stop moved to just beside the market; one that is
    tagged ``adjust`` is added to, then reduced."""

    minimal_roi = {"0": 10.0}
    stoploss = -0.1
    trailing_stop = False
    use_custom_stoploss = True
    position_adjustment_enable = True
    # freqtrade reads the fee of one exit of a trade and takes it for all: all are the taker's.
    order_types = {
        **Often.order_types,
        "entry": "market",
        "exit": "market",
        "stoploss_on_exchange_interval": 1,
    }

    def leverage(self, pair: str, **_: object) -> float:
        """Five times."""
        return 5.0

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """None."""
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """None."""
        return dataframe

    def custom_stoploss(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        after_fill: bool,
        **_: object,
    ) -> float | None:
        """Closer by and by, as part of the stake."""
        if trade.enter_tag != "close":
            return None
        held = (current_time - trade.open_date_utc).total_seconds()
        return -0.05 if held < 20 else -0.001

    def adjust_trade_position(self, trade: Trade, **_: object) -> float | None:
        """Half of the stake more, then a third of it less."""
        if trade.enter_tag != "adjust" or trade.has_open_orders:
            return None
        if trade.nr_of_successful_entries == 1:
            return trade.stake_amount / 2
        return None if trade.nr_of_successful_exits else -trade.stake_amount / 3
