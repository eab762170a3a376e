"""A server that was started with a token answers nobody who does not show it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.answers import problem
from tests.patience import patience
from tests.serving import Server

TOKEN = "a-token-of-some-length"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PATHS = (
    *("/virtual_balance", "/virtual_balance/history", "/virtual_balance/stream", "/orders"),
    *("/openapi.json", "/_dash-layout", "/_dash-dependencies", "/assets/theme.css", "/nope"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server with a token, open to other machines, for all."""
    folder = tmp_path_factory.mktemp("signin") / "account"
    with Server(folder, "--token", TOKEN, "--host", "0.0.0.0") as running:
        yield running


@pytest.fixture
def person(server: Server) -> Iterator[requests.Session]:
    """A person at a browser, who has shown the token."""
    with requests.Session() as session:
        session.post(f"{server.url}/sign-in", data={"token": TOKEN}, timeout=patience())
        yield session


@pytest.mark.parametrize("path", PATHS)
def test_a_program_without_the_token_is_told_how_to_show_it(server: Server, path: str) -> None:
    answer = server.get(path)
    assert "Authorization: Bearer" in problem(answer, 401)["detail"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "shown",
    [
        *("", "Bearer", "Bearer ", "Bearer wrong", f"bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN),
        *(f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN.upper()}", "Bearer \xff"),
    ],
)
def test_another_token_changes_nothing(server: Server, shown: str) -> None:
    before = server.get(headers=BEARER).json()["revision"]
    headers = {"Authorization": shown.encode("latin-1")}
    problem(server.post({"deposit": 5}, headers=headers), 401)
    problem(server.post(path="/virtual_balance/reset", headers=headers), 401)
    problem(server.post({}, "/_dash-update-component", headers=headers), 401)
    assert server.get(headers=BEARER).json()["revision"] == before


def test_a_program_with_the_token_may_do_everything(server: Server) -> None:
    before = server.get(headers=BEARER).json()["balance"]
    assert server.post({"deposit": 5}, headers=BEARER).json()["balance"] == before + 5
    assert server.get("/", headers=BEARER).status_code == 200
    problem(server.get("/nope", headers=BEARER), 404)


@pytest.mark.parametrize("path", ["/", "/auto", "/futures", "/history", "/sign-in"])
def test_a_person_without_the_token_is_asked_for_it(server: Server, path: str) -> None:
    answer = server.get(path)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Cache-Control"] == "no-store"
    assert 'type="password"' in answer.text
    assert "http://" not in answer.text
    assert TOKEN not in answer.text


def test_a_person_who_shows_another_token_is_asked_again(server: Server) -> None:
    for shown in ("", "wrong", "\N{ROCKET}", TOKEN + " "):
        answer = requests.post(f"{server.url}/sign-in", data={"token": shown}, timeout=patience())
        assert answer.status_code == 401
        assert "That is not the token" in answer.text
        assert "Set-Cookie" not in answer.headers


def test_a_person_who_shows_the_token_comes_to_the_page(server: Server) -> None:
    answer = requests.post(
        f"{server.url}/sign-in", data={"token": TOKEN}, timeout=patience(), allow_redirects=False
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie


def test_a_person_who_has_shown_the_token_may_do_everything(
    server: Server, person: requests.Session
) -> None:
    assert person.get(server.url, timeout=patience()).status_code == 200
    assert person.get(f"{server.url}/_dash-layout", timeout=patience()).status_code == 200
    before = person.get(f"{server.url}/virtual_balance", timeout=patience()).json()["balance"]
    told = person.post(
        f"{server.url}/virtual_balance", json={"deposit": 5}, timeout=patience()
    ).json()
    assert told["balance"] == before + 5


def test_a_session_does_not_let_pages_of_other_sites_in(
    server: Server, person: requests.Session
) -> None:
    answer = person.post(
        f"{server.url}/virtual_balance",
        json={"deposit": 5},
        headers={"Origin": "https://evil.com"},
        timeout=patience(),
    )
    problem(answer, 403)
    forged = requests.post(
        f"{server.url}/sign-in",
        data={"token": TOKEN},
        headers={"Sec-Fetch-Site": "cross-site"},
        timeout=patience(),
    )
    problem(forged, 403)


def test_a_made_up_session_is_none(server: Server, person: requests.Session) -> None:
    (name,) = person.cookies.keys()
    for value in ("", "1", TOKEN, "0" * 64):
        problem(server.get(cookies={name: value}), 401)


def test_a_host_of_elsewhere_is_refused_before_the_token_is_asked_for(server: Server) -> None:
    problem(server.get("/", headers={**BEARER, "Host": "evil.com"}), 400)


def test_a_server_without_a_token_has_no_page_to_show_it_on(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Server(tmp_path_factory.mktemp("open") / "account") as running:
        problem(running.get("/sign-in"), 404)
        problem(running.post(path="/sign-in"), 404)
        # a token that is not needed does no harm
        assert running.get(headers=BEARER).status_code == 200
