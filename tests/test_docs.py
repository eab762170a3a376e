"""README.md, CONTRIBUTING.md and docs/ name what exists, and their examples run as they stand."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

import app
import balance
from balance import BalanceError, Desk, open_account
from balance.alerts import state as alert_state
from balance.api.history import history_page
from balance.api.stream import Stream
from balance.bots import log as bot_log
from balance.bots import state as bot_state
from balance.core.order import ORDER_KINDS
from balance.core.quote import Candle
from balance.core.settings import Settings, texts
from balance.desk import settings as settings_file
from balance.history import index
from balance.history.question import SORTS, parse_question
from balance.keys import addresses, seen
from balance.keys import state as key_state
from balance.keys.snippets import SNIPPETS, agent_values
from balance.market import board
from balance.market.open_feed import feed_options, open_feed
from balance.performance import sample_rows
from balance.performance.account_figures import ACCOUNT_FIGURES
from balance.performance.figures import FIGURES
from balance.server import market_lock
from balance.server.assembly import services_alone
from balance.server.options import fault_in, server_parser
from balance.shell import main as command
from balance.store import file_store, ledger_file
from balance.store.memory_store import MemoryStore
from balance.strategies.catalogue import BUILT_IN
from balance.strategies.own import OwnStrategies, ask_strategy
from balance.strategies.series import Candles
from balance.strategies.strategy import Holding, Kind
from layouts import grids, history_columns
from layouts.curve import due_of
from layouts.live import ids_ending
from layouts.shell import shell
from layouts.tab import Tab
from layouts.tabs import TABS
from tests.accounts import MOMENT
from tests.bots_alone import write_walk
from tests.dialect import served
from tests.markets import market
from tests.pages import UPDATE, asked
from tests.patience import patience, wait_for
from tests.serving import ROOT, Server
from tests.test_imports import MAY_IMPORT

FILES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in FILES}
README = PAGES["README.md"]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ADDRESS = "http://127.0.0.1:8050"
_CLONE = "/home/me/virtual-balance"
_LONGEST_README = 130
# What a page may have run that no test runs: each is a program that a test runner can't be.
_OTHER_PROGRAMS = (
    *("python3 -m venv", "git", "cd", "bash tests/", "LONG=1 bash", "SEEDS=fresh bash"),
    *("VECTORS=cases.json python", "python tests/", "python -m pytest", "pip ", "python -m pip"),
    *("pipx", "uvx", "virtual-balance", "docker", "ruff", "mypy", "npm", "schemathesis"),
)


def _page(name: str) -> str:
    return PAGES[f"docs/{name}.md"]


def _section(page: str, heading: str) -> str:
    """What stands under ``heading``, up to the next one of its level."""
    marks = heading.split()[0]
    _, _, rest = page.partition(f"\n{heading}\n")
    assert rest, heading
    return re.split(rf"^#{{1,{len(marks)}}} ", rest, flags=re.MULTILINE)[0]


def _rows(text: str) -> list[list[str]]:
    """The cells of all tables in ``text``, without the heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    heads = {number - 1 for number, row in enumerate(cells) if set("".join(row)) <= set("-: ")}
    return [
        row for number, row in enumerate(cells) if number not in heads and number - 1 not in heads
    ]


def _tables(text: str) -> list[list[list[str]]]:
    """The tables in ``text``, each as its rows without the head."""
    return [_rows(part) for part in text.split("\n\n") if part.lstrip().startswith("|")]


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _names_in_column(text: str, column: int = 0) -> list[str]:
    return [name for row in _rows(text) for name in _names(row[column])]


def _prose(page: str) -> str:
    return _FENCE.sub("", page)


@cache
def _described() -> Any:
    """What ``GET /openapi.json`` answers."""
    server = app.create_app(Desk(MemoryStore()), Stream(1)).server
    return server.test_client().get("/openapi.json", headers={"Host": "localhost"}).json


def _resolved(schema: Any) -> Iterator[str]:
    """The names of all fields in ``schema``, those that it refers to included."""
    if "$ref" in schema:
        yield from _resolved(_described()["components"]["schemas"][schema["$ref"].split("/")[-1]])
    yield from schema.get("properties", {})
    for each in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(each, ()):
            yield from _resolved(part)


def _body(method: str, path: str) -> set[str]:
    """The fields that a request may have in its body."""
    body = _described()["paths"][path][method]["requestBody"]
    if "$ref" in body:
        body = _described()["components"]["requestBodies"][body["$ref"].split("/")[-1]]
    return set(_resolved(body["content"]["application/json"]["schema"]))


