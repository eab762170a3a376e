"""An agent over MCP: what its tools say of themselves, what they do, and what they refuse."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult

from balance.agents.agent import Agent
from balance.agents.running_server import RunningServer
from balance.agents.server import create_server, exact_line
from balance.agents.tool import TOOLS, Tool
from balance.api.encoding import encoded
from balance.api.problems import Problem
from balance.backtests.jobs import Backtests
from balance.core.errors import BalanceError, InvalidRequest
from balance.desk.desk import Desk
from balance.keys.addresses import Addresses
from balance.keys.details import key_details
from balance.keys.key import Key
from balance.keys.keys import FIRST_KEY, Keys
from balance.market.board import save_market
from balance.market.simulated.feed import SimulatedFeed
from balance.open_account import open_account
from balance.shell.main import main
from balance.strategies.own import Catalogue
from tests.accounts import MOMENT
from tests.boards import board
from tests.patience import patience
from tests.serving import ROOT, Server

BTC, ETH = "BTC/USDT", "ETH/USDT"
CLIENT = {"name": "by hand", "version": "1"}
BY_NAME = {each.name: each for each in TOOLS}
HERE = [each for each in TOOLS if not each.needs_server]
TEST = {"strategy": "ema_crossover", "symbol": BTC, "timeframe": "1m", "hours": 4, "trades": 1}
# A market whose past the server has saved.
PAST = SimulatedFeed(seed=7)


@pytest.fixture
def desk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The account in ``folder``, with Bitcoin at 40,000 and Ether at 2,000, however long that was
    saved before."""
    monkeypatch.setattr("balance.market.board._STALE_SECONDS", patience())
    folder.mkdir()
    save_market(folder, replace(board().market, feed=PAST.id), PAST.saved())
    return open_account(folder)


@pytest.fixture
def agent(desk: Desk, folder: Path) -> Iterator[Agent]:
    """An agent on that account."""
    found = Agent(folder, "agent")
    yield found
    found.stop()


def connected(agent: Agent, act: Callable[[Client], Awaitable[Any]]) -> Any:
    """What ``act`` gets of a client of the SDK, which is connected to ``agent``."""

    async def run() -> Any:
        async with Client(create_server(agent)) as client:
            return await act(client)

    return anyio.run(run)


def result(agent: Agent, name: str, **arguments: Any) -> CallToolResult:
    """The result of a tool, which the client has compared with the schema of its answer."""

    async def act(client: Client) -> CallToolResult:
        await client.list_tools()
        return await client.call_tool(name, arguments)

    return connected(agent, act)


def done(agent: Agent, name: str, **arguments: Any) -> Any:
    """The answer of a tool that does what it should."""
    found = result(agent, name, **arguments)
    assert not found.is_error, found.content[0].text
    assert json.loads(found.content[0].text) == found.structured_content
    return found.structured_content


def refused(agent: Agent, name: str, **arguments: Any) -> str:
    """Why a tool refuses ``arguments``."""
    found = result(agent, name, **arguments)
    assert found.is_error
    assert found.structured_content is None
    return str(found.content[0].text)


