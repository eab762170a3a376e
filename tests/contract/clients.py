"""Generated clients place an order and read every list: ``python -m tests.contract.clients``.

openapi-generator needs Java. What each client is and needs is in ``use_client``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.contract.environment import environment
from tests.standing import StandingServer

_GENERATORS: dict[str, tuple[tuple[str, ...], Sequence[str]]] = {
    "openapi-generator": (
        ("openapi-generator-cli==7.26.0", "urllib3", "python-dateutil", "pydantic"),
        ("openapi-generator-cli", "generate", "-g", "python", "--package-name", "client"),
    ),
    "openapi-python-client": (
        ("openapi-python-client==0.29.1", "ruff"),
        ("openapi-python-client", "generate", "--meta", "none"),
    ),
}
# How each names the description and the folder of what it makes.
_PATHS = {
    "openapi-generator": ("-i", "-o"),
    "openapi-python-client": ("--path", "--output-path"),
}


def main() -> int:
    """Generate and use both; the exit code is 0 where all went well."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with StandingServer(folder / "account") as server:
            description = folder / "openapi.json"
            description.write_text(server.get("/openapi.json").text)
            codes = [_use(each, folder, description, server.url) for each in _GENERATORS]
    return max(codes)


def _use(generator: str, folder: Path, description: Path, url: str) -> int:
    packages, command = _GENERATORS[generator]
    programs = environment(generator, *packages)
    from_, to = _PATHS[generator]
    target = folder / generator
    package = target / "client" if generator == "openapi-python-client" else target
    target.mkdir()
    generate = [programs / command[0], *command[1:], from_, description, to, package]
    done = subprocess.run(generate, cwd=folder, check=True, capture_output=True, text=True)
    (folder / f"{generator}.log").write_text(done.stdout + done.stderr)
    script = Path(__file__).with_name("use_client.py")
    use = [programs / "python", script, generator, target, description, url]
    return subprocess.run(use, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
