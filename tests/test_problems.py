"""Every error over HTTP is a problem that says what happened, and changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
import requests
from filelock import FileLock

from tests.answers import problem, raw
from tests.patience import patience
from tests.serving import Server

JSON = {"Content-Type": "application/json"}
POSTS = ("/virtual_balance", "/virtual_balance/reset")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all requests that change nothing."""
    with Server(tmp_path_factory.mktemp("problems") / "account") as running:
        yield running


@pytest.fixture(autouse=True)
def unchanged(server: Server) -> Iterator[None]:
    """Whatever was asked, the account is what it was, and the server has made no mistake."""
    before = server.get().json()
    yield
    after = server.get().json()
    assert (after["revision"], after["balance"]) == (before["revision"], before["balance"])
    assert not [line for line in server.said if "Traceback" in line or is_mistake(line)]


def is_mistake(line: str) -> bool:
    """Whether ``line`` of the log tells of a mistake of the server; that the market can do nothing
    to a damaged account is none."""
    return "ERROR" in line and "what the market does can't be booked" not in line


def sent(server: Server, body: bytes, path: str = POSTS[0], **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(
        server.url + path, data=body, headers={**JSON, **named}, timeout=patience()
    )


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not JSON"),
        (b"balance=5", "not JSON"),
        (b"{'balance': 5}", "not JSON"),
        (b'{"balance": 5} x', "not JSON"),
        (b'{"balance": 05}', "not JSON"),
        (b'{"balance": NaN}', "NaN"),
        (b'{"balance": Infinity}', "Infinity"),
        (b'{"balance": -Infinity}', "Infinity"),
        (b'{"balance": 1e400}', "too large for JSON"),
        (b'{"balance": -1e400}', "too large for JSON"),
        (b'{"balance": 1' + b"0" * 400 + b"}", "too large for JSON"),
        (b'{"balance": 1, "balance": 2}', "twice"),
        (b'{"balance": {"a": 1, "a": 2}}', "twice"),
        (b'{"note": "\xff"}', "UTF-8"),
        ('{"balance": 5}'.encode("utf-16"), "UTF-8"),
        (b"[" * 60_000, "nested too deeply"),
        (b'{"a":' * 10_000, "nested too deeply"),
        (b"\x00", "not JSON"),
    ],
)
def test_what_is_not_json_is_400(server: Server, path: str, body: bytes, words: str) -> None:
    assert words in problem(sent(server, body, path), 400)["detail"]


def test_a_body_without_anything_is_400(server: Server) -> None:
    assert "not JSON" in problem(sent(server, b""), 400)["detail"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", ""]
)
def test_a_body_that_is_not_declared_as_json_is_415(server: Server, path: str, kind: str) -> None:
    answer = sent(server, b'{"balance": 5}', path, Content_Type=kind)
    assert "Content-Type: application/json" in problem(answer, 415)["detail"]


@pytest.mark.parametrize("size", [70_000, 1_000_000])
@pytest.mark.parametrize("path", POSTS)
def test_a_body_over_64_kib_is_413(server: Server, path: str, size: int) -> None:
    body = b'{"balance": 5, "note": "' + b"x" * size + b'"}'
    assert "too large" in problem(sent(server, body, path), 413)["detail"]
    problem(sent(server, b"[" * 200_000, path), 413)


def test_a_body_over_64_kib_that_comes_in_chunks_is_413(server: Server) -> None:
    chunks = (b" " * 10_000 for _ in range(9))
    answer = requests.post(
        f"{server.url}/virtual_balance", data=chunks, headers=JSON, timeout=patience()
    )
    problem(answer, 413)


def test_a_body_of_64_kib_is_read(server: Server) -> None:
    body = json.dumps({"balance": -5}).ljust(65_536).encode()
    assert "negative" in problem(sent(server, body), 422)["detail"]


@pytest.mark.parametrize("value", ["true", "false", '"5,0"', "null", "[5]", '{"value": 5}', '""'])
@pytest.mark.parametrize("member", ["balance", "adjust", "deposit", "withdraw"])
def test_an_amount_that_is_no_number_is_422(server: Server, member: str, value: str) -> None:
    members = problem(sent(server, f'{{"{member}": {value}}}'.encode()), 422)
    assert "must be a number" in members["detail"]


