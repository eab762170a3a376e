"""The desk behind nginx as the manual has it, in a browser: ``python -m pytest tests/proxied.py``.

It needs nginx and openssl, so it is not among the tests that are always run.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BLANK, started_browser, take_time
from tests.patience import patience, wait_for
from tests.processes import ROOT
from tests.screen import text, wait_for_balance, wait_for_link
from tests.serving import Server

NAME, BASE = "desk.example.com", "/bot"
TOKEN, SECRET = "a-token-of-some-length", "a-secret-of-signals"
OPTIONS = (
    *("--token", TOKEN, "--signal-secret", SECRET, "--allow-host", NAME),
    *("--proxy", "127.0.0.1", "--base-path", f"{BASE}/"),
)

pytestmark = pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")),
    reason="nginx or openssl is not installed: apt-get install nginx-light openssl",
)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def stream_port(server: Server) -> int:
    found = re.search(r"ws://\S+:(\d+)", "\n".join(server.said))
    assert found is not None
    return int(found[1])


def snippet() -> str:
    """The configuration of nginx in the manual."""
    manual = (ROOT / "docs" / "install.md").read_text()
    (found,) = re.findall(r"```nginx\n(.*?)```", manual, re.DOTALL)
    return str(found)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of the name that signs itself, and its key."""
    certificate, key = folder / "desk.crt", folder / "desk.key"
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    names = ("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}")
    files = ("-out", str(certificate), "-keyout", str(key))
    subprocess.run((*made, *names, *files), check=True, capture_output=True)
    return certificate, key


@contextmanager
def nginx(folder: Path, server: Server, *, takes_off: bool) -> Iterator[int]:
    """nginx before ``server``: its port. It ``takes_off`` the path, or leaves it."""
    folder.mkdir()
    port = free_port()
    certificate, key = make_certificate(folder)
    block = snippet()
    for manual, here in (
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("/etc/ssl/desk.crt", str(certificate)),
        ("/etc/ssl/desk.key", str(key)),
        ("127.0.0.1:8050/", f"127.0.0.1:{server.port}" + "/" * takes_off),
        ("127.0.0.1:8051/", f"127.0.0.1:{stream_port(server)}/"),
    ):
        assert manual in block
        block = block.replace(manual, here)
    kept = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "\n".join(f"{each}_temp_path {folder}/{each};" for each in kept)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{places}\n{block}}}\n"
    )
    command = ("nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"))
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(lambda: is_open(port) or process.poll() is not None, "nginx")
            assert process.poll() is None, process.communicate()[1]
            yield port
        finally:
            process.terminate()


