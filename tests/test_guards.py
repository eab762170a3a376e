"""Who may ask: only this machine's programs and our own pages, and with a token nobody else."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from app import create_app
from balance.api import guards as guarding
from balance.api.guards import Guards
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.store.file_store import ACCOUNT_FILE, FileStore
from balance.store.memory_store import MemoryStore
from tests.answers import problem, raw
from tests.pages import UPDATE
from tests.patience import patience, wait_for
from tests.serving import Server

TOKEN = "a-token-of-some-length"
ROUTES = (
    *("/virtual_balance", "/virtual_balance/history", "/virtual_balance/stream", "/health"),
    *("/openapi.json", "/", "/history", "/_dash-layout", "/_dash-dependencies"),
    *("/assets/theme.css", "/bootstrap/static/css/bootstrap.min.css", "/nope", UPDATE),
)
# names under which a page of elsewhere may reach this machine, and what is no name
ELSEWHERE = re.split(
    r"\s+",
    """\
example.com 127.0.0.1.evil.com localhost.evil.com evil.localhost 127.0.0.1.nip.io evil
localhost. 0.0.0.0 0 2130706433 0x7f000001 127.1 192.168.1.5 10.0.0.1 [::] [::2]
[2001:db8::1] localhost@evil evil#localhost evil/localhost [ ] [127.0.0.1 127.0.0.1]
127.0.0.1:80@evil.com 127.0.0.1:80:80 127.0.0.1,evil 127.0.0.1:x [localhost]x : ::1""",
)
# what changes the account or calls a callback
POSTS: tuple[tuple[str, Any], ...] = (
    ("/virtual_balance", {"deposit": 5}),
    ("/virtual_balance/reset", None),
    # what no callback of the dashboard takes: where it is let through, that is said
    (UPDATE, {"output": "none.children"}),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all."""
    with Server(tmp_path_factory.mktemp("guards") / "account") as running:
        yield running


def asking(guards: Guards) -> FlaskClient:
    """A client of an app with ``guards`` on an account in memory."""
    app = create_app(Desk(MemoryStore()), Stream(2), guards)
    client: FlaskClient = app.server.test_client()
    return client


class TestHost:
    """The Host of a request is this machine, or a page of elsewhere could read the answer."""

    @pytest.mark.parametrize("port", ["", ":{port}", ":1"])
    @pytest.mark.parametrize(
        "name", ["127.0.0.1", "localhost", "LocalHost", "[::1]", "127.0.0.2", "127.255.255.254"]
    )
    def test_of_this_machine_is_answered(self, server: Server, name: str, port: str) -> None:
        host = name + port.format(port=server.port)
        for path in ("/virtual_balance", "/", "/_dash-layout", "/assets/theme.css"):
            assert raw(server.port, "GET", path, Host=host).status == 200, path

    @pytest.mark.parametrize("port", ["", ":{port}"])
    @pytest.mark.parametrize(
        "name",
        [*ELSEWHERE, "localhost evil", "", "\xff", "l\xf6calhost"],
    )
    def test_of_elsewhere_is_400_on_every_route(self, server: Server, name: str, port: str) -> None:
        host = name + port.format(port=server.port)
        answer = raw(server.port, "GET", "/virtual_balance", Host=host)
        assert answer.status == 400, host
        assert b"host name" in answer.body
        assert b"10000" not in answer.body

    @pytest.mark.parametrize("path", ROUTES)
    def test_of_elsewhere_is_400_whatever_is_asked_for(self, server: Server, path: str) -> None:
        answer = server.get(path, headers={"Host": f"evil.com:{server.port}"})
        assert "address it printed" in problem(answer, 400)["detail"]

    @pytest.mark.parametrize(("path", "body"), POSTS)
    def test_of_elsewhere_changes_nothing(self, server: Server, path: str, body: Any) -> None:
        before = server.get().json()["revision"]
        problem(server.post(body, path, headers={"Host": "evil.com"}), 400)
        assert server.get().json()["revision"] == before

    @pytest.mark.parametrize("version", ["1.1", "1.0"])
    def test_that_is_missing_is_400(self, server: Server, version: str) -> None:
        with socket.create_connection(("127.0.0.1", server.port), timeout=patience()) as connection:
            connection.sendall(f"GET /virtual_balance HTTP/{version}\r\n\r\n".encode())
            answer = connection.recv(4096)
        assert answer.split()[1] == b"400"
        assert b"10000" not in answer

    def test_that_the_server_is_bound_to_is_answered(self) -> None:
        client = asking(Guards("192.168.1.5", TOKEN))
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        for host, status in {
            "192.168.1.5:8050": 200,
            "127.0.0.1": 200,
            "192.168.1.6": 400,
            "evil.com": 400,
        }.items():
            answer = client.get("/health", headers={**bearer, "Host": host})
            assert answer.status_code == status, host

    @pytest.mark.parametrize("bound", ["0.0.0.0", "::"])
    def test_of_a_server_bound_everywhere_is_an_address_or_its_own_name(self, bound: str) -> None:
        client = asking(Guards(bound, TOKEN))
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        for host, status in {
            "192.168.1.5:8050": 200,
            "[2001:db8::1]:8050": 200,
            "localhost": 200,
            socket.gethostname(): 200,
            "evil.com": 400,
            "192.168.1.5.nip.io": 400,
            f"{socket.gethostname()}.evil.com": 400,
        }.items():
            answer = client.get("/health", headers={**bearer, "Host": host})
            assert answer.status_code == status, host


