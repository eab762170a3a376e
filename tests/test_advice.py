"""A command that a message advises works as it is pasted: it names the folder that it is about."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from balance import Desk, StoreUnreadable
from balance.market.board import FileBoard
from balance.store.advice import DEFAULT_DATA_DIR, command, option, program
from balance.store.answer_file import AnswerFile
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, FileStore
from balance.store.memory_store import MemoryStore
from balance.store.repair import repair
from tests.patience import patience, wait_for
from tests.processes import ROOT
from tests.serving import Server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One that a shell would take for several words."""
    return tmp_path / "it's my account"


def advised(text: str) -> list[str]:
    """The commands that ``text`` advises: those between backticks, or what it ends with."""
    found = re.findall(r"`(python [^`]+)`", text)
    return found or re.findall(r"(python (?:-m balance|app\.py).*?)[.,;]?(?= or name|$)", text)


def pasted(line: str) -> subprocess.CompletedProcess[str]:
    """What a shell does with ``line``, in the program's folder."""
    assert line.startswith("python ")
    return subprocess.run(
        ["/bin/sh", "-c", line.replace("python", shlex.quote(sys.executable), 1)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience(),
        check=False,
    )


def damage(folder: Path) -> None:
    (folder / ACCOUNT_FILE).write_text("{")


def test_the_usual_folder_need_not_be_named_and_any_other_is_quoted(folder: Path) -> None:
    assert option(None) == option(DEFAULT_DATA_DIR) == option(Path(DEFAULT_DATA_DIR)) == ""
    assert command("verify", None) == "python -m balance verify"
    assert program(DEFAULT_DATA_DIR) == "python app.py"
    whole = command("reset", folder)
    assert shlex.split(whole) == [*["python", "-m", "balance", "reset", "--data-dir"], str(folder)]
    assert shlex.split(program(folder)) == ["python", "app.py", "--data-dir", str(folder)]
    # also where it is named from another one
    assert option(Path("data/..") / DEFAULT_DATA_DIR) == ""


def test_what_is_advised_for_a_damaged_account_mends_that_one(folder: Path) -> None:
    Desk(FileStore(folder)).deposit(5)
    damage(folder)
    with pytest.raises(StoreUnreadable) as refused:
        Desk(FileStore(folder)).snapshot()
    verify, repair = advised(str(refused.value))
    found = pasted(verify)
    assert (found.returncode, ACCOUNT_FILE in found.stdout + found.stderr) == (1, True), found
    assert pasted(repair).returncode == 0
    assert Desk(FileStore(folder)).snapshot().balance == 10_005
    assert "10,005" in pasted(verify).stdout


def test_the_shell_advises_the_folder_that_it_was_given(folder: Path) -> None:
    Desk(FileStore(folder)).deposit(5)
    damage(folder)
    done = pasted(command("show", folder))
    assert done.returncode == 3
    assert advised(done.stderr) == [command("verify", folder), command("repair", folder)]


@pytest.mark.parametrize("damaged", ["missing", "ledger", "answers", "folder"])
def test_every_kind_of_damage_advises_the_folder(folder: Path, damaged: str) -> None:
    store = FileStore(folder)
    desk = Desk(store)
    desk.deposit(5, idempotency_key="a key")
    desk.deposit(5)
    lines = (folder / LEDGER_FILE).read_bytes().splitlines(keepends=True)

    def act() -> Any:
        match damaged:
            case "missing":
                (folder / ACCOUNT_FILE).unlink()
                return Desk(FileStore(folder)).snapshot()
            case "ledger":
                (folder / LEDGER_FILE).write_bytes(b"{}\n" * len(lines))
                return list(FileStore(folder).entries())
            case "answers":
                (folder / ANSWER_FILE).write_bytes(b'{"key": "a key", "nothing": 1}\n')
                return AnswerFile(folder / ANSWER_FILE).find("a key", 2, lambda _: None)
        return repair(folder / "nowhere")

    with pytest.raises(StoreUnreadable) as refused:
        act()
    where = folder / "nowhere" if damaged == "folder" else folder
    assert advised(str(refused.value)) == [command("verify", where), command("repair", where)]


def test_an_account_in_memory_has_no_folder_to_name() -> None:
    assert Desk(MemoryStore()).command("reset") == "python -m balance reset"


def test_http_and_its_health_advise_the_folder(
    start_server: Callable[..., Server], folder: Path
) -> None:
    server = start_server(folder=folder)
    damage(folder)
    wanted = [command("verify", folder), command("repair", folder)]
    for path in ("/virtual_balance", "/health", "/positions", "/bots"):
        answer = server.get(path)
        assert answer.status_code == 503, path
        assert advised(answer.json()["detail"]) == wanted, path


def test_a_server_that_does_not_run_is_advised_with_its_folder(folder: Path) -> None:
    Desk(FileStore(folder))
    words = FileBoard(folder).market.message
    assert advised(words) == [program(folder)]
    done = pasted(f"{command('backtest', folder)} --strategy ema_crossover")
    assert done.returncode == 1
    assert program(folder) in done.stderr


def test_another_feed_advises_a_reset_that_works(
    start_server: Callable[..., Server], folder: Path, tmp_path: Path
) -> None:
    server = start_server(folder=folder)
    order = {"symbol": "BTC/USDT", "side": "buy", "notional": 500}
    wait_for(lambda: server.post(order, "/orders").status_code == 200, "a price")
    assert server.stop() == 0
    file = tmp_path / "BTCUSDT.csv"
    file.write_text("time,open,high,low,close,volume\n2026-01-02T03:04,1,1,1,1,1\n")
    done = pasted(f"{program(folder)} --port 0 --feed replay:{shlex.quote(str(file))}")
    (line,) = advised(done.stderr.strip())
    assert line == command("reset", folder)
    assert pasted(line).returncode == 0
    assert Desk(FileStore(folder)).snapshot().positions == ()


def test_no_message_has_a_command_of_its_own() -> None:
    """Each is made in one place, as only that knows the folder."""
    commands = re.compile(r"python (?:-m balance |app\.py)")
    # what makes them, what is told the folder, what a parser is called
    usual = {
        *("balance/store/advice.py", "balance/core/errors.py", "balance/shell/main.py"),
        *("balance/server/options.py", "layouts/auto_connect.py"),
    }
    files = [ROOT / "app.py"]
    for folder in ("balance", "layouts", "callbacks"):
        files += [
            each
            for each in (ROOT / folder).rglob("*.py")
            if str(each.relative_to(ROOT)) not in usual
        ]
    found = [
        (file.name, node.value)
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        # a docstring quotes what it names
        if commands.search(node.value) and "``" not in node.value
    ]
    assert found == []