def _query(path: str) -> set[str]:
    """The parameters that a GET may have."""
    parameters = _described()["paths"][path]["get"]["parameters"]
    return {each["name"] for each in parameters if each.get("in") == "query"}


def _fields(described: Any) -> Iterator[str]:
    """The names of all fields anywhere in the description."""
    if isinstance(described, dict):
        if isinstance(described.get("properties"), dict):
            yield from described["properties"]
        for each in described.values():
            yield from _fields(each)
    elif isinstance(described, list):
        for each in described:
            yield from _fields(each)


def _options(parser: Any) -> set[str]:
    return {
        option
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }


def _commands() -> dict[str, Any]:
    choices: dict[str, Any] = command._parser()._subparsers._group_actions[0].choices
    return choices


# ---- links, names and lengths


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len(README.splitlines()) <= _LONGEST_README


def _anchors(page: str) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(PAGES[name])):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        is_there = file.exists()
        if is_there and anchor:
            is_there = anchor in _anchors(PAGES[str(file.resolve().relative_to(ROOT))])
        if not is_there:
            dead.append(target)
    assert dead == []


def test_every_page_of_the_manual_is_in_its_index() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", _page("index")))
    assert linked == {Path(name).name for name in PAGES if name.startswith("docs/")} - {"index.md"}


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_is_named_exists(name: str) -> None:
    folders = "balance|layouts|callbacks|tests|docs"
    spans = " ".join(re.findall(r"`([^`\n]+)`", _prose(PAGES[name])))
    named = re.findall(rf"(?<![\w/.-])(?:{folders})/[\w/.-]+", spans)
    named += re.findall(r"(?<![\w/-])[\w-]+\.(?:toml|txt|py|sh|md)\b", spans)
    # A file that the reader makes.
    made = {"layouts/mine.py"}
    assert [each for each in named if each not in made and not (ROOT / each).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_name_with_an_underscore_is_one_of_the_code(name: str) -> None:
    named = {
        word
        for span in re.findall(r"`([^`\n]+)`", _prose(PAGES[name]))
        for word in re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", span)
    }
    assert named <= _known_names()


@cache
def _known_names() -> frozenset[str]:
    """Every word in the code, the description of HTTP and the names of files."""
    found = set(re.findall(r"\w+", str(_described())))
    for folder in ("balance", "layouts", "callbacks", "tests"):
        files = [each for each in (ROOT / folder).rglob("*") if each.suffix in (".py", ".js")]
        for file in (each for each in files if "node_modules" not in each.parts):
            found |= {file.stem, *re.findall(r"\w+", file.read_text(encoding="utf-8"))}
    return frozenset(found)


@pytest.mark.parametrize("name", PAGES)
def test_every_json_example_is_json(name: str) -> None:
    for language, text in _FENCE.findall(PAGES[name]):
        if language == "json":
            requests.models.complexjson.loads(text)


# ---- what each page has to be complete in


def test_every_route_is_in_the_manual_and_every_route_in_it_exists() -> None:
    there = {
        f"{method.upper()} {path}"
        for path, methods in _described()["paths"].items()
        for method in methods
    }
    assert set(_names_in_column(_section(_page("http"), "## Routes"))) == there
    pattern = r"`((?:GET|POST|PUT|DELETE) /[^\s`]*)`"
    there |= set(served())
    assert {each for page in PAGES.values() for each in re.findall(pattern, page)} <= there


def test_every_option_of_the_server_is_in_the_manual_and_the_other_way_round() -> None:
    rows = _names_in_column(_section(_page("use"), "## Options"))
    assert {each.split()[0] for each in rows} == _options(server_parser())


def test_every_command_and_its_options_are_in_the_manual() -> None:
    commands = _commands()
    rows = [row for row in _rows(_page("shell")) if len(row) == 3]
    shown = re.findall(r"^python -m balance ([\w-]+)", _page("shell"), re.MULTILINE)
    assert {each for row in rows for each in _names(row[0])} == set(commands) == set(shown)
    everywhere = {"--data-dir", "--json"}
    for row in rows:
        there = set().union(*(_options(commands[name]) for name in _names(row[0]))) - everywhere
        if row[2] == "the same":
            assert there == set(_names(rows[rows.index(row) - 1][2]))
        elif row[0] == "`backtest`":
            table = _section(_page("backtests"), "## Options of the shell")
            assert set(_names_in_column(table)) == there
        else:
            # those of an order are named in its description as well
            named = {*_names(row[1]), *_names(row[2])}
            assert {each for each in named if each.startswith("--")} == there
    assert everywhere <= set(_names(_prose(_page("shell"))))


def test_every_id_in_the_manual_is_on_the_screen() -> None:
    layout = shell(TABS, {}, starting_balance="10000.00")
    there = set(ids_ending(layout, ""))
    section = _section(_page("your-own-tab"), "## Ids that programs may rely on")
    named = re.findall(r"`([a-z-]+)`", section.strip().split("\n\n")[0])
    prefixes = [each for each in named if each.endswith("-")]
    endings = [each for each in named if each.endswith("balance-btn")]
    plain = set(named) - set(prefixes) - set(endings)
    assert len(plain) == 9
    assert plain | {prefix + ending for prefix in prefixes for ending in endings} <= there


def test_every_file_of_the_account_is_in_the_manual() -> None:
    files = {
        file_store.ACCOUNT_FILE,
        file_store.LEDGER_FILE,
        ledger_file.CHECKSUM_FILE,
        file_store.ANSWER_FILE,
        file_store.LOCK_FILE,
        board.MARKET_FILE,
        board.FEED_FILE,
        market_lock.MARKET_LOCK_FILE,
        bot_state.BOTS_FILE,
        bot_log.LOG_FILE,
        index.INDEX_FILE,
        settings_file.SETTINGS_FILE,
        sample_rows.EQUITY_FILE,
        alert_state.ALERTS_FILE,
        key_state.KEYS_FILE,
        addresses.SERVER_FILE,
        seen.AGENTS_FILE,
    }
    assert set(_names_in_column(_section(_page("files"), "## The files"))) == files


def test_every_setting_and_its_default_are_in_the_manual() -> None:
    table = {row[0].strip("`"): row[2] for row in _rows(_page("settings"))}
    assert table == texts(Settings())


def test_every_built_in_strategy_and_its_parameters_are_in_the_manual() -> None:
    table = {
        row[1].strip("`"): (row[0], dict(re.findall(r"`(\w+)` \(([\d.]+)\)", row[3])))
        for row in _rows(_section(_page("strategies"), "## Built-in strategies"))
    }
    assert table == {
        kind.id: (kind.name, {each.name: f"{each.default:g}" for each in kind.parameters})
        for kind in BUILT_IN
    }


@pytest.mark.parametrize(
    ("page", "heading", "fields"),
    [
        ("bots", "## Settings of a bot", lambda: _body("post", "/bots")),
        ("bots", "## Signals from outside", lambda: _body("post", "/signals")),
    ],
)
def test_every_field_of_a_request_is_in_its_table(page: str, heading: str, fields: Any) -> None:
    assert set(_names_in_column(_section(_page(page), heading))) == fields()


def test_every_field_of_an_alert_is_in_the_manual() -> None:
    assert {name for row in _rows(_page("alerts")) for name in _names(row[0])} == (
        _body("post", "/alerts")
    )


def test_every_type_of_order_is_in_the_manual() -> None:
    kinds, fields = _tables(_section(_page("futures"), "## Orders"))
    assert {row[0].strip("`") for row in kinds} == set(ORDER_KINDS)
    assert {name for row in fields for name in _names(row[0])} == _body("post", "/orders")


def test_every_filter_of_the_history_is_in_the_manual() -> None:
    section = _section(_page("history"), "## Filters")
    lists = ("ledger", "fills", "trades", "orders", "epochs")
    there = set().union(*(_query(f"/history/{each}") for each in lists))
    assert set(_names_in_column(section)) | {"offset", "limit", "format"} == there
    assert {"offset", "limit", "format"} <= set(_names(section))


def test_every_kind_of_entry_is_in_the_manual() -> None:
    from balance.core.wallet import KINDS

    table = _section(_page("history"), "## Kinds of entries")
    assert set(_names_in_column(table)) == set(KINDS)


@pytest.mark.parametrize("page", ["words", "backtests"])
def test_every_field_in_a_glossary_is_one_of_an_answer(page: str) -> None:
    fields = set(_fields(_described()))
    # the figures of performance are described by their names alone
    assert [each for each in _names_in_column(_page(page), 1) if each not in fields] == []


def test_every_figure_of_performance_is_in_the_manual() -> None:
    table = _rows(_section(_page("words"), "## Performance"))
    assert [(row[0], row[1].strip("`")) for row in table] == [
        (each.label, each.name) for each in (*FIGURES, *ACCOUNT_FIGURES)
    ]


def test_every_error_of_the_package_is_in_the_manual() -> None:
    errors = {
        name
        for name in balance.__all__
        if isinstance(getattr(balance, name), type)
        and issubclass(getattr(balance, name), BalanceError)
    }
    named = set(re.findall(r"`([A-Z]\w+)`", _section(_page("python"), "## Errors")))
    assert errors - {"AccountingError"} == named


def test_the_table_of_folders_is_the_one_that_the_imports_obey() -> None:
    table = {
        row[0].strip("`").removesuffix(".py").replace("/", "."): set(_names(row[2]))
        for row in _rows(_section(_page("design"), "## The folders"))
    }
    folders = {name for name in MAY_IMPORT if name.startswith("balance.")}
    inner = {name.removeprefix("balance.") for name in folders}
    assert table == {
        name: {each for each in MAY_IMPORT[name] if each in {*inner, *PACKAGES, "open_account"}}
        for name in MAY_IMPORT
        if name != "balance"
    }


PACKAGES = ("balance", "layouts", "callbacks")


def test_the_changelog_has_what_is_not_released() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"## Unreleased\n\n- [\w`]+", changelog)


