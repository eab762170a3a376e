"""How long a change takes from the sender's POST to the last live text of a page.

    .venv/bin/python tests/bench/propagation.py

A page of the dashboard is open in a browser of its own, on the simulated market, whose prices move
four times a second. This process sends deposits, and then orders that fill at once, and the page
notes, by its own clock, when every live component shows what the answer said; of a fill those that
no price moves. Beside it the same page is measured driven the usual way: three interval callbacks
that each fetch the endpoint. With ``--bots 10`` it is measured again while ten bots trade, with
``--polls 50`` while a program asks 50 times a second for its stop in the exchange's dialect, with
``--listeners 50`` while 50 programs listen to four streams of prices and to the account each.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from balance.binance.signature import KEY_HEADER
from balance.keys.addresses import AddressFile
from balance.keys.state import key_file
from tests.bench.some_bots import start_bots
from tests.conftest import started_browser
from tests.dialect import signed_query
from tests.serving import Server

# notes [time, texts] whenever a live text of the page has changed
_WATCH = """
window.seen = [];
const texts = () => Object.fromEntries(
    [...document.querySelectorAll("[data-live]:not([data-symbol], [data-of])")].map(
        (e) => [e.id, e.textContent]));
const fields = Object.fromEntries(
    [...document.querySelectorAll("[data-live]:not([data-symbol], [data-of])")].map(
        (e) => [e.id, e.dataset.live]));
