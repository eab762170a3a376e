"""A backup is downloaded from the server that trades, and restored by it beside its own account."""

from __future__ import annotations

import os
import shlex
import socket
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from balance.api.backups import LARGEST_BACKUP, BackupRoutes
from balance.api.operations import add_routes
from balance.api.problems import answer_with_problems
from balance.open_account import open_account
from balance.store.backup import MANIFEST_FILE, back_up, restore
from balance.store.file_store import ACCOUNT_FILE, LEDGER_FILE
from balance.store.verification import verify
from tests.accounts import MOMENT
from tests.described import check
from tests.serving import Server

_ZIP = {"Content-Type": "application/zip"}


def download(server: Server, **how: Any) -> requests.Response:
    """The answer of a backup."""
    return server.get("/backup", **how)


def send(server: Server, body: bytes, **headers: str) -> requests.Response:
    """The answer to a backup that is sent to be restored."""
    return server.post(path="/backup/restore", data=body, headers={**_ZIP, **headers})


def names(folder: Path) -> list[str]:
    """What a backup or a restore left in ``folder``."""
    ours = (".backup.", ".upload.", ".restore.")
    found = (each.name for each in folder.iterdir())
    return sorted(name for name in found if name.startswith(ours) or "restored" in name)


@pytest.fixture
def routes(folder: Path) -> BackupRoutes:
    """The routes of an account, at a moment that stands still."""
    open_account(folder).deposit(12)
    return BackupRoutes(folder, lambda: MOMENT)


@pytest.fixture
def client(routes: BackupRoutes) -> FlaskClient:
    """What asks ``routes``."""
    return served(routes)


def served(routes: BackupRoutes) -> FlaskClient:
    """A client of ``routes`` alone."""
    server, api = Flask(__name__), Blueprint("backups", __name__)
    add_routes(api, routes)
    answer_with_problems(server)
    server.register_blueprint(api)
    return server.test_client()


def test_a_running_server_gives_its_account_away_and_takes_it_back_beside_it(
    server: Server, folder: Path, tmp_path: Path
) -> None:
    server.post({"deposit": 2_500.5})
    answer = download(server)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert {ACCOUNT_FILE, LEDGER_FILE, MANIFEST_FILE} <= {
        *zipfile.ZipFile(BytesIO(answer.content)).namelist()
    }
    server.post({"deposit": 1})
    done = send(server, answer.content)
    found = done.json()
    assert (found["balance"], found["revision"], found["entries"]) == (12_500.5, 2, 2)
    assert found["message"] == (
        "Restored: 2 entries explain the balance of 12,500.50 USDT at revision 2."
    )
    *program, place = shlex.split(found["command"])
    assert program == ["python", "app.py", "--data-dir"]
    assert Path(place).parent == tmp_path
    assert Path(place).name.startswith("account-restored-")
    assert verify(Path(place)).balance == "12,500.50"
    assert server.balance() == 12_501.5
    assert names(folder) == []


def test_a_download_is_called_by_its_day_and_revision_and_leaves_nothing(
    client: FlaskClient, folder: Path, tmp_path: Path
) -> None:
    answer = client.get("/backup")
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=virtual-balance-2026-01-02-revision-2.zip"
    )
    file = tmp_path / "downloaded.zip"
    file.write_bytes(answer.data)
    answer.close()
    assert restore(file, tmp_path / "restored").report.balance == "10,012.00"
    assert names(folder) == []


