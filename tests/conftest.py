"""What the tests share: a folder for an account, the running product, and browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from dash.testing.browser import Browser
from selenium.webdriver.chrome.options import Options

from tests.serving import Server

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


@pytest.fixture
def open_browser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts browsers, each a process of its own with a profile of its own, at an address."""
    option = request.config.getoption
    with ExitStack() as running:
        count = 0

        def start(url: str) -> Browser:
            nonlocal count
            count += 1
            download = tmp_path / f"download-{count}"
            download.mkdir()
            browser = running.enter_context(
                Browser(
                    browser=option("webdriver"),
                    headless=option("headless"),
                    options=[pytest_setup_options()],
                    download_path=str(download),
                    percy_finalize=False,
                )
            )
            browser.server_url = url
            return browser

        yield start
