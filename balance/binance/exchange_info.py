"""What may be traded, and by which rules: all that clients check an order by before they send
it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from balance.binance.market_rows import largest_quantity
from balance.binance.names import short
from balance.binance.numbers import decimals_of, unit_text
from balance.binance.order_rows import TYPE_NAMES
from balance.core.instrument import Instrument
from balance.core.market import MOST_SLIPPAGE, Market
from balance.core.moments import milliseconds
from balance.core.money import CURRENCY, LIMIT, exactly
from balance.core.order import PATIENCE
from balance.core.ticket import MOST_ORDERS

# One date for all: clients take a symbol with another one than the rest for delisted.
_NEVER: Final = 4_133_404_800_000
# The usual ones of the exchange; nothing is counted here.
_LIMITS: Final = (
    ("REQUEST_WEIGHT", "MINUTE", 1, 2_400),
    ("ORDERS", "MINUTE", 1, 1_200),
    ("ORDERS", "SECOND", 10, 300),
)
# So wide that no price is refused for it.
_PERCENT_PRICE: Final = {
    "filterType": "PERCENT_PRICE",
    "multiplierUp": unit_text(LIMIT * LIMIT),
    "multiplierDown": "0",
    "multiplierDecimal": "0",
}


def exchange_info(market: Market, now: datetime) -> dict[str, Any]:
    """The whole of it, at ``now`` by this machine's clock."""
    return {
        "timezone": "UTC",
        "serverTime": milliseconds(now),
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
            for kind, interval, number, limit in _LIMITS
        ],
        "exchangeFilters": [],
        "assets": [
            {"asset": each, "marginAvailable": True, "autoAssetExchange": "0"}
            for each in dict.fromkeys([CURRENCY, *map(quote_asset, market.instruments)])
        ],
        "symbols": [symbol_row(each) for each in market.instruments.values()],
    }


def quote_asset(symbol: str) -> str:
    """The currency of the prices of ``symbol``: ``"USDT"`` of ``"BTC/USDT"``."""
    return symbol.partition("/")[2]


@exactly
def symbol_row(rules: Instrument) -> dict[str, Any]:
    """``rules`` as a symbol of the exchange."""
    name, quote, first = short(rules.symbol), quote_asset(rules.symbol), rules.brackets[0]
    return {
        "symbol": name,
        "pair": name,
        "contractType": "PERPETUAL",
        "deliveryDate": _NEVER,
        "onboardDate": 0,
        "status": "TRADING",
        "maintMarginPercent": f"{first.maintenance_rate * 100:.4f}",
        "requiredMarginPercent": f"{100 / first.max_leverage:.4f}",
        "baseAsset": rules.base,
        "quoteAsset": quote,
        # A coin that is taken 1:1 is margined in itself, or clients would know no such contract.
        "marginAsset": quote,
        "pricePrecision": decimals_of(rules.tick_size),
        "quantityPrecision": decimals_of(rules.step_size),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": "0.0000",
        "liquidationFee": "0.000000",
        "marketTakeBound": unit_text(MOST_SLIPPAGE),
        "filters": filters(rules),
        "orderTypes": list(TYPE_NAMES.values()),
        "timeInForce": list(PATIENCE),
    }


def filters(rules: Instrument) -> list[dict[str, Any]]:
    """The filters that an order must pass; one that passes is refused for none of them."""
    lot = {
        "minQty": unit_text(max(rules.min_quantity, rules.step_size)),
        "maxQty": unit_text(largest_quantity(rules)),
        "stepSize": unit_text(rules.step_size),
    }
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": unit_text(rules.tick_size),
            "maxPrice": unit_text(rules.price_down(LIMIT)),
            "tickSize": unit_text(rules.tick_size),
        },
        {"filterType": "LOT_SIZE", **lot},
        {"filterType": "MARKET_LOT_SIZE", **lot},
        {"filterType": "MAX_NUM_ORDERS", "limit": MOST_ORDERS},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": MOST_ORDERS},
        {"filterType": "MIN_NOTIONAL", "notional": unit_text(rules.min_notional)},
        _PERCENT_PRICE,
    ]