new MutationObserver(() => {
    window.seen.push([performance.timeOrigin + performance.now(), texts()]);
}).observe(document.body, { childList: true, subtree: true, characterData: true });
return fields;
"""

# How often the measurements with and without something take turns.
_TURNS = 4
# what prices move as well as fills
_MARKED = {"unrealized_pnl", "portfolio_value", "current_pnl", "pnl_percent", "maintenance_margin"}
_MARKED |= {"free_equity"}


def _deposit(_: int) -> tuple[str, dict[str, Any]]:
    return "/virtual_balance", {"deposit": random.randint(1, 99_999) / 100}


def _fill(number: int) -> tuple[str, dict[str, Any]]:
    side = ("buy", "buy", "sell", "sell")[number % 4]
    return "/orders", {"symbol": "BTC/USDT", "side": side, "quantity": 0.01, "leverage": 10}


def main() -> None:
    """Measure both pages and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=200, help="how many changes (200)")
    parser.add_argument("--bots", type=int, default=0, help="measure beside so many bots too (0)")
    parser.add_argument("--polls", type=int, default=0, help="measure beside so many polls/s (0)")
    parser.add_argument("--listeners", type=int, default=0, help="beside so many programs (0)")
    parser.add_argument("--listen", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--alone", action="store_true", help="leave the intervals out")
    parser.add_argument("--serve-intervals", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_intervals:
        _serve_intervals(options.serve_intervals)
        return
    if options.listen:
        asyncio.run(_listen(options.listen[0], int(options.listen[1])))
        return
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        server = running.enter_context(Server(folder / "account"))
        pushed = _measured(server, server.url, options.posts, 0.25)
        fills = _measured(server, server.url, options.posts, 0.25, _fill, _MARKED)
        results = {"deposits": pushed, "fills": fills}
        if options.polls:
            polled = partial(_polled, server, options.polls)
            results |= _beside(server, options.posts, "polls", polled)
        if options.listeners:
            listened = partial(_listened, server, options.listeners)
            results |= _beside(server, options.posts, "listeners", listened)
        if options.bots:
            start_bots(server, options.bots)
            # until they have candles behind them and hold something
            time.sleep(150)
            results[f"{options.bots} bots"] = _measured(
                server, server.url, options.posts, 0.25, ignored=_MARKED
            )
            said = server.post({"close": True}, "/bots/stop").json()["message"]
            print(f"{said} Their balance: {server.get().json()['display']['balance']}.")
        if not options.alone:
            with _interval_page(server.url) as url:
                results["intervals"] = _measured(server, url, max(10, options.posts // 5), 2.5)
    print(f"{'':12}{'median':>10}{'p95':>10}{'longest':>10}{'missed':>12}")
    for name, (times, missed) in results.items():
        print(
            f"{name:12}{statistics.median(times):>7.1f} ms{_p95(times):>7.1f} ms"
            f"{max(times):>7.1f} ms{missed:>6} of {len(times) + missed}"
        )
    ratio = statistics.median(fills[0]) / statistics.median(pushed[0])
    print(f"A fill takes {ratio:.2f} times as long as a deposit (medians of one run).")
    for name, count in (("polls", options.polls), ("listeners", options.listeners)):
        if count:
            ratio = statistics.median(results[name][0]) / statistics.median(
                results[f"no {name}"][0]
            )
            print(f"With {count} {name} it takes {ratio:.2f} times as long (medians by turns).")
    if options.bots:
        ratio = statistics.median(results[f"{options.bots} bots"][0]) / statistics.median(pushed[0])
        print(f"With {options.bots} bots it takes {ratio:.2f} times as long (medians of one run).")
    if not options.alone:
        ratio = statistics.median(results["intervals"][0]) / statistics.median(pushed[0])
        print(f"The intervals take {ratio:.0f} times as long (medians of one run).")


def _beside(
    server: Server, posts: int, what: str, begun: Callable[[], AbstractContextManager[None]]
) -> dict[str, tuple[list[float], int]]:
    """What :func:`_measured` finds without ``what`` and while it is ``begun``, by turns: the load
    of the machine is another from one to the next."""
    found: dict[str, tuple[list[float], int]] = {f"no {what}": ([], 0), what: ([], 0)}
    for _ in range(_TURNS):
        for name, (times, missed) in found.items():
            with begun() if name == what else nullcontext():
                more, lost = _measured(server, server.url, posts // _TURNS, 0.25)
            found[name] = [*times, *more], missed + lost
    return found


@contextmanager
def _polled(server: Server, per_second: int) -> Iterator[None]:
    """A program with a key that asks for its stop at the exchange so many times a second."""
    key = key_file(server.folder).latest().keys[0]
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    is_over = threading.Event()

    def ask(method: str, path: str, **sent: object) -> Any:
        url = f"/fapi/v1/{path}?{signed_query(key, sent)}"
        connection.request(method, url, headers={KEY_HEADER: key.key})
        return json.load(connection.getresponse())

    def poll() -> None:
        while not is_over.wait(1 / per_second):
            assert ask("GET", "algoOrder", algoId=stop)["algoStatus"] == "NEW"

    order = {"symbol": "ETHUSDT", "quantity": "0.1"}
    ask("POST", "order", side="BUY", type="MARKET", **order)
    kind = {"algoType": "CONDITIONAL", "type": "STOP_MARKET", "triggerPrice": "100.00"}
    stop = ask("POST", "algoOrder", side="SELL", reduceOnly=True, **order, **kind)["algoId"]
    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(poll)
        try:
            yield
        finally:
            is_over.set()
        polling.result()


@contextmanager
def _listened(server: Server, count: int) -> Iterator[None]:
    """So many programs that listen, in a process of their own."""
    key = key_file(server.folder).latest().keys[0]
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("POST", "/fapi/v1/listenKey", headers={KEY_HEADER: key.key})
    listen_key = json.load(connection.getresponse())["listenKey"]
    kinds = ("trade", "bookTicker", "kline_1m", "ticker")
    names = "/".join((*(f"btcusdt@{each}" for each in kinds), listen_key))
    url = f"{AddressFile(server.folder).latest.stream}/stream?streams={names}"
    command = [sys.executable, __file__, "--listen", url, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield
        finally:
            process.terminate()


async def _listen(url: str, count: int) -> None:
    """Listen ``count`` times at ``url``; says when all do."""
    import aiohttp

    async def listen() -> None:
        async with session.ws_connect(url.replace("ws:", "http:", 1)) as socket:
            await socket.receive()
            came.release()
            async for _ in socket:
                pass

    came = asyncio.Semaphore(0)
    async with aiohttp.ClientSession() as session:
        listening = [asyncio.create_task(listen()) for _ in range(count)]
        for _ in listening:
            await came.acquire()
        print("all listen", flush=True)
        await asyncio.gather(*listening)


def _measured(server: Server, page: str, *more: Any, **named: Any) -> tuple[list[float], int]:
    return measured(
        lambda: server.get().json()["display"]["balance"], page, server.port, *more, **named
    )


def measured(
    balance: Callable[[], str],
    page: str,
    port: int,
    posts: int,
    pause: float,
    change: Callable[[int], tuple[str, dict[str, Any]]] = _deposit,
    ignored: Collection[str] = (),
) -> tuple[list[float], int]:
    """The milliseconds that each change took to all live components of ``page``, and how many never
    came. ``balance`` returns what is shown before, ``port`` is where the changes are sent."""
    sent: list[tuple[float, dict[str, str]]] = []
    with tempfile.TemporaryDirectory() as folder, started_browser(page, folder) as browser:
        browser.wait_for_text_to_equal("#virtual-balance", balance())
        time.sleep(3)
        fields: dict[str, str] = browser.driver.execute_script(_WATCH)
        sender = http.client.HTTPConnection("127.0.0.1", port)
        for number in range(posts):
            path, body = change(number)
            begun = time.time() * 1000
            sender.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            sent.append((begun, json.load(sender.getresponse())["display"]))
            time.sleep(pause * random.uniform(0.5, 1.5))
        time.sleep(3)
        seen = browser.driver.execute_script("return window.seen")
    fields = {name: field for name, field in fields.items() if field not in ignored}
    times = [_arrival(seen, fields, begun, display) for begun, display in sent]
    came = [each for each in times if each is not None]
    return came, len(times) - len(came)


def _arrival(
    seen: list[Any], fields: dict[str, str], begun: float, display: dict[str, str]
) -> float | None:
    wanted = {name: display[field] for name, field in fields.items()}
    arrivals = (at - begun for at, texts in seen if at >= begun and wanted.items() <= texts.items())
    return next(arrivals, None)


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


@contextmanager
def _interval_page(url: str) -> Iterator[str]:
    command = [sys.executable, __file__, "--serve-intervals", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _serve_intervals(url: str) -> None:
    """The same page, but each of three parts has an interval of 2 s that fetches the endpoint."""
    import requests
    from dash import Dash, Input, Output, dcc, html
    from flask_bootstrap import Bootstrap5
    from waitress.server import create_server

    from layouts.live import live_components
    from layouts.shell import shell
    from layouts.tabs import TABS

    def fetched() -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(requests.get(f"{url}/virtual_balance", timeout=5).text)
        return answer

    page = shell(TABS, fetched(), starting_balance="10000.00")
    live = list(live_components(page))
    parts = [
        [each for each in live if each.id.startswith(prefix)]
        for prefix in ("auto-", "futures-", ("overview-", "sidebar-", "virtual-"))
    ]
    app = Dash("intervals", assets_folder="none", suppress_callback_exceptions=True)
    Bootstrap5(app.server)
    timers = [dcc.Interval(id=f"interval-{number}", interval=2000) for number in range(3)]
    app.layout = html.Div([page, *timers])
    for number, part in enumerate(parts):

        @app.callback(
            [Output(each.id, "children") for each in part],
            Input(f"interval-{number}", "n_intervals"),
        )
        def show(_: int, part: list[Any] = part) -> list[str]:
            display = fetched()["display"]
            return [display[getattr(each, "data-live")] for each in part]

    server = create_server(app.server, host="127.0.0.1", port=0, threads=8)
    print(f"http://127.0.0.1:{server.effective_port}", flush=True)
    server.run()


if __name__ == "__main__":
    main()