class TestSite:
    """A page of another site may neither change the account nor call a callback."""

    @pytest.mark.parametrize(("path", "body"), POSTS)
    @pytest.mark.parametrize(
        "headers",
        [
            *({"Sec-Fetch-Site": site} for site in ("cross-site", "same-site", "", "none, x")),
            {"Sec-Fetch-Site": "cross-site", "Origin": "{ours}"},
            *(
                {"Origin": origin}
                for origin in (
                    *("https://evil.com", "null", "", "http://localhost", "http://127.0.0.1"),
                    *("http://127.0.0.1:1", "http://127.0.0.1:{port}.evil.com", "http://["),
                    *("https://127.0.0.1:{port}", "http://localhost:{port}", "127.0.0.1:{port}"),
                    *("{ours}, https://evil.com", "{ours}@evil.com", "file://"),
                )
            ),
        ],
    )
    def test_of_another_is_403_and_changes_nothing(
        self, server: Server, path: str, body: Any, headers: dict[str, str]
    ) -> None:
        before = server.get().json()["revision"]
        sent = {
            name: value.format(ours=server.url, port=server.port) for name, value in headers.items()
        }
        assert "other sites" in problem(server.post(body, path, headers=sent), 403)["detail"]
        assert server.get().json()["revision"] == before

    @pytest.mark.parametrize(("path", "body"), POSTS)
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": "same-origin", "Origin": "{ours}"},
            {"Origin": "{ours}"},
            {"Origin": "http://localhost:{port}", "Host": "localhost:{port}"},
            {"Origin": "http://localhost:{port}", "Host": "LOCALHOST:{port}"},
            {"Origin": "http://[::1]:{port}", "Host": "[::1]:{port}"},
            {"Origin": "http://localhost", "Host": "localhost:80"},
        ],
    )
    def test_of_our_own_and_programs_pass(
        self, server: Server, path: str, body: Any, headers: dict[str, str]
    ) -> None:
        sent = {
            name: value.format(ours=server.url, port=server.port) for name, value in headers.items()
        }
        answer = server.post(body, path, headers=sent)
        if path == UPDATE:
            assert "fits nothing on the page" in problem(answer, 400)["detail"]
        else:
            assert answer.status_code == 200

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "FOO"])
    def test_of_another_is_403_with_whatever_may_change_something(
        self, server: Server, method: str
    ) -> None:
        answer = requests.request(
            method, f"{server.url}/virtual_balance", headers={"Sec-Fetch-Site": "cross-site"}
        )
        problem(answer, 403)

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none"])
    @pytest.mark.parametrize("path", ["/virtual_balance", "/", "/assets/theme.css", "/health"])
    def test_does_not_matter_to_who_only_reads(self, server: Server, path: str, site: str) -> None:
        headers = {"Sec-Fetch-Site": site, "Origin": "https://evil.com"}
        answer = server.get(path, headers=headers)
        # the browser itself keeps the answer from the other page
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("path", ROUTES)
def test_every_answer_tells_the_browser_what_it_may_not_do(server: Server, path: str) -> None:
    with server.get(path, stream=True) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "Server" not in answer.headers or "Python" not in answer.headers["Server"]


def test_the_first_requests_of_a_page_may_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Slow(guarding.Map):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            made.append(threading.current_thread())
            # the routes of another thread would begin meanwhile
            wait_for(lambda: len(asking) == 6, "all requests")
            super().__init__(*arguments, **named)

    monkeypatch.setattr(guarding, "Map", Slow)
    server = create_app(Desk(MemoryStore()), Stream(10)).server
    answers: list[int] = []
    asking: list[threading.Thread] = []

    def ask() -> None:
        asking.append(threading.current_thread())
        answers.append(server.test_client().get("/health").status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 6
    assert len(made) == 1


class TestHealth:
    """A health check has no token: it is told whether the server lives, and nothing else."""

    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
    def test_strangers_are_told_the_status_alone(self, headers: dict[str, str]) -> None:
        client = asking(Guards(token=TOKEN))
        answer = client.get("/health", headers=headers)
        assert (answer.status_code, answer.get_json()) == (200, {"status": "success"})
        assert client.head("/health", headers=headers).status_code == 200
        shown = {"Authorization": f"Bearer {TOKEN}"}
        assert "revision" in client.get("/health", headers=shown).get_json()

    def test_nothing_else_is_open_to_them(self) -> None:
        client = asking(Guards(token=TOKEN))
        for path in ("/health/", "/healthy", "/Health", "/health%00", "/orders"):
            assert client.get(path).status_code == 401, path
        assert client.post("/health").status_code == 401
        problem(client.get("/health", headers={"Host": "evil.com"}), 400)

    def test_what_is_wrong_with_the_account_is_not_for_them(self, folder: Path) -> None:
        store = FileStore(folder)
        client = create_app(Desk(store), Stream(2), Guards(token=TOKEN)).server.test_client()
        (folder / ACCOUNT_FILE).write_bytes(b"{")
        detail = problem(client.get("/health"), 503)["detail"]
        assert detail == "The account can't be read."
        shown = {"Authorization": f"Bearer {TOKEN}"}
        assert ACCOUNT_FILE in problem(client.get("/health", headers=shown), 503)["detail"]

    def test_without_a_token_everybody_is_told_all(self) -> None:
        assert "revision" in asking(Guards()).get("/health").get_json()
