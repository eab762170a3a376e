"""Other names of this machine, and proxies before it: what is believed of a request."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app, main
from balance.api.front import Front, host_pattern, network_of
from balance.api.guards import Guards
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.server.options import fault_in, server_parser
from balance.store.memory_store import MemoryStore
from tests.answers import problem

TOKEN = "a-token-of-some-length"
NAMES = ("desk.example.com", "*.tunnel.io", "raspberrypi.local", "my_desk")
PROXY = "10.0.0.2"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """An app behind a proxy, under other names."""
    front = Front((network_of(PROXY), network_of("172.16.0.0/12")))
    app = create_app(Desk(MemoryStore()), Stream(2), Guards(token=TOKEN, names=NAMES), front=front)
    client: FlaskClient = app.server.test_client()
    return client


@pytest.mark.parametrize(
    "host",
    [
        *("desk.example.com", "DESK.example.com:443", "desk.example.com.", "a.tunnel.io"),
        *("a.b.tunnel.io:8443", "raspberrypi.local", "my_desk:8050", "127.0.0.1", "localhost"),
    ],
)
def test_a_name_that_is_allowed_is_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/health", headers={**SHOWN, "Host": host}).status_code == 200
    assert client.get("/orders", headers={"Host": host}).status_code == 401


@pytest.mark.parametrize(
    "host",
    [
        *("example.com", "www.desk.example.com", "desk.example.com.evil.io", "xdesk.example.com"),
        *("tunnel.io", ".tunnel.io", "eviltunnel.io", "tunnel.io.evil", "a.tunnel.io@evil.io"),
        *("*.tunnel.io", "desk.example.com/evil", "desk.example.com,evil", "evil.local"),
    ],
)
def test_any_other_is_refused(client: FlaskClient, host: str) -> None:
    answer = client.get("/health", headers={**SHOWN, "Host": host})
    assert "does not answer to that host name" in problem(answer, 400)["detail"]


def test_a_refusal_says_how_to_allow_a_name_in_the_terminal_once(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        answer = client.get("/health", headers={"Host": "new.example.org:8443"})
        assert "--allow-host new.example.org." in problem(answer, 400)["detail"]
    assert len(caplog.messages) == 1
    assert "--allow-host new.example.org." in caplog.messages[0]


def post(client: FlaskClient, sender: str, proto: str, origin: str) -> int:
    headers = {**SHOWN, "Host": "desk.example.com", "Origin": origin}
    if proto:
        headers["X-Forwarded-Proto"] = proto
    return client.post(
        "/virtual_balance",
        json={"deposit": 1},
        headers=headers,
        environ_overrides={"REMOTE_ADDR": sender},
    ).status_code


@pytest.mark.parametrize(
    ("sender", "proto", "origin", "status"),
    [
        (PROXY, "https", "https://desk.example.com", 200),
        ("172.18.0.5", "https", "https://desk.example.com", 200),
        ("::ffff:10.0.0.2", "HTTPS", "https://desk.example.com", 200),
        (PROXY, "http, https", "https://desk.example.com", 200),
        (PROXY, "", "http://desk.example.com", 200),
        # what a client says itself stands before what the proxy says
        (PROXY, "https, http", "https://desk.example.com", 403),
        (PROXY, "https", "http://desk.example.com", 403),
        (PROXY, "https", "https://evil.example.com", 403),
        (PROXY, "javascript", "javascript://desk.example.com", 403),
        # nobody else is believed
        ("10.0.0.3", "https", "https://desk.example.com", 403),
        ("127.0.0.1", "https", "https://desk.example.com", 403),
        ("", "https", "https://desk.example.com", 403),
        ("10.0.0.3", "https", "http://desk.example.com", 200),
    ],
)
def test_only_a_proxy_that_is_named_says_that_tls_ends_at_it(
    client: FlaskClient, sender: str, proto: str, origin: str, status: int
) -> None:
    assert post(client, sender, proto, origin) == status


def test_no_other_header_of_a_proxy_counts(client: FlaskClient) -> None:
    said = {"X-Forwarded-Host": "desk.example.com", "X-Forwarded-For": "127.0.0.1"}
    headers = {**SHOWN, **said, "Host": "evil.com", "Forwarded": "host=desk.example.com"}
    problem(client.get("/health", headers=headers, environ_overrides={"REMOTE_ADDR": PROXY}), 400)
    said = {"X-Script-Name": "/evil", "X-Forwarded-Prefix": "/x", "X-Forwarded-Host": "evil.com"}
    headers = {**SHOWN, **said, "Host": "desk.example.com"}
    answer = client.get("/openapi.json", headers=headers, environ_overrides={"REMOTE_ADDR": PROXY})
    assert answer.get_json()["servers"] == [{"url": "http://desk.example.com"}]


@pytest.mark.parametrize(("sender", "is_secure"), [(PROXY, True), ("10.0.0.3", False)])
def test_the_session_is_for_tls_alone_where_that_is_used(
    client: FlaskClient, sender: str, is_secure: bool
) -> None:
    answer = client.post(
        "/sign-in",
        data={"token": TOKEN},
        headers={"Host": "desk.example.com", "X-Forwarded-Proto": "https"},
        environ_overrides={"REMOTE_ADDR": sender},
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert ("Secure" in answer.headers["Set-Cookie"]) is is_secure


def test_the_address_in_the_description_is_the_one_that_was_used(client: FlaskClient) -> None:
    answer = client.get(
        "/openapi.json",
        headers={**SHOWN, "Host": "desk.example.com", "X-Forwarded-Proto": "https"},
        environ_overrides={"REMOTE_ADDR": PROXY},
    )
    assert answer.get_json()["servers"] == [{"url": "https://desk.example.com"}]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("Desk.Example.com.", "desk.example.com"),
        ("*.example.com", "*.example.com"),
        ("my_desk", "my_desk"),
        ("192.168.1.5", "192.168.1.5"),
        ("[::1]", "::1"),
    ],
)
def test_a_host_is_read(text: str, pattern: str) -> None:
    assert host_pattern(text) == pattern


@pytest.mark.parametrize(
    "text",
    ["", "*", "*.", "https://desk.example.com", "a.com/bot", "a.com:8443", "a b", "*a.com", "a..b"],
)
def test_what_is_no_host_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        server_parser().parse_args(["--allow-host", text, "--token", TOKEN])
    assert "is no host name such as desk.example.com" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "nginx", "10.0.0.1/8", "10.0.0.0/40", "https://10.0.0.1"])
def test_what_is_no_address_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        server_parser().parse_args(["--proxy", text])
    assert "is no address such as 127.0.0.1" in capsys.readouterr().err


def test_a_name_needs_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIRTUAL_BALANCE_TOKEN", raising=False)
    fault = fault_in(server_parser().parse_args(["--allow-host", "a.com", "--allow-host", "b.com"]))
    assert fault.startswith("--allow-host a.com lets other machines in, so it needs --token")
    options = server_parser().parse_args(["--allow-host", "a.com", "--token", TOKEN])
    assert fault_in(options) == ""


class TestBasePath:
    """A proxy may serve it below a path, which it takes off or not."""

    @pytest.fixture(scope="class")
    def below(self) -> FlaskClient:
        """An app below /desk/bot/, with a token."""
        desk, front = Desk(MemoryStore()), Front(base_path="/desk/bot")
        app = create_app(desk, Stream(2), Guards(token=TOKEN), front=front)
        client: FlaskClient = app.server.test_client()
        return client

    @pytest.mark.parametrize("base", ["", "/desk/bot"])
    def test_every_path_is_there_with_it_and_without(self, below: FlaskClient, base: str) -> None:
        for path in ("/health", "/virtual_balance", "/", "/auto", "/_dash-layout", "/fapi/v1/time"):
            assert below.get(f"{base}{path}", headers=SHOWN).status_code == 200, path
        assert below.get(f"{base}/orders").status_code == 401
        assert below.get(f"{base}/nope", headers=SHOWN).status_code == 404

    def test_a_path_that_only_begins_alike_is_another(self, below: FlaskClient) -> None:
        assert below.get("/desk/botany/health", headers=SHOWN).status_code == 404

    def test_without_its_slash_it_leads_to_the_page(self, below: FlaskClient) -> None:
        answer = below.get("/desk/bot", headers=SHOWN)
        assert (answer.status_code, answer.headers["Location"]) == (308, "/desk/bot/")

    def test_every_address_of_the_page_is_below_it(self, below: FlaskClient) -> None:
        page = below.get("/", headers=SHOWN).text
        addresses = re.findall(r"(?:src|href)=\"(/[^\"]*)", page)
        assert len(addresses) > 10
        assert [each for each in addresses if not each.startswith("/desk/bot/")] == []
        for address in addresses:
            with below.get(address, headers=SHOWN) as answer:
                assert answer.status_code == 200, address
        layout = json.dumps(below.get("/_dash-layout", headers=SHOWN).get_json())
        links = re.findall(r"\"href\": *\"(/[^\"]*)", layout)
        assert "/desk/bot/auto" in links
        assert [each for each in links if not each.startswith("/desk/bot/")] == []
        assert "curl http://localhost/desk/bot/" in layout

    def test_the_session_is_of_that_path_alone(self, below: FlaskClient) -> None:
        page = below.get("/desk/bot/").text
        assert 'action="/desk/bot/sign-in"' in page
        answer = below.post("/desk/bot/sign-in", data={"token": TOKEN})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/bot/")
        assert "Path=/desk/bot/" in answer.headers["Set-Cookie"]
        assert below.get("/desk/bot/orders").status_code == 200
        below.delete_cookie("virtual-balance-session", path="/desk/bot/")

    def test_the_description_has_it(self, below: FlaskClient) -> None:
        servers = below.get("/openapi.json", headers=SHOWN).get_json()["servers"]
        assert servers == [{"url": "http://localhost/desk/bot"}]


@pytest.mark.parametrize(
    ("text", "path"),
    [("/bot/", "/bot"), ("/bot", "/bot"), ("/a/b.c_d-e/", "/a/b.c_d-e"), ("/", "")],
)
def test_a_base_path_is_read(text: str, path: str) -> None:
    assert server_parser().parse_args(["--base-path", text]).base_path == path


@pytest.mark.parametrize(
    "text",
    ["", "bot", "//bot", "/bot//", "/../bot", "/./", "https://a.com/bot", "/a b", "/<x>", "/ä"],
)
def test_what_is_no_path_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        server_parser().parse_args(["--base-path", text])
    assert "is no path such as /bot/" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["/history/", "/auto", "/orders/mine", "/assets", "/fapi"])
def test_a_path_of_the_server_itself_is_refused(
    path: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data-dir", str(folder), "--port", "0", "--base-path", path]) == 1
    assert "begins like a path of the server itself" in capsys.readouterr().err
