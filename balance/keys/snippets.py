"""Snippets: the configuration of each client to trade here, which is an address and a key.

The texts name what is to be filled in as ``$KEY``, ``$SECRET``, ``$REST`` and ``$WS``, and those of
an agent as ``$NAME``, ``$PYTHON``, ``$DATA`` and ``$HOME``. No client asks the real exchange with
its snippet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Annotated, Final

from balance.core.shape import Doc
from balance.keys.addresses import Addresses
from balance.keys.key import Key, Kind


@dataclass(frozen=True, slots=True)
class Snippet:
    """The configuration of one client."""

    # Short, and the same for ever: ``freqtrade``.
    client: str
    label: Annotated[str, Doc("The client's name.")]
    language: Annotated[str, Doc("Of its text.", enum=["python", "json"])]
    words: Annotated[str, Doc("Where its text belongs, and what else to know.")]
    # Who uses it: a program with a key, or an agent.
    kind: Kind
    text: str

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with ``values`` by their names."""
        return Template(self.text).substitute(values)


_CCXT: Final = """\
import $MODULE

REST, STREAMS = "$REST", "$WS"
versions = {
    "fapiPublic": 1,
    "fapiPublicV2": 2,
    "fapiPublicV3": 3,
    "fapiPrivate": 1,
    "fapiPrivateV2": 2,
    "fapiPrivateV3": 3,
}
api = {name: f"{REST}/fapi/v{version}" for name, version in versions.items()}
api["ws"] = {
    "future": f"{STREAMS}/ws",
    "linear": f"{STREAMS}/ws",
    "ws-api": {"future": f"{STREAMS}/ws-fapi/v1", "linear": f"{STREAMS}/ws-fapi/v1"},
}
exchange = ccxt.binanceusdm(
    {
        "apiKey": "$KEY",
        "secret": "$SECRET",
        "urls": {"api": api},
        "options": {"fetchCurrencies": False},
    }
)
"""

_AGENT: Final = """\
{
  "$SERVERS": {
    "virtual-balance": {
      $TYPE"command": "$PYTHON",
      "args": ["-m", "balance", "mcp", "--name", "$NAME"$DATA]$HOME
    }
  }
}
"""

