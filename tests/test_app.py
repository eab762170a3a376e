"""The program itself: it starts, says what is wrong, stops when told, and keeps the account."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from app import create_app, main
from balance import open_account
from balance.api.guards import TOKEN_VARIABLE
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.server.options import SHORTEST_TOKEN
from balance.store.memory_store import MemoryStore
from tests.answers import problem
from tests.listening import Listener
from tests.patience import patience
from tests.processes import ROOT
from tests.serving import Program, Server
from tests.standing import StandingServer, of_the_account

NOBODY = 65534
# root may write whatever the modes say: so it becomes nobody once everything is loaded
AS_NOBODY = f"""
import os, sys
import app
if os.geteuid() == 0:
    os.setgroups([])
    os.setegid({NOBODY})
    os.seteuid({NOBODY})
sys.exit(app.main(sys.argv[1:]))
"""
Said = pytest.CaptureFixture[str]


def assert_refused(code: int, out: str, err: str) -> None:
    """A start that fails says why in one line, and nothing else."""
    assert code == 1
    assert out == ""
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


def refused(said: Said, *options: object) -> str:
    """What is said of a start with ``options`` that can't be."""
    code = main(["--port", "0", *map(str, options)])
    words = said.readouterr()
    assert_refused(code, words.out, words.err)
    return words.err


def refused_in_a_process(*command: object) -> str:
    """What a process of its own says that can't start."""
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience(),
        check=False,
    )
    assert_refused(done.returncode, done.stdout, done.stderr)
    return done.stderr


def test_it_says_where_it_is_and_how_to_stop_it(program: Program) -> None:
    said = program.said[0]
    assert re.search(r"at http://127\.0\.0\.1:\d+ ", said)
    assert str(program.folder) in said
    assert "Ctrl-C" in said
    assert program.balance() == 10_000


def test_it_says_what_there_is_to_know_of_a_replayed_file(
    start_program: Callable[..., Program], tmp_path: Path
) -> None:
    file = tmp_path / "BTCUSDT.csv"
    file.write_text("time,open,high,low,close\n2022-01-03,5,6,4,5\n2022-01-04,,,,\n")
    said = start_program("--feed", f"replay:{file}").said[0]
    assert said.rstrip().endswith(
        "Ctrl-C stops it. BTCUSDT.csv: It has no volume column: volume is 0. BTCUSDT.csv: 1 row "
        "without prices left out, as a gap. The mark price of BTC/USDT is its last price."
    )


@pytest.mark.parametrize("given", [None, "that of the command line"])
def test_the_environment_gives_the_token_where_the_command_line_does_not(
    start_program: Callable[..., Program], monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "that of the environment")
    program = start_program(*(() if given is None else ("--token", given)))
    assert program.get("/orders").status_code == 401
    shown = {"Authorization": f"Bearer {given or 'that of the environment'}"}
    assert program.get("/orders", headers=shown).status_code == 200


@pytest.mark.parametrize(
    ("host", "shown"),
    [("localhost", r"http://localhost:\d+"), ("::1", r"http://\[::1\]:\d+")],
)
def test_it_says_an_address_that_a_browser_can_open(
    start_server: Callable[..., Server], host: str, shown: str
) -> None:
    try:
        socket.getaddrinfo(host, 0)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as tried:
            tried.bind((host, 0))
    except OSError:
        pytest.skip(f"this machine has no {host}")
    server = start_server("--host", host)
    assert re.fullmatch(shown, server.url)
    assert server.balance() == 10_000


def test_bound_everywhere_it_says_the_address_of_this_machine(
    start_server: Callable[..., Server],
) -> None:
    server = start_server("--host", "0.0.0.0", "--token", "x" * SHORTEST_TOKEN)
    assert server.url == f"http://127.0.0.1:{server.port}"