def test_the_tools_are_described_as_schemas_that_stand_alone(agent: Agent) -> None:
    tools = connected(agent, lambda client: client.list_tools()).tools
    assert [each.name for each in tools] == [*BY_NAME]
    for each in tools:
        for schema in (each.input_schema, each.output_schema):
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
            text = json.dumps(schema)
            assert '"display"' not in text
            assert text.count('"$ref"') == text.count('"$ref": "#/$defs/')
        # Some clients refuse arguments with rules between them.
        assert not {"anyOf", "oneOf", "allOf", "if", "$ref"} & set(each.input_schema)
        assert each.input_schema["additionalProperties"] is False
        assert "HTTP" not in each.description
        assert each.description.startswith(tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


def test_numbers_have_their_units_in_the_description() -> None:
    for each in TOOLS:
        has_numbers = "[0-9]+(" in str((each.arguments, each.answer))
        assert ("base units" in each.description) == has_numbers, each.name


def test_an_order_says_what_its_type_needs() -> None:
    said = BY_NAME["place_order"].arguments["properties"]["type"]["description"]
    assert "; stop_limit: trigger_price and price; " in said
    assert said.endswith("trailing_stop: callback_percent.")


def test_what_a_tool_may_do_is_in_its_annotations(agent: Agent) -> None:
    reads = ("read_", "list_", "preview_", "filter_", "run_backtest")
    ends = ("place_", "amend_", "cancel_", "close_", "reverse_", "stop_")
    for each in connected(agent, lambda client: client.list_tools()).tools:
        hints = each.annotations
        assert hints.read_only_hint == each.name.startswith(reads), each.name
        assert hints.read_only_hint != ("idempotency_key" in each.input_schema["properties"])
        assert hints.destructive_hint == each.name.startswith(ends), each.name
        assert hints.open_world_hint is False
        assert hints.idempotent_hint or not hints.read_only_hint


EXITS = [
    {"symbol": BTC, "side": "sell", "quantity": 0.01, "reduce_only": True, **more}
    for more in (
        {"type": "limit", "price": "45000"},
        {"type": "stop_market", "trigger_price": 38_000},
    )
]


def test_every_tool_is_in_the_manual() -> None:
    page = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    table = page.partition("## Tools")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert sorted(re.findall(r"`(\w+)`", "".join(rows))) == sorted(BY_NAME)


#: Arguments with which each tool does something on an account with a position and an open order.
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "list_orders": {"state": "all", "limit": 5},
    "read_order": {"order_id": "low"},
    "preview_order": {"symbol": "btcusdt", "side": "sell", "percent": 50, "reduce_only": True},
    "place_order": {"symbol": "BTC-USDT", "side": "buy", "quantity": 0.001, "stop_loss": "39000.5"},
    "amend_order": {"order_id": "low", "price": 1_900},
    "preview_amendment": {"order_id": "low", "price": "1900.5", "quantity": 0.6},
    "cancel_order": {"order_id": "low"},
    "close_position": {"symbol": BTC, "percent": 50},
    "preview_reversal": {"symbol": BTC},
    "reverse_position": {"symbol": BTC},
    "preview_margin": {"symbol": BTC, "amount": 1},
    "run_backtest": TEST,
    "move_margin": {"symbol": BTC, "amount": "12.30"},
    "set_leverage": {"symbol": "SOL/USDT", "leverage": 3},
    "filter_ledger": {"kind": "fill,fee", "sort": "-amount", "limit": 2},
    "filter_fills": {"symbol": BTC, "owner": "agent"},
    "filter_trades": {"outcome": "win"},
    "list_log": {"limit": 5},
    "place_oco": {"orders": EXITS},
    "preview_oco": {"orders": EXITS},
}


@pytest.mark.parametrize("tool", HERE, ids=lambda each: each.name)
def test_every_tool_answers_as_its_schema_says(tool: Tool, agent: Agent, desk: Desk) -> None:
    agent.call("place_order", {"symbol": BTC, "side": "buy", "quantity": "0.01", "leverage": 5})
    low = {"type": "limit", "price": 1_800, "client_id": "low"}
    agent.call("place_order", {"symbol": ETH, "side": "buy", "quantity": "0.5", **low})
    before = desk.version
    arguments = ARGUMENTS.get(tool.name, {})
    answer = done(agent, tool.name, **arguments)
    assert (desk.version != before) == tool.changes
    if tool.changes:
        assert answer["replayed"] is False
        assert answer["revision"] == desk.version[1]
        assert answer["message"]
        assert "open_orders" not in answer


def test_what_an_agent_trades_is_its_own(agent: Agent, desk: Desk) -> None:
    done(agent, "place_order", symbol=BTC, side="buy", quantity="0.01")
    desk.place_order(symbol=ETH, side="buy", quantity="0.5", stop_loss=1_000)
    positions = done(agent, "list_positions")["positions"]
    assert [each["owner"] for each in positions] == ["agent", ""]
    assert "traded by the person" in refused(agent, "close_position", symbol=ETH)
    done(agent, "close_positions")
    assert [each["symbol"] for each in desk.snapshot().positions] == [ETH]
    assert "no open orders" in refused(agent, "cancel_orders")
    assert len(desk.snapshot().open_orders) == 1
    assert "traded by the person" in refused(
        agent, "preview_order", symbol=ETH, side="buy", quantity=1
    )
    (trade,) = done(agent, "filter_trades", owner="agent")["rows"]
    assert trade["pnl"] == "-0.48"


