"""What the tests share: a folder for an account, the running product, and browsers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from dash.testing.browser import Browser
from selenium.webdriver.chrome.options import Options

from tests.serving import Server

BLANK = "about:blank"
_CHROMIUM = (
    # as root it has no sandbox; the rest keeps it from calling out
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,1000",
)


def pytest_setup_options() -> Options:
    """How dash.testing starts Chromium."""
    options = Options()
    for argument in _CHROMIUM:
        options.add_argument(argument)
    return options


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which no account is yet."""
    return tmp_path / "account"


@pytest.fixture
def start_server(folder: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers, by default on ``folder``: ``start_server("--token", "…")``."""
    with ExitStack() as running:

        def start(*options: str, folder: Path = folder, port: int = 0) -> Server:
            return running.enter_context(Server(folder, *options, port=port))

        yield start


@pytest.fixture
def server(start_server: Callable[..., Server]) -> Server:
    """The running product with a new account of 10,000."""
    return start_server()


def started_browser(url: str, folder: str, headless: bool = True) -> Browser:
    """A browser of its own at ``url``, a page of the dashboard or ``BLANK``, which downloads into
    ``folder``; for a ``with`` block."""
    browser = Browser(
        browser="Chrome",
        headless=headless,
        options=[pytest_setup_options()],
        download_path=folder,
        percy_finalize=False,
    )
    if url != BLANK:
        browser.server_url = url  # goes there, and waits for the page
    return browser


@pytest.fixture
def open_browser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts browsers, each a process of its own with a profile of its own, at an address."""
    headless = request.config.getoption("headless")
    with ExitStack() as running:
        numbers = itertools.count(1)

        def start(url: str) -> Browser:
            folder = tmp_path / f"download-{next(numbers)}"
            folder.mkdir()
            return running.enter_context(started_browser(url, str(folder), headless))

        yield start