def test_an_account_that_is_damaged_is_not_downloaded(client: FlaskClient, folder: Path) -> None:
    ledger = folder / LEDGER_FILE
    ledger.write_bytes(ledger.read_bytes().replace(b'"12.00"', b'"13.00"', 1))
    answer = client.get("/backup")
    check(answer, "GET", "/backup")
    assert answer.status_code == 503
    assert "python -m balance repair --data-dir" in answer.get_json()["detail"]
    assert names(folder) == []


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (b"no zip", {}, 422, "it is no ZIP file, or a damaged one"),
        (b"", {}, 422, "it is no ZIP file, or a damaged one"),
        (b"{}", {"Content-Type": "application/json"}, 415, "send Content-Type: application/zip"),
        (b"x", {"Sec-Fetch-Site": "cross-site"}, 403, "other sites"),
    ],
)
def test_what_can_not_be_restored_is_refused_and_nothing_is_left(
    server: Server,
    folder: Path,
    tmp_path: Path,
    body: bytes,
    headers: dict[str, str],
    status: int,
    reason: str,
) -> None:
    answer = send(server, body, **headers)
    assert answer.status_code == status
    assert reason in answer.json()["detail"]
    assert names(folder) == names(tmp_path) == []


def test_what_is_restored_is_answered_as_it_is_described(
    client: FlaskClient, folder: Path, tmp_path: Path
) -> None:
    back_up(folder, tmp_path / "small.zip")
    body = (tmp_path / "small.zip").read_bytes()
    answer = client.post("/backup/restore", headers=_ZIP, data=body)
    check(answer, "POST", "/backup/restore")
    assert answer.status_code == 200


def test_another_site_may_not_have_a_backup_made(client: FlaskClient) -> None:
    answer = client.get("/backup", headers={"Sec-Fetch-Site": "cross-site"})
    check(answer, "GET", "/backup")
    assert answer.status_code == 403


def test_a_backup_may_be_far_larger_than_any_other_request(
    server: Server, folder: Path, tmp_path: Path
) -> None:
    back_up(folder, tmp_path / "small.zip")
    # What stands before a ZIP file is no part of it.
    large = os.urandom(20 * 1024 * 1024) + (tmp_path / "small.zip").read_bytes()
    done = send(server, large)
    assert done.status_code == 200, done.text
    assert done.json()["balance"] == 10_000
    other = server.post(path="/candles", data=large, headers=_ZIP)
    assert other.status_code == 413
    # As no page of another site could send it without a question.
    assert send(server, large, **{"Content-Type": "text/plain"}).status_code == 413


def test_a_backup_that_is_too_large_is_refused_before_it_is_sent(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /backup/restore HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/zip\r\n"
            b"Content-Length: %d\r\n\r\n" % (2 * LARGEST_BACKUP)
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_one_backup_is_made_at_a_time(routes: BackupRoutes, client: FlaskClient) -> None:
    with routes._turn:
        for method, path in (("GET", "/backup"), ("POST", "/backup/restore")):
            answer = client.open(
                path, method=method, headers=_ZIP, data=b"" if method == "POST" else None
            )
            check(answer, method, path)
            assert answer.status_code == 409
    for _ in range(2):
        with client.get("/backup") as answer:
            assert answer.status_code == 200


def test_an_account_in_memory_has_no_backup() -> None:
    client = served(BackupRoutes(None))
    for answer in (client.get("/backup"), client.post("/backup/restore", headers=_ZIP, data=b"x")):
        assert answer.status_code == 422
        assert "only in memory" in answer.get_json()["detail"]


def test_where_nothing_can_be_written_beside_the_data_folder_it_is_restored_inside(
    client: FlaskClient, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(folder, tmp_path / "small.zip")
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != tmp_path)
    answer = client.post(
        "/backup/restore", headers=_ZIP, data=(tmp_path / "small.zip").read_bytes()
    )
    place = folder / "account-restored-20260102-030405"
    assert answer.get_json()["command"].endswith(f" --data-dir {place}")
    assert verify(place).faults == ()
    assert verify(folder).faults == ()
    # Twice in one second: the second is refused.
    again = client.post("/backup/restore", headers=_ZIP, data=(tmp_path / "small.zip").read_bytes())
    assert again.status_code == 422
    assert again.get_json()["detail"].startswith("The folder holds 2 files")