class TestARefusal:
    """What can't work is said before anything is served."""

    def test_of_a_port_that_is_taken_says_what_to_do(self, server: Server) -> None:
        said = refused_in_a_process("app.py", "--port", server.port, "--data-dir", server.folder)
        assert f"Port {server.port} is taken" in said
        assert "--port" in said
        # the one that runs is not disturbed
        assert server.balance() == 10_000

    @pytest.mark.parametrize("path", ["/dev/null", "/dev/null/below", "{file}", "{file}/below"])
    def test_of_a_data_folder_that_can_be_none_names_it(
        self, tmp_path: Path, capsys: Said, path: str
    ) -> None:
        file = tmp_path / "a-file"
        file.write_text("not a folder")
        data = path.format(file=file)
        assert data in refused(capsys, "--data-dir", data)
        assert file.read_text() == "not a folder"

    @pytest.mark.parametrize("made", [False, True], ids=["without an account", "with one"])
    def test_of_a_data_folder_that_is_not_writable_names_it(
        self, tmp_path: Path, made: bool
    ) -> None:
        folder = tmp_path / "account"
        folder.mkdir()
        if made:
            open_account(folder)
        before = sorted((file.name, file.read_bytes()) for file in folder.iterdir())
        for each in (*tmp_path.parents[:2], tmp_path):
            each.chmod(0o755)
        for each in (*folder.iterdir(), folder):
            each.chmod(0o444 if each.is_file() else 0o555)
            if os.geteuid() == 0:
                os.chown(each, NOBODY, NOBODY)
        try:
            said = refused_in_a_process("-c", AS_NOBODY, "--port", 0, "--data-dir", folder)
        finally:
            folder.chmod(0o755)
        assert str(folder) in said
        assert "Permission denied" in said
        assert before == sorted((file.name, file.read_bytes()) for file in folder.iterdir())

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", ""])
    def test_to_let_other_machines_in_without_a_token(
        self, folder: Path, capsys: Said, host: str
    ) -> None:
        assert "--token" in refused(capsys, "--host", host, "--data-dir", folder)
        assert not folder.exists()

    @pytest.mark.parametrize("token", ["", "short", "x" * (SHORTEST_TOKEN - 1)])
    def test_of_a_token_that_can_be_guessed(self, folder: Path, capsys: Said, token: str) -> None:
        said = refused(capsys, "--token", token, "--data-dir", folder)
        assert f"at least {SHORTEST_TOKEN} characters" in said
        assert not folder.exists()

    def test_of_a_host_that_is_not_this_machine(self, folder: Path) -> None:
        options = ("--host", "192.0.2.1", "--token", "x" * SHORTEST_TOKEN, "--data-dir", folder)
        assert "192.0.2.1" in refused_in_a_process("app.py", "--port", 0, *options)

    def test_of_a_host_that_is_no_name(self, folder: Path) -> None:
        options = ("--host", "no.such.invalid", "--token", "x" * SHORTEST_TOKEN)
        said = refused_in_a_process("app.py", "--port", 0, *options, "--data-dir", folder)
        assert "no.such.invalid is no address of this machine" in said

    @pytest.mark.parametrize("port", ["65536", "99999", "-1"])
    def test_of_a_port_that_there_is_not(self, capsys: Said, port: str) -> None:
        # the system would take the rest of a division, which nobody asked for
        with pytest.raises(SystemExit) as left:
            main(["--port", port])
        assert left.value.code == 2
        assert "--port" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_while_twenty_listen(program: Program, number: signal.Signals) -> None:
    with ExitStack() as stack:
        many = [stack.enter_context(Listener(program.port)) for _ in range(20)]
        for listener in many:
            listener.next()
        assert program.stop(number) == 0
        assert all(listener.ended.wait(patience()) for listener in many)
        assert all(listener.is_dismissed for listener in many)
    assert program.said[-1] == "Stopped."
    assert "Traceback" not in "\n".join(program.said)


def test_a_restart_keeps_the_balance_and_the_history(
    start_program: Callable[..., Program],
) -> None:
    first = start_program()
    first.post({"deposit": 123.45})
    first.post({"adjust": -0.00000001})
    told, history = first.get().json(), first.get("/virtual_balance/history").json()
    first.kill()
    second = start_program()
    again = second.get().json()
    assert of_the_account(again) == of_the_account(told)
    assert again["instance"] != told["instance"]
    assert second.get("/virtual_balance/history").json() == history


