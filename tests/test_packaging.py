"""A wheel has all of the product, starts, and depends on what is pinned."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import TextIO

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import balance
from balance.store.advice import DEFAULT_DATA_DIR, SDK, default_data_dir, is_installed
from balance.store.file_store import ACCOUNT_FILE
from tests.patience import patience
from tests.processes import ROOT
from tests.serving import Program

PACKAGES = ("balance", "callbacks", "layouts")


def pinned(file: str = "requirements.txt") -> list[Requirement]:
    """What ``file`` names."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return [Requirement(line) for line in text.splitlines() if line and line[0] != "#"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    offline = ("--no-deps", "--no-build-isolation", "--no-index")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *offline, "--wheel-dir", str(folder), str(ROOT)],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=patience(),
    )
    (made,) = folder.iterdir()
    return made


@pytest.fixture
def site(wheel: Path, tmp_path: Path) -> Path:
    """A folder of packages in which ``wheel`` is installed."""
    folder = tmp_path / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a person who has the packages of ``site``."""
    folder = tmp_path / "home"
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for name, value in {"HOME": folder, "LOCALAPPDATA": folder, "PYTHONPATH": site}.items():
        monkeypatch.setenv(name, str(value))
    return folder


def python(folder: Path, *arguments: str) -> str:
    """What Python prints when it is run with ``arguments`` in ``folder``."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=patience(),
    ).stdout


class Installed(Program):
    """A running server that was started by the script of an installed wheel."""

    def __init__(self, script: str, folder: Path) -> None:
        module, _, function = script.partition(":")
        self._line = f"import sys; from {module} import {function}; sys.exit({function}())"
        super().__init__(folder)

    def _begin(self, arguments: Sequence[str]) -> TextIO:
        self._started = subprocess.Popen(
            [sys.executable, "-P", "-c", self._line, *arguments],
            cwd=self.folder.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._started.stdout is not None
        return self._started.stdout


def test_a_wheel_has_every_file_of_the_product(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        there = {each for each in archive.namelist() if ".dist-info/" not in each}
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*") if file.is_file()]
    files = [file for file in files if "__pycache__" not in file.parts]
    assert there == {"app.py", *(file.relative_to(ROOT).as_posix() for file in files)}
    assert {"balance/py.typed", "layouts/assets/main.js"} <= there


def test_a_wheel_depends_on_what_is_pinned_and_says_its_version(site: Path) -> None:
    (record,) = site.glob("*.dist-info")
    about = PathDistribution(record)
    assert about.version == balance.__version__
    assert about.metadata["Requires-Python"] == ">=3.11"
    required = {str(Requirement(line)).lower() for line in about.requires or ()}
    for_agents = [f'{each}; extra == "mcp"' for each in pinned("requirements-mcp.txt")]
    assert required == {str(each).lower() for each in (*pinned(), *for_agents)}


def test_the_command_for_agents_names_the_sdk_that_is_pinned() -> None:
    assert [str(each) for each in pinned("requirements-mcp.txt")] == [SDK]


def test_an_installed_program_serves_its_page(site: Path, home: Path, tmp_path: Path) -> None:
    (script,) = PathDistribution(next(site.glob("*.dist-info"))).entry_points
    assert script.name == "virtual-balance"
    with Installed(script.value, tmp_path / "account") as server:
        assert server.get("/health").status_code == 200
        page = server.get("/").text
        for path in re.findall(r'(?:src|href)="(/[^"]+)"', page):
            assert server.get(path).status_code == 200, path
        assert "/main.js" in page
        assert server.stop() == 0


def test_an_installed_program_keeps_the_account_in_the_folder_of_its_user(
    site: Path, home: Path, tmp_path: Path
) -> None:
    shown = json.loads(python(tmp_path, "-m", "balance", "deposit", "5", "--json"))
    (account,) = home.rglob(ACCOUNT_FILE)
    code = "from balance import open_account; print(open_account().snapshot().revision)"
    assert int(python(tmp_path, "-c", code)) == shown["revision"]
    assert not list(site.rglob(ACCOUNT_FILE))
    account.write_text("{")
    refused = subprocess.run(
        [sys.executable, "-m", "balance", "show"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=patience(),
    )
    # without a folder, as that is the usual one
    assert "`python -m balance repair`" in refused.stderr
    code = "from balance.store.advice import program; print(program(None))"
    assert python(tmp_path, "-c", code) == "virtual-balance\n"


def test_a_clone_keeps_the_account_beside_the_program(tmp_path: Path) -> None:
    assert DEFAULT_DATA_DIR == ROOT / "data"
    assert not is_installed(tmp_path)
    assert default_data_dir(tmp_path) == tmp_path / "data"
    # the record of another package, or that of a clone that is installed to be edited
    for name in ("dash-4.4.1.dist-info", "virtual_balance.egg-info"):
        (tmp_path / name).mkdir()
    assert default_data_dir(tmp_path) == tmp_path / "data"
    (tmp_path / "virtual_balance-1.0.dist-info").mkdir()
    assert is_installed(tmp_path)
    assert tmp_path not in default_data_dir(tmp_path).parents


def test_all_versions_are_exact() -> None:
    for each in (*pinned(), *pinned("requirements-mcp.txt")):
        assert re.fullmatch(r"==[\d.]+", str(each.specifier)), each


def test_the_lock_has_the_pinned_versions_with_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked, required = {}, {}
    # a package with its marker, its hashes, and what requires it
    for block in re.findall(r"^\w.*(?:\n +.*)*", text, re.MULTILINE):
        name, version = re.match(r"([\w-]+)==([\w.]+)", block).groups()
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", block), name
        locked[name] = version
        if re.search(r"-r requirements(-mcp)?\.txt", block):
            required[name] = version
    # the image has what agents need as well
    assert required == {
        canonicalize_name(each.name): str(each.specifier).removeprefix("==")
        for each in (*pinned(), *pinned("requirements-mcp.txt"))
    }
    # that of the tests is older, as dash[testing] takes no other
    assert int(locked["urllib3"].split(".")[0]) >= 2
    assert "://" not in text
