"""Run unmodified clients against a desk of their own: ``python -m tests.clients all``.

Each is installed in an environment of its own, with the versions of its file beside this one, and
trades on a simulated market in a fresh folder. After every step its account, positions, orders and
fills are compared with the desk's."""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from tests.clients import freqtrade_life, together
from tests.clients.comparison import Access
from tests.contract.environment import environment
from tests.processes import ROOT
from tests.serving import Program

_HERE: Final = Path(__file__).resolve().parent


class Desk:
    """A running desk on a fresh folder, which may be restarted at its address."""

    def __init__(self, folder: Path) -> None:
        self._program = Program(folder)

    def restart(self) -> None:
        """Stop it and start it again."""
        self._program.stop()
        self._program = Program(self._program.folder, port=self._program.port)

    def end(self) -> None:
        """Stop it."""
        self._program.kill()

    def access(self, name: str = "bot") -> Access:
        """The key of that name; the first start makes ``bot``."""
        if name != "bot":
            self._shell("keys", "add", name)
        printed = json.loads(self._shell("keys", name, "--json"))
        names = ("key", "secret", "rest", "stream")
        return Access(self._program.url, name, *(printed[each] for each in names))

    def _shell(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "balance", *arguments, "--data-dir", self._program.folder]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _programs(name: str) -> Path:
    return environment(f"clients-{name}", "-r", str(_HERE / f"{name}.txt"))


def _script(name: str, script: str, desk: Desk, folder: Path) -> int:
    command = [_programs(name) / "python", _HERE / script, json.dumps(desk.access().__dict__)]
    return subprocess.run(command, cwd=folder, check=False).returncode


def _together(desk: Desk, _folder: Path) -> int:
    libraries = ("ccxt", "python-binance")
    return together.trade_together(
        {library: _programs(library) / "python" for library in libraries},
        {name: desk.access(name) for name in ("bot", "second")},
    )


def _life(desk: Desk, folder: Path) -> int:
    life = freqtrade_life.Life(
        _programs("freqtrade"), desk, desk.access(), folder / "freqtrade", _free_port()
    )
    return life.live()


def _hour(minutes: float, desk: Desk, folder: Path) -> int:
    return freqtrade_life.trade_for(
        minutes, _programs("freqtrade"), desk.access(), folder / "freqtrade", _free_port()
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


# What is run for each client, each on a desk of its own.
_RUNS: Final[dict[str, tuple[Callable[[Desk, Path], int], ...]]] = {
    "ccxt": (partial(_script, "ccxt", "ccxt_tour.py"), partial(_script, "ccxt", "ccxt_streams.py")),
    "ccxt-newest": (
        partial(_script, "ccxt-newest", "ccxt_tour.py"),
        partial(_script, "ccxt-newest", "ccxt_streams.py"),
    ),
    "python-binance": (
        partial(_script, "python-binance", "python_binance_tour.py"),
        partial(_script, "python-binance", "python_binance_streams.py"),
    ),
    "sdk": (partial(_script, "sdk", "sdk_tour.py"), partial(_script, "sdk", "sdk_streams.py")),
    "legacy": (partial(_script, "legacy", "legacy_tour.py"),),
    "together": (_together,),
    "freqtrade": (_life,),
}


def main() -> int:
    """Run the clients that are named; the exit code is 0 where none differs from the desk."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("clients", nargs="+", choices=[*_RUNS, "freqtrade-hour", "all"])
    parser.add_argument("--minutes", type=float, default=60, help="of freqtrade-hour (60)")
    options = parser.parse_args()
    runs = {**_RUNS, "freqtrade-hour": (partial(_hour, options.minutes),)}
    codes: dict[str, int] = {}
    for name in _RUNS if "all" in options.clients else options.clients:
        for run in runs[name]:
            with tempfile.TemporaryDirectory() as made:
                desk = Desk(Path(made) / "desk")
                try:
                    codes[name] = max(codes.get(name, 0), run(desk, Path(made)))
                finally:
                    desk.end()
    for name, code in codes.items():
        print(f"{'ok' if code == 0 else 'FAULTS':6} {name}")
    return max(codes.values())


if __name__ == "__main__":
    sys.exit(main())