def test_it_starts_on_a_damaged_account_and_says_so_instead_of_making_one_up(
    start_server: Callable[..., Server], folder: Path
) -> None:
    open_account(folder).deposit(5)
    file = folder / "virtual_balance.json"
    whole = file.read_bytes()
    file.write_bytes(whole[:-40])
    server = start_server()
    assert "virtual_balance.json" in problem(server.get(), 503)["detail"]
    problem(server.post({"deposit": 5}), 503)
    assert not re.search(r"\$\d", server.get("/_dash-layout").text)
    with Listener(server.port) as listener:
        assert listener.next("fault", "message").data["status"] == 503
        assert file.read_bytes() == whole[:-40]
        # once it is mended, nobody needs to start anything again
        file.write_bytes(whole)
        assert listener.next().data["balance"] == 10_005
    assert server.balance() == 10_005


def test_it_makes_no_account_where_only_the_ledger_is_left(
    start_server: Callable[..., Server], folder: Path
) -> None:
    open_account(folder).deposit(5)
    (folder / "virtual_balance.json").unlink()
    server = start_server()
    assert "missing" in problem(server.get(), 503)["detail"]
    assert not (folder / "virtual_balance.json").exists()


def test_two_servers_on_one_folder_show_the_same_at_once(folder: Path) -> None:
    with (
        StandingServer(folder) as one,
        StandingServer(folder) as other,
        Listener(other.port) as listener,
    ):
        listener.next()
        for amount in (1, 2, 3):
            told = one.post({"adjust": amount}).json()
            seen = other.get().json()
            for name in ("revision", "balance", "account", "as_of"):
                assert seen[name] == told[name]
            # the first server's prices may be news to the listener before that
            *before, last = listener.until(told["revision"])
            assert last.data["balance"] == told["balance"]
            assert all(each.data["balance"] == told["balance"] - amount for each in before)
        told = other.post(path="/virtual_balance/reset").json()
        assert one.get().json()["epoch"] == told["epoch"] == 2
        assert one.get("/virtual_balance/history").text == (
            other.get("/virtual_balance/history").text
        )


def test_the_surroundings_change_nothing(
    start_program: Callable[..., Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    surroundings = {
        "HOST": "0.0.0.0",
        "PORT": "1",
        "DASH_DEBUG": "true",
        "DASH_MCP_ENABLED": "true",
        "DASH_URL_BASE_PATHNAME": "/elsewhere/",
        "DASH_SERVE_LOCALLY": "false",
        "FLASK_DEBUG": "1",
        "DASH_HOT_RELOAD": "true",
        "DASH_APP_NAME": "another",
        "DASH_ASSETS_EXTERNAL_PATH": "https://example.com/",
    }
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    server = start_program()
    assert server.url.startswith("http://127.0.0.1:")
    assert server.port != 1
    page = server.get("/").text
    assert "_dash-config" in page
    assert '"hot_reload"' not in page
    assert '"ui":true' not in page
    assert not re.search(r'(src|href)="https?://', page)
    assert server.get("/_mcp").status_code == 404
    assert server.post({}, "/_mcp").status_code == 404


def test_an_app_can_be_made_twice_in_one_process() -> None:
    desks = [Desk(MemoryStore()), Desk(MemoryStore())]
    clients = [create_app(desk, Stream(1)).server.test_client() for desk in desks]
    for client, amount in zip(clients, (1, 22), strict=True):
        assert client.post("/virtual_balance", json={"deposit": amount}).status_code == 200
    for client, shown in zip(clients, ("$10,001.00", "$10,022.00"), strict=True):
        assert shown in client.get("/_dash-layout").text
        assert shown in client.get("/history/ledger").text
        assert len(client.get("/_dash-dependencies").get_json()) > 5
    assert [desk.snapshot().revision for desk in desks] == [2, 2]
