"""What the tests share: a folder for an account, the running product, and browsers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from dash.testing.browser import Browser
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import presence_of_element_located
from selenium.webdriver.support.wait import WebDriverWait
from urllib3.exceptions import HTTPError

from balance import Desk
from balance.market.board import LiveBoard
from balance.store.file_store import FileStore
from tests import boards
from tests.bots_by_hand import ByHand
from tests.found import FoundElement
from tests.interface import Interface
from tests.patience import be_patient, patience
from tests.serving import Program, Server

# no example is judged by how long it takes
_EXAMPLES: Any = {
    "deadline": None,
    "suppress_health_check": (
        hypothesis.HealthCheck.too_slow,
        # what they share is the folder, which each example writes anew
        hypothesis.HealthCheck.function_scoped_fixture,
    ),
}
hypothesis.settings.register_profile("same", **_EXAMPLES, derandomize=True)
hypothesis.settings.register_profile("fresh", **_EXAMPLES, print_blob=True)
hypothesis.settings.load_profile("fresh" if os.environ.get("SEEDS") == "fresh" else "same")

be_patient()

BLANK = "about:blank"
_WINDOW = (1440, 1000)
_POLL_SECONDS = 0.05
_CHROMIUM = (
    # as root it has no sandbox; the rest keeps it from calling out
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    f"--window-size={_WINDOW[0]},{_WINDOW[1]}",
)
# what takes back what tests change of a browser
_AS_NEW: Any = (
    ("Emulation.clearDeviceMetricsOverride", {}),
    ("Emulation.setEmulatedMedia", {"media": "", "features": []}),
    ("Network.clearBrowserCookies", {}),
    ("Network.setBlockedURLs", {"urls": []}),
    ("Browser.resetPermissions", {}),
)
# A toast stays while somebody is at it, and an answer may take any time: a busy machine shows and
# answers later than a person would wait.
_WITHOUT_HASTE: Any = (
    "Page.addScriptToEvaluateOnNewDocument",
    {
        "source": """
            const [matches, limit] = [Element.prototype.matches, AbortSignal.timeout];
            Element.prototype.matches = function (selectors) {
                const isToast = this.classList.contains("toast-box");
                return (isToast && selectors.includes(":hover")) || matches.call(this, selectors);
            };
            AbortSignal.timeout = (ms) => limit.call(AbortSignal, 100 * ms);
        """
    },
)

# of the names of files whose tests open browsers, start many processes or kill them
_LONG = ("browser", "crash", "concurrency", "sync", "feed_change", "five_days", "replay")


def pytest_setup_options(*more: str) -> Options:
    """How dash.testing starts Chromium, with ``more`` arguments."""
    options = Options()
    for argument in (*_CHROMIUM, *more):
        options.add_argument(argument)
    return options


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, though they have few tests: what is begun last is
    waited for by all."""
    items.sort(key=lambda item: not any(word in item.path.name for word in _LONG))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which no account is yet."""
    return tmp_path / "account"


@pytest.fixture
def board() -> LiveBoard:
    """Bitcoin at 40,000 and Ether at 2,000."""
    return boards.board()


@pytest.fixture
def desk(folder: Path, board: LiveBoard) -> Desk:
    """An account of 10,000 in a folder, at revision 1."""
    return Desk(FileStore(folder), board)


@pytest.fixture
def by_hand(folder: Path) -> ByHand:
    """Bots of a new account, of which there are none yet, on a market that a test moves."""
    return ByHand(folder)


@pytest.fixture
def api(by_hand: ByHand) -> Interface:
    """Asks the interface of their server, which needs no secret."""
    return Interface(by_hand)


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
def start_program(folder: Path) -> Iterator[Callable[..., Program]]:
    """Starts servers as their users do, on ``folder``."""
    with ExitStack() as running:
        yield lambda *options: running.enter_context(Program(folder, *options))


@pytest.fixture
def program(start_program: Callable[..., Program]) -> Program:
    """The running product as its users start it, with a new account of 10,000."""
    return start_program()


class PatientBrowser(Browser):
    """A browser whose waits end with what they are for: to find one element waits until it is
    there, to find all tells those that are there now."""

    def find_element(self, selector: str, attribute: str = "CSS_SELECTOR") -> FoundElement:
        is_there = presence_of_element_located((getattr(By, attribute.upper()), selector))
        return FoundElement(lambda: self._wait_for(is_there, None, selector))

    def wait_for_element(self, selector: str, timeout: float | None = None) -> FoundElement:
        is_there = presence_of_element_located((By.CSS_SELECTOR, selector))
        return FoundElement(lambda: self._wait_for(is_there, timeout, selector))

    def open_tab(self, url: str) -> None:
        """Go to ``url`` in another tab of the same window, without haste either."""
        self.driver.switch_to.new_window("tab")
        take_time(self)
        self.driver.get(url)

    def wait_for_page(self, url: str | None = None, timeout: float | None = None) -> None:
        super().wait_for_page(url, timeout or patience())

    def _wait_for(self, method: Any, timeout: float | None, msg: Any) -> Any:
        # the inherited waits look every half second
        self._wd_wait = WebDriverWait(self.driver, timeout or patience(), _POLL_SECONDS)
        return super()._wait_for(method, None, msg)


def started_browser(url: str, folder: str, headless: bool = True, *arguments: str) -> Browser:
    """A browser of its own at ``url``, a page of the dashboard or ``BLANK``, which downloads into
    ``folder`` and has further ``arguments``; for a ``with`` block."""
    browser = PatientBrowser(
        browser="Chrome",
        headless=headless,
        options=[pytest_setup_options(*arguments)],
        download_path=folder,
        percy_finalize=False,
        wait_timeout=int(patience()),
    )
    browser.driver.implicitly_wait(0)
    # A page that a fast replay keeps at work may be late with a script of a test.
    browser.driver.set_script_timeout(patience())
    if url != BLANK:
        browser.server_url = url  # goes there, and waits for the page
    return browser


def take_time(browser: Browser) -> None:
    """Let toasts of the pages that ``browser`` opens from now on stand until they are closed, and
    let them wait for answers."""
    browser.driver.execute_cdp_cmd(*_WITHOUT_HASTE)


@pytest.fixture(scope="session")
def idle_browsers() -> Iterator[list[Browser]]:
    """Browsers that no test uses now: to start one takes longer than most tests."""
    idle: list[Browser] = []
    yield idle
    for browser in idle:
        browser.__exit__(None, None, None)


@pytest.fixture
def dash_duo(dash_duo: Any) -> Any:
    """The browser and the server of dash.testing, whose limits are those of the other tests."""
    dash_duo._wd_wait = WebDriverWait(dash_duo.driver, patience(), _POLL_SECONDS)
    dash_duo.driver.implicitly_wait(patience())
    dash_duo.server.stop_timeout = patience()
    take_time(dash_duo)
    return dash_duo


@pytest.fixture
def open_browser(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    idle_browsers: list[Browser],
) -> Iterator[Callable[..., Any]]:
    """Opens browsers, each a process of its own with a profile of its own, at an address; they are
    as new ones are."""
    yield from _opening(request, tmp_path_factory, idle_browsers)


@pytest.fixture(scope="module")
def open_for_all(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    idle_browsers: list[Browser],
) -> Iterator[Callable[..., Any]]:
    """Opens browsers that stay as they are for all tests of a file: a page takes longer to load
    than most tests."""
    yield from _opening(request, tmp_path_factory, idle_browsers)


def _opening(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    idle_browsers: list[Browser],
) -> Iterator[Callable[..., Any]]:
    headless = request.config.getoption("headless")
    used: list[Browser] = []

    def start(url: str) -> Browser:
        if idle_browsers:
            browser = idle_browsers.pop()
        else:
            folder = str(tmp_path_factory.mktemp("download"))
            browser = started_browser(BLANK, folder, headless).__enter__()
            take_time(browser)
        used.append(browser)
        browser.driver.execute_cdp_cmd(
            "Storage.clearDataForOrigin", {"origin": _origin(url), "storageTypes": "all"}
        )
        if url != BLANK:
            browser.server_url = url
        return browser

    yield start
    for browser in used:
        try:
            _renew(browser)
        except (WebDriverException, HTTPError):
            # it has crashed, or its driver has
            with suppress(HTTPError):
                browser.__exit__(None, None, None)
        else:
            idle_browsers.append(browser)


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _renew(browser: Browser) -> None:
    """Take back whatever a test has done to ``browser``."""
    driver = browser.driver
    first, *others = driver.window_handles
    for window in others:
        driver.switch_to.window(window)
        driver.close()
    driver.switch_to.window(first)
    driver.get(BLANK)
    for command, how in _AS_NEW:
        driver.execute_cdp_cmd(command, how)
    driver.set_window_size(*_WINDOW)
    driver.get_log("browser")
    for file in Path(browser.download_path).iterdir():
        file.unlink()
