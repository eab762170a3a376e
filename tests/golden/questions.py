"""What the golden server is asked, and what it answers, as far as that is to stay."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from flask.testing import FlaskClient

from tests.patience import wait_for

#: Values that are not compared, with the reason; ``*`` is any path.
CHANCE: Final[Mapping[tuple[str, str], str]] = {
    ("*", "tick"): "counts what the server has shown, which its threads do as they get to it",
    ("*", "instance"): "is drawn anew by every process",
    ("/bots", "version"): "grows with the real clock and with what was told to the pages",
    ("/alerts", "version"): "grows with the real clock and with what was told to the pages",
    ("/backtests", "id"): "is drawn anew for every backtest",
}
#: Members whose texts are sentences, which may be put otherwise: only that there is one, and
#: whether it is empty, is compared. Of a ``display`` they are ``SENTENCES_SHOWN``.
SENTENCES: Final = frozenset({"words", "message", "detail", "fault"})
SENTENCES_SHOWN: Final = frozenset({"curve", "held_by"})

# so many rows are asked for where their order is all that is compared
_ALL: Final = 60
_BACKTEST: Final = "/backtests/{id}"
_TESTED: Final[Mapping[str, Any]] = {
    "symbol": "ETH/USDT",
    "timeframe": "1h",
    "strategy": "ema_crossover",
    "params": {"fast": 3, "slow": 8},
    "stake": 20,
    "leverage": 5,
    "stop_loss": 3,
    "balance": 5_000,
}
# what each list may be sorted by
_SORTS: Final[Mapping[str, str]] = {
    "ledger": "revision place time epoch kind source symbol owner amount balance note",
    "fills": "revision place time epoch kind source symbol owner side type reason liquidity "
    "quantity price fee closed_quantity realized_pnl position_pnl",
    "trades": "revision place time epoch kind source symbol owner side outcome quantity "
    "entry_price exit_price opened_at closed_at seconds pnl gross fees funding opened_because "
    "closed_because",
    "orders": "revision place time epoch source symbol owner client_id side type state "
    "time_in_force reduce_only quantity price trigger_price filled_quantity average_price fee "
    "realized_pnl liquidity ended_at because why",
    "epochs": "epoch opened_at ended_at seconds entries starting_balance deposits withdrawals "
    "adjustments realized_pnl fees_paid funding_paid balance pnl pnl_percent carried trades wins "
    "losses even win_rate profit_factor best_trade worst_trade return_percent "
    "max_drawdown_percent",
}
# what each list is downloaded sorted by
_AMOUNTS: Final = {
    "ledger": "amount",
    "fills": "realized_pnl",
    "trades": "pnl",
    "orders": "realized_pnl",
    "epochs": "pnl",
}
_BOUNDS: Final = (
    *(
        "from=2026-03-05T00:00:00Z",
        "to=2026-03-02T12:00:00Z",
        "least=0.5&limit=9",
        "most=-0.5&limit=9",
    ),
    *("least=-20&most=20&limit=9", "after=75", "until=8", "after=20&until=24&sort=time"),
)
_FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "ledger": (
        *("kind=liquidation", "kind=deposit,withdrawal,adjustment", "kind=reset,undo&epoch=2,3"),
        *("kind=order,cancel&limit=4&offset=5", "symbol=BTC/USDT,SOL/USDT&kind=funding&limit=6"),
        *("owner=you&kind=fee&limit=5", "owner=crossover-2&limit=5", "source=http", "text=RENT"),
        *("source=market&kind=realized_pnl", "text=%C3%9Cbertrag", "epoch=1&limit=3&sort=-amount"),
        "from=2026-03-02T20:00:00Z&to=2026-03-02T22:00:00Z",
    ),
    "fills": (
        *("reason=stop_loss,take_profit", "reason=liquidation", "reason=reset,undo", "side=sell"),
        *("symbol=ETH/USDT&side=buy", "owner=swing-1,signals-3", "source=bot&limit=3", "text=EMA"),
        "limit=4&offset=10&sort=-realized_pnl",
    ),
    "trades": (
        *("outcome=win", "outcome=loss&limit=3", "side=short&sort=pnl&limit=4", "owner=you"),
        *("symbol=SOL/USDT&owner=crossover-2&limit=3", "text=Lost", "epoch=3,4&limit=2&offset=2"),
    ),
    "orders": (
        *("state=NEW", "state=CANCELED,EXPIRED,REJECTED", "type=limit,stop_market&side=sell"),
        *("reduce_only=true", "time_in_force=GTC&limit=5", "text=EMA", "text=position"),
    ),
    "epochs": ("epoch=2,3", "epoch=9", "limit=1&offset=2"),
}
_OTHERS: Final = (
    *("/virtual_balance", "/prices", "/positions", "/orders", "/strategies", "/bots", "/bots/log"),
    "/leverage",
    *("/bots/log?bot=crossover-2&limit=7", "/bots/log?kind=ignored&limit=3", "/bots/log?limit=1"),
    *("/bots/log?kind=trade", "/bots/log?kind=state", "/bots/log?before=40&limit=5"),
    *("/bots/log?kind=error", "/bots/trades", "/bots/trades?limit=3", "/bots/trades?bot=swing-1"),
    *("/settings", "/alerts", "/alerts?limit=0", "/alerts?limit=2", "/performance", "/health"),
    *(f"/equity{each}" for each in ("", "?range=day", "?range=week", "?range=month")),
    *(f"/equity?range={each}" for each in ("quarter", "year", "all")),
    *("/candles/BTC-USDT", "/candles/ETH-USDT?timeframe=1h&limit=9", "/candles/SOL-USDT?limit=1"),
    *("/candles/BTC%2FUSDT?timeframe=4h", "/candles/BTC-USDT?timeframe=1d"),
    *("/virtual_balance/history", "/virtual_balance/history?limit=3"),
    *("/virtual_balance/history?before=40&limit=4", "/virtual_balance/history?before=50.3&limit=2"),
    *("/virtual_balance/history?kind=funding&limit=3", "/virtual_balance/history?epoch=2"),
    *("/virtual_balance/history?kind=adjustment&epoch=1", "/virtual_balance/history?before=3"),
    *("/virtual_balance/history?format=csv", "/virtual_balance/history?format=csv&limit=5"),
    *("/virtual_balance/history?format=csv&kind=fee&epoch=3", "/fills", "/fills?limit=2"),
    *("/fills?before=30&limit=3", "/fills?before=2", _BACKTEST),
    *("/orders?state=all&limit=6", "/orders?state=FILLED&symbol=BTC/USDT&limit=2"),
)
_REFUSED: Final = (
    *("/nothing", "/backtests/nothing", "/history/entries/9999", "/history/entries/1.9"),
    *("/history/entries/x", "/history/ledger?kind=nothing", "/history/fills?sort=nothing"),
    *("/history/trades?limit=0", "/history/epochs?limit=1001", "/history/ledger?offset=-1"),
    *("/history/ledger?from=yesterday", "/history/trades?outcome=nothing", "/fills?limit=0"),
    *("/history/ledger?format=xml", "/history/ledger?nothing=1", "/history/fills?least=x"),
    *("/history/ledger?limit=1&limit=2", "/virtual_balance/history?limit=1001"),
    *("/virtual_balance/history?kind=nothing", "/virtual_balance/history?before=x"),
    *("/virtual_balance/history?epoch=x", "/equity?range=century", "/alerts?limit=201"),
    *(
        "/bots/log?limit=501",
        "/bots/log?bot=nothing",
        "/bots/log?kind=nothing",
        "/bots/log?limit=x",
    ),
    *("/bots/trades?limit=1001", "/bots/trades?bot=nothing", "/candles/DOGE-USDT", "/bots/nothing"),
    *("/candles/BTC-USDT?timeframe=1y", "/candles/BTC-USDT?limit=1501", "/orders/nothing"),
    *("/orders?symbol=BTC/USDT", "/orders?state=OPEN", "/history/orders?kind=fee"),
)


def paths(entries: list[str]) -> Iterator[str]:
    """All that is asked for; ``entries`` are the places of the whole ledger."""
    yield from _OTHERS
    for table, sorts in _SORTS.items():
        yield f"/history/{table}?limit=20&offset=3"
        for column in sorts.split():
            yield f"/history/{table}?limit={_ALL}&sort={column}"
            yield f"/history/{table}?limit={_ALL}&sort=-{column}"
        bounds = (
            _BOUNDS if table != "epochs" else ("from=2026-03-02T21:00:00Z", "least=0", "after=40")
        )
        yield from (f"/history/{table}?{each}" for each in (*_FILTERS[table], *bounds))
        yield f"/history/{table}"
        yield f"/history/{table}?format=csv"
        yield f"/history/{table}?format=json&after=50"
        yield f"/history/{table}?format=csv&after=30&sort={_AMOUNTS[table]}"
    yield from (f"/history/entries/{each}" for each in entries)
    yield from _REFUSED


def answers(client: FlaskClient) -> dict[str, Any]:
    """What the server of ``client`` answers, by path."""
    whole = json.loads(client.get("/history/ledger?limit=1000&sort=place").get_data())
    # one after the other and all kinds, but not each of many
    places = [each["place"] for each in whole["rows"]][::6]
    backtest = _backtest(client)
    return {path: answer(client, path, path.replace("{id}", backtest)) for path in paths(places)}


def answer(client: FlaskClient, path: str, asked: str) -> dict[str, Any]:
    """What it answers to ``asked``, which stands for ``path``."""
    response = client.get(asked)
    found: dict[str, Any] = {"status": Decimal(response.status_code), "type": response.mimetype}
    if "Content-Disposition" in response.headers:
        found["disposition"] = response.headers["Content-Disposition"]
    text = response.get_data(as_text=True)
    if response.mimetype == "text/csv":
        return {**found, "text": text}
    body = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    if response.status_code != 200:
        # what went wrong is a sentence
        body = {name: body[name] for name in ("type", "status")}
    if f"limit={_ALL}&sort=" in path and response.status_code == 200:
        # only the order matters: the rows themselves are compared elsewhere
        column = "epoch" if path.startswith("/history/epochs") else "place"
        body = {**body, "rows": [{column: each[column]} for each in body["rows"]]}
    return {**found, "body": body}


def difference(path: str, golden: Any, found: Any, where: str = "") -> str:
    """Where ``found``, which ``path`` answers now, lacks or contradicts ``golden``; empty where it
    does not. What is new in an object is no difference."""
    if isinstance(golden, dict) and isinstance(found, dict):
        for name, value in golden.items():
            inner = f"{where}.{name}"
            if name not in found:
                return f"{path}: {inner} is missing"
            if _is_chance(path, name) or _is_sentence(where, name, value, found[name]):
                continue
            if fault := difference(path, value, found[name], inner):
                return fault
        return ""
    if isinstance(golden, list) and isinstance(found, list):
        if len(golden) != len(found):
            return f"{path}: {where} has {len(found)} items, not {len(golden)}"
        pairs = enumerate(zip(golden, found, strict=True))
        faults = (difference(path, *pair, f"{where}[{number}]") for number, pair in pairs)
        return next(filter(None, faults), "")
    if type(golden) is type(found) and golden == found:
        return ""
    if where == ".text" and "format=csv" in path and isinstance(found, str):
        return difference(path, _csv(golden), _csv(found), ".rows")
    return f"{path}: {where} is {found!r:.200}, not {golden!r:.200}"


def _csv(text: str) -> list[dict[str, str]]:
    """The rows of a CSV file by their columns, which may become more."""
    return list(csv.DictReader(io.StringIO(text)))


def _is_chance(path: str, name: str) -> bool:
    resource = "/" + path.split("?")[0].split("/")[1]
    return ("*", name) in CHANCE or (resource, name) in CHANCE


def _is_sentence(where: str, name: str, golden: Any, found: Any) -> bool:
    """Whether both are sentences, or both are none."""
    is_shown = where.endswith(".display") and name in SENTENCES_SHOWN
    are_texts = isinstance(golden, str) and isinstance(found, str)
    return (name in SENTENCES or is_shown) and are_texts and bool(golden) == bool(found)


def _backtest(client: FlaskClient) -> str:
    """The id of a backtest that is through."""
    started = client.post("/backtests", json=_TESTED).get_json()
    path: str = started["backtest"]["id"]

    def is_done() -> bool:
        state: str = client.get(f"/backtests/{path}").get_json()["backtest"]["state"]
        return state != "running"

    wait_for(is_done, "the backtest")
    return path