@pytest.mark.parametrize(
    "value", ["true", '"5,0"', "null", "[]", "{}", "-1", "1e13", "-0.00000001"]
)
def test_a_reset_to_what_is_no_balance_is_422(server: Server, value: str) -> None:
    problem(sent(server, f'{{"balance": {value}}}'.encode(), "/virtual_balance/reset"), 422)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"balance": -0.01}', "must not be negative"),
        ('{"deposit": -5}', "must be above zero"),
        ('{"deposit": 0}', "must be above zero"),
        ('{"deposit": 0.000000001}', "must be above zero"),
        ('{"withdraw": -5}', "must be above zero"),
        ('{"withdraw": 0}', "must be above zero"),
        ('{"adjust": 0}', "must not be zero"),
        ('{"adjust": -0.0}', "must not be zero"),
        ('{"balance": 1000000000001}', "too large"),
        ('{"balance": 1e300}', "too large"),
        ('{"deposit": 999999999999}', "at most 1,000,000,000,000"),
        ('{"adjust": 1e12}', "at most 1,000,000,000,000"),
        ("{}", "exactly one of"),
        ('{"note": "a gift"}', "exactly one of"),
        ('{"balance": 5, "adjust": 5}', "exactly one of"),
        ('{"deposit": 5, "withdraw": 5}', "exactly one of"),
        ('{"balance": 5, "Balance": 6}', "'Balance'"),
        ('{"balance": 5, "if_match": 1}', "'if_match'"),
        ('{"": 5}', "but not ''"),
        ("[]", "must be an object"),
        ("5", "must be an object"),
        ("null", "must be an object"),
        ('"balance"', "must be an object"),
        ('{"deposit": 5, "note": 7}', "note must be"),
        ('{"deposit": 5, "note": null}', "note must be"),
        ('{"deposit": 5, "note": "two\\nlines"}', "note must be"),
        ('{"deposit": 5, "note": "\\ud800"}', "note must be"),
        (f'{{"deposit": 5, "note": "{"x" * 201}"}}', "at most 200"),
    ],
)
def test_json_that_makes_no_sense_is_422(server: Server, body: str, words: str) -> None:
    assert words in problem(sent(server, body.encode()), 422)["detail"]


@pytest.mark.parametrize("body", ['{"withdraw": 10000.00000001}', '{"adjust": -10000.00000001}'])
def test_more_than_is_available_is_422_with_the_figures(server: Server, body: str) -> None:
    members = problem(sent(server, body.encode()), 422)
    assert members["required"] == Decimal("10000.00000001")
    assert members["available"] == Decimal("10000.00")
    assert "10,000.00000001" in members["detail"]
    assert "10,000.00 " in members["detail"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=0", "limit must be from 1 to 1,000"),
        ("limit=1001", "limit must be from 1 to 1,000"),
        ("limit=-1", "limit must be a whole number"),
        ("limit=ten", "limit must be a whole number"),
        ("limit=", "limit must be a whole number"),
        ("limit=1.5", "limit must be a whole number"),
        ("limit=" + "9" * 5_000, "limit must be a whole number"),
        ("epoch=0", "epoch must be 1 or more"),
        ("epoch=x", "epoch must be a whole number"),
        ("kind=bribe", "kind must be one of start, reset, undo"),
        ("kind=", "kind must be one of"),
        ("before=x", "before must be a revision"),
        ("before=", "before must be a revision"),
        ("before=1.2.3", "before must be a revision"),
        ("before=%D9%A3", "before must be a revision"),
        ("format=csv&kind=bribe", "kind must be one of"),
        ("format=csv&limit=0", "limit must be from 1 to 1,000"),
    ],
)
def test_a_history_that_can_not_be_is_422(server: Server, query: str, words: str) -> None:
    assert words in problem(server.get(f"/virtual_balance/history?{query}"), 422)["detail"]


