"""The settings' file: the same for every program, never half written, never silently a default."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from balance import InvalidAmount, StoreError, StoreUnreadable, open_account
from balance.core.settings import Settings, SettingsState
from balance.desk.settings import SETTINGS_FILE, SettingsFile
from balance.market.board import save_market
from tests.markets import BTC, market, quote
from tests.refusing import RefusingDisk
from tests.serving import ROOT


def write(folder: Path, text: str) -> None:
    (folder / SETTINGS_FILE).write_text(text)


def test_without_a_file_there_are_the_defaults_and_none_is_made(tmp_path: Path) -> None:
    assert SettingsFile(tmp_path).state == SettingsState(settings=Settings())
    assert not (tmp_path / SETTINGS_FILE).exists()


def test_what_was_chosen_is_there_after_a_restart(tmp_path: Path) -> None:
    kept, message = SettingsFile(tmp_path).change({"taker_fee_percent": "0.06", "theme": "dark"})
    assert message == "Settings saved: taker fee 0.06%, theme dark."
    assert kept.version == 1
    assert SettingsFile(tmp_path).state == kept
    told = json.loads((tmp_path / SETTINGS_FILE).read_text())
    assert (told["taker_fee_percent"], told["theme"], told["version"]) == ("0.06", "dark", 1)


def test_the_file_has_every_setting_in_its_order(tmp_path: Path) -> None:
    SettingsFile(tmp_path).change({"taker_fee_percent": "0.06", "default_leverage": 7})
    assert (tmp_path / SETTINGS_FILE).read_text() == (
        '{\n  "schema": 1,\n  "version": 1,\n  "maker_fee_percent": "0.02",\n'
        '  "taker_fee_percent": "0.06",\n  "slippage_percent": "0.01",\n'
        '  "market_depth": "0.00",\n  "depth_slippage_percent": "0.10",\n'
        '  "default_leverage": 7,\n  "starting_balance": "10000.00",\n  "theme": "system",\n'
        '  "decimals": 2,\n  "sound": false,\n  "notifications": false,\n'
        '  "shortcuts": true,"checksum":"4002aea892bbbd98"}\n'
    )


def test_a_change_that_is_none_writes_nothing(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path)
    assert file.change({"decimals": 2}) == (file.state, "No setting was changed.")
    assert not (tmp_path / SETTINGS_FILE).exists()


def test_what_is_refused_changes_nothing(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path)
    with pytest.raises(InvalidAmount):
        file.change({"taker_fee_percent": 2})
    assert file.state == SettingsState(settings=Settings())


def test_another_program_obeys_at_once(tmp_path: Path) -> None:
    one, other = SettingsFile(tmp_path), SettingsFile(tmp_path)
    for decimals in (4, 5, 6, 7, 8, 2):
        one.change({"decimals": decimals})
        assert other.settings.decimals == decimals
    assert other.state.version == 6


def test_a_change_by_another_program_is_told_to_who_listens(tmp_path: Path) -> None:
    file, heard = SettingsFile(tmp_path), list[SettingsState]()
    file.subscribe(heard.append)
    SettingsFile(tmp_path).change({"sound": True})
    file.check()
    file.check()
    assert [each.settings.sound for each in heard] == [True]


def test_an_edit_by_hand_is_taken_over_and_counts(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path)
    file.change({"decimals": 4})
    write(tmp_path, '{"taker_fee_percent": 0.1}')
    assert file.settings.taker_fee == Decimal("0.001")
    # what a file does not name has its default
    assert (file.settings.decimals, file.state.version) == (2, 2)


def test_an_edit_of_what_was_saved_is_in_force_and_said_until_it_is_confirmed(
    tmp_path: Path,
) -> None:
    file = SettingsFile(tmp_path)
    file.change({"taker_fee_percent": "0.06"})
    text = (tmp_path / SETTINGS_FILE).read_text()
    write(tmp_path, text.replace('"0.06"', '"0.96"'))
    for reader in (file, SettingsFile(tmp_path)):
        state = reader.state
        assert (state.settings.taker_fee, state.fault) == (Decimal("0.0096"), "")
        assert state.note.startswith("settings.json was changed after it was saved, by hand")
    assert "by hand or by damage" in shell(tmp_path, "settings")
    kept, message = file.change({})
    assert (message, kept.note) == ("Settings saved as they are.", "")
    assert SettingsFile(tmp_path).state == file.state == kept
    # who takes the checksum out has confirmed it
    write(tmp_path, text.split(',"checksum"')[0] + "}")
    assert (file.settings.taker_fee, file.state.note) == (Decimal("0.0006"), "")


class Clock:
    """Tells the seconds that a test sets."""

    now = 10.0

    def __call__(self) -> float:
        return self.now


def test_a_file_that_is_taken_away_leaves_the_defaults_after_a_while(tmp_path: Path) -> None:
    clock, heard = Clock(), list[SettingsState]()
    file = SettingsFile(tmp_path, clock)
    file.subscribe(heard.append)
    file.change({"decimals": 4})
    (tmp_path / SETTINGS_FILE).unlink()
    for seconds in (0, 1.9):
        clock.now += seconds
        file.check()
        assert (file.settings.decimals, file.state.version, file.state.fault) == (4, 1, "")
    clock.now += 0.2
    file.check()
    assert (file.settings, file.state.version) == (Settings(), 2)
    assert [each.settings.decimals for each in heard] == [4, 2]


def test_a_file_that_is_missing_while_it_is_replaced_changes_nothing_meanwhile(
    tmp_path: Path,
) -> None:
    clock = Clock()
    file = SettingsFile(tmp_path, clock)
    file.change({"slippage_percent": 1})
    # each time anew, however often it is done
    for percent in (2, 3):
        clock.now += 3
        (tmp_path / SETTINGS_FILE).rename(tmp_path / "settings.json~")
        assert file.settings.slippage == Decimal(percent - 1) / 100
        write(tmp_path, f'{{"slippage_percent": {percent}}}')
        assert file.settings.slippage == Decimal(percent) / 100


def test_who_saves_while_the_file_is_missing_keeps_the_other_settings(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path, Clock())
    file.change({"decimals": 4})
    (tmp_path / SETTINGS_FILE).unlink()
    file.change({"sound": True})
    assert SettingsFile(tmp_path).settings == replace(Settings(), decimals=4, sound=True)


WRONG = {
    '{"taker_fee_percent": 2}': "taker_fee_percent must be a number from 0 to 1 %, not 2.00",
    '{"taker_fee": 0.1}': "There is no setting 'taker_fee'",
    '{"decimals": 3, "decimals": 4}': "names 'decimals' twice",
    '{"schema": 2}': "has the schema 2",
    '{"version": -1}': "has the version -1",
    '{"theme": "light"': "is no JSON",
    "[]": "is no object",
    "[" * 100_000: "is no JSON",
    "\xff": "is no JSON",
}


@pytest.mark.parametrize("text", WRONG)
def test_an_edit_that_makes_no_sense_is_refused_in_words(tmp_path: Path, text: str) -> None:
    file = SettingsFile(tmp_path)
    file.change({"decimals": 4})
    (tmp_path / SETTINGS_FILE).write_bytes(text.encode("latin-1"))
    assert file.settings.decimals == 4
    assert WRONG[text] in file.state.fault
    assert "The settings from before stay in force" in file.state.fault
    write(tmp_path, '{"decimals": 5}')
    assert (file.settings.decimals, file.state.fault) == (5, "")


def test_who_saves_others_keeps_a_file_that_makes_no_sense_beside(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path)
    file.change({"decimals": 4})
    write(tmp_path, '{"taker_fee_percent": 0.03,, "decimals": 4}')
    assert "or others are saved, which keeps what stands in it beside" in file.state.fault
    kept, message = file.change({"sound": True})
    assert (kept.settings.decimals, kept.settings.sound, kept.fault) == (4, True, "")
    assert SettingsFile(tmp_path).state == kept
    (beside,) = tmp_path.glob("settings.damaged-*.json")
    assert beside.read_text() == '{"taker_fee_percent": 0.03,, "decimals": 4}'
    assert message == (
        f"Settings saved: sounds on. What stood in settings.json is kept in {beside.name}."
    )
    # once only
    assert file.change({"sound": False})[1] == "Settings saved: sounds off."
    assert list(tmp_path.glob("settings.damaged-*.json")) == [beside]


def test_who_saves_moves_a_folder_in_the_place_of_the_file_beside(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path)
    (tmp_path / SETTINGS_FILE).mkdir()
    assert "settings.json can't be read: Is a directory" in file.state.fault
    kept, message = file.change({"decimals": 4})
    (beside,) = tmp_path.glob("settings.damaged-*.json")
    assert beside.is_dir()
    assert message.endswith(f"What stood in settings.json is kept in {beside.name}.")
    assert SettingsFile(tmp_path).state == file.state == kept


def test_a_file_that_can_not_be_kept_beside_is_not_replaced(tmp_path: Path) -> None:
    disk = RefusingDisk()
    file = SettingsFile(tmp_path, disk=disk)
    write(tmp_path, "nonsense")
    with (
        disk.refusing("keep_damaged"),
        pytest.raises(StoreError, match="No space left on device"),
    ):
        file.change({"sound": True})
    assert (tmp_path / SETTINGS_FILE).read_text() == "nonsense"
    assert file.settings == Settings()


@pytest.mark.parametrize("text", WRONG)
def test_nothing_begins_on_a_file_that_makes_no_sense(tmp_path: Path, text: str) -> None:
    (tmp_path / SETTINGS_FILE).write_bytes(text.encode("latin-1"))
    for begin in (SettingsFile, open_account):
        with pytest.raises(StoreUnreadable, match=r"settings\.json .*Put it right"):
            begin(tmp_path)
    assert (tmp_path / SETTINGS_FILE).read_bytes() == text.encode("latin-1")


def test_what_is_damaged_for_a_moment_only_is_no_news(tmp_path: Path) -> None:
    now = [0.0]
    file, heard = SettingsFile(tmp_path, lambda: now[0]), list[SettingsState]()
    file.subscribe(heard.append)
    write(tmp_path, "")
    file.check()
    write(tmp_path, '{"decimals": 3}')
    file.check()
    assert [each.fault for each in heard] == [""]
    write(tmp_path, "")
    for _ in range(4):
        assert len(heard) == 1
        file.check()
        now[0] += 0.1
    assert "is no JSON" in heard[-1].fault


def test_a_full_disk_is_told_and_changes_nothing(tmp_path: Path) -> None:
    disk = RefusingDisk()
    file = SettingsFile(tmp_path, disk=disk)
    with disk.full(), pytest.raises(StoreError, match="No space left on device"):
        file.change({"decimals": 4})
    assert file.settings == Settings()
    assert file.change({"decimals": 5})[0].settings.decimals == 5


def test_many_who_change_at_once_lose_nothing(tmp_path: Path) -> None:
    names = ["maker_fee_percent", "taker_fee_percent", "slippage_percent"]

    def work(name: str) -> None:
        file = SettingsFile(tmp_path)
        for number in range(3, 13):
            file.change({name: Decimal(number) / 100})

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    kept = SettingsFile(tmp_path).state
    assert kept.version == 30
    assert kept.settings.maker_fee == kept.settings.slippage == Decimal("0.0012")


def test_a_change_answers_what_it_wrote_whoever_reads_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody knows yet what he has read, so that everybody reads all the time.
    monkeypatch.setattr("balance.store.disk._RACY_NANOSECONDS", 3_600 * 10**9)
    file, is_over = SettingsFile(tmp_path), threading.Event()

    def read() -> None:
        while not is_over.is_set():
            assert file.state.fault == ""

    readers = [threading.Thread(target=read) for _ in range(3)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for each in readers:
        each.start()
    try:
        for number in range(30):
            asked = {"decimals": 2 + number % 7}
            answered, _ = file.change(asked)
            assert answered.settings.decimals == asked["decimals"]
            assert SettingsFile(tmp_path).state == file.state == answered
    finally:
        is_over.set()
        sys.setswitchinterval(before)
        for each in readers:
            each.join()


# what the settings do to every program on the folder


def shell(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "balance", *words, "--data-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_another_process_trades_on_the_same_terms(tmp_path: Path) -> None:
    account = open_account(tmp_path)
    save_market(tmp_path, market(quote(BTC, 40_000)), {})
    shell(tmp_path, "settings", "taker_fee_percent", "0.1")
    shell(tmp_path, "settings", "slippage_percent", "1")
    shell(tmp_path, "settings", "default_leverage", "4")
    save_market(tmp_path, market(quote(BTC, 40_000)), {})
    account.place_order(symbol=BTC, side="buy", quantity="0.01")
    (position,) = account.snapshot().positions
    assert (position["entry_price"], position["leverage"]) == (40_400, 4)
    assert position["fees_paid"] == Decimal("0.404")


def test_a_reset_and_a_new_account_begin_with_what_is_chosen(tmp_path: Path) -> None:
    SettingsFile(tmp_path).change({"starting_balance": 2_500, "decimals": 4})
    account = open_account(tmp_path)
    assert account.snapshot().display["balance"] == "$2,500.0000"
    SettingsFile(tmp_path).change({"starting_balance": 700})
    first = account.reset(idempotency_key="k")
    assert first.balance == 700
    SettingsFile(tmp_path).change({"starting_balance": 800})
    # the same request, whatever a reset begins with by now
    assert account.reset(idempotency_key="k").revision == first.revision
    assert shell(tmp_path, "reset").startswith("Reset to 800.00 USDT.")


def test_new_settings_are_a_new_tick_so_that_everybody_shows_them(tmp_path: Path) -> None:
    account = open_account(tmp_path)
    before = account.snapshot()
    assert account.snapshot().tick == before.tick
    SettingsFile(tmp_path).change({"decimals": 3})
    after = account.snapshot()
    assert after.tick > before.tick
    assert (after.display["balance"], after.balance) == ("$10,000.000", before.balance)


def test_the_shell_lists_and_changes_settings(tmp_path: Path) -> None:
    assert "taker_fee_percent" in shell(tmp_path, "settings")
    said = shell(tmp_path, "settings", "sound", "on")
    assert said == "Settings saved: sounds on.\n"
    told = json.loads(shell(tmp_path, "settings", "--json"))
    assert (told["sound"], told["taker_fee_percent"], told["version"]) == (True, 0.05, 1)