def test_numbers_keep_every_digit_in_and_out(agent: Agent, desk: Desk) -> None:
    line = '{"a": 0.10, "b": [45000.12345678901234567890], "c": 5, "d": "x", "e": 1e-3}'
    assert json.loads(exact_line(line)) == {
        "a": "0.10",
        "b": ["45000.12345678901234567890"],
        "c": 5,
        "d": "x",
        "e": "1e-3",
    }
    assert json.loads(exact_line(f'{{"n": {"1" * 5_000}}}')) == {"n": "1" * 5_000}
    assert exact_line('["\\ud800", "\\ud83d\\ude00", "é"]') == '["?", "😀", "é"]'
    assert exact_line("{") == "{"
    assert exact_line("[" * 100_000) == "[" * 100_000
    done(agent, "place_order", symbol=BTC, side="buy", quantity="0.01")
    moved = done(agent, "move_margin", symbol=BTC, amount="0.00000001")
    assert moved["used_margin"] == "40.00400001"
    desk.deposit("0.00000001")
    balance = done(agent, "read_account")["balance"]
    assert balance == "9999.79998001"
    assert desk.snapshot().balance == Decimal(balance)


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("place_order", {"symbol": "x" * 70_000, "side": "buy"}, "at most 65,536 are taken."),
        ("fly", {}, "There is no tool 'fly'. tools/list has those there are."),
        ("place_order", {"side": "buy"}, "place_order needs symbol. It takes symbol, side,"),
        ("place_order", {"symbol": BTC, "side": "hold"}, "side must be one of buy, sell, not"),
        ("place_order", {"symbol": [1], "side": "buy"}, "symbol must be of the type string, not"),
        ("place_order", {"symbol": BTC, "side": "buy", "size": 1}, "but not 'size'."),
        ("place_order", {"symbol": BTC, "side": "buy", "quantity": "1,5"}, "such as 250 or 12.30"),
        ("place_order", {"symbol": BTC, "side": "buy", "quantity": "1e999"}, "such as 250"),
        ("place_order", {"symbol": BTC, "side": "buy", "quantity": True}, "such as 250"),
        ("place_order", {"symbol": BTC, "side": "buy"}, "quantity"),
        ("place_order", {"symbol": BTC, "side": "buy", "quantity": -1}, "must be above zero"),
        ("place_order", {"symbol": "SOL/USDT", "side": "buy", "quantity": 1}, "no live price"),
        ("place_order", {"symbol": BTC, "side": "buy", "quantity": 99}, "available"),
        ("place_oco", {"orders": [{"symbol": BTC, "side": "up"}]}, "side must be one of buy"),
        ("set_leverage", {"symbol": BTC, "leverage": "2.5"}, "leverage must be a whole number"),
        ("list_orders", {"state": "all", "limit": 100_000}, "limit"),
        ("read_order", {"order_id": "none"}, "There was never an order 'none'."),
        ("amend_order", {"order_id": "/oco/preview", "price": 1}, "no open order"),
        ("filter_ledger", {"kind": "gift"}, "gift"),
        ("place_order", {"symbol": BTC, "side": "buy", "idempotency_key": "k" * 300}, "200"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_do(
    name: str, arguments: Mapping[str, Any], reason: str, agent: Agent, desk: Desk
) -> None:
    before = desk.version
    assert reason in refused(agent, name, **arguments)
    assert desk.version == before


def test_null_is_as_good_as_left_out(agent: Agent) -> None:
    empty = dict.fromkeys(("price", "notional", "client_id", "idempotency_key", "if_match"))
    done(agent, "place_order", symbol=BTC, side="buy", quantity=0.01, **empty)


def test_a_change_is_made_once_for_a_key(agent: Agent, folder: Path, desk: Desk) -> None:
    order = {"symbol": BTC, "side": "buy", "quantity": "0.01", "idempotency_key": "open"}
    first, again = done(agent, "place_order", **order), done(agent, "place_order", **order)
    assert again == {**first, "replayed": True}
    # 0.010 is the same number, also from a client that writes it so.
    assert done(agent, "place_order", **{**order, "quantity": 0.01})["replayed"] is True
    assert "Use a new key" in refused(agent, "place_order", **{**order, "side": "sell"})
    other = Agent(folder, "other")
    order["symbol"] = ETH
    assert done(other, "place_order", **order)["replayed"] is False
    assert [each["owner"] for each in desk.snapshot().positions] == ["agent", "other"]


def test_the_reason_of_an_agent_is_in_the_ledger(agent: Agent) -> None:
    order = {"symbol": BTC, "side": "buy", "quantity": "0.01"}
    done(agent, "place_order", **order, note="The news of the halving are out")
    (row,) = done(agent, "filter_ledger", text="halving")["rows"]
    assert row["note"] == "Bought 0.01 BTC/USDT at 40,004. The news of the halving are out"
    assert "200 characters" in refused(agent, "place_order", **order, note="x" * 201)


def test_a_change_may_depend_on_the_revision(agent: Agent, desk: Desk) -> None:
    order = {"symbol": BTC, "side": "buy", "quantity": "0.01"}
    revision = done(agent, "read_account")["revision"]
    assert "revision" in refused(agent, "place_order", **order, if_match=revision + 1)
    done(agent, "place_order", **order, if_match=revision)


def test_of_two_agents_that_open_at_once_one_has_the_symbol(folder: Path, desk: Desk) -> None:
    agents = [Agent(folder, name) for name in ("first", "second")]
    results: list[CallToolResult] = []

    def trade(agent: Agent) -> None:
        for number in range(5):
            key = f"open-{number}"
            results.append(
                result(
                    agent, "place_order", symbol=BTC, side="buy", quantity=0.01, idempotency_key=key
                )
            )

    threads = [threading.Thread(target=trade, args=(each,)) for each in agents]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    (held,) = desk.snapshot().positions
    opened = [each for each in results if not each.is_error]
    assert len(opened) == 5
    assert held["quantity"] == Decimal("0.05")
    assert all(held["owner"] in each.content[0].text for each in results)


def test_many_calls_at_once_are_each_answered(agent: Agent, desk: Desk) -> None:
    async def act(client: Client) -> list[CallToolResult]:
        found: list[CallToolResult] = []

        async def call(number: int) -> None:
            key = {"idempotency_key": f"{number % 25}"}
            order = {"symbol": BTC, "side": "buy", "quantity": "0.001", **key}
            found.append(await client.call_tool("place_order", order))

        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(call, number)
        return found

    found = connected(agent, act)
    assert len(found) == 50
    assert desk.snapshot().positions[0]["quantity"] == Decimal("0.025")
    # A key that is being worked on is refused, and its order is there all the same.
    assert all("at work" in each.content[0].text for each in found if each.is_error)


def test_a_strategy_is_tested_on_the_past_of_the_market(agent: Agent, folder: Path) -> None:
    found = done(agent, "run_backtest", **TEST, params={"fast": 3, "slow": "9"})
    assert found["candles"] == 240
    assert found["trades"] > len(found["rows"]) == 1
    assert "curve" not in found
    assert "no strategy" in refused(agent, "run_backtest", **{**TEST, "strategy": "luck"})
    none = Agent(folder.parent / "other", "agent")
    assert "No server has run on this data folder" in refused(none, "run_backtest", **TEST)


def test_where_the_folder_has_no_past_the_server_tests_the_strategy(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = replace(board().market, feed="replay:candles.csv")
    jobs = Backtests(lambda: market, PAST.candles, PAST.settlement, Catalogue())

    def request(
        _: RunningServer, method: str, path: str, body: str = "", key: object = None
    ) -> Any:
        is_new = (method, path) == ("POST", "/backtests")
        row = jobs.start(json.loads(body)) if is_new else jobs.row(path.rpartition("/")[2])
        return json.loads(encoded({"backtest": row}), parse_float=Decimal), {}

    monkeypatch.setattr(RunningServer, "_request", request)
    folder.mkdir()
    agent = Agent(folder, "agent")
    assert "No server has run" in refused(agent, "run_backtest", **TEST)
    save_market(folder, market, {})
    assert done(agent, "run_backtest", **TEST)["candles"] == 240


def test_without_a_server_the_account_is_read_and_orders_say_what_to_start(folder: Path) -> None:
    agent = Agent(folder, "agent")
    assert done(agent, "read_account")["balance"] == "10000.00"
    assert "start it with" in done(agent, "list_prices")["words"]
    order = {"symbol": BTC, "side": "buy", "quantity": 1}
    assert "start it with" in refused(agent, "place_order", **order)


def test_what_only_the_server_does_says_to_start_it(agent: Agent) -> None:
    for tool in (each for each in TOOLS if each.needs_server):
        arguments = dict.fromkeys(tool.arguments["required"], "x")
        assert "start it with" in refused(agent, tool.name, **arguments)


def test_a_paused_agent_cancels_and_closes_and_opens_nothing(
    agent: Agent, desk: Desk, folder: Path
) -> None:
    keys = Keys(desk, folder)
    order = {"symbol": BTC, "side": "buy", "quantity": "0.01"}
    exit_ = {**order, "side": "sell", "reduce_only": True, "type": "limit", "price": 50_000}
    done(agent, "place_order", **order)
    low = {"symbol": ETH, "side": "buy", "quantity": 1, "type": "limit", "price": 1_500}
    done(agent, "place_order", **low, client_id="low")
    keys.pause("agent")
    for name, arguments in (
        ("place_order", order),
        ("place_oco", {"orders": [exit_, {**exit_, "reduce_only": False}]}),
        ("reverse_position", {"symbol": BTC}),
        ("amend_order", {"order_id": "low", "price": 1_600}),
        ("start_bot", {"bot_id": "x"}),
    ):
        assert "The agent agent is paused and opens nothing." in refused(agent, name, **arguments)
    done(agent, "place_order", **exit_, client_id="exit")
    done(agent, "amend_order", order_id="exit", price=51_000)
    done(agent, "cancel_order", order_id="low")
    done(agent, "close_position", symbol=BTC)
    keys.resume("agent")
    done(agent, "place_order", **order)
    keys.revoke("agent", close=True)
    assert "revoked and opens nothing" in refused(agent, "place_order", **order)
    done(Agent(folder, "agent"), "place_order", **order)


def test_the_server_shows_what_an_agent_requested_and_what_was_refused(
    agent: Agent, desk: Desk, folder: Path
) -> None:
    there = Keys(desk, folder)
    published: list[Mapping[str, Any]] = []
    there.subscribe(published.append)
    done(agent, "list_prices")
    refused(agent, "read_order", order_id="none")
    refused(agent, "place_order", symbol=BTC, side="buy", quantity=-1)
    agent.stop()
    there.check()
    assert published[-1] == there.listed()
    row = published[-1]["keys"][-1]
    assert (row["name"], row["kind"]) == ("agent", "agent")
    assert row["client"].startswith("mcp ")
    assert row["last_request"]["what"] == "place_order"
    (refusal,) = row["refusals"]
    assert refusal["what"] == "place_order"
    assert refusal["reason"] == "The quantity must be above zero, not -1.00."
    another = Agent(folder, "agent")
    done(another, "list_bots")
    another.stop()
    row = there.listed()["keys"][-1]
    assert row["last_request"]["what"] == "list_bots"
    assert row["refusals"] == [refusal]


def test_an_agent_is_called_as_no_key_bot_or_person(desk: Desk, folder: Path) -> None:
    Agent(folder, "claude-code")
    assert [(each.name, each.kind) for each in Keys(desk, folder).all()] == [
        (FIRST_KEY, "key"),
        ("claude-code", "agent"),
    ]
    for name in (FIRST_KEY, "you", "Agent", "ema-1", ""):
        with pytest.raises(InvalidRequest, match="ame"):
            Agent(folder, name)


def test_sessions_of_an_agent_that_start_at_once_are_one_agent(desk: Desk, folder: Path) -> None:
    begun: list[Agent] = []
    threads = [
        threading.Thread(target=lambda: begun.append(Agent(folder, "agent"))) for _ in range(6)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(begun) == 6
    assert [each.name for each in Keys(desk, folder).all()] == [FIRST_KEY, "agent"]


def test_the_ledger_and_the_settings_are_resources(agent: Agent) -> None:
    async def act(client: Client) -> Any:
        listed = (await client.list_resources()).resources
        (template,) = (await client.list_resource_templates()).resource_templates
        texts = {}
        for uri in [*(each.uri for each in listed), f"{listed[0].uri}/2"]:
            (found,) = (await client.read_resource(uri)).contents
            texts[uri] = json.loads(found.text)
        return texts, template.uri_template

    done(agent, "place_order", symbol=BTC, side="buy", quantity="0.01")
    texts, template = connected(agent, act)
    assert template == "balance://ledger/{before}"
    kinds = [each["kind"] for each in texts["balance://ledger"]["entries"]]
    assert kinds == ["fee", "fill", "start"]
    assert [each["kind"] for each in texts["balance://ledger/2"]["entries"]] == ["start"]
    assert texts["balance://settings"]["taker_fee_percent"] == "0.05"
    for uri in ("balance://other", "balance://ledger/x"):
        assert agent_refuses(agent, uri)


def agent_refuses(agent: Agent, uri: str) -> str:
    """Why there is no resource at ``uri``."""

    async def act(client: Client) -> str:
        with pytest.raises(MCPError) as refused:
            await client.read_resource(uri)
        return str(refused.value)

    return str(connected(agent, act))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=25)
@given(data=st.data())
def test_no_arguments_make_a_tool_fail(data: st.DataObject, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("fuzzed")
    save_market(folder, board().market, {})
    agent = Agent(folder, "agent")
    for _ in range(5):
        tool = data.draw(st.sampled_from(HERE))
        names = st.sampled_from([*tool.arguments["properties"], "other"])
        likely = _JSON | st.sampled_from([BTC, "buy", "all", "1", "0.001", "-1", 5, "limit", True])
        arguments = data.draw(st.dictionaries(names, likely, max_size=5))
        with suppress(BalanceError, Problem):
            agent.call(tool.name, arguments)
    agent.stop()


def test_without_the_sdk_the_command_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["mcp", "--data-dir", str(folder)]) == 1
    said = capsys.readouterr().err
    assert said.count(". ") == 1
    assert "-m pip install mcp==" in said


def test_a_running_server_that_refuses_or_fails_is_told_apart(
    agent: Agent, folder: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {
        401: (
            b'{"detail": "Show the token."}',
            "to this program in VIRTUAL_BALANCE_TOKEN.",
        ),
        404: (b'{"detail": "There is no bot x."}', "There is no bot x."),
        200: (b"<html>", "gave no answer that can be read"),
    }
    shown: list[str | None] = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = int(self.path.split("/")[2])
            shown.append(self.headers["Authorization"])
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answers[status][0])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            Keys(desk, folder).serve_at(Addresses(f"http://127.0.0.1:{server.server_port}"))
            for status, (_, reason) in answers.items():
                assert reason in refused(agent, "pause_bot", bot_id=f"{status}")
            monkeypatch.setenv("VIRTUAL_BALANCE_TOKEN", "a-token-of-length")
            refused(agent, "pause_bot", bot_id="404")
        finally:
            server.shutdown()
            thread.join()
    assert shown == [None, None, None, "Bearer a-token-of-length"]
    assert "start it with" in refused(agent, "pause_bot", bot_id="404")


def test_the_program_writes_only_the_protocol_and_ends_with_its_input(
    desk: Desk, folder: Path
) -> None:
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": CLIENT}
    order = {"symbol": BTC, "side": "buy", "quantity": "0.01"}
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}),
        json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        "{",
        "[" * 10_000,
        *(
            json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": call})
            for number, call in enumerate(
                (
                    {"name": "place_order", "arguments": order},
                    {"name": "place_order", "arguments": [1]},
                    {"name": "fly"},
                ),
                start=2,
            )
        ),
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "balance", "mcp", "--data-dir", str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write("".join(f"{line}\n" for line in lines))
        program.stdin.flush()
        answers = {}
        while len(answers) < 4:
            answer = json.loads(program.stdout.readline())
            answers[answer["id"]] = answer
        assert answers[1]["result"]["serverInfo"]["name"] == "virtual-balance"
        assert "no live price" in str(answers[2]) or "Bought" in str(answers[2])
        assert answers[3]["error"]["code"] == -32602
        assert answers[4]["result"]["isError"] is True
        rest, _ = program.communicate(timeout=patience())
        assert (rest, program.returncode) == ("", 0)


