"""The settings have a backup to download, and restore one beside the account that runs."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from balance.store.backup import back_up, restore
from balance.store.verification import verify
from tests.screen import resize, text, wait_for, wait_for_balance, wait_for_link, weak_contrasts
from tests.serving import Server
from tests.test_browser_settings import opened

Opened = Callable[[str], Any]
_STATE = "settings-backup-state"
_GONE = """
    const { fetch } = window;
    const gone = () => Promise.reject(new TypeError());
    window.fetch = (path, how) => (String(path).startsWith("/backup") ? gone() : fetch(path, how));
"""


def press(browser: Any, button: str) -> None:
    """Press a button of the part that is at the end of the dialog."""
    # Written out, as Selenium scrolls what is in a dialog only as far as it must.
    browser.driver.execute_script(
        "document.getElementById(arguments[0]).scrollIntoView({ block: 'center' })", button
    )
    browser.find_element(f"#{button}").click()


def choose(browser: Any, file: Path) -> None:
    """Choose ``file`` to be restored, as the chooser of the system does."""
    press(browser, "settings-restore")
    browser.find_element("#settings-restore-file").send_keys(str(file))


@pytest.fixture
def browser(server: Server, open_browser: Opened) -> Any:
    """A page with its settings open, on an account of 12,500.50 at revision 2."""
    page = open_browser(server.url)
    server.post({"deposit": 2_500.5})
    wait_for_balance(page, "$12,500.50")
    opened(page)
    return page


def test_a_backup_is_downloaded_and_restored_beside_the_account(
    browser: Any, server: Server, tmp_path: Path
) -> None:
    press(browser, "settings-backup")
    wait_for(lambda: text(browser, _STATE).startswith("Saved as "), "the end of the download")
    name = text(browser, _STATE).removeprefix("Saved as ").removesuffix(".")
    assert name.startswith("virtual-balance-")
    assert name.endswith("-revision-2.zip")
    file = Path(browser.download_path) / name
    wait_for(file.exists, "the file")
    assert restore(file, tmp_path / "by-hand").report.balance == "12,500.50"
    server.post({"deposit": 1})
    choose(browser, file)
    wait_for(lambda: text(browser, "settings-restore-command"), "the end of the restore")
    assert text(browser, _STATE) == (
        "Restored: 2 entries explain the balance of 12,500.50 USDT at revision 2. "
        "Start on it in a shell:"
    )
    place = Path(shlex.split(text(browser, "settings-restore-command"))[-1])
    assert verify(place).balance == "12,500.50"
    # The one that runs is as it was.
    wait_for_balance(browser, "$12,501.50")
    assert browser.get_logs() == []


def test_what_goes_wrong_is_said_in_the_dialog(
    browser: Any, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "photo.zip").write_bytes(b"no backup")
    choose(browser, tmp_path / "photo.zip")
    wait_for(lambda: "it is no ZIP file" in text(browser, _STATE), "the refusal")
    assert browser.find_element(f"#{_STATE}.dialog-error").is_displayed()
    assert not browser.find_element("#settings-restored").is_displayed()
    # The page has not noticed yet that the server is gone.
    browser.driver.execute_script(_GONE)
    for action in (
        lambda: press(browser, "settings-backup"),
        lambda: choose(browser, tmp_path / "photo.zip"),
    ):
        browser.driver.execute_script(f"document.getElementById('{_STATE}').textContent = ''")
        action()
        wait_for(
            lambda: (
                text(browser, _STATE) == "The server does not answer. Try again when it is back."
            ),
            "what keeps it from it",
        )
    # Once it has, neither can be pressed.
    server.kill()
    wait_for_link(browser, "Offline")
    for button in ("settings-backup", "settings-restore"):
        assert not browser.find_element(f"#{button}").is_enabled()


def test_what_ends_after_the_dialog_was_closed_is_said_in_a_toast(
    browser: Any, folder: Path, tmp_path: Path
) -> None:
    back_up(folder, tmp_path / "backup.zip")
    choose(browser, tmp_path / "backup.zip")
    browser.find_element("#settings-cancel").click()
    wait_for(lambda: "Restored: 2 entries explain" in text(browser, "toasts"), "the toast")


def test_the_part_fits_and_can_be_read(browser: Any, folder: Path, tmp_path: Path) -> None:
    back_up(folder, tmp_path / "backup.zip")
    choose(browser, tmp_path / "backup.zip")
    wait_for(lambda: text(browser, "settings-restore-command"), "the end of the restore")
    fits = "const it = document.querySelector('#settings-dialog .modal-body');"
    for width in (1280, 390):
        resize(browser, width)
        assert browser.driver.execute_script(fits + "return it.scrollWidth <= it.clientWidth")
        for theme in ("light", "dark"):
            browser.driver.execute_script(
                "document.documentElement.dataset.bsTheme = arguments[0];"
                "document.getElementById('settings-restored').scrollIntoView()",
                theme,
            )
            # Colours take a moment to change.
            wait_for(lambda: weak_contrasts(browser) == [], f"contrasts in {theme}")


def test_both_are_reached_with_the_keyboard(browser: Any) -> None:
    reached = browser.driver.execute_script(
        "return [...document.querySelectorAll('#settings-dialog :is(button, pre)')]"
        ".filter((each) => each.tabIndex >= 0).map((each) => each.id)"
    )
    assert reached.index("settings-backup") < reached.index("settings-restore")
    assert reached.index("settings-restore") < reached.index("settings-save")