@pytest.mark.parametrize(
    "path",
    [
        *("/nope", "/virtual_balance/x", "/virtual_balance/", "/virtual_balance/history/2"),
        *("/virtual-balance", "/health/", "/openapi.yaml", "/assets/nope.js", "/assets/../app.py"),
        *("/assets/%2e%2e/shell.py", "/%00", "/_dash-component-suites/x/y.js", "/static/x.js"),
        *("/_dash-component-suites/dash/../app.py", "/virtual_balance.json", "/data/ledger.jsonl"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "HEAD"])
def test_a_path_where_nothing_is_is_404(server: Server, method: str, path: str) -> None:
    answer = raw(server.port, method, path, Content_Length="0")
    # where only files are, a POST is wrong whatever it names
    of_files = path.startswith(("/assets/", "/static/", "/_dash-component-suites/"))
    assert answer.status == (405 if of_files and method in ("POST", "DELETE") else 404)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not answer.body if method == "HEAD" else json.loads(answer.body)["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/virtual_balance/reset", {"POST", "OPTIONS"}),
        ("PUT", "/virtual_balance", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("DELETE", "/virtual_balance", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("PATCH", "/virtual_balance", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("DELETE", "/virtual_balance/history", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/virtual_balance/stream", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/health", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/openapi.json", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/_dash-update-component", {"POST", "OPTIONS"}),
    ],
)
def test_what_a_path_can_not_do_is_405_and_says_what_it_can(
    server: Server, method: str, path: str, allowed: set[str]
) -> None:
    answer = requests.request(method, server.url + path, json={"balance": 5}, timeout=patience())
    assert method in problem(answer, 405)["detail"]
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_a_lock_that_another_program_holds_is_503_after_five_seconds(server: Server) -> None:
    with FileLock(server.folder / "virtual_balance.lock"):
        answer = server.post({"deposit": 5})
        # who reads needs no lock
        assert server.get().status_code == 200
        assert server.get("/virtual_balance/history").status_code == 200
    members = problem(answer, 503)
    assert "has held the account's lock for 5 s" in members["detail"]
    assert int(answer.headers["Retry-After"]) >= 1


class TestADamagedFile:
    """The account can't be read: everything says so, nothing is put in its place."""

    @pytest.fixture(params=[b"", b"{", b"\x00" * 500, b"[]", b'{"schema": 99}', None])
    def damaged(self, server: Server, request: pytest.FixtureRequest) -> Iterator[bytes | None]:
        file = server.folder / "virtual_balance.json"
        whole = file.read_bytes()
        if request.param is None:
            file.unlink()
        else:
            file.write_bytes(request.param)
        yield request.param
        file.write_bytes(whole)

    def test_is_503_for_whoever_asks(self, server: Server, damaged: bytes | None) -> None:
        answers = [
            server.get(),
            server.get("/health"),
            server.post({"deposit": 5}),
            server.post({"balance": 5}),
            server.post(path="/virtual_balance/reset"),
            server.post({"deposit": 5}, headers={"Idempotency-Key": "again"}),
        ]
        for answer in answers:
            members = problem(answer, 503)
            assert "virtual_balance.json" in members["detail"]
            remedy = "newer version" if damaged == b'{"schema": 99}' else "repair"
            assert remedy in members["detail"]
            assert ("Nothing was changed." in members["detail"]) == (
                answer.request.method == "POST"
            )
            assert int(answer.headers["Retry-After"]) >= 1

    def test_shows_no_number_on_the_page_and_is_left_alone(
        self, server: Server, damaged: bytes | None
    ) -> None:
        page = server.get("/_dash-layout")
        assert page.status_code == 200
        assert not re.search(r"\$\d", page.text)
        assert "virtual_balance.json" in page.text
        problem(server.get("/virtual_balance/history"), 503)
        file = server.folder / "virtual_balance.json"
        assert (file.read_bytes() if file.exists() else None) == damaged


def test_a_damaged_ledger_is_503_where_it_is_read(server: Server) -> None:
    file = server.folder / "ledger.jsonl"
    whole = file.read_bytes()
    file.write_bytes(b"nonsense\n" + whole)
    try:
        assert server.get().status_code == 200
        for query in ("", "?format=csv"):
            answer = server.get(f"/virtual_balance/history{query}")
            assert "ledger.jsonl" in problem(answer, 503)["detail"]
            assert answer.headers["Retry-After"]
    finally:
        file.write_bytes(whole)
