"""The server of the Model Context Protocol: an agent's tools and resources over standard input and
output."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Final, TextIO, TypeVar

import anyio
import mcp_types as types
from anyio import to_thread
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from balance.agents.agent import Agent
from balance.agents.tool import TOOLS, UNITS, Tool
from balance.api.problems import Problem
from balance.core.errors import BalanceError, StoreUnreadable
from balance.core.version import VERSION

_INSTRUCTIONS: Final = (
    "A paper-trading desk: perpetual futures in one virtual balance; nothing here is real money. "
    f"{UNITS} In arguments a number may be a JSON number or such a text. What you trade belongs to "
    "you under your name: you see the whole account, and change only what is yours. "
    "Give each change an idempotency_key, and repeat it with the same key where an answer is lost. "
    "Orders need the server of the desk to run; list_prices says whether prices are live."
)
_MISTAKE: Final = "The program has made a mistake; its log tells more."
_LEDGER: Final = "balance://ledger"
_SETTINGS: Final = "balance://settings"
_JSON: Final = "application/json"
# Python reads whole numbers of some thousand digits; nobody means them.
_LONGEST_WHOLE: Final = 15
_CHANGING: Final = frozenset(each.name for each in TOOLS if each.changes)
# How many calls are worked on at once.
_AT_ONCE: Final = 8

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_Context = ServerRequestContext[Any, Any]


def create_server(agent: Agent) -> Server[Any]:
    """The server of ``agent``."""
    limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def run(work: Callable[[], _T], *, changes: bool = False) -> _T:
        # A change that was begun comes to its end; a reader may be left behind.
        return await to_thread.run_sync(work, limiter=limiter, abandon_on_cancel=not changes)

    async def list_tools(_: _Context, __: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(each) for each in TOOLS])

    async def call_tool(
        context: _Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        work = partial(_called, agent, params.name, params.arguments or {}, _client(context))
        return await run(work, changes=params.name in _CHANGING)

    async def list_resources(_: _Context, __: object) -> types.ListResourcesResult:
        return types.ListResourcesResult(
            resources=[
                types.Resource(
                    uri=_LEDGER,
                    name="ledger",
                    description="The newest 50 entries of the ledger, which explains the balance.",
                    mime_type=_JSON,
                ),
                types.Resource(
                    uri=_SETTINGS,
                    name="settings",
                    description="The fees, the leverage and the other terms that are traded on.",
                    mime_type=_JSON,
                ),
            ]
        )

    async def list_templates(_: _Context, __: object) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(
            resource_templates=[
                types.ResourceTemplate(
                    uri_template=f"{_LEDGER}/{{before}}",
                    name="ledger page",
                    description="50 entries of the ledger from before a revision, or from before "
                    "the next of another page.",
                    mime_type=_JSON,
                )
            ]
        )

    async def read_resource(
        _: _Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        text = await run(partial(_resource, agent, str(params.uri)))
        contents = types.TextResourceContents(uri=params.uri, mime_type=_JSON, text=text)
        return types.ReadResourceResult(contents=[contents])

    return Server(
        "virtual-balance",
        version=VERSION,
        title="Virtual Balance",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
    )


def serve(agent: Agent) -> None:
    """Serve ``agent`` over the standard input and output of the process, until the input ends.
    Whatever else is printed meanwhile goes to the standard error."""
    output = os.dup(1)
    os.dup2(2, 1)
    # Otherwise Ctrl-C waits for a thread that waits for the next line.
    interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        with (
            open(0, encoding="utf-8", errors="replace", closefd=False) as lines,
            open(output, "w", encoding="utf-8", newline="\n", closefd=False) as answers,
        ):
            anyio.run(_serve, create_server(agent), lines, answers)
    finally:
        agent.stop()
        signal.signal(signal.SIGINT, interrupt)
        os.dup2(output, 1)
        os.close(output)


class ExactLines:
    """The lines of ``file``, with every number that a float would round as a text."""

    def __init__(self, file: TextIO) -> None:
        self._file = anyio.wrap_file(file)

    async def __aiter__(self) -> AsyncIterator[str]:
        async for line in self._file:
            yield exact_line(line)


def exact_line(line: str) -> str:
    """``line``, a message, with every number that has decimals or many digits as a text, and
    without halves of characters, which the protocol would leave unanswered."""
    try:
        message = json.loads(line, parse_float=str, parse_int=_whole)
    except (ValueError, RecursionError):
        return line
    return json.dumps(message, ensure_ascii=False).encode(errors="replace").decode()


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_WHOLE else digits


async def _serve(server: Server[Any], lines: TextIO, output: TextIO) -> None:
    async with stdio_server(ExactLines(lines), anyio.wrap_file(output)) as streams:  # type: ignore[arg-type]
        requests, answers = streams
        await server.run(requests, answers, server.create_initialization_options())


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.arguments,
        output_schema=tool.answer,
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=not tool.changes,
            destructive_hint=tool.destroys,
            idempotent_hint=tool.repeats or not tool.changes,
            open_world_hint=False,
        ),
    )


def _client(context: _Context) -> str:
    """The program that the agent runs in, as it calls itself."""
    params = context.session.client_params
    return "" if params is None else f"{params.client_info.name} {params.client_info.version}"


def _called(
    agent: Agent, name: str, arguments: dict[str, Any], client: str
) -> types.CallToolResult:
    try:
        answer = agent.call(name, arguments, client)
    except (BalanceError, Problem) as fault:
        message = str(fault)
        if isinstance(fault, StoreUnreadable) and name in _CHANGING:
            message += " Nothing was changed."
        return _refusal(message)
    except Exception:
        _log.exception("%s failed", name)
        return _refusal(_MISTAKE)
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=answer)


def _refusal(message: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=message)], is_error=True)


def _resource(agent: Agent, uri: str) -> str:
    place, _, before = uri.partition(f"{_LEDGER}/")
    try:
        if uri == _SETTINGS:
            found = agent.settings()
        elif uri == _LEDGER or (not place and before):
            found = agent.ledger(before or None)
        else:
            raise MCPError(types.INVALID_PARAMS, f"There is no resource {uri[:100]}.")
    except BalanceError as fault:
        raise MCPError(types.INTERNAL_ERROR, str(fault)) from fault
    return json.dumps(found, ensure_ascii=False)