def is_open(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def trusting() -> ssl.SSLContext:
    """What takes the certificate that signs itself."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def ask(port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
    """The status and the text that ``path`` is answered with by nginx, as a program gets it."""
    text = None if body is None else json.dumps(body)
    sent = {"Host": f"{NAME}:{port}", "Content-Type": "application/json", **headers}
    connection = http.client.HTTPSConnection(
        "127.0.0.1", port, context=trusting(), timeout=patience()
    )
    with closing(connection):
        connection.request(method, BASE + path, text, sent)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture(params=[True, False], ids=["nginx takes the path off", "nginx leaves the path"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """The port of nginx before a server with a new account."""
    with (
        Server(tmp_path / "account", *OPTIONS) as server,
        nginx(tmp_path / "nginx", server, takes_off=request.param) as port,
    ):
        yield port


@pytest.fixture
def browser(port: int, tmp_path: Path) -> Iterator[Any]:
    """A browser that knows the name, at the page behind nginx."""
    rules = f"MAP {NAME} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    arguments = (f"--host-resolver-rules={rules}", "--ignore-certificate-errors")
    with started_browser(BLANK, str(tmp_path), True, *arguments) as browser:
        take_time(browser)
        browser.driver.get(f"https://{NAME}:{port}{BASE}/")
        yield browser


def test_a_person_signs_in_and_trades(port: int, browser: Any) -> None:
    driver = browser.driver
    browser.find_element("input[name=token]").send_keys(TOKEN)
    browser.find_element("button").click()
    wait_for_link(browser, "Live")
    assert driver.current_url == f"https://{NAME}:{port}{BASE}/"
    cookie = driver.get_cookie("virtual-balance-session")
    assert (cookie["secure"], cookie["path"]) == (True, f"{BASE}/")

    for tab in ("futures", "history", "auto", "futures"):
        browser.find_element(f'.tab-row a[href="{BASE}/{tab}"]').click()
        browser.wait_for_element(f"#{tab}-panel:not([hidden])")
        assert driver.current_url == f"https://{NAME}:{port}{BASE}/{tab}"
    size = browser.wait_for_element("#futures-size")
    wait_for(size.is_displayed, "the ticket")
    size.send_keys("500")
    browser.find_element("#futures-submit").click()
    wait_for(lambda: "Bought" in text(browser, "toasts"), "the order to be filled")

    shown = {"Authorization": f"Bearer {TOKEN}"}
    for _ in range(4):
        driver.switch_to.new_window("tab")
        driver.get(f"https://{NAME}:{port}{BASE}/futures")
        wait_for_link(browser, "Live")
    status, answer = ask(port, "POST", "/virtual_balance", {"balance": 12_345.67}, **shown)
    assert status == 200, answer
    for window in driver.window_handles:
        driver.switch_to.window(window)
        wait_for_balance(browser, "$12,345.67")
    health = json.loads(ask(port, "GET", "/health", **shown)[1])
    assert health["streams"] == 1, "five tabs share one stream"

    browser.find_element(f'.tab-row a[href="{BASE}/history"]').click()
    browser.wait_for_element("#history-panel:not([hidden])")
    wait_for(lambda: "12,345.67" in text(browser, "history-panel"), "the entry in History")
    # The 401 of the sign-in page is the one thing that the browser notes.
    noted = [each for each in driver.get_log("browser") if "401" not in each["message"]]
    assert noted == []


def test_streams_come_through_it(port: int) -> None:
    lines = (
        *("GET /bot-stream/ws/btcusdt@bookTicker HTTP/1.1", f"Host: {NAME}:{port}"),
        *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        *("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", ""),
    )
    with (
        socket.create_connection(("127.0.0.1", port), patience()) as plain,
        trusting().wrap_socket(plain) as connection,
    ):
        connection.sendall("\r\n".join(lines).encode())
        heard = b""
        while b'"e":"bookTicker"' not in heard.replace(b" ", b""):
            heard += connection.recv(4096) or pytest.fail(f"the stream ended: {heard!r}")
    assert heard.startswith(b"HTTP/1.1 101 ")
    assert b"BTCUSDT" in heard


def test_programs_come_through_it(port: int) -> None:
    assert ask(port, "GET", "/health") == (200, '{"status":"success"}\n')
    assert ask(port, "GET", "/orders")[0] == 401
    assert ask(port, "GET", "/orders", Host="evil.com")[0] == 400
    shown = {"Authorization": f"Bearer {TOKEN}"}
    origin = f"https://{NAME}:{port}"
    deposit = {"deposit": 1}
    assert ask(port, "POST", "/virtual_balance", deposit, Origin=origin, **shown)[0] == 200
    evil = "https://evil.example.com"
    assert ask(port, "POST", "/virtual_balance", deposit, Origin=evil, **shown)[0] == 403
    described = json.loads(ask(port, "GET", "/openapi.json", **shown)[1])
    assert described["servers"] == [{"url": f"{origin}{BASE}"}]
    signal = {"symbol": "BTCUSDT.P", "side": "buy", "secret": SECRET}
    status, answer = ask(port, "POST", "/signals", signal)
    assert (status, "Nobody acts on it" in answer) == (200, True)
    assert ask(port, "GET", "/fapi/v1/time")[0] == 200
