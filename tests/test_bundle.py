"""What a page is made of comes in few files, which a browser keeps."""

from __future__ import annotations

import hashlib
import re
import sys
from typing import Any

from dash import html
from dash_ag_grid import AgGrid

from app import create_app
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from layouts.bundle import ASSETS, CHARTS, MAIN, modules, styles
from layouts.later import late_libraries, later, postponed
from layouts.tab import Tab
from layouts.tabs import TABS

GRID = "/_dash-component-suites/dash_ag_grid/dash_ag_grid.min.js"


def client(tabs: tuple[Tab, ...] = TABS) -> Any:
    """Asks the dashboard with ``tabs``."""
    return create_app(Desk(MemoryStore()), Stream(1), tabs=tabs).server.test_client()


def scripts(page: str) -> dict[str, bool]:
    """The scripts of ``page`` by their addresses: whether they run at once."""
    found = re.findall(r'<script( type="text/later")? src="([^"]*)"', page)
    return {address: not later for later, address in found}


def runs(page: str, library: str) -> bool:
    """Whether ``page`` runs the first script of ``library`` at once."""
    return next(now for address, now in scripts(page).items() if f"/{library}/" in address)


def test_all_styles_are_in_it_once_and_those_of_the_folder_itself_come_first() -> None:
    text = styles().text
    files = list(ASSETS.rglob("*.css"))
    places = {file.relative_to(ASSETS): text.index(file.read_text()) for file in files}
    assert all(text.count(file.read_text()) == 1 for file in files)
    assert len(text) == sum(len(file.read_text()) + 1 for file in files) - 1
    ordered = sorted(places, key=lambda file: (len(file.parts), file.parts))
    assert sorted(places, key=lambda file: places[file]) == ordered


def test_a_module_imports_only_what_there_is_by_a_path_from_itself() -> None:
    texts = modules().texts
    assert {*modules().imported(), *modules().imported("worker.js")} <= {*texts}
    for path, text in texts.items():
        for each in re.findall(r'^import [^"]*"([^"]+)"', text, re.M):
            assert each.startswith("."), f"{path} imports {each}"


def test_no_module_imports_one_that_imports_it() -> None:
    imported = {path: modules().imported(path)[1:] for path in modules().texts}
    circles = [
        (path, each) for path in imported for each in imported[path] if path in imported[each]
    ]
    assert circles == []


def test_a_page_asks_for_few_files_and_each_is_there() -> None:
    asking = client()
    page = asking.get("/").text
    styled = re.findall(r'<link rel="(?:stylesheet|icon)"[^>]*href="([^"]*)"', page)
    own = [each for each in (*scripts(page), *styled) if "_dash-component-suites" not in each]
    assert len(own) == 4
    loaded = re.findall(r'<link rel="modulepreload" href="([^"]*)"', page)
    assert loaded == [f"{modules().folder}/{each}" for each in modules().imported()]
    for each in (*own, *loaded):
        with asking.get(each) as answer:
            assert answer.status_code == 200


def test_a_browser_keeps_the_styles_of_a_version_and_looks_again_at_any_other() -> None:
    asking, version = client(), styles().version
    kept = asking.get(f"/page.css?v={version}")
    assert "immutable" in kept.headers["Cache-Control"]
    for address in ("/page.css", "/page.css?v=an-older-one"):
        answer = asking.get(address)
        assert answer.text == kept.text == styles().text
        assert "immutable" not in answer.headers.get("Cache-Control", "")
        again = asking.get(address, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304


def test_a_browser_keeps_the_modules_of_this_version_and_gets_no_others() -> None:
    asking = client()
    kept = asking.get(f"{modules().folder}/{MAIN}")
    assert "immutable" in kept.headers["Cache-Control"]
    assert kept.mimetype == "text/javascript"
    assert asking.get(f"/js/an-older-one/{MAIN}").status_code == 404
    assert asking.get(f"{modules().folder}/none.js").status_code == 404


def test_the_library_of_charts_is_the_one_that_was_tested_and_its_package_stays_unread() -> None:
    text = client().get(f"{modules().folder}/{CHARTS}").data
    assert b"TradingView Lightweight Charts\xe2\x84\xa2 v5.2.0" in text
    assert hashlib.sha256(text).hexdigest() == (
        "c0992580867c4912cc9385b3c2728315bcc1a76c7f1087dca908430fccdf31d7"
    )
    assert CHARTS not in modules().imported(), "it comes when a chart is shown"
    assert "lwcharts" not in sys.modules


def test_bootstrap_is_kept_by_its_version() -> None:
    asking = client()
    (address,) = re.findall(r'"(/bootstrap/[^"]*bootstrap\.min\.css[^"]*)"', asking.get("/").text)
    with asking.get(address) as kept, asking.get(address.partition("?")[0]) as bare:
        assert "immutable" in kept.headers["Cache-Control"]
        assert "immutable" not in bare.headers.get("Cache-Control", "")


def test_a_tab_that_needs_a_library_begins_with_it_and_the_others_only_name_it() -> None:
    asking = client()
    for tab in TABS:
        page = asking.get(tab.path).text
        assert runs(page, "dash_ag_grid") == (tab.id in ("futures", "history"))
        assert runs(page, "dash_bootstrap_components")


def test_a_library_that_stands_in_a_tab_itself_is_there_from_the_start() -> None:
    grid = AgGrid(columnDefs=[])
    assert late_libraries(html.Div(later("mine-place", grid)), "other") == {"dash_ag_grid"}
    assert late_libraries(html.Div(later("mine-place", grid)), "mine") == frozenset()
    assert late_libraries(html.Div([later("mine-place", grid), AgGrid()]), "other") == frozenset()
    mine = Tab(id="mine", label="Mine", path="/mine", build=lambda _: html.Div(grid))
    assert runs(client((*TABS, mine)).get("/").text, "dash_ag_grid")


def test_only_the_scripts_of_late_libraries_are_postponed() -> None:
    core = "/_dash-component-suites/dcc/dcc.js"
    page = f'<script src="{core}"></script>\n<script src="/own.js"></script>'
    assert postponed(page, ("dash_ag_grid",)) == page
    assert scripts(postponed(page, ("dcc",))) == {core: False, "/own.js": True}


def test_what_react_fetches_once_of_a_library_is_named_for_the_page_to_fetch_before() -> None:
    page = f'<script src="{GRID}"></script>'
    part = f"{GRID.rpartition('/')[0]}/async-community.js"
    assert scripts(postponed(page, ("dash_ag_grid",))) == {GRID: False, part: False}
    assert scripts(postponed(page, ())) == {GRID: True, part: False}
    assert client().get(part).status_code == 200