# ---- examples, each page from its top on a new account with the server running


def _lines(text: str) -> list[str]:
    """The commands of a block of shell."""
    joined = text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def _examples(page: str) -> list[tuple[str, str]]:
    """The language and the text of each command and each program of ``page``."""
    found = []
    for language, text in _FENCE.findall(page):
        if language == "bash":
            found += [("bash", line) for line in _lines(text)]
        elif language == "python":
            found.append(("python", text))
    return found


def _is_run(language: str, text: str) -> bool:
    """Whether an example needs an account."""
    if language == "python":
        return "open_account" in text
    return text.startswith(("curl ", "python -m balance ", "python app.py"))


@pytest.fixture
def candles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that examples name, as the one in which they run."""
    january = datetime(2022, 1, 1, tzinfo=UTC)
    for name, price in (("BTCUSDT-1m-2022-01", 43_000.0), ("btc", 43_000.0), ("eth", 3_100.0)):
        write_walk(tmp_path / f"{name}.csv", 5_000, price, 3)
    write_walk(tmp_path / "my.csv", 3_000, 150.0, 4)
    write_walk(tmp_path / "BTCUSDT-mark.csv", 10_000, 43_000.0, 3)
    later = january + timedelta(minutes=5_000)
    write_walk(tmp_path / "BTCUSDT-1m-2022-02.csv", 5_000, 43_000.0, 5, begin=later)
    for month in ("01", "02"):
        name = f"BTCUSDT-1m-2022-{month}"
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as packed:
            packed.write(tmp_path / f"{name}.csv", f"{name}.csv")
    own = tmp_path / "my_strategies"
    own.mkdir()
    (own / "red_candles.py").write_text(_strategy(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _strategy() -> str:
    (text,) = re.findall(r"```python\n(\"\"\"[^`]*@strategy.*?)```", _page("strategies"), re.DOTALL)
    return str(text)


@pytest.mark.parametrize(
    "name", [name for name, page in PAGES.items() if any(_is_run(*e) for e in _examples(page))]
)
def test_the_examples_of_a_page_run_one_after_the_other(
    name: str,
    candles: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A server on a busy machine may tell its prices late.
    monkeypatch.setattr(board, "_STALE_SECONDS", patience())
    if "python -m balance backtest" in PAGES[name]:
        # The past of the simulated market is in the folder once its server has been stopped.
        with Server(candles / "data") as server:
            _wait_for_prices(server)
            server.stop()
    with Server(candles / "data") as server:
        _wait_for_prices(server)
        if "python -m balance backtest" in PAGES[name]:
            wait_for(lambda: board.saved_feed(server.folder)[1].get("candles"), "the past")
        for language, text in _examples(PAGES[name]):
            if not _is_run(language, text):
                continue
            if language == "python":
                _run_program(text, candles)
            elif text.startswith("curl "):
                _send(text, server)
            elif text.startswith("python app.py"):
                _check_server_options(text)
            else:
                name, *options = shlex.split(text)[3:]
                code = command.main([name, "--data-dir", str(server.folder), *options])
                output = capsys.readouterr()
                assert code == 0, f"{text}\n{output.out}{output.err}"


def _wait_for_prices(server: Server) -> None:
    wait_for(lambda: open_account(server.folder).market.state == "live", "live prices")


def _run_program(text: str, folder: Path) -> str:
    code = text.replace("open_account()", f"open_account({str(folder / 'data')!r})")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _send(text: str, server: Server) -> None:
    """Send the request that a line of curl sends."""
    arguments = iter(shlex.split(text)[1:])
    method, address, body, headers, follows = "", "", None, {}, False
    for argument in arguments:
        match argument:
            case "-X":
                method = next(arguments)
            case "-H":
                key, _, value = next(arguments).partition(": ")
                headers[key] = value
            case "-d":
                body = next(arguments)
            case "-N":
                follows = True
            case _:
                assert argument.startswith(_ADDRESS), argument
                address = argument.replace(_ADDRESS, server.url)
    with requests.request(
        method or ("GET" if body is None else "POST"),
        address,
        data=body,
        headers=headers,
        stream=follows,
        timeout=patience(),
    ) as answer:
        assert answer.ok, f"{text}\n{answer.status_code} {answer.text}"
        if follows:
            assert next(answer.iter_lines())


def _check_server_options(text: str) -> None:
    options = server_parser().parse_args(shlex.split(text)[2:])
    assert fault_in(options) == ""
    chosen = feed_options(options)
    if chosen.feed[0].startswith(("simulated", "replay:")):
        open_feed(chosen, None).stop()


@pytest.mark.parametrize("name", PAGES)
def test_every_other_command_names_files_that_exist(name: str) -> None:
    for language, text in _examples(PAGES[name]):
        if language == "bash" and not _is_run(language, text):
            plain = text.replace(".venv/bin/", "")
            assert plain.startswith(_OTHER_PROGRAMS), text
            for file in re.findall(r"(?:tests|docs|requirements)[\w/.-]*\.(?:py|sh|txt)", plain):
                assert (ROOT / file).exists(), text


def test_the_manual_tells_each_client_what_the_auto_tab_does() -> None:
    told = {
        "KEY": "KEY",
        "SECRET": "SECRET",
        "REST": _ADDRESS,
        "WS": "ws://127.0.0.1:8051",
        **agent_values("agent", f"{_CLONE}/.venv/bin/python", Path(_CLONE), None),
    }
    texts = {text for name in ("clients", "agents") for _, text in _FENCE.findall(_page(name))}
    assert [each.client for each in SNIPPETS if each.filled(told) not in texts] == []


def test_every_program_of_the_manual_is_python() -> None:
    for page in PAGES.values():
        for language, text in _FENCE.findall(page):
            if language == "python":
                ast.parse(text)


def test_the_command_that_starts_it_is_the_same_everywhere() -> None:
    (line,) = [text for _, text in _examples(README) if "pip install" in text]
    assert line.endswith("&& .venv/bin/python app.py --open")
    assert "-r requirements.txt" in line


def test_the_program_of_the_manual_books_what_it_says(tmp_path: Path) -> None:
    code = re.findall(r"```python\n(from balance.*?)```", _page("python"), re.DOTALL)[0]
    output = _run_program(code, tmp_path)
    assert output.split()[-1] == "2"
    assert float(output.split()[0]) == 10_012.30


def test_the_trading_program_of_the_manual_runs(tmp_path: Path) -> None:
    (code,) = re.findall(
        r"```python\n(from balance import NoLivePrice.*?)```", _page("python"), re.DOTALL
    )
    assert "start it with python app.py" in _run_program(code, tmp_path)
    board.save_market(tmp_path / "data", market(), {})
    output = _run_program(code, tmp_path)
    assert re.fullmatch(r"BTC/USDT 0\.01 -?\d.*\nSold 0\.005 BTC/USDT .*\n", output)


def test_the_file_of_candles_of_the_manual_is_read(tmp_path: Path) -> None:
    (text,) = [each for language, each in _FENCE.findall(_page("prices")) if language == "csv"]
    file = tmp_path / "BTCUSDT.csv"
    file.write_text(text, encoding="utf-8")
    _check_server_options(f"python app.py --feed replay:{file}")


def test_the_strategy_of_the_manual_decides(tmp_path: Path) -> None:
    (tmp_path / "red.py").write_text(_strategy(), encoding="utf-8")
    (kind,) = OwnStrategies(tmp_path).kinds()
    assert isinstance(kind, Kind), kind.error
    fell = [_candle(minute, 100 - minute, 99 - minute) for minute in range(5)]
    rose = _candle(5, 95, 97)
    made = kind.make({"count": 4})
    held = Holding(
        side="long", quantity=1.0, entry_price=95.0, unrealized_pnl=2.0, opened_at=rose.time
    )
    assert ask_strategy(made, Candles.of(fell), None).side == "buy"
    assert ask_strategy(made, Candles.of([*fell, rose]), held).side == "close"
    assert ask_strategy(made, Candles.of(fell[:3]), None).side == "hold"


def _candle(minute: int, opened: int, close: int) -> Candle:
    return Candle(
        time=MOMENT + timedelta(minutes=minute),
        open=Decimal(opened),
        high=Decimal(max(opened, close)),
        low=Decimal(min(opened, close)),
        close=Decimal(close),
        volume=Decimal(1),
    )


def _defined_in(page: str) -> list[dict[str, Any]]:
    """What each example in Python of a page defines."""
    found: list[dict[str, Any]] = []
    for language, code in _FENCE.findall(_page(page)):
        if language == "python":
            found.append({})
            exec(code, found[-1])
    return found


def test_the_tab_of_the_manual_is_fed() -> None:
    mine: Tab = _defined_in("your-own-tab")[0]["MINE"]
    desk = Desk(MemoryStore())
    dash = app.create_app(desk, Stream(1), tabs=(*TABS, mine))
    page = dash.server.test_client().get("/_dash-layout", headers={"Host": "localhost"})
    assert '"children":"$10,000.00","id":"mine-equity"' in page.text
    assert dash.server.test_client().get("/mine", headers={"Host": "localhost"}).status_code == 200


def test_the_curve_of_the_manual_gets_its_points() -> None:
    curve = _defined_in("your-own-tab")[1]
    mine = Tab(id="mine", label="Mine", path="/mine", build=curve["build"])
    dash = app.create_app(Desk(MemoryStore()), Stream(1), tabs=(*TABS, mine))
    curve["register"](dash)
    client = dash.server.test_client()
    update = asked(client.get, due_of("mine-curve"))
    drawn = client.post(UPDATE, json=update, headers={"Host": "localhost"}).get_json()
    (points,) = (each["data"] for each in drawn["response"].values())
    assert points["values"] == [10000, 10001.5, None, 9999]
    assert ids_ending(curve["build"](None), "mine-curve") == ["mine-curve"]


def _examples_of_the_page() -> list[str]:
    page = _page("change-the-page")
    return [text for language, text in _FENCE.findall(page) if language == "python"]


def test_the_columns_of_the_manual_show_a_field_of_their_rows(desk: Desk) -> None:
    of_history, of_positions = _examples_of_the_page()[:2]
    column = eval(of_history, vars(history_columns))
    desk.place_order(symbol="BTC/USDT", side="buy", quantity="0.01", leverage=7)
    question = parse_question("orders", {}, SORTS["orders"])
    (row,) = history_page(desk, services_alone(desk, Stream(1)), question)["rows"]
    assert column.text_of(row, "2026") == "7x"
    column = eval(of_positions, vars(grids))
    assert column["field"] in desk.snapshot().positions[0]["display"]


def test_the_dialog_of_the_manual_books_once_what_it_sends_twice() -> None:
    example: dict[str, Any] = {}
    exec(_examples_of_the_page()[2], example)
    mine = Tab(id="mine", label="Mine", path="/mine", build=example["build"])
    desk = Desk(MemoryStore())
    dash = app.create_app(desk, Stream(1), tabs=(*TABS, mine))
    example["register"](dash, example["build"](None), desk)
    client = dash.server.test_client()
    values = {"gift_amount": "12.50", "gift_key": uuid4().hex}
    update = asked(client.get, "gift-confirm", **values)
    for _ in range(2):
        sent = client.post(UPDATE, json=update, headers={"Host": "localhost"}).get_json()
        assert sent["response"]["gift-dialog"] == {"is_open": False}
    assert desk.snapshot().balance == Decimal("10012.50")


def test_the_callback_of_the_manual_reads_the_fills(desk: Desk) -> None:
    example: dict[str, Any] = {}
    exec(_examples_of_the_page()[3], example)
    desk.place_order(symbol="BTC/USDT", side="buy", quantity="0.01")
    dash = app.create_app(desk, Stream(1))
    example["register"](dash, desk, services_alone(desk, Stream(1)))
    client = dash.server.test_client()
    update = asked(client.get, "mine-symbol", mine_symbol="BTC/USDT")
    sent = client.post(UPDATE, json=update, headers={"Host": "localhost"}).get_json()
    fee = desk.snapshot().fees_paid
    assert sent["response"]["mine-fees"]["children"] == f"{fee:,.2f} USDT"
