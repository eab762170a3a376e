"""The dashboard of one virtual balance: ``python app.py``."""

from __future__ import annotations

import argparse
import copy
import errno
import logging
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

from dash import Dash
from dash.development.base_component import Component
from flask import Flask, Response, abort, has_request_context, request
from flask_bootstrap import Bootstrap5
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.utilities import RequestEntityTooLarge

import callbacks
from balance.api.backups import LARGEST_BACKUP, MEDIA_TYPE, RESTORE_PATH
from balance.api.encoding import answer, encoded
from balance.api.front import Front
from balance.api.guards import Guards
from balance.api.problems import answer_with_problems, problem_of
from balance.api.routes import create_api
from balance.api.services import Services
from balance.api.settings import settings_document
from balance.api.stream import Stream
from balance.binance.routes import PREFIXES, create_dialect
from balance.binance.streams.server import StreamServer
from balance.core.errors import InvalidRequest, StoreError
from balance.core.figures import plain
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.keys.addresses import Addresses
from balance.market.feed import FeedFault
from balance.server.assembly import Running, services_alone
from balance.server.options import fault_in, server_parser
from balance.server.watch import Watch
from balance.store.advice import DEFAULT_DATA_DIR
from callbacks.faults import show_fault
from layouts.bundle import ASSETS, MAIN, modules, styles
from layouts.index import BASE_PATH, SETTINGS, index, renderer
from layouts.later import late_libraries, postponed
from layouts.shell import shell
from layouts.tab import Place, Tab
from layouts.tabs import TABS

#: Streams hold a thread each; the rest answers requests.
THREADS = 256
MOST_STREAMS = 200
# more than any route takes, so that each refuses what is too large in its own words; only a backup
# may be larger
_LARGEST_REQUEST = 17 * 1024 * 1024
_LARGEST_UPLOAD = LARGEST_BACKUP + 1024 * 1024

_BOOTSTRAP = "/bootstrap/static/css/{}.min.css?v=" + version("Bootstrap-Flask")
# what has its version in its address is another one at another address
_FOR_EVER = "private, max-age=31536000, immutable"


class _Request(HTTPRequestParser):
    """A request that may be as large as its path allows. A page of another site can't declare it as
    a backup: its browser would ask first. One of the exchange's dialect that is larger comes to
    its route without its body, as only that refuses it in the dialect's form."""

    #: Where a backup is sent to; below the path of a proxy as well.
    backups: ClassVar[Collection[str]] = (RESTORE_PATH,)
    #: What the paths of the dialect begin with, likewise.
    dialect: ClassVar[tuple[str, ...]] = PREFIXES

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        is_backup = self.headers.get("CONTENT_TYPE") == MEDIA_TYPE
        if self.command == "POST" and self.path in self.backups and is_backup:
            self.adj = copy.copy(self.adj)
            self.adj.max_request_body_size = _LARGEST_UPLOAD

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge) and self.path.startswith(self.dialect):
            self.close()
            self.error = self.body_rcv = None
            self.headers["CONTENT_LENGTH"] = str(self.content_length or self.body_bytes_received)
            # What comes of the body would be taken for the next request.
            self.headers["CONNECTION"] = "close"
        return consumed


class _Page(Dash):
    """Dash, with what is chosen in the page before its first script, and scripts that few tabs need
    only named in it."""

    def __init__(
        self, *arguments: Any, settings: Callable[[], str], base_path: str, **named: Any
    ) -> None:
        super().__init__(*arguments, requests_pathname_prefix=f"{base_path}/", **named)
        self._base_path = base_path
        self._settings = settings
        #: The libraries that a page can begin without, by the path of its tab.
        self.late: Mapping[str, Collection[str]] = {}

    def interpolate_index(self, **parts: Any) -> str:
        parts["scripts"] = postponed(parts["scripts"], self.late.get(request.path, ()))
        page: str = super().interpolate_index(**parts)
        # words in it may quote a file: nothing in them may end the script
        page = page.replace(BASE_PATH, self._base_path)
        return page.replace(SETTINGS, self._settings().replace("<", r"\u003c"))