def test_an_agent_that_knows_only_the_schemas_opens_reads_and_closes(
    start_server: Callable[..., Server], folder: Path
) -> None:
    server = start_server()
    key = Key(name="claude", kind="agent", key="", secret="", created_at=MOMENT)
    snippet = json.loads(key_details(key, Addresses(), folder)["snippets"][0]["text"])
    (program,) = (StdioServerParameters(**each) for each in snippet["mcpServers"].values())

    async def act() -> None:
        async with Client(program) as client:
            tools = {each.name: each for each in (await client.list_tools()).tools}

            async def ask(name: str, **arguments: Any) -> Any:
                Draft202012Validator(tools[name].input_schema).validate(arguments)
                found = await client.call_tool(name, arguments)
                assert not found.is_error, found.content[0].text
                return found.structured_content

            prices: dict[str, Any] = {}
            while not any(each["state"] == "live" for each in prices.values()):
                prices = (await ask("list_prices"))["prices"]
            symbol = next(name for name, each in prices.items() if each["state"] == "live")
            stop = str(round(Decimal(prices[symbol]["mark"]) * Decimal("0.9"), 1))
            opened = await ask(
                "place_order", symbol=symbol, side="buy", notional=500, stop_loss=stop
            )
            assert opened["order"]["status"] == "filled"
            (held,) = (await ask("list_positions"))["positions"]
            assert (held["owner"], held["side"]) == ("claude", "long")
            assert Decimal(held["stop_loss"]) == Decimal(stop)
            move = Decimal(held["mark_price"]) - Decimal(held["entry_price"])
            assert Decimal(held["unrealized_pnl"]) == pytest.approx(
                move * Decimal(held["quantity"]), abs=Decimal("0.01")
            )
            closed = await ask("close_position", symbol=symbol)
            assert Decimal(closed["order"]["quantity"]) == Decimal(held["quantity"])
            assert (await ask("list_positions"))["positions"] == []
            assert (await ask("list_orders"))["orders"] == []
            (trade,) = (await ask("filter_trades", owner="claude"))["rows"]
            (answer,) = server.get("/history/trades?owner=claude").json()["rows"]
            assert Decimal(trade["pnl"]) == Decimal(str(answer["pnl"]))
            candles = (await ask("list_candles", symbol=symbol, timeframe="1m", limit=3))["candles"]
            assert len(candles) == 3

            body = {"name": "Mine", "symbol": symbol, "strategy": "ema_crossover"}
            bot = server.post(body, "/bots").json()["bot"]["id"]
            started = await ask("start_bot", bot_id=bot, idempotency_key="start")
            assert (started["bot"]["status"], started["replayed"]) == ("running", False)
            again = await ask("start_bot", bot_id=bot, idempotency_key="start")
            assert again["replayed"] is True
            for name in ("pause_bot", "resume_bot", "stop_bot"):
                await ask(name, bot_id=bot)
            (row,) = (await ask("list_bots"))["bots"]
            assert row["status"] == "stopped"
            gone = await client.call_tool("stop_bot", {"bot_id": "none"})
            assert gone.is_error
            assert "none" in gone.content[0].text

    anyio.run(act)
    (row,) = (each for each in server.get("/keys").json()["keys"] if each["name"] == "claude")
    assert (row["trades"], row["fills"], row["positions"]) == (1, 2, [])
    assert row["client"].startswith("mcp ")
    assert row["last_request"]["what"] == row["refusals"][0]["what"] == "stop_bot"
