"""What is no file in the place of one is listed as long as it is there, and what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from balance.server.places import Places
from balance.store.damage import Damage, Damages
from balance.store.file_store import LOCK_FILE
from tests.patience import wait_for
from tests.serving import Server

NAMES = ("bots.jsonl", "equity.db", "feed.json", "history.db", "market.json", LOCK_FILE)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_file_is_listed_as_long_as_it_is_there(
    tmp_path: Path, name: str, place: Callable[[Path], object]
) -> None:
    path, damages = tmp_path / name, Damages()
    places = Places(tmp_path, damages)
    path.touch()
    places.look()
    assert damages.listed == ()
    path.unlink()
    place(path)
    for _ in range(2):
        places.look()
        (found,) = damages.listed
        assert (found.file, found.line) == (name, None)
        assert "Move it away" in found.message
    path.rename(tmp_path / "away")
    places.look()
    assert damages.listed == ()


def test_what_its_owner_has_said_of_the_file_stays(tmp_path: Path) -> None:
    damages, path = Damages(), tmp_path / "equity.db"
    places, said = Places(tmp_path, damages), Damage("equity.db", None, "It was damaged.")
    path.mkdir()
    places.look()
    path.rmdir()
    damages.report(said)
    places.look()
    assert damages.listed == (said,)


def test_a_server_runs_with_folders_in_their_places_and_goes_on_without(folder: Path) -> None:
    with Server(folder) as server:
        server.post({"deposit": 5})
    for name in NAMES:
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()
    with Server(folder) as server:

        def listed() -> list[str]:
            return sorted(each["file"] for each in server.get("/health").json()["damage"])

        wait_for(lambda: listed() == sorted(NAMES), "all to be listed")
        for name in NAMES:
            (folder / name).rmdir()
        wait_for(lambda: listed() == [], "all to be gone")
        revision = server.get().json()["revision"]
        assert server.post({"deposit": 5}).json()["revision"] == revision + 1
        # The others are written when there is something new for them.
        for name in ("equity.db", "market.json"):
            wait_for((folder / name).is_file, f"a new {name}")
