#!/usr/bin/env bash
# The test command: makes its own environment, gets Chromium and axe-core where they are missing, and
# runs every check. Options go to pytest: bash tests/run.sh -k sync
# Files of the tests are in memory where it has room; TMPDIR=/tmp bash tests/run.sh has them on the disk.
# The examples of tests by property are the same at each run: SEEDS=fresh bash tests/run.sh takes new ones.
set -euo pipefail
cd "$(dirname "$0")/.."
# in the background of a terminal, whatever reads from it would be stopped
exec </dev/null

say() { printf '\n== %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; } || return 1
    as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq "$@" >/dev/null
}

find_python() {
    local each
    for each in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$each"
            return
        fi
    done
    echo "Python 3.11 or newer is needed, and none was found." >&2
    return 1
}

make_environment() {
    local python
    python=$(find_python)
    "$python" -m venv .venv 2>/dev/null || {
        rm -rf .venv
        apt_install python3-venv && "$python" -m venv .venv
    } || {
        echo "Python's venv module is missing. On Debian: apt install python3-venv" >&2
        return 1
    }
}

get_browser() {
    if command -v chromedriver >/dev/null && command -v chromium chromium-browser google-chrome >/dev/null; then
        return
    fi
    say "Getting Chromium and its driver"
    apt_install chromium chromium-driver || {
        echo "The browser tests need Chromium and chromedriver on the PATH. Install them:" >&2
        echo "  Debian, Ubuntu: apt install chromium chromium-driver" >&2
        echo "  Fedora:         dnf install chromium chromedriver" >&2
        echo "  macOS:          brew install --cask chromium chromedriver" >&2
        return 1
    }
}

# without it one test fails, which says so
get_axe() {
    local folder=tests/axe
    if [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then
        return
    fi
    say "Getting axe-core"
    command -v npm >/dev/null || apt_install npm || {
        echo "The checks of access need npm. On Debian: apt install npm; else https://nodejs.org" >&2
        return
    }
    npm ci --prefix "$folder" --silent --no-audit --no-fund || echo "npm could not get axe-core." >&2
}

# The tests sync tens of thousands of small files, which costs time on a disk and none in memory.
use_memory() {
    local free
    free=$(df --output=avail --block-size=1G /dev/shm 2>/dev/null | tail -n 1) || return 0
    if [ -z "${TMPDIR:-}" ] && [ "${free:-0}" -ge 4 ]; then
        TMPDIR=$(mktemp -d /dev/shm/virtual-balance.XXXXXX)
        export TMPDIR
        trap 'rm -rf "$TMPDIR"' EXIT
    fi
}

[ -x .venv/bin/python ] || { say "Making the environment"; make_environment; }
say "Installing what requirements-test.txt names"
# what is never imported need not be compiled; what is, is compiled once and kept, whatever the
# surroundings say: the tests start hundreds of processes
export PYTHONDONTWRITEBYTECODE=
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements-test.txt
get_browser
get_axe

say "ruff"
.venv/bin/ruff check .
.venv/bin/ruff format --check .
say "mypy"
# Beside it, the tests are compiled once, and not by each worker.
.venv/bin/python -m pytest --collect-only --quiet "$@" >/dev/null 2>&1 &
.venv/bin/mypy
wait
say "pytest"
use_memory
# two more than there are processors, as browsers are waited for much of the time
workers=$(($(getconf _NPROCESSORS_ONLN) + 2))
.venv/bin/python -m pytest -n "$workers" --dist loadfile --no-loadscope-reorder "$@"
