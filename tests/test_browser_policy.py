"""The page works where a policy allows its server's scripts alone, and no text as a script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import app
from tests.processes import serve
from tests.screen import wait_for, wait_for_link
from tests.serving import Server
from tests.tour import be_calm, opened_dialogs, tabs

# what each part that draws by itself has, once it has drawn
_DRAWN = {
    "overview": ("#sidebar-equity canvas",),
    "futures": ("#futures-chart canvas",),
    "history": ("#history-grid .ag-row [col-id='kind']",),
}


def _strict(page: Any) -> str:
    """The policy: scripts of the server, those that Dash puts into ``page``, and the page's own."""
    (own,) = re.findall("<script>(.*?)</script>", page.index_string, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
    scripts = " ".join(["'self'", *page.csp_hashes(), f"'sha256-{digest}'"])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:"
    )


def _serve_strictly(arguments: Sequence[str], said: Connection) -> None:
    create = app.create_app

    def created(*given: Any, **named: Any) -> Any:
        page = create(*given, **named)
        policy = _strict(page)

        # before the guards, which leave a policy that is there
        @page.server.after_request
        def allow(response: Any) -> Any:
            response.headers["Content-Security-Policy"] = policy
            return response

        return page

    app.create_app = created
    serve(arguments, said)


class StrictServer(Server):
    """A server whose answers have the policy."""

    _serve = staticmethod(_serve_strictly)


def violations(browser: Any) -> list[str]:
    """What the policy has kept from being run since the last call."""
    messages = (each["message"] for each in browser.get_logs())
    return [each for each in messages if "Content Security Policy" in each]


def test_no_text_is_run_as_a_script(folder: Path, open_browser: Callable[[str], Any]) -> None:
    with StrictServer(folder) as server:
        policy = server.get("/").headers["Content-Security-Policy"]
        assert "unsafe-eval" not in policy
        browser = open_browser(server.url)
        wait_for_link(browser, "Live")
        be_calm(browser)
        assert violations(browser) == []
        # the policy is in force
        browser.driver.execute_script(
            "const script = document.createElement('script');"
            "script.textContent = 'window.isRun = true';"
            "document.body.append(script);"
        )
        assert browser.driver.execute_script("return window.isRun") is None
        assert len(violations(browser)) == 1
        for tab in tabs(browser):
            for part in _DRAWN.get(tab, ()):
                wait_for(lambda: browser.find_elements(part), part)  # noqa: B023
        for _ in opened_dialogs(browser, ("entry-dialog", "bot-dialog")):
            pass
        assert violations(browser) == []