def create_app(
    desk: Desk,
    stream: Stream,
    guards: Guards | None = None,
    tabs: Sequence[Tab] = TABS,
    data_dir: Path = DEFAULT_DATA_DIR,
    services: Services | None = None,
    front: Front | None = None,
) -> Dash:
    """The dashboard of ``desk`` with ``tabs``, its HTTP interface on the same server; ``stream``
    is what the pages listen to, ``data_dir`` what they tell other programs to open, ``services``
    what else there is (by default nothing that runs, kept nowhere), ``front`` what stands before it
    (nothing). May be called more than once in a process."""
    server = Flask(__name__)
    services = services or services_alone(desk, stream)
    pages = frozenset(tab.path for tab in tabs)
    guards = replace(guards or Guards(), pages=pages, keyed_paths=PREFIXES)
    if services.bots.needs_secret:
        guards = replace(guards, open_paths=frozenset({"/signals"}))
    front = front or Front()
    front.stand_before(server)
    guards.stand_before(server)
    answer_with_problems(server)
    server.register_blueprint(create_api(desk, stream, services))
    server.register_blueprint(create_dialect(desk, services))
    app = _page(server, services, front.base_path)

    def layout(address: str) -> Component:
        chosen = services.settings.state.settings
        place = Place(
            address=address,
            base_path=front.base_path,
            data_dir=None if data_dir == DEFAULT_DATA_DIR else str(data_dir.resolve()),
            needs_token=guards.token is not None,
            needs_secret=services.bots.needs_secret,
            symbols=tuple(desk.market.instruments),
            last_firing=services.alerts.last,
            leverage=int(chosen.default_leverage),
        )
        starting = plain(chosen.starting_balance)
        damage = [asdict(each) for each in services.damages.listed]
        store = _first_store(desk)
        services.expect_page()
        return shell(tabs, store, starting_balance=starting, place=place, damage=damage)

    first = layout(Place.address)
    app.late = {tab.path: late_libraries(first, tab.id) for tab in tabs}
    callbacks.register(app, first, desk, services)
    app.layout = lambda: layout(request.url_root.rstrip("/") if has_request_context() else "")
    desk.subscribe(stream.publish)
    return app


def _page(server: Flask, services: Services, base_path: str) -> _Page:
    """The page on ``server`` below ``base_path``, without anything in it, and the files that it is
    made of."""
    Bootstrap5(server)
    server.after_request(_keep_bootstrap)
    _serve_modules(server)
    page = _Page(
        __name__,
        settings=lambda: encoded(settings_document(services.settings.state)),
        server=server,
        base_path=base_path,
        include_assets_files=False,
        assets_folder=str(ASSETS),
        external_stylesheets=[
            base_path + _BOOTSTRAP.format("bootstrap"),
            base_path + _BOOTSTRAP.format("font/bootstrap-icons"),
            base_path + _serve_styles(server),
        ],
        index_string=index(base_path + modules().folder, modules()),
        title="Virtual Balance",
        update_title=None,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
        enable_mcp=False,
        # grids and fields come into the page later
        suppress_callback_exceptions=True,
        # most callbacks wait for a person, or for the page
        prevent_initial_callbacks=True,
        on_error=show_fault,
    )
    page.renderer = renderer(f"{base_path}{modules().folder}/{MAIN}")
    return page


def _serve_styles(server: Flask) -> str:
    """Have ``server`` serve all styles as one file; its address."""
    whole = styles()

    @server.get("/page.css")
    def page_css() -> Response:
        answer = Response(whole.text, mimetype="text/css")
        answer.set_etag(whole.version)
        if request.args.get("v") == whole.version:
            answer.headers["Cache-Control"] = _FOR_EVER
        return answer.make_conditional(request)

    return f"/page.css?v={whole.version}"


def _serve_modules(server: Flask) -> None:
    """Have ``server`` serve the scripts of this version, and no others: modules of two versions
    don't fit each other."""
    known = modules()

    @server.get(f"{known.folder}/<path:path>")
    def module(path: str) -> Response:
        if path not in known.texts:
            abort(404)
        answer = Response(known.texts[path], mimetype="text/javascript")
        answer.headers["Cache-Control"] = _FOR_EVER
        return answer


def _keep_bootstrap(answer: Response) -> Response:
    """Let browsers keep Bootstrap's files, which have their version in their address."""
    if (
        request.endpoint == "bootstrap.static"
        and request.query_string
        and answer.status_code == 200
    ):
        answer.headers["Cache-Control"] = _FOR_EVER
    return answer