#: One for each client, in the order in which they are offered.
SNIPPETS: Final = (
    Snippet(
        "ccxt",
        "ccxt",
        "python",
        "Then as with every exchange: "
        'exchange.create_order("BTC/USDT:USDT", "market", "buy", 0.01).',
        "key",
        _CCXT.replace("$MODULE", "ccxt"),
    ),
    Snippet(
        "ccxt.pro",
        "ccxt.pro",
        "python",
        'The same with streams: await exchange.watch_ticker("BTC/USDT:USDT").',
        "key",
        _CCXT.replace("$MODULE", "ccxt.pro as ccxt"),
    ),
    Snippet(
        "freqtrade",
        "freqtrade",
        "json",
        "Save it as desk.json beside the bot's own config.json, and start it with both: "
        "freqtrade trade -c config.json -c desk.json.",
        "key",
        """\
{
  "trading_mode": "futures",
  "margin_mode": "isolated",
  "dry_run": false,
  "stake_currency": "USDT",
  "exchange": {
    "name": "binance",
    "key": "$KEY",
    "secret": "$SECRET",
    "only_from_ccxt": true,
    "ccxt_config": {
      "urls": {
        "api": {
          "fapiPublic": "$REST/fapi/v1",
          "fapiPublicV2": "$REST/fapi/v2",
          "fapiPublicV3": "$REST/fapi/v3",
          "fapiPrivate": "$REST/fapi/v1",
          "fapiPrivateV2": "$REST/fapi/v2",
          "fapiPrivateV3": "$REST/fapi/v3"
        }
      },
      "options": {"fetchMarkets": {"types": ["linear"]}, "fetchCurrencies": false}
    },
    "pair_whitelist": ["BTC/USDT:USDT"]
  }
}
""",
    ),
    Snippet(
        "python-binance",
        "python-binance",
        "python",
        "Its futures_ methods trade here. Keep ping=False: it would ask the real exchange first.",
        "key",
        """\
from binance import AsyncClient, BinanceSocketManager, Client

client = Client("$KEY", "$SECRET", ping=False)
client.FUTURES_URL = "$REST/fapi"


async def streams():
    client = AsyncClient("$KEY", "$SECRET")
    client.FUTURES_URL = "$REST/fapi"
    manager = BinanceSocketManager(client)
    manager.FSTREAM_URL = "$WS/"
    return manager
""",
    ),
    Snippet(
        "sdk",
        "Binance SDK",
        "python",
        "The official binance-sdk-derivatives-trading-usds-futures.",
        "key",
        """\
from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (
    DerivativesTradingUsdsFutures,
)

KEY, SECRET = "$KEY", "$SECRET"
REST, STREAMS = "$REST", "$WS"
client = DerivativesTradingUsdsFutures(
    config_rest_api=ConfigurationRestAPI(api_key=KEY, api_secret=SECRET, base_path=REST),
    config_ws_streams=ConfigurationWebSocketStreams(stream_url=STREAMS),
    config_ws_api=ConfigurationWebSocketAPI(
        api_key=KEY, api_secret=SECRET, stream_url=f"{STREAMS}/ws-fapi/v1"
    ),
)
""",
    ),
    Snippet(
        "connector",
        "Binance connector",
        "python",
        "The older official binance-futures-connector; not in one environment with python-binance, "
        "as both are called binance.",
        "key",
        """\
from binance.um_futures import UMFutures
from binance.websocket.um_futures.websocket_client import UMFuturesWebsocketClient

client = UMFutures(key="$KEY", secret="$SECRET", base_url="$REST")
streams = UMFuturesWebsocketClient(stream_url="$WS")
""",
    ),
    Snippet(
        "nautilus",
        "NautilusTrader",
        "python",
        "Its two configurations of Binance, for the data and for the orders.",
        "key",
        """\
from nautilus_trader.adapters.binance import (
    BinanceAccountType,
    BinanceDataClientConfig,
    BinanceExecClientConfig,
)

here = {
    "api_key": "$KEY",
    "api_secret": "$SECRET",
    "account_type": BinanceAccountType.USDT_FUTURES,
    "base_url_http": "$REST",
    "base_url_ws": "$WS",
}
data, orders = BinanceDataClientConfig(**here), BinanceExecClientConfig(**here)
""",
    ),
    Snippet(
        "mcp",
        "Claude, Cursor",
        "json",
        "Claude Desktop: in the file that Settings > Developer > Edit Config opens. Claude Code: "
        "in .mcp.json. Cursor: in .cursor/mcp.json.",
        "agent",
        _AGENT.replace("$SERVERS", "mcpServers").replace("$TYPE", ""),
    ),
    Snippet(
        "mcp-vscode",
        "VS Code",
        "json",
        "In .vscode/mcp.json.",
        "agent",
        _AGENT.replace("$SERVERS", "servers").replace("$TYPE", '"type": "stdio",\n      '),
    ),
)


def values_of(key: Key, addresses: Addresses) -> Mapping[str, str]:
    """What the snippets of a program with ``key`` are filled with, for the server at
    ``addresses``."""
    return {
        "KEY": key.key,
        "SECRET": key.secret,
        "REST": addresses.rest,
        "WS": addresses.stream,
    }


def agent_values(
    name: str, python: str, home: Path | None, folder: Path | None
) -> Mapping[str, str]:
    """What the snippets of the agent ``name`` are filled with: the interpreter ``python`` runs the
    program, which is in ``home`` where it was not installed, on the account in ``folder`` (None:
    the usual one)."""
    environment = {"PYTHONPATH": str(home)}
    return {
        "NAME": name,
        "PYTHON": json.dumps(python)[1:-1],
        "DATA": "" if folder is None else f', "--data-dir", {json.dumps(str(folder))}',
        "HOME": "" if home is None else f',\n      "env": {json.dumps(environment)}',
    }