def _first_store(desk: Desk) -> dict[str, Any]:
    """What ``balance-store`` holds when a page is opened."""
    link = {"state": "polling", "at": None}
    try:
        return {**answer(desk.snapshot()), "link": link, "fault": None}
    except StoreError as fault:
        return {"link": link, "fault": problem_of(fault)["detail"]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the dashboard until it is stopped; returns the exit code."""
    options = server_parser().parse_args(arguments)
    _forget_settings_of_dash()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    if wrong := fault_in(options):
        return _failed(wrong)
    stream = Stream(MOST_STREAMS)
    faults: list[str] = []

    def end(reason: str) -> None:
        faults.append(reason)
        os.kill(os.getpid(), signal.SIGTERM)

    try:
        running = Running(options, stream, end)
    except StoreError as fault:
        return _failed(f"The data folder {options.data_dir} is of no use: {fault}")
    except OSError as fault:
        return _failed(f"The data folder {options.data_dir} is not writable: {fault.strerror}.")
    except FeedFault as fault:
        return _failed(str(fault))
    guards = Guards(options.host, options.token, names=tuple(options.allow_host))
    app = create_app(
        running.desk,
        stream,
        guards,
        data_dir=options.data_dir,
        services=running.services,
        front=Front(tuple(options.proxy), options.base_path),
    )
    if _is_taken(app.server, options.base_path):
        return _failed(
            f"--base-path {options.base_path}/ begins like a path of the server itself. Choose "
            "another one, such as /bot/."
        )
    streams = StreamServer(running.desk, running.services, guards)
    code = _serve(app, running, stream, streams, options)
    return _failed(faults[0]) if faults else code


def _is_taken(server: Flask, base_path: str) -> bool:
    """Whether a path below ``base_path`` could also be one that a proxy has taken it off."""
    first = base_path.split("/")[1:2]
    rules = [each.rule for each in server.url_map.iter_rules()]
    return first in [each.split("/")[1:2] for each in (*rules, *(tab.path for tab in TABS))]


def _forget_settings_of_dash() -> None:
    # Dash would obey them, though they are meant for another program: this one has its options
    for name in [name for name in os.environ if name.upper().startswith("DASH_")]:
        del os.environ[name]


def _serve(
    app: Dash,
    running: Running,
    stream: Stream,
    streams: StreamServer,
    options: argparse.Namespace,
) -> int:
    try:
        server = create_server(
            app.server,
            host=options.host,
            port=options.port,
            threads=THREADS,
            connection_limit=1_000,
            channel_request_lookahead=1,
            asyncore_use_poll=True,
            max_request_body_size=_LARGEST_REQUEST,
            # Front believes those of --proxy.
            clear_untrusted_proxy_headers=False,
            ident=None,
        )
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            return _failed(
                f"Port {options.port} is taken by another program, perhaps by this one started "
                f"twice. Stop that one, or choose another port: --port {options.port + 1}"
            )
        return _failed(f"{options.host}:{options.port} can't be served: {fault.strerror}.")
    except ValueError:
        return _failed(f"--host {options.host} is no address of this machine.")
    _Request.backups = (RESTORE_PATH, options.base_path + RESTORE_PATH)
    _Request.dialect = (*PREFIXES, *(options.base_path + each for each in PREFIXES))
    HTTPChannel.parser_class = _Request
    port = _port(server)
    try:
        stream_port = streams.bind(options.host, options.stream_port, beside=port)
        running.start()
    except InvalidRequest as fault:
        return _failed(str(fault))

    def publish(snapshot: Snapshot) -> None:
        stream.publish(snapshot)
        streams.wake()

    settings = running.services.settings
    watch = Watch(running.desk, publish, stream.publish_fault, settings.check)
    watch.start()
    streams.start()
    _stop_on_signals(stream, streams)
    address = _address(options.host, port)
    stream_address = _address(options.host, stream_port, "ws")
    running.serve_at(Addresses(rest=address, stream=stream_address))
    page = f"{address}{options.base_path}/" if options.base_path else address
    where = (
        f"Virtual Balance is at {page} (data in {options.data_dir}), its streams for programs at "
        f"{stream_address}."
    )
    print(f"{where} Ctrl-C stops it.{running.notes}")
    sys.stdout.flush()
    if options.open:
        threading.Timer(0.5, webbrowser.open, [page]).start()
    # returns when a signal came, after the answers under way are given
    server.run()
    watch.stop()
    streams.stop()
    running.stop()
    print("Stopped.")
    return 0


def _stop_on_signals(stream: Stream, streams: StreamServer) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        # a thread that waits for news would wait on
        stream.close()
        streams.close()
        raise SystemExit(0)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _port(server: Any) -> int:
    # a name such as localhost may be bound to two addresses
    return int(getattr(server, "effective_port", 0) or server.effective_listen[0][1])


def _address(host: str, port: int, scheme: str = "http") -> str:
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - not bound
    return f"{scheme}://{f'[{name}]' if ':' in name and name[0] != '[' else name}:{port}"


def _failed(words: str) -> int:
    print(words, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
